//! What is measured of a run and of a function.

use crate::bench::result::{Function, Run};

use super::show::Unit;
use super::study::Cell;

/// A number of a run.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name in CSV and on the command line.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// Which runs have it.
    pub of_runs: Runs,
    /// The number; none if the run does not know it.
    pub value: fn(&Run) -> Option<f64>,
}

/// The runs of a cell that a metric is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// Those without probes.
    Bare,
    /// Those with probes.
    Observed,
    /// Those without probes if there are any, else those with.
    Any,
}

impl Runs {
    /// The runs.
    pub fn choose(self, cell: &Cell) -> &[Run] {
        match self {
            Runs::Bare => &cell.bare,
            Runs::Any if !cell.bare.is_empty() => &cell.bare,
            Runs::Observed | Runs::Any => &cell.observed,
        }
    }
}

/// From exec to the end of the process, without probes.
pub const TOTAL: Metric = metric("total", "total", Unit::Time, Runs::Bare, |run| {
    real(run.total)
});
/// The same with probes.
pub const OBSERVED: Metric = metric(
    "total_observed",
    "total with probes",
    Unit::Time,
    Runs::Observed,
    |run| real(run.total),
);
/// From exec to the guest's entry.
pub const STARTUP: Metric = metric("startup", "startup", Unit::Time, Runs::Observed, |run| {
    real(run.startup)
});
/// The time in WASI calls.
pub const WASI: Metric = metric("wasi", "WASI time", Unit::Time, Runs::Observed, |run| {
    Some(run.wasi() as f64)
});
/// Of that, the time in system calls.
pub const SYSCALL_TIME: Metric = metric(
    "syscall_time",
    "system call time",
    Unit::Time,
    Runs::Observed,
    |run| Some(run.syscall_time() as f64),
);
/// WASI time without system calls: the runtime's own share.
pub const OWN: Metric = metric("own", "own time", Unit::Time, Runs::Observed, |run| {
    Some(run.wasi().saturating_sub(run.syscall_time()) as f64)
});
/// What is neither startup nor WASI.
pub const GUEST: Metric = metric("guest", "guest", Unit::Time, Runs::Observed, |run| {
    let rest = run.total?.saturating_sub(run.startup?);
    Some(rest.saturating_sub(run.wasi()) as f64)
});
/// WASI calls that completed.
pub const CALLS: Metric = metric("calls", "calls", Unit::Count, Runs::Observed, |run| {
    Some(run.calls() as f64)
});
/// System calls in a WASI call.
pub const SYSCALLS_PER_CALL: Metric = metric(
    "syscalls_per_call",
    "system calls per call",
    Unit::Count,
    Runs::Observed,
    |run| per(run.syscalls(), run.calls()),
);
/// Bytes that the calls moved.
pub const BYTES: Metric = metric("bytes", "bytes", Unit::Bytes, Runs::Observed, |run| {
    real(run.bytes())
});
/// The most memory that was resident.
pub const PEAK_MEMORY: Metric = metric(
    "peak_memory",
    "peak memory",
    Unit::Bytes,
    Runs::Any,
    |run| real(run.peak_memory),
);

/// All of them, in the order in which they are shown.
pub const METRICS: [Metric; 11] = [
    TOTAL,
    OBSERVED,
    STARTUP,
    WASI,
    SYSCALL_TIME,
    OWN,
    GUEST,
    CALLS,
    SYSCALLS_PER_CALL,
    BYTES,
    PEAK_MEMORY,
];

/// The name of the time that a call of a function takes, in CSV and on the command line.
pub const TIME_PER_CALL: &str = "time_per_call";

const fn metric(
    name: &'static str,
    title: &'static str,
    unit: Unit,
    of_runs: Runs,
    value: fn(&Run) -> Option<f64>,
) -> Metric {
    Metric {
        name,
        title,
        unit,
        of_runs,
        value,
    }
}

fn real(value: Option<u64>) -> Option<f64> {
    value.map(|value| value as f64)
}

/// So much for each one; none if there is none.
pub fn per(amount: u64, count: u64) -> Option<f64> {
    (count > 0).then(|| amount as f64 / count as f64)
}

/// The time that a call of a function takes.
pub fn time_per_call(function: &Function) -> Option<f64> {
    per(function.duration, function.calls)
}
