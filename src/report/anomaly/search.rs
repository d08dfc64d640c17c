//! The search: each runtime against the others, in each workload and function.

use std::collections::BTreeMap;

use crate::bench::result::Function;
use crate::report::metric::{OBSERVED, time_per_call};
use crate::report::stats::sample::{Estimate, Sample};
use crate::report::stats::slope::{self, Slope};
use crate::report::stats::{holm, ranks};
use crate::report::study::{Cell, Study};

use super::sign::OF_RUNS;
use super::{Anomaly, FALSE_ALARM, Found, Sign};

/// When a departure is one.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The chance of any false alarm.
    pub false_alarm: f64,
    /// The part of a run's total that a sign of time has to cost.
    pub excess: f64,
    /// Whether a number has to be so much above the others' that it matters.
    pub must_matter: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            false_alarm: FALSE_ALARM,
            excess: 0.01,
            must_matter: true,
        }
    }
}

/// Finds what departs.
pub fn find(study: &Study, limits: &Limits) -> Found {
    let mut candidates = Vec::new();
    for workload in 0..study.workloads.len() {
        for func in study.functions(workload) {
            // What takes no runtime enough time for its time to matter is not compared. This is no choice by
            // the result: it is the same whichever runtime has which numbers.
            let takes_time = study.largest_share(workload, func) >= limits.excess;
            let signs = OF_RUNS
                .iter()
                .filter(|sign| takes_time || !sign.is_of_time());
            for runtime in 0..study.runtimes.len() {
                let place = Place {
                    study,
                    workload,
                    func,
                    runtime,
                };
                candidates.extend(signs.clone().filter_map(|sign| place.of_runs(*sign)));
                if takes_time {
                    candidates.extend(place.growth());
                }
            }
        }
    }
    let chances: Vec<f64> = candidates
        .iter()
        .map(|candidate| candidate.chance)
        .collect();
    let adjusted = holm::adjusted(&chances);
    let mut found = Found {
        compared: candidates.len(),
        ..Found::default()
    };
    let mut anomalies = Vec::new();
    for (mut candidate, chance) in candidates.into_iter().zip(adjusted) {
        candidate.chance = chance;
        let sign = candidate.sign;
        let matters = sign.matters(candidate.here.median, candidate.others)
            && (!sign.is_of_time() || candidate.excess >= limits.excess);
        if limits.must_matter && !matters {
            continue;
        }
        if chance <= limits.false_alarm {
            anomalies.push(candidate);
        } else {
            found.uncertain += usize::from(matters);
        }
    }
    found.anomalies = merged(anomalies);
    found
}

/// The same sign of the same function in several workloads is one anomaly: that in which it costs most.
fn merged(mut anomalies: Vec<Anomaly>) -> Vec<Anomaly> {
    anomalies.sort_by(|one, other| other.excess.total_cmp(&one.excess));
    let mut first: BTreeMap<(usize, String, Sign), usize> = BTreeMap::new();
    let mut merged: Vec<Anomaly> = Vec::new();
    for anomaly in anomalies {
        let what = (anomaly.runtime, anomaly.func.clone(), anomaly.sign);
        match first.get(&what) {
            Some(index) => merged[*index].also.push(anomaly.workload),
            None => {
                first.insert(what, merged.len());
                merged.push(anomaly);
            }
        }
    }
    merged
}

/// A function of a runtime with a workload.
struct Place<'a> {
    study: &'a Study,
    workload: usize,
    func: &'a str,
    runtime: usize,
}

/// The numbers of one scale.
struct Level {
    scale: u64,
    here: Sample,
    /// Those of the other runtimes that have any.
    others: Vec<Sample>,
}

