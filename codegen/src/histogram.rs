//! The log-linear histogram that the kernel keeps and user space reads: exact below 64, then 32 steps
//! for each power of two. A value taken for the middle of its bucket is at most 1/64 = 1.6 % off.

/// The steps of one power of two, as a power of two.
pub const STEP_BITS: u32 = 5;

/// Values from 2 to this power on share the last bucket with those just below: 73 minutes in ns, 4 TiB in
/// bytes.
pub const RANGE_BITS: u32 = 42;

/// How many buckets there are.
pub const BUCKETS: usize =
    (((RANGE_BITS - 1 - STEP_BITS) << STEP_BITS) + (2 << STEP_BITS)) as usize;

/// The bucket of a value. The kernel's side is in `slot.rs`; a test holds both together.
pub fn bucket(value: i64) -> usize {
    let value = value.max(0) as u64;
    if value < 2 << STEP_BITS {
        return value as usize;
    }
    let shift = value.ilog2() - STEP_BITS;
    (((shift << STEP_BITS) as u64 + (value >> shift)) as usize).min(BUCKETS - 1)
}

/// The smallest value of a bucket, and the smallest one of the next.
pub fn bounds(bucket: usize) -> (u64, u64) {
    let step = 1 << STEP_BITS;
    if bucket < 2 * step {
        return (bucket as u64, bucket as u64 + 1);
    }
    let shift = bucket / step - 1;
    let mantissa = (bucket - shift * step) as u64;
    (mantissa << shift, (mantissa + 1) << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_within_the_bounds_of_its_bucket() {
        for power in 0..RANGE_BITS {
            for delta in [-1, 0, 1, 7, 31, 33] {
                let value = (1i64 << power) + delta;
                if (0..1 << RANGE_BITS).contains(&value) {
                    let (low, high) = bounds(bucket(value));
                    assert!(
                        low as i64 <= value && value < high as i64,
                        "{value} in {low}..{high}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_middle_of_a_bucket_is_at_most_one_sixty_fourth_off() {
        for index in 64..BUCKETS {
            let (low, high) = bounds(index);
            let half = (high - low) as f64 / 2.0;
            assert!(half / low as f64 <= 1.0 / 64.0, "bucket {index}");
        }
    }

    #[test]
    fn the_last_bucket_takes_all_that_is_larger() {
        assert_eq!(bucket(i64::MAX), BUCKETS - 1);
        assert_eq!(bucket((1 << RANGE_BITS) - 1), BUCKETS - 1);
        assert_eq!(bucket(-5), 0);
    }
}
