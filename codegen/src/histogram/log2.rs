//! 2^bits buckets of one size for each power of two, after one for values below 0. Below 2^(bits + 1) each
//! value has a bucket of its own. The buckets are those of bpftrace.

use ewapa_lang::plan::Buckets;

use super::log_linear::log2_of_r0;
use crate::insn::{Alu, Assembler, Cond, R0, R1, R3, R5};

/// The power of two of the largest value.
const LARGEST: u32 = i64::MAX.ilog2();

/// How many buckets there are; none for more bits than [`Buckets::MAX_BITS`].
pub fn count(bits: u8) -> Option<usize> {
    (bits <= Buckets::MAX_BITS).then(|| bucket(bits, i64::MAX) + 1)
}

/// The bucket of a value.
pub fn bucket(bits: u8, value: i64) -> usize {
    if value < 0 {
        0
    } else if value < 2 << bits {
        1 + value as usize
    } else {
        let shift = value.ilog2() - u32::from(bits);
        1 + ((shift as usize) << bits) + (value >> shift) as usize
    }
}

/// The smallest value of a bucket, and the smallest one of the next.
pub fn bounds(bits: u8, bucket: usize) -> (i64, i64) {
    let start = |above: usize| {
        let step = 1usize << bits;
        let shift = (above / step).saturating_sub(1);
        let start = ((above - shift * step) as u128) << shift;
        i64::try_from(start).unwrap_or(i64::MAX)
    };
    match bucket.checked_sub(1) {
        None => (i64::MIN, 0),
        Some(above) => (start(above), start(above + 1)),
    }
}

/// The bucket of `r0` into `r1`; `straight` as for [`log2_of_r0`].
pub fn find(bits: u8, asm: &mut Assembler, straight: bool) {
    let found = asm.label();
    asm.constant(R1, 0);
    asm.jump_if_imm(Cond::Slt, R0, 0, found);
    asm.mov(R1, R0);
    asm.alu_imm(Alu::Add, R1, 1);
    asm.jump_if_imm(Cond::Lt, R0, 2 << bits, found);
    log2_of_r0(asm, straight);
    if bits == 0 {
        // The value without its lower bits is 1.
        asm.mov(R1, R3);
        asm.alu_imm(Alu::Add, R1, 2);
    } else {
        asm.alu_imm(Alu::Sub, R3, i32::from(bits));
        // The verifier does not follow the halving: tell it that this is a shift.
        asm.alu_imm(Alu::And, R3, LARGEST.next_power_of_two() as i32 - 1);
        asm.mov(R5, R0);
        asm.alu(Alu::Rsh, R5, R3);
        asm.alu_imm(Alu::Lsh, R3, i32::from(bits));
        asm.mov(R1, R3);
        asm.alu(Alu::Add, R1, R5);
        asm.alu_imm(Alu::Add, R1, 1);
    }
    asm.place(found);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_of_a_power_of_two_are_of_one_size() {
        assert_eq!(bounds(2, bucket(2, 7)), (7, 8));
        assert_eq!(bounds(2, bucket(2, 9)), (8, 10));
        assert_eq!(bounds(2, bucket(2, 15)), (14, 16));
        assert_eq!(bounds(2, bucket(2, 255)), (224, 256));
        assert_eq!(bounds(0, bucket(0, i64::MAX)), (1 << 62, i64::MAX));
    }

    #[test]
    fn only_as_many_steps_as_in_bpftrace_are_kept() {
        assert_eq!(count(0), Some(65));
        assert_eq!(count(5), Some(1 + 59 * 32));
        assert_eq!(count(6), None);
    }
}
