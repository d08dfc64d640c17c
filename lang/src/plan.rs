//! The plan of a script: everything that can be decided before the kernel. It is the contract between
//! this crate and the rest: what to probe, what to do at each call, what to keep, what to print.

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
    /// The maps of the script, in the order in which it names them.
    pub maps: Vec<Map>,
    /// What user space is told of, and what it does then.
    pub messages: Vec<Message>,
}

/// Index into [`Plan::stores`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoreId(pub usize);

/// Index into [`Store::slots`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(pub usize);

/// Index into [`Plan::messages`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub usize);

/// A `$variable` of a clause: 0 up to [`Clause::variables`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VariableId(pub usize);

/// At each event that passes the filter, do the actions.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// What it waits for.
    pub event: Event,
    /// The `where` or the predicate, of type [`Type::Bool`].
    pub filter: Option<Expr>,
    /// How many variables the actions use.
    pub variables: usize,
    /// What is done, in order.
    pub actions: Vec<Action>,
}

/// What a clause waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A completed WASI call. One that several probes match counts once.
    Wasi(Vec<Probe>),
    /// Before the first call.
    Begin,
    /// After the last one.
    End,
    /// Each time that so many nanoseconds have passed.
    Interval(u64),
}

/// WASI functions that a clause listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// The functions.
    pub functions: FunctionSet,
    /// One runtime, as an index into the catalogue's names; all runtimes if there is none.
    pub runtime: Option<u8>,
}

/// One thing done at an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Find a group and update slots of it.
    Record(Record),
    /// Forget a group.
    Delete {
        /// Where it is.
        store: StoreId,
        /// Which one.
        keys: Vec<Expr>,
    },
    /// `$variable = value`. A value that is none makes the variable none.
    Assign {
        /// The variable.
        variable: VariableId,
        /// Its new value.
        value: Expr,
    },
    /// Do one or the other.
    If {
        /// Of type [`Type::Bool`].
        condition: Expr,
        /// If it holds.
        then: Vec<Action>,
        /// If it does not.
        otherwise: Vec<Action>,
    },
    /// Tell user space. What is told in one event arrives in order; what finds no room is counted.
    Tell {
        /// What of.
        message: MessageId,
        /// The message's values.
        values: Vec<Expr>,
    },
    /// Nothing more at this event in this clause.
    Return,
}

/// The update of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Where the group is.
    pub store: StoreId,
    /// Which group: one for each of [`Store::keys`].
    pub keys: Vec<Expr>,
    /// What changes. One look-up for all.
    pub updates: Vec<Update>,
}

/// The update of one slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// The slot.
    pub slot: SlotId,
    /// The value, for every slot but [`SlotKind::Count`]. If it is none the slot stays as it is.
    pub value: Option<Expr>,
    /// Only if this holds, of type [`Type::Bool`].
    pub condition: Option<Expr>,
}

/// Groups: a key, and for each key a row of slots.
#[derive(Debug, Clone, PartialEq)]
pub struct Store {
    /// The name of the table or map that it serves.
    pub name: String,
    /// The types of the keys. No key: one group.
    pub keys: Vec<Type>,
    /// What each group holds.
    pub slots: Vec<SlotKind>,
}

/// What a slot accumulates of the values that updates bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotKind {
    /// The number of updates; they bring no value.
    Count,
    /// The number of values.
    Values,
    /// The sum, wrapping at 64 bits.
    Sum,
    /// The sum of the squares, in 128 bits.
    SumOfSquares,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// How many values were in which range.
    Histogram(Buckets),
    /// The last value; the number 0 before the first. All CPUs share it, so that it can be read.
    Last,
    /// As [`SlotKind::Last`], and an update adds its value to it.
    Tally,
}

/// The ranges of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Buckets {
    /// 32 steps for each power of two, exact below 64. Values below 0 count as 0, values from 2^42 on as one.
    LogLinear,
    /// One for each power of two, and one each for 0 and for values below.
    Log2,
    /// Steps of one size, and one range each for values below the first and from the end on.
    Linear {
        /// The smallest value of the first step.
        min: i64,
        /// The smallest value after the last step.
        max: i64,
        /// The size of a step, above 0.
        step: i64,
    },
}

/// A map of the script: `@name`.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// The name without `@`; empty for `@` alone.
    pub name: String,
    /// Where it is kept.
    pub store: StoreId,
    /// What a group of it shows.
    pub value: MapValue,
    /// What its values mean.
    pub ty: Type,
}

/// What a map shows for each key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MapValue {
    /// An aggregate, one number.
    Aggregate(Aggregate),
    /// `stats()`: count, average and total.
    Stats {
        /// [`SlotKind::Sum`]
        sum: SlotId,
        /// [`SlotKind::Values`]
        values: SlotId,
    },
    /// A histogram.
    Histogram(SlotId),
    /// A number that the script assigns or counts: [`SlotKind::Last`] or [`SlotKind::Tally`].
    Number(SlotId),
}

/// What user space is told of.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// What it does then.
    pub kind: MessageKind,
    /// The types of the values that come with it.
    pub values: Vec<Type>,
}

