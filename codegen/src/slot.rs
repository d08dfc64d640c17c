//! The slots of a group: where they are in the store's value, and the code that updates them. A probe
//! may be preempted by another one on the same CPU, so every update is atomic.

use ewapa_lang::plan::{Buckets, Fold, SlotKind, Update};
use ewapa_lang::types::Type;

use crate::compiler::{Compiler, Place, VALUE};
use crate::histogram;
use crate::insn::{Alu, Cond, Helper, Label, R0, R1, R2, R3, R4, R5, Reg};

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
    let (mark, skip) = (compiler.frame.mark(), compiler.asm.label());
    if let Some(condition) = &update.condition {
        compiler.branch(condition, skip, false);
    }
    let near = || i16::try_from(offset).expect("small slots come before large ones");
    match &update.value {
        Some(value) if matches!(kind, SlotKind::Text(_)) => {
            let place = Place {
                base: VALUE,
                offset: near(),
            };
            compiler.put(value, place, size(kind));
        }
        Some(value) => compiler.value(value, skip),
        None => {}
    }
    match kind {
        SlotKind::Histogram(buckets) => add_to_bucket(compiler, buckets, offset),
        SlotKind::Count | SlotKind::Values => {
            compiler.asm.constant(R1, 1);
            compiler.asm.atomic_add(VALUE, near(), R1);
        }
        SlotKind::Sum | SlotKind::Tally => compiler.asm.atomic_add(VALUE, near(), R0),
        SlotKind::SumOfSquares => add_square(compiler, near()),
        SlotKind::Min => raise_extreme(compiler, VALUE, near(), true),
        SlotKind::Max => raise_extreme(compiler, VALUE, near(), false),
        SlotKind::Last => compiler.asm.store(VALUE, near(), R0),
        SlotKind::Text(_) => {}
        SlotKind::Series { step, steps, fold } => {
            add_to_series(compiler, (step, steps, fold), offset, skip);
        }
    }
    compiler.asm.place(skip);
    compiler.frame.release(mark);
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

/// Raises the extreme at this offset from a register, which is not `r0` to `r3`, to `r0` if that is larger.
fn raise_extreme(compiler: &mut Compiler<'_>, base: Reg, offset: i16, minimum: bool) {
    let asm = &mut compiler.asm;
    let (again, done) = (asm.label(), asm.label());
    if minimum {
        asm.alu_imm(Alu::Xor, R0, -1);
    }
    asm.constant(R1, i64::MIN);
    asm.alu(Alu::Xor, R0, R1);
    asm.mov(R2, R0);
    asm.load(R0, base, offset);
    asm.constant(R3, 0);
    asm.place(again);
    asm.jump_if(Cond::Ge, R0, R2, done);
    asm.mov(R1, R0);
    asm.compare_exchange(base, offset, R2);
    asm.jump_if(Cond::Eq, R0, R1, done);
    asm.alu_imm(Alu::Add, R3, 1);
    asm.jump_if_imm(Cond::Lt, R3, TRIES, again);
    asm.place(done);
}

/// Adds 1 to the bucket of `r0`.
fn add_to_bucket(compiler: &mut Compiler<'_>, buckets: Buckets, offset: usize) {
    histogram::find(buckets, &mut compiler.asm, compiler.forgetful);
    if compiler.forgetful {
        // The verifier would go on with each bucket in turn.
        compiler.asm.mov(R0, R1);
        let bucket = compiler.keep();
        compiler.forget(bucket, Type::Int);
        compiler.load(R1, bucket);
    }
    let asm = &mut compiler.asm;
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

/// Adds `r0` to the step of a series that the present is in. The place of a step that is over is taken: who
/// changes the number of the step to the new one makes its words 0. What another probe adds between these
/// two is lost.
fn add_to_series(
    compiler: &mut Compiler<'_>,
    (step, steps, fold): (u64, u16, Fold),
    offset: usize,
    skip: Label,
) {
    let value = compiler.keep();
    let asm = &mut compiler.asm;
    let (within, current, add) = (asm.label(), asm.label(), asm.label());
    asm.call(Helper::Nanoseconds);
    asm.constant(R1, step as i64);
    asm.alu(Alu::Div, R0, R1);
    asm.alu_imm(Alu::Add, R0, 1);
    asm.mov(R3, R0);
    // The place: the number of the step modulo how many there are.
    asm.mov(R4, R0);
    asm.alu_imm(Alu::Mod, R4, i32::from(steps));
    // Never taken, but the verifier need not know.
    asm.jump_if_imm(Cond::Lt, R4, i32::from(steps), within);
    asm.constant(R4, 0);
    asm.place(within);
    asm.alu_imm(Alu::Mul, R4, SERIES_STEP as i32);
    let offset = i32::try_from(offset).expect("a store's value is small");
    asm.alu_imm(Alu::Add, R4, offset);
    asm.alu(Alu::Add, R4, VALUE);
    asm.load(R0, R4, 0);
    asm.jump_if(Cond::Eq, R0, R3, add);
    asm.jump_if(Cond::Gt, R0, R3, skip);
    asm.mov(R5, R0);
    asm.compare_exchange(R4, 0, R3);
    asm.jump_if(Cond::Eq, R0, R3, add);
    asm.jump_if(Cond::Eq, R0, R5, current);
    asm.jump(skip);
    asm.place(current);
    for word in 1..4 {
        asm.store_imm(R4, 8 * word, 0);
    }
    asm.place(add);
    asm.constant(R1, 1);
    asm.atomic_add(R4, 8, R1);
    compiler.load(R0, value);
    match fold {
        Fold::Sum | Fold::Avg => compiler.asm.atomic_add(R4, 16, R0),
        Fold::Last => compiler.asm.store(R4, 16, R0),
        Fold::Min => raise_extreme(compiler, R4, 24, true),
        Fold::Max => raise_extreme(compiler, R4, 24, false),
    }
}
