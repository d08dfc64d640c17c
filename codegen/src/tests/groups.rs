use std::collections::BTreeMap;

use ewapa_lang::builtin::NONE;
use ewapa_lang::plan::BinaryOp::{Div, Gt};
use ewapa_lang::plan::{Expr, SlotKind};
use ewapa_templates::Counter;

use super::reference::{Groups, Kept, Key};
use super::run::{compile, groups, read, take};
use super::terms::{
    Call, HISTOGRAM, count, count_if, field, int, negate, not, op, slot, slot_if, table,
};
use crate::interpreter::Machine;
use crate::layout::MapKind;

/// The number of calls of each group.
fn counts(keys: Vec<Expr>, calls: &[Call]) -> BTreeMap<Vec<Key>, i64> {
    let groups = groups(&table(keys, vec![count()]), calls).into_iter();
    let count = |slots: Vec<Kept>| match slots[..] {
        [Kept::Number(count)] => count,
        _ => panic!("{slots:?}"),
    };
    groups
        .map(|((_, key), slots)| (key, count(slots)))
        .collect()
}

fn numbers<const N: usize>(expected: [(i64, i64); N]) -> BTreeMap<Vec<Key>, i64> {
    expected
        .into_iter()
        .map(|(key, count)| (vec![Key::Number(key)], count))
        .collect()
}

#[test]
fn calls_are_grouped_by_a_number() {
    let calls = [3, 4, 3, -1, 3].map(|fd| Call::new().with("fd", fd));
    assert_eq!(
        counts(vec![field("fd")], &calls),
        numbers([(-1, 1), (3, 3), (4, 1)])
    );
}

#[test]
fn calls_without_the_key_are_a_group() {
    let calls = [3, NONE, NONE].map(|fd| Call::new().with("fd", fd));
    assert_eq!(
        counts(vec![field("fd")], &calls),
        numbers([(3, 1), (NONE, 2)])
    );
}

#[test]
fn calls_are_grouped_by_a_text() {
    let calls = [
        "main",
        "worker",
        "main",
        "a-name-of-fifte",
        "a-name-of-fiftf",
    ]
    .map(|name| Call::new().by(name));
    let expected = [
        ("main", 2),
        ("worker", 1),
        ("a-name-of-fifte", 1),
        ("a-name-of-fiftf", 1),
    ];
    let expected = expected.map(|(name, count)| (vec![Key::text(name)], count));
    assert_eq!(
        counts(vec![field("comm")], &calls),
        BTreeMap::from(expected)
    );
}

#[test]
fn calls_are_grouped_by_what_an_expression_gives() {
    let calls = [0, 999, 1000, 2500, NONE].map(|bytes| Call::new().with("bytes", bytes));
    let key = op(field("bytes"), Div, int(1000));
    assert_eq!(
        counts(vec![key], &calls),
        numbers([(0, 2), (1, 1), (2, 1), (NONE, 1)])
    );
}

#[test]
fn calls_are_grouped_by_a_condition() {
    let calls = [0, 5, 6, NONE].map(|fd| {
        Call::new()
            .with("fd", fd)
            .with("ok", if fd > 0 { 1 } else { fd })
    });
    assert_eq!(
        counts(vec![op(field("fd"), Gt, int(4))], &calls),
        numbers([(0, 2), (1, 2)])
    );
    assert_eq!(
        counts(vec![field("ok")], &calls),
        numbers([(0, 1), (1, 2), (NONE, 1)])
    );
    assert_eq!(
        counts(vec![not(field("ok"))], &calls),
        numbers([(0, 2), (1, 1), (NONE, 1)])
    );
}

#[test]
fn several_keys_make_one_group_for_each_combination() {
    let call = |name, fd, pid| Call::new().by(name).with("fd", fd).with("pid", pid);
    let calls = [
        call("a", 1, 2),
        call("a", 2, 1),
        call("b", 1, 2),
        call("a", 1, 2),
        call("a", NONE, 2),
    ];
    let key = |fd, name, pid| vec![Key::Number(fd), Key::text(name), Key::Number(pid)];
    let expected = [
        (key(1, "a", 2), 2),
        (key(2, "a", 1), 1),
        (key(1, "b", 2), 1),
        (key(NONE, "a", 2), 1),
    ];
    assert_eq!(
        counts(vec![field("fd"), field("comm"), field("pid")], &calls),
        BTreeMap::from(expected)
    );
}

