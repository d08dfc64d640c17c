//! The functions that the template calls: they find the clauses of an event.

use ewapa_lang::builtin::{Known, field};
use ewapa_lang::plan::{BinaryOp, Clause, Event, Expr, ExprKind, Phase, Plan, Probe, Syscalls};

use super::clause::has_context;
use super::{batches, clause_name};
use crate::compiler::{CALL, CONTEXT, Compiler};
use crate::expr::{any, offset};
use crate::insn::{Alu, Assembler, Cond, Label, R0, R1, R2, R3};

/// The clauses that wait for such an event, with their indices.
fn waiting(plan: &Plan, for_it: fn(&Event) -> bool) -> Vec<(usize, &Clause)> {
    let clauses = plan.clauses.iter().enumerate();
    clauses
        .filter(|(_, clause)| for_it(&clause.event))
        .collect()
}

pub(super) fn returns(asm: &mut Assembler, value: i64) {
    asm.constant(R0, value);
    asm.exit();
}

/// Saves the arguments: the call, and the context if any of the clauses takes it.
fn save(asm: &mut Assembler, clauses: &[(usize, &Clause)]) {
    if clauses.is_empty() {
        return;
    }
    asm.mov(CALL, R1);
    if clauses.iter().any(|(_, clause)| has_context(clause)) {
        asm.mov(CONTEXT, R2);
    }
}

fn call(asm: &mut Assembler, plan: &Plan, batch: &[usize]) {
    asm.mov(R1, CALL);
    if batch.iter().any(|index| has_context(&plan.clauses[*index])) {
        asm.mov(R2, CONTEXT);
    }
    asm.call_function(&clause_name(plan, batch));
}

/// Goes to `miss` unless one of the clause's probes stands for the call.
pub(super) fn match_probes(asm: &mut Assembler, clause: &Clause, miss: Label) {
    let hit = asm.label();
    // One test for each runtime, however many probes there are.
    let mut tests: Vec<Probe> = Vec::new();
    for probe in clause.probes() {
        match tests.iter_mut().find(|it| it.runtime == probe.runtime) {
            Some(test) => test.functions = test.functions.union(probe.functions),
            None => tests.push(*probe),
        }
    }
    for probe in tests {
        let next = asm.label();
        if let Some(runtime) = probe.runtime {
            asm.load(R1, CALL, offset(field("runtime")));
            asm.alu_imm(Alu::And, R1, 0xff);
            asm.jump_if_imm(Cond::Ne, R1, i32::from(runtime), next);
        }
        asm.load(R1, CALL, offset(field("func")));
        asm.constant(R2, probe.functions.bits() as i64);
        asm.alu(Alu::Rsh, R2, R1);
        asm.alu_imm(Alu::And, R2, 1);
        asm.jump_if_imm(Cond::Ne, R2, 0, hit);
        asm.place(next);
    }
    asm.jump(miss);
    asm.place(hit);
}

/// Does the clauses that wait for a call to begin. Returns 1 if any clause may want the completed call: its
/// probes match, and so does what of its filter is known at entry.
pub(super) fn enter(plan: &Plan, compiler: &mut Compiler<'_>) {
    let entering = waiting(plan, |event| matches!(event, Event::WasiEnter(_)));
    compiler.asm.reserve();
    compiler.asm.mov(CALL, R1);
    if entering.iter().any(|(_, clause)| has_context(clause)) {
        compiler.asm.mov(CONTEXT, R2);
    }
    for (index, _) in entering {
        call(&mut compiler.asm, plan, &[index]);
    }
    let wanted = compiler.asm.label();
    for (_, clause) in waiting(plan, |event| matches!(event, Event::Wasi(_))) {
        let next = compiler.asm.label();
        match_probes(&mut compiler.asm, clause, next);
        let parts = clause.filter.iter().flat_map(conjuncts);
        for part in parts.filter(|part| known_at_entry(part)) {
            compiler.branch(part, next, false);
        }
        compiler.asm.jump(wanted);
        compiler.asm.place(next);
    }
    returns(&mut compiler.asm, 0);
    compiler.asm.place(wanted);
    returns(&mut compiler.asm, 1);
}

/// The parts of a condition that all have to hold.
fn conjuncts(condition: &Expr) -> Vec<&Expr> {
    match &condition.kind {
        ExprKind::Binary(BinaryOp::And, left, right) => {
            let mut parts = conjuncts(left);
            parts.extend(conjuncts(right));
            parts
        }
        _ => vec![condition],
    }
}

