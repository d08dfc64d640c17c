//! The values of an event's record: one row each. The row is also the field of `struct call`, the record
//! that the eBPF templates fill and generated code reads: its C header is made from this table. Completed
//! and begun WASI calls, system calls and phases have a record each; at raw events it is that of the WASI
//! call around them.

use crate::types::{Enumeration, Type};

/// The point in a call from which on a value is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Known {
    /// When the call begins.
    Entry,
    /// When the call has completed.
    End,
}

/// Kinds of events, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Events(u8);

impl Events {
    /// None of them.
    pub const NONE: Events = Events(0);
    /// A WASI call has completed.
    pub const CALL: Events = Events(1);
    /// A WASI call has begun.
    pub const ENTER: Events = Events(2);
    /// A system call has completed.
    pub const SYSCALL: Events = Events(4);
    /// A process has reached a phase.
    pub const PHASE: Events = Events(8);
    /// A raw probe.
    pub const RAW: Events = Events(16);
    /// `begin`, `end` and intervals.
    pub const OTHER: Events = Events(32);

    /// Those of either set.
    pub const fn and(self, other: Events) -> Events {
        Events(self.0 | other.0)
    }

    /// Whether all of the other set are in this one.
    pub const fn contain(self, other: Events) -> bool {
        self.0 & other.0 == other.0
    }
}

/// WASI calls, begun or completed.
const CALLS: Events = Events::CALL.and(Events::ENTER);

/// Those with a record of their own.
const RECORDS: Events = CALLS.and(Events::SYSCALL).and(Events::PHASE);

/// A value of an event's record. An event has it, or says that it has none.
#[derive(Debug, PartialEq, Eq)]
pub struct Builtin {
    /// The name in scripts. What no script can name has none.
    pub name: &'static str,
    /// The name in `struct call`. Events of different kinds may have different values of the same name.
    pub field: &'static str,
    /// What the value means.
    pub ty: Type,
    /// When it is known.
    pub known: Known,
    /// Whether it may have none: then the field holds [`NONE`]. At raw events all may. A text that is none
    /// is empty.
    pub nullable: bool,
    /// The events that have it.
    pub at: Events,
    /// One line for the reference and for listings.
    pub doc: &'static str,
}

/// The value of a nullable field that has none. No builtin takes this value otherwise.
pub const NONE: i64 = i64::MIN;

/// The bytes of the name of a thread (`TASK_COMM_LEN` of the kernel).
pub const TEXT_LEN: usize = 16;

/// The bytes of a path.
pub const PATH_LEN: usize = 128;

/// How many system calls a script may count within calls.
pub const WATCHED: usize = 4;

/// How many arguments a WASI call has at most.
pub const ARGUMENTS: usize = 9;

const TEXT: Type = Type::Text(TEXT_LEN as u16);
const PATH: Type = Type::Text(PATH_LEN as u16);

const fn row(
    (name, field): (&'static str, &'static str),
    ty: Type,
    known: Known,
    nullable: bool,
    at: Events,
    doc: &'static str,
) -> Builtin {
    Builtin {
        name,
        field,
        ty,
        known,
        nullable,
        at,
        doc,
    }
}