#[test]
fn sixteen_texts_as_keys_fit_the_stack() {
    let plan = table(
        vec![field("comm"); 16],
        vec![slot(SlotKind::Sum, negate(field("fd")))],
    );
    let program = compile(&plan);
    let mut machine = Machine::new(&program);
    take(&mut machine, 0, &Call::new().by("main").with("fd", 5));
    let key = vec![Key::text("main"); 16];
    assert_eq!(
        read(&plan, &program, machine.rows(&program.stores[0].map), 0),
        Groups::from([((0, key), vec![Kept::Number(-5)])])
    );
    // The template and the two functions of the chain of calls share 512 bytes.
    assert!(machine.deepest <= 288, "{} bytes of stack", machine.deepest);
}

#[test]
fn without_a_key_all_calls_are_one_group() {
    let calls = [1, 2, 3].map(|fd| Call::new().with("fd", fd));
    assert_eq!(
        counts(Vec::new(), &calls),
        BTreeMap::from([(Vec::new(), 3)])
    );
}

#[test]
fn a_row_too_large_for_a_per_cpu_array_is_kept_all_the_same() {
    let histograms = vec![slot(HISTOGRAM, field("pid")); 4];
    let plan = table(Vec::new(), histograms);
    assert_eq!(compile(&plan).stores[0].kind, MapKind::HashByCpu);
    let groups = groups(
        &plan,
        &[Call::new().with("pid", 9), Call::new().with("pid", 9)],
    );
    let histogram = Kept::Histogram(BTreeMap::from([(9, 2)]));
    assert_eq!(
        groups,
        Groups::from([((0, Vec::new()), vec![histogram; 4])])
    );
}

#[test]
fn conditions_choose_the_calls_of_a_slot() {
    let large = || op(field("bytes"), Gt, int(100));
    let slots = vec![
        count(),
        count_if(large()),
        slot_if(SlotKind::Sum, field("bytes"), not(large())),
        slot_if(SlotKind::Values, field("fd"), large()),
    ];
    let calls = [(1, 50), (2, 101), (NONE, 500), (3, NONE)]
        .map(|(fd, bytes)| Call::new().with("fd", fd).with("bytes", bytes));
    let expected = [4, 2, 50, 1].map(Kept::Number).to_vec();
    assert_eq!(
        groups(&table(Vec::new(), slots), &calls),
        Groups::from([((0, Vec::new()), expected)])
    );
}

#[test]
fn each_cpu_has_rows_of_its_own() {
    for keys in [Vec::new(), vec![field("fd")]] {
        let plan = table(keys, vec![count()]);
        let program = compile(&plan);
        let mut machine = Machine::new(&program);
        for cpu in [0, 3, 3, 511] {
            take(&mut machine, cpu, &Call::new().with("fd", 1));
        }
        let rows = read(&plan, &program, machine.rows(&program.stores[0].map), 0).into_iter();
        let rows: Vec<_> = rows.map(|((cpu, _), slots)| (cpu, slots)).collect();
        assert_eq!(
            rows,
            [(0, 1), (3, 2), (511, 1)].map(|(cpu, count)| (cpu, vec![Kept::Number(count)]))
        );
    }
}

#[test]
fn a_call_that_finds_no_place_is_counted_and_leaves_the_other_groups_as_they_are() {
    let plan = table(
        vec![field("fd")],
        vec![count(), slot(SlotKind::Sum, field("fd"))],
    );
    let mut program = compile(&plan);
    program.stores[0].max_rows = 2;
    let mut machine = Machine::new(&program);
    for fd in [1, 2, 3, 1, 4, 3, 2, 2] {
        take(&mut machine, 0, &Call::new().with("fd", fd));
    }
    let row = |fd, count, sum| {
        (
            (0, vec![Key::Number(fd)]),
            vec![Kept::Number(count), Kept::Number(sum)],
        )
    };
    assert_eq!(
        read(&plan, &program, machine.rows(&program.stores[0].map), 0),
        Groups::from([row(1, 2, 2), row(2, 3, 6)])
    );
    assert_eq!(machine.counter(Counter::GroupsFull), 3);
}

#[test]
fn nothing_is_lost_while_there_is_place() {
    let plan = table(vec![field("fd")], vec![count()]);
    let program = compile(&plan);
    let mut machine = Machine::new(&program);
    for fd in 0..100 {
        take(&mut machine, 0, &Call::new().with("fd", fd));
    }
    assert_eq!(machine.rows("store_0").len(), 100);
    assert!(machine.rows("counters").is_empty());
}
