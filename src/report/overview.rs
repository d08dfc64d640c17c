//! The tables of a report: what was run, each cell's numbers, each function's time, what is in no number.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::output::sheet::{Sheet, Side};
use crate::output::words::count;

use super::document::{Document, sheet};
use super::metric::{self, METRICS, Metric};
use super::read::Results;
use super::show::{self, Unit};
use super::stats::ratio::{Ratio, ratio};
use super::stats::sample::{Estimate, Sample};
use super::study::{Cell, Key, Study};

/// What the signs in the tables mean.
pub const LEGEND: [&str; 2] = [
    "Numbers are medians of runs, ± the median absolute deviation of the runs in percent of it.",
    "RUNS are those without and with probes; COST is the total with probes to that without; STARTUP, WASI \
     (SYSTEM CALLS and OWN) and GUEST are parts of the total with probes.",
];

/// The whole report as a text with tables.
pub fn document(results: &Results, study: &Study) -> Document {
    let mut document = Document::default();
    document.heading("WASI report");
    document.text(facts(results, study));
    for (index, name) in study.workloads.iter().enumerate() {
        let table = workload(study, index);
        if !table.lines.is_empty() {
            document.heading(format!("workload {name}"));
            document.table(table);
        }
    }
    let functions = functions(study);
    if !functions.rows.is_empty() {
        document.heading("functions: time per call, and ratio to the best");
        document.table(function_sheet(study, &functions));
    }
    if !study.left_out.is_empty() {
        document.heading("runs that are in no number");
        document.table(left_out(study));
    }
    document
}

/// What was run, and what is to be known before the numbers are read.
pub fn facts(results: &Results, study: &Study) -> Vec<String> {
    let mut facts: Vec<String> = Vec::new();
    for experiment in &results.experiments {
        let fact = format!("machine: {}", experiment.machine);
        if !facts.contains(&fact) {
            facts.push(fact);
        }
    }
    let versions: Vec<&str> = study.versions.iter().map(String::as_str).collect();
    facts.push(format!("runtimes: {}", versions.join(", ")));
    let left_out: usize = study.left_out.iter().map(|left_out| left_out.runs).sum();
    let runs = count(study.runs, "run");
    facts.push(match left_out {
        0 => format!("{runs}, all of them in the numbers"),
        _ => format!("{runs}, {left_out} of them in no number: they are listed"),
    });
    let planned: usize = results.experiments.first().map_or(0, |first| first.runs);
    if results.experiments.len() <= 1 && planned > study.runs + results.scripts {
        facts.push(format!(
            "planned were {}: RUNS says how many each number has",
            count(planned, "run")
        ));
    }
    if study.lossy > 0 {
        facts.push(format!(
            "{} lost {}: their numbers are not exact",
            count(study.lossy, "run"),
            count(usize::try_from(study.lost).unwrap_or(usize::MAX), "call")
        ));
    }
    facts.extend(cost_of_observing(study));
    facts.extend(results.notes.iter().cloned());
    facts.extend(LEGEND.map(str::to_owned));
    facts
}

/// The workload and scale that take longest without probes, by the median of the runtimes.
fn heaviest(study: &Study) -> Option<(usize, u64)> {
    let mut totals: BTreeMap<(usize, u64), Vec<f64>> = BTreeMap::new();
    for (key, cell) in &study.cells {
        if let Some((bare, _)) = totals_of(cell) {
            totals
                .entry((key.workload, key.scale))
                .or_default()
                .push(bare);
        }
    }
    let median = |totals: &Vec<f64>| Sample::new(totals.iter().copied()).median();
    let longest = totals.iter().max_by(|one, other| {
        median(one.1)
            .partial_cmp(&median(other.1))
            .unwrap_or(Ordering::Equal)
    });
    longest.map(|(place, _)| *place)
}

/// The totals of a cell without and with probes.
fn totals_of(cell: &Cell) -> Option<(f64, f64)> {
    let median = |metric| cell.sample(metric).median();
    median(&metric::TOTAL).zip(median(&metric::OBSERVED))
}

