//! Conditions, variables, `return`, and events that are no calls.

use ewapa_lang::builtin::NONE;
use ewapa_lang::plan::BinaryOp::{Add, Eq, Gt, Ne, Shl};
use ewapa_lang::plan::{Action, Clause, Event, Expr, Plan, SlotKind};
use ewapa_lang::types::Type;

use super::reference::{Kept, Key};
use super::run::{compile, enters, happen, read, take, told};
use super::terms::{
    Call, assign, block, choose, count_in, counting, field, grouping, int, messages, op, plan,
    slot, tell, text, truth, variable, when,
};
use crate::Error;
use crate::interpreter::Machine;
use crate::program::clause::frame_limit;
use crate::program::generate;

/// A plan of this block, which tells one number a message.
fn telling(variables: usize, actions: Vec<Action>) -> Plan {
    Plan {
        messages: messages(&[&[Type::Int]]),
        ..plan(vec![block(variables, actions)], Vec::new())
    }
}

/// Tells this number.
fn say(number: Expr) -> Action {
    tell(0, vec![number])
}

/// The numbers that the plan tells at these calls.
fn said(plan: &Plan, calls: &[Call]) -> Vec<i64> {
    let program = compile(plan);
    let mut machine = Machine::new(&program);
    for call in calls {
        take(&mut machine, 0, call);
    }
    numbers(told(&program, &machine.messages))
}

fn numbers(messages: Vec<(usize, Vec<Key>)>) -> Vec<i64> {
    let number = |(_, values): (usize, Vec<Key>)| match values[..] {
        [Key::Number(number)] => number,
        _ => panic!("{values:?}"),
    };
    messages.into_iter().map(number).collect()
}

fn fds(fds: &[i64]) -> Vec<Call> {
    fds.iter().map(|fd| Call::new().with("fd", *fd)).collect()
}

fn number(index: usize) -> Expr {
    variable(index, Type::Int)
}

#[test]
fn one_side_of_an_if_is_done() {
    let plan = telling(
        0,
        vec![
            when(
                op(field("fd"), Gt, int(2)),
                vec![say(int(1))],
                vec![say(int(2))],
            ),
            say(int(3)),
        ],
    );
    assert_eq!(said(&plan, &fds(&[5])), [1, 3]);
    assert_eq!(said(&plan, &fds(&[1])), [2, 3]);
    assert_eq!(said(&plan, &fds(&[NONE])), [2, 3]);
}

#[test]
fn an_if_may_have_one_side_or_none() {
    let large = || op(field("fd"), Gt, int(2));
    let plan = telling(
        0,
        vec![
            when(large(), Vec::new(), vec![say(int(1))]),
            when(large(), vec![say(int(2))], Vec::new()),
            when(large(), Vec::new(), Vec::new()),
            when(truth(true), vec![say(int(3))], vec![say(int(4))]),
        ],
    );
    assert_eq!(said(&plan, &fds(&[5])), [2, 3]);
    assert_eq!(said(&plan, &fds(&[1])), [1, 3]);
}

#[test]
fn an_if_within_an_if_belongs_to_its_side() {
    let is = |fd| op(field("fd"), Eq, int(fd));
    let inner =
        |fd, say_if, say_else| when(is(fd), vec![say(int(say_if))], vec![say(int(say_else))]);
    let plan = telling(
        0,
        vec![when(
            op(field("fd"), Gt, int(2)),
            vec![inner(3, 1, 2)],
            vec![inner(1, 3, 4)],
        )],
    );
    assert_eq!(said(&plan, &fds(&[3, 4, 1, 0])), [1, 2, 3, 4]);
}

#[test]
fn a_return_ends_the_block_and_no_other() {
    let returning = block(
        0,
        vec![
            when(
                op(field("fd"), Eq, int(1)),
                vec![say(int(1)), Action::Return, say(int(2))],
                Vec::new(),
            ),
            say(int(3)),
        ],
    );
    let plan = Plan {
        clauses: vec![returning, block(0, vec![say(int(4))])],
        ..telling(0, Vec::new())
    };
    assert_eq!(said(&plan, &fds(&[1])), [1, 4]);
    assert_eq!(said(&plan, &fds(&[2])), [3, 4]);
}

