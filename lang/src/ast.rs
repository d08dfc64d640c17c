//! The syntax tree of a script: what was written and where, before anything is known about names
//! and types. It covers the whole language, also what this version does not run yet.

mod expression;
mod statement;
mod text;

pub use expression::{Amount, Arg, BinaryOp, Expr, ExprKind, Number, UnaryOp};
pub use statement::{Block, Statement, StatementKind};

use crate::span::Span;

/// A script.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// The `//!` lines, without the `//!` and one space.
    pub docs: Vec<Text>,
    /// Everything else, in order.
    pub items: Vec<Item>,
}

/// A name and its place.
#[derive(Clone, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where it is.
    pub span: Span,
}

/// A text and its place.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    /// What it says, escapes resolved.
    pub value: String,
    /// Where it is, with its quotes.
    pub span: Span,
}

/// What a script is made of.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// `param NAME = DEFAULT "doc";`
    Param(Param),
    /// `config = { … }`
    Config(Config),
    /// `import "file"`
    Import(Import),
    /// `macro NAME(…) { … }`
    Macro(Macro),
    /// `alias PROBE = PROBES { … }`
    Alias(Alias),
    /// `table NAME from … { … }`
    Table(Table),
    /// `check "text" EXPR;`
    Check(Check),
    /// `PROBES /predicate/ { … }`
    ProbeBlock(ProbeBlock),
    /// C code, as bpftrace accepts it.
    Foreign(Foreign),
}

/// A value that the command line can set.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// The name, also of the option.
    pub name: Name,
    /// The value when none is given; it decides the type.
    pub default: Expr,
    /// The default as it was written.
    pub text: String,
    /// What it is for.
    pub doc: Option<Text>,
}

/// Settings of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Names and values.
    pub entries: Vec<(Name, ConfigValue)>,
    /// The whole item.
    pub span: Span,
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq)]
pub enum ConfigValue {
    /// A number.
    Number(Number),
    /// A text.
    Text(Text),
    /// A bare word.
    Word(Name),
}

/// Another script whose macros and aliases are used.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// The path.
    pub path: Text,
    /// The whole item.
    pub span: Span,
}

/// Statements under a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Macro {
    /// The name.
    pub name: Name,
    /// `$x`, `@x` or a bare name.
    pub params: Vec<Name>,
    /// What it stands for.
    pub body: Block,
}

/// A new name for probes, with statements to run first.
#[derive(Debug, Clone, PartialEq)]
pub struct Alias {
    /// The new name.
    pub probe: Probe,
    /// What it stands for.
    pub probes: Vec<Probe>,
    /// What runs first.
    pub prologue: Option<Block>,
    /// The whole item.
    pub span: Span,
}

/// A table over the calls of some probes.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The name.
    pub name: Name,
    /// The calls.
    pub probes: Vec<Probe>,
    /// `where`
    pub filter: Option<Expr>,
    /// `by`
    pub keys: Vec<Key>,
    /// What is between the braces.
    pub columns: Vec<Column>,
    /// What follows the braces.
    pub clauses: Vec<Clause>,
}

/// One key of a `by`.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// What is grouped by.
    pub value: Expr,
    /// As it was written, on one line: its heading.
    pub text: String,
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The name.
    pub name: Name,
    /// What it computes.
    pub value: Expr,
    /// `if`
    pub condition: Option<Expr>,
    /// `as`
    pub unit: Option<Name>,
}

/// What may follow a table's columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// Which one.
    pub kind: ClauseKind,
    /// The whole clause.
    pub span: Span,
}

/// The clauses after a table's columns.
#[derive(Debug, Clone, PartialEq)]
pub enum ClauseKind {
    /// `having EXPR`
    Having(Expr),
    /// `sort COLUMN [asc|desc]`; without a direction the smallest comes first, as in SQL.
    Sort {
        /// What is compared.
        by: Name,
        /// Largest first.
        descending: bool,
    },
    /// `limit N`
    Limit(Expr),
    /// `pivot KEY [vs "baseline"]`
    Pivot {
        /// The key whose values become groups of columns; one of the `by` or one more.
        key: Key,
        /// The value that the others are compared with.
        baseline: Option<Text>,
    },
    /// `every TIME`
    Every(Expr),
    /// `title "text"`
    Title(Text),
}

/// A condition on the results.
#[derive(Clone, PartialEq)]
pub struct Check {
    /// What is promised.
    pub text: Text,
    /// The condition.
    pub condition: Expr,
    /// The condition as it was written, on one line.
    pub written: String,
    /// The whole item.
    pub span: Span,
}

/// Statements that run at an event.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeBlock {
    /// The events.
    pub probes: Vec<Probe>,
    /// Which of them.
    pub predicate: Option<Expr>,
    /// What runs.
    pub body: Block,
}

/// C code at the place of an item.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreign {
    /// Its first word, such as `struct` or `#include`.
    pub word: String,
    /// The whole item.
    pub span: Span,
}

/// `KIND:SEGMENT:…`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What is before the first `:`.
    pub kind: Name,
    /// The parts after it.
    pub segments: Vec<Name>,
    /// The whole probe.
    pub span: Span,
}
