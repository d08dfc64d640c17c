//! One bucket for each power of two, after one for values below 0 and one for 0.

use super::log_linear::log2_of_r0;
use crate::insn::{Alu, Assembler, Cond, R0, R1, R3};

/// How many buckets there are: the largest power of two in 63 bits is 2^62.
pub const COUNT: usize = 2 + 63;

/// The bucket of a value.
pub fn bucket(value: i64) -> usize {
    match value {
        ..0 => 0,
        0 => 1,
        1.. => 2 + value.ilog2() as usize,
    }
}

/// The smallest value of a bucket, and the smallest one of the next.
pub fn bounds(bucket: usize) -> (i64, i64) {
    let power = |bits: usize| 1i64.checked_shl(bits as u32).filter(|power| *power > 0);
    match bucket {
        0 => (i64::MIN, 0),
        1 => (0, 1),
        _ => (
            power(bucket - 2).unwrap_or(i64::MAX),
            power(bucket - 1).unwrap_or(i64::MAX),
        ),
    }
}

/// The bucket of `r0` into `r1`; `straight` as for [`log2_of_r0`].
pub fn find(asm: &mut Assembler, straight: bool) {
    let found = asm.label();
    asm.constant(R1, 0);
    asm.jump_if_imm(Cond::Slt, R0, 0, found);
    asm.constant(R1, 1);
    asm.jump_if_imm(Cond::Eq, R0, 0, found);
    log2_of_r0(asm, straight);
    asm.mov(R1, R3);
    asm.alu_imm(Alu::Add, R1, 2);
    asm.place(found);
}
