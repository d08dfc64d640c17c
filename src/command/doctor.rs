//! `ewapa doctor`: what this kernel and these rights allow, and what to do about the rest.

use std::path::Path;
use std::process::ExitCode;

use clap::ValueEnum;
use ewapa_symbols::Catalogue;

use crate::catalogue;
use crate::engine::attach::{Mechanism, is_supported};
use crate::engine::feature::Feature;
use crate::engine::kernel;
use crate::engine::privileges::{self, Capability, Set};
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
    let mut checks = vec![kernel_version(), rights(), btf(), probes(), tracepoints()];
    checks.extend(Feature::value_variants().iter().copied().map(feature));
    checks.push(runtimes());
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
    let held = Set::held().unwrap_or_default();
    let state = match privileges::of_run(held, true, false) {
        Some(missing) => State::Bad(format!(
            "{missing}: run as root (sudo ewapa …), or see SECURITY.md"
        )),
        None => {
            let lacks: Vec<String> = BESIDE
                .into_iter()
                .filter(|(capability, _)| !held.has(*capability))
                .map(|(capability, what)| format!("{what} ({capability})"))
                .collect();
            if lacks.is_empty() {
                State::Good("commands, processes of everyone, the whole machine".to_owned())
            } else {
                State::Fair(format!(
                    "commands and your own processes; not: {}",
                    lacks.join(", ")
                ))
            }
        }
    };
    Check {
        what: "rights",
        state,
    }
}

/// What else there are rights for.
const BESIDE: [(Capability, &str); 5] = [
    (Capability::SysPtrace, "processes of others"),
    (Capability::Kill, "programs that become another user's"),
    (Capability::DacReadSearch, "tracepoints, files of others"),
    (Capability::SysAdmin, "holding new programs of the machine"),
    (Capability::Syslog, "names of kernel functions"),
];

fn btf() -> Check {
    let state = match kernel::offsets() {
        Some(_) => State::Good("/sys/kernel/btf/vmlinux".to_owned()),
        None if Path::new("/sys/kernel/btf/vmlinux").exists() => State::Bad("/sys/kernel/btf/vmlinux cannot be read: run as root".to_owned()),
        None => State::Bad("no /sys/kernel/btf/vmlinux: use a kernel built with CONFIG_DEBUG_INFO_BTF (all large distributions have it)".to_owned()),
    };
    Check { what: "BTF", state }
}

fn probes() -> Check {
    let state = if is_supported(Mechanism::Perf) {
        State::Good("the kernel takes programs for user functions".to_owned())
    } else {
        State::Bad("the kernel takes no probe program: see `rights`, or a kernel with CONFIG_UPROBES and CONFIG_BPF_EVENTS".to_owned())
    };
    Check {
        what: "user probes",
        state,
    }
}

/// What newer kernels have, and what is lost where this one does not.
fn feature(feature: Feature) -> Check {
    let (what, since) = feature.describe();
    let state = if feature.is_there() {
        State::Good(what.to_owned())
    } else {
        State::Fair(format!(
            "not there: {what} (Linux {since}); {}",
            feature.without()
        ))
    };
    Check {
        what: feature.name(),
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

fn runtimes() -> Check {
    let catalogue = Catalogue::in_use();
    let names = catalogue.names().into_iter().enumerate();
    let names = names.map(|(runtime, name)| match catalogue.is_unverified(runtime) {
        true => format!("{name} (not verified)"),
        false => name.to_owned(),
    });
    Check {
        what: "runtimes",
        state: State::Good(names.collect::<Vec<_>>().join(", ")),
    }
}
