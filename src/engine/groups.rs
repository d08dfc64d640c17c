//! The groups of a store: what the kernel kept for each CPU, put together.

use std::collections::HashMap;
use std::io;

use aya::maps::MapData;
use ewapa_codegen::histogram::BUCKETS;
use ewapa_codegen::layout::StoreLayout;
use ewapa_codegen::slot::decode_extreme;
use ewapa_lang::plan::{Slot, SlotKind, Store};
use ewapa_lang::types::Type;

use super::batch;

/// The value of one key of a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A number, a time, an enum; [`ewapa_lang::builtin::NONE`] for none.
    Number(i64),
    /// Bytes of the traced process, as they came.
    Text(Vec<u8>),
}

/// What a slot holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A count or a sum.
    Sum(i64),
    /// A sum of squares.
    Wide(u128),
    /// An extreme as the kernel keeps it; the larger one wins.
    Extreme(u64),
    /// The buckets that are not empty, by index.
    Histogram(Vec<(u16, u64)>),
}

/// A group of calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// One for each key of the store.
    pub keys: Vec<Key>,
    /// One for each slot of the store.
    pub values: Vec<Value>,
}

/// Reads the groups of a store, in no particular order.
///
/// # Errors
/// The kernel refuses to read the map.
pub fn read(map: &MapData, store: &Store, layout: &StoreLayout) -> io::Result<Vec<Group>> {
    let mut groups: HashMap<Vec<u8>, Vec<Value>> = HashMap::new();
    batch::for_each_row(map, layout, |key, value| {
        // The first eight bytes of a row's key are the CPU.
        let key = key.get(8..).unwrap_or_default();
        let values = store
            .slots
            .iter()
            .zip(&layout.slots)
            .map(|(slot, offset)| decode(slot, &value[*offset..]));
        match groups.get_mut(key) {
            Some(group) => group
                .iter_mut()
                .zip(values)
                .for_each(|(into, value)| merge(into, value)),
            None => {
                groups.insert(key.to_owned(), values.collect());
            }
        }
    })?;
    if store.keys.is_empty() && groups.is_empty() {
        // A table without keys has one row, also when there was no call.
        let zeros = vec![0; layout.value_size];
        let values = store.slots.iter().zip(&layout.slots);
        groups.insert(
            Vec::new(),
            values
                .map(|(slot, offset)| decode(slot, &zeros[*offset..]))
                .collect(),
        );
    }
    Ok(groups
        .into_iter()
        .map(|(key, values)| Group {
            keys: decode_key(&key, layout),
            values,
        })
        .collect())
}

fn word(bytes: &[u8], index: usize) -> u64 {
    u64::from_ne_bytes(
        bytes[8 * index..8 * index + 8]
            .try_into()
            .expect("eight bytes"),
    )
}

fn decode_key(key: &[u8], layout: &StoreLayout) -> Vec<Key> {
    let decode = |field: &ewapa_codegen::layout::KeyField| {
        let bytes = &key[field.offset - 8..];
        if field.ty == Type::Text {
            let text = &bytes[..ewapa_lang::builtin::TEXT_LEN];
            let end = text
                .iter()
                .position(|byte| *byte == 0)
                .unwrap_or(text.len());
            Key::Text(text[..end].to_vec())
        } else {
            Key::Number(word(bytes, 0) as i64)
        }
    };
    layout.keys.iter().map(decode).collect()
}

fn decode(slot: &Slot, bytes: &[u8]) -> Value {
    match slot.kind {
        SlotKind::Count | SlotKind::Values(_) | SlotKind::Sum(_) => {
            Value::Sum(word(bytes, 0) as i64)
        }
        SlotKind::SumOfSquares(_) => {
            Value::Wide(u128::from(word(bytes, 1)) << 64 | u128::from(word(bytes, 0)))
        }
        SlotKind::Min(_) | SlotKind::Max(_) => Value::Extreme(word(bytes, 0)),
        SlotKind::Histogram(_) => {
            let buckets = (0..BUCKETS).map(|index| (index as u16, word(bytes, index)));
            Value::Histogram(buckets.filter(|(_, count)| *count > 0).collect())
        }
    }
}

fn merge(into: &mut Value, other: Value) {
    match (into, other) {
        (Value::Sum(into), Value::Sum(other)) => *into = into.wrapping_add(other),
        (Value::Wide(into), Value::Wide(other)) => *into = into.wrapping_add(other),
        (Value::Extreme(into), Value::Extreme(other)) => *into = (*into).max(other),
        (Value::Histogram(into), Value::Histogram(other)) => {
            for (index, count) in other {
                match into.binary_search_by_key(&index, |(known, _)| *known) {
                    Ok(at) => into[at].1 += count,
                    Err(at) => into.insert(at, (index, count)),
                }
            }
        }
        _ => unreachable!("the values of one slot are of one kind"),
    }
}

impl Value {
    /// A count or a sum.
    pub fn sum(&self) -> i64 {
        match self {
            Value::Sum(sum) => *sum,
            _ => unreachable!("the plan names a slot of this kind"),
        }
    }

    /// A sum of squares.
    pub fn wide(&self) -> u128 {
        match self {
            Value::Wide(wide) => *wide,
            _ => unreachable!("the plan names a slot of this kind"),
        }
    }

    /// The smallest or largest value; none if there was no value.
    pub fn extreme(&self, minimum: bool) -> Option<i64> {
        match self {
            // Kept as 0: below every value.
            Value::Extreme(0) => None,
            Value::Extreme(kept) => Some(decode_extreme(*kept, minimum)),
            _ => unreachable!("the plan names a slot of this kind"),
        }
    }

    /// The buckets that are not empty.
    pub fn histogram(&self) -> &[(u16, u64)] {
        match self {
            Value::Histogram(buckets) => buckets,
            _ => unreachable!("the plan names a slot of this kind"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpus_of_a_group_are_added_up() {
        let mut sum = Value::Sum(3);
        merge(&mut sum, Value::Sum(4));
        assert_eq!(sum, Value::Sum(7));
        let mut extreme = Value::Extreme(3);
        merge(&mut extreme, Value::Extreme(9));
        assert_eq!(extreme, Value::Extreme(9));
        let mut histogram = Value::Histogram(vec![(1, 2), (5, 1)]);
        merge(&mut histogram, Value::Histogram(vec![(3, 1), (5, 4)]));
        assert_eq!(histogram, Value::Histogram(vec![(1, 2), (3, 1), (5, 5)]));
    }

    #[test]
    fn an_extreme_of_no_value_is_none() {
        assert_eq!(Value::Extreme(0).extreme(true), None);
    }
}
