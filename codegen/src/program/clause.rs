//! The function of a clause, those that it has called for each row of a map, and the program of a raw probe.

use ewapa_lang::plan::{Action, Clause, Event, ExprKind, Plan, RawKind, RawProbe};
use ewapa_templates::{CALL_AROUND, IS_TRACED};

use super::dispatch::{match_probes, returns};
use super::{Function, LOOP, RawProgram, TEXT};
use super::{any_expression, clause_name, describe, finish, is_alone, too_large};
use crate::Error;
use crate::action::{has_loop, iterates};
use crate::btf::Parameter;
use crate::compiler::{CALL, CONTEXT, Compiler, Parts};
use crate::expr::takes_context;
use crate::insn::{Assembler, Cond, R0, R1, R2};

/// The most bytes of stack that a clause may take, with the functions that it has called for each row of a
/// map. The kernel gives 512 to a chain of calls, and those who call the clause need the rest.
pub fn frame_limit(event: &Event) -> usize {
    match event {
        // The template's functions hold much of a call.
        Event::Wasi(_) | Event::WasiEnter(_) | Event::Syscall(_) | Event::Phase(_) => 352,
        // A program that only calls the clause, and what the clause calls of the template.
        Event::Raw(_) => 432,
        Event::Begin | Event::End | Event::Interval(_) => 416,
    }
}

/// Whether the clause takes the context of its event.
pub fn has_context(clause: &Clause) -> bool {
    any_expression(clause, &mut takes_context)
}

/// Compiles the clauses with these indices into one function, the name of which is that of the first one.
///
/// # Errors
/// One of them is too large, or all of them together.
pub fn generate(
    plan: &Plan,
    indices: &[usize],
    parts: Parts<'_>,
    functions: &mut Vec<Function>,
) -> Result<(), Error> {
    const CALLED: &[Parameter] = &[Parameter::Call, Parameter::Context];
    const CALLED_ALONE: &[Parameter] = &[Parameter::Record];
    let first = *indices.first().expect("no function without a clause");
    let mut compiler = Compiler::new(parts, String::new());
    let alone = is_alone(plan, indices);
    let nothing = compiler.asm.label();
    if alone {
        // Never taken, but the verifier does not look at the callers.
        compiler.asm.jump_if_imm(Cond::Eq, R1, 0, nothing);
    }
    compiler.asm.reserve();
    compiler.asm.mov(CALL, R1);
    if indices
        .iter()
        .any(|index| has_context(&plan.clauses[*index]))
    {
        compiler.has_context = true;
        compiler.asm.mov(CONTEXT, R2);
    }
    for index in indices {
        let clause = &plan.clauses[*index];
        compiler.callback_prefix = format!("{LOOP}{index}");
        let mark = compiler.frame.mark();
        act(clause, &parts.nones.variables[*index], &mut compiler);
        compiler.frame.release(mark);
        let limit = frame_limit(&clause.event);
        let whole = compiler.frame.deepest() + compiler.callback_stack;
        if whole > limit {
            return Err(too_large(
                &describe(plan, *index),
                format!(
                    "it needs {whole} bytes of stack and may take {limit}; \
                     use fewer keys, variables and values at a time, and shorter texts"
                ),
            ));
        }
    }
    compiler.asm.place(nothing);
    returns(&mut compiler.asm, 0);
    let (stack, text) = (compiler.frame.deepest(), describe(plan, first));
    let name = clause_name(plan, indices);
    let parameters = if alone { CALLED_ALONE } else { CALLED };
    functions.push(finish(
        &name,
        parameters,
        &text,
        compiler.asm,
        (stack, TEXT),
    )?);
    for callback in compiler.callbacks {
        let text = format!("a loop of {text}");
        functions.push(finish(
            &callback.name,
            &Parameter::CALLBACK,
            &text,
            callback.asm,
            (callback.stack, TEXT),
        )?);
    }
    Ok(())
}

/// Whether the clause does nothing but to update groups, whatever it has of them: one path after the other.
fn is_table(clause: &Clause) -> bool {
    clause.variables.is_empty()
        && clause
            .actions
            .iter()
            .all(|action| matches!(action, Action::Record(_)))
}

/// Clauses of fewer operators and operands have few paths.
const SIMPLE: usize = 48;

/// How many operators and operands a clause has; loops make it heavy.
fn weight(clause: &Clause) -> usize {
    let mut weight = 0;
    any_expression(clause, &mut |_| {
        weight += 1;
        false
    });
    let loops = has_loop(&clause.actions) || iterates(&clause.actions);
    weight + if loops { SIMPLE } else { 0 }
}

fn act(clause: &Clause, optional: &[bool], compiler: &mut Compiler<'_>) {
    let end = compiler.asm.label();
    match &clause.event {
        Event::Wasi(_) | Event::WasiEnter(_) => match_probes(&mut compiler.asm, clause, end),
        Event::Raw(probes) => compiler.raw = probes.first().map(RawProbe::kind),
        _ => {}
    }
    compiler.forgetful = weight(clause) > SIMPLE && !is_table(clause);
    compiler.declare(&clause.variables, optional, iterates(&clause.actions));
    if let Some(filter) = &clause.filter {
        compiler.branch(filter, end, false);
    }
    compiler.actions(&clause.actions, end);
    compiler.asm.place(end);
}

/// The program that runs the clause of a raw probe.
///
/// # Errors
/// None that a program of this size can have.
pub fn raw_program(
    plan: &Plan,
    probes: &[RawProbe],
    program: &RawProgram,
) -> Result<Function, Error> {
    let clause = &plan.clauses[program.clause];
    let mut asm = Assembler::default();
    let end = asm.label();
    asm.mov(CONTEXT, R1);
    if !probes.iter().all(RawProbe::is_global) {
        asm.call_function(IS_TRACED);
        asm.jump_if_imm(Cond::Eq, R0, 0, end);
    }
    if any_expression(clause, &mut |part| {
        matches!(part.kind, ExprKind::Builtin(_))
    }) {
        asm.call_function(CALL_AROUND);
        asm.mov(R1, R0);
    } else {
        asm.constant(R1, 0);
    }
    asm.mov(R2, CONTEXT);
    asm.call_function(&clause_name(plan, &[program.clause]));
    asm.place(end);
    returns(&mut asm, 0);
    let section = match program.kind {
        RawKind::Function => "uprobe/raw",
        RawKind::Tracepoint => "tracepoint/raw",
        RawKind::RawTracepoint => "raw_tp/raw",
        RawKind::Fentry => "fentry/raw",
        RawKind::PerfEvent => "perf_event",
    };
    let text = describe(plan, program.clause);
    finish(
        &program.name,
        &[Parameter::Context],
        &text,
        asm,
        (0, section),
    )
}
