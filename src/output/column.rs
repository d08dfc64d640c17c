//! Computes the columns of a table from the slots of a group, in floating point.

use ewapa_codegen::histogram;
use ewapa_lang::plan::{Aggregate, BinaryOp, Buckets, ColumnExpr};

use crate::engine::groups::Value;

/// The value of a column for one group, in its base unit; none if it has none.
pub fn evaluate(expr: &ColumnExpr, slots: &[Value]) -> Option<f64> {
    match expr {
        ColumnExpr::Number(number) => Some(*number),
        ColumnExpr::Aggregate(aggregate) => aggregate_value(aggregate, slots),
        ColumnExpr::Negate(inner) => Some(-evaluate(inner, slots)?),
        ColumnExpr::Binary(op, left, right) => {
            let (left, right) = (evaluate(left, slots)?, evaluate(right, slots)?);
            match op {
                BinaryOp::Add => Some(left + right),
                BinaryOp::Sub => Some(left - right),
                BinaryOp::Mul => Some(left * right),
                BinaryOp::Div => (right != 0.0).then(|| left / right),
                BinaryOp::Rem => (right != 0.0).then(|| left % right),
                _ => unreachable!("the checker makes columns of numbers"),
            }
        }
    }
}

fn aggregate_value(aggregate: &Aggregate, slots: &[Value]) -> Option<f64> {
    let slot = |id: ewapa_lang::plan::SlotId| &slots[id.0];
    let number = |id| slot(id).sum();
    let some = |values| (number(values) > 0).then(|| number(values) as f64);
    match *aggregate {
        Aggregate::Count { count } => Some(number(count) as f64),
        Aggregate::Sum { sum, values } => some(values).map(|_| number(sum) as f64),
        Aggregate::Avg { sum, values } => some(values).map(|count| number(sum) as f64 / count),
        Aggregate::Min { min, .. } => slot(min).extreme(true).map(|value| value as f64),
        Aggregate::Max { max, .. } => slot(max).extreme(false).map(|value| value as f64),
        Aggregate::Stddev {
            sum,
            squares,
            values,
        } => some(values).map(|_| stddev(number(values), number(sum), slot(squares).wide())),
        Aggregate::Quantile {
            histogram,
            min,
            max,
            q,
        } => quantile(
            slot(histogram).histogram(),
            q,
            slot(min).extreme(true)?,
            slot(max).extreme(false)?,
        ),
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
    fn a_division_by_zero_has_no_value() {
        let count = ColumnExpr::Aggregate(Aggregate::Count { count: SlotId(0) });
        let ratio = ColumnExpr::Binary(BinaryOp::Div, Box::new(count.clone()), Box::new(count));
        assert_eq!(evaluate(&ratio, &[Value::Sum(0)]), None);
        assert_eq!(evaluate(&ratio, &[Value::Sum(4)]), Some(1.0));
    }
}
