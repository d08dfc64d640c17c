use std::collections::BTreeMap;

use ewapa_lang::builtin::NONE;
use ewapa_lang::plan::{Buckets, SlotKind};

use super::reference::Kept;
use super::run::{accumulated, compile, read, row, take};
use super::terms::{Call, HISTOGRAM, count, field, slot, table};
use crate::Error;
use crate::histogram;
use crate::histogram::log_linear::{self, COUNT, bucket};
use crate::interpreter::Machine;
use crate::program::generate;
use crate::slot::encode_extreme;

/// Calls of which `pid`, which is never none, takes these values.
fn calls(values: &[i64]) -> Vec<Call> {
    values
        .iter()
        .map(|value| Call::new().with("pid", *value))
        .collect()
}

fn squares(values: &[i64]) -> Kept {
    accumulated(SlotKind::SumOfSquares, field("pid"), &calls(values))
}

fn extremes(values: &[i64]) -> (Kept, Kept) {
    let of = |kind| accumulated(kind, field("pid"), &calls(values));
    (of(SlotKind::Min), of(SlotKind::Max))
}

#[test]
fn a_count_counts_every_call_and_values_only_those_that_have_one() {
    let plan = table(
        Vec::new(),
        vec![count(), slot(SlotKind::Values, field("fd"))],
    );
    let calls = [1, NONE, 0, NONE, -1].map(|fd| Call::new().with("fd", fd));
    assert_eq!(row(&plan, &calls), [Kept::Number(5), Kept::Number(3)]);
}

#[test]
fn a_sum_is_signed_and_wraps() {
    let sum = |values| accumulated(SlotKind::Sum, field("pid"), &calls(values));
    assert_eq!(sum(&[5, -8, 1]), Kept::Number(-2));
    assert_eq!(sum(&[i64::MAX, 2]), Kept::Number(i64::MIN + 1));
}

#[test]
fn the_first_value_is_both_extremes_whatever_it_is() {
    for value in [i64::MIN, i64::MIN + 1, -1, 0, 1, 1 << 40, i64::MAX] {
        assert_eq!(
            extremes(&[value]),
            (Kept::Number(value), Kept::Number(value))
        );
    }
}

#[test]
fn extremes_are_signed() {
    assert_eq!(extremes(&[3, -5, 0]), (Kept::Number(-5), Kept::Number(3)));
    assert_eq!(
        extremes(&[-7, -5, -9]),
        (Kept::Number(-9), Kept::Number(-5))
    );
    assert_eq!(
        extremes(&[0, i64::MAX, i64::MIN, 1]),
        (Kept::Number(i64::MIN), Kept::Number(i64::MAX))
    );
}

#[test]
fn calls_without_the_value_leave_every_slot_as_it_is() {
    let kinds = [
        SlotKind::Values,
        SlotKind::Sum,
        SlotKind::SumOfSquares,
        SlotKind::Min,
        SlotKind::Max,
        HISTOGRAM,
    ];
    let plan = table(
        Vec::new(),
        kinds.map(|kind| slot(kind, field("fd"))).to_vec(),
    );
    let none = Call::new();
    let seven = Call::new().with("fd", 7);
    let expected = [
        Kept::Number(1),
        Kept::Number(7),
        Kept::Squares(49),
        Kept::Number(7),
        Kept::Number(7),
        Kept::Histogram(BTreeMap::from([(7, 1)])),
    ];
    assert_eq!(row(&plan, &[none.clone(), seven, none]), expected);
}

#[test]
fn an_extreme_prevails_over_probes_that_preempt_its_update() {
    let plan = table(Vec::new(), vec![slot(SlotKind::Max, field("pid"))]);
    let program = compile(&plan);
    for (preempting, expected) in [
        (vec![10, 20, 30], 100),
        (vec![200], 200),
        ((1..8).collect(), 100),
    ] {
        let mut machine = Machine::new(&program);
        machine.preemptions = preempting
            .into_iter()
            .rev()
            .map(|value| encode_extreme(value, false))
            .collect();
        take(&mut machine, 0, &Call::new().with("pid", 100));
        let rows: Vec<_> = read(&plan, &program, machine.rows(&program.stores[0].map), 0)
            .into_values()
            .collect();
        assert_eq!(rows, [[Kept::Number(expected)]]);
        assert!(machine.preemptions.is_empty());
    }
}

#[test]
fn squares_are_exact_in_128_bits() {
    let max = i64::MAX as u128;
    for (values, expected) in [
        (vec![3, -4], 25),
        (vec![0], 0),
        (vec![i64::from(u32::MAX)], u128::from(u32::MAX).pow(2)),
        (vec![1 << 32], 1 << 64),
        (vec![(1 << 32) + 1], (1 << 64) + (1 << 33) + 1),
        (vec![-(1 << 32) - 12_345], ((1u128 << 32) + 12_345).pow(2)),
        (vec![i64::MAX], max.pow(2)),
        (vec![i64::MIN], 1 << 126),
        (vec![i64::MAX, i64::MIN, 7], max.pow(2) + (1 << 126) + 49),
    ] {
        assert_eq!(squares(&values), Kept::Squares(expected), "{values:?}");
    }
}

