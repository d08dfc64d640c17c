//! The types of values: what a number means, so that a time is never added to a size.

use std::fmt;

/// The type of a value in a script. All numbers are 64-bit integers in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// True or false.
    Bool,
    /// A plain number, signed.
    Int,
    /// A plain number, unsigned: an address, a register. It is divided, compared, shifted to the right and
    /// printed as such.
    Unsigned,
    /// A length of time, in nanoseconds.
    Time,
    /// An amount of data, in bytes.
    Size,
    /// One of a set of named values.
    Enum(Enumeration),
    /// Text in so many bytes, a multiple of eight: filled up with 0, of which there is at least one.
    Text(u16),
    /// At most so many bytes, a multiple of eight, as they are: a word with their number, then they.
    Bytes(u16),
    /// The functions that a thread was in.
    Stack(StackType),
    /// The function at an address: a word with the address, and one with the process, 0 for the kernel.
    Address(Space),
    /// A point in time, in nanoseconds since the kernel started: shown by a format of strftime(3), an
    /// index into [`crate::plan::Plan::formats`].
    Moment(u16),
}

/// Whose memory an address is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Space {
    /// That of the process.
    User,
    /// That of the kernel.
    Kernel,
}

/// What of a stack is kept and how it is shown. The value is a word: the low half is the number of the
/// stack in its map, the high half the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StackType {
    /// Whose functions.
    pub space: Space,
    /// At most so many: 1 to 127.
    pub depth: u8,
    /// How they are shown.
    pub mode: StackMode,
}

/// How a stack is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StackMode {
    /// `function+offset`
    Plain,
    /// As perf(1) does: with address and file.
    Perf,
    /// Addresses only.
    Raw,
}

/// The sets of named values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Enumeration {
    /// WASI error numbers: [`crate::errno`].
    Errno,
    /// Error numbers of Linux (errno(3)): [`crate::linux`].
    LinuxErrno,
    /// Error numbers of Linux, shown as strerror(3) does.
    ErrorText,
    /// WASI functions: [`crate::wasi::Function`], by index.
    Func,
    /// Runtimes. The low byte is the runtime's index in the catalogue, the rest names its version.
    Runtime,
    /// WebAssembly modules by file name. The names are known only while a script runs.
    Module,
    /// System calls by number: [`crate::linux`].
    Syscall,
    /// What a process reaches in turn: [`crate::plan::Phase`].
    Phase,
    /// What a probe is attached to, as it is written. The names are known only while a script runs.
    Probe,
    /// The function that a probe is in. The names are known only while a script runs.
    ProbeFunction,
}

impl Type {
    /// The bytes of a value in a key, a message or a variable.
    pub fn size(self) -> usize {
        match self {
            Type::Text(bytes) => usize::from(bytes),
            Type::Bytes(bytes) => 8 + usize::from(bytes),
            Type::Address(_) => 16,
            _ => 8,
        }
    }

    /// Whether it is a text, of whatever size.
    pub fn is_text(self) -> bool {
        matches!(self, Type::Text(_))
    }

    /// The type of a text that was written out.
    pub fn of_text(text: &str) -> Type {
        let bytes = (text.len() + 1).next_multiple_of(8);
        Type::Text(u16::try_from(bytes).unwrap_or(u16::MAX - 7))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Bool => "condition",
            Type::Int | Type::Unsigned => "number",
            Type::Time => "time",
            Type::Size => "size",
            Type::Enum(Enumeration::Errno) => "errno",
            Type::Enum(Enumeration::LinuxErrno) => "errno of a system call",
            Type::Enum(Enumeration::ErrorText) => "text of an error",
            Type::Enum(Enumeration::Func) => "WASI function",
            Type::Enum(Enumeration::Runtime) => "runtime",
            Type::Enum(Enumeration::Module) => "module",
            Type::Enum(Enumeration::Syscall) => "system call",
            Type::Enum(Enumeration::Phase) => "phase",
            Type::Enum(Enumeration::Probe) => "probe",
            Type::Enum(Enumeration::ProbeFunction) => "function",
            Type::Text(_) => "text",
            Type::Bytes(_) => "buffer",
            Type::Stack(_) => "stack",
            Type::Address(_) => "symbol",
            Type::Moment(_) => "point in time",
        })
    }
}