impl Place<'_> {
    /// The samples of all scales at which the runtime and another one have numbers.
    fn levels(&self, value: fn(&Function) -> Option<f64>) -> Vec<Level> {
        let mut levels = Vec::new();
        for &scale in self.study.scales(self.workload) {
            let of = |runtime| {
                let cell = self.study.cell(self.workload, scale, runtime);
                cell.map(|cell| cell.function(self.func, value))
                    .filter(|sample| sample.len() > 0)
            };
            let Some(here) = of(self.runtime) else {
                continue;
            };
            let others: Vec<Sample> = self.peers().filter_map(of).collect();
            if !others.is_empty() {
                levels.push(Level {
                    scale,
                    here,
                    others,
                });
            }
        }
        levels
    }

    fn peers(&self) -> impl Iterator<Item = usize> {
        let runtime = self.runtime;
        (0..self.study.runtimes.len()).filter(move |other| *other != runtime)
    }

    /// A sign that each run has by itself: ranks are compared at all scales, and at the largest alone. The
    /// numbers that are shown and have to matter are of the largest.
    fn of_runs(&self, sign: Sign) -> Option<Anomaly> {
        let levels = self.levels(sign.value());
        let last = levels.last()?;
        let pooled: Vec<Sample> = levels
            .iter()
            .map(|level| Sample::new(level.others.iter().flat_map(Sample::values).copied()))
            .collect();
        let pairs: Vec<(&Sample, &Sample)> = pooled
            .iter()
            .zip(levels.iter().map(|level| &level.here))
            .collect();
        let verdict = ranks::compare(&pairs).filter(|verdict| !verdict.is_constant)?;
        // What shows only under load shows at the largest scale. Of two chances the lesser counts twice.
        let at_last = ranks::compare(&pairs[pairs.len() - 1..])?;
        let least = verdict.chance_of_higher().min(at_last.chance_of_higher());
        Some(Anomaly {
            runtime: self.runtime,
            func: self.func.to_owned(),
            sign,
            workload: self.workload,
            also: Vec::new(),
            scale: last.scale,
            here: last.here.estimate()?,
            others: Sample::new(last.others.iter().filter_map(Sample::median)).median()?,
            peers: last.others.len(),
            peer_runs: last.others.iter().map(Sample::len).sum(),
            chance: (2.0 * least).min(1.0),
            excess: self.excess(last.scale)?,
        })
    }

    /// How the time in the function grows with the scale, against that other runtime's growth which is the
    /// median of all.
    fn growth(&self) -> Option<Anomaly> {
        let here = self.slope(self.runtime)?;
        let mut others: Vec<Slope> = self.peers().filter_map(|peer| self.slope(peer)).collect();
        others.sort_by(|one, other| one.exponent.total_cmp(&other.exponent));
        let other = others.get(others.len() / 2)?;
        let scale = *self.study.scales(self.workload).last()?;
        let (low, high) = here.interval();
        Some(Anomaly {
            runtime: self.runtime,
            func: self.func.to_owned(),
            sign: Sign::Growth,
            workload: self.workload,
            also: Vec::new(),
            scale,
            here: Estimate {
                n: here.freedom as usize + 2,
                median: here.exponent,
                low,
                high,
                mad: here.error,
            },
            others: other.exponent,
            peers: others.len(),
            peer_runs: others.iter().map(|slope| slope.freedom as usize + 2).sum(),
            chance: here.chance_above(other),
            excess: self.excess(scale)?,
        })
    }

    fn slope(&self, runtime: usize) -> Option<Slope> {
        let duration = |function: &Function| Some(function.duration as f64);
        let mut points = Vec::new();
        for &scale in self.study.scales(self.workload) {
            if let Some(cell) = self.study.cell(self.workload, scale, runtime) {
                let times = cell.function(self.func, duration);
                points.extend(times.values().iter().map(|time| (scale as f64, *time)));
            }
        }
        slope::fit(&points)
    }

    /// What the function costs beyond the others' time per call, as a part of the run's total. Nothing at
    /// most if it does not cost more.
    fn excess(&self, scale: u64) -> Option<f64> {
        let time = |cell: &Cell| cell.function(self.func, time_per_call).median();
        let cell = self.study.cell(self.workload, scale, self.runtime)?;
        let others = self
            .peers()
            .filter_map(|peer| time(self.study.cell(self.workload, scale, peer)?));
        let others = Sample::new(others).median()?;
        let calls = cell.function(self.func, |function| Some(function.calls as f64));
        let more = (time(cell)? - others) * calls.median()?;
        let total = cell.sample(&OBSERVED).median()?;
        (total > 0.0).then(|| (more / total).max(0.0))
    }
}
