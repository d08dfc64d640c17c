//! The comparisons: each metric and function of each runtime with each workload, over all its scales.

use std::collections::BTreeSet;

use crate::report::metric::{METRICS, TIME_PER_CALL, time_per_call};
use crate::report::stats::holm;
use crate::report::stats::ranks;
use crate::report::stats::ratio::{Ratio, ratio};
use crate::report::stats::sample::Sample;
use crate::report::study::{Cell, Study};

use super::{FALSE_ALARM, Side};

/// How a number of one side compares with the other side's.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The runtime, as the second side calls it.
    pub runtime: String,
    /// The workload.
    pub workload: String,
    /// The function; none for a metric of runs.
    pub func: Option<String>,
    /// The metric's name in CSV.
    pub metric: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Runs of the first side.
    pub before: usize,
    /// Runs of the second side.
    pub after: usize,
    /// How many times the first side's number the second's is; none if a number is zero on one side only.
    pub ratio: Option<Ratio>,
    /// The chance of such numbers if the sides were equal, corrected for the number of comparisons.
    pub chance: f64,
    /// Whether both sides have the same number in all runs of each cell.
    pub is_same: bool,
}

/// What a comparison of two sides found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Differences {
    /// All comparisons.
    pub rows: Vec<Difference>,
    /// What the first side ran to its end and the second did not: runtime, workload and scale.
    pub missing: Vec<String>,
    /// The same the other way round.
    pub added: Vec<String>,
}

impl Difference {
    /// Whether the sides differ by more than noise: both the ranks and the interval have to say so.
    pub fn is_real(&self) -> bool {
        let is_apart = |ratio: Ratio| ratio.low > 1.0 || ratio.high < 1.0;
        self.chance <= FALSE_ALARM && self.ratio.is_none_or(is_apart)
    }

    /// Whether the second side surely has more than so much of the first: even the near end of the
    /// interval is above it.
    pub fn is_over(&self, limit: f64) -> bool {
        self.is_real() && self.ratio.is_some_and(|ratio| ratio.low > limit)
    }
}

/// Compares two sides. Only metrics of these names count, or all if there are none.
pub fn compare(before: &Side, after: &Side, only: &[String]) -> Differences {
    let mut found = Differences::default();
    let (first, second) = (&before.study, &after.study);
    for (left, right) in runtimes(before, after) {
        for (index, workload) in second.workloads.iter().enumerate() {
            let Ok(place) = first.workloads.binary_search(workload) else {
                continue;
            };
            let mut pairs = Vec::new();
            for &scale in second.scales(index) {
                if let (Some(one), Some(other)) = (
                    first.cell(place, scale, left),
                    second.cell(index, scale, right),
                ) {
                    pairs.push((one, other));
                }
            }
            let rows = rows(&pairs, only).into_iter().map(|row| Difference {
                runtime: second.runtimes[right].clone(),
                workload: workload.clone(),
                ..row
            });
            found.rows.extend(rows);
        }
        found.missing.extend(lacking(first, left, second, right));
        found.added.extend(lacking(second, right, first, left));
    }
    let unmatched = |study: &Study, other: &Study| -> Vec<String> {
        let names = study.runtimes.iter();
        names
            .filter(|name| !other.runtimes.contains(name))
            .cloned()
            .collect()
    };
    if !is_one_to_one(before, after) {
        found.missing.extend(unmatched(first, second));
        found.added.extend(unmatched(second, first));
    }
    let mut open: Vec<&mut Difference> = found.rows.iter_mut().filter(|row| !row.is_same).collect();
    let chances: Vec<f64> = open.iter().map(|row| row.chance).collect();
    for (row, chance) in open.iter_mut().zip(holm::adjusted(&chances)) {
        row.chance = chance;
    }
    found
}

/// Whether it is one runtime against another, whatever they are called.
fn is_one_to_one(before: &Side, after: &Side) -> bool {
    let (first, second) = (before.study.runtimes.len(), after.study.runtimes.len());
    (before.is_one || after.is_one) && first == 1 && second == 1
}

/// The runtimes that are compared with each other.
fn runtimes(before: &Side, after: &Side) -> Vec<(usize, usize)> {
    if is_one_to_one(before, after) {
        return vec![(0, 0)];
    }
    let names = after.study.runtimes.iter().enumerate();
    names
        .filter_map(|(right, name)| {
            let left = before
                .study
                .runtimes
                .iter()
                .position(|known| known == name)?;
            Some((left, right))
        })
        .collect()
}

/// The cells of a runtime that the other side has not.
fn lacking(study: &Study, runtime: usize, other: &Study, there: usize) -> Vec<String> {
    let keys = study.cells.keys().filter(|key| key.runtime == runtime);
    keys.filter(|key| {
        let workload = &study.workloads[key.workload];
        let place = other.workloads.binary_search(workload);
        place.map_or(true, |place| other.cell(place, key.scale, there).is_none())
    })
    .map(|key| {
        let (runtime, workload) = (&study.runtimes[runtime], &study.workloads[key.workload]);
        format!("{runtime} {workload} {}", key.scale)
    })
    .collect()
}

fn rows(pairs: &[(&Cell, &Cell)], only: &[String]) -> Vec<Difference> {
    let is_chosen = |metric: &str| only.is_empty() || only.iter().any(|chosen| chosen == metric);
    let mut rows = Vec::new();
    for metric in METRICS.iter().filter(|metric| is_chosen(metric.name)) {
        let of = |cell: &Cell| cell.sample(metric);
        rows.extend(row(pairs, None, metric.name, metric.title, of));
    }
    if is_chosen(TIME_PER_CALL) {
        for func in functions(pairs) {
            let of = |cell: &Cell| cell.function(&func, time_per_call);
            rows.extend(row(
                pairs,
                Some(func.clone()),
                TIME_PER_CALL,
                "time per call",
                of,
            ));
        }
    }
    rows
}

/// The functions that both sides call.
fn functions(pairs: &[(&Cell, &Cell)]) -> BTreeSet<String> {
    let names = |cells: Vec<&Cell>| -> BTreeSet<String> {
        let runs = cells.into_iter().flat_map(|cell| &cell.observed);
        let functions = runs.flat_map(|run| &run.functions);
        functions.map(|function| function.func.clone()).collect()
    };
    let before = names(pairs.iter().map(|(before, _)| *before).collect());
    let after = names(pairs.iter().map(|(_, after)| *after).collect());
    &before & &after
}

fn row(
    pairs: &[(&Cell, &Cell)],
    func: Option<String>,
    metric: &'static str,
    title: &'static str,
    of: impl Fn(&Cell) -> Sample,
) -> Option<Difference> {
    let samples: Vec<(Sample, Sample)> = pairs
        .iter()
        .map(|(before, after)| (of(before), of(after)))
        .filter(|(before, after)| before.len() > 0 && after.len() > 0)
        .collect();
    let samples: Vec<(&Sample, &Sample)> = samples
        .iter()
        .map(|(before, after)| (before, after))
        .collect();
    let verdict = ranks::compare(&samples)?;
    Some(Difference {
        runtime: String::new(),
        workload: String::new(),
        func,
        metric,
        title,
        before: samples.iter().map(|(before, _)| before.len()).sum(),
        after: samples.iter().map(|(_, after)| after.len()).sum(),
        ratio: ratio(&samples),
        chance: verdict.chance_of_different(),
        is_same: verdict.is_constant,
    })
}