/// Whether an expression has the same value at entry as at the end. What a map or the memory holds may
/// change in between, and so may what the kernel says.
fn known_at_entry(expr: &Expr) -> bool {
    !any(expr, &mut |part| match &part.kind {
        ExprKind::Builtin(builtin) => builtin.known > Known::Entry,
        ExprKind::Map { .. }
        | ExprKind::HasKey { .. }
        | ExprKind::Rows(_)
        | ExprKind::Depth(_)
        | ExprKind::Variable(_)
        | ExprKind::Kernel(_)
        | ExprKind::Context { .. }
        | ExprKind::ContextAddress { .. }
        | ExprKind::Read { .. }
        | ExprKind::ReadText { .. }
        | ExprKind::ReadBytes { .. }
        | ExprKind::Stack => true,
        _ => false,
    })
}

/// Does the clauses that wait for a completed call.
pub(super) fn leave(plan: &Plan, asm: &mut Assembler) {
    let clauses = waiting(plan, |event| matches!(event, Event::Wasi(_)));
    save(asm, &clauses);
    let is_call = |index: &usize| clauses.iter().any(|(known, _)| known == index);
    for batch in batches(plan).iter().filter(|batch| is_call(&batch[0])) {
        call(asm, plan, batch);
    }
    returns(asm, 0);
}

/// Does the clauses that wait for this system call.
pub(super) fn syscall(plan: &Plan, asm: &mut Assembler) {
    let clauses = waiting(plan, |event| matches!(event, Event::Syscall(_)));
    save(asm, &clauses);
    for (index, clause) in clauses {
        let (hit, miss) = (asm.label(), asm.label());
        if let Event::Syscall(Syscalls::Numbers(numbers)) = &clause.event {
            match_numbers(asm, numbers, hit);
            asm.jump(miss);
        }
        asm.place(hit);
        call(asm, plan, &[index]);
        asm.place(miss);
    }
    returns(asm, 0);
}

/// Goes to `hit` if the system call has one of these numbers: 64 of them at a time.
fn match_numbers(asm: &mut Assembler, numbers: &[u16], hit: Label) {
    let mut words: Vec<u16> = numbers.iter().map(|number| number / 64).collect();
    words.sort_unstable();
    words.dedup();
    for word in words {
        let next = asm.label();
        let within = numbers.iter().filter(|number| *number / 64 == word);
        let bits = within.fold(0u64, |bits, number| bits | 1 << (number % 64));
        asm.load(R1, CALL, offset(field("syscall")));
        if bits.is_power_of_two() {
            let number = i32::from(word) * 64 + bits.trailing_zeros() as i32;
            asm.jump_if_imm(Cond::Eq, R1, number, hit);
            continue;
        }
        asm.mov(R2, R1);
        asm.alu_imm(Alu::Rsh, R2, 6);
        asm.jump_if_imm(Cond::Ne, R2, i32::from(word), next);
        asm.constant(R2, bits as i64);
        // By the low six bits.
        asm.alu(Alu::Rsh, R2, R1);
        asm.alu_imm(Alu::And, R2, 1);
        asm.jump_if_imm(Cond::Ne, R2, 0, hit);
        asm.place(next);
    }
}

/// Does the clauses that wait for this phase.
pub(super) fn phase(plan: &Plan, asm: &mut Assembler) {
    let clauses = waiting(plan, |event| matches!(event, Event::Phase(_)));
    save(asm, &clauses);
    for (index, clause) in clauses {
        let (hit, miss) = (asm.label(), asm.label());
        if let Event::Phase(phases) = &clause.event {
            asm.load(R1, CALL, offset(field("phase")));
            for (number, phase) in (0..).zip(Phase::ALL) {
                if phases.contains(&phase) {
                    asm.jump_if_imm(Cond::Eq, R1, number, hit);
                }
            }
            asm.jump(miss);
        }
        asm.place(hit);
        call(asm, plan, &[index]);
        asm.place(miss);
    }
    returns(asm, 0);
}

/// Does the clause whose index is the third argument.
pub(super) fn event(plan: &Plan, asm: &mut Assembler) {
    let clauses = waiting(plan, |event| {
        matches!(event, Event::Begin | Event::End | Event::Interval(_))
    });
    for (index, _) in clauses {
        let next = asm.label();
        let number = i32::try_from(index).expect("a script has few clauses");
        asm.jump_if_imm(Cond::Ne, R3, number, next);
        asm.call_function(&clause_name(plan, &[index]));
        returns(asm, 0);
        asm.place(next);
    }
    returns(asm, 0);
}
