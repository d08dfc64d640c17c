//! From a plan to functions and maps: a filter at entry, an action at the end, one function for each
//! clause of the script.

use ewapa_lang::builtin::{Known, NONE, builtin};
use ewapa_lang::plan::{Action, BinaryOp, Clause, Expr, ExprKind, Plan, Record, Store};
use ewapa_lang::types::Type;
use ewapa_templates::{Counter, ENTER, LEAVE};

use crate::Error;
use crate::expr::{CALL, Compiler, offset};
use crate::insn::{Alu, Assembler, Code, Cond, Helper, Label, R0, R1, R2, R3, R4, R7, R10};
use crate::layout::{MapKind, StoreLayout};
use crate::slot::{self, VALUE};

/// The map of the template that counts what went wrong.
pub const COUNTERS: &str = "counters";

/// The map with one value of zeros, from which new groups are made.
pub const ZEROS: &str = "zeros";

/// A function: its name and its code. It takes the address of a `struct call`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The symbol.
    pub name: String,
    /// What of the script it stands for; it shows in the verifier's log.
    pub text: String,
    /// The instructions.
    pub code: Code,
}

/// What is generated from a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// In the order of the object's text.
    pub functions: Vec<Function>,
    /// One for each store of the plan.
    pub stores: Vec<StoreLayout>,
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
/// A clause is too large for the jumps of eBPF.
pub fn generate(plan: &Plan) -> Result<Program, Error> {
    let stores: Vec<StoreLayout> = plan
        .stores
        .iter()
        .enumerate()
        .map(|(index, store)| StoreLayout::new(index, store))
        .collect();
    let mut functions = vec![
        function(ENTER, "filter at entry".to_owned(), |asm| enter(plan, asm))?,
        function(LEAVE, "action at the end".to_owned(), |asm| {
            leave(plan, asm)
        })?,
    ];
    for (index, clause) in plan.clauses.iter().enumerate() {
        let text = format!("table {}", name_of(plan, clause));
        functions.push(function(&clause_name(index), text, |asm| {
            act(plan, &stores, clause, asm)
        })?);
    }
    Ok(Program { functions, stores })
}

fn function(
    name: &str,
    text: String,
    emit: impl FnOnce(&mut Assembler),
) -> Result<Function, Error> {
    let mut asm = Assembler::default();
    emit(&mut asm);
    let code = asm
        .finish()
        .map_err(|_| Error::TooLarge { what: text.clone() })?;
    Ok(Function {
        name: name.to_owned(),
        text,
        code,
    })
}

fn clause_name(index: usize) -> String {
    format!("clause_{index}")
}

fn name_of<'a>(plan: &'a Plan, clause: &Clause) -> &'a str {
    clause
        .actions
        .iter()
        .find_map(|action| match action {
            Action::Record(record) => Some(plan.stores[record.store.0].name.as_str()),
            _ => None,
        })
        .unwrap_or_default()
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

