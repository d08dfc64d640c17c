//! What a runtime does otherwise than the others, by more than noise and by enough to matter.

mod evidence;
mod search;
mod sign;
mod table;

pub use evidence::Evidence;
pub use search::{Limits, find};
pub use table::{document, notes, sheet, write_csv};

use super::stats::sample::Estimate;
pub use sign::Sign;

/// The chance that a report in which no runtime differs from another names any anomaly.
pub const FALSE_ALARM: f64 = 0.01;

/// A function of a runtime that departs from the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Anomaly {
    /// In [`Study::runtimes`](super::study::Study::runtimes).
    pub runtime: usize,
    /// The function.
    pub func: String,
    /// In what it departs.
    pub sign: Sign,
    /// The workload in which it costs most, in [`Study::workloads`](super::study::Study::workloads).
    pub workload: usize,
    /// The others in which it departs as well.
    pub also: Vec<usize>,
    /// The scale that the numbers are of; for growth the largest.
    pub scale: u64,
    /// What the runtime has.
    pub here: Estimate,
    /// The most that the others have with which it is compared, each by its own median; for growth the median of all.
    pub others: f64,
    /// How many other runtimes those are.
    pub peers: usize,
    /// How many runs of theirs.
    pub peer_runs: usize,
    /// The chance of such numbers if the runtime did as the others do, corrected for the number of
    /// comparisons.
    pub chance: f64,
    /// The time in the function beyond what it would be with the others' time per call, as a part of the
    /// run's total.
    pub excess: f64,
    /// What it has more of.
    pub evidence: Evidence,
}

impl Anomaly {
    /// The bundled script that shows more of it.
    pub fn script(&self) -> &'static str {
        self.evidence.script(self.sign, &self.func)
    }
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The anomalies, that which costs most first.
    pub anomalies: Vec<Anomaly>,
    /// How many comparisons were made.
    pub compared: usize,
    /// How many of them differ by enough to matter, but not by more than noise.
    pub uncertain: usize,
}
