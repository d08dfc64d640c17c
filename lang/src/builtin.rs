//! The builtins of a WASI call: one row each. The row is also the field of `struct call`, the record
//! that the eBPF templates fill and generated code reads: its C header is made from this table.

use crate::types::{Enumeration, Type};

/// The point in a call from which on a value is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Known {
    /// When the call begins.
    Entry,
    /// When the call has completed.
    End,
}

/// A builtin: a value that every completed WASI call has, or says it has not.
#[derive(Debug, PartialEq, Eq)]
pub struct Builtin {
    /// The name in scripts and in `struct call`.
    pub name: &'static str,
    /// What the value means.
    pub ty: Type,
    /// When it is known.
    pub known: Known,
    /// Whether a call may have none: then the field holds [`NONE`].
    pub nullable: bool,
    /// One line for the reference and for listings.
    pub doc: &'static str,
}

/// The value of a nullable field that has none. No builtin takes this value otherwise.
pub const NONE: i64 = i64::MIN;

/// The bytes of a text field in `struct call` (`TASK_COMM_LEN` of the kernel).
pub const TEXT_LEN: usize = 16;

const fn row(
    name: &'static str,
    ty: Type,
    known: Known,
    nullable: bool,
    doc: &'static str,
) -> Builtin {
    Builtin {
        name,
        ty,
        known,
        nullable,
        doc,
    }
}

/// All builtins, in the order of the fields of `struct call`.
pub const BUILTINS: &[Builtin] = &[
    row(
        "func",
        Type::Enum(Enumeration::Func),
        Known::Entry,
        false,
        "the WASI function",
    ),
    row(
        "runtime",
        Type::Enum(Enumeration::Runtime),
        Known::Entry,
        false,
        "the runtime and its version",
    ),
    row(
        "module",
        Type::Enum(Enumeration::Module),
        Known::Entry,
        true,
        "the file name of the WebAssembly module",
    ),
    row("pid", Type::Int, Known::Entry, false, "the process"),
    row(
        "tid",
        Type::Int,
        Known::Entry,
        false,
        "the thread that made the call",
    ),
    row(
        "comm",
        Type::Text,
        Known::Entry,
        false,
        "the name of the thread",
    ),
    row(
        "fd",
        Type::Int,
        Known::Entry,
        true,
        "the descriptor that the call works on",
    ),
    row(
        "duration",
        Type::Time,
        Known::End,
        false,
        "from entry to return, on the monotonic clock",
    ),
    row(
        "syscall_time",
        Type::Time,
        Known::End,
        false,
        "time that the calling thread spent in system calls within the call",
    ),
    row(
        "syscall_count",
        Type::Int,
        Known::End,
        false,
        "system calls that the calling thread made within the call",
    ),
    row(
        "syscall_bytes",
        Type::Size,
        Known::End,
        false,
        "bytes that those system calls read or wrote",
    ),
    row(
        "self_time",
        Type::Time,
        Known::End,
        false,
        "duration less syscall_time: what the runtime itself took",
    ),
    row(
        "errno",
        Type::Enum(Enumeration::Errno),
        Known::End,
        true,
        "the WASI error number; 0 is success",
    ),
    row("ok", Type::Bool, Known::End, true, "whether errno is 0"),
    row(
        "bytes",
        Type::Size,
        Known::End,
        true,
        "bytes that the call moved",
    ),
];

/// Builtins of the language that this version does not have yet. They are refused by name.
pub const PLANNED: &[&str] = &[
    "runtime_version",
    "ppid",
    "uid",
    "cpu",
    "probe",
    "cgroup",
    "offcpu_time",
    "thread_hops",
    "depth",
    "call_id",
    "args",
    "bytes_req",
    "iovs",
    "path",
    "syscall",
    "ret",
    "wasi_func",
    "in_wasi",
    "wasi_duration",
    "nsecs",
    "elapsed",
    "ustack",
    "kstack",
    "lost",
    "unmatched",
    "probe_cost",
    "elapsed_exec",
    "phase",
];

/// The builtin of this name.
pub fn builtin(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

impl Builtin {
    /// The index in [`BUILTINS`]; also the bit that asks the templates to fill the field.
    pub fn index(&self) -> usize {
        BUILTINS
            .iter()
            .position(|builtin| builtin.name == self.name)
            .expect("a builtin is a row of the table")
    }

    /// The bytes of the field in `struct call`.
    pub fn size(&self) -> usize {
        if self.ty == Type::Text { TEXT_LEN } else { 8 }
    }

    /// The offset of the field in `struct call`, in bytes.
    pub fn offset(&self) -> usize {
        BUILTINS[..self.index()].iter().map(Builtin::size).sum()
    }
}
