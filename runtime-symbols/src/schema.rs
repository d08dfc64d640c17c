//! The schema of a catalogue file, as serde sees it. `catalogue.rs` gives it sense.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::abi::Abi;

/// What the function at a probe site tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It is one WASI call: which one, its arguments and its errno.
    Call,
    /// It is some host call, with arguments and errno, but which one is not known.
    Envelope,
    /// It runs inside an envelope and tells which WASI function the open call is.
    Name,
    /// It is entered before the guest begins.
    Start,
}

/// A file: one runtime.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RuntimeFile {
    /// What users call it.
    pub name: Spanned<String>,
    #[serde(default)]
    pub version: Option<VersionTable>,
    pub stripped: StrippedTable,
    /// Generations of the runtime; the first whose rules all find something is taken.
    pub variant: Vec<Spanned<VariantTable>>,
}

/// How to read the version out of the binary.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct VersionTable {
    /// Searched in the read-only data; its only group is the version. Should begin with plain text.
    pub pattern: Spanned<String>,
}

/// Signs of this runtime in a binary without symbols.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct StrippedTable {
    /// Names that the binary or library is installed under.
    pub files: Vec<String>,
    /// Texts of which any one in the read-only data or among the exported names gives it away.
    pub texts: Vec<String>,
}

/// One generation: how its functions are called in the symbol table, and how they are called by wasm.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct VariantTable {
    /// What tells it from the others, in a few words.
    pub name: String,
    /// The versions it was run and counted with; without it, it was written from sources alone.
    #[serde(default)]
    pub verified: Option<String>,
    /// The versions it is limited to, where names alone do not tell.
    #[serde(default)]
    pub major: Option<MajorTable>,
    /// Why a function has no symbol.
    pub absent: Absent,
    pub abi: Abi,
    /// How the function is called that a trampoline hands its call to, which is probed instead where the
    /// trampoline itself would be single-stepped. Used only where the code says the same.
    #[serde(default)]
    pub inner: Option<Abi>,
    /// What is between an envelope and the function that it was compiled for; without it, the function has a probe
    /// of its own.
    #[serde(default)]
    pub route: Option<Spanned<RouteTable>>,
    /// The versions of whose guest memory `abi` tells, where others may have it elsewhere; without it, all.
    #[serde(default)]
    pub memory_versions: Option<Vec<String>>,
    pub rule: Vec<Spanned<RuleTable>>,
}

/// The functions that calls go through from an envelope to the function that it was compiled for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RouteTable {
    /// The mangled name contains one of these: the function may serve other purposes, too.
    pub through: Vec<String>,
    /// The mangled name contains one of these: the function is made for WASI alone. One that leads to a WASI function
    /// without an envelope leading to it shows that `through` is not complete, and then it is not relied on.
    pub wasi: Vec<String>,
}

/// A range of major versions. A binary whose version is not known is outside.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct MajorTable {
    pub min: u64,
    #[serde(default = "u64_max")]
    pub max: u64,
}

fn u64_max() -> u64 {
    u64::MAX
}

/// What it means that a function has no symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Absent {
    /// The runtime registers functions by their address, so each that exists has a symbol.
    NotImplemented,
    /// The runtime has one function for all those that it does not implement. It gives the errno nosys.
    Stub,
    /// The compiler may have inlined it.
    Inlined,
}

/// Which symbols to take. Among the rules of a role the first that finds a function has it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RuleTable {
    pub role: Role,
    /// The mangled name begins with one of these.
    #[serde(default)]
    pub starts: Vec<String>,
    /// The mangled name contains one of these.
    #[serde(default)]
    pub contains: Vec<String>,
    /// Matches the demangled name. The group `function` is the name of the WASI function, the group
    /// `index` its position in the specification; an envelope and a start have neither.
    pub pattern: Spanned<String>,
    /// Demangled names to leave out although `pattern` matches.
    #[serde(default)]
    pub exclude: Option<Spanned<String>>,
    /// How these functions are called, if not as those of the other rules.
    #[serde(default)]
    pub abi: Option<Abi>,
    /// WASI functions by what the group `function` says, where that is not their name.
    #[serde(default)]
    pub functions: BTreeMap<String, Spanned<String>>,
}
