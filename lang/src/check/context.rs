//! What values there are where an expression stands: that depends on the event.

use crate::builtin::Events;
use crate::host::{Field, UsdtArgument};
use crate::plan::RawKind;

/// The event that an expression is evaluated at.
#[derive(Debug, Clone, Default)]
pub(super) enum Context {
    /// A completed WASI call.
    #[default]
    Call,
    /// A WASI call that begins.
    Enter,
    /// A completed system call.
    Syscall,
    /// A process has reached a phase.
    Phase,
    /// A raw probe.
    Raw(RawContext),
    /// `begin`, `end` or an interval, as the script writes it.
    Other(String),
}

/// What a raw probe gives.
#[derive(Debug, Clone)]
pub(super) struct RawContext {
    /// As the script writes the probe.
    pub(super) written: String,
    /// Which program it runs.
    pub(super) kind: RawKind,
    /// It is at the return of a function: there is a `retval`, and there are no arguments but at `fexit`.
    pub(super) returns: bool,
    /// The function is one of the kernel, and so are the addresses that it gets.
    pub(super) in_kernel: bool,
    /// The fields of a tracepoint, or the arguments of a function of the kernel and what it returns.
    pub(super) fields: Vec<Field>,
    /// The arguments of a static probe; none for others.
    pub(super) usdt: Option<Vec<UsdtArgument>>,
}

impl Context {
    /// Which builtins there are.
    pub(super) fn events(&self) -> Events {
        match self {
            Context::Call => Events::CALL,
            Context::Enter => Events::ENTER,
            Context::Syscall => Events::SYSCALL,
            Context::Phase => Events::PHASE,
            Context::Raw(_) => Events::RAW,
            Context::Other(_) => Events::OTHER,
        }
    }
}
