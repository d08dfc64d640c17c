//! What of a function is more than with others, each by itself, and the bundled script that shows more of it.

use std::collections::BTreeSet;

use crate::bench::result::Function;
use crate::report::metric::per;
use crate::report::show::{self, Unit};
use crate::report::stats::sample::Sample;
use crate::report::study::Cell;

use super::Sign;

/// How much more a call of a function takes than with the others, by the medians of runs and of runtimes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence {
    /// The runtime's own time, in nanoseconds.
    own: f64,
    /// Time in system calls, in nanoseconds.
    in_kernel: f64,
    /// Threads that are woken.
    hops: f64,
    /// System calls by name, the most first.
    syscalls: Vec<(String, f64)>,
    /// How many writes of nothing a run makes.
    empty: f64,
}

/// Of a system call at least so many more a call are named.
const FEW: f64 = 0.05;

/// How many system calls are named.
const NAMED: usize = 4;

/// System calls that force data to disk, as `unasked_syncs` has them.
const SYNCS: [&str; 6] = [
    "fsync",
    "fdatasync",
    "sync",
    "syncfs",
    "sync_file_range",
    "msync",
];

/// System calls by which memory is had, as `allocations` has them.
const MEMORY: [&str; 5] = ["mmap", "mremap", "munmap", "brk", "madvise"];

/// System calls that look up a path or what is there, as `stat_storms` has them.
const LOOKUPS: [&str; 14] = [
    "open",
    "openat",
    "openat2",
    "stat",
    "lstat",
    "newfstatat",
    "statx",
    "readlink",
    "readlinkat",
    "access",
    "faccessat",
    "faccessat2",
    "fstat",
    "close",
];

/// System calls that write.
const WRITES: [&str; 5] = ["write", "writev", "pwrite64", "pwritev", "pwritev2"];

/// For functions, the system calls that do their work, which `redundant_syscalls` leaves out.
const WORK: [(&[&str], &[&str]); 11] = [
    (&["fd_write", "fd_pwrite"], &WRITES),
    (
        &["fd_read", "fd_pread"],
        &["read", "readv", "pread64", "preadv", "preadv2"],
    ),
    (&["path_open"], &["openat", "openat2"]),
    (&["fd_close"], &["close"]),
    (&["fd_seek", "fd_tell"], &["lseek"]),
    (
        &["fd_filestat_get", "path_filestat_get"],
        &["fstat", "newfstatat", "statx"],
    ),
    (&["fd_fdstat_get", "fd_fdstat_set_flags"], &["fcntl"]),
    (&["clock_time_get"], &["clock_gettime"]),
    (&["clock_res_get"], &["clock_getres"]),
    (&["random_get"], &["getrandom"]),
    (
        &["path_unlink_file", "path_remove_directory"],
        &["unlinkat"],
    ),
];

impl Evidence {
    /// What the cell of a runtime has more of than those of others.
    pub fn of(func: &str, here: &Cell, others: &[&Cell]) -> Evidence {
        let more = |value: &dyn Fn(&Function) -> Option<f64>| {
            let others = others.iter().filter_map(|cell| median(cell, func, value));
            let others = Sample::new(others).median().unwrap_or(0.0);
            median(here, func, value).unwrap_or(0.0) - others
        };
        let functions = here.observed.iter().flat_map(|run| &run.functions);
        let names: BTreeSet<&String> = functions
            .filter(|function| function.func == func)
            .flat_map(|function| function.inside.keys())
            .collect();
        let mut syscalls: Vec<(String, f64)> = names
            .into_iter()
            .map(|name| {
                let each = |function: &Function| {
                    per(
                        function.inside.get(name).copied().unwrap_or(0),
                        function.calls,
                    )
                };
                (name.clone(), more(&each))
            })
            .filter(|(_, more)| *more >= FEW)
            .collect();
        syscalls.sort_by(|one, other| other.1.total_cmp(&one.1));
        let empty = median(here, func, &|function| Some(function.empty as f64));
        Evidence {
            own: more(&|function| {
                let own = function.duration.saturating_sub(function.syscall_time);
                per(own, function.calls)
            }),
            in_kernel: more(&|function| per(function.syscall_time, function.calls)),
            hops: more(&|function| per(function.thread_hops?, function.calls)),
            syscalls,
            empty: empty.unwrap_or(0.0),
        }
    }

