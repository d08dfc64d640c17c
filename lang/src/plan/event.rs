//! What a clause waits for.

use crate::types::Type;
use crate::wasi::FunctionSet;

use super::{Action, Expr};

/// What a clause waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A completed WASI call. One that several probes match counts once.
    Wasi(Vec<Probe>),
    /// A WASI call has begun. Only what is known then has a value.
    WasiEnter(Vec<Probe>),
    /// A system call of a traced process has completed.
    Syscall(Syscalls),
    /// A traced process has reached one of these.
    Phase(Vec<Phase>),
    /// Something outside of WASI. All of them have the same context.
    Raw(Vec<RawProbe>),
    /// Before the first call.
    Begin,
    /// After the last one.
    End,
    /// Each time that so many nanoseconds have passed.
    Interval(u64),
}

/// WASI functions that a clause listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// The functions.
    pub functions: FunctionSet,
    /// One runtime, as an index into the catalogue's names; all runtimes if there is none.
    pub runtime: Option<u8>,
}

/// System calls that a clause listens to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Syscalls {
    /// Every one.
    All,
    /// Those with these numbers.
    Numbers(Vec<u16>),
}

/// What a process reaches in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It has become a runtime, by exec.
    Exec,
    /// The guest's code begins.
    Start,
    /// The first WASI call begins.
    FirstWasi,
    /// The process has ended.
    Exit,
}

impl Phase {
    /// In the order of their numbers: the values of [`crate::types::Enumeration::Phase`].
    pub const ALL: [Phase; 4] = [Phase::Exec, Phase::Start, Phase::FirstWasi, Phase::Exit];

    /// The name in scripts.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Exec => "exec",
            Phase::Start => "start",
            Phase::FirstWasi => "first_wasi",
            Phase::Exit => "exit",
        }
    }
}

/// What the kernel attaches a raw probe to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RawProbe {
    /// A function of a file. The context is `struct pt_regs`.
    Uprobe {
        /// The file: a path, the name of a program in `PATH`, or that of a library (`libc`).
        path: String,
        /// A symbol, mangled or not, a glob of them, or an address (`0x…`).
        function: String,
        /// Bytes behind its start.
        offset: u64,
        /// At its return.
        returns: bool,
    },
    /// A static probe of a file. The context is `struct pt_regs`.
    Usdt {
        /// The file, as for [`RawProbe::Uprobe`].
        path: String,
        /// The provider; empty for any.
        provider: String,
        /// The name.
        name: String,
    },
    /// A tracepoint. The context is the record that its format describes.
    Tracepoint {
        /// The category.
        category: String,
        /// The name.
        name: String,
    },
    /// A tracepoint. The context are its arguments, a word each.
    RawTracepoint(String),
    /// A function of the kernel. The context is `struct pt_regs`.
    Kprobe {
        /// The function.
        function: String,
        /// Bytes behind its start.
        offset: u64,
        /// At its return.
        returns: bool,
    },
    /// A function of the kernel, by its types. The context are its arguments, a word each, and behind them the
    /// value that it returns.
    Fentry {
        /// The function, or a glob of them.
        function: String,
        /// At its return.
        returns: bool,
    },
    /// A clock of each CPU that runs while the CPU does something. The context is
    /// `struct bpf_perf_event_data`, which begins with `struct pt_regs`.
    Profile {
        /// Nanoseconds between two ticks.
        period: u64,
    },
}

/// Which eBPF program a raw probe runs, and so what its context is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RawKind {
    /// Functions: uprobes, usdt and kprobes.
    Function,
    /// Tracepoints.
    Tracepoint,
    /// Raw tracepoints.
    RawTracepoint,
    /// Functions of the kernel by their types.
    Fentry,
    /// Clocks.
    PerfEvent,
}

impl RawProbe {
    /// Which program it runs.
    pub fn kind(&self) -> RawKind {
        match self {
            RawProbe::Uprobe { .. } | RawProbe::Usdt { .. } | RawProbe::Kprobe { .. } => {
                RawKind::Function
            }
            RawProbe::Tracepoint { .. } => RawKind::Tracepoint,
            RawProbe::RawTracepoint(_) => RawKind::RawTracepoint,
            RawProbe::Fentry { .. } => RawKind::Fentry,
            RawProbe::Profile { .. } => RawKind::PerfEvent,
        }
    }

    /// Whether it fires in every process, and not only in traced ones.
    pub fn is_global(&self) -> bool {
        !matches!(self, RawProbe::Uprobe { .. } | RawProbe::Usdt { .. })
    }
}

/// At each event that passes the filter, do the actions.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// What it waits for.
    pub event: Event,
    /// The `where` or the predicate, of type [`crate::types::Type::Bool`].
    pub filter: Option<Expr>,
    /// The types of the variables that the actions use.
    pub variables: Vec<Type>,
    /// What is done, in order.
    pub actions: Vec<Action>,
}

impl Clause {
    /// The WASI probes that it listens to; none for other events.
    pub fn probes(&self) -> &[Probe] {
        match &self.event {
            Event::Wasi(probes) | Event::WasiEnter(probes) => probes,
            _ => &[],
        }
    }
}