/// What observing costs where it matters most, and where it costs most.
fn cost_of_observing(study: &Study) -> Option<String> {
    let (workload, scale) = heaviest(study)?;
    let costs = study.cells.iter();
    let costs: Vec<(Key, Ratio)> = costs
        .filter_map(|(key, cell)| Some((*key, cost(cell)?)))
        .collect();
    let is_here = |(key, _): &&(Key, Ratio)| (key.workload, key.scale) == (workload, scale);
    let here = costs.iter().filter(is_here);
    let name = format!("{} {scale}", study.workloads[workload]);
    let totals: Vec<(Sample, Sample)> = here
        .clone()
        .filter_map(|(key, _)| study.cells.get(key))
        .map(|cell| (cell.sample(&metric::TOTAL), cell.sample(&metric::OBSERVED)))
        .collect();
    let pairs: Vec<(&Sample, &Sample)> = totals.iter().map(|(bare, seen)| (bare, seen)).collect();
    let Some(mean) = ratio(&pairs) else {
        return Some(format!(
            "observing: not known on the heaviest workload, {name}: it takes {COST_RUNS} runs with probes and {COST_RUNS} \
             without"
        ));
    };
    // By the lower end of the interval: what may be noise is not the most.
    let by_low = |one: &&(Key, Ratio), other: &&(Key, Ratio)| one.1.low.total_cmp(&other.1.low);
    let (most, most_here) = (costs.iter().max_by(by_low)?, here.max_by(by_low)?);
    Some(format!(
        "observing: {} of the total without probes on the heaviest workload, {name} (mean of the runtimes; most for {}: \
         {}); most of all for {} with {} {}: {}",
        show_cost(&mean),
        study.runtimes[most_here.0.runtime],
        show_cost(&most_here.1),
        study.runtimes[most.0.runtime],
        study.workloads[most.0.workload],
        most.0.scale,
        show_cost(&most.1),
    ))
}

/// How many runs with probes, and how many without, a cost takes: of fewer it may be noise alone.
const COST_RUNS: usize = 3;

/// How many times the lower end of its interval the upper end may be of a cost that is one number.
const CERTAIN: f64 = 1.25;

/// What probes make of the total; none of too few runs.
pub fn cost(cell: &Cell) -> Option<Ratio> {
    let (bare, observed) = (cell.sample(&metric::TOTAL), cell.sample(&metric::OBSERVED));
    let is_enough = bare.len() >= COST_RUNS && observed.len() >= COST_RUNS;
    ratio(&[(&bare, &observed)]).filter(|_| is_enough)
}

/// A cost as a number, or as an interval where the number may be noise.
fn show_cost(cost: &Ratio) -> String {
    if cost.high <= CERTAIN * cost.low {
        return show::times(Some(cost.ratio));
    }
    let low = show::times(Some(cost.low));
    format!(
        "{}-{}",
        low.trim_end_matches('x'),
        show::times(Some(cost.high))
    )
}

/// The numbers of a workload: a line for each scale and runtime.
pub fn workload(study: &Study, workload: usize) -> Sheet {
    let mut table = sheet(&[
        ("SCALE", Side::Right),
        ("RUNTIME", Side::Left),
        ("RUNS", Side::Right),
    ]);
    let titles = METRICS.iter().map(|metric| match metric.name {
        "total" => "BARE".to_owned(),
        "total_observed" => "OBSERVED".to_owned(),
        "syscall_time" => "SYSTEM CALLS".to_owned(),
        "wasi" => "WASI".to_owned(),
        "own" => "OWN".to_owned(),
        "syscalls_per_call" => "SYSCALLS/CALL".to_owned(),
        _ => metric.title.to_uppercase(),
    });
    table.headings.extend(titles);
    table.headings.insert(5, "COST".to_owned());
    table.sides.resize(table.headings.len(), Side::Right);
    table.groups = [("", 3), ("total", 3), ("parts", 5), ("work", 4)]
        .map(|(name, width)| (name.to_owned(), width))
        .to_vec();
    for (key, cell) in &study.cells {
        if key.workload != workload {
            continue;
        }
        let mut line = vec![
            key.scale.to_string(),
            study.runtimes[key.runtime].clone(),
            format!("{}+{}", cell.bare.len(), cell.observed.len()),
        ];
        line.extend(METRICS.iter().map(|metric| number(cell, metric)));
        line.insert(
            5,
            cost(cell).map_or_else(|| "-".to_owned(), |cost| show_cost(&cost)),
        );
        table.lines.push(line);
    }
    table
}

/// A number of a cell as text.
pub fn number(cell: &Cell, metric: &Metric) -> String {
    show::estimate(cell.sample(metric).estimate(), metric.unit)
}

/// A row for each workload with a time of each runtime's whole runs.
pub fn totals(study: &Study, metric: &Metric) -> Vec<FunctionRow> {
    let row = |workload| {
        let scale = study.fullest_scale(workload)?;
        let time = |runtime| {
            study
                .cell(workload, scale, runtime)?
                .sample(metric)
                .estimate()
        };
        Some(FunctionRow {
            func: String::new(),
            workload,
            scale,
            times: (0..study.runtimes.len()).map(time).collect(),
        })
    };
    (0..study.workloads.len()).filter_map(row).collect()
}