    /// What speaks for this sign, in few words.
    pub fn show(&self, sign: Sign) -> String {
        let syscalls = self.syscalls.iter().take(NAMED);
        let mut parts: Vec<String> = syscalls
            .map(|(name, more)| format!("{name} +{}", show::value(*more, Unit::Count)))
            .collect();
        match sign {
            Sign::EmptyWrites => {
                let writes = show::value(self.empty, Unit::Count);
                return format!("{writes} writes of nothing a run");
            }
            Sign::TimePerCall | Sign::Growth | Sign::OwnShare => {
                parts.truncate(1);
                let times = [("own", self.own), ("system calls", self.in_kernel)];
                let times = times.map(|(name, more)| {
                    let sign = if more < 0.0 { "-" } else { "+" };
                    format!("{name} {sign}{}", show::value(more.abs(), Unit::Time))
                });
                parts.splice(0..0, times);
            }
            Sign::SyscallsPerCall | Sign::ThreadHops | Sign::ExtraBytes => {}
        }
        if self.hops >= FEW && sign != Sign::ThreadHops {
            parts.push(format!("hops +{}", show::value(self.hops, Unit::Count)));
        }
        parts.join("; ")
    }

    /// The bundled script that shows more of a departure.
    pub fn script(&self, sign: Sign, func: &str) -> &'static str {
        match sign {
            Sign::EmptyWrites => "empty_writes",
            Sign::ThreadHops => "handoff",
            _ if self.forces_to_disk(func) => "unasked_syncs",
            _ if func == "fd_readdir" => "slow_readdir",
            Sign::ExtraBytes => "syscalls_per_call",
            Sign::SyscallsPerCall => self.script_of_syscalls(func),
            // Who waits for another thread takes time that is nobody's work.
            Sign::TimePerCall | Sign::Growth | Sign::OwnShare if self.hops >= FEW => "handoff",
            Sign::OwnShare => "allocations",
            Sign::TimePerCall | Sign::Growth if self.own >= self.in_kernel => "allocations",
            Sign::TimePerCall | Sign::Growth if !self.syscalls.is_empty() => {
                self.script_of_syscalls(func)
            }
            Sign::TimePerCall | Sign::Growth if func == "fd_write" => "fd_write_latency",
            Sign::TimePerCall | Sign::Growth => "syscalls_inside",
        }
    }

    fn forces_to_disk(&self, func: &str) -> bool {
        let is_asked = func == "fd_sync" || func == "fd_datasync";
        let mut names = self.syscalls.iter().map(|(name, _)| name.as_str());
        !is_asked && names.any(|name| SYNCS.contains(&name))
    }

    fn script_of_syscalls(&self, func: &str) -> &'static str {
        let Some((most, _)) = self.syscalls.first() else {
            return "syscalls_inside";
        };
        let most = most.as_str();
        let is_of_paths = func == "path_open" || func == "path_filestat_get";
        let is_write = func == "fd_write" || func == "fd_pwrite";
        let works = |(funcs, syscalls): &(&[&str], &[&str])| {
            funcs.contains(&func) && syscalls.contains(&most)
        };
        if self.hops >= FEW && most == "futex" {
            "handoff"
        } else if MEMORY.contains(&most) {
            "allocations"
        } else if is_of_paths && LOOKUPS.contains(&most) {
            "stat_storms"
        } else if is_write && WRITES.contains(&most) {
            "small_writes"
        } else if WORK.iter().any(works) {
            // More of what has to be done at least once.
            "syscalls_inside"
        } else {
            "redundant_syscalls"
        }
    }
}

/// The median over a cell's runs of what a function has.
fn median(cell: &Cell, func: &str, value: &dyn Fn(&Function) -> Option<f64>) -> Option<f64> {
    let functions = cell.observed.iter().flat_map(|run| &run.functions);
    let of_function = functions.filter(|function| function.func == func);
    Sample::new(of_function.filter_map(value)).median()
}

#[cfg(test)]
mod tests {
    use super::super::sign::OF_RUNS;
    use super::*;
    use crate::bundled;

    fn with(syscalls: &[(&str, f64)]) -> Evidence {
        let syscalls = syscalls.iter();
        Evidence {
            syscalls: syscalls
                .map(|(name, more)| ((*name).to_owned(), *more))
                .collect(),
            ..Evidence::default()
        }
    }

