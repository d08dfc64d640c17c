//! The histograms that the kernel keeps and user space reads: for each kind of ranges the bucket of a
//! value, what lies in a bucket, and the generated code that finds the bucket.

pub mod linear;
pub mod log2;
pub mod log_linear;

use ewapa_lang::plan::Buckets;

use crate::insn::Assembler;

/// The most buckets that a histogram with steps of one size may have.
pub const LIMIT: usize = 1002;

/// How many buckets there are; none if the ranges make no sense or are too many.
pub fn checked_count(buckets: Buckets) -> Option<usize> {
    match buckets {
        Buckets::LogLinear => Some(log_linear::COUNT),
        Buckets::Log2 { bits } => log2::count(bits),
        Buckets::Linear { min, max, step } => linear::count(min, max, step),
    }
}

/// How many buckets there are, of ranges that [`checked_count`] accepts.
pub fn count(buckets: Buckets) -> usize {
    checked_count(buckets).expect("the compiler refuses other ranges")
}

/// The bucket of a value.
pub fn bucket(buckets: Buckets, value: i64) -> usize {
    match buckets {
        Buckets::LogLinear => log_linear::bucket(value),
        Buckets::Log2 { bits } => log2::bucket(bits, value),
        Buckets::Linear { min, max, step } => linear::bucket(min, max, step, value),
    }
}

/// The smallest value of a bucket, and the smallest one of the next. A bucket without a lower end begins
/// at [`i64::MIN`], one without an upper end stops at [`i64::MAX`] and includes that.
pub fn bounds(buckets: Buckets, bucket: usize) -> (i64, i64) {
    match buckets {
        Buckets::LogLinear => log_linear::bounds(bucket),
        Buckets::Log2 { bits } => log2::bounds(bits, bucket),
        Buckets::Linear { min, max, step } => linear::bounds(min, max, step, bucket),
    }
}

/// Emits the search for the bucket of `r0`, into `r1`: the twin of [`bucket`]. `r2` to `r5` are lost.
pub fn find(buckets: Buckets, asm: &mut Assembler, straight: bool) {
    match buckets {
        Buckets::LogLinear => log_linear::find(asm, straight),
        Buckets::Log2 { bits } => log2::find(bits, asm, straight),
        Buckets::Linear { min, max, step } => linear::find(min, max, step, asm),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Buckets; 8] = [
        Buckets::LogLinear,
        Buckets::Log2 { bits: 0 },
        Buckets::Log2 { bits: 1 },
        Buckets::Log2 { bits: 3 },
        Buckets::Log2 { bits: 5 },
        Buckets::Linear {
            min: 0,
            max: 100,
            step: 10,
        },
        Buckets::Linear {
            min: -5,
            max: 6,
            step: 4,
        },
        Buckets::Linear {
            min: i64::MIN,
            max: i64::MAX,
            step: 1 << 60,
        },
    ];

    #[test]
    fn every_value_lies_within_the_bounds_of_its_bucket() {
        for kind in KINDS {
            for power in 0..63 {
                for delta in [-1, 0, 1, 7, 31, 33] {
                    for value in [(1i64 << power) + delta, -((1i64 << power) + delta)] {
                        let (low, high) = bounds(kind, bucket(kind, value));
                        let within = low <= value && (value < high || high == i64::MAX);
                        let beyond = kind == Buckets::LogLinear
                            && !(0..1 << log_linear::RANGE_BITS).contains(&value);
                        assert!(within || beyond, "{kind:?}: {value} in {low}..{high}");
                    }
                }
            }
        }
    }

    #[test]
    fn each_bucket_begins_where_the_one_before_it_ends() {
        for kind in KINDS {
            for index in 1..count(kind) {
                assert_eq!(bounds(kind, index - 1).1, bounds(kind, index).0, "{kind:?}");
            }
        }
    }

    #[test]
    fn the_smallest_value_of_a_bucket_is_in_it() {
        for kind in KINDS {
            for index in 0..count(kind) {
                let (low, high) = bounds(kind, index);
                if low < high {
                    assert_eq!(bucket(kind, low), index, "{kind:?}");
                }
            }
        }
    }
}
