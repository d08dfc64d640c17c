//! The groups of a store: what the kernel kept for each CPU, put together.

use std::collections::HashMap;
use std::io;

use aya::maps::MapData;
use ewapa_codegen::histogram;
use ewapa_codegen::layout::{Field, MapKind, StoreLayout};
use ewapa_codegen::slot::{SERIES_STEP, decode_extreme};
use ewapa_lang::builtin::NONE;
use ewapa_lang::plan::{SlotKind, Store};
use ewapa_lang::types::Type;

use super::batch;

/// A value as the kernel tells it: a key of a group, a value of a message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Nothing.
    None,
    /// A number, a time, an enum.
    Number(i64),
    /// A text: bytes of the traced process, as they came, up to the first 0.
    Text(Vec<u8>),
    /// Bytes of the traced process, as they came.
    Bytes(Vec<u8>),
    /// An address, and the process that it is of: 0 for the kernel.
    Address {
        /// The address.
        address: u64,
        /// The process.
        pid: u32,
    },
}

/// What a slot holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A count or a sum, or the number that a script assigned.
    Sum(i64),
    /// A sum of squares.
    Wide(u128),
    /// An extreme as the kernel keeps it; the larger one wins.
    Extreme(u64),
    /// The buckets that are not empty, by index.
    Histogram(Vec<(u16, u64)>),
    /// The text, or another value of several words, that a script assigned: all bytes of its slot.
    Text(Vec<u8>),
    /// The steps that are not empty, by number.
    Series(Vec<(u64, Step)>),
}

