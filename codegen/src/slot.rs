//! The slots of a group: where they are in the store's value, and the code that updates them. A probe
//! may be preempted by another one on the same CPU, so every update is atomic.

use ewapa_lang::plan::{Buckets, SlotKind, Update};

use crate::compiler::{Compiler, VALUE};
use crate::histogram;
use crate::insn::{Alu, Cond, R0, R1, R2, R3, R4};

/// How often an update of an extreme is tried. A try fails only if another probe has changed the same slot
/// in between: one that has preempted this one, or one on another CPU if they share the store.
const TRIES: i32 = 8;

/// The bytes of one step of a series: four words. Which step it is, counted from the start of the kernel
/// plus one, or 0 if it is empty; the number of values; their sum, or the last of them; their extreme, as
/// extremes are kept.
pub const SERIES_STEP: usize = 32;

/// The bytes of a slot.
pub fn size(kind: SlotKind) -> usize {
    match kind {
        SlotKind::Count
        | SlotKind::Values
        | SlotKind::Sum
        | SlotKind::Min
        | SlotKind::Max
        | SlotKind::Last
        | SlotKind::Tally => 8,
        SlotKind::SumOfSquares => 16,
        SlotKind::Text(bytes) => usize::from(bytes),
        SlotKind::Series { steps, .. } => SERIES_STEP * usize::from(steps),
        SlotKind::Histogram(buckets) => 8 * histogram::count(buckets),
    }
}

/// An extreme as it is kept: unsigned order is the order of the values, and 0 is below all of them, so
/// that a new group needs no initial value. A minimum is kept as the maximum of the complement.
pub fn encode_extreme(value: i64, minimum: bool) -> u64 {
    let value = if minimum { !value } else { value };
    value as u64 ^ 1 << 63
}

/// The value of an extreme as it is kept.
pub fn decode_extreme(kept: u64, minimum: bool) -> i64 {
    let value = (kept ^ 1 << 63) as i64;
    if minimum { !value } else { value }
}

/// Emits the update of one slot at this offset of the group's value.
pub fn update(compiler: &mut Compiler<'_>, kind: SlotKind, update: &Update, offset: usize) {
    let skip = compiler.asm.label();
    if let Some(condition) = &update.condition {
        compiler.branch(condition, skip, false);
    }
    if let Some(value) = &update.value {
        compiler.value(value, skip);
    }
    let near = || i16::try_from(offset).expect("slots of one or two words come before histograms");
    match kind {
        SlotKind::Histogram(buckets) => add_to_bucket(compiler, buckets, offset),
        SlotKind::Count | SlotKind::Values => {
            compiler.asm.constant(R1, 1);
            compiler.asm.atomic_add(VALUE, near(), R1);
        }
        SlotKind::Sum | SlotKind::Tally => compiler.asm.atomic_add(VALUE, near(), R0),
        SlotKind::SumOfSquares => add_square(compiler, near()),
        SlotKind::Min => raise_extreme(compiler, near(), true),
        SlotKind::Max => raise_extreme(compiler, near(), false),
        SlotKind::Last => compiler.asm.store(VALUE, near(), R0),
        SlotKind::Text(_) | SlotKind::Series { .. } => unreachable!("the checker refuses it"),
    }
    compiler.asm.place(skip);
}

/// Adds the square of `r0` to 128 bits, the low half first.
fn add_square(compiler: &mut Compiler<'_>, offset: i16) {
    let asm = &mut compiler.asm;
    let (positive, low_done, fetched) = (asm.label(), asm.label(), asm.label());
    asm.jump_if_imm(Cond::Sge, R0, 0, positive);
    asm.alu_imm(Alu::Neg, R0, 0);
    asm.place(positive);
    // (a 2^32 + b)^2 = a^2 2^64 + 2ab 2^32 + b^2, with a in r3 and b in r1
    asm.mov(R3, R0);
    asm.alu_imm(Alu::Rsh, R3, 32);
    asm.mov(R1, R0);
    asm.alu_imm(Alu::Lsh, R1, 32);
    asm.alu_imm(Alu::Rsh, R1, 32);
    asm.mov(R2, R1);
    asm.alu(Alu::Mul, R2, R3);
    asm.alu_imm(Alu::Lsh, R2, 1);
    asm.alu(Alu::Mul, R1, R1);
    asm.alu(Alu::Mul, R3, R3);
    asm.mov(R4, R2);
    asm.alu_imm(Alu::Lsh, R4, 32);
    asm.alu_imm(Alu::Rsh, R2, 32);
    asm.alu(Alu::Add, R3, R2);
    asm.alu(Alu::Add, R1, R4);
    asm.jump_if(Cond::Ge, R1, R4, low_done);
    asm.alu_imm(Alu::Add, R3, 1);
    asm.place(low_done);
    asm.mov(R4, R1);
    asm.atomic_fetch_add(VALUE, offset, R1);
    asm.alu(Alu::Add, R1, R4);
    asm.jump_if(Cond::Ge, R1, R4, fetched);
    asm.alu_imm(Alu::Add, R3, 1);
    asm.place(fetched);
    asm.atomic_add(VALUE, offset + 8, R3);
}

/// Raises the extreme to `r0` if that is larger.
fn raise_extreme(compiler: &mut Compiler<'_>, offset: i16, minimum: bool) {
    let asm = &mut compiler.asm;
    let (again, done) = (asm.label(), asm.label());
    if minimum {
        asm.alu_imm(Alu::Xor, R0, -1);
    }
    asm.constant(R1, i64::MIN);
    asm.alu(Alu::Xor, R0, R1);
    asm.mov(R2, R0);
    asm.load(R0, VALUE, offset);
    asm.constant(R3, 0);
    asm.place(again);
    asm.jump_if(Cond::Ge, R0, R2, done);
    asm.mov(R1, R0);
    asm.compare_exchange(VALUE, offset, R2);
    asm.jump_if(Cond::Eq, R0, R1, done);
    asm.alu_imm(Alu::Add, R3, 1);
    asm.jump_if_imm(Cond::Lt, R3, TRIES, again);
    asm.place(done);
}

/// Adds 1 to the bucket of `r0`.
fn add_to_bucket(compiler: &mut Compiler<'_>, buckets: Buckets, offset: usize) {
    let asm = &mut compiler.asm;
    histogram::find(buckets, asm);
    // Never taken, but the verifier does not follow the search.
    let (count, within) = (histogram::count(buckets) as i32, asm.label());
    asm.jump_if_imm(Cond::Lt, R1, count, within);
    asm.constant(R1, i64::from(count - 1));
    asm.place(within);
    asm.alu_imm(Alu::Lsh, R1, 3);
    asm.alu_imm(
        Alu::Add,
        R1,
        i32::try_from(offset).expect("a store's value is small"),
    );
    asm.alu(Alu::Add, R1, VALUE);
    asm.constant(R2, 1);
    asm.atomic_add(R1, 0, R2);
}
