//! Computes the columns of a table from the slots of a group.

use std::time::Duration;

use ewapa_codegen::histogram;
use ewapa_lang::plan::{Aggregate, BinaryOp, Buckets, ColumnCondition, ColumnExpr, StoreId, Table};

use crate::engine::groups::{Key, Value};

use super::elsewhere::Elsewhere;
use super::quantity::Quantity;
use super::series::Seen;

/// What the columns of one group are computed from.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// The group's keys.
    pub keys: &'a [Key],
    /// The group's slots.
    pub slots: &'a [Value],
    /// From the first probe to the reading.
    pub elapsed: Duration,
    /// What shares are parts of.
    pub totals: &'a Totals<'a>,
    /// What other stores counted.
    pub elsewhere: &'a Elsewhere,
    /// What is shown of the series of the store.
    pub seen: &'a Seen,
}

impl<'a> Basis<'a> {
    /// The slots alone.
    pub fn of_slots(slots: &'a [Value], elapsed: Duration) -> Basis<'a> {
        static NOWHERE: Elsewhere = Elsewhere::NOTHING;
        static NEVER: Seen = Seen::NOTHING;
        Basis {
            keys: &[],
            slots,
            elapsed,
            totals: &[],
            elsewhere: &NOWHERE,
            seen: &NEVER,
        }
    }
}

/// The stores that a table is made of.
pub fn stores(table: &Table) -> Vec<StoreId> {
    let mut stores = vec![table.store];
    for column in &table.columns {
        add_stores(&column.value, &mut stores);
    }
    stores
}

fn add_stores(expr: &ColumnExpr, stores: &mut Vec<StoreId>) {
    if let ColumnExpr::Elsewhere { store, .. } = expr {
        stores.push(*store);
    }
    for part in expr.parts() {
        add_stores(part, stores);
    }
}

/// Sums over all groups, by the expression that is summed up.
pub type Totals<'a> = [(&'a ColumnExpr, Quantity)];

/// The expressions in a column whose sum over all groups is needed.
pub fn shared(expr: &ColumnExpr) -> Vec<&ColumnExpr> {
    match expr {
        ColumnExpr::Share(of) => vec![of],
        _ => expr.parts().into_iter().flat_map(shared).collect(),
    }
}

/// The value of a column for one group, in its base unit; none if it has none.
pub fn evaluate(expr: &ColumnExpr, basis: Basis) -> Option<Quantity> {
    match expr {
        ColumnExpr::Number(number) => Some(literal(*number)),
        ColumnExpr::Aggregate(aggregate) => aggregate_value(aggregate, basis),
        ColumnExpr::Series(slot) => basis.seen.values(*slot, basis.slots)?.pop().flatten(),
        ColumnExpr::Histogram(slot, _) => {
            let counts = basis.slots[slot.0].histogram().iter();
            let total: u64 = counts.map(|(_, count)| *count).sum();
            Some(Quantity::Whole(i64::try_from(total).unwrap_or(i64::MAX)))
        }
        ColumnExpr::Elsewhere { store, keys } => {
            let keys = keys.iter().map(|key| basis.keys[*key].clone()).collect();
            Some(Quantity::Whole(basis.elsewhere.count(*store, keys)))
        }
        ColumnExpr::Negate(inner) => Some(-evaluate(inner, basis)?),
        ColumnExpr::Binary(op, left, right) => {
            evaluate(left, basis)?.combine(*op, evaluate(right, basis)?)
        }
        ColumnExpr::Choose {
            condition,
            then,
            otherwise,
        } => evaluate(
            if holds(condition, basis) {
                then
            } else {
                otherwise
            },
            basis,
        ),
        ColumnExpr::Share(of) => {
            let (_, total) = basis.totals.iter().find(|(summed, _)| *summed == &**of)?;
            evaluate(of, basis)?.combine(BinaryOp::Div, *total)
        }
    }
}

/// Whether a condition holds for one group. A comparison with what has no value does not.
fn holds(condition: &ColumnCondition, basis: Basis) -> bool {
    match condition {
        ColumnCondition::Compare(op, left, right) => {
            let sides = evaluate(left, basis).zip(evaluate(right, basis));
            sides.is_some_and(|(left, right)| left.compares(*op, right))
        }
        ColumnCondition::Logic(BinaryOp::And, left, right) => {
            holds(left, basis) && holds(right, basis)
        }
        ColumnCondition::Logic(_, left, right) => holds(left, basis) || holds(right, basis),
        ColumnCondition::Not(inner) => !holds(inner, basis),
    }
}