/// What the values of one step of a series come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// How many values.
    pub count: u64,
    /// Their sum, or the last of them.
    pub sum: i64,
    /// Their extreme as the kernel keeps it.
    pub extreme: u64,
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
        let key = key.get(shared_from(layout)..).unwrap_or_default();
        let values = store
            .slots
            .iter()
            .zip(&layout.slots)
            .map(|(slot, offset)| decode(*slot, &value[*offset..]));
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
    if store.keys.is_empty() && groups.is_empty() && !store.slots.iter().any(is_assigned) {
        // A table without keys has one row, also when there was no call. What is assigned to a map is not there
        // before that, or after the map was cleared.
        let zeros = vec![0; layout.value_size];
        let values = store.slots.iter().zip(&layout.slots);
        groups.insert(
            Vec::new(),
            values
                .map(|(slot, offset)| decode(*slot, &zeros[*offset..]))
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

/// Whether a script assigns the slot, rather than recording values in it.
fn is_assigned(slot: &SlotKind) -> bool {
    matches!(slot, SlotKind::Last | SlotKind::Text(_) | SlotKind::Tally)
}

fn word(bytes: &[u8], index: usize) -> u64 {
    u64::from_ne_bytes(
        bytes[8 * index..8 * index + 8]
            .try_into()
            .expect("eight bytes"),
    )
}

/// Where the part of a row's key begins that all CPUs share.
pub fn shared_from(layout: &StoreLayout) -> usize {
    match layout.kind {
        // The first eight bytes are the CPU.
        MapKind::HashByCpu => 8,
        MapKind::PerCpuArray | MapKind::Shared => 0,
    }
}

fn decode_key(key: &[u8], layout: &StoreLayout) -> Vec<Key> {
    let skipped = shared_from(layout);
    let decode = |field: &Field| decode_field(&key[field.offset - skipped..], field);
    layout.keys.iter().map(decode).collect()
}

/// A key or a value of a message, at the start of the bytes.
pub fn decode_field(bytes: &[u8], field: &Field) -> Key {
    match decode_value(bytes, field.ty) {
        Key::Number(NONE) if field.optional => Key::None,
        key => key,
    }
}

/// The value at the start of the bytes, of a kind that is never none.
pub fn decode_value(bytes: &[u8], ty: Type) -> Key {
    match ty {
        Type::Text(_) => Key::Text(decode_text(&bytes[..ty.size()])),
        Type::Bytes(room) => {
            let length = usize::try_from(word(bytes, 0)).unwrap_or(usize::MAX);
            Key::Bytes(bytes[8..8 + length.min(usize::from(room))].to_vec())
        }
        Type::Address(_) => Key::Address {
            address: word(bytes, 0),
            pid: word(bytes, 1) as u32,
        },
        _ => Key::Number(word(bytes, 0) as i64),
    }
}

fn decode_text(bytes: &[u8]) -> Vec<u8> {
    let end = bytes.iter().position(|byte| *byte == 0);
    bytes[..end.unwrap_or(bytes.len())].to_vec()
}

fn decode(slot: SlotKind, bytes: &[u8]) -> Value {
    match slot {
        SlotKind::Count | SlotKind::Values | SlotKind::Sum | SlotKind::Last | SlotKind::Tally => {
            Value::Sum(word(bytes, 0) as i64)
        }
        SlotKind::SumOfSquares => {
            Value::Wide(u128::from(word(bytes, 1)) << 64 | u128::from(word(bytes, 0)))
        }
        SlotKind::Text(room) => Value::Text(bytes[..usize::from(room)].to_vec()),
        SlotKind::Series { steps, .. } => {
            let steps = bytes.chunks_exact(SERIES_STEP).take(usize::from(steps));
            let mut steps: Vec<(u64, Step)> = steps
                .filter(|step| word(step, 0) > 0)
                .map(|step| {
                    let kept = Step {
                        count: word(step, 1),
                        sum: word(step, 2) as i64,
                        extreme: word(step, 3),
                    };
                    (word(step, 0) - 1, kept)
                })
                .collect();
            steps.sort_by_key(|(number, _)| *number);
            Value::Series(steps)
        }
        SlotKind::Min | SlotKind::Max => Value::Extreme(word(bytes, 0)),
        SlotKind::Histogram(buckets) => {
            let counts = (0..histogram::count(buckets)).map(|index| word(bytes, index));
            let indexed = (0u16..).zip(counts);
            Value::Histogram(indexed.filter(|(_, count)| *count > 0).collect())
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
        (Value::Series(into), Value::Series(other)) => {
            for (number, step) in other {
                match into.binary_search_by_key(&number, |(known, _)| *known) {
                    Ok(at) => into[at].1.add(step),
                    Err(at) => into.insert(at, (number, step)),
                }
            }
        }
        _ => unreachable!("the values of one slot are of one kind"),
    }
}

impl Step {
    fn add(&mut self, other: Step) {
        self.count += other.count;
        self.sum = self.sum.wrapping_add(other.sum);
        self.extreme = self.extreme.max(other.extreme);
    }
}

impl Value {
    /// A text: up to the first 0.
    pub fn text(&self) -> &[u8] {
        match self {
            Value::Text(text) => {
                let end = text.iter().position(|byte| *byte == 0);
                &text[..end.unwrap_or(text.len())]
            }
            _ => unreachable!("the plan names a slot of this kind"),
        }
    }

    /// The steps of a series that are not empty, in order.
    pub fn series(&self) -> &[(u64, Step)] {
        match self {
            Value::Series(steps) => steps,
            _ => unreachable!("the plan names a slot of this kind"),
        }
    }

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

    /// The smallest or largest value, if there was any.
    pub fn extreme(&self, minimum: bool) -> i64 {
        match self {
            Value::Extreme(kept) => decode_extreme(*kept, minimum),
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
    use ewapa_codegen::slot::encode_extreme;

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
    fn the_cpus_of_a_series_are_added_up_step_by_step() {
        let step = |count, sum, extreme| Step {
            count,
            sum,
            extreme,
        };
        let mut series = Value::Series(vec![(1, step(1, 5, 9)), (4, step(2, 6, 1))]);
        merge(
            &mut series,
            Value::Series(vec![(2, step(1, 1, 1)), (4, step(1, 7, 3))]),
        );
        let merged = [(1, step(1, 5, 9)), (2, step(1, 1, 1)), (4, step(3, 13, 3))];
        assert_eq!(series.series(), merged);
    }

    #[test]
    fn values_of_several_words_are_read_as_they_are_laid_out() {
        let words: Vec<u8> = [5u64, 7]
            .iter()
            .flat_map(|word| word.to_ne_bytes())
            .collect();
        assert_eq!(
            decode_value(&words, Type::Address(ewapa_lang::types::Space::User)),
            Key::Address { address: 5, pid: 7 }
        );
        let bytes = [&3u64.to_ne_bytes()[..], b"a\0bxxxxx"].concat();
        assert_eq!(
            decode_value(&bytes, Type::Bytes(8)),
            Key::Bytes(b"a\0b".to_vec())
        );
        // A text ends with its first 0, bytes do not; a number that cannot be is cut off.
        assert_eq!(
            decode_value(b"ab\0defgh", Type::Text(8)),
            Key::Text(b"ab".to_vec())
        );
        let bytes = [&99u64.to_ne_bytes()[..], b"12345678"].concat();
        assert_eq!(
            decode_value(&bytes, Type::Bytes(8)),
            Key::Bytes(b"12345678".to_vec())
        );
    }

    #[test]
    fn the_smallest_number_is_none_only_where_a_value_may_be_none() {
        let bytes = NONE.to_ne_bytes();
        let decoded = |optional| {
            let field = Field {
                offset: 0,
                ty: Type::Int,
                optional,
            };
            decode_field(&bytes, &field)
        };
        assert_eq!(decoded(true), Key::None);
        assert_eq!(decoded(false), Key::Number(i64::MIN));
    }

    #[test]
    fn extremes_at_the_ends_are_kept_like_others() {
        for value in [i64::MIN, i64::MAX] {
            for minimum in [true, false] {
                let kept = Value::Extreme(encode_extreme(value, minimum));
                assert_eq!(kept.extreme(minimum), value);
            }
        }
    }
}
