//! Numbers that scripts keep, read and delete.

use std::collections::BTreeMap;

use ewapa_lang::builtin::NONE;
use ewapa_lang::plan::BinaryOp::{Add, Eq, Gt};
use ewapa_lang::plan::{Action, Clause, Expr, Plan, SlotKind};
use ewapa_templates::Counter;

use super::reference::{Groups, Kept, Key};
use super::run::{compile, enters, groups, read, take};
use super::terms::{
    Call, HISTOGRAM, block, choose, count, delete, field, grouping, int, map, op, plan, slot,
    slot_if, table,
};
use crate::interpreter::Machine;
use crate::layout::MapKind;

/// A plan of this block over one map of numbers by `fd`.
fn by_fd(kind: SlotKind, actions: Vec<Action>) -> Plan {
    let store = grouping(vec![field("fd")], vec![slot(kind, int(0))]).store();
    plan(vec![block(0, actions)], vec![store])
}

fn set(kind: SlotKind, keys: Vec<Expr>, value: Expr) -> Action {
    grouping(keys, vec![slot(kind, value)]).record(0)
}

/// The numbers of the first store by its only key.
fn numbers(groups: Groups) -> BTreeMap<i64, i64> {
    let number = |((cpu, keys), slots): ((u64, Vec<Key>), Vec<Kept>)| {
        assert_eq!(cpu, 0);
        match (&keys[..], &slots[..]) {
            ([Key::Number(key)], [Kept::Number(value)]) => (*key, *value),
            _ => panic!("{keys:?} {slots:?}"),
        }
    };
    groups.into_iter().map(number).collect()
}

fn call(fd: i64, pid: i64) -> Call {
    Call::new().with("fd", fd).with("pid", pid)
}

#[test]
fn the_last_value_stays() {
    let plan = by_fd(
        SlotKind::Last,
        vec![set(SlotKind::Last, vec![field("fd")], field("pid"))],
    );
    let calls = [call(1, 5), call(2, -7), call(1, 6), call(NONE, 8)];
    assert_eq!(
        numbers(groups(&plan, &calls)),
        BTreeMap::from([(1, 6), (2, -7), (NONE, 8)])
    );
}

#[test]
fn a_tally_adds_up() {
    let plan = by_fd(
        SlotKind::Tally,
        vec![set(SlotKind::Tally, vec![field("fd")], field("pid"))],
    );
    let calls = [call(1, 5), call(2, -7), call(1, 6), call(1, -20)];
    assert_eq!(
        numbers(groups(&plan, &calls)),
        BTreeMap::from([(1, -9), (2, -7)])
    );
}

#[test]
fn a_value_that_is_none_leaves_the_number_as_it_is() {
    for kind in [SlotKind::Last, SlotKind::Tally] {
        let plan = by_fd(kind, vec![set(kind, vec![field("fd")], field("bytes"))]);
        let calls = [3, NONE].map(|bytes| call(1, 0).with("bytes", bytes));
        assert_eq!(numbers(groups(&plan, &calls)), BTreeMap::from([(1, 3)]));
    }
}

#[test]
fn a_condition_decides_whether_a_number_changes() {
    let slots = vec![slot_if(
        SlotKind::Last,
        field("pid"),
        op(field("pid"), Gt, map(0, vec![field("fd")])),
    )];
    let largest = grouping(vec![field("fd")], slots);
    let plan = plan(
        vec![block(0, vec![largest.record(0)])],
        vec![largest.store()],
    );
    let calls = [call(1, 5), call(1, 3), call(1, 9), call(1, 8)];
    assert_eq!(numbers(groups(&plan, &calls)), BTreeMap::from([(1, 9)]));
}

#[test]
fn a_key_that_a_map_does_not_have_reads_as_0() {
    let next = op(map(0, vec![op(field("fd"), Add, int(1))]), Add, int(10));
    let plan = by_fd(
        SlotKind::Last,
        vec![set(SlotKind::Last, vec![field("fd")], next)],
    );
    let calls = [call(2, 0), call(1, 0), call(5, 0)];
    assert_eq!(
        numbers(groups(&plan, &calls)),
        BTreeMap::from([(1, 20), (2, 10), (5, 10)])
    );
}

#[test]
fn a_key_that_is_none_is_a_key() {
    let plan = by_fd(
        SlotKind::Last,
        vec![set(
            SlotKind::Last,
            vec![field("pid")],
            op(map(0, vec![field("fd")]), Add, int(1)),
        )],
    );
    let calls = [call(NONE, NONE), call(NONE, NONE), call(NONE, 7)];
    assert_eq!(
        numbers(groups(&plan, &calls)),
        BTreeMap::from([(NONE, 2), (7, 3)])
    );
}

#[test]
fn a_map_is_read_within_the_key_of_a_map() {
    let follow = map(0, vec![map(0, vec![field("fd")])]);
    let plan = by_fd(
        SlotKind::Last,
        vec![
            set(SlotKind::Last, vec![int(1)], int(2)),
            set(SlotKind::Last, vec![int(2)], int(3)),
            set(SlotKind::Last, vec![int(9)], follow),
        ],
    );
    assert_eq!(
        numbers(groups(&plan, &[call(1, 0)])),
        BTreeMap::from([(1, 2), (2, 3), (9, 3)])
    );
}

