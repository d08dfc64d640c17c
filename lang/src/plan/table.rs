//! Tables: what user space computes of groups and how it is printed.

use crate::types::Type;

use super::{BinaryOp, Pivot, ResultExpr, SlotId, StoreId};

/// A table as it is printed.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The name in the script.
    pub name: String,
    /// Where its groups are.
    pub store: StoreId,
    /// The headings of the keys, one for each of [`super::Store::keys`].
    pub keys: Vec<String>,
    /// The columns after the keys.
    pub columns: Vec<Column>,
    /// What stands above it instead of its name.
    pub title: Option<String>,
    /// Only rows for which this holds, of type [`Type::Bool`].
    pub having: Option<ResultExpr>,
    /// What rows are sorted by. None: by the keys, ascending.
    pub sort: Option<Sort>,
    /// At most so many rows.
    pub limit: Option<usize>,
    /// The key whose values stand side by side.
    pub pivot: Option<Pivot>,
    /// While the script runs it is printed each time that so many nanoseconds have passed.
    pub every: Option<u64>,
}

/// A column: a name, what it computes, and how it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The name in the script.
    pub name: String,
    /// What it computes, in floating point, in user space.
    pub value: ColumnExpr,
    /// The type of its value; [`Type::Int`] for plain numbers and ratios.
    pub ty: Type,
    /// How it is shown.
    pub unit: Unit,
}

/// How a column is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// As its type suggests: a time or size in the unit that fits the whole column, a whole number
    /// without a fraction.
    Auto,
    /// Nanoseconds.
    Ns,
    /// Microseconds.
    Us,
    /// Milliseconds.
    Ms,
    /// Seconds.
    S,
    /// Bytes, scaled to KiB, MiB and so on cell by cell.
    Bytes,
    /// Times 100.
    Pct,
    /// A whole number, in the base unit: nanoseconds for a time, bytes for a size.
    Int,
    /// A whole number in base 16.
    Hex,
    /// What there is of it in a second.
    Rate,
    /// The steps of a series, a character each.
    Spark,
    /// A bar; that of the column's largest value is the longest.
    Bar,
}

/// An expression over the slots of one group.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnExpr {
    /// A literal, in the base unit (ns, bytes).
    Number(f64),
    /// An aggregate.
    Aggregate(Aggregate),
    /// A series, [`super::SlotKind::Series`]; as a number, its last step.
    Series(SlotId),
    /// A histogram, [`super::SlotKind::Histogram`], of values of this type; as a number, how many values it holds.
    Histogram(SlotId, Type),
    /// How often another store counted for the row: `wasi_calls`.
    Elsewhere {
        /// A store with one [`super::SlotKind::Count`].
        store: StoreId,
        /// Which keys of the row are its keys, in order.
        keys: Vec<usize>,
    },
    /// Minus.
    Negate(Box<ColumnExpr>),
    /// `+ - * / %`; a division by zero has no value.
    Binary(BinaryOp, Box<ColumnExpr>, Box<ColumnExpr>),
    /// One or the other.
    Choose {
        /// What decides.
        condition: Box<ColumnCondition>,
        /// If it holds.
        then: Box<ColumnExpr>,
        /// If it does not.
        otherwise: Box<ColumnExpr>,
    },
    /// The value divided by its sum over all groups of the store, or over those with the same value of
    /// the key that the table is pivoted by.
    Share(Box<ColumnExpr>),
}

/// A condition over the slots of one group.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnCondition {
    /// `== != < <= > >=`; false if a side has no value.
    Compare(BinaryOp, ColumnExpr, ColumnExpr),
    /// `&& ||`
    Logic(BinaryOp, Box<ColumnCondition>, Box<ColumnCondition>),
    /// Not.
    Not(Box<ColumnCondition>),
}

impl ColumnExpr {
    /// The expressions that it is made of.
    pub fn parts(&self) -> Vec<&ColumnExpr> {
        match self {
            ColumnExpr::Number(_)
            | ColumnExpr::Aggregate(_)
            | ColumnExpr::Series(_)
            | ColumnExpr::Histogram(..)
            | ColumnExpr::Elsewhere { .. } => Vec::new(),
            ColumnExpr::Negate(inner) | ColumnExpr::Share(inner) => vec![inner],
            ColumnExpr::Binary(_, left, right) => vec![left, right],
            ColumnExpr::Choose {
                condition,
                then,
                otherwise,
            } => {
                let mut parts = condition.parts();
                parts.extend([&**then, otherwise]);
                parts
            }
        }
    }
}

impl ColumnCondition {
    /// The expressions that it compares.
    pub fn parts(&self) -> Vec<&ColumnExpr> {
        match self {
            ColumnCondition::Compare(_, left, right) => vec![left, right],
            ColumnCondition::Logic(_, left, right) => [left.parts(), right.parts()].concat(),
            ColumnCondition::Not(inner) => inner.parts(),
        }
    }
}

/// What is computed from a group's slots.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aggregate {
    /// The count itself.
    Count {
        /// [`super::SlotKind::Count`]
        count: SlotId,
    },
    /// The sum; no value when no call had one.
    Sum {
        /// [`super::SlotKind::Sum`]
        sum: SlotId,
        /// [`super::SlotKind::Values`]
        values: SlotId,
    },
    /// Sum divided by the seconds since the first probe; no value when no call had one.
    Rate {
        /// [`super::SlotKind::Sum`]
        sum: SlotId,
        /// [`super::SlotKind::Values`]
        values: SlotId,
    },
    /// Sum divided by the number of values.
    Avg {
        /// [`super::SlotKind::Sum`]
        sum: SlotId,
        /// [`super::SlotKind::Values`]
        values: SlotId,
    },
    /// The smallest value.
    Min {
        /// [`super::SlotKind::Min`]
        min: SlotId,
        /// [`super::SlotKind::Values`]
        values: SlotId,
    },
    /// The largest value.
    Max {
        /// [`super::SlotKind::Max`]
        max: SlotId,
        /// [`super::SlotKind::Values`]
        values: SlotId,
    },
    /// The standard deviation of the values (of the population: divided by their number).
    Stddev {
        /// [`super::SlotKind::Sum`]
        sum: SlotId,
        /// [`super::SlotKind::SumOfSquares`]
        squares: SlotId,
        /// [`super::SlotKind::Values`]
        values: SlotId,
    },
    /// The value below which the share `q` of the values lie. At most 1.6 % off.
    Quantile {
        /// [`super::SlotKind::Histogram`]
        histogram: SlotId,
        /// [`super::SlotKind::Min`]: bounds the result from below
        min: SlotId,
        /// [`super::SlotKind::Max`]: bounds the result from above
        max: SlotId,
        /// 0 to 1.
        q: f64,
    },
}

/// The order of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// What is compared.
    pub by: SortBy,
    /// Largest first.
    pub descending: bool,
}

/// What rows are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortBy {
    /// Index into [`Table::keys`].
    Key(usize),
    /// Index into [`Table::columns`].
    Column(usize),
}