/// All builtins, in the order of the fields of `struct call`.
pub const BUILTINS: &[Builtin] = &[
    row(
        ("func", "func"),
        Type::Enum(Enumeration::Func),
        Known::Entry,
        false,
        CALLS,
        "the WASI function",
    ),
    row(
        ("runtime", "runtime"),
        Type::Enum(Enumeration::Runtime),
        Known::Entry,
        false,
        CALLS.and(Events::PHASE).and(Events::RAW),
        "the runtime and its version",
    ),
    row(
        ("module", "module"),
        Type::Enum(Enumeration::Module),
        Known::Entry,
        true,
        CALLS
            .and(Events::SYSCALL)
            .and(Events::PHASE)
            .and(Events::RAW),
        "the file name of the WebAssembly module",
    ),
    row(
        ("pid", "pid"),
        Type::Int,
        Known::Entry,
        false,
        RECORDS,
        "the process",
    ),
    row(
        ("tid", "tid"),
        Type::Int,
        Known::Entry,
        false,
        RECORDS,
        "the thread that made the call",
    ),
    row(
        ("comm", "comm"),
        TEXT,
        Known::Entry,
        false,
        RECORDS,
        "the name of the thread",
    ),
    row(
        ("fd", "fd"),
        Type::Int,
        Known::Entry,
        true,
        CALLS,
        "the descriptor that the call works on",
    ),
    row(
        ("duration", "duration"),
        Type::Time,
        Known::End,
        false,
        Events::CALL.and(Events::SYSCALL),
        "from entry to return, on the monotonic clock",
    ),
    row(
        ("syscall_time", "syscall_time"),
        Type::Time,
        Known::End,
        false,
        Events::CALL,
        "time that the calling thread spent in system calls within the call",
    ),
    row(
        ("syscall_count", "syscall_count"),
        Type::Int,
        Known::End,
        false,
        Events::CALL,
        "system calls that the calling thread made within the call",
    ),
    row(
        ("syscall_bytes", "syscall_bytes"),
        Type::Size,
        Known::End,
        false,
        Events::CALL,
        "bytes that those system calls read or wrote",
    ),
    row(
        ("self_time", "self_time"),
        Type::Time,
        Known::End,
        false,
        Events::CALL,
        "duration less syscall_time: what the runtime itself took",
    ),
    row(
        ("errno", "errno"),
        Type::Enum(Enumeration::Errno),
        Known::End,
        true,
        Events::CALL,
        "the WASI error number; 0 is success",
    ),
    row(
        ("ok", "ok"),
        Type::Bool,
        Known::End,
        true,
        Events::CALL,
        "whether errno is 0",
    ),
    row(
        ("bytes", "bytes"),
        Type::Size,
        Known::End,
        true,
        Events::CALL,
        "bytes that the call moved",
    ),
    row(
        ("bytes_req", "bytes_req"),
        Type::Size,
        Known::Entry,
        true,
        CALLS,
        "bytes that the call was asked to move",
    ),
    row(
        ("iovs", "iovs"),
        Type::Int,
        Known::Entry,
        true,
        CALLS,
        "how many buffers those bytes are in",
    ),
    row(
        ("path", "path"),
        PATH,
        Known::Entry,
        true,
        CALLS,
        "the file that the call works on, as the guest named it",
    ),
    row(
        ("depth", "depth"),
        Type::Int,
        Known::Entry,
        false,
        CALLS,
        "WASI calls of the thread around this one",
    ),
    row(
        ("call_id", "call_id"),
        Type::Int,
        Known::Entry,
        false,
        CALLS.and(Events::SYSCALL).and(Events::RAW),
        "a number that no other call of the run has; 0 outside of calls",
    ),
    row(
        ("offcpu_time", "offcpu_time"),
        Type::Time,
        Known::End,
        false,
        Events::CALL,
        "time within the call in which the calling thread did not run",
    ),
    row(
        ("thread_hops", "thread_hops"),
        Type::Int,
        Known::End,
        false,
        Events::CALL,
        "how often the call woke or started another thread of its process: work that was handed over",
    ),
    row(
        ("wasi_func", "wasi_func"),
        Type::Enum(Enumeration::Func),
        Known::Entry,
        true,
        Events::SYSCALL.and(Events::RAW),
        "the WASI call around it",
    ),
    row(
        ("wasi_duration", "wasi_duration"),
        Type::Time,
        Known::Entry,
        true,
        Events::SYSCALL.and(Events::RAW),
        "how long the WASI call around it has been running",
    ),
    row(
        ("syscall", "syscall"),
        Type::Enum(Enumeration::Syscall),
        Known::Entry,
        false,
        Events::SYSCALL,
        "the system call",
    ),
    row(
        ("ret", "ret"),
        Type::Int,
        Known::End,
        false,
        Events::SYSCALL,
        "what the system call returned",
    ),
    row(
        ("errno", "sys_errno"),
        Type::Enum(Enumeration::LinuxErrno),
        Known::End,
        false,
        Events::SYSCALL,
        "the error number of the system call; 0 is success",
    ),
    row(
        ("phase", "phase"),
        Type::Enum(Enumeration::Phase),
        Known::Entry,
        false,
        Events::PHASE,
        "what the process has reached",
    ),
    row(
        ("duration", "phase_duration"),
        Type::Time,
        Known::Entry,
        true,
        Events::PHASE,
        "the time since the phase before it",
    ),
    row(
        ("runtime", "syscall_runtime"),
        Type::Enum(Enumeration::Runtime),
        Known::Entry,
        true,
        Events::SYSCALL,
        "the runtime of the process and its version",
    ),
    row(
        ("elapsed_exec", "elapsed_exec"),
        Type::Time,
        Known::Entry,
        true,
        Events::PHASE,
        "the time since the process became a runtime",
    ),
    row(
        ("", "watched_0"),
        Type::Int,
        Known::End,
        false,
        Events::CALL,
        "how often the call made a system call that the script counts",
    ),
    row(
        ("", "watched_1"),
        Type::Int,
        Known::End,
        false,
        Events::CALL,
        "how often the call made a system call that the script counts",
    ),
    row(
        ("", "watched_2"),
        Type::Int,
        Known::End,
        false,
        Events::CALL,
        "how often the call made a system call that the script counts",
    ),
    row(
        ("", "watched_3"),
        Type::Int,
        Known::End,
        false,
        Events::CALL,
        "how often the call made a system call that the script counts",
    ),
    row(
        ("arg0", "arg0"),
        Type::Int,
        Known::Entry,
        true,
        CALLS.and(Events::SYSCALL),
        "argument 0, counted from 0, as the guest or the program passed it",
    ),
    row(
        ("arg1", "arg1"),
        Type::Int,
        Known::Entry,
        true,
        CALLS.and(Events::SYSCALL),
        "argument 1, counted from 0, as the guest or the program passed it",
    ),
    row(
        ("arg2", "arg2"),
        Type::Int,
        Known::Entry,
        true,
        CALLS.and(Events::SYSCALL),
        "argument 2, counted from 0, as the guest or the program passed it",
    ),
    row(
        ("arg3", "arg3"),
        Type::Int,
        Known::Entry,
        true,
        CALLS.and(Events::SYSCALL),
        "argument 3, counted from 0, as the guest or the program passed it",
    ),
    row(
        ("arg4", "arg4"),
        Type::Int,
        Known::Entry,
        true,
        CALLS.and(Events::SYSCALL),
        "argument 4, counted from 0, as the guest or the program passed it",
    ),
    row(
        ("arg5", "arg5"),
        Type::Int,
        Known::Entry,
        true,
        CALLS.and(Events::SYSCALL),
        "argument 5, counted from 0, as the guest or the program passed it",
    ),
    row(
        ("arg6", "arg6"),
        Type::Int,
        Known::Entry,
        true,
        CALLS,
        "argument 6, counted from 0, as the guest or the program passed it",
    ),
    row(
        ("arg7", "arg7"),
        Type::Int,
        Known::Entry,
        true,
        CALLS,
        "argument 7, counted from 0, as the guest or the program passed it",
    ),
    row(
        ("arg8", "arg8"),
        Type::Int,
        Known::Entry,
        true,
        CALLS,
        "argument 8, counted from 0, as the guest or the program passed it",
    ),
    row(
        ("handed_time", "handed_time"),
        Type::Time,
        Known::End,
        false,
        Events::CALL,
        "an estimate: time that other threads spent in system calls for the call",
    ),
    row(
        ("handed_count", "handed_count"),
        Type::Int,
        Known::End,
        false,
        Events::CALL,
        "an estimate: system calls that other threads made for the call",
    ),
    row(
        ("handed_bytes", "handed_bytes"),
        Type::Size,
        Known::End,
        false,
        Events::CALL,
        "an estimate: bytes that those system calls read or wrote",
    ),
    row(
        ("handed", "handed"),
        Type::Bool,
        Known::Entry,
        false,
        Events::SYSCALL,
        "whether a thread made it that works for the WASI call of another one: an estimate",
    ),
];

