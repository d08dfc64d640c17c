//! Rights: what tracing needs of them, what is given up once it has begun, and with whose rights the rest is done.
//!
//! The command, files that a script shows, commands that it runs and the output file belong to the user who called
//! ewapa, also where `sudo` has made that root ([`user`]). ewapa itself keeps [`kept`] and gives up the rest
//! before it starts a thread: none has more when anything traced runs, but for the gate's, which marks new filesystems.

mod capability;
mod need;
pub mod user;

pub use capability::{Capability, Set, limit, no_new_privileges};
pub use need::{Missing, of_machine, of_process, of_run};

use std::io;

/// Has this thread, and those that it starts from now on, do without all capabilities but these. With `for_good`
/// no program that it executes has more either, whatever the file says and whoever runs it.
///
/// # Errors
/// The kernel refuses.
pub fn keep_only(keep: Set, for_good: bool) -> io::Result<()> {
    if for_good {
        no_new_privileges()?;
    }
    limit(Set::held()?.and(keep))
}

/// What a run keeps of what it holds: what it needs to attach to runtimes that come later, to look into their processes and to let
/// them go on. Without the newer capabilities CAP_SYS_ADMIN stands for them.
pub fn kept(held: Set, becomes_others: bool, by_perf_events: bool) -> Set {
    let mut keep = Set::of(&[
        Capability::Bpf,
        Capability::Perfmon,
        Capability::CheckpointRestore,
        Capability::SysPtrace,
        Capability::DacReadSearch,
        Capability::Kill,
        Capability::Lease,
        Capability::Syslog,
    ]);
    if becomes_others {
        keep = keep.or(Set::of(&[Capability::SetUid, Capability::SetGid]));
    }
    let stands_in = [
        Capability::Bpf,
        Capability::Perfmon,
        Capability::CheckpointRestore,
    ];
    // The kernel tells of loaded programs, which Aya asks for, to CAP_SYS_ADMIN alone.
    if by_perf_events || stands_in.iter().any(|needed| !held.has(*needed)) {
        keep = keep.or(Set::of(&[Capability::SysAdmin]));
    }
    held.and(keep)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_keeps_is_not_what_makes_root() {
        let all = Set::all();
        let keep = kept(all, false, false);
        for given_up in [Capability::SysAdmin, Capability::SetUid, Capability::SetGid] {
            assert!(!keep.has(given_up), "{given_up}");
        }
        assert!(kept(all, true, false).has(Capability::SetUid));
        assert!(kept(all, false, true).has(Capability::SysAdmin));
    }

    #[test]
    fn who_has_no_newer_capability_keeps_the_older_one() {
        let old = Set::of(&[Capability::SysAdmin]);
        assert!(kept(old, false, false).has(Capability::SysAdmin));
    }
}