/// Whole numbers stay whole as long as floating point holds them exactly.
fn literal(number: f64) -> Quantity {
    if number.fract() == 0.0 && number.abs() < (1u64 << 53) as f64 {
        Quantity::Whole(number as i64)
    } else {
        Quantity::Real(number)
    }
}

fn aggregate_value(aggregate: &Aggregate, basis: Basis) -> Option<Quantity> {
    let slot = |id: ewapa_lang::plan::SlotId| &basis.slots[id.0];
    let number = |id| slot(id).sum();
    let some = |values| (number(values) > 0).then(|| number(values));
    match *aggregate {
        Aggregate::Count { count } => Some(Quantity::Whole(number(count))),
        Aggregate::Sum { sum, values } => some(values).map(|_| Quantity::Whole(number(sum))),
        Aggregate::Rate { sum, values } => {
            let seconds = Quantity::Real(basis.elapsed.as_secs_f64());
            some(values)?;
            Quantity::Whole(number(sum)).combine(BinaryOp::Div, seconds)
        }
        Aggregate::Avg { sum, values } => {
            some(values).map(|count| Quantity::Real(number(sum) as f64 / count as f64))
        }
        Aggregate::Min { min, values } => {
            some(values).map(|_| Quantity::Whole(slot(min).extreme(true)))
        }
        Aggregate::Max { max, values } => {
            some(values).map(|_| Quantity::Whole(slot(max).extreme(false)))
        }
        Aggregate::Stddev {
            sum,
            squares,
            values,
        } => some(values)
            .map(|count| Quantity::Real(stddev(count, number(sum), slot(squares).wide()))),
        Aggregate::Quantile {
            histogram,
            min,
            max,
            q,
        } => quantile(
            slot(histogram).histogram(),
            q,
            slot(min).extreme(true),
            slot(max).extreme(false),
        )
        .map(Quantity::Real),
    }
}

/// `sqrt(E[x^2] - E[x]^2)`, in whole numbers as long as they fit: the difference of two large numbers
/// that are nearly equal has no digits left in floating point.
fn stddev(count: i64, sum: i64, squares: u128) -> f64 {
    let n = count.unsigned_abs();
    let exact = squares.checked_mul(u128::from(n)).and_then(|product| {
        let square = u128::from(sum.unsigned_abs()).checked_mul(u128::from(sum.unsigned_abs()))?;
        Some(product.saturating_sub(square) as f64)
    });
    let n = n as f64;
    let difference = exact.unwrap_or_else(|| (squares as f64 * n - (sum as f64).powi(2)).max(0.0));
    difference.sqrt() / n
}

