use ewapa_lang::builtin::NONE;
use ewapa_lang::plan::BinaryOp::{And, Eq, Gt, Or};
use ewapa_lang::plan::{Clause, Event, Expr, ExprKind, Plan, Probe, RawProbe, SlotKind};
use ewapa_lang::types::Type;

use super::reference::Kept;
use super::run::{compile, enters, groups, read, row, take};
use super::terms::{
    Call, Grouping, block, count, count_in, counting, every_call, field, grouping, int, not, op,
    plan, probe, slot, text, truth,
};
use crate::Error;
use crate::interpreter::Machine;
use crate::program::generate;

fn clause(probes: Vec<Probe>, filter: Option<Expr>) -> Clause {
    Clause {
        event: Event::Wasi(probes),
        filter,
        ..every_call(count_in(0))
    }
}

fn wanted(plan: &Plan, call: &Call) -> bool {
    let program = compile(plan);
    enters(&mut Machine::new(&program), call)
}

fn counted(plan: &Plan, calls: &[Call]) -> i64 {
    match groups(plan, calls).into_values().next().as_deref() {
        None => 0,
        Some([Kept::Number(count)]) => *count,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_clause_takes_the_functions_of_its_probes() {
    let plan = counting(clause(
        vec![probe(&["args_get", "fd_write", "sock_shutdown"])],
        None,
    ));
    for (function, expected) in [
        ("args_get", 1),
        ("args_sizes_get", 0),
        ("fd_read", 0),
        ("fd_write", 1),
        ("sock_send", 0),
        ("sock_shutdown", 1),
    ] {
        let call = Call::new().of(function);
        assert_eq!(
            counted(&plan, std::slice::from_ref(&call)),
            expected,
            "{function}"
        );
        assert_eq!(wanted(&plan, &call), expected == 1, "{function}");
    }
}

#[test]
fn a_probe_of_one_runtime_takes_all_its_versions_and_no_other() {
    let plan = counting(clause(
        vec![Probe {
            runtime: Some(3),
            ..probe(&[])
        }],
        None,
    ));
    for (runtime, expected) in [
        (3, true),
        (0x1203, true),
        (4, false),
        (0x0304, false),
        (0, false),
    ] {
        assert_eq!(
            wanted(&plan, &Call::new().with("runtime", runtime)),
            expected,
            "{runtime:#x}"
        );
    }
}

#[test]
fn a_runtime_with_a_high_index_is_matched() {
    let plan = counting(clause(
        vec![Probe {
            runtime: Some(200),
            ..probe(&[])
        }],
        None,
    ));
    assert!(wanted(&plan, &Call::new().with("runtime", 0x07_00c8)));
    assert!(!wanted(&plan, &Call::new().with("runtime", 0x07_0048)));
}

#[test]
fn a_call_that_several_probes_match_counts_once() {
    let plan = counting(clause(
        vec![
            probe(&["fd_write"]),
            probe(&[]),
            probe(&["fd_read", "fd_write"]),
        ],
        None,
    ));
    assert_eq!(
        counted(
            &plan,
            &[Call::new(), Call::new(), Call::new().of("fd_read")]
        ),
        3
    );
}

#[test]
fn each_probe_has_its_own_runtime() {
    let probes = vec![
        Probe {
            runtime: Some(1),
            ..probe(&["fd_read"])
        },
        Probe {
            runtime: Some(2),
            ..probe(&["fd_write"])
        },
    ];
    let plan = counting(clause(probes, None));
    for (function, runtime, expected) in [
        ("fd_read", 1, 1),
        ("fd_read", 2, 0),
        ("fd_write", 1, 0),
        ("fd_write", 2, 1),
    ] {
        assert_eq!(
            counted(&plan, &[Call::new().of(function).with("runtime", runtime)]),
            expected
        );
    }
}

#[test]
fn only_calls_that_pass_the_filter_are_taken() {
    let filter = op(
        op(field("fd"), Eq, int(1)),
        And,
        op(field("duration"), Gt, int(100)),
    );
    let plan = counting(clause(vec![probe(&[])], Some(filter)));
    let call = |fd, duration| Call::new().with("fd", fd).with("duration", duration);
    assert_eq!(
        counted(
            &plan,
            &[
                call(1, 101),
                call(1, 100),
                call(2, 101),
                call(NONE, 101),
                call(1, i64::MAX)
            ]
        ),
        2
    );
}

#[test]
fn the_filter_at_entry_refuses_what_is_known_not_to_pass() {
    let short = || op(field("duration"), Gt, int(100));
    let fd = |value| op(field("fd"), Eq, int(value));
    let name = || op(field("comm"), Eq, text("worker"));
    let call = Call::new().with("fd", 1).by("main");
    for (filter, expected) in [
        (fd(1), true),
        (fd(2), false),
        (not(fd(2)), true),
        (name(), false),
        (op(fd(1), And, short()), true),
        (op(fd(2), And, short()), false),
        (op(short(), And, op(fd(1), And, name())), false),
        (op(op(short(), And, short()), And, fd(1)), true),
        // What may still become true is let through.
        (short(), true),
        (not(short()), true),
        (field("ok"), true),
        (op(fd(2), Or, short()), true),
        (not(op(fd(1), Or, short())), true),
        (op(fd(2), Or, name()), false),
        (truth(true), true),
        (truth(false), false),
    ] {
        let plan = counting(clause(vec![probe(&[])], Some(filter.clone())));
        assert_eq!(wanted(&plan, &call), expected, "{filter:?}");
    }
}

#[test]
fn one_clause_that_may_want_the_call_is_enough_at_entry() {
    let fd = |value| Some(op(field("fd"), Eq, int(value)));
    let clauses = vec![
        clause(vec![probe(&["fd_read"])], None),
        clause(vec![probe(&["fd_write"])], fd(1)),
        clause(vec![probe(&["fd_write"])], fd(2)),
    ];
    let plan = Plan {
        clauses,
        ..counting(every_call(count_in(0)))
    };
    let call = |function, fd| Call::new().of(function).with("fd", fd);
    for (call, expected) in [
        (call("fd_read", 9), true),
        (call("fd_write", 1), true),
        (call("fd_write", 2), true),
        (call("fd_write", 3), false),
        (call("fd_close", 1), false),
    ] {
        assert_eq!(wanted(&plan, &call), expected, "{call:?}");
    }
}

#[test]
fn a_script_without_clauses_wants_no_call() {
    let plan = plan(Vec::new(), Vec::new());
    assert!(!wanted(&plan, &Call::new()));
}

#[test]
fn several_clauses_each_take_what_is_theirs() {
    let count = |name: &str| ewapa_lang::plan::Store {
        name: name.to_owned(),
        ..grouping(Vec::new(), vec![count()]).store()
    };
    let reads = Clause {
        actions: vec![count_in(1)],
        ..clause(vec![probe(&["fd_read"])], None)
    };
    let plan = plan(
        vec![every_call(count_in(0)), reads],
        vec![count("all"), count("reads")],
    );
    let program = compile(&plan);
    let mut machine = Machine::new(&program);
    for function in ["fd_read", "fd_write", "fd_read", "fd_close"] {
        take(&mut machine, 0, &Call::new().of(function));
    }
    let counts = [0, 1].map(|index| {
        read(
            &plan,
            &program,
            machine.rows(&program.stores[index].map),
            index,
        )
        .into_values()
        .next()
    });
    assert_eq!(
        counts,
        [Some(vec![Kept::Number(4)]), Some(vec![Kept::Number(2)])]
    );
}

#[test]
fn several_clauses_may_share_a_store() {
    let plan = Plan {
        clauses: vec![every_call(count_in(0)), every_call(count_in(0))],
        ..counting(every_call(count_in(0)))
    };
    assert_eq!(row(&plan, &[Call::new(), Call::new()]), [Kept::Number(4)]);
}

#[test]
fn a_clause_does_its_actions_in_turn() {
    let stores = [
        grouping(
            vec![field("comm"), field("fd")],
            vec![slot(SlotKind::Sum, field("fd"))],
        ),
        grouping(vec![field("func")], vec![slot(SlotKind::Sum, field("pid"))]),
    ];
    let two = Clause {
        actions: vec![stores[0].record(0), stores[1].record(1)],
        ..every_call(count_in(0))
    };
    let plan = plan(vec![two], stores.iter().map(Grouping::store).collect());
    let program = compile(&plan);
    let mut machine = Machine::new(&program);
    take(&mut machine, 0, &Call::new().with("fd", 5).with("pid", 6));
    let rows = [0, 1].map(|index| {
        read(
            &plan,
            &program,
            machine.rows(&program.stores[index].map),
            index,
        )
        .into_values()
        .collect::<Vec<_>>()
    });
    assert_eq!(
        rows,
        [vec![vec![Kept::Number(5)]], vec![vec![Kept::Number(6)]]]
    );
}

#[test]
fn a_function_of_the_kernel_hands_over_whole_words_of_which_the_lower_bytes_count() {
    let at = |offset, size, signed| {
        let kind = ExprKind::Context {
            offset,
            size,
            signed,
        };
        slot(
            SlotKind::Sum,
            Expr {
                kind,
                ty: Type::Int,
            },
        )
    };
    let of = grouping(
        Vec::new(),
        vec![
            at(0, 4, true),
            at(0, 4, false),
            at(8, 1, false),
            at(16, 8, true),
        ],
    );
    let fexit = RawProbe::Fentry {
        function: "vfs_write".to_owned(),
        returns: true,
    };
    let clause = Clause {
        event: Event::Raw(vec![fexit]),
        ..block(0, vec![of.record(0)])
    };
    let plan = plan(vec![clause], vec![of.store()]);
    let program = compile(&plan);
    let mut machine = Machine::new(&program);
    let words: [u64; 3] = [0x1234_5678_ffff_fffe, 0xabcd_ef01, (-5_i64) as u64];
    machine.context = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    machine
        .run("clause_0", &Call::new().to_bytes())
        .expect("a clause that runs");
    let rows = read(&plan, &program, machine.rows(&program.stores[0].map), 0);
    assert_eq!(
        rows.into_values().next().expect("a row"),
        [-2, 0xffff_fffe, 1, -5].map(Kept::Number)
    );
}

#[test]
fn a_clause_too_large_for_the_jumps_of_ebpf_is_refused_by_name() {
    let mut filter = op(field("pid"), Eq, int(1));
    for _ in 0..14 {
        filter = op(filter.clone(), And, filter);
    }
    let error = generate(&counting(clause(vec![probe(&[])], Some(filter)))).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}