#[test]
fn a_variable_is_none_until_it_is_assigned() {
    let plan = telling(
        1,
        vec![say(number(0)), assign(0, field("fd")), say(number(0))],
    );
    assert_eq!(said(&plan, &fds(&[7])), [NONE, 7]);
}

#[test]
fn a_variable_that_is_never_none_is_0_until_it_is_assigned() {
    let plan = telling(
        2,
        vec![
            say(number(1)),
            assign(1, int(7)),
            assign(0, number(1)),
            say(number(0)),
        ],
    );
    assert_eq!(said(&plan, &fds(&[0])), [0, 7]);
}

#[test]
fn the_smallest_number_is_none_only_where_a_value_may_be_none() {
    let smallest = op(int(1), Shl, int(63));
    let plan = telling(
        2,
        vec![
            assign(0, smallest.clone()),
            say(op(number(0), Add, int(1))),
            assign(1, field("fd")),
            say(op(number(1), Add, int(1))),
        ],
    );
    let plan_of = |fd| said(&plan, &fds(&[fd]));
    assert_eq!(plan_of(5), [i64::MIN + 1, 6]);
    assert_eq!(plan_of(NONE), [i64::MIN + 1, NONE]);
}

#[test]
fn a_variable_is_none_again_at_the_next_event() {
    let plan = telling(
        1,
        vec![
            when(
                op(field("fd"), Eq, int(1)),
                vec![assign(0, field("fd"))],
                Vec::new(),
            ),
            say(number(0)),
        ],
    );
    assert_eq!(said(&plan, &fds(&[1, 2])), [1, NONE]);
}

#[test]
fn a_value_that_is_none_makes_the_variable_none() {
    let plan = telling(
        1,
        vec![assign(0, int(1)), assign(0, field("fd")), say(number(0))],
    );
    assert_eq!(said(&plan, &fds(&[5, NONE])), [5, NONE]);
}

#[test]
fn a_variable_may_be_computed_from_itself() {
    let plan = telling(
        1,
        vec![
            assign(0, field("fd")),
            assign(0, op(number(0), Add, number(0))),
            assign(0, op(number(0), Add, int(1))),
            say(number(0)),
        ],
    );
    assert_eq!(said(&plan, &fds(&[5, NONE])), [11, NONE]);
}

#[test]
fn a_condition_kept_in_a_variable_may_have_no_value() {
    let ok = || variable(0, Type::Bool);
    let plan = telling(
        1,
        vec![
            assign(0, field("ok")),
            when(ok(), vec![say(int(1))], vec![say(int(2))]),
            when(
                super::terms::not(ok()),
                vec![say(int(3))],
                vec![say(int(4))],
            ),
        ],
    );
    let said = |ok| said(&plan, &[Call::new().with("ok", ok)]);
    assert_eq!(said(1), [1, 4]);
    assert_eq!(said(0), [2, 3]);
    assert_eq!(said(NONE), [2, 4]);
}

#[test]
fn variables_outlive_what_is_recorded_in_between() {
    let sums = grouping(
        vec![field("comm"), number(0)],
        vec![slot(SlotKind::Sum, number(1))],
    );
    let plan = Plan {
        stores: vec![sums.store()],
        ..telling(
            2,
            vec![
                assign(0, field("fd")),
                assign(1, int(7)),
                sums.record(0),
                say(number(0)),
                sums.record(0),
                say(number(1)),
            ],
        )
    };
    let program = compile(&plan);
    let mut machine = Machine::new(&program);
    take(&mut machine, 0, &Call::new().by("main").with("fd", 3));
    assert_eq!(numbers(told(&program, &machine.messages)), [3, 7]);
    let rows: Vec<_> = read(&plan, &program, machine.rows(&program.stores[0].map), 0)
        .into_values()
        .collect();
    assert_eq!(rows, [[Kept::Number(14)]]);
}

