//! `ewapa doctor`: what this kernel and these rights allow, and what to do about the rest.

use std::path::Path;
use std::process::ExitCode;

use ewapa_symbols::Catalogue;

use crate::catalogue;
use crate::engine::attach::{Mechanism, is_supported};
use crate::engine::kernel;
use crate::failure::{Failure, Kind};
use crate::stdout;

/// The arguments of the subcommand.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    catalogue: catalogue::Folders,
}

/// One check.
struct Check {
    what: &'static str,
    state: State,
}

enum State {
    Good(String),
    /// Slower or less, but it works.
    Fair(String),
    Bad(String),
}

/// Prints each check.
///
/// # Errors
/// Something that is needed is missing.
pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    args.catalogue.load()?;
    let checks = [
        kernel_version(),
        rights(),
        btf(),
        probes(),
        tracepoints(),
        task_storage(),
        runtimes(),
    ];
    let width = checks
        .iter()
        .map(|check| check.what.len())
        .max()
        .unwrap_or(0);
    let mut bad = 0;
    for Check { what, state } in &checks {
        let (mark, text) = match state {
            State::Good(text) => ("ok", text),
            State::Fair(text) => ("!", text),
            State::Bad(text) => {
                bad += 1;
                ("no", text)
            }
        };
        stdout::print(&format!("{mark:2}  {what:width$}  {text}\n"))?;
    }
    if bad > 0 {
        return Err(Failure::new(
            Kind::Kernel,
            format!(
                "{bad} of {} checks failed: scripts cannot run here",
                checks.len()
            ),
        ));
    }
    stdout::print("scripts can run here: try `ewapa demo`\n")?;
    Ok(ExitCode::SUCCESS)
}

fn kernel_version() -> Check {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    Check {
        what: "kernel",
        state: State::Good(format!("{} {}", release.trim(), std::env::consts::ARCH)),
    }
}

fn rights() -> Check {
    let state = match effective_capabilities() {
        Some(held) => {
            // include/uapi/linux/capability.h
            let missing: Vec<&str> = [(39, "CAP_BPF"), (38, "CAP_PERFMON"), (21, "CAP_SYS_ADMIN")]
                .into_iter()
                .filter(|(bit, _)| held >> bit & 1 == 0)
                .map(|(_, name)| name)
                .collect();
            if missing.is_empty() {
                State::Good("CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN are held".to_owned())
            } else {
                State::Bad(format!(
                    "{} not held: run as root (sudo ewapa …)",
                    missing.join(", ")
                ))
            }
        }
        None => State::Bad(
            "cannot read /proc/self/status: mount proc (mount -t proc proc /proc)".to_owned(),
        ),
    };
    Check {
        what: "rights",
        state,
    }
}

fn effective_capabilities() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

fn btf() -> Check {
    let state = match kernel::offsets() {
        Some(_) => State::Good("/sys/kernel/btf/vmlinux".to_owned()),
        None if Path::new("/sys/kernel/btf/vmlinux").exists() => State::Bad("/sys/kernel/btf/vmlinux cannot be read: run as root".to_owned()),
        None => State::Bad("no /sys/kernel/btf/vmlinux: use a kernel built with CONFIG_DEBUG_INFO_BTF (all large distributions have it)".to_owned()),
    };
    Check { what: "BTF", state }
}

fn probes() -> Check {
    let state = match Mechanism::ALL.into_iter().find(|mechanism| is_supported(*mechanism)) {
        Some(Mechanism::Session) => State::Good("session links: one probe for entry and return (Linux 6.13)".to_owned()),
        Some(Mechanism::Multi) => State::Fair("multi links: all functions at once; sessions, which are faster, need Linux 6.13".to_owned()),
        Some(Mechanism::Perf) => State::Fair("perf events: slow to attach and to detach; multi links need Linux 6.6".to_owned()),
        None => State::Bad("the kernel takes no probe program: see `rights`, or a kernel with CONFIG_UPROBES and CONFIG_BPF_EVENTS".to_owned()),
    };
    Check {
        what: "user probes",
        state,
    }
}

fn tracepoints() -> Check {
    use libbpf_sys as bpf;
    // SAFETY: a feature probe of libbpf without arguments that live on.
    let supported = unsafe {
        bpf::libbpf_probe_bpf_prog_type(bpf::BPF_PROG_TYPE_RAW_TRACEPOINT, std::ptr::null())
    } == 1;
    let state = if supported {
        State::Good("raw tracepoints for system calls and processes".to_owned())
    } else {
        State::Bad("no raw tracepoints: see `rights`; Linux 4.17 has them".to_owned())
    };
    Check {
        what: "tracepoints",
        state,
    }
}

fn task_storage() -> Check {
    use libbpf_sys as bpf;
    // SAFETY: a feature probe of libbpf without arguments that live on.
    let supported =
        unsafe { bpf::libbpf_probe_bpf_map_type(bpf::BPF_MAP_TYPE_TASK_STORAGE, std::ptr::null()) }
            == 1;
    let state = if supported {
        State::Good("task storage for open calls".to_owned())
    } else {
        State::Bad("no task storage: see `rights`; Linux 5.11 has it".to_owned())
    };
    Check {
        what: "threads",
        state,
    }
}

fn runtimes() -> Check {
    Check {
        what: "runtimes",
        state: State::Good(Catalogue::in_use().names().join(", ")),
    }
}
