//! What a run needs of rights, and how it is told what it lacks.

use std::fmt;
use std::io;

use super::capability::{Capability, Set};

/// Rights that are not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    capabilities: Vec<Capability>,
    what: String,
}

impl Missing {
    /// None if all of these are held, or CAP_SYS_ADMIN, which stands for those that came later.
    fn of(needed: &[Capability], held: Set, what: impl FnOnce() -> String) -> Option<Missing> {
        let stands_in = |capability| {
            matches!(
                capability,
                Capability::Bpf | Capability::Perfmon | Capability::CheckpointRestore
            ) && held.has(Capability::SysAdmin)
        };
        let capabilities: Vec<Capability> = needed
            .iter()
            .copied()
            .filter(|capability| !held.has(*capability) && !stands_in(*capability))
            .collect();
        (!capabilities.is_empty()).then(|| Missing {
            capabilities,
            what: what(),
        })
    }
}

/// `no CAP_BPF and no CAP_PERFMON, and so no right to ...`
impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, capability) in self.capabilities.iter().enumerate() {
            let join = match index {
                0 => "",
                last if last + 1 == self.capabilities.len() => " and ",
                _ => ", ",
            };
            write!(f, "{join}{capability}")?;
        }
        let verb = if self.capabilities.len() == 1 {
            "is"
        } else {
            "are"
        };
        write!(f, " {verb} missing {}", self.what)
    }
}

/// What every run needs; with `follows` it attaches to runtimes in processes, by perf events or in one of the
/// faster ways.
pub fn of_run(held: Set, follows: bool, by_perf_events: bool) -> Option<Missing> {
    let mut needed = vec![Capability::Bpf, Capability::Perfmon];
    if follows {
        // proc_map_files_lookup: the files that a process has mapped are opened by it.
        needed.push(Capability::CheckpointRestore);
    }
    if by_perf_events {
        needed.push(Capability::SysAdmin);
    }
    Missing::of(&needed, held, || "to trace".to_owned())
}

/// What is needed to trace a process that runs, found by trying.
pub fn of_process(held: Set, pid: u32) -> Option<Missing> {
    let refused = |result: io::Result<()>| {
        result.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    };
    let mut needed = Vec::new();
    if refused(std::fs::read_dir(format!("/proc/{pid}/map_files")).map(drop)) {
        needed.push(Capability::SysPtrace);
    }
    // SAFETY: a system call on numbers; nothing is sent.
    if unsafe { libc::kill(pid as i32, 0) } != 0 && refused(Err(io::Error::last_os_error())) {
        needed.push(Capability::Kill);
    }
    Missing::of(&needed, held, || {
        format!("to trace process {pid}, which has other rights than you")
    })
}

/// What is needed to see the processes of everyone.
pub fn of_machine(held: Set) -> Option<Missing> {
    Missing::of(&[Capability::SysPtrace], held, || {
        "to look into processes of others: their calls are not seen".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let said = |missing: Option<Missing>| missing.map(|missing| missing.to_string());
        assert_eq!(
            said(of_run(Set::default(), true, false)).as_deref(),
            Some("CAP_BPF, CAP_PERFMON and CAP_CHECKPOINT_RESTORE are missing to trace")
        );
        let few = Set::of(&[Capability::Bpf, Capability::Perfmon]);
        assert_eq!(
            said(of_run(few, true, false)).as_deref(),
            Some("CAP_CHECKPOINT_RESTORE is missing to trace")
        );
        assert_eq!(of_run(few, false, false), None);
        assert_eq!(
            of_run(Set::of(&[Capability::SysAdmin]), true, true),
            None,
            "it stands for the newer ones"
        );
    }

    #[test]
    fn this_process_can_be_traced_by_itself() {
        assert_eq!(of_process(Set::default(), std::process::id()), None);
    }
}
