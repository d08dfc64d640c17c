//! What a run found, and how long its stages took.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use crate::engine::attach::Link;
use crate::engine::calibrate::ProbeCost;
use crate::engine::lease::Lease;
use crate::engine::names::Names;
use crate::engine::processes::Found;
use crate::engine::reading::Reading;

/// What a run found.
pub struct Outcome {
    /// What the kernel had counted at the end.
    pub reading: Reading,
    /// The names behind numbers.
    pub names: Names,
    /// The runtimes.
    pub found: Vec<Found>,
    /// Runtimes of which several builds are shown under one name, and a file of each.
    pub merged: Vec<(String, Vec<PathBuf>)>,
    /// What probes cost a call.
    pub probe_cost: Option<ProbeCost>,
    /// How the command ended; none if there was none, it still runs, or the script ended it.
    pub status: Option<ExitStatus>,
    /// The script has ended the run.
    pub exited: bool,
    /// The exit code that the script has said.
    pub exit_code: u8,
    /// What could not be read or attached to.
    pub troubles: Vec<String>,
    /// A runtime was found that could not be attached to: the troubles say why.
    pub unattached: bool,
    /// How long the stages took.
    pub timings: Timings,
    /// What is still attached. To be closed when everything has been said: that takes the kernel a while.
    pub attached: Vec<Link>,
    /// The leases of files with probes. To be dropped behind these.
    pub leases: Vec<Lease>,
}

impl Outcome {
    /// What probes cost a call of the runtime where they cost the most.
    pub fn largest_probe_cost(&self) -> Option<Duration> {
        let named_within = self.found.iter().any(|found| found.named_within);
        Some(self.probe_cost?.of_call(named_within))
    }
}

/// How long the stages of a run took, in the order in which they happened.
#[derive(Debug, Clone)]
pub struct Timings {
    start: Instant,
    stages: Vec<(&'static str, Duration)>,
}

impl Timings {
    /// The clock starts at the start of the process.
    pub fn new(start: Instant) -> Timings {
        Timings {
            start,
            stages: Vec::new(),
        }
    }

    /// A stage has ended now.
    pub fn mark(&mut self, stage: &'static str) {
        self.stages.push((stage, self.start.elapsed()));
    }

    /// The stages with the time from the start of the process to their end.
    pub fn stages(&self) -> &[(&'static str, Duration)] {
        &self.stages
    }
}
