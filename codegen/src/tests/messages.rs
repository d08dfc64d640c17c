//! What user space is told.

use ewapa_lang::builtin::NONE;
use ewapa_lang::plan::BinaryOp::{Add, Gt};
use ewapa_lang::plan::{Action, Plan};
use ewapa_lang::types::{Enumeration, Type};
use ewapa_templates::Counter;

use super::reference::Key;
use super::run::{compile, take, told};
use super::terms::{
    Call, block, choose, field, int, messages, negate, op, padded, plan, tell, text,
};
use crate::interpreter::Machine;
use crate::layout::{Field, MessageLayout};

const TYPES: [&[Type]; 3] = [
    &[],
    &[Type::Text(16), Type::Int],
    &[Type::Bool, Type::Text(16), Type::Enum(Enumeration::Errno)],
];

fn telling(actions: Vec<Action>) -> Plan {
    Plan {
        messages: messages(&TYPES),
        ..plan(vec![block(0, actions)], Vec::new())
    }
}

fn heard(actions: Vec<Action>, call: &Call) -> Vec<(usize, Vec<Key>)> {
    let program = compile(&telling(actions));
    let mut machine = Machine::new(&program);
    take(&mut machine, 0, call);
    told(&program, &machine.messages)
}

#[test]
fn a_message_is_its_index_and_its_values() {
    let program = compile(&telling(vec![tell(1, vec![field("comm"), field("fd")])]));
    let mut machine = Machine::new(&program);
    take(&mut machine, 0, &Call::new().by("main").with("fd", -3));
    let mut expected = 1u64.to_ne_bytes().to_vec();
    expected.extend(padded(b"main", 16));
    expected.extend((-3i64).to_ne_bytes());
    assert_eq!(machine.messages, [expected]);
}

#[test]
fn the_layout_says_where_the_values_are() {
    let field = |offset, ty| Field {
        offset,
        ty,
        optional: false,
    };
    let layouts = compile(&telling(Vec::new())).messages;
    assert_eq!(
        layouts[0],
        MessageLayout {
            values: Vec::new(),
            size: 8
        }
    );
    assert_eq!(
        layouts[2],
        MessageLayout {
            values: vec![
                field(8, Type::Bool),
                field(16, Type::Text(16)),
                field(32, Type::Enum(Enumeration::Errno)),
            ],
            size: 40,
        }
    );
}

#[test]
fn a_record_too_short_for_an_index_is_no_message() {
    assert_eq!(MessageLayout::index(&[2, 0, 0]), None);
    assert_eq!(MessageLayout::index(&2u64.to_ne_bytes()), Some(2));
}

#[test]
fn values_of_every_type_are_told() {
    let values = vec![
        op(field("fd"), Gt, int(2)),
        choose(op(field("fd"), Gt, int(2)), text("large"), field("comm")),
        field("errno"),
    ];
    let tell_all = || vec![tell(2, values.clone())];
    let call = |fd| Call::new().by("main").with("fd", fd).with("errno", 8);
    let expected = |large, name| {
        let values = vec![Key::Number(large), Key::text(name), Key::Number(8)];
        vec![(2, values)]
    };
    assert_eq!(heard(tell_all(), &call(3)), expected(1, "large"));
    assert_eq!(heard(tell_all(), &call(1)), expected(0, "main"));
}

#[test]
fn a_value_that_is_none_is_told_as_none() {
    let said = |value| {
        let heard = heard(vec![tell(1, vec![text("fd"), value])], &Call::new());
        heard[0].1[1].clone()
    };
    assert_eq!(said(field("fd")), Key::Number(NONE));
    assert_eq!(
        said(op(negate(field("fd")), Add, int(1))),
        Key::Number(NONE)
    );
}

#[test]
fn messages_arrive_in_order() {
    let actions = vec![
        tell(1, vec![text("a"), int(1)]),
        tell(0, Vec::new()),
        tell(1, vec![text("b"), int(2)]),
    ];
    let value = |name, number| vec![Key::text(name), Key::Number(number)];
    assert_eq!(
        heard(actions, &Call::new()),
        [(1, value("a", 1)), (0, Vec::new()), (1, value("b", 2))]
    );
}

#[test]
fn a_message_that_finds_no_place_is_counted_and_the_block_goes_on() {
    let program = compile(&telling(vec![tell(0, Vec::new()), tell(0, Vec::new())]));
    let mut machine = Machine::new(&program);
    machine.message_room = 3;
    for _ in 0..3 {
        take(&mut machine, 0, &Call::new());
    }
    assert_eq!(machine.messages.len(), 3);
    assert_eq!(machine.counter(Counter::NoMessage), 3);
    assert_eq!(machine.counter(Counter::GroupsFull), 0);
}
