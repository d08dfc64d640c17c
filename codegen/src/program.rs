//! From a plan to functions and maps: a filter at entry, an action at the end, one function for each
//! clause of the script.

use ewapa_lang::builtin::{Known, builtin};
use ewapa_lang::plan::{
    Action, BinaryOp, Buckets, Clause, Event, Expr, ExprKind, Plan, SlotKind, StoreId,
};
use ewapa_templates::{ENTER, EVENT, LEAVE, PHASE, SYSCALL};

use crate::Error;
use crate::action::deleted;
use crate::btf::Parameter;
use crate::compiler::{CALL, Compiler, FRAME_LIMIT, Frame};
use crate::expr::{any, offset};
use crate::histogram;
use crate::insn::{Alu, Assembler, Code, Cond, Label, R0, R1, R2, R3};
use crate::layout::{MessageLayout, StoreLayout};

/// The map of the template that counts what went wrong.
pub const COUNTERS: &str = "counters";

/// The map with one value of zeros, from which new groups are made.
pub const ZEROS: &str = "zeros";

/// The ring buffer of what user space is told. A program without messages has none.
pub const MESSAGES: &str = "messages";

/// What the names of the clauses' functions begin with; the clause's index follows.
pub const CLAUSE: &str = "clause_";

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
}

/// What is generated from a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// In the order of the object's text.
    pub functions: Vec<Function>,
    /// One for each store of the plan.
    pub stores: Vec<StoreLayout>,
    /// One for each message of the plan.
    pub messages: Vec<MessageLayout>,
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

