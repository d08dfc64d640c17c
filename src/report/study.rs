//! Runs that can be compared, put together: one cell for each runtime, workload and scale.

use std::collections::{BTreeMap, BTreeSet};

use crate::bench::result::{Function, Outcome, Run};

use super::metric::{Metric, OBSERVED};
use super::stats::sample::Sample;

/// What the runs of a cell have in common, as places in the lists of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// In [`Study::workloads`].
    pub workload: usize,
    /// What `{scale}` was.
    pub scale: u64,
    /// In [`Study::runtimes`].
    pub runtime: usize,
}

/// The runs of a runtime with one workload at one scale that ended as they should.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// Those without probes.
    pub bare: Vec<Run>,
    /// Those with probes.
    pub observed: Vec<Run>,
}

/// All runs.
#[derive(Debug, Clone, Default)]
pub struct Study {
    /// The names of runtimes, with the version where there are several.
    pub runtimes: Vec<String>,
    /// For each the program and version that it is a mode of; its own name if that is not known.
    programs: Vec<String>,
    /// The names of workloads.
    pub workloads: Vec<String>,
    /// The scales of each workload, the smallest first.
    scales: Vec<Vec<u64>>,
    /// The functions that each workload calls.
    functions: Vec<BTreeSet<String>>,
    /// The cells in which at least one run ended as it should.
    pub cells: BTreeMap<Key, Cell>,
    /// What is in no number: runs that failed, and runs that lost too many calls.
    pub left_out: Vec<LeftOut>,
    /// How many calls were lost in runs that are in the numbers.
    pub lost: u64,
    /// In how many runs.
    pub lossy: usize,
    /// How many runs there are in all.
    pub runs: usize,
    /// Each runtime with its version.
    pub versions: BTreeSet<String>,
}

/// Runs of a cell that are in no number, for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Where they belong.
    pub key: Key,
    /// Why.
    pub why: &'static str,
    /// How many they are.
    pub runs: usize,
    /// What went wrong in the first of them.
    pub detail: String,
}

/// A run that lost more of its calls than this is in no number.
pub const LOSS: f64 = 0.01;

impl Study {
    /// Sorts the runs into cells.
    pub fn new(runs: Vec<Run>) -> Study {
        let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for run in &runs {
            let known = versions.entry(run.runtime.clone()).or_default();
            known.insert(run.version.clone());
        }
        let label = |run: &Run| match versions[&run.runtime].len() {
            1 => run.runtime.clone(),
            _ => format!("{} {}", run.runtime, run.version)
                .trim_end()
                .to_owned(),
        };
        let names = |of: &dyn Fn(&Run) -> String| -> Vec<String> {
            let names: BTreeSet<String> = runs.iter().map(of).collect();
            names.into_iter().collect()
        };
        let mut study = Study {
            runtimes: names(&label),
            workloads: names(&|run| run.workload.clone()),
            runs: runs.len(),
            versions: runs
                .iter()
                .map(|run| format!("{} {}", run.runtime, run.version))
                .map(|version| version.trim_end().to_owned())
                .collect(),
            ..Study::default()
        };
        let mut programs: Vec<String> = study.runtimes.clone();
        let place = |names: &[String], name: &str| {
            names
                .binary_search_by(|known| known.as_str().cmp(name))
                .expect("every name was listed")
        };
        for run in runs {
            let key = Key {
                workload: place(&study.workloads, &run.workload),
                scale: run.scale,
                runtime: place(&study.runtimes, &label(&run)),
            };
            if !run.program.is_empty() {
                programs[key.runtime] = format!("{} {}", run.program, run.version);
            }
            study.add(key, run);
        }
        study.programs = programs;
        study.left_out.sort_by_key(|left_out| left_out.key);
        study.index();
        study
    }

    fn add(&mut self, key: Key, run: Run) {
        if let Some(why) = why_left_out(&run) {
            let detail = run.detail.unwrap_or_default();
            let known = self
                .left_out
                .iter_mut()
                .find(|known| known.key == key && known.why == why);
            match known {
                Some(known) => known.runs += 1,
                None => self.left_out.push(LeftOut {
                    key,
                    why,
                    runs: 1,
                    detail,
                }),
            }
            return;
        }
        self.lost += run.lost;
        self.lossy += usize::from(run.lost > 0);
        let cell = self.cells.entry(key).or_default();
        if run.observed {
            cell.observed.push(run);
        } else {
            cell.bare.push(run);
        }
    }