#[test]
fn squares_carry_into_the_high_word() {
    // The square of 2^32 - 1 is just below 2^64.
    let value = i64::from(u32::MAX);
    let square = u128::from(u32::MAX).pow(2);
    assert_eq!(squares(&[value; 2]), Kept::Squares(2 * square));
    assert_eq!(squares(&[value; 9]), Kept::Squares(9 * square));
    assert_eq!(
        squares(&[0xb504_f333, 0xb504_f334]),
        Kept::Squares(0xb504_f333u128.pow(2) + 0xb504_f334u128.pow(2))
    );
}

#[test]
fn squares_wrap_at_128_bits() {
    assert_eq!(squares(&[i64::MIN; 5]), Kept::Squares(1 << 126));
}

#[test]
fn the_histogram_of_the_kernel_is_that_of_user_space() {
    let mut values = vec![i64::MIN, -1, 0, i64::MAX];
    for power in 0..63 {
        values.extend([-1, 0, 1].map(|delta| (1i64 << power) + delta));
    }
    for bucket in 0..COUNT {
        let (low, high) = log_linear::bounds(bucket);
        values.extend([low, high - 1]);
    }
    let mut expected = BTreeMap::new();
    for value in &values {
        *expected.entry(bucket(*value)).or_insert(0) += 1;
    }
    let plan = table(Vec::new(), vec![slot(HISTOGRAM, field("pid"))]);
    assert_eq!(row(&plan, &calls(&values)), [Kept::Histogram(expected)]);
}

/// Histograms of every kind.
const HISTOGRAMS: [Buckets; 12] = [
    Buckets::LogLinear,
    Buckets::Log2 { bits: 0 },
    Buckets::Log2 { bits: 1 },
    Buckets::Log2 { bits: 2 },
    Buckets::Log2 { bits: 3 },
    Buckets::Log2 { bits: 4 },
    Buckets::Log2 { bits: 5 },
    linear(0, 100, 10),
    linear(-7, 20, 4),
    linear(-1, 1, 1),
    linear(i64::MIN, i64::MAX, i64::MAX / 400),
    linear(1 << 40, (1 << 40) + (1 << 38), 1 << 33),
];

const fn linear(min: i64, max: i64, step: i64) -> Buckets {
    Buckets::Linear { min, max, step }
}

#[test]
fn each_value_goes_to_its_own_bucket() {
    for buckets in HISTOGRAMS {
        let powers = (0..63).flat_map(|power| [-1, 0, 1].map(|delta| (1i64 << power) + delta));
        let ends = (0..histogram::count(buckets))
            .step_by(37)
            .flat_map(|bucket| <[i64; 2]>::from(histogram::bounds(buckets, bucket)));
        for value in powers
            .chain(ends)
            .flat_map(|value| [value, value.wrapping_neg()])
        {
            let kept = accumulated(SlotKind::Histogram(buckets), field("pid"), &calls(&[value]));
            let bucket = histogram::bucket(buckets, value);
            assert_eq!(
                kept,
                Kept::Histogram(BTreeMap::from([(bucket, 1)])),
                "{value} in {buckets:?}"
            );
        }
    }
}

#[test]
fn steps_that_make_no_sense_or_are_too_many_are_refused() {
    for buckets in [linear(0, 10, 0), linear(5, 5, 1), linear(0, 1001, 1)] {
        let slots = vec![slot(SlotKind::Histogram(buckets), field("pid"))];
        let error = generate(&table(Vec::new(), slots)).unwrap_err();
        assert!(matches!(error, Error::Histogram { .. }), "{error}");
    }
}

#[test]
fn slots_do_not_touch_their_neighbours() {
    let of = |kind| slot(kind, field("pid"));
    let slots = vec![
        of(HISTOGRAM),
        of(SlotKind::Min),
        of(SlotKind::SumOfSquares),
        count(),
        of(HISTOGRAM),
        of(SlotKind::Max),
        of(SlotKind::Sum),
    ];
    let last = Kept::Histogram(BTreeMap::from([(0, 1), (COUNT - 1, 1)]));
    let expected = [
        last.clone(),
        Kept::Number(-2),
        Kept::Squares((1 << 124) + 4),
        Kept::Number(2),
        last,
        Kept::Number(1 << 62),
        Kept::Number((1 << 62) - 2),
    ];
    assert_eq!(
        row(&table(vec![field("comm")], slots), &calls(&[-2, 1 << 62])),
        expected
    );
}
