//! What a script decides about its results: conditions over rows and over the whole run. They are
//! evaluated in user space.

use crate::ast::Amount;
use crate::types::Type;

use super::BinaryOp;

/// A typed expression over results.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultExpr {
    /// What it computes.
    pub kind: ResultKind,
    /// The type of its value.
    pub ty: Type,
}

/// The kinds of expressions over results. What has no value makes what is computed from it have none. In
/// a `having` a comparison that has no value is false, as in a `where`; in a check it has none, unless the
/// other side of `&&` or `||` decides alone.
#[derive(Debug, Clone, PartialEq)]
pub enum ResultKind {
    /// A literal or a parameter's value, in the base unit.
    Number(Amount),
    /// A column of the row: index into [`super::Table::columns`].
    Column(usize),
    /// A key of the row: index into [`super::Table::keys`].
    Key(usize),
    /// Whether a key of the row has a value that the script names, or another one.
    KeyIs {
        /// Index into [`super::Table::keys`].
        key: usize,
        /// What it is compared with.
        value: KeyValue,
        /// By `==`, not by `!=`.
        equal: bool,
    },
    /// A column of one row of a table; no value if there is no such row.
    Cell(Cell),
    /// What a map holds for a key; what counts and adds up is 0 if there is no such key, others have no value.
    Entry(Entry),
    /// Something about the whole run.
    Run(RunValue),
    /// Minus.
    Negate(Box<ResultExpr>),
    /// Not.
    Not(Box<ResultExpr>),
    /// Arithmetic, comparison or logic. A division by zero has no value.
    Binary(BinaryOp, Box<ResultExpr>, Box<ResultExpr>),
}

/// A column of one row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Index into [`super::Plan::tables`].
    pub table: usize,
    /// One for each of [`super::Table::keys`].
    pub keys: Vec<KeyValue>,
    /// Index into [`super::Table::columns`].
    pub column: usize,
}

/// What a map holds for one key: one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Index into [`super::Plan::maps`].
    pub map: usize,
    /// One for each key.
    pub keys: Vec<KeyValue>,
}

/// What is known of the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunValue {
    /// Calls that completed and are not in the tables.
    Lost,
    /// Returns without an entry.
    Unmatched,
    /// What probes cost a call; no value if it could not be measured.
    ProbeCost,
    /// The time from the first probe to the end.
    Elapsed,
}

impl RunValue {
    /// The names in scripts, and the types.
    pub const ALL: &[(&str, RunValue, Type)] = &[
        ("lost", RunValue::Lost, Type::Int),
        ("unmatched", RunValue::Unmatched, Type::Int),
        ("probe_cost", RunValue::ProbeCost, Type::Time),
        ("elapsed", RunValue::Elapsed, Type::Time),
    ];
}

/// What a script promises about its results. It is held against the rows that `having` lets pass, before
/// the limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// What is promised, in the script's words.
    pub text: String,
    /// The condition as it was written, on one line.
    pub written: String,
    /// The condition, of type [`Type::Bool`].
    pub condition: ResultExpr,
    /// The table for each of whose rows it has to hold; its columns are [`ResultKind::Column`].
    pub rows_of: Option<usize>,
}

/// A key whose values become groups of columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Pivot {
    /// Index into [`super::Table::keys`].
    pub key: usize,
    /// What the others are compared with.
    pub baseline: Option<Baseline>,
}

/// The value of a pivoted key that the others are compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// As the script names it.
    pub name: String,
    /// The value.
    pub value: KeyValue,
    /// The column whose ratio is shown: index into [`super::Table::columns`]. One only, so that several
    /// runtimes fit side by side: the column that the table is sorted by, else the first time, else the
    /// first column.
    pub ratio_of: usize,
}

/// A value of a key, as a script names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyValue {
    /// A number, an errno, a WASI function by its index.
    Number(i64),
    /// A text, the name of a module, or the name of a runtime with or without its version.
    Text(String),
}