/// The value at the rank `ceil(q * count)`: the middle of the bucket that holds it, kept within the
/// smallest and largest value that were seen.
fn quantile(buckets: &[(u16, u64)], q: f64, min: i64, max: i64) -> Option<f64> {
    let total: u64 = buckets.iter().map(|(_, count)| count).sum();
    let rank = ((q * total as f64).ceil() as u64).clamp(1, total.max(1));
    let mut below = 0;
    for (index, count) in buckets {
        below += count;
        if below >= rank {
            let index = usize::from(*index);
            // What lies beyond the range of the histogram is only known to be at most the largest value.
            if index == histogram::count(Buckets::LogLinear) - 1 {
                return Some(max as f64);
            }
            let (low, high) = histogram::bounds(Buckets::LogLinear, index);
            let middle = (low + (high - 1)) as f64 / 2.0;
            return Some(middle.clamp(min as f64, max as f64));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use ewapa_codegen::histogram::bucket;
    use ewapa_lang::plan::SlotId;

    fn histogram(values: impl IntoIterator<Item = i64>) -> Vec<(u16, u64)> {
        let mut counts = std::collections::BTreeMap::new();
        for value in values {
            *counts
                .entry(bucket(Buckets::LogLinear, value) as u16)
                .or_insert(0) += 1;
        }
        counts.into_iter().collect()
    }

    #[test]
    fn percentiles_are_within_1_6_percent_of_those_of_all_values() {
        let mut oracle = hdrhistogram::Histogram::<u64>::new(5).unwrap();
        let values: Vec<i64> = (1..20_000i64)
            .map(|i| (i * i * 37) % 9_000_011 + 100)
            .collect();
        values
            .iter()
            .for_each(|value| oracle.record(*value as u64).unwrap());
        let (min, max) = (*values.iter().min().unwrap(), *values.iter().max().unwrap());
        let buckets = histogram(values);
        for q in [0.01, 0.5, 0.9, 0.99, 0.999, 1.0] {
            let (ours, theirs) = (
                quantile(&buckets, q, min, max).unwrap(),
                oracle.value_at_quantile(q) as f64,
            );
            assert!(
                (ours / theirs - 1.0).abs() <= 0.016,
                "p{q}: {ours} against {theirs}"
            );
        }
    }

    #[test]
    fn the_percentile_of_one_value_is_that_value() {
        assert_eq!(
            quantile(&histogram([123_457]), 0.99, 123_457, 123_457),
            Some(123_457.0)
        );
    }

    #[test]
    fn the_percentile_of_no_value_is_none() {
        assert_eq!(quantile(&[], 0.5, 0, 0), None);
    }

    #[test]
    fn the_standard_deviation_of_large_equal_values_is_zero() {
        let value = 1_700_000_000_000i64;
        assert_eq!(stddev(3, 3 * value, 3 * (value as u128).pow(2)), 0.0);
    }

    #[test]
    fn the_standard_deviation_is_that_of_the_population() {
        // 2 4 4 4 5 5 7 9: mean 5, standard deviation 2
        assert_eq!(stddev(8, 40, 4 + 16 * 3 + 25 * 2 + 49 + 81), 2.0);
    }

    #[test]
    fn a_choice_compares_and_what_has_no_value_does_not_hold() {
        let count = || ColumnExpr::Aggregate(Aggregate::Count { count: SlotId(0) });
        let average = || {
            ColumnExpr::Aggregate(Aggregate::Avg {
                sum: SlotId(1),
                values: SlotId(2),
            })
        };
        let compare = |op, left, right| ColumnCondition::Compare(op, left, right);
        let choose = |condition| ColumnExpr::Choose {
            condition: Box::new(condition),
            then: Box::new(average()),
            otherwise: Box::new(ColumnExpr::Number(-1.0)),
        };
        let of = |condition: ColumnCondition, count, values| {
            let slots = [Value::Sum(count), Value::Sum(30), Value::Sum(values)];
            evaluate(&choose(condition), Basis::of_slots(&slots, Duration::ZERO))
        };
        let many = || compare(BinaryOp::Gt, count(), ColumnExpr::Number(5.0));
        let slow = || compare(BinaryOp::Ge, average(), ColumnExpr::Number(7.5));
        assert_eq!(of(many(), 6, 4), Some(Quantity::Real(7.5)));
        assert_eq!(of(many(), 5, 4), Some(Quantity::Whole(-1)));
        // The side that is taken may have no value.
        assert_eq!(of(many(), 6, 0), None);
        assert_eq!(of(slow(), 6, 4), Some(Quantity::Real(7.5)));
        assert_eq!(of(slow(), 6, 0), Some(Quantity::Whole(-1)));
        let both = |op| ColumnCondition::Logic(op, Box::new(many()), Box::new(slow()));
        assert_eq!(of(both(BinaryOp::And), 5, 4), Some(Quantity::Whole(-1)));
        assert_eq!(of(both(BinaryOp::Or), 5, 4), Some(Quantity::Real(7.5)));
        let not_slow = ColumnCondition::Not(Box::new(slow()));
        assert_eq!(of(not_slow, 6, 0), None);
    }

    #[test]
    fn a_division_by_zero_has_no_value() {
        let count = ColumnExpr::Aggregate(Aggregate::Count { count: SlotId(0) });
        let ratio = ColumnExpr::Binary(BinaryOp::Div, Box::new(count.clone()), Box::new(count));
        let of = |count| {
            evaluate(
                &ratio,
                Basis::of_slots(&[Value::Sum(count)], Duration::ZERO),
            )
        };
        assert_eq!(of(0), None);
        assert_eq!(of(4), Some(Quantity::Real(1.0)));
    }
}