/// What user space does on a message.
#[derive(Debug, Clone, PartialEq)]
pub enum MessageKind {
    /// `printf`: the pieces of the format.
    Printf(Vec<Piece>),
    /// `time`: the format of strftime(3).
    Time(String),
    /// `print(@map, top)`: prints a map, the largest `top` values of it.
    Print {
        /// Index into [`Plan::maps`].
        map: usize,
        /// At most so many keys.
        top: Option<usize>,
    },
    /// `clear(@map)`: forgets every key.
    Clear {
        /// Index into [`Plan::maps`].
        map: usize,
    },
    /// `zero(@map)`: every value becomes 0.
    Zero {
        /// Index into [`Plan::maps`].
        map: usize,
    },
    /// `exit()`: ends the run.
    Exit,
}

/// A piece of a format.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// As it is.
    Text(String),
    /// The next value.
    Value(Conversion),
}

/// A conversion of printf(3): `%-12s`, `%5d`, `%llx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversion {
    /// What the value is shown as.
    pub show: Show,
    /// At least so many characters.
    pub width: usize,
    /// At most so many characters of a text.
    pub precision: Option<usize>,
    /// `-`: filled on the right.
    pub left: bool,
    /// `0`: filled with zeros.
    pub zeros: bool,
    /// `#`: with the base.
    pub alternate: bool,
    /// `+`: with the sign.
    pub sign: bool,
}

/// What a conversion shows a value as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// `%d %i`
    Signed,
    /// `%u`
    Unsigned,
    /// `%x`
    LowerHex,
    /// `%X`
    UpperHex,
    /// `%o`
    Octal,
    /// `%c`
    Char,
    /// `%s`: a text, or the name of an enum's value.
    Text,
    /// `%p`
    Pointer,
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
    /// A `$variable`; none before it is assigned.
    Variable(VariableId),
    /// The number that a map holds for a key; 0 if it has none.
    Map {
        /// A store whose only slot is [`SlotKind::Last`] or [`SlotKind::Tally`].
        store: StoreId,
        /// The key.
        keys: Vec<Expr>,
    },
    /// One or the other; the side that is not taken is not evaluated.
    Choose {
        /// Of type [`Type::Bool`].
        condition: Box<Expr>,
        /// If it holds.
        then: Box<Expr>,
        /// If it does not.
        otherwise: Box<Expr>,
    },
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
    /// What rows are sorted by. None: by the keys, ascending.
    pub sort: Option<Sort>,
    /// At most so many rows.
    pub limit: Option<usize>,
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
    /// The WASI functions that any clause listens to.
    pub fn functions(&self) -> FunctionSet {
        self.clauses
            .iter()
            .flat_map(Clause::probes)
            .fold(FunctionSet::EMPTY, |set, probe| set.union(probe.functions))
    }

    /// Whether any expression reads this builtin.
    pub fn reads(&self, builtin: &Builtin) -> bool {
        let mut read = |expr: &Expr| expr.reads(&mut |known| known == builtin);
        self.clauses.iter().any(|clause| {
            clause.filter.as_ref().is_some_and(&mut read)
                || clause
                    .actions
                    .iter()
                    .any(|action| action.any_expression(&mut read))
        })
    }
}

impl Clause {
    /// The WASI probes that it listens to; none for other events.
    pub fn probes(&self) -> &[Probe] {
        match &self.event {
            Event::Wasi(probes) => probes,
            Event::Begin | Event::End | Event::Interval(_) => &[],
        }
    }
}

impl Action {
    /// Whether any expression of the action, or of the actions within, satisfies the predicate.
    pub fn any_expression(&self, predicate: &mut dyn FnMut(&Expr) -> bool) -> bool {
        match self {
            Action::Record(record) => {
                record.keys.iter().any(&mut *predicate)
                    || record
                        .updates
                        .iter()
                        .flat_map(|update| update.value.iter().chain(&update.condition))
                        .any(predicate)
            }
            Action::Delete { keys, .. } => keys.iter().any(predicate),
            Action::Assign { value, .. } => predicate(value),
            Action::If {
                condition,
                then,
                otherwise,
            } => {
                predicate(condition)
                    || then
                        .iter()
                        .chain(otherwise)
                        .any(|action| action.any_expression(predicate))
            }
            Action::Tell { values, .. } => values.iter().any(predicate),
            Action::Return => false,
        }
    }
}

impl Expr {
    /// The expressions that it is made of.
    pub fn parts(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Const(_)
            | ExprKind::Text(_)
            | ExprKind::Variable(_)
            | ExprKind::Builtin(_) => Vec::new(),
            ExprKind::Negate(inner) | ExprKind::Not(inner) => vec![inner],
            ExprKind::Binary(_, left, right) => vec![left, right],
            ExprKind::Map { keys, .. } => keys.iter().collect(),
            ExprKind::Choose {
                condition,
                then,
                otherwise,
            } => vec![condition, then, otherwise],
        }
    }

    /// Whether any builtin that the expression reads satisfies the predicate.
    pub fn reads(&self, predicate: &mut dyn FnMut(&'static Builtin) -> bool) -> bool {
        match &self.kind {
            ExprKind::Builtin(builtin) => predicate(builtin),
            _ => self.parts().into_iter().any(|part| part.reads(predicate)),
        }
    }
}
