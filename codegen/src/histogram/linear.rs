//! Steps of one size from `min` to `max`, between a bucket for values below and one for those from `max` on.
//! The last step is shorter if the size does not divide the range.

use crate::insn::{Alu, Assembler, Cond, R0, R1, R2};

/// How many buckets there are; none if there is no step or there are more than [`super::LIMIT`].
pub fn count(min: i64, max: i64, step: i64) -> Option<usize> {
    if min >= max || step <= 0 {
        return None;
    }
    let steps = max.abs_diff(min).div_ceil(step.unsigned_abs());
    let count = usize::try_from(steps).ok()?.checked_add(2)?;
    (count <= super::LIMIT).then_some(count)
}

/// The bucket of a value.
pub fn bucket(min: i64, max: i64, step: i64, value: i64) -> usize {
    if value < min {
        0
    } else if value >= max {
        last(min, max, step)
    } else {
        1 + (value.abs_diff(min) / step.unsigned_abs()) as usize
    }
}

fn last(min: i64, max: i64, step: i64) -> usize {
    count(min, max, step).expect("the compiler refuses other ranges") - 1
}

/// The smallest value of a bucket, and the smallest one of the next.
pub fn bounds(min: i64, max: i64, step: i64, bucket: usize) -> (i64, i64) {
    let start = |steps: usize| {
        let start = i128::from(min) + i128::from(step) * steps as i128;
        i64::try_from(start).unwrap_or(max).min(max)
    };
    if bucket == 0 {
        (i64::MIN, min)
    } else if bucket >= last(min, max, step) {
        (max, i64::MAX)
    } else {
        (start(bucket - 1), start(bucket))
    }
}

/// The bucket of `r0` into `r1`.
pub fn find(min: i64, max: i64, step: i64, asm: &mut Assembler) {
    let found = asm.label();
    asm.constant(R1, 0);
    asm.constant(R2, min);
    asm.jump_if(Cond::Slt, R0, R2, found);
    asm.constant(R1, last(min, max, step) as i64);
    asm.constant(R2, max);
    asm.jump_if(Cond::Sge, R0, R2, found);
    // The distance from `min` fits 64 bits without a sign.
    asm.mov(R1, R0);
    asm.constant(R2, min);
    asm.alu(Alu::Sub, R1, R2);
    asm.constant(R2, step);
    asm.alu(Alu::Div, R1, R2);
    asm.alu_imm(Alu::Add, R1, 1);
    asm.place(found);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_make_no_sense_or_too_many_buckets_have_no_count() {
        assert_eq!(count(0, 1000, 1), Some(1002));
        assert_eq!(count(0, 1001, 1), None);
        assert_eq!(count(i64::MIN, i64::MAX, 1), None);
        assert_eq!(count(5, 5, 1), None);
        assert_eq!(count(0, 10, 0), None);
        assert_eq!(count(0, 10, -1), None);
    }

    #[test]
    fn the_last_step_is_as_long_as_the_range_allows() {
        assert_eq!(count(0, 25, 10), Some(5));
        assert_eq!(bounds(0, 25, 10, 3), (20, 25));
        assert_eq!(bounds(0, 25, 10, 4), (25, i64::MAX));
        assert_eq!(bucket(0, 25, 10, 24), 3);
        assert_eq!(bucket(0, 25, 10, 25), 4);
    }
}
