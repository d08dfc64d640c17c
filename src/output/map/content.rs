//! What a map, or a value that is printed, shows: the same for all formats.

use std::cmp::Ordering;
use std::time::Duration;

use ewapa_lang::plan::{Aggregate, Buckets, ColumnExpr, Map, MapValue, Shape, SlotId, SlotKind};
use ewapa_lang::types::Type;

use crate::engine::groups::{Key, Value, decode_value};
use crate::engine::names::Names;
use crate::output::cells::KeyCell;
use crate::output::column::{self, Basis};
use crate::output::quantity::Quantity;
use crate::output::series::Span;
use crate::output::{measure, stack};

/// A value that is shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// No value was recorded.
    None,
    /// All that the kernel keeps is whole. Sums need all their digits.
    Cell(KeyCell, Type),
    /// What is computed from it may not be.
    Real(f64, Type),
    /// How many values were in which range: the ranges that are not empty.
    Histogram(Buckets, Vec<(u16, u64)>, Type),
    /// Count, average and total.
    Stats {
        /// The number of values.
        count: i64,
        /// The average.
        average: Box<Content>,
        /// The total.
        total: Box<Content>,
    },
    /// Several values.
    Tuple(Vec<Content>),
    /// The steps of a series.
    Series(Series),
}

/// The last steps of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The number of the first step shown.
    pub first: u64,
    /// Nanoseconds of a step.
    pub step: u64,
    /// What each step came to; none if there was no value in it.
    pub values: Vec<Option<Quantity>>,
    /// What the values mean.
    pub ty: Type,
}

impl Content {
    /// A value of a message.
    pub fn of(key: &Key, ty: Type, names: &Names) -> Content {
        match KeyCell::new(key, ty, names) {
            KeyCell::None => Content::None,
            cell => Content::Cell(cell, ty),
        }
    }

    /// Values that stand side by side, put together.
    pub fn shaped(shape: &Shape, values: &mut impl Iterator<Item = Content>) -> Content {
        match shape {
            Shape::One(_) => values.next().unwrap_or(Content::None),
            Shape::Tuple(parts) => {
                let part = |part| Content::shaped(part, values);
                Content::Tuple(parts.iter().map(part).collect())
            }
        }
    }

    /// What a group of a map shows. `span` is what is shown of series.
    pub fn of_group(
        map: &Map,
        kinds: &[SlotKind],
        slots: &[Value],
        span: Option<Span>,
        names: &Names,
    ) -> Content {
        let cell = |number: i64| Content::of(&Key::Number(number), map.ty, names);
        let sum = |id: SlotId| slots[id.0].sum();
        match map.value {
            MapValue::Number(slot) => of_slot(&slots[slot.0], map.ty, names),
            MapValue::Tuple => {
                let Some(shape) = &map.shape else {
                    return Content::None;
                };
                let types = shape.types();
                let mut values = slots
                    .iter()
                    .zip(types)
                    .map(|(slot, ty)| of_slot(slot, ty, names));
                Content::shaped(shape, &mut values)
            }
            MapValue::Histogram(slot) => {
                let counts = slots[slot.0].histogram();
                let SlotKind::Histogram(buckets) = kinds[slot.0] else {
                    unreachable!("the plan names a slot of this kind")
                };
                if counts.is_empty() {
                    return Content::None;
                }
                Content::Histogram(buckets, counts.to_vec(), map.ty)
            }
            MapValue::Series(slot) => {
                let SlotKind::Series { step, fold, .. } = kinds[slot.0] else {
                    unreachable!("the plan names a slot of this kind")
                };
                let Some(span) = span else {
                    return Content::None;
                };
                Content::Series(Series {
                    first: span.first,
                    step,
                    values: span.values(slots[slot.0].series(), fold),
                    ty: map.ty,
                })
            }
            MapValue::Stats { sum: total, values } => match sum(values) {
                0 => Content::None,
                count => Content::Stats {
                    count,
                    average: Box::new(cell(average(sum(total), count, map.ty))),
                    total: Box::new(cell(sum(total))),
                },
            },
            // `avg` is a whole number as in bpftrace.
            MapValue::Aggregate(Aggregate::Avg { sum: total, values }) => match sum(values) {
                0 => Content::None,
                count => cell(average(sum(total), count, map.ty)),
            },
            MapValue::Aggregate(Aggregate::Count { count }) => cell(sum(count)),
            MapValue::Aggregate(Aggregate::Sum { sum: total, .. }) => cell(sum(total)),
            MapValue::Aggregate(Aggregate::Min { min, values }) => match sum(values) {
                0 => Content::None,
                _ => cell(turned(slots[min.0].extreme(true), map.ty)),
            },
            MapValue::Aggregate(Aggregate::Max { max, values }) => match sum(values) {
                0 => Content::None,
                _ => cell(turned(slots[max.0].extreme(false), map.ty)),
            },
            // There is no rate in a map, and the elapsed time does not matter to the others.
            MapValue::Aggregate(
                aggregate @ (Aggregate::Stddev { .. }
                | Aggregate::Quantile { .. }
                | Aggregate::Rate { .. }),
            ) => {
                let basis = Basis::of_slots(slots, Duration::ZERO);
                column::evaluate(&ColumnExpr::Aggregate(aggregate), basis)
                    .map_or(Content::None, |value| Content::Real(value.real(), map.ty))
            }
        }
    }

