//! What a script needs to know of the machine that it is compiled for. The language itself knows no kernel
//! and no file: whoever compiles a script says what is there.

use std::fmt::Debug;

/// The machine that a script is compiled for. A function that cannot answer says why, in words that go on
/// from "cannot …:".
pub trait Host: Debug {
    /// The tracepoints that match two globs: category and name, sorted.
    ///
    /// # Errors
    /// The kernel's list cannot be read.
    fn tracepoints(&self, category: &str, name: &str) -> Result<Vec<(String, String)>, String>;

    /// The fields of a tracepoint.
    ///
    /// # Errors
    /// There is no such tracepoint, or its format cannot be read.
    fn fields(&self, category: &str, name: &str) -> Result<Vec<Field>, String>;

    /// What the context of a function of the kernel holds: its parameters, a word each, and behind them, called
    /// [`RETURNED`], the value that it returns, if it returns any.
    ///
    /// # Errors
    /// There is no such function, or its arguments do not stand in words of their own.
    fn parameters(&self, function: &str) -> Result<Vec<Field>, String>;

    /// Where the arguments of a static probe are.
    ///
    /// # Errors
    /// The file cannot be read or has no such probe.
    fn usdt_arguments(
        &self,
        path: &str,
        provider: &str,
        name: &str,
    ) -> Result<Vec<UsdtArgument>, String>;

    /// The text of a script that another one imports, and what that one is known as. `from` is what the
    /// importing script is known as; none for one that is in no file.
    ///
    /// # Errors
    /// It cannot be read.
    fn import(&self, path: &str, from: Option<&str>) -> Result<(String, String), String>;
}

/// What [`Host::parameters`] calls the value that a function returns: in C no parameter is called so.
pub const RETURNED: &str = "return";

/// A field of a tracepoint's record (`/sys/kernel/tracing/events/*/*/format`), or a parameter of a function of the
/// kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name.
    pub name: String,
    /// The type in C, as the format has it; that of an address ends with `*`.
    pub ty: String,
    /// Bytes from the start of the record or context.
    pub offset: u16,
    /// Bytes that it takes.
    pub size: u16,
    /// Whether it is signed.
    pub signed: bool,
}

/// Where an argument of a static probe is (the notes of systemtap's sys/sdt.h, on x86-64).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsdtArgument {
    /// 1, 2, 4 or 8 bytes.
    pub size: u8,
    /// Whether it is signed.
    pub signed: bool,
    /// Where.
    pub place: UsdtPlace,
}

/// The place of an argument of a static probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsdtPlace {
    /// It is this number.
    Constant(i64),
    /// In a register: its offset in `struct pt_regs`.
    Register(u16),
    /// In memory, at the value of a register plus this, plus another register times a scale.
    Memory {
        /// The register's offset in `struct pt_regs`.
        base: u16,
        /// Added.
        offset: i64,
        /// A second register and what it is multiplied by.
        index: Option<(u16, u8)>,
    },
}
