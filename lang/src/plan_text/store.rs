//! Stores and maps as text.

use std::fmt;

use crate::plan::{Buckets, Map, MapValue, SlotId, SlotKind, Store};

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.name)?;
        for key in &self.keys {
            writeln!(f, "  key {key}")?;
        }
        self.slots
            .iter()
            .enumerate()
            .try_for_each(|(index, slot)| writeln!(f, "  slot {index} {slot}"))
    }
}

impl fmt::Display for SlotKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SlotKind::Count => f.write_str("count"),
            SlotKind::Values => f.write_str("values"),
            SlotKind::Sum => f.write_str("sum"),
            SlotKind::SumOfSquares => f.write_str("sum of squares"),
            SlotKind::Min => f.write_str("min"),
            SlotKind::Max => f.write_str("max"),
            SlotKind::Last => f.write_str("last"),
            SlotKind::Tally => f.write_str("tally"),
            SlotKind::Text(bytes) => write!(f, "text of {bytes}B"),
            SlotKind::Series { step, steps, fold } => {
                write!(f, "series of {steps} steps of {step}ns, {fold:?}")
            }
            SlotKind::Histogram(Buckets::LogLinear) => f.write_str("histogram"),
            SlotKind::Histogram(Buckets::Log2 { bits: 0 }) => {
                f.write_str("histogram by powers of two")
            }
            SlotKind::Histogram(Buckets::Log2 { bits }) => {
                write!(f, "histogram with {} steps a power of two", 1 << bits)
            }
            SlotKind::Histogram(Buckets::Linear { min, max, step }) => {
                write!(f, "histogram from {min} to {max} by {step}")
            }
        }
    }
}

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl fmt::Display for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Map {
            name,
            keys: _,
            key_shape,
            store,
            value,
            ty,
            shape,
        } = self;
        write!(f, "@{name} from store {}: ", store.0)?;
        if let Some(shape) = key_shape {
            write!(f, "by {shape}, ")?;
        }
        match shape {
            Some(shape) => write!(f, "{shape}")?,
            None => write!(f, "{ty}")?,
        }
        write!(f, " = {value}")
    }
}

impl fmt::Display for MapValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MapValue::Aggregate(aggregate) => write!(f, "{aggregate}"),
            MapValue::Stats { sum, values } => write!(f, "stats({sum} {values})"),
            MapValue::Histogram(slot) => write!(f, "histogram({slot})"),
            MapValue::Number(slot) => write!(f, "number({slot})"),
            MapValue::Tuple => f.write_str("tuple"),
            MapValue::Series(slot) => write!(f, "series({slot})"),
        }
    }
}
