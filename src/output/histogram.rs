//! Histograms as bpftrace draws them: a line for each range from the first to the last one that holds
//! anything.
//!
//! The bounds are numbers, as in bpftrace. What they are numbers of, if the script knows, stands in the
//! line above: bounds that are powers of two would not be exact in another unit than the base unit.

use std::fmt::Write as _;

use ewapa_codegen::histogram::bounds;
use ewapa_lang::plan::Buckets;
use ewapa_lang::types::Type;

/// The characters of the longest bar.
const BAR: u64 = 52;

/// The suffixes of multiples of 1024.
const SUFFIXES: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];

/// Units of time with their nanoseconds.
const TIMES: [(&str, i64); 4] = [
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// What the bounds are numbers of; nothing for plain numbers. The second is that unit in the base unit.
pub fn unit(buckets: Buckets, ty: Type) -> (Option<&'static str>, i64) {
    match (ty, buckets) {
        (Type::Time, Buckets::Linear { min, max, step }) => {
            let exact =
                |(_, factor): &(_, i64)| [min, max, step].iter().all(|end| end % factor == 0);
            let (name, factor) = TIMES.into_iter().find(exact).unwrap_or(("ns", 1));
            (Some(name), factor)
        }
        (Type::Time, _) => (Some("ns"), 1),
        (Type::Size, _) => (Some("bytes"), 1),
        _ => (None, 1),
    }
}

/// A line for each range.
pub fn draw(buckets: Buckets, counts: &[(u16, u64)], ty: Type) -> String {
    let (Some((first, _)), Some((last, _))) = (counts.first(), counts.last()) else {
        return String::new();
    };
    let largest = counts.iter().map(|(_, count)| *count).max().unwrap_or(1);
    let mut counts = counts.iter().peekable();
    let mut out = String::new();
    for index in *first..=*last {
        let count = counts
            .next_if(|(at, _)| *at == index)
            .map_or(0, |(_, count)| *count);
        // In 128 bits: a count may be any number.
        let bar = u128::from(count) * u128::from(BAR) / u128::from(largest.max(1));
        writeln!(
            out,
            "{:<16}{count:>8} |{:<width$}|",
            range(buckets, usize::from(index), ty),
            "@".repeat(bar as usize),
            width = BAR as usize
        )
        .expect("write to a string");
    }
    out
}

/// A range, as it stands before its bar.
pub fn range(buckets: Buckets, index: usize, ty: Type) -> String {
    let (low, high) = bounds(buckets, index);
    let (_, factor) = unit(buckets, ty);
    let number = |bound: i64| match buckets {
        Buckets::Linear { step, .. } => number(bound / factor, step / factor),
        Buckets::Log2 { bits } => number(bound, step_at(bound, bits)),
        Buckets::LogLinear => number(bound, 0),
    };
    match (low, high) {
        (i64::MIN, _) => format!("(..., {})", number(high)),
        // The largest number is one less than the power of two.
        (_, i64::MAX) if matches!(buckets, Buckets::Log2 { .. }) => {
            format!("[{}, 8E)", number(low))
        }
        (_, i64::MAX) => format!("[{}, ...)", number(low)),
        _ if !matches!(buckets, Buckets::Linear { .. }) && high - low == 1 => {
            format!("[{}]", number(low))
        }
        _ => format!("[{}, {})", number(low), number(high)),
    }
}

/// The size of the step that begins at a bound.
fn step_at(bound: i64, bits: u8) -> i64 {
    let power = bound.checked_ilog2().unwrap_or(0);
    1 << power.saturating_sub(u32::from(bits))
}

/// A bound in the largest multiple of 1024 that divides it and the step, so that a whole column has one form.
fn number(bound: i64, step: i64) -> String {
    let mut bound = bound;
    let mut step = step;
    let mut suffixes = SUFFIXES.iter();
    let mut suffix = suffixes.next().expect("no suffix is the first");
    while bound != 0 && bound % 1024 == 0 && step % 1024 == 0 {
        let Some(larger) = suffixes.next() else { break };
        bound /= 1024;
        step /= 1024;
        suffix = larger;
    }
    format!("{bound}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ewapa_codegen::histogram::bucket;
    use expect_test::{Expect, expect};

    fn counts(buckets: Buckets, values: &[i64]) -> Vec<(u16, u64)> {
        let mut counts = std::collections::BTreeMap::new();
        for value in values {
            *counts.entry(bucket(buckets, *value) as u16).or_insert(0) += 1;
        }
        counts.into_iter().collect()
    }

    fn check(buckets: Buckets, ty: Type, values: &[i64], expected: &Expect) {
        expected.assert_eq(&draw(buckets, &counts(buckets, values), ty));
    }

    #[test]
    fn powers_of_two_are_drawn_as_by_bpftrace() {
        check(
            Buckets::Log2 { bits: 0 },
            Type::Int,
            &[0, -3, 1, 2, 3, 20, 20, 20],
            &expect![[r"
                (..., 0)               1 |@@@@@@@@@@@@@@@@@                                   |
                [0]                    1 |@@@@@@@@@@@@@@@@@                                   |
                [1]                    1 |@@@@@@@@@@@@@@@@@                                   |
                [2, 4)                 2 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@                  |
                [4, 8)                 0 |                                                    |
                [8, 16)                0 |                                                    |
                [16, 32)               3 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|
            "]],
        );
        check(
            Buckets::Log2 { bits: 0 },
            Type::Size,
            &[600, 1024, 1024, 5000],
            &expect![[r"
                [512, 1K)              1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |
                [1K, 2K)               2 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|
                [2K, 4K)               0 |                                                    |
                [4K, 8K)               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |
            "]],
        );
    }

    #[test]
    fn the_largest_powers_have_suffixes_too() {
        check(
            Buckets::Log2 { bits: 0 },
            Type::Int,
            &[1 << 61, i64::MAX],
            &expect![[r"
                [2E, 4E)               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|
                [4E, 8E)               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|
            "]],
        );
    }

    #[test]
    fn the_bounds_of_finer_ranges_have_the_suffix_of_their_steps() {
        let quarters = Buckets::Log2 { bits: 2 };
        let ranges = |values: &[i64]| -> Vec<String> {
            let drawn = draw(quarters, &counts(quarters, values), Type::Int);
            let lines = drawn.lines().filter(|line| line.contains('@'));
            lines.map(|line| line[..16].trim_end().to_owned()).collect()
        };
        assert_eq!(ranges(&[-1, 7, 9]), ["(..., 0)", "[7]", "[8, 10)"]);
        assert_eq!(ranges(&[3900, 4096]), ["[3584, 4K)", "[4K, 5K)"]);
        assert_eq!(ranges(&[1 << 20, i64::MAX]), ["[1024K, 1280K)", "[7E, 8E)"]);
    }

    #[test]
    fn steps_are_drawn_as_by_bpftrace() {
        let tens = Buckets::Linear {
            min: 0,
            max: 30,
            step: 10,
        };
        check(
            tens,
            Type::Int,
            &[-5, 5, 55, 30, 25],
            &expect![[r"
                (..., 0)               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |
                [0, 10)                1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |
                [10, 20)               0 |                                                    |
                [20, 30)               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |
                [30, ...)              2 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|
            "]],
        );
        let kilos = Buckets::Linear {
            min: 0,
            max: 10_240,
            step: 1024,
        };
        check(
            kilos,
            Type::Int,
            &[3000],
            &expect![[r"
                [2K, 3K)               1 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|
            "]],
        );
    }

    #[test]
    fn steps_of_time_are_in_the_unit_in_which_all_are_whole() {
        let steps = Buckets::Linear {
            min: 0,
            max: 100_000,
            step: 5_000,
        };
        assert_eq!(unit(steps, Type::Time), (Some("us"), 1000));
        check(
            steps,
            Type::Time,
            &[7_000],
            &expect![[r"
                [5, 10)                1 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|
            "]],
        );
    }

    #[test]
    fn a_histogram_of_nothing_is_empty() {
        check(Buckets::Log2 { bits: 0 }, Type::Int, &[], &expect![[""]]);
    }
}