    /// The other runtimes that a runtime is compared with. Modes of one program do many things alike: they are compared
    /// with each other only if there is no other program.
    pub fn peers(&self, runtime: usize) -> impl Iterator<Item = usize> {
        let program = &self.programs[runtime];
        let is_only = self.programs.iter().all(|other| other == program);
        let others = (0..self.runtimes.len()).filter(move |other| *other != runtime);
        others.filter(move |other| is_only || &self.programs[*other] != program)
    }

    /// The cell of a runtime, if a run of it ended as it should.
    pub fn cell(&self, workload: usize, scale: u64, runtime: usize) -> Option<&Cell> {
        self.cells.get(&Key {
            workload,
            scale,
            runtime,
        })
    }

    fn index(&mut self) {
        self.scales = vec![Vec::new(); self.workloads.len()];
        self.functions = vec![BTreeSet::new(); self.workloads.len()];
        for (key, cell) in &self.cells {
            let scales = &mut self.scales[key.workload];
            // Cells are in the order of their scales.
            if scales.last() != Some(&key.scale) {
                scales.push(key.scale);
            }
            for function in cell.observed.iter().flat_map(|run| &run.functions) {
                let known = &mut self.functions[key.workload];
                if !known.contains(&function.func) {
                    known.insert(function.func.clone());
                }
            }
        }
    }

    /// The scales of a workload at which any run ended as it should, the smallest first.
    pub fn scales(&self, workload: usize) -> &[u64] {
        &self.scales[workload]
    }

    /// The largest scale of a workload at which as many runtimes as at any have runs; none if there are none.
    pub fn fullest_scale(&self, workload: usize) -> Option<u64> {
        let at = |scale: u64| {
            (0..self.runtimes.len())
                .filter(|runtime| self.cell(workload, scale, *runtime).is_some())
                .count()
        };
        let scales = self.scales(workload).iter().copied();
        scales.max_by_key(|scale| (at(*scale), *scale))
    }

    /// The names of the functions that a workload calls.
    pub fn functions(&self, workload: usize) -> impl Iterator<Item = &str> {
        self.functions[workload].iter().map(String::as_str)
    }

    /// The largest part of its total that any runtime spends in a function, at the scale that
    /// [`Study::fullest_scale`] gives.
    pub fn largest_share(&self, workload: usize, func: &str) -> f64 {
        let Some(scale) = self.fullest_scale(workload) else {
            return 0.0;
        };
        let share = |runtime| {
            let cell = self.cell(workload, scale, runtime)?;
            let time = cell.function(func, |function| Some(function.duration as f64));
            Some(time.median()? / cell.sample(&OBSERVED).median()?)
        };
        let shares = (0..self.runtimes.len()).filter_map(share);
        shares.fold(0.0, f64::max)
    }
}

fn why_left_out(run: &Run) -> Option<&'static str> {
    match run.outcome {
        Outcome::Failed => Some("failed"),
        Outcome::Timeout => Some("took too long"),
        Outcome::Wrong => Some("wrong output"),
        Outcome::Ok => {
            let most = LOSS * (run.calls() + run.lost) as f64;
            (run.lost > 0 && run.lost as f64 > most).then_some("lost calls")
        }
    }
}

impl Cell {
    /// What the runs say of a metric.
    pub fn sample(&self, metric: &Metric) -> Sample {
        let runs = metric.of_runs.choose(self);
        Sample::new(runs.iter().filter_map(metric.value))
    }

    /// What the observed runs say of a function.
    pub fn function(&self, func: &str, value: fn(&Function) -> Option<f64>) -> Sample {
        let runs = self.observed.iter();
        Sample::new(runs.filter_map(|run| {
            let function = run.functions.iter().find(|known| known.func == func)?;
            value(function)
        }))
    }
}