/// Returns 1 if any clause may want the call: its probes match, and so does what of its filter is known at entry.
fn enter(plan: &Plan, asm: &mut Assembler) {
    asm.mov(CALL, R1);
    let wanted = asm.label();
    for clause in &plan.clauses {
        let next = asm.label();
        match_probes(asm, clause, next);
        let mut compiler = Compiler { asm, stack: 0 };
        if let Some(filter) = &clause.filter {
            for part in conjuncts(filter)
                .into_iter()
                .filter(|part| known_at_entry(part))
            {
                compiler.branch(part, next, false);
            }
        }
        asm.jump(wanted);
        asm.place(next);
    }
    asm.constant(R0, 0);
    asm.exit();
    asm.place(wanted);
    asm.constant(R0, 1);
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

fn known_at_entry(expr: &Expr) -> bool {
    !expr.reads(&mut |builtin| builtin.known > Known::Entry)
}

fn leave(plan: &Plan, asm: &mut Assembler) {
    asm.mov(CALL, R1);
    for index in 0..plan.clauses.len() {
        asm.mov(R1, CALL);
        asm.call_function(&clause_name(index));
    }
    asm.constant(R0, 0);
    asm.exit();
}

fn act(plan: &Plan, stores: &[StoreLayout], clause: &Clause, asm: &mut Assembler) {
    asm.mov(CALL, R1);
    let end = asm.label();
    match_probes(asm, clause, end);
    let mut compiler = Compiler { asm, stack: 0 };
    if let Some(filter) = &clause.filter {
        compiler.branch(filter, end, false);
    }
    for action in &clause.actions {
        match action {
            Action::Record(it) => {
                let store = it.store.0;
                record(&mut compiler, &plan.stores[store], it, &stores[store]);
            }
            _ => unreachable!("the checker makes no other actions yet"),
        }
    }
    asm.place(end);
    asm.constant(R0, 0);
    asm.exit();
}

fn record(compiler: &mut Compiler<'_>, store: &Store, record: &Record, layout: &StoreLayout) {
    let outer = compiler.stack;
    let (found, full, end) = (
        compiler.asm.label(),
        compiler.asm.label(),
        compiler.asm.label(),
    );
    compiler.stack -= i16::try_from(layout.key_size.next_multiple_of(8))
        .expect("the checker bounds the number of keys");
    let key = compiler.stack;
    build_key(compiler, &record.keys, layout, key);

    let look_up = |asm: &mut Assembler| {
        asm.map(R1, &layout.map);
        asm.mov(R2, R10);
        asm.alu_imm(Alu::Add, R2, i32::from(key));
        asm.call(Helper::MapLookup);
    };
    look_up(compiler.asm);
    if layout.kind == MapKind::HashByCpu {
        compiler.asm.jump_if_imm(Cond::Ne, R0, 0, found);
        make_group(compiler, layout, key, full);
        look_up(compiler.asm);
    }
    compiler.asm.jump_if_imm(Cond::Eq, R0, 0, full);
    compiler.asm.place(found);
    compiler.asm.mov(VALUE, R0);
    for update in &record.updates {
        let slot = update.slot.0;
        slot::update(compiler, store.slots[slot], update, layout.slots[slot]);
    }
    compiler.asm.jump(end);
    compiler.asm.place(full);
    count_lost(compiler, end);
    compiler.asm.place(end);
    compiler.stack = outer;
}

fn build_key(compiler: &mut Compiler<'_>, keys: &[Expr], layout: &StoreLayout, key: i16) {
    if layout.kind == MapKind::PerCpuArray {
        compiler.asm.store_imm(R10, key, 0);
        return;
    }
    compiler.asm.call(Helper::ProcessorId);
    compiler.asm.store(R10, key, R0);
    for (expr, field) in keys.iter().zip(&layout.keys) {
        let at = key + i16::try_from(field.offset).expect("keys are small");
        match &expr.kind {
            ExprKind::Builtin(text) if expr.ty == Type::Text => {
                for word in 0..(text.size() / 8) as i16 {
                    compiler.asm.load(R1, CALL, offset(text) + 8 * word);
                    compiler.asm.store(R10, at + 8 * word, R1);
                }
            }
            _ => {
                let (none, done) = (compiler.asm.label(), compiler.asm.label());
                compiler.value(expr, none);
                compiler.asm.jump(done);
                compiler.asm.place(none);
                compiler.asm.constant(R0, NONE);
                compiler.asm.place(done);
                compiler.asm.store(R10, at, R0);
            }
        }
    }
}

/// Makes the group's row from zeros. That another probe has made it in between is no failure: the
/// look-up that follows tells.
fn make_group(compiler: &mut Compiler<'_>, layout: &StoreLayout, key: i16, full: Label) {
    const BPF_NOEXIST: i64 = 1;
    let asm = &mut *compiler.asm;
    compiler.stack -= 8;
    let zero = compiler.stack;
    asm.store_imm(R10, zero, 0);
    asm.map(R1, ZEROS);
    asm.mov(R2, R10);
    asm.alu_imm(Alu::Add, R2, i32::from(zero));
    asm.call(Helper::MapLookup);
    asm.jump_if_imm(Cond::Eq, R0, 0, full);
    asm.mov(R3, R0);
    asm.map(R1, &layout.map);
    asm.mov(R2, R10);
    asm.alu_imm(Alu::Add, R2, i32::from(key));
    asm.constant(R4, BPF_NOEXIST);
    asm.call(Helper::MapUpdate);
    compiler.stack += 8;
}

/// Counts a call that found no place; goes to `end` if that cannot be counted either.
fn count_lost(compiler: &mut Compiler<'_>, end: Label) {
    let asm = &mut *compiler.asm;
    let slot = compiler.stack - 8;
    asm.store_imm(R10, slot, Counter::GroupsFull as i32);
    asm.map(R1, COUNTERS);
    asm.mov(R2, R10);
    asm.alu_imm(Alu::Add, R2, i32::from(slot));
    asm.call(Helper::MapLookup);
    asm.jump_if_imm(Cond::Eq, R0, 0, end);
    asm.mov(R7, R0);
    asm.constant(R1, 1);
    asm.atomic_add(R7, 0, R1);
}
