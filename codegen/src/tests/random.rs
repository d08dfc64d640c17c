//! Random plans over random events: generated code and the reference agree.

mod expressions;
mod plans;

use ewapa_lang::plan::{Event, Plan, SlotKind};
use ewapa_templates::Counter;
use proptest::collection::vec;
use proptest::prelude::*;

use super::reference::{self, Reference};
use super::run::{compile, enters, happen, holds, read, take, told, value};
use super::terms::{Call, MEMORY, count_if, slot, table};
use crate::Error;
use crate::interpreter::{Machine, Memory, unreachable};
use crate::program::clause::frame_limit;
use crate::program::generate;
pub use expressions::call;
use expressions::{Reads, Terms};
pub use plans::any_plan;

/// So many operators in one another.
const DEPTH: usize = 6;
/// So few rows that some tables are full.
pub const MAX_ROWS: usize = 6;
/// So few messages that some find no place.
const MAX_MESSAGES: usize = 12;

/// What happens on a CPU.
#[derive(Debug, Clone)]
pub enum Happens {
    Call(Call),
    /// The event of the clause with this index.
    Other(usize),
}

pub fn happens() -> impl Strategy<Value = (u64, Happens)> {
    let what = prop_oneof![
        4 => call().prop_map(Happens::Call),
        1 => (0usize..4).prop_map(Happens::Other),
    ];
    (0u64..2, what)
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn a_number_has_the_value_of_the_reference(
        expr in Terms::any(Reads::Call, DEPTH).number(),
        call in call(),
    ) {
        let alone = table(Vec::new(), vec![slot(SlotKind::Sum, expr.clone())]);
        prop_assume!(fits(&alone));
        prop_assert_eq!(value(&expr, &call), reference::value(&expr, &call));
    }

    #[test]
    fn a_condition_holds_when_the_reference_says_so(
        condition in Terms::any(Reads::Call, DEPTH).condition,
        call in call(),
    ) {
        let alone = table(Vec::new(), vec![count_if(condition.clone())]);
        prop_assume!(fits(&alone));
        prop_assert_eq!(holds(&condition, &call), reference::holds(&condition, &call));
        prop_assert_eq!(value(&condition, &call), reference::value(&condition, &call));
    }
}

/// Whether the kernel's stack is enough for a plan; what needs more is refused.
pub fn fits(plan: &Plan) -> bool {
    match generate(plan) {
        Ok(_) => true,
        Err(Error::TooLarge { .. }) => false,
        Err(error) => panic!("{error}"),
    }
}

fn check(plan: &Plan, events: &[(u64, Happens)]) -> Result<(), TestCaseError> {
    let mut program = compile(plan);
    for (store, layout) in plan.stores.iter().zip(&mut program.stores) {
        if !store.keys.is_empty() {
            layout.max_rows = MAX_ROWS as u32;
        }
    }
    let mut machine = Machine::new(&program);
    machine.message_room = MAX_MESSAGES;
    machine.memory = Memory::of(&MEMORY);
    let mut expected = Reference::new(plan, MAX_ROWS, MAX_MESSAGES);
    for (cpu, event) in events {
        match event {
            Happens::Call(call) => {
                let wanted = reference::wanted_at_entry(plan, call);
                prop_assert_eq!(enters(&mut machine, call), wanted);
                take(&mut machine, *cpu, call);
                expected.take(*cpu, call);
            }
            Happens::Other(clause) => {
                let clause = clause % plan.clauses.len();
                happen(&mut machine, *cpu, clause);
                expected.event(*cpu, clause);
            }
        }
    }
    for (index, groups) in expected.stores.iter().enumerate() {
        prop_assert_eq!(
            &read(
                plan,
                &program,
                machine.rows(&program.stores[index].map),
                index
            ),
            groups
        );
    }
    prop_assert_eq!(told(&program, &machine.messages), expected.messages);
    prop_assert_eq!(machine.counter(Counter::GroupsFull), expected.lost);
    prop_assert_eq!(machine.counter(Counter::NoMessage), expected.untold);
    let stack = program
        .functions
        .iter()
        .map(|function| function.stack)
        .max();
    prop_assert!(machine.deepest <= stack.unwrap_or(0));
    prop_assert!(stack.unwrap_or(0) <= frame_limit(&Event::Begin));
    Ok(())
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_plan_keeps_and_tells_what_the_reference_does(
        plan in any_plan(3),
        events in vec(happens(), 1..20),
    ) {
        prop_assume!(fits(&plan));
        check(&plan, &events)?;
    }

    #[test]
    fn a_path_leads_to_every_instruction(plan in any_plan(3)) {
        prop_assume!(fits(&plan));
        for function in &compile(&plan).functions {
            prop_assert_eq!(unreachable(function), Vec::<usize>::new(), "\n{}", function);
        }
    }
}
