//! What can go wrong in a run.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use crate::engine::command::Refused;
use crate::engine::feature::Feature;
use crate::engine::privileges::Missing;
use crate::engine::{load, raw};

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A defect of the compiler, or too large a script.
    #[error(transparent)]
    Compile(#[from] ewapa_codegen::Error),
    /// The kernel does not take what was compiled.
    #[error(transparent)]
    Load(#[from] load::Error),
    /// A map could not be read or written.
    #[error("cannot use a map in the kernel: {0}")]
    Map(#[from] aya::maps::MapError),
    /// The kernel has no BTF.
    #[error(
        "the kernel does not tell the layout of its structures: it has no BTF (/sys/kernel/btf/vmlinux); `ewapa doctor` says more"
    )]
    NoBtf,
    /// The kernel's BTF cannot be read.
    #[error(
        "cannot read the layout of the kernel's structures (/sys/kernel/btf/vmlinux): there is no memory for it, or too few files may be open (`ulimit -n`)"
    )]
    UnreadBtf,
    /// Processes cannot be looked into.
    #[error("/proc does not show this process; as root: `mount -t proc proc /proc`")]
    NoProc,
    /// The kernel lacks what the script needs.
    #[error(
        "this script needs what this kernel lacks: {} (Linux {}); `ewapa doctor` says more",
        .0.describe().0, .0.describe().1
    )]
    Lacks(Feature),
    /// The kernel has no loops that end by themselves.
    #[error(
        "this script has a loop, or looks for a text in another one, and this kernel ends no loop by itself: \
         it needs `may_goto` (Linux 6.9); the start of texts is compared with `strncmp()`, and without it"
    )]
    NoLoops,
    /// Capabilities are missing.
    #[error(
        "{0}: run ewapa as root (sudo ewapa …), or give it these rights (SECURITY.md says how); `ewapa doctor` says more"
    )]
    Missing(Missing),
    /// The kernel takes no probe program, though the capabilities are held.
    #[error(
        "the kernel takes no eBPF programs at probes, though CAP_BPF and CAP_PERFMON are held: in a container they have to be those of the host, and a kernel that is locked down takes none; `ewapa doctor` says more"
    )]
    NoRights,
    /// The command cannot have the user's rights.
    #[error("cannot become the user of the command: {0}")]
    User(#[source] io::Error),
    /// The command cannot be run.
    #[error("cannot run `{command}`: {source}")]
    Command {
        /// Its name.
        command: String,
        /// Why.
        source: io::Error,
    },
    /// Processes have other numbers here than the kernel tells.
    #[error(
        "ewapa runs in a PID namespace of its own, as that of a container, where processes have other numbers than the kernel tells; run it outside, or in a container with the machine's namespace (`--pid=host`)"
    )]
    PidNamespace,
    /// There is no such process.
    #[error("there is no process {0}")]
    NoProcess(u32),
    /// It is a thread.
    #[error("{thread} is a thread of process {process}; give the process: `-p {process}`")]
    Thread {
        /// What was given.
        thread: u32,
        /// What it belongs to.
        process: u32,
    },
    /// A process has no runtime.
    #[error("no WebAssembly runtime was found in process {pid} ({name}); ewapa knows {known}")]
    NoRuntime {
        /// The process.
        pid: u32,
        /// The name of its executable.
        name: String,
        /// The runtimes of the catalogue.
        known: String,
    },
    /// A runtime was found, and could not be attached to.
    #[error("{0}")]
    Unattached(String),
    /// A runtime has no symbols.
    #[error("{path}: {what}")]
    Stripped {
        /// The file.
        path: PathBuf,
        /// What it looks like, and what to do.
        what: String,
    },
    /// A raw probe names something that is not there, or cannot be attached.
    #[error(transparent)]
    Raw(#[from] raw::Error),
    /// What the script says cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[source] io::Error),
    /// The kernel refuses something simple.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
}

/// The failure of something simple.
pub(super) fn io_error(what: &str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io {
        what: what.to_owned(),
        source,
    }
}

/// The failure of a child to become the command.
pub(super) fn refused(command: &[OsString]) -> impl FnOnce(Refused) -> Error {
    let failed = command_error(command);
    move |refused| match refused {
        Refused::User(source) => Error::User(source),
        Refused::Command(source) => failed(source),
    }
}

/// The failure of a command to start.
pub(super) fn command_error(command: &[OsString]) -> impl FnOnce(io::Error) -> Error {
    let command = command
        .first()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    move |source| Error::Command { command, source }
}