    #[test]
    fn each_cause_has_its_script() {
        let handed_over = Evidence {
            hops: 1.0,
            ..with(&[("futex", 3.0)])
        };
        for (sign, func, evidence, script) in [
            (Sign::SyscallsPerCall, "fd_write", handed_over, "handoff"),
            (
                Sign::SyscallsPerCall,
                "path_open",
                with(&[("newfstatat", 2.0), ("fcntl", 1.0)]),
                "stat_storms",
            ),
            (
                Sign::SyscallsPerCall,
                "fd_write",
                with(&[("write", 30.0)]),
                "small_writes",
            ),
            (
                Sign::SyscallsPerCall,
                "fd_write",
                with(&[("fcntl", 2.0), ("fsync", 1.0)]),
                "unasked_syncs",
            ),
            (
                Sign::SyscallsPerCall,
                "fd_sync",
                with(&[("fsync", 1.0)]),
                "redundant_syscalls",
            ),
            (
                Sign::TimePerCall,
                "fd_close",
                with(&[("fsync", 1.0)]),
                "unasked_syncs",
            ),
            (
                Sign::SyscallsPerCall,
                "fd_write",
                with(&[("mmap", 1.0), ("munmap", 1.0)]),
                "allocations",
            ),
            (
                Sign::SyscallsPerCall,
                "fd_fdstat_get",
                with(&[("fstat", 1.0)]),
                "redundant_syscalls",
            ),
            (
                Sign::SyscallsPerCall,
                "fd_read",
                with(&[("read", 3.0)]),
                "syscalls_inside",
            ),
            (
                Sign::Growth,
                "fd_readdir",
                Evidence::default(),
                "slow_readdir",
            ),
        ] {
            assert_eq!(evidence.script(sign, func), script, "{func} {evidence:?}");
        }
        let time = |own, in_kernel, hops| Evidence {
            own,
            in_kernel,
            hops,
            ..Evidence::default()
        };
        let script = |evidence: Evidence| evidence.script(Sign::TimePerCall, "fd_write");
        assert_eq!(script(time(900.0, 100.0, 0.0)), "allocations");
        assert_eq!(script(time(900.0, 100.0, 1.0)), "handoff");
        assert_eq!(script(time(100.0, 900.0, 0.0)), "fd_write_latency");
    }

    #[test]
    fn every_script_to_run_next_is_bundled() {
        for sign in OF_RUNS.into_iter().chain([Sign::Growth]) {
            for func in ["fd_write", "fd_readdir", "path_open", "fd_seek"] {
                for evidence in [Evidence::default(), with(&[("fsync", 1.0)])] {
                    let script = evidence.script(sign, func);
                    assert!(bundled::script(script).is_some(), "{sign:?}");
                }
            }
        }
    }

    #[test]
    fn the_scripts_look_at_the_system_calls_that_they_are_named_for() {
        let text = |name| bundled::script(name).unwrap();
        let has = |name, syscall: &str| {
            let mut words = text(name).split(|next: char| !next.is_alphanumeric() && next != '_');
            words.any(|word| word == syscall)
        };
        for (script, syscalls) in [
            ("unasked_syncs", &SYNCS[..]),
            ("allocations", &MEMORY),
            ("stat_storms", &LOOKUPS),
        ] {
            for syscall in syscalls {
                assert!(has(script, syscall), "{script} {syscall}");
            }
        }
        for name in WORK
            .iter()
            .flat_map(|(one, other)| one.iter().chain(*other))
        {
            assert!(has("redundant_syscalls", name), "{name}");
        }
    }

    #[test]
    fn evidence_is_shown_with_what_is_most_first() {
        let evidence = Evidence {
            own: 4100.0,
            in_kernel: -200.0,
            hops: 1.0,
            ..with(&[("fstat", 2.0), ("fcntl", 1.0)])
        };
        assert_eq!(
            evidence.show(Sign::SyscallsPerCall),
            "fstat +2; fcntl +1; hops +1"
        );
        assert_eq!(
            evidence.show(Sign::TimePerCall),
            "own +4.10 us; system calls -200 ns; fstat +2; hops +1"
        );
    }
}