/// The time that a call of a function takes in each runtime, with one workload at one scale.
#[derive(Debug)]
pub struct FunctionRow {
    /// Its name; empty for whole runs.
    pub func: String,
    /// In [`Study::workloads`].
    pub workload: usize,
    /// The largest at which most runtimes have runs.
    pub scale: u64,
    /// One for each runtime.
    pub times: Vec<Option<Estimate>>,
}

impl FunctionRow {
    /// How many times the least time a runtime takes.
    pub fn ratio_to_best(&self, runtime: usize) -> Option<f64> {
        let times = self.times.iter().flatten().map(|time| time.median);
        let best = times.fold(f64::INFINITY, f64::min);
        let time = self.times[runtime]?.median;
        (best > 0.0).then(|| time / best)
    }
}

/// The functions that are worth a row.
#[derive(Debug, Default)]
pub struct Functions {
    /// A row for each workload and function.
    pub rows: Vec<FunctionRow>,
    /// How many take so little time that they have none.
    pub left_out: usize,
}

/// A function has a row if any runtime spends at least this part of its total in it.
const SHARE: f64 = 0.001;

impl Functions {
    /// What is to be said below them.
    pub fn notes(&self) -> Vec<String> {
        match self.left_out {
            0 => Vec::new(),
            left_out => vec![format!(
                "Left out: {} with less than 0.1 % of the total in every runtime. `ewapa report -f csv` has \
                 all.",
                count(left_out, "function")
            )],
        }
    }
}

/// The functions of all workloads.
pub fn functions(study: &Study) -> Functions {
    let mut functions = Functions::default();
    for workload in 0..study.workloads.len() {
        let Some(scale) = study.fullest_scale(workload) else {
            continue;
        };
        for func in study.functions(workload) {
            if study.largest_share(workload, func) < SHARE {
                functions.left_out += 1;
                continue;
            }
            let times: Vec<Option<Estimate>> = (0..study.runtimes.len())
                .map(|runtime| study.cell(workload, scale, runtime))
                .map(|cell| cell?.function(func, metric::time_per_call).estimate())
                .collect();
            if times.iter().any(Option::is_some) {
                functions.rows.push(FunctionRow {
                    func: func.to_owned(),
                    workload,
                    scale,
                    times,
                });
            }
        }
    }
    functions
}

/// The functions as a table.
pub fn function_sheet(study: &Study, functions: &Functions) -> Sheet {
    let mut table = sheet(&[
        ("WORKLOAD", Side::Left),
        ("SCALE", Side::Right),
        ("FUNCTION", Side::Left),
    ]);
    table.groups.push((String::new(), 3));
    for runtime in &study.runtimes {
        table.groups.push((runtime.clone(), 2));
        table
            .headings
            .extend(["PER CALL".to_owned(), "x".to_owned()]);
        table.sides.extend([Side::Right; 2]);
    }
    table.notes = functions.notes();
    for row in &functions.rows {
        let mut line = vec![
            study.workloads[row.workload].clone(),
            row.scale.to_string(),
            row.func.clone(),
        ];
        for (runtime, time) in row.times.iter().enumerate() {
            line.push(show::estimate(*time, Unit::Time));
            line.push(show::times(row.ratio_to_best(runtime)));
        }
        table.lines.push(line);
    }
    table
}

/// How many characters of a detail are shown.
const DETAIL: usize = 50;

/// The runs that are in no number.
pub fn left_out(study: &Study) -> Sheet {
    let mut table = sheet(&[
        ("WORKLOAD", Side::Left),
        ("SCALE", Side::Right),
        ("RUNTIME", Side::Left),
        ("RUNS", Side::Right),
        ("WHY", Side::Left),
        ("DETAIL OF THE FIRST", Side::Left),
    ]);
    for left_out in &study.left_out {
        // A detail may have several lines; a cell has one, and not a long one.
        let words: Vec<&str> = left_out.detail.split_whitespace().collect();
        let mut detail = words.join(" ");
        if let Some((end, _)) = detail.char_indices().nth(DETAIL) {
            detail.truncate(end);
            detail.push('…');
        }
        table.lines.push(vec![
            study.workloads[left_out.key.workload].clone(),
            left_out.key.scale.to_string(),
            study.runtimes[left_out.key.runtime].clone(),
            left_out.runs.to_string(),
            left_out.why.to_owned(),
            detail,
        ]);
    }
    table
}
