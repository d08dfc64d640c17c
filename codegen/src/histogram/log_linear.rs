//! The log-linear histogram: exact below 64, then 32 steps for each power of two. A value taken for the
//! middle of its bucket is at most 1/64 = 1.6 % off.

use crate::insn::{Alu, Assembler, Cond, R0, R1, R2, R3, R4, R5};

/// The steps of one power of two, as a power of two.
pub const STEP_BITS: u32 = 5;

/// Values from 2 to this power on share the last bucket with those just below: 73 minutes in ns, 4 TiB in
/// bytes.
pub const RANGE_BITS: u32 = 42;

/// How many buckets there are.
pub const COUNT: usize = (((RANGE_BITS - 1 - STEP_BITS) << STEP_BITS) + (2 << STEP_BITS)) as usize;

/// The bucket of a value; values below 0 count as 0.
pub fn bucket(value: i64) -> usize {
    let value = value.max(0) as u64;
    if value < 2 << STEP_BITS {
        return value as usize;
    }
    let shift = value.ilog2() - STEP_BITS;
    (((shift << STEP_BITS) as u64 + (value >> shift)) as usize).min(COUNT - 1)
}

/// The smallest value of a bucket, and the smallest one of the next.
pub fn bounds(bucket: usize) -> (i64, i64) {
    let step = 1 << STEP_BITS;
    if bucket < 2 * step {
        return (bucket as i64, bucket as i64 + 1);
    }
    let shift = bucket / step - 1;
    let mantissa = (bucket - shift * step) as i64;
    (mantissa << shift, (mantissa + 1) << shift)
}

/// The bucket of `r0` into `r1`; `straight` as for [`log2_of_r0`].
pub fn find(asm: &mut Assembler, straight: bool) {
    let (positive, found) = (asm.label(), asm.label());
    asm.jump_if_imm(Cond::Sge, R0, 0, positive);
    asm.constant(R0, 0);
    asm.place(positive);
    asm.mov(R1, R0);
    asm.jump_if_imm(Cond::Lt, R0, 2 << STEP_BITS, found);
    asm.constant(R1, (COUNT - 1) as i64);
    asm.constant(R2, 1 << RANGE_BITS);
    asm.jump_if(Cond::Ge, R0, R2, found);
    log2_of_r0(asm, straight);
    asm.alu_imm(Alu::Sub, R3, STEP_BITS as i32);
    // The verifier does not follow the halving: tell it that this is a shift.
    asm.alu_imm(Alu::And, R3, 63);
    asm.mov(R5, R0);
    asm.alu(Alu::Rsh, R5, R3);
    asm.alu_imm(Alu::Lsh, R3, STEP_BITS as i32);
    asm.alu(Alu::Add, R3, R5);
    asm.mov(R1, R3);
    asm.place(found);
}

/// `r3 = floor(log2(r0))` for an `r0` above 0, by halving; `r2` and `r4` are lost. `straight`: without
/// branches, which in a loop the verifier would follow one by one.
pub(super) fn log2_of_r0(asm: &mut Assembler, straight: bool) {
    asm.mov(R2, R0);
    asm.constant(R3, 0);
    for bits in [32, 16, 8, 4, 2, 1] {
        if straight {
            // The number of bits to shift by: all of them if there is anything above, else none.
            asm.mov(R4, R2);
            asm.alu_imm(Alu::Rsh, R4, bits);
            asm.alu_imm(Alu::Neg, R4, 0);
            asm.alu_imm(Alu::Rsh, R4, 63);
            asm.alu_imm(Alu::Mul, R4, bits);
            asm.alu(Alu::Rsh, R2, R4);
            asm.alu(Alu::Add, R3, R4);
            continue;
        }
        let small = asm.label();
        asm.constant(R4, 1 << bits);
        asm.jump_if(Cond::Lt, R2, R4, small);
        asm.alu_imm(Alu::Rsh, R2, bits);
        asm.alu_imm(Alu::Add, R3, bits);
        asm.place(small);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_bucket_is_at_most_one_sixty_fourth_off() {
        for index in 64..COUNT {
            let (low, high) = bounds(index);
            let half = (high - low) as f64 / 2.0;
            assert!(half / low as f64 <= 1.0 / 64.0, "bucket {index}");
        }
    }

    #[test]
    fn the_last_bucket_takes_all_that_is_larger() {
        assert_eq!(bucket(i64::MAX), COUNT - 1);
        assert_eq!(bucket((1 << RANGE_BITS) - 1), COUNT - 1);
        assert_eq!(bucket(-5), 0);
    }
}
