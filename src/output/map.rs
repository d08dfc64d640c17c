//! Maps as bpftrace prints them: `@name[key, key]: value`, the largest value last.
//!
//! Plain numbers are shown as they are. Times and sizes are shown with their unit, so that a number of
//! bytes is never taken for one of nanoseconds.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::time::Duration;

use ewapa_lang::plan::{Aggregate, Buckets, ColumnExpr, Map, MapValue, Plan, SlotKind};
use ewapa_lang::types::Type;

use crate::engine::groups::{Group, Key, Value};
use crate::engine::names::Names;
use crate::engine::trace::Outcome;

use super::cells::KeyCell;
use super::column::Basis;
use super::{column, histogram, measure};

/// All maps at the end of a run.
pub fn render_all(plan: &Plan, outcome: &Outcome) -> String {
    plan.maps
        .iter()
        .map(|map| {
            let groups = &outcome.reading.groups[map.store.0];
            render(plan, map, groups, None, &outcome.names)
        })
        .collect()
}

/// A map, or the `top` largest values of it. What is empty is not shown.
pub fn render(
    plan: &Plan,
    map: &Map,
    groups: &[Group],
    top: Option<usize>,
    names: &Names,
) -> String {
    let store = &plan.stores[map.store.0];
    let mut rows: Vec<Row<'_>> = groups
        .iter()
        .map(|group| Row {
            group,
            weight: weight(map.value, &group.values),
        })
        .collect();
    rows.sort_by(|left, right| order(left, right));
    let left_out = top.map_or(0, |top| rows.len().saturating_sub(top));

    let mut out = String::new();
    for row in &rows[left_out..] {
        // Without a key there is always a group, whether anything was recorded in it or not.
        if store.keys.is_empty() && row.weight == Weight::None {
            continue;
        }
        write!(out, "@{}", map.name).expect("write to a string");
        if !store.keys.is_empty() {
            let keys = row.group.keys.iter().zip(&store.keys);
            let keys: Vec<String> = keys
                .map(|(key, ty)| KeyCell::new(key, *ty, names).text(*ty))
                .collect();
            write!(out, "[{}]", keys.join(", ")).expect("write to a string");
        }
        let value = match map.value {
            MapValue::Histogram(_) if row.weight == Weight::None => "-".to_owned(),
            MapValue::Histogram(slot) => {
                let SlotKind::Histogram(buckets) = store.slots[slot.0] else {
                    unreachable!("the plan names a slot of this kind")
                };
                let counts = row.group.values[slot.0].histogram();
                below_heading(buckets, counts, map.ty)
            }
            MapValue::Stats { sum, values } => {
                stats(&row.group.values[sum.0], &row.group.values[values.0], map)
            }
            MapValue::Tuple | MapValue::Series(_) => unreachable!("the checker refuses it"),
            MapValue::Aggregate(_) | MapValue::Number(_) => text(row.weight, map.ty, names),
        };
        writeln!(out, ": {value}").expect("write to a string");
    }
    out
}

fn below_heading(buckets: Buckets, counts: &[(u16, u64)], ty: Type) -> String {
    let unit = match histogram::unit(buckets, ty) {
        (Some(unit), _) => format!("({unit})"),
        (None, _) => String::new(),
    };
    format!("{unit}\n{}", histogram::draw(buckets, counts, ty))
}

fn stats(sum: &Value, values: &Value, map: &Map) -> String {
    let (sum, count) = (sum.sum(), values.sum());
    let number = |number: i64| text(Weight::Whole(number), map.ty, &Names::default());
    // As a division in the kernel: no value has an average of 0.
    let average = sum.checked_div(count).unwrap_or(0);
    format!(
        "count {count}, average {}, total {}",
        number(average),
        number(sum)
    )
}

struct Row<'a> {
    group: &'a Group,
    weight: Weight,
}

/// What a row is sorted by, and for all but histograms and stats what it shows.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Weight {
    /// No value was recorded.
    None,
    /// All that the kernel keeps is whole. Sums need all their digits.
    Whole(i64),
    /// What is computed from it may not be.
    Real(f64),
}

fn weight(value: MapValue, slots: &[Value]) -> Weight {
    let whole = |number: Option<i64>| number.map_or(Weight::None, Weight::Whole);
    let sum = |id: ewapa_lang::plan::SlotId| slots[id.0].sum();
    match value {
        MapValue::Tuple | MapValue::Series(_) => unreachable!("the checker refuses it"),
        MapValue::Number(slot) => Weight::Whole(sum(slot)),
        MapValue::Histogram(slot) => {
            let counts = slots[slot.0].histogram().iter();
            let total: u64 = counts.map(|(_, count)| *count).sum();
            whole((total > 0).then_some(total as i64))
        }
        // `avg` is a whole number as in bpftrace.
        MapValue::Stats { sum: total, values }
        | MapValue::Aggregate(Aggregate::Avg { sum: total, values }) => {
            whole(sum(total).checked_div(sum(values)))
        }
        MapValue::Aggregate(Aggregate::Count { count }) => Weight::Whole(sum(count)),
        MapValue::Aggregate(Aggregate::Sum { sum: total, .. }) => Weight::Whole(sum(total)),
        MapValue::Aggregate(Aggregate::Min { min, .. }) => whole(slots[min.0].extreme(true)),
        MapValue::Aggregate(Aggregate::Max { max, .. }) => whole(slots[max.0].extreme(false)),
        // There is no rate in a map, and the elapsed time does not matter to the others.
        MapValue::Aggregate(
            aggregate @ (Aggregate::Stddev { .. }
            | Aggregate::Quantile { .. }
            | Aggregate::Rate { .. }),
        ) => {
            let basis = Basis {
                slots,
                elapsed: Duration::ZERO,
                totals: &[],
            };
            column::evaluate(&ColumnExpr::Aggregate(aggregate), basis)
                .map_or(Weight::None, |value| Weight::Real(value.real()))
        }
    }
}

/// By value, then by the keys: the order never depends on that of the kernel's map.
fn order(left: &Row<'_>, right: &Row<'_>) -> Ordering {
    let by_value = match (left.weight, right.weight) {
        (Weight::Whole(left), Weight::Whole(right)) => left.cmp(&right),
        (Weight::Real(left), Weight::Real(right)) => left.total_cmp(&right),
        (left, right) => (left != Weight::None).cmp(&(right != Weight::None)),
    };
    by_value.then_with(|| left.group.keys.cmp(&right.group.keys))
}

fn text(weight: Weight, ty: Type, names: &Names) -> String {
    match (weight, ty) {
        (Weight::None, _) => "-".to_owned(),
        (Weight::Whole(number), Type::Time | Type::Size) => measure::text(number as f64, ty),
        (Weight::Whole(number), _) => KeyCell::new(&Key::Number(number), ty, names).text(ty),
        (Weight::Real(number), _) => measure::text(number, ty),
    }
}

#[cfg(test)]
mod tests;
