//! From a plan to functions and maps: a filter at entry, an action at the end, one function for each
//! clause of the script, and a program for each of those that wait for a raw probe.

pub mod clause;
mod dispatch;

use ewapa_lang::plan::{
    Action, Buckets, Event, ExprKind, Nones, Plan, RawKind, RawProbe, SlotKind, StoreId,
};
use ewapa_lang::plan::{Clause, Expr};
use ewapa_lang::types::{Enumeration, Type};
use ewapa_templates::{ENTER, EVENT, LEAVE, PHASE, SYSCALL};

use crate::Error;
use crate::action;
use crate::btf::Parameter;
use crate::compiler::{Compiler, Parts};
use crate::expr;
use crate::histogram;
use crate::insn::{Assembler, Code};
use crate::layout::{MessageLayout, StoreLayout};

/// The map of the template that counts what went wrong.
pub const COUNTERS: &str = "counters";

/// The map with one value of zeros, from which new groups are made.
pub const ZEROS: &str = "zeros";

/// The ring buffer of what user space is told. A program without messages has none.
pub const MESSAGES: &str = "messages";

/// What the names of the clauses' functions begin with; the clause's index follows.
pub const CLAUSE: &str = "clause_";

/// What the names of clauses' functions begin with that the verifier checks on their own, and not with what
/// their callers know; the clause's index follows.
pub const ALONE: &str = "alone_";

/// What the names of the functions begin with that are called for each row of a map.
pub const LOOP: &str = "loop_";

/// What the names of the programs of raw probes begin with; the clause's index follows.
pub const RAW: &str = "raw_";

/// How many different stacks a map of stacks holds.
pub const MAX_STACKS: u32 = 8192;

/// The array with room for the addresses of one stack, where only their number is asked for.
pub const STACK_ROOM: &str = "stack_room";

/// The map of stacks of at most so many functions.
pub fn stacks_of(depth: u8) -> String {
    format!("stacks_{depth}")
}

/// How many names a map of the answers about names holds.
pub const MAX_NAMES: u32 = 65_536;

/// The map of the answers about names: from the number of a name to a word with a bit for each test.
pub fn names_of(of: Enumeration) -> &'static str {
    match of {
        Enumeration::Module => "names_module",
        Enumeration::Probe => "names_probe",
        _ => "names_function",
    }
}

/// A function: its name and its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The symbol.
    pub name: String,
    /// What it takes.
    pub parameters: &'static [Parameter],
    /// What of the script it stands for; it shows in the verifier's log.
    pub text: String,
    /// The instructions.
    pub code: Code,
    /// The bytes of stack that it needs.
    pub stack: usize,
    /// The section of the object: [`TEXT`], or that of the kind of program that it is.
    pub section: &'static str,
}

/// The section of functions that are no programs.
pub const TEXT: &str = ".text";

/// A program of the generated object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawProgram {
    /// The symbol.
    pub name: String,
    /// Which clause it runs: index into [`Plan::clauses`].
    pub clause: usize,
    /// What it is attached to, and so which type of program it is.
    pub kind: RawKind,
}

/// What is generated from a plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Program {
    /// In the order of the object's sections.
    pub functions: Vec<Function>,
    /// One for each store of the plan.
    pub stores: Vec<StoreLayout>,
    /// One for each message of the plan.
    pub messages: Vec<MessageLayout>,
    /// The programs of raw probes, in the order of their clauses.
    pub raw: Vec<RawProgram>,
    /// The depths of stacks that are kept: a map [`stacks_of`] each, without duplicates.
    pub stacks: Vec<u8>,
    /// The deepest stack of which only the number of functions is asked for, 0 if there is none: the size of
    /// [`STACK_ROOM`].
    pub deepest: u8,
    /// What has names that the script asks about: a map [`names_of`] each, without duplicates.
    pub names: Vec<Enumeration>,
}

impl Program {
    /// The bytes of the value in the map of zeros: the largest value of any store.
    pub fn zeros_size(&self) -> usize {
        self.stores
            .iter()
            .map(|store| store.value_size)
            .max()
            .unwrap_or(8)
    }
}