    /// Divided by a number, whole numbers as by the kernel. A time or size in another unit is a plain number.
    pub fn divided(self, by: i64) -> Content {
        let plain = |ty| match ty {
            Type::Time | Type::Size => Type::Int,
            ty => ty,
        };
        match self {
            Content::Cell(KeyCell::Number(number), ty) => {
                let number = number.checked_div(by).unwrap_or(0);
                Content::Cell(KeyCell::Number(number), plain(ty))
            }
            Content::Cell(KeyCell::Unsigned(number), ty) => {
                let number = number.checked_div(by as u64).unwrap_or(0);
                Content::Cell(KeyCell::Unsigned(number), ty)
            }
            Content::Real(number, ty) => Content::Real(number / by as f64, plain(ty)),
            Content::Histogram(buckets, counts, ty) => {
                let by = by.unsigned_abs();
                let counts = counts.into_iter();
                let counts =
                    counts.map(|(index, count)| (index, count.checked_div(by).unwrap_or(0)));
                Content::Histogram(buckets, counts.collect(), ty)
            }
            other => other,
        }
    }

    /// As it stands behind a key, or alone.
    pub fn text(&self) -> String {
        match self {
            Content::None => "-".to_owned(),
            Content::Cell(KeyCell::Number(number), ty @ (Type::Time | Type::Size)) => {
                measure::text(*number as f64, *ty)
            }
            Content::Cell(cell, ty) => cell.block(*ty, stack::ALONE),
            Content::Real(number, ty) => measure::text(*number, *ty),
            Content::Stats {
                count,
                average,
                total,
            } => format!(
                "count {count}, average {}, total {}",
                average.text(),
                total.text()
            ),
            Content::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(Content::text).collect();
                format!("({})", parts.join(", "))
            }
            Content::Histogram(buckets, counts, ty) => {
                super::text::below_heading(*buckets, counts, *ty)
            }
            Content::Series(series) => super::text::steps(series),
        }
    }

    /// The number that it is, if it is one.
    pub fn quantity(&self) -> Option<Quantity> {
        match self {
            Content::Cell(KeyCell::Number(number), _) => Some(Quantity::Whole(*number)),
            Content::Cell(KeyCell::Unsigned(number), _) => {
                Some(i64::try_from(*number).map_or(Quantity::Real(*number as f64), Quantity::Whole))
            }
            Content::Real(number, _) => Some(Quantity::Real(*number)),
            Content::Histogram(_, counts, _) => {
                let total: u64 = counts.iter().map(|(_, count)| *count).sum();
                Some(Quantity::Whole(i64::try_from(total).unwrap_or(i64::MAX)))
            }
            Content::Stats { average, .. } => average.quantity(),
            Content::Series(series) => series.values.last().copied().flatten(),
            Content::None | Content::Cell(..) | Content::Tuple(_) => None,
        }
    }

    /// What is smaller comes first; what has no value comes before everything.
    pub fn order(&self, other: &Content) -> Ordering {
        match (self, other) {
            (
                Content::Cell(KeyCell::Unsigned(left), _),
                Content::Cell(KeyCell::Unsigned(right), _),
            ) => left.cmp(right),
            (Content::Cell(left, _), Content::Cell(right, _)) => left.cmp(right),
            (Content::Tuple(left), Content::Tuple(right)) => {
                let mut pairs = left.iter().zip(right);
                let different = pairs.find_map(|(left, right)| {
                    let ordering = left.order(right);
                    ordering.is_ne().then_some(ordering)
                });
                different.unwrap_or(Ordering::Equal)
            }
            (left, right) => match (left.quantity(), right.quantity()) {
                (Some(left), Some(right)) => left.order(right),
                (left, right) => left.is_some().cmp(&right.is_some()),
            },
        }
    }
}

/// A value that the script assigned. One that is not a word lies in the slot of a text.
fn of_slot(slot: &Value, ty: Type, names: &Names) -> Content {
    let key = match slot {
        Value::Text(bytes) if ty.is_text() || bytes.len() < ty.size() => {
            Key::Text(slot.text().to_vec())
        }
        Value::Text(bytes) => decode_value(bytes, ty),
        _ => Key::Number(slot.sum()),
    };
    Content::of(&key, ty, names)
}

/// An extreme of a map: unsigned ones are kept with their highest bit inverted.
fn turned(extreme: i64, ty: Type) -> i64 {
    match ty {
        Type::Unsigned => extreme ^ i64::MIN,
        _ => extreme,
    }
}

/// As a division in the kernel.
fn average(sum: i64, count: i64, ty: Type) -> i64 {
    match ty {
        Type::Unsigned => (sum as u64).checked_div(count as u64).unwrap_or(0) as i64,
        _ => sum.checked_div(count).unwrap_or(0),
    }
}