#[test]
fn a_map_is_not_read_on_the_side_that_is_not_taken() {
    let value = choose(
        op(field("pid"), Eq, int(0)),
        map(0, vec![field("fd")]),
        op(map(0, vec![field("fd")]), Add, int(5)),
    );
    let plan = by_fd(
        SlotKind::Last,
        vec![set(SlotKind::Last, vec![field("fd")], value)],
    );
    let calls = [call(1, 1), call(1, 0), call(1, 1)];
    assert_eq!(numbers(groups(&plan, &calls)), BTreeMap::from([(1, 10)]));
}

#[test]
fn all_cpus_share_the_numbers_of_a_map() {
    for keys in [Vec::new(), vec![field("fd"), field("comm")]] {
        let tally = grouping(keys, vec![slot(SlotKind::Tally, int(1))]);
        let plan = plan(vec![block(0, vec![tally.record(0)])], vec![tally.store()]);
        let program = compile(&plan);
        assert_eq!(program.stores[0].kind, MapKind::Shared);
        let mut machine = Machine::new(&program);
        for cpu in [0, 3, 511] {
            take(&mut machine, cpu, &call(1, 0).by("main"));
        }
        let rows = read(&plan, &program, machine.rows(&program.stores[0].map), 0);
        let key = if tally.keys.is_empty() {
            Vec::new()
        } else {
            vec![Key::Number(1), Key::text("main")]
        };
        assert_eq!(rows, Groups::from([((0, key), vec![Kept::Number(3)])]));
    }
}

#[test]
fn a_map_without_keys_has_one_row_with_a_key_of_zeros() {
    let plan = table(Vec::new(), vec![slot(SlotKind::Last, int(4))]);
    let program = compile(&plan);
    assert_eq!(
        (program.stores[0].key_size, program.stores[0].max_rows),
        (8, 1)
    );
    let mut machine = Machine::new(&program);
    take(&mut machine, 0, &Call::new());
    assert_eq!(
        machine.rows("store_0"),
        [(&[0; 8][..], &4i64.to_ne_bytes()[..])]
    );
}

#[test]
fn a_deleted_key_is_gone_and_may_come_again() {
    let plan = by_fd(
        SlotKind::Tally,
        vec![
            set(SlotKind::Tally, vec![field("fd")], int(1)),
            super::terms::when(
                op(field("pid"), Eq, int(1)),
                vec![delete(0, vec![field("fd")])],
                Vec::new(),
            ),
        ],
    );
    let calls = [call(1, 0), call(2, 0), call(1, 1), call(2, 0)];
    assert_eq!(numbers(groups(&plan, &calls)), BTreeMap::from([(2, 2)]));
    let calls = [call(1, 0), call(1, 1), call(1, 0)];
    assert_eq!(numbers(groups(&plan, &calls)), BTreeMap::from([(1, 1)]));
}

#[test]
fn a_key_that_is_not_there_may_be_deleted() {
    let plan = by_fd(SlotKind::Last, vec![delete(0, vec![field("fd")])]);
    assert!(groups(&plan, &[call(1, 0), call(NONE, 0)]).is_empty());
}

#[test]
fn what_is_deleted_from_is_shared_by_all_cpus() {
    for keys in [Vec::new(), vec![field("fd")]] {
        let aggregates = grouping(
            keys.clone(),
            vec![
                count(),
                slot(SlotKind::Max, field("pid")),
                slot(HISTOGRAM, field("pid")),
            ],
        );
        let forget = Clause {
            filter: Some(op(field("pid"), Eq, int(0))),
            ..block(0, vec![delete(0, keys)])
        };
        let plan = plan(
            vec![block(0, vec![aggregates.record(0)]), forget],
            vec![aggregates.store()],
        );
        let program = compile(&plan);
        assert_eq!(program.stores[0].kind, MapKind::Shared);
        let mut machine = Machine::new(&program);
        for (cpu, pid) in [(0, 7), (1, 8), (2, 0)] {
            take(&mut machine, cpu, &call(1, pid));
        }
        assert!(read(&plan, &program, machine.rows(&program.stores[0].map), 0).is_empty());
        take(&mut machine, 1, &call(1, 5));
        take(&mut machine, 2, &call(1, 6));
        let rows: Vec<_> = read(&plan, &program, machine.rows(&program.stores[0].map), 0)
            .into_values()
            .collect();
        assert_eq!(rows[0][..2], [Kept::Number(2), Kept::Number(6)]);
    }
}

#[test]
fn a_number_that_finds_no_place_is_counted() {
    let plan = by_fd(
        SlotKind::Last,
        vec![set(SlotKind::Last, vec![field("fd")], int(1))],
    );
    let mut program = compile(&plan);
    program.stores[0].max_rows = 2;
    let mut machine = Machine::new(&program);
    for fd in [1, 2, 3, 1, 4] {
        take(&mut machine, 0, &call(fd, 0));
    }
    assert_eq!(machine.rows("store_0").len(), 2);
    assert_eq!(machine.counter(Counter::GroupsFull), 2);
}

#[test]
fn what_a_map_holds_at_entry_refuses_no_call() {
    let tally = grouping(Vec::new(), vec![slot(SlotKind::Tally, int(1))]);
    let clause = Clause {
        filter: Some(op(map(0, Vec::new()), Gt, int(0))),
        ..block(0, vec![tally.record(0)])
    };
    let plan = plan(vec![clause], vec![tally.store()]);
    let program = compile(&plan);
    assert!(enters(&mut Machine::new(&program), &Call::new()));
}