/// What other threads did for a WASI call: estimates.
pub const HANDED: [&str; 3] = ["handed_time", "handed_count", "handed_bytes"];

/// What a system call says of the WASI call that it was made for, by its own thread or for another one.
pub const SERVED: [&str; 4] = ["call_id", "wasi_func", "wasi_duration", "handed"];

/// The names of values that are no field of a record: what the kernel says, what a raw probe gives, and what is
/// known of the run.
pub const OTHER_VALUES: &[&str] = &[
    "runtime_version",
    "args",
    "in_wasi",
    "probe",
    "nsecs",
    "elapsed",
    "ppid",
    "uid",
    "gid",
    "cpu",
    "numaid",
    "cgroup",
    "rand",
    "curtask",
    "retval",
    "ustack",
    "kstack",
    "true",
    "false",
    "lost",
    "unmatched",
    "probe_cost",
];

/// The builtin of this name at completed WASI calls.
pub fn builtin(name: &str) -> Option<&'static Builtin> {
    builtin_at(name, Events::CALL)
}

/// The builtin of this name at events of one kind.
pub fn builtin_at(name: &str, event: Events) -> Option<&'static Builtin> {
    let mut named = BUILTINS.iter().filter(|builtin| builtin.name == name);
    named.find(|builtin| !name.is_empty() && builtin.at.contain(event))
}

/// The builtin with this field.
///
/// # Panics
/// There is none: a defect.
pub fn field(name: &str) -> &'static Builtin {
    BUILTINS
        .iter()
        .find(|builtin| builtin.field == name)
        .expect("a field of struct call")
}

impl Builtin {
    /// The index in [`BUILTINS`]; also the bit that asks the templates to fill the field.
    pub fn index(&self) -> usize {
        BUILTINS
            .iter()
            .position(|builtin| builtin.field == self.field)
            .expect("a builtin is a row of the table")
    }

    /// The bytes of the field in `struct call`.
    pub fn size(&self) -> usize {
        self.ty.size()
    }

    /// The offset of the field in `struct call`, in bytes.
    pub fn offset(&self) -> usize {
        BUILTINS[..self.index()].iter().map(Builtin::size).sum()
    }
}
