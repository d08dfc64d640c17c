//! Probes on what a traced process does outside of WASI: system calls and phases.

use crate::ast::{Name, Probe};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::linux;
use crate::plan::{Phase, Syscalls};

use super::Checker;
use super::glob;
use super::name::did_you_mean;

impl Checker<'_> {
    /// The system calls that a `syscall:` probe stands for.
    pub(super) fn syscalls(&mut self, probe: &Probe) -> Option<Syscalls> {
        let name = self.only_part(
            probe,
            "write `syscall:write`, `syscall:{read,write}` or `syscall:*`; the event is the call that has completed",
        )?;
        if name.text == "*" {
            return Some(Syscalls::All);
        }
        let mut numbers = Vec::new();
        let mut all_match = true;
        for part in self.parts(name)? {
            let before = numbers.len();
            let matching = linux::syscalls().filter(|(_, name)| glob::matches(&part, name));
            numbers.extend(matching.map(|(number, _)| number));
            if numbers.len() == before {
                all_match = false;
                let error = no_syscall(probe, &part);
                self.errors.push(error);
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        all_match.then_some(Syscalls::Numbers(numbers))
    }

    /// The phases that a `phase:` probe stands for.
    pub(super) fn phases(&mut self, probe: &Probe) -> Option<Vec<Phase>> {
        let name = self.only_part(probe, "write `phase:start` or `phase:*`")?;
        let mut phases = Vec::new();
        for part in self.parts(name)? {
            let before = phases.len();
            let matching = Phase::ALL
                .into_iter()
                .filter(|phase| glob::matches(&part, phase.name()));
            phases.extend(matching);
            if phases.len() == before {
                let names = Phase::ALL.map(Phase::name);
                let message = format!("no phase is called `{part}`");
                let error = Diagnostic::new(Code::UnknownPhase, probe.span, message);
                let error = did_you_mean(error, &part, names)
                    .help(format!("the phases are {}", names.join(", ")));
                self.errors.push(error);
                return None;
            }
        }
        phases.sort_unstable();
        phases.dedup();
        Some(phases)
    }

    fn only_part<'p>(&mut self, probe: &'p Probe, help: &str) -> Option<&'p Name> {
        if let [name] = probe.segments.as_slice() {
            return Some(name);
        }
        let message = if probe.segments.is_empty() {
            format!("`{}` does not say which", probe.kind.text)
        } else {
            format!("`{}` has one part", probe.kind.text)
        };
        self.errors
            .push(Diagnostic::new(Code::BadProbe, probe.span, message).help(help));
        None
    }
}

fn no_syscall(probe: &Probe, name: &str) -> Diagnostic {
    let (code, message) = if glob::is_glob(name) {
        (Code::EmptyGlob, format!("no system call matches `{name}`"))
    } else {
        let message = format!("no system call is called `{name}`");
        (Code::UnknownSyscall, message)
    };
    let error = Diagnostic::new(code, probe.span, message);
    match linux::nearest_syscall(name) {
        Some(near) if code == Code::UnknownSyscall => {
            error.label(format!("did you mean `syscall:{near}`?"))
        }
        _ => error.help("system calls are called as in man 2 syscalls: `syscall:openat`"),
    }
}
