//! Maps: what they hold at one moment, the same for all formats.

pub mod content;
pub mod json;
pub mod text;

use ewapa_lang::plan::{Map, MapValue, Plan, SlotKind};
use ewapa_lang::types::Type;

use crate::engine::groups::Group;
use crate::engine::names::Names;

use super::cells::KeyCell;
use super::series::Span;
use content::Content;

/// A map at one moment.
#[derive(Debug)]
pub struct Shown<'a> {
    /// The map.
    pub map: &'a Map,
    /// The types of its keys.
    pub types: &'a [Type],
    /// Its keys, the largest value last.
    pub entries: Vec<Entry>,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The parts of the key.
    pub keys: Vec<KeyCell>,
    /// The value.
    pub content: Content,
}

/// What is shown of a map.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// At most so many keys, those with the largest values; all if it is none or 0.
    pub top: Option<usize>,
    /// What values are divided by.
    pub divisor: i64,
}

impl Cut {
    /// Everything.
    pub const NONE: Cut = Cut {
        top: None,
        divisor: 1,
    };
}

impl<'a> Shown<'a> {
    /// The map's groups, in order.
    pub fn new(
        plan: &'a Plan,
        map: &'a Map,
        groups: &[Group],
        cut: Cut,
        names: &Names,
    ) -> Shown<'a> {
        let store = &plan.stores[map.store.0];
        let span = span(map, &store.slots, groups);
        let keys = |group: &Group| {
            let keys = group.keys.iter().zip(&store.keys);
            keys.map(|(key, ty)| KeyCell::new(key, *ty, names))
                .collect()
        };
        let entry = |group: &Group| Entry {
            keys: keys(group),
            content: Content::of_group(map, &store.slots, &group.values, span, names),
        };
        let mut groups: Vec<(&Group, Entry)> =
            groups.iter().map(|group| (group, entry(group))).collect();
        // By value, then by the keys: the order never depends on that of the kernel's map.
        groups.sort_by(|(left, one), (right, other)| {
            let by_value = one.content.order(&other.content);
            by_value.then_with(|| left.keys.cmp(&right.keys))
        });
        let top = cut.top.filter(|top| *top > 0);
        let left_out = top.map_or(0, |top| groups.len().saturating_sub(top));
        let entries = groups.into_iter().skip(left_out).map(|(_, mut entry)| {
            if cut.divisor != 1 {
                entry.content = entry.content.divided(cut.divisor);
            }
            entry
        });
        // Without a key there is always a group, whether anything was recorded in it or not.
        let is_there = |entry: &Entry| !store.keys.is_empty() || entry.content != Content::None;
        Shown {
            map,
            types: &store.keys,
            entries: entries.filter(is_there).collect(),
        }
    }
}

/// What is shown of the series of a map.
fn span(map: &Map, kinds: &[SlotKind], groups: &[Group]) -> Option<Span> {
    let MapValue::Series(slot) = map.value else {
        return None;
    };
    let SlotKind::Series { steps, .. } = kinds[slot.0] else {
        return None;
    };
    let series = groups.iter().map(|group| group.values[slot.0].series());
    Span::of(series, steps)
}

#[cfg(test)]
mod tests;
