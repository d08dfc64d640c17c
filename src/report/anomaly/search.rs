//! The search: each runtime against the others, in each workload and function.

use std::collections::BTreeMap;

use statrs::function::factorial::binomial;

use crate::bench::result::Function;
use crate::report::metric::{OBSERVED, time_per_call};
use crate::report::stats::sample::{Estimate, Sample};
use crate::report::stats::slope::{self, Slope};
use crate::report::stats::{holm, ranks};
use crate::report::study::{Cell, Study};

use super::sign::OF_RUNS;
use super::{Anomaly, Evidence, FALSE_ALARM, Found, Sign};

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
    for anomaly in &mut found.anomalies {
        anomaly.evidence = evidence(study, anomaly);
    }
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

/// What a runtime has more of than the others in the function of an anomaly.
fn evidence(study: &Study, anomaly: &Anomaly) -> Evidence {
    let cell = |runtime| study.cell(anomaly.workload, anomaly.scale, runtime);
    let others: Vec<&Cell> = study.peers(anomaly.runtime).filter_map(cell).collect();
    let of = |here| Evidence::of(&anomaly.func, here, &others);
    cell(anomaly.runtime).map(of).unwrap_or_default()
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
    others: Vec<(usize, Sample)>,
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
            let others: Vec<(usize, Sample)> = self
                .study
                .peers(self.runtime)
                .filter_map(|peer| Some((peer, of(peer)?)))
                .collect();
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

    /// A sign that each run has by itself. The runtime is compared with all others, and with those that have least, so
    /// many as there have to be: by ranks at all scales, and at the largest alone. The numbers that are shown and have to
    /// matter are of the largest.
    fn of_runs(&self, sign: Sign) -> Option<Anomaly> {
        let levels = self.levels(sign.value());
        let last = levels.last()?;
        let median = |(peer, sample): &(usize, Sample)| Some((*peer, sample.median()?));
        let mut others: Vec<(usize, f64)> = last.others.iter().filter_map(median).collect();
        others.sort_by(|one, other| one.1.total_cmp(&other.1));
        let enough = sign.enough(others.len());
        let least = others.get(enough - 1)?.1;
        let (all, _) = against(&levels, &others)?;
        let (some, runs) = against(&levels, &others[..enough])?;
        // Any so many of the others could have been those with least: each choice of them counts. And of two chances
        // the lesser counts twice.
        let choices = binomial(others.len() as u64, enough as u64);
        let chance = if enough == others.len() {
            all
        } else {
            2.0 * all.min(choices * some)
        };
        Some(Anomaly {
            runtime: self.runtime,
            func: self.func.to_owned(),
            sign,
            workload: self.workload,
            also: Vec::new(),
            scale: last.scale,
            here: last.here.estimate()?,
            others: least,
            peers: enough,
            peer_runs: runs,
            chance: chance.min(1.0),
            excess: self.excess(last.scale)?,
            evidence: Evidence::default(),
        })
    }

    /// How the time in the function grows with the scale, against that other runtime's growth which is the
    /// median of all.
    fn growth(&self) -> Option<Anomaly> {
        let here = self.slope(self.runtime)?;
        let peers = self.study.peers(self.runtime);
        let mut others: Vec<Slope> = peers.filter_map(|peer| self.slope(peer)).collect();
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
            evidence: Evidence::default(),
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
            .study
            .peers(self.runtime)
            .filter_map(|peer| time(self.study.cell(self.workload, scale, peer)?));
        let others = Sample::new(others).median()?;
        let calls = cell.function(self.func, |function| Some(function.calls as f64));
        let more = (time(cell)? - others) * calls.median()?;
        let total = cell.sample(&OBSERVED).median()?;
        (total > 0.0).then(|| (more / total).max(0.0))
    }
}

/// The chance that a runtime has so much more than some others, if it does as they do, and how many runs these have at the
/// largest scale. None if all have the same.
fn against(levels: &[Level], others: &[(usize, f64)]) -> Option<(f64, usize)> {
    let is_chosen = |peer: usize| others.iter().any(|(chosen, _)| *chosen == peer);
    let pool = |level: &Level| {
        let chosen = level.others.iter().filter(|(peer, _)| is_chosen(*peer));
        Sample::new(chosen.flat_map(|(_, sample)| sample.values()).copied())
    };
    let pooled: Vec<Sample> = levels.iter().map(pool).collect();
    let pairs: Vec<(&Sample, &Sample)> = pooled
        .iter()
        .zip(levels.iter().map(|level| &level.here))
        .collect();
    let verdict = ranks::compare(&pairs).filter(|verdict| !verdict.is_constant);
    let Some(verdict) = verdict else {
        return Some((1.0, pooled.last()?.len()));
    };
    // What shows only under load shows at the largest scale. Of two chances the lesser counts twice.
    let at_last = ranks::compare(&pairs[pairs.len() - 1..])?;
    let least = verdict.chance_of_higher().min(at_last.chance_of_higher());
    Some(((2.0 * least).min(1.0), pooled.last()?.len()))
}
