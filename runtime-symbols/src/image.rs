//! The answer: what a file is, where to probe it, and what is missing.

use std::fmt;

use ewapa_lang::wasi::{Function, FunctionSet};

use crate::abi::Memory;
use crate::elf::FileOffset;
use crate::go::{Goroutines, Unfit};
use crate::prologue::Cost;
use crate::schema::Role;
use crate::separate::{SymbolSource, Tried};
use crate::{Catalogue, Stripped};

/// What a file is.
#[derive(Debug)]
pub enum Inspection {
    /// No runtime of the catalogue.
    NotARuntime,
    /// It looks like a runtime, but there are no symbols to find its functions by.
    Stripped(Stripped),
    /// A runtime that probes would break.
    Refused(Refused),
    /// A runtime.
    Runtime(Image),
}

/// A runtime whose functions are Go's, and whose calls cannot be followed. There are no return probes on these: they put an
/// address of their own on the stack of the goroutine, which Go does not know when it moves the stack or walks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Index of the runtime in the catalogue.
    pub runtime: usize,
    /// Its name.
    pub name: String,
    /// One of the functions.
    pub function: String,
    /// What is wrong with it.
    pub(crate) why: Unfit,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "this is {}, whose WASI functions are Go functions (`{}`); ",
            self.name, self.function
        )?;
        f.write_str(match self.why {
            Unfit::OldCalls => {
                "they were built by a Go before 1.17, in which nothing tells which goroutine calls: build it with a later one"
            }
            Unfit::NoEnd => {
                "there is no symbol `runtime.goexit1`, so the end of a goroutine would not be seen: build it with its symbols"
            }
        })
    }
}

/// A runtime's binary or library.
#[derive(Debug)]
pub struct Image {
    /// Index of the runtime in the catalogue.
    pub runtime: usize,
    /// Which of the runtime's generations or builds it is, in a few words.
    pub variant: String,
    /// The versions this variant was run and counted with; `None` if it was written from sources alone.
    pub verified: Option<String>,
    /// The runtime's version, if the binary tells.
    pub version: Option<String>,
    /// Where to probe: envelopes first, then by function and address; what is entered before the guest
    /// begins last.
    pub sites: Vec<Site>,
    /// Of each envelope it is known which function it leads to: [`Site::function`] says. Probes on envelopes tell all
    /// of a call then, but for guest memory where that is found by what the function was given.
    pub routed: bool,
    /// WASI functions without a site.
    pub missing: Vec<Missing>,
    /// Where the symbols come from.
    pub symbols: SymbolSource,
    /// Where they were looked for besides, if the binary has no `.symtab`.
    pub tried: Vec<Tried>,
    /// Its functions are Go's: calls are those of goroutines.
    pub goroutines: Option<Goroutines>,
}

/// A place to probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// What a hit tells.
    pub role: Role,
    /// The WASI function; `None` for a start, and for an envelope of which it is not known.
    pub function: Option<Function>,
    /// The demangled name, with generic arguments and the paths of types left out.
    pub symbol: String,
    /// The function's virtual address in the file.
    pub address: u64,
    /// Where its first byte is in the file.
    pub offset: FileOffset,
    /// Its bytes; none if its symbol does not tell.
    pub length: Option<u64>,
    /// Where to put the probe.
    pub probe: FileOffset,
    /// The function's first instruction.
    pub first: String,
    /// The instruction under the probe.
    pub at: String,
    /// What a hit costs.
    pub cost: Cost,
    /// Index into [`Catalogue::abis`].
    pub abi: usize,
    /// A cheaper place for the same call, where `probe` is single-stepped and there is one.
    pub inner: Option<Inner>,
}

impl Site {
    /// Index into [`Catalogue::abis`]: how the function is called that the probe is on.
    pub fn probed_abi(&self) -> usize {
        self.inner.as_ref().map_or(self.abi, |inner| inner.abi)
    }

    /// Whether guest memory is found by what the function inside an envelope was given.
    pub fn needs_name(&self) -> bool {
        matches!(
            Catalogue::in_use().abis()[self.probed_abi()].memory,
            Memory::Search | Memory::Store { .. }
        )
    }
}

/// The function that a trampoline hands its call to. It begins with an instruction that the kernel
/// emulates, is entered once in each call that enters the trampoline, and returns what that returns.
/// Several envelopes may share one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inner {
    /// The function's virtual address in the file.
    pub address: u64,
    /// Where to put the probe: at its first byte.
    pub probe: FileOffset,
    /// The instruction there.
    pub at: String,
    /// Index into [`Catalogue::abis`]: how it is called.
    pub abi: usize,
}

/// A WASI function that cannot be probed in this binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Which.
    pub function: Function,
    /// Why.
    pub reason: Reason,
}

/// Why a WASI function cannot be probed. `Display` gives a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The runtime does not have it.
    NotImplemented,
    /// The runtime has one function for all those that it does not implement.
    Stub,
    /// There is no symbol, though the runtime may have the function.
    NoSymbol,
    /// Only exported functions are known, as the binary has no `.symtab`.
    Stripped,
    /// The linker gave it the same code as another function.
    Shared(Function),
    /// The linker gave it the same code as a function of another purpose, whose calls would be counted.
    SharedWith(String),
    /// Its symbol points to no code in this file.
    NoCode,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::NotImplemented => f.write_str(
                "this runtime does not implement it; a guest that imports it will not start",
            ),
            Reason::Stub => f.write_str(
                "this runtime does not implement it: one function gives errno NOSYS for all such, and does not tell which was called",
            ),
            Reason::NoSymbol => f.write_str(
                "no symbol: inlined by the compiler, or not implemented by this runtime; \
                 a build without link-time optimization keeps it",
            ),
            Reason::Stripped => f.write_str(
                "stripped: no .symtab; install or build the runtime with its symbols, or install its debug file (`ewapa symbols --explain` says where)",
            ),
            Reason::SharedWith(other) => write!(
                f,
                "the linker merged it with {other}, whose calls would count too; build without identical code folding"
            ),
            Reason::Shared(other) => write!(
                f,
                "the linker merged it with {other}; build without identical code folding to tell them apart"
            ),
            Reason::NoCode => {
                f.write_str("its symbol points to no code in this file; is this a debug file?")
            }
        }
    }
}

impl Image {
    /// Whether it is known what is entered before the guest begins.
    pub fn has_start(&self) -> bool {
        self.sites.iter().any(|site| site.role == Role::Start)
    }

    /// The functions that have a site.
    pub fn functions(&self) -> FunctionSet {
        self.sites.iter().filter_map(|site| site.function).collect()
    }
}
