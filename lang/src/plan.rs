//! The plan of a script: everything that can be decided before the kernel. It is the contract between
//! this crate and the rest: what to probe, what to do at each call, what to keep, what to print.

mod result;

pub use result::{Baseline, Cell, Check, KeyValue, Pivot, ResultExpr, ResultKind, RunValue};

use crate::builtin::Builtin;
use crate::types::Type;
use crate::wasi::FunctionSet;

/// What a script is, ready to be turned into eBPF and tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What each probe does, in the order of the script.
    pub clauses: Vec<Clause>,
    /// What the kernel keeps.
    pub stores: Vec<Store>,
    /// What is printed at the end, in the order of the script.
    pub tables: Vec<Table>,
    /// What has to hold at the end, in the order of the script.
    pub checks: Vec<Check>,
}

/// Index into [`Plan::stores`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoreId(pub usize);

/// Index into [`Store::slots`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(pub usize);

/// At each completed call of these probes that passes the filter, do the actions.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// The calls it listens to. A call that several probes match counts once.
    pub probes: Vec<Probe>,
    /// The `where`, of type [`Type::Bool`].
    pub filter: Option<Expr>,
    /// What is done, in order.
    pub actions: Vec<Action>,
}

/// The WASI functions that a clause listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// The functions.
    pub functions: FunctionSet,
    /// One runtime, as an index into the catalogue's names; all runtimes if there is none.
    pub runtime: Option<u8>,
}

/// One thing done at a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Find the group that the call belongs to and update every slot of it.
    Record(StoreId),
}

/// Groups of calls: a key, and for each key a row of slots. One look-up per call.
#[derive(Debug, Clone, PartialEq)]
pub struct Store {
    /// The name of the table that it serves.
    pub name: String,
    /// What calls are grouped by. No key: one group.
    pub keys: Vec<Expr>,
    /// What each group holds.
    pub slots: Vec<Slot>,
}

/// One number or histogram that a group holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    /// What it accumulates.
    pub kind: SlotKind,
    /// Only calls for which this holds, of type [`Type::Bool`].
    pub condition: Option<Expr>,
}

/// What a slot accumulates. A call for which the expression has no value leaves the slot as it is.
#[derive(Debug, Clone, PartialEq)]
pub enum SlotKind {
    /// The number of calls.
    Count,
    /// The number of calls for which the expression has a value.
    Values(Expr),
    /// The sum, wrapping at 64 bits.
    Sum(Expr),
    /// The sum of the squares, in 128 bits.
    SumOfSquares(Expr),
    /// The smallest value.
    Min(Expr),
    /// The largest value.
    Max(Expr),
    /// A log-linear histogram with 32 steps for each power of two. Values below 0 count as 0.
    Histogram(Expr),
}

/// A typed expression over the builtins of one call, evaluated in the kernel.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it computes.
    pub kind: ExprKind,
    /// The type of its value.
    pub ty: Type,
}

/// The kinds of expressions. A builtin that has no value makes the expression have none; a comparison
/// of a value that is none is false. A condition that has no value, such as `ok`, is false, and so is its
/// negation.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A literal, a parameter's value, a named value's number; for [`Type::Bool`] 0 or 1.
    Const(i64),
    /// A text to compare with. At most [`crate::builtin::TEXT_LEN`] - 1 bytes.
    Text(String),
    /// A field of the call.
    Builtin(&'static Builtin),
    /// Minus.
    Negate(Box<Expr>),
    /// Not.
    Not(Box<Expr>),
    /// Arithmetic, comparison or logic.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
}

/// The binary operators. Division by zero gives 0 and the remainder of a division by zero the
/// dividend, as the eBPF instruction set defines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`, signed
    Div,
    /// `%`, signed
    Rem,
    /// `==`. For [`crate::types::Enumeration::Runtime`]: the low byte of both.
    Eq,
    /// `!=`
    Ne,
    /// `<`, signed
    Lt,
    /// `<=`, signed
    Le,
    /// `>`, signed
    Gt,
    /// `>=`, signed
    Ge,
    /// `&&`; the right side is not evaluated when the left one is false.
    And,
    /// `||`; the right side is not evaluated when the left one is true.
    Or,
}

