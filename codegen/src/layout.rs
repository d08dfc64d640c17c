//! Where a store's keys and slots are in the map that holds it. The engine reads maps by it.

use ewapa_lang::plan::{Fold, Message, SlotKind, Store};
use ewapa_lang::types::Type;

use crate::slot;

/// How a store's groups are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapKind {
    /// One group, a value for each CPU: `BPF_MAP_TYPE_PERCPU_ARRAY` with one entry.
    PerCpuArray,
    /// `BPF_MAP_TYPE_HASH` with rows made on demand. The key begins with the CPU, so that CPUs do not
    /// share rows: a per-CPU hash whose rows take memory only where there are calls.
    HashByCpu,
    /// `BPF_MAP_TYPE_HASH` with rows made on demand that all CPUs share: for groups that the script reads
    /// or deletes. Without keys the key is eight zero bytes.
    Shared,
}

/// A value among others: a key in a row's key, a value in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Bytes from the start of the key or message.
    pub offset: usize,
    /// What it means; it takes [`Type::size`] bytes.
    pub ty: Type,
    /// Whether it may be none: then [`ewapa_lang::builtin::NONE`] is, and else a number like any other.
    pub optional: bool,
}

/// The layout of one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreLayout {
    /// The name of the map.
    pub map: String,
    /// How groups are kept.
    pub kind: MapKind,
    /// The keys in order.
    pub keys: Vec<Field>,
    /// The bytes of the whole key.
    pub key_size: usize,
    /// Where each slot is in the value, in bytes.
    pub slots: Vec<usize>,
    /// The bytes of the value.
    pub value_size: usize,
    /// How many rows the map takes. They are made on demand: only 16 bytes for each are taken from the start.
    pub max_rows: u32,
}

/// `PCPU_MIN_UNIT_SIZE` of the kernel: the largest value of a per-CPU map.
const PER_CPU_LIMIT: usize = 32 * 1024;

impl StoreLayout {
    /// Lays out the store with this index. `shared` says that the script deletes groups of it, goes through
    /// them or asks for them: then all CPUs share them, as a program does not know the rows of other CPUs.
    /// `optional` says which keys may be none.
    pub fn new(
        index: usize,
        store: &Store,
        shared: bool,
        max_rows: u32,
        optional: &[bool],
    ) -> StoreLayout {
        let mut slots = vec![0; store.slots.len()];
        let mut value_size = 0;
        // Large ones last: the offset of a smaller slot has to fit an instruction.
        let is_large =
            |kind: SlotKind| matches!(kind, SlotKind::Histogram(_) | SlotKind::Series { .. });
        for large in [false, true] {
            for (offset, slot) in slots.iter_mut().zip(&store.slots) {
                if is_large(*slot) == large {
                    *offset = value_size;
                    value_size += slot::size(*slot);
                }
            }
        }
        let value_size = value_size.max(8);
        // Of several last values in a step nobody could tell which is the last.
        let read = |slot: &SlotKind| {
            matches!(
                slot,
                SlotKind::Last
                    | SlotKind::Text(_)
                    | SlotKind::Tally
                    | SlotKind::Series {
                        fold: Fold::Last,
                        ..
                    }
            )
        };
        let kind = if shared || store.slots.iter().any(read) {
            MapKind::Shared
        } else if store.keys.is_empty() && value_size <= PER_CPU_LIMIT {
            MapKind::PerCpuArray
        } else {
            MapKind::HashByCpu
        };
        // The CPU takes eight bytes, too: no padding.
        let cpu_size = if kind == MapKind::HashByCpu { 8 } else { 0 };
        let (keys, end) = fields(cpu_size, &store.keys, optional);
        let key_size = match kind {
            MapKind::PerCpuArray => 4,
            MapKind::HashByCpu | MapKind::Shared => end.max(8),
        };
        let max_rows = match kind {
            MapKind::PerCpuArray => 1,
            MapKind::Shared if store.keys.is_empty() => 1,
            MapKind::HashByCpu | MapKind::Shared => max_rows,
        };
        StoreLayout {
            map: format!("store_{index}"),
            kind,
            keys,
            key_size,
            slots,
            value_size,
            max_rows,
        }
    }
}

/// The layout of one message: a record of the ring buffer. It begins with eight bytes of which the low
/// four are the index of the message in the plan, and goes on with the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageLayout {
    /// The values in order.
    pub values: Vec<Field>,
    /// The bytes of the record.
    pub size: usize,
}

impl MessageLayout {
    /// Lays out a message. `optional` says which values may be none.
    pub fn new(message: &Message, optional: &[bool]) -> MessageLayout {
        let (values, size) = fields(8, &message.values, optional);
        MessageLayout { values, size }
    }

    /// The index in the plan of the message that a record of the ring buffer is.
    pub fn index(record: &[u8]) -> Option<usize> {
        let id = u64::from_ne_bytes(record.get(..8)?.try_into().ok()?);
        Some(id as u32 as usize)
    }
}

/// Values of these types one after the other from this offset on, and the offset after the last one.
fn fields(start: usize, types: &[Type], optional: &[bool]) -> (Vec<Field>, usize) {
    let mut end = start;
    let field = |(ty, optional): (&Type, &bool)| {
        let offset = end;
        end += ty.size();
        Field {
            offset,
            ty: *ty,
            optional: *optional,
        }
    };
    (types.iter().zip(optional).map(field).collect(), end)
}
