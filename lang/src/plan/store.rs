//! What the kernel keeps, and how maps show it.

use crate::types::Type;

use super::{Aggregate, Shape, SlotId, StoreId};

/// Groups: a key, and for each key a row of slots.
#[derive(Debug, Clone, PartialEq)]
pub struct Store {
    /// The name of the table, or `@` and the name of the map, that it serves.
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
    /// The last value; the number 0 before the first. All CPUs share it, so that it can be read. An
    /// update whose value reads the slot itself is not atomic: of two at the same time one may be lost.
    Last,
    /// The last text, symbol or buffer, in so many bytes; empty before the first. All CPUs share it.
    Text(u16),
    /// What the values of each of the last steps come to.
    Series {
        /// Nanoseconds.
        step: u64,
        /// How many steps are kept: 1 to 4096.
        steps: u16,
        /// What values of one step come to.
        fold: Fold,
    },
    /// As [`SlotKind::Last`], and an update adds its value to it, atomically.
    Tally,
}

/// What several values come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fold {
    /// Their sum.
    Sum,
    /// Their average.
    Avg,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The last one.
    Last,
}

/// The ranges of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Buckets {
    /// 32 steps for each power of two, exact below 64. Values below 0 count as 0, values from 2^42 on as one.
    LogLinear,
    /// 2^bits steps of one size for each power of two, those below 2^(bits + 1) exact, and one for values
    /// below 0.
    Log2 {
        /// 0 to [`Buckets::MAX_BITS`].
        bits: u8,
    },
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

impl Buckets {
    /// The most [`Buckets::Log2::bits`], as in bpftrace.
    pub const MAX_BITS: u8 = 5;
}

/// A map of the script: `@name`.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// The name without `@`; empty for `@` alone.
    pub name: String,
    /// What its keys are called: the texts of their expressions, where the script writes some out.
    pub keys: Vec<Option<String>>,
    /// How its keys belong together, where a key is a tuple among others.
    pub key_shape: Option<Shape>,
    /// Where it is kept.
    pub store: StoreId,
    /// What a group of it shows.
    pub value: MapValue,
    /// What its values mean.
    pub ty: Type,
    /// For [`MapValue::Tuple`] how its slots belong together.
    pub shape: Option<Shape>,
}

/// What a map shows for each key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MapValue {
    /// An aggregate, one number. The extremes of [`Type::Unsigned`] have their highest bit inverted, so that the
    /// order of signed numbers is theirs.
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
    /// A value that the script assigns or counts: [`SlotKind::Last`], [`SlotKind::Text`] or
    /// [`SlotKind::Tally`].
    Number(SlotId),
    /// A tuple that the script assigns: the slots from the first on, as [`Map::shape`] says.
    Tuple,
    /// A series: [`SlotKind::Series`].
    Series(SlotId),
}
