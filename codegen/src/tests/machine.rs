//! The rules of the verifier: that the interpreter knows them, and that generated code keeps those that
//! do not show when it runs.

use ewapa_lang::plan::BinaryOp::{Eq, Or};
use ewapa_lang::plan::{Action, Buckets, Clause, Plan, SlotKind};
use ewapa_lang::types::Type;
use ewapa_templates::CALL_SIZE;

use super::run::compile;
use super::terms::{
    HISTOGRAM, assign, block, choose, count, count_if, count_in, counting, every_call, field, int,
    messages, op, plan, slot, slot_if, table, tell, truth, when,
};
use crate::btf::Parameter;
use crate::insn::{Alu, Assembler, Cond, Helper, R0, R1, R2, R3, R6, R7, R10};
use crate::interpreter::{Machine, unreachable};
use crate::program::{Function, Program, TEXT, ZEROS};

/// Runs this code as the only function of a program.
fn run(emit: impl FnOnce(&mut Assembler)) -> Result<u64, String> {
    let mut asm = Assembler::default();
    emit(&mut asm);
    let code = asm.finish().expect("short jumps");
    let program = Program {
        functions: vec![Function {
            name: "main".to_owned(),
            parameters: &[Parameter::Call],
            text: String::new(),
            code,
            stack: 0,
            section: TEXT,
        }],
        ..Program::default()
    };
    Machine::new(&program).run("main", &[0; CALL_SIZE])
}

#[track_caller]
fn refused(what: &str, emit: impl FnOnce(&mut Assembler)) {
    let error = run(emit).expect_err("code that breaks a rule");
    assert!(error.contains(what), "{error}");
}

/// Looks up the only value of the map of zeros.
fn look_up_zeros(asm: &mut Assembler) {
    asm.store_imm(R10, -8, 0);
    asm.map(R1, ZEROS);
    asm.mov(R2, R10);
    asm.alu_imm(Alu::Add, R2, -8);
    asm.call(Helper::MapLookup);
}

#[test]
fn a_register_is_not_read_before_it_is_written() {
    refused("reads r7", |asm| asm.mov(R0, R7));
    refused("returns without a result", Assembler::exit);
}

#[test]
fn the_arguments_of_a_helper_are_lost() {
    refused("reads r1", |asm| {
        asm.call(Helper::ProcessorId);
        asm.mov(R0, R1);
    });
}

#[test]
fn the_stack_is_not_read_before_it_is_written() {
    refused("uninitialised stack", |asm| asm.load(R0, R10, -8));
    refused("uninitialised stack", |asm| {
        asm.map(R1, ZEROS);
        asm.mov(R2, R10);
        asm.alu_imm(Alu::Add, R2, -8);
        asm.call(Helper::MapLookup);
    });
}

#[test]
fn memory_has_bounds() {
    refused("out of bounds", |asm| asm.store_imm(R10, -520, 0));
    refused("out of bounds", |asm| asm.store_imm(R10, 0, 0));
    refused("out of bounds", |asm| asm.load(R0, R1, CALL_SIZE as i16));
    refused("not aligned", |asm| asm.load(R0, R1, 4));
    refused("record of the call", |asm| asm.store_imm(R1, 0, 0));
}

#[test]
fn what_a_look_up_gives_is_compared_with_null_first() {
    refused("no address", |asm| {
        look_up_zeros(asm);
        asm.load(R0, R0, 0);
    });
    let checked = run(|asm| {
        look_up_zeros(asm);
        let null = asm.label();
        asm.mov(R6, R0);
        asm.jump_if_imm(Cond::Eq, R0, 0, null);
        asm.load(R0, R6, 0);
        asm.place(null);
        asm.exit();
    });
    assert_eq!(checked, Ok(0));
}

#[test]
fn the_frame_pointer_is_not_written() {
    refused("writes r10", |asm| asm.alu_imm(Alu::Add, R10, -8));
}

#[test]
fn numbers_are_no_addresses_and_addresses_no_numbers() {
    refused("no address", |asm| {
        asm.constant(R0, 4096);
        asm.load(R0, R0, 0);
    });
    refused("computes with", |asm| asm.alu_imm(Alu::Mul, R1, 2));
    refused("leaves the stack", |asm| {
        look_up_zeros(asm);
        let null = asm.label();
        asm.jump_if_imm(Cond::Eq, R0, 0, null);
        asm.store(R0, 0, R10);
        asm.place(null);
        asm.exit();
    });
}

#[test]
fn code_that_does_not_end_is_stopped() {
    refused("too long", |asm| {
        let again = asm.label();
        asm.place(again);
        asm.jump(again);
    });
}