/// Whether the plan has loops, or looks for texts in others, so that it needs `may_goto`, which Linux has from 6.9 on.
pub fn needs_may_goto(plan: &Plan) -> bool {
    let mut loops = |part: &Expr| matches!(part.kind, ExprKind::Contains { .. });
    let mut clauses = plan.clauses.iter();
    clauses.any(|clause| action::has_loop(&clause.actions) || any_expression(clause, &mut loops))
}

/// Generates the functions and maps of a plan.
///
/// # Errors
/// A clause is too large for the jumps or the stack of eBPF, or a histogram has too many ranges.
pub fn generate(plan: &Plan) -> Result<Program, Error> {
    check_histograms(plan)?;
    let nones = Nones::of(plan);
    let stores = (0..).zip(&plan.stores);
    let stores: Vec<StoreLayout> = stores
        .map(|(index, store)| {
            let shared = plan
                .clauses
                .iter()
                .any(|clause| action::shares(clause, StoreId(index)));
            let optional = &nones.keys[index];
            StoreLayout::new(index, store, shared, plan.settings.max_map_keys, optional)
        })
        .collect();
    let slots: Vec<Vec<SlotKind>> = plan
        .stores
        .iter()
        .map(|store| store.slots.clone())
        .collect();
    let messages = plan.messages.iter().zip(&nones.messages);
    let messages: Vec<MessageLayout> = messages
        .map(|(message, optional)| MessageLayout::new(message, optional))
        .collect();
    let parts = Parts {
        stores: &stores,
        slots: &slots,
        messages: &messages,
        nones: &nones,
    };
    let (mut functions, mut raw) = (shared_functions(plan, parts)?, Vec::new());
    for indices in batches(plan) {
        clause::generate(plan, &indices, parts, &mut functions)?;
    }
    for (index, clause) in plan.clauses.iter().enumerate() {
        if let Event::Raw(probes) = &clause.event {
            let kind = probes.first().map_or(RawKind::Function, RawProbe::kind);
            let program = RawProgram {
                name: format!("{RAW}{index}"),
                clause: index,
                kind,
            };
            functions.push(clause::raw_program(plan, probes, &program)?);
            raw.push(program);
        }
    }
    // One section after the other.
    functions.sort_by_key(|function| function.section);
    Ok(Program {
        functions,
        raw,
        stacks: stacks(plan),
        deepest: deepest(plan),
        names: named(plan),
        stores,
        messages,
    })
}

/// The clauses that are compiled into one function each. An eBPF program has at most 256 functions, those
/// of the template among them, and all clauses of completed calls are in one program.
fn batches(plan: &Plan) -> Vec<Vec<usize>> {
    const MOST: usize = 100;
    let is_call = |index: &usize| matches!(plan.clauses[*index].event, Event::Wasi(_));
    let (calls, others): (Vec<usize>, Vec<usize>) = (0..plan.clauses.len()).partition(is_call);
    let size = calls.len().div_ceil(MOST).max(1);
    let calls = calls.chunks(size).map(<[usize]>::to_vec);
    let mut batches: Vec<Vec<usize>> = calls
        .chain(others.into_iter().map(|index| vec![index]))
        .collect();
    batches.sort_unstable();
    batches
}

/// The functions that the template calls.
fn shared_functions(plan: &Plan, parts: Parts<'_>) -> Result<Vec<Function>, Error> {
    const CALL: &[Parameter] = &[Parameter::Call, Parameter::Context];
    const CALL_AND_CLAUSE: &[Parameter] = &[Parameter::Call, Parameter::Context, Parameter::Clause];
    let mut enter = Compiler::new(parts, LOOP.to_owned());
    dispatch::enter(plan, &mut enter);
    let stack = enter.frame.deepest();
    let named =
        |name, parameters, text, asm, stack| finish(name, parameters, text, asm, (stack, TEXT));
    let simple = |name, parameters, text, emit: fn(&Plan, &mut Assembler)| {
        let mut asm = Assembler::default();
        emit(plan, &mut asm);
        named(name, parameters, text, asm, 0)
    };
    Ok(vec![
        named(ENTER, CALL, "filter at entry", enter.asm, stack)?,
        simple(LEAVE, CALL, "action at the end", dispatch::leave)?,
        simple(SYSCALL, CALL, "system calls", dispatch::syscall)?,
        simple(PHASE, CALL, "phases", dispatch::phase)?,
        simple(EVENT, CALL_AND_CLAUSE, "other events", dispatch::event)?,
    ])
}

