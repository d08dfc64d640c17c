//! The types of values: what a number means, so that a time is never added to a size.

use std::fmt;

/// The type of a value in a script. All numbers are signed 64-bit integers in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// True or false.
    Bool,
    /// A plain number.
    Int,
    /// A length of time, in nanoseconds.
    Time,
    /// An amount of data, in bytes.
    Size,
    /// One of a set of named values.
    Enum(Enumeration),
    /// Text that the kernel holds as bytes, such as `comm`.
    Text,
}

/// The sets of named values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Enumeration {
    /// WASI error numbers: [`crate::errno`].
    Errno,
    /// WASI functions: [`crate::wasi::Function`], by index.
    Func,
    /// Runtimes. The low byte is the runtime's index in the catalogue, the rest names its version.
    Runtime,
    /// WebAssembly modules by file name. The names are known only while a script runs.
    Module,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Bool => "condition",
            Type::Int => "number",
            Type::Time => "time",
            Type::Size => "size",
            Type::Enum(Enumeration::Errno) => "errno",
            Type::Enum(Enumeration::Func) => "WASI function",
            Type::Enum(Enumeration::Runtime) => "runtime",
            Type::Enum(Enumeration::Module) => "module",
            Type::Text => "text",
        })
    }
}