#[test]
fn a_function_has_registers_and_a_stack_of_its_own() {
    let function = |name: &str, emit: fn(&mut Assembler)| {
        let mut asm = Assembler::default();
        emit(&mut asm);
        asm.exit();
        Function {
            name: name.to_owned(),
            parameters: &[Parameter::Call],
            text: String::new(),
            code: asm.finish().expect("short jumps"),
            stack: 8,
            section: TEXT,
        }
    };
    let caller = |asm: &mut Assembler| {
        asm.constant(R6, 40);
        asm.store(R10, -8, R6);
        asm.call_function("callee");
        asm.alu(Alu::Add, R0, R6);
        asm.load(R7, R10, -8);
        asm.alu(Alu::Add, R0, R7);
    };
    let callee = |asm: &mut Assembler| {
        asm.constant(R6, 1);
        asm.store(R10, -8, R6);
        asm.mov(R0, R6);
    };
    let program = Program {
        functions: vec![function("caller", caller), function("callee", callee)],
        ..Program::default()
    };
    assert_eq!(
        Machine::new(&program).run("caller", &[0; CALL_SIZE]),
        Ok(81)
    );
}

#[track_caller]
fn all_reachable(plan: &Plan) {
    for function in &compile(plan).functions {
        assert_eq!(unreachable(function), [], "\n{function}");
    }
}

#[test]
fn a_path_leads_to_every_instruction_of_a_key_that_always_has_a_value() {
    all_reachable(&table(vec![field("func")], vec![count()]));
}

#[test]
fn a_path_leads_to_every_instruction_of_a_key_that_may_have_none() {
    all_reachable(&table(vec![field("fd"), field("comm")], vec![count()]));
}

#[test]
fn a_path_leads_to_every_instruction_of_a_script_without_clauses() {
    all_reachable(&plan(Vec::new(), Vec::new()));
}

#[test]
fn a_path_leads_to_every_instruction_of_constant_conditions() {
    for filter in [
        truth(true),
        truth(false),
        op(op(field("fd"), Eq, int(1)), Or, truth(true)),
    ] {
        all_reachable(&counting(Clause {
            filter: Some(filter.clone()),
            ..every_call(count_in(0))
        }));
        all_reachable(&table(Vec::new(), vec![count_if(filter.clone())]));
        all_reachable(&table(Vec::new(), vec![slot(SlotKind::Sum, filter)]));
    }
}

#[test]
fn only_rows_of_a_hash_are_deleted() {
    refused("deletes from an array", |asm| {
        asm.store_imm(R10, -8, 0);
        asm.map(R1, ZEROS);
        asm.mov(R2, R10);
        asm.alu_imm(Alu::Add, R2, -8);
        asm.call(Helper::MapDelete);
    });
}

#[test]
fn only_a_ring_buffer_takes_records() {
    refused("no ring buffer", |asm| {
        asm.map(R1, ZEROS);
        asm.mov(R2, R10);
        asm.constant(R2, 8);
        asm.constant(R3, 0);
        asm.call(Helper::RingbufReserve);
    });
}

#[test]
fn a_path_leads_to_every_instruction_of_a_block() {
    let say = || tell(0, vec![choose(truth(true), field("fd"), field("pid"))]);
    let actions = vec![
        when(truth(true), vec![say()], vec![Action::Return]),
        assign(0, int(1)),
        when(
            field("ok"),
            vec![Action::Return, say()],
            vec![when(truth(false), vec![say()], Vec::new())],
        ),
        say(),
        Action::Return,
        say(),
    ];
    all_reachable(&Plan {
        messages: messages(&[&[Type::Int]]),
        ..plan(vec![block(1, actions)], Vec::new())
    });
}

#[test]
fn a_path_leads_to_every_instruction_of_every_slot() {
    let kinds = [
        SlotKind::Values,
        SlotKind::Sum,
        SlotKind::SumOfSquares,
        SlotKind::Min,
        SlotKind::Max,
        SlotKind::Last,
        SlotKind::Tally,
        HISTOGRAM,
        SlotKind::Histogram(Buckets::Log2 { bits: 0 }),
        SlotKind::Histogram(Buckets::Log2 { bits: 2 }),
        SlotKind::Histogram(Buckets::Linear {
            min: 0,
            max: 10,
            step: 3,
        }),
    ];
    for name in ["fd", "pid", "ok"] {
        let slots = kinds
            .map(|kind| slot_if(kind, field(name), field("ok")))
            .to_vec();
        all_reachable(&table(Vec::new(), slots));
    }
}
