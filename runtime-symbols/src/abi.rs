//! How a host function gets its arguments and gives its result, as data: one [`Abi`] for each way that
//! a runtime's catalogue file describes. The eBPF templates interpret it.

use serde::Deserialize;

/// An integer argument register of the x86-64 System V ABI, in the order of arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Register {
    /// First.
    Rdi,
    /// Second.
    Rsi,
    /// Third.
    Rdx,
    /// Fourth.
    Rcx,
    /// Fifth.
    R8,
    /// Sixth.
    R9,
}

/// Where a host function finds the arguments and leaves the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Abi {
    /// Where the WASI arguments are at entry.
    pub args: Args,
    /// Where the WASI errno is at return.
    pub errno: Errno,
    /// When the errno is valid. Otherwise the call trapped or ended the guest.
    #[serde(default)]
    pub valid: Valid,
    /// How to read what a [`ewapa_lang::wasi::ArgType::Moved`] argument points to.
    pub memory: Memory,
    /// What an array of buffers looks like.
    #[serde(default)]
    pub buffers: Buffers,
}

/// Where the arguments are at entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Args {
    /// In registers from this one on, then on the stack above the return address.
    Registers(Register),
    /// In an array of cells; the register holds its address.
    Array {
        /// Holds the address of the array.
        base: Register,
        /// Bytes from one cell to the next.
        stride: u8,
    },
    /// In an array of cells; the register holds the address of a pointer to it.
    IndirectArray {
        /// Holds the address of the pointer.
        base: Register,
        /// Bytes from one cell to the next.
        stride: u8,
    },
    /// In an array of cells. A register holds the address of a structure that has, at this offset, the
    /// address of a variable that holds the array's address: what a closure captures by reference.
    Captured {
        /// Holds the address of the structure.
        base: Register,
        /// Offset in it, in bytes.
        offset: u16,
        /// Bytes from one cell to the next.
        stride: u8,
    },
    /// Not known.
    Unknown,
}

/// Where the errno is at return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Errno {
    /// In the low 16 bits of the return register.
    Return,
    /// In the low 32 bits of the first cell of the argument array.
    FirstCell,
    /// Not known.
    Unknown,
}

/// When the errno is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Valid {
    /// Always.
    #[default]
    Always,
    /// If the low byte of the return register is not 0.
    ReturnNonzero,
    /// If the return register is 0.
    ReturnZero,
}

/// What an array of buffers looks like that an argument points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Buffers {
    /// As the guest has it: address and length, of 32 bits each.
    #[default]
    Guest,
    /// As the host has it: an address of 64 bits and a length of 32, in 16 bytes.
    Host,
}

/// How to turn a pointer argument into an address of the host process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Memory {
    /// Pointer arguments are host addresses already.
    Host,
    /// A register holds the host address of guest memory.
    Register(Register),
    /// A register holds the address of a structure that has, at this offset, a pointer to the host
    /// address of guest memory.
    Indirect {
        /// Holds the address of the structure.
        base: Register,
        /// Offset in it, in bytes.
        offset: u16,
    },
    /// Where a trampoline hands its call to ([`Args::Captured`]): the code that called it keeps the address of its
    /// context in `rbx`, which it needs again behind the call. Taken only if it begins with `core`
    /// (`VMCONTEXT_MAGIC` of wasmtime), and if it has the number that the trampoline read there.
    Context {
        /// In the context: a pointer to the host address of guest memory.
        memory: u16,
        /// In the context: the number of the instance, of 32 bits.
        id: i16,
        /// In what is captured: the address of a variable with this number.
        slot: u16,
    },
    /// The naming function's second argument, its first or its third leads to `{ 0u64, base, length }`, or to a
    /// structure that has a pointer to it; the template looks for it once for each function and keeps where it was.
    Search,
    /// The naming function's second argument, or its first, leads to a pointer to a store of objects. Each offset is in
    /// bytes. Taken only where the store has one memory, and what describes it agrees with itself.
    Store {
        /// In the store: a pointer to the list of its memories, behind which is how many there are. The first word of
        /// the list points to the memory's object.
        memories: u16,
        /// In the object: a pointer to `{ base, length }`.
        description: u16,
        /// In the object: the base once more.
        base: u16,
    },
    /// Not known.
    Unknown,
}