#[test]
fn the_side_that_is_not_taken_may_have_no_value() {
    let fd_or = |default| choose(op(field("fd"), Ne, int(-1)), field("fd"), int(default));
    let plan = telling(0, vec![say(fd_or(9)), say(op(fd_or(9), Add, int(1)))]);
    // A comparison with none is false.
    assert_eq!(said(&plan, &fds(&[5, NONE])), [5, 6, 9, 10]);
    let other = choose(op(field("pid"), Eq, int(0)), field("fd"), field("bytes"));
    let call = Call::new().with("fd", NONE).with("bytes", 3);
    let plan = telling(0, vec![say(other)]);
    assert_eq!(said(&plan, &[call.clone(), call.with("pid", 1)]), [NONE, 3]);
}

#[test]
fn a_text_may_be_chosen() {
    let chosen = || choose(op(field("fd"), Eq, int(1)), text("stdout"), field("comm"));
    let is_main = when(
        op(chosen(), Eq, text("main")),
        vec![say(int(1))],
        vec![say(int(0))],
    );
    let call = Call::new().by("main");
    let calls = [call.clone().with("fd", 1), call.with("fd", 2)];
    assert_eq!(said(&telling(0, vec![is_main]), &calls), [0, 1]);
}

/// Clauses that wait for other events than calls, each with its index to say.
fn other_events() -> Plan {
    let events = [Event::Begin, Event::Interval(1_000), Event::End];
    let clauses = (0..).zip(events).map(|(index, event)| Clause {
        event,
        ..block(0, vec![say(int(index))])
    });
    Plan {
        clauses: clauses.collect(),
        ..telling(0, Vec::new())
    }
}

#[test]
fn an_event_that_is_no_call_does_its_own_clause() {
    let plan = other_events();
    let program = compile(&plan);
    let mut machine = Machine::new(&program);
    for clause in [1, 0, 2, 1] {
        happen(&mut machine, 0, clause);
    }
    assert_eq!(numbers(told(&program, &machine.messages)), [1, 0, 2, 1]);
}

#[test]
fn a_call_does_no_clause_that_waits_for_something_else() {
    let plan = other_events();
    let program = compile(&plan);
    let mut machine = Machine::new(&program);
    assert!(!enters(&mut machine, &Call::new()));
    machine
        .run(ewapa_templates::LEAVE, &Call::new().to_bytes())
        .expect("code that runs");
    assert_eq!(machine.messages, Vec::<Vec<u8>>::new());
}

#[test]
fn an_event_does_no_clause_that_waits_for_calls_or_is_not_there() {
    let plan = counting(block(0, vec![count_in(0)]));
    let program = compile(&plan);
    let mut machine = Machine::new(&program);
    for clause in [0, 1, 1000] {
        happen(&mut machine, 0, clause);
    }
    assert!(read(&plan, &program, machine.rows(&program.stores[0].map), 0).is_empty());
}

#[test]
fn an_event_that_is_no_call_has_a_filter_over_maps() {
    let number = grouping(Vec::new(), vec![slot(SlotKind::Tally, int(1))]);
    let at_each_interval = Clause {
        event: Event::Interval(1_000),
        filter: Some(op(super::terms::map(0, Vec::new()), Gt, int(1))),
        ..block(0, vec![say(super::terms::map(0, Vec::new()))])
    };
    let plan = Plan {
        clauses: vec![block(0, vec![number.record(0)]), at_each_interval],
        stores: vec![number.store()],
        ..telling(0, Vec::new())
    };
    let program = compile(&plan);
    let mut machine = Machine::new(&program);
    for _ in 0..3 {
        take(&mut machine, 1, &Call::new());
        happen(&mut machine, 0, 1);
    }
    assert_eq!(numbers(told(&program, &machine.messages)), [2, 3]);
}

#[test]
fn a_block_that_needs_too_much_stack_is_refused_by_name() {
    let limit = frame_limit(&Event::Wasi(Vec::new()));
    let variables = |count| generate(&telling(count, vec![say(number(0))]));
    let program = variables(limit / 8 - 1).expect("a block that fits");
    assert_eq!(
        program
            .functions
            .iter()
            .map(|function| function.stack)
            .max(),
        Some(limit)
    );
    for count in [limit / 8, 5_000, 1_000_000] {
        let error = variables(count).unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }));
        let text = error.to_string();
        assert!(
            text.contains("block 1") && text.contains("bytes of stack"),
            "{text}"
        );
    }
}