fn finish(
    name: &str,
    parameters: &'static [Parameter],
    text: &str,
    mut asm: Assembler,
    (stack, section): (usize, &'static str),
) -> Result<Function, Error> {
    asm.leave_out_clears(stack);
    let code = asm.finish().map_err(|_| {
        too_large(
            text,
            "it has too many instructions to jump over; split it into several".to_owned(),
        )
    })?;
    Ok(Function {
        name: name.to_owned(),
        parameters,
        text: text.to_owned(),
        code,
        stack,
        section,
    })
}

fn too_large(what: &str, why: String) -> Error {
    Error::TooLarge {
        what: what.to_owned(),
        why,
    }
}

/// Every expression of a clause, and those that it is made of.
fn any_expression(clause: &Clause, predicate: &mut dyn FnMut(&Expr) -> bool) -> bool {
    let mut within = |whole: &Expr| expr::any(whole, predicate);
    clause.filter.iter().any(&mut within)
        || clause
            .actions
            .iter()
            .any(|action| action.any_expression(&mut within))
}

fn stacks(plan: &Plan) -> Vec<u8> {
    let mut depths = Vec::new();
    for clause in &plan.clauses {
        any_expression(clause, &mut |part| {
            if let (ExprKind::Stack, Type::Stack(stack)) = (&part.kind, part.ty) {
                depths.push(stack.depth);
            }
            false
        });
    }
    depths.sort_unstable();
    depths.dedup();
    depths
}

fn deepest(plan: &Plan) -> u8 {
    let mut deepest = 0;
    for clause in &plan.clauses {
        any_expression(clause, &mut |part| {
            if let ExprKind::Depth(stack) = part.kind {
                deepest = deepest.max(stack.depth);
            }
            false
        });
    }
    deepest
}

fn named(plan: &Plan) -> Vec<Enumeration> {
    let mut named = Vec::new();
    for test in &plan.tests {
        if !named.contains(&test.of) {
            named.push(test.of);
        }
    }
    named
}

fn check_histograms(plan: &Plan) -> Result<(), Error> {
    let slots = plan.stores.iter().flat_map(|store| &store.slots);
    for slot in slots {
        if let SlotKind::Histogram(buckets @ Buckets::Linear { min, max, step }) = *slot
            && histogram::checked_count(buckets).is_none()
        {
            return Err(Error::Histogram { min, max, step });
        }
    }
    Ok(())
}

/// Whether the function of these clauses is checked on its own: once, whoever calls it, and without what its
/// callers have done before. Else the paths through all clauses of a call would be one path. The kernel lets
/// such a function have memory that can be written, which the record of nothing is not, and no context.
fn is_alone(plan: &Plan, batch: &[usize]) -> bool {
    batch.iter().all(|index| {
        let clause = &plan.clauses[*index];
        let of_record = matches!(
            clause.event,
            Event::Wasi(_) | Event::WasiEnter(_) | Event::Syscall(_) | Event::Phase(_)
        );
        of_record && !clause::has_context(clause)
    })
}

/// The name of the function of these clauses.
fn clause_name(plan: &Plan, batch: &[usize]) -> String {
    let prefix = if is_alone(plan, batch) { ALONE } else { CLAUSE };
    let first = batch.first().expect("no function without a clause");
    format!("{prefix}{first}")
}

/// A clause in the words of its script: the table that it serves, or the number of its block.
fn describe(plan: &Plan, clause: usize) -> String {
    let table = plan.clauses[clause].actions.iter().find_map(|action| {
        let Action::Record(record) = action else {
            return None;
        };
        plan.tables.iter().find(|table| table.store == record.store)
    });
    match (table, &plan.clauses[clause].event) {
        (Some(table), _) => format!("table {}", table.name),
        (None, Event::Begin) => "the block of BEGIN".to_owned(),
        (None, Event::End) => "the block of END".to_owned(),
        (None, _) => format!("block {}", clause + 1),
    }
}