/// Generates the functions and maps of a plan.
///
/// # Errors
/// A clause is too large for the jumps or the stack of eBPF, or a histogram has too many ranges.
pub fn generate(plan: &Plan) -> Result<Program, Error> {
    check_histograms(plan)?;
    let deleted: Vec<StoreId> = plan
        .clauses
        .iter()
        .flat_map(|clause| clause.actions.iter().flat_map(deleted))
        .collect();
    let stores: Vec<StoreLayout> = plan
        .stores
        .iter()
        .enumerate()
        .map(|(index, store)| StoreLayout::new(index, store, deleted.contains(&StoreId(index))))
        .collect();
    let slots: Vec<Vec<SlotKind>> = plan
        .stores
        .iter()
        .map(|store| store.slots.clone())
        .collect();
    let messages: Vec<MessageLayout> = plan.messages.iter().map(MessageLayout::new).collect();

    let function = |name: &str, parameters, text: &str, emit: &dyn Fn(&mut Compiler<'_>)| {
        let mut compiler = Compiler {
            asm: Assembler::default(),
            frame: Frame::default(),
            variables: 0,
            stores: &stores,
            slots: &slots,
            messages: &messages,
        };
        emit(&mut compiler);
        finish(compiler, name, parameters, text)
    };
    const CALL: &[Parameter] = &[Parameter::Call, Parameter::Context];
    const CALL_AND_CLAUSE: &[Parameter] = &[Parameter::Call, Parameter::Context, Parameter::Clause];
    let mut functions = vec![
        function(ENTER, CALL, "filter at entry", &|compiler| {
            enter(plan, compiler);
        })?,
        function(LEAVE, CALL, "action at the end", &|compiler| {
            leave(plan, &mut compiler.asm);
        })?,
        function(SYSCALL, CALL, "system calls", &|compiler| {
            returns(&mut compiler.asm, 0);
        })?,
        function(PHASE, CALL, "phases", &|compiler| {
            returns(&mut compiler.asm, 0);
        })?,
        function(EVENT, CALL_AND_CLAUSE, "other events", &|compiler| {
            event(plan, &mut compiler.asm);
        })?,
    ];
    for (index, clause) in plan.clauses.iter().enumerate() {
        let (name, text) = (clause_name(index), describe(plan, index));
        functions.push(function(&name, CALL, &text, &|compiler| {
            act(clause, compiler);
        })?);
    }
    Ok(Program {
        functions,
        stores,
        messages,
    })
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

fn finish(
    compiler: Compiler<'_>,
    name: &str,
    parameters: &'static [Parameter],
    text: &str,
) -> Result<Function, Error> {
    let too_large = |why| Error::TooLarge {
        what: text.to_owned(),
        why,
    };
    let stack = compiler.frame.deepest();
    if stack > FRAME_LIMIT {
        return Err(too_large(format!(
            "it needs {stack} bytes of stack and may take {FRAME_LIMIT}; \
             use fewer keys, variables and values at a time"
        )));
    }
    let code = compiler.asm.finish().map_err(|_| {
        too_large("it has too many instructions to jump over; split it into several".to_owned())
    })?;
    Ok(Function {
        name: name.to_owned(),
        parameters,
        text: text.to_owned(),
        code,
        stack,
    })
}

fn clause_name(index: usize) -> String {
    format!("{CLAUSE}{index}")
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

/// Goes to `miss` unless one of the clause's probes stands for the call.
fn match_probes(asm: &mut Assembler, clause: &Clause, miss: Label) {
    let hit = asm.label();
    let field = |name| offset(builtin(name).expect("a builtin of the language"));
    for probe in clause.probes() {
        let next = asm.label();
        if let Some(runtime) = probe.runtime {
            asm.load(R1, CALL, field("runtime"));
            asm.alu_imm(Alu::And, R1, 0xff);
            asm.jump_if_imm(Cond::Ne, R1, i32::from(runtime), next);
        }
        asm.load(R1, CALL, field("func"));
        asm.constant(R2, probe.functions.bits() as i64);
        asm.alu(Alu::Rsh, R2, R1);
        asm.alu_imm(Alu::And, R2, 1);
        asm.jump_if_imm(Cond::Ne, R2, 0, hit);
        asm.place(next);
    }
    asm.jump(miss);
    asm.place(hit);
}

/// The clauses that wait for calls, or those that wait for something else.
fn waiting(plan: &Plan, for_calls: bool) -> impl Iterator<Item = (usize, &Clause)> {
    let clauses = plan.clauses.iter().enumerate();
    clauses.filter(move |(_, clause)| matches!(clause.event, Event::Wasi(_)) == for_calls)
}

/// Returns 1 if any clause may want the call: its probes match, and so does what of its filter is known at entry.
fn enter(plan: &Plan, compiler: &mut Compiler<'_>) {
    compiler.asm.mov(CALL, R1);
    let wanted = compiler.asm.label();
    for (_, clause) in waiting(plan, true) {
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

fn returns(asm: &mut Assembler, value: i64) {
    asm.constant(R0, value);
    asm.exit();
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

/// Whether an expression has the same value at entry as at the end. What a map holds may change in
/// between.
fn known_at_entry(expr: &Expr) -> bool {
    !any(expr, &mut |part| match &part.kind {
        ExprKind::Builtin(builtin) => builtin.known > Known::Entry,
        ExprKind::Map { .. } | ExprKind::Variable(_) => true,
        _ => false,
    })
}

fn leave(plan: &Plan, asm: &mut Assembler) {
    asm.mov(CALL, R1);
    for (index, _) in waiting(plan, true) {
        asm.mov(R1, CALL);
        asm.call_function(&clause_name(index));
    }
    returns(asm, 0);
}

/// Does the clause whose index is the third argument.
fn event(plan: &Plan, asm: &mut Assembler) {
    for (index, _) in waiting(plan, false) {
        let next = asm.label();
        let number = i32::try_from(index).expect("a script has few clauses");
        asm.jump_if_imm(Cond::Ne, R3, number, next);
        asm.call_function(&clause_name(index));
        returns(asm, 0);
        asm.place(next);
    }
    returns(asm, 0);
}

fn act(clause: &Clause, compiler: &mut Compiler<'_>) {
    compiler.asm.mov(CALL, R1);
    let end = compiler.asm.label();
    if let Event::Wasi(_) = clause.event {
        match_probes(&mut compiler.asm, clause, end);
    }
    compiler.declare(&clause.variables);
    if let Some(filter) = &clause.filter {
        compiler.branch(filter, end, false);
    }
    compiler.actions(&clause.actions, end);
    compiler.asm.place(end);
    returns(&mut compiler.asm, 0);
}
