//! The ways in which a function can depart.

use crate::bench::result::Function;
use crate::report::metric::{per, time_per_call};
use crate::report::show::{self, Unit};

/// In what a function departs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// A call takes longer.
    TimePerCall,
    /// The time in the function grows faster with the scale.
    Growth,
    /// A call makes more system calls.
    SyscallsPerCall,
    /// A write of nothing makes system calls.
    EmptyWrites,
    /// Other threads are woken within a call.
    ThreadHops,
    /// More of a call's time is the runtime's own.
    OwnShare,
    /// The system calls move more bytes than the call.
    ExtraBytes,
}

/// All of them that are compared run by run.
pub const OF_RUNS: [Sign; 6] = [
    Sign::TimePerCall,
    Sign::SyscallsPerCall,
    Sign::EmptyWrites,
    Sign::ThreadHops,
    Sign::OwnShare,
    Sign::ExtraBytes,
];

impl Sign {
    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Sign::TimePerCall => "time per call",
            Sign::Growth => "growth with scale",
            Sign::SyscallsPerCall => "system calls per call",
            Sign::EmptyWrites => "system calls per empty write",
            Sign::ThreadHops => "thread hops per call",
            Sign::OwnShare => "share of own time",
            Sign::ExtraBytes => "kernel bytes per byte",
        }
    }

    /// Its name in CSV.
    pub fn name(self) -> &'static str {
        match self {
            Sign::TimePerCall => "time_per_call",
            Sign::Growth => "growth",
            Sign::SyscallsPerCall => "syscalls_per_call",
            Sign::EmptyWrites => "syscalls_per_empty_write",
            Sign::ThreadHops => "thread_hops_per_call",
            Sign::OwnShare => "own_share",
            Sign::ExtraBytes => "syscall_bytes_per_byte",
        }
    }

    /// The number of a function in a run; none where there is none, and for growth, which no run has alone.
    pub fn value(self) -> fn(&Function) -> Option<f64> {
        match self {
            Sign::TimePerCall => time_per_call,
            Sign::SyscallsPerCall => |function| per(function.syscalls, function.calls),
            Sign::EmptyWrites => |function| per(function.for_empty, function.empty),
            Sign::ThreadHops => |function| per(function.thread_hops?, function.calls),
            Sign::OwnShare => {
                |function| Some(1.0 - per(function.syscall_time, function.duration)?.min(1.0))
            }
            Sign::ExtraBytes => |function| per(function.syscall_bytes, function.bytes?),
            Sign::Growth => |_| None,
        }
    }

    /// Whether the runtime's number is so much above the others' that it matters.
    pub fn matters(self, here: f64, others: f64) -> bool {
        let more = here - others;
        match self {
            Sign::TimePerCall => here >= 1.5 * others,
            Sign::Growth => more >= 0.25,
            Sign::SyscallsPerCall => more >= 0.1 && here >= 1.25 * others,
            Sign::EmptyWrites | Sign::ThreadHops | Sign::ExtraBytes => more >= 0.1,
            Sign::OwnShare => more >= 0.2,
        }
    }

    /// Whether it is about time, so that it matters only where it costs some.
    pub fn is_of_time(self) -> bool {
        matches!(self, Sign::TimePerCall | Sign::Growth | Sign::OwnShare)
    }

    /// How many of the other runtimes have to have less. What is counted has no noise, and what some do without can be
    /// done without; of times it has to be the half.
    pub fn enough(self, others: usize) -> usize {
        match self.is_of_time() {
            true => others.div_ceil(2),
            false => (others / 2).max(1).min(others),
        }
    }

    /// A number of it as text.
    pub fn show(self, value: f64) -> String {
        match self {
            Sign::TimePerCall => show::value(value, Unit::Time),
            Sign::OwnShare => show::value(value, Unit::Share),
            Sign::Growth => format!("^{value:.2}"),
            Sign::SyscallsPerCall | Sign::EmptyWrites | Sign::ThreadHops | Sign::ExtraBytes => {
                show::value(value, Unit::Count)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_matters_and_less_does_not() {
        for sign in OF_RUNS.into_iter().chain([Sign::Growth]) {
            assert!(sign.matters(1.0, 0.0), "{sign:?}");
            assert!(!sign.matters(1.0, 1.0), "{sign:?}");
            assert!(!sign.matters(0.5, 1.0), "{sign:?}");
        }
    }
}