/// A table as it is printed.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The name in the script.
    pub name: String,
    /// Where its groups are.
    pub store: StoreId,
    /// The headings of the keys, one for each of [`Store::keys`].
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
    /// Minus.
    Negate(Box<ColumnExpr>),
    /// `+ - * / %`; a division by zero has no value.
    Binary(BinaryOp, Box<ColumnExpr>, Box<ColumnExpr>),
    /// The value divided by its sum over all groups of the store, or over those with the same value of
    /// the key that the table is pivoted by.
    Share(Box<ColumnExpr>),
}

/// What is computed from a group's slots.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aggregate {
    /// The count itself.
    Count {
        /// [`SlotKind::Count`]
        count: SlotId,
    },
    /// The sum; no value when no call had one.
    Sum {
        /// [`SlotKind::Sum`]
        sum: SlotId,
        /// [`SlotKind::Values`]
        values: SlotId,
    },
    /// Sum divided by the seconds since the first probe; no value when no call had one.
    Rate {
        /// [`SlotKind::Sum`]
        sum: SlotId,
        /// [`SlotKind::Values`]
        values: SlotId,
    },
    /// Sum divided by the number of values.
    Avg {
        /// [`SlotKind::Sum`]
        sum: SlotId,
        /// [`SlotKind::Values`]
        values: SlotId,
    },
    /// The smallest value.
    Min {
        /// [`SlotKind::Min`]
        min: SlotId,
        /// [`SlotKind::Values`]
        values: SlotId,
    },
    /// The largest value.
    Max {
        /// [`SlotKind::Max`]
        max: SlotId,
        /// [`SlotKind::Values`]
        values: SlotId,
    },
    /// The standard deviation of the values (of the population: divided by their number).
    Stddev {
        /// [`SlotKind::Sum`]
        sum: SlotId,
        /// [`SlotKind::SumOfSquares`]
        squares: SlotId,
        /// [`SlotKind::Values`]
        values: SlotId,
    },
    /// The value below which the share `q` of the values lie. At most 1.6 % off.
    Quantile {
        /// [`SlotKind::Histogram`]
        histogram: SlotId,
        /// [`SlotKind::Min`]: bounds the result from below
        min: SlotId,
        /// [`SlotKind::Max`]: bounds the result from above
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

impl Plan {
    /// The functions that any clause listens to.
    pub fn functions(&self) -> FunctionSet {
        self.clauses
            .iter()
            .flat_map(|clause| &clause.probes)
            .fold(FunctionSet::EMPTY, |set, probe| set.union(probe.functions))
    }

    /// Every expression that the kernel evaluates.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let filters = self
            .clauses
            .iter()
            .filter_map(|clause| clause.filter.as_ref());
        let keys = self.stores.iter().flat_map(|store| &store.keys);
        let slots = self
            .stores
            .iter()
            .flat_map(|store| &store.slots)
            .flat_map(|slot| slot.condition.iter().chain(slot.kind.value()));
        filters.chain(keys).chain(slots)
    }

    /// Whether any expression reads this builtin.
    pub fn reads(&self, builtin: &Builtin) -> bool {
        self.expressions()
            .any(|expr| expr.reads(&mut |read| read == builtin))
    }
}

impl SlotKind {
    /// The expression that it accumulates.
    pub fn value(&self) -> Option<&Expr> {
        match self {
            SlotKind::Count => None,
            SlotKind::Values(expr)
            | SlotKind::Sum(expr)
            | SlotKind::SumOfSquares(expr)
            | SlotKind::Min(expr)
            | SlotKind::Max(expr)
            | SlotKind::Histogram(expr) => Some(expr),
        }
    }
}

impl Expr {
    /// Whether any builtin that the expression reads satisfies the predicate.
    pub fn reads(&self, predicate: &mut dyn FnMut(&'static Builtin) -> bool) -> bool {
        match &self.kind {
            ExprKind::Const(_) | ExprKind::Text(_) => false,
            ExprKind::Builtin(builtin) => predicate(builtin),
            ExprKind::Negate(inner) | ExprKind::Not(inner) => inner.reads(predicate),
            ExprKind::Binary(_, left, right) => left.reads(predicate) || right.reads(predicate),
        }
    }
}
