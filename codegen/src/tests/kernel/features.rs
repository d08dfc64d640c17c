//! What random plans have not: the values of raw probes, stacks, series, and loops of many rounds.

use ewapa_lang::plan::{
    Action, BinaryOp, Clause, Event, Expr, ExprKind, Fold, KernelValue, Phase, Plan, RawProbe,
    Record, SlotId, SlotKind, Store, StoreId, Syscalls, Update, VariableId,
};
use ewapa_lang::types::{Enumeration, Space, StackMode, StackType, Type};

use super::is_root;
use super::machine::Kernel;
use crate::tests::reference::Key;
use crate::tests::run::{compile, told};
use crate::tests::terms::{
    Call, assign, block, delete, field, grouping, int, literal, messages, op, plan, slot, tell,
    text, variable, when,
};

fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty }
}

/// What the messages of the only clause say, which runs at `begin`.
fn told_at_begin(plan: &Plan) -> Vec<Vec<Key>> {
    let program = compile(plan);
    let kernel = Kernel::load(&program).unwrap_or_else(|error| panic!("{error}\n{program}"));
    kernel.happen(0, 0);
    let messages = told(&program, &kernel.messages());
    messages.into_iter().map(|(_, values)| values).collect()
}

fn at_begin(variables: Vec<Type>, actions: Vec<Action>) -> Clause {
    Clause {
        event: Event::Begin,
        variables,
        ..block(0, actions)
    }
}

fn saying(clause: Clause, types: &[Type]) -> Plan {
    Plan {
        messages: messages(&[types]),
        ..plan(vec![clause], Vec::new())
    }
}

fn count_up(index: usize) -> Action {
    let next = op(variable(index, Type::Int), BinaryOp::Add, int(1));
    assign(index, next)
}

/// `for $index : 0..end { body }`
fn rounds(index: usize, end: i64, body: Vec<Action>) -> Vec<Action> {
    vec![
        assign(index, int(0)),
        Action::Loop {
            condition: Some(op(variable(index, Type::Int), BinaryOp::Lt, int(end))),
            body,
            step: vec![count_up(index)],
        },
    ]
}

#[test]
fn a_loop_may_have_very_many_rounds() {
    if !is_root() {
        return;
    }
    let number = |index| variable(index, Type::Int);
    let sum = assign(1, op(number(1), BinaryOp::Add, number(0)));
    let mut actions = vec![assign(1, int(0))];
    actions.extend(rounds(0, 1_000_000, vec![sum]));
    actions.push(tell(0, vec![number(0), number(1)]));
    let clause = at_begin(vec![Type::Int; 2], actions);
    let said = told_at_begin(&saying(clause, &[Type::Int; 2]));
    assert_eq!(
        said,
        [[Key::Number(1_000_000), Key::Number(499_999_500_000)]]
    );
}

#[test]
fn loops_within_loops_have_all_their_rounds() {
    if !is_root() {
        return;
    }
    let inner = rounds(2, 40, rounds(3, 30, vec![count_up(0)]));
    let mut actions = vec![assign(0, int(0))];
    actions.extend(rounds(1, 50, inner));
    actions.push(tell(0, vec![variable(0, Type::Int)]));
    let clause = at_begin(vec![Type::Int; 4], actions);
    let said = told_at_begin(&saying(clause, &[Type::Int]));
    assert_eq!(said, [[Key::Number(60_000)]]);
}

#[test]
fn a_loop_without_end_ends() {
    if !is_root() {
        return;
    }
    let forever = Action::Loop {
        condition: None,
        body: vec![count_up(0)],
        step: Vec::new(),
    };
    let actions = vec![
        assign(0, int(0)),
        forever,
        tell(0, vec![variable(0, Type::Int)]),
    ];
    let said = told_at_begin(&saying(at_begin(vec![Type::Int], actions), &[Type::Int]));
    assert!(matches!(said[0][0], Key::Number(rounds) if rounds > 10_000));
}

/// A plan that fills a map of `$key → $key * 10` and then goes through it.
fn over_a_map(body: Vec<Action>, end: Vec<Action>) -> Plan {
    let number = |index| variable(index, Type::Int);
    let fill = Action::Record(Record {
        store: StoreId(0),
        keys: vec![number(0)],
        updates: vec![Update {
            slot: SlotId(0),
            value: Some(op(number(0), BinaryOp::Mul, int(10))),
            condition: None,
        }],
    });
    let mut actions = vec![assign(3, int(0))];
    actions.extend(rounds(0, 100, vec![fill]));
    actions.push(Action::ForEach {
        store: StoreId(0),
        keys: vec![Some(VariableId(1))],
        slots: vec![Some(VariableId(2))],
        body,
    });
    actions.extend(end);
    let store = Store {
        name: "@m".to_owned(),
        keys: vec![Type::Int],
        slots: vec![SlotKind::Last],
    };
    Plan {
        messages: messages(&[&[Type::Int]]),
        ..plan(vec![at_begin(vec![Type::Int; 5], actions)], vec![store])
    }
}

#[test]
fn a_loop_over_a_map_sees_each_row() {
    if !is_root() {
        return;
    }
    let number = |index| variable(index, Type::Int);
    let values = op(number(1), BinaryOp::Add, number(2));
    let add = assign(3, op(number(3), BinaryOp::Add, values));
    let plan = over_a_map(vec![add], vec![tell(0, vec![number(3)])]);
    assert_eq!(told_at_begin(&plan), [[Key::Number(4950 * 11)]]);
}

#[test]
fn a_loop_over_a_map_may_be_left_and_have_loops_inside() {
    if !is_root() {
        return;
    }
    let number = |index| variable(index, Type::Int);
    let full = op(number(3), BinaryOp::Ge, int(70));
    let body = [
        when(full, vec![Action::Break], Vec::new()),
        when(
            op(number(1), BinaryOp::Eq, int(-1)),
            vec![Action::Continue],
            Vec::new(),
        ),
    ];
    let with = |last: Vec<Action>| body.iter().cloned().chain(last).collect::<Vec<_>>();
    let inside = rounds(4, 7, vec![count_up(3)]);
    let plan = over_a_map(with(inside), vec![tell(0, vec![number(3)])]);
    assert_eq!(told_at_begin(&plan), [[Key::Number(70)]]);

    let again = Action::ForEach {
        store: StoreId(0),
        keys: vec![None],
        slots: vec![None],
        body: vec![count_up(3)],
    };
    let plan = over_a_map(vec![again], vec![tell(0, vec![number(3)])]);
    assert_eq!(told_at_begin(&plan), [[Key::Number(10_000)]]);
}

#[test]
fn a_return_within_a_loop_over_a_map_ends_the_clause() {
    if !is_root() {
        return;
    }
    let body = vec![tell(0, vec![int(1)]), Action::Return];
    let plan = over_a_map(body, vec![tell(0, vec![int(2)])]);
    assert_eq!(told_at_begin(&plan), [[Key::Number(1)]]);
}

#[test]
fn rows_are_deleted_while_a_loop_goes_through_them() {
    if !is_root() {
        return;
    }
    let number = |index| variable(index, Type::Int);
    let plan = over_a_map(
        vec![count_up(3), delete(0, vec![number(1)])],
        vec![tell(0, vec![number(3)])],
    );
    assert_eq!(told_at_begin(&plan), [[Key::Number(100)]]);
}

#[test]
fn a_series_adds_to_the_present_step() {
    if !is_root() {
        return;
    }
    for fold in [Fold::Sum, Fold::Avg, Fold::Min, Fold::Max, Fold::Last] {
        let kind = SlotKind::Series {
            step: 1 << 62,
            steps: 10,
            fold,
        };
        let series = grouping(vec![field("func")], vec![slot(kind, field("fd"))]);
        let plan = plan(vec![block(0, vec![series.record(0)])], vec![series.store()]);
        let program = compile(&plan);
        let kernel = Kernel::load(&program).unwrap_or_else(|error| panic!("{error}\n{program}"));
        for fd in [5, 3, 4] {
            kernel.take(0, &Call::new().with("fd", fd));
        }
        let rows = kernel.rows("store_0");
        let word = |index: usize| {
            let bytes = &rows[0].1[32 + 8 * index..][..8];
            i64::from_ne_bytes(bytes.try_into().expect("a word"))
        };
        assert_eq!((rows.len(), word(0), word(1)), (1, 1, 3));
        match fold {
            Fold::Sum | Fold::Avg => assert_eq!(word(2), 12),
            Fold::Last => assert_eq!(word(2), 4),
            Fold::Min => assert_eq!(crate::slot::decode_extreme(word(3) as u64, true), 3),
            Fold::Max => assert_eq!(crate::slot::decode_extreme(word(3) as u64, false), 5),
        }
    }
}

fn kernel_values() -> Vec<Expr> {
    use KernelValue::{
        Cgroup, Cpu, Elapsed, Gid, Nsecs, NsecsBoot, NsecsTai, NumaNode, Pid, Ppid, Random, Task,
        Tid, Uid,
    };
    [
        Nsecs, NsecsBoot, NsecsTai, Elapsed, Pid, Tid, Ppid, Uid, Gid, Cpu, NumaNode, Cgroup,
        Random, Task,
    ]
    .map(|value| expr(ExprKind::Kernel(value), Type::Int))
    .to_vec()
}

fn stack(space: Space) -> Expr {
    let stack = StackType {
        space,
        depth: 20,
        mode: StackMode::Plain,
    };
    expr(ExprKind::Stack, Type::Stack(stack))
}

fn address(value: Expr, space: Space) -> Expr {
    expr(ExprKind::Symbol(Box::new(value)), Type::Address(space))
}

fn comm() -> Expr {
    expr(ExprKind::Kernel(KernelValue::Comm), Type::Text(16))
}

#[test]
fn the_kernel_says_who_and_when() {
    if !is_root() {
        return;
    }
    let mut values = kernel_values();
    values.extend([comm(), stack(Space::User), stack(Space::Kernel)]);
    let types: Vec<Type> = values.iter().map(|value| value.ty).collect();
    let clause = at_begin(Vec::new(), vec![tell(0, values)]);
    let said = told_at_begin(&saying(clause, &types));
    // SAFETY: no preconditions.
    let (pid, tid) = unsafe { (libc::getpid(), libc::gettid()) };
    assert_eq!(said[0][4], Key::Number(pid.into()));
    assert_eq!(said[0][5], Key::Number(tid.into()));
    assert_eq!(said[0][9], Key::Number(0));
    assert!(matches!(&said[0][14], Key::Text(name) if !name.is_empty()));
    let Key::Number(user) = said[0][15] else {
        panic!("{said:?}");
    };
    assert!(user == i64::MIN || user >> 32 == i64::from(pid));
}

/// Loads a clause of this event that keeps and tells all that there is.
fn loads(event: Event, context: &[Expr]) {
    let mut values = kernel_values();
    values.extend(context.to_vec());
    values.extend([
        comm(),
        stack(Space::User),
        stack(Space::Kernel),
        field("runtime"),
        field("module"),
        field("duration"),
        field("path"),
        address(int(1), Space::User),
        address(
            expr(ExprKind::Kernel(KernelValue::Nsecs), Type::Unsigned),
            Space::Kernel,
        ),
    ]);
    let types: Vec<Type> = values.iter().map(|value| value.ty).collect();
    let by = grouping(
        vec![stack(Space::User), comm(), address(int(2), Space::User)],
        vec![slot(SlotKind::Sum, field("duration"))],
    );
    let filter = op(comm(), BinaryOp::Ne, text("nobody"));
    let each = rounds(0, 3, vec![tell(0, values)]);
    let clause = Clause {
        event,
        filter: Some(filter),
        ..block(1, each.into_iter().chain([by.record(0)]).collect())
    };
    let plan = Plan {
        messages: messages(&[&types]),
        ..plan(vec![clause], vec![by.store()])
    };
    let program = compile(&plan);
    if let Err(error) = Kernel::load(&program) {
        panic!("{error}\n{program}");
    }
}

#[test]
fn programs_of_raw_probes_are_taken() {
    if !is_root() {
        return;
    }
    let context = |offset, size, signed| {
        expr(
            ExprKind::Context {
                offset,
                size,
                signed,
            },
            Type::Unsigned,
        )
    };
    let at = |offset, indirect| {
        expr(
            ExprKind::ContextAddress { offset, indirect },
            Type::Unsigned,
        )
    };
    let read_text = |address, length: Option<Expr>, space| {
        let address = Box::new(address);
        let length = length.map(Box::new);
        let kind = ExprKind::ReadText {
            address,
            length,
            space,
        };
        expr(kind, Type::Text(64))
    };
    let read_bytes = |address, space| {
        let kind = ExprKind::ReadBytes {
            address: Box::new(address),
            length: Some(Box::new(context(104, 8, false))),
            space,
        };
        expr(kind, Type::Bytes(32))
    };
    let cookie = |of| expr(ExprKind::Kernel(KernelValue::Cookie), Type::Enum(of));
    let uprobe = RawProbe::Uprobe {
        path: "libc".to_owned(),
        function: "malloc".to_owned(),
        offset: 0,
        returns: false,
    };
    let read = expr(
        ExprKind::Read {
            address: Box::new(op(context(112, 8, false), BinaryOp::Add, int(8))),
            size: 4,
            signed: true,
            space: Space::User,
        },
        Type::Int,
    );
    loads(
        Event::Raw(vec![uprobe]),
        &[
            context(112, 8, false),
            context(112, 4, true),
            read,
            read_text(
                context(112, 8, false),
                Some(context(104, 8, false)),
                Space::User,
            ),
            read_bytes(context(112, 8, false), Space::User),
            address(context(128, 8, false), Space::User),
            cookie(Enumeration::Probe),
        ],
    );
    let tracepoint = RawProbe::Tracepoint {
        category: "sched".to_owned(),
        name: "sched_process_exec".to_owned(),
    };
    loads(
        Event::Raw(vec![tracepoint]),
        &[
            context(8, 4, true),
            context(12, 2, false),
            read_text(at(8, true), None, Space::Kernel),
            read_text(at(16, false), None, Space::Kernel),
            cookie(Enumeration::ProbeFunction),
        ],
    );
    loads(
        Event::Raw(vec![RawProbe::RawTracepoint("sched_switch".to_owned())]),
        &[context(0, 8, false), context(8, 8, false)],
    );
    loads(
        Event::Raw(vec![RawProbe::Profile { period: 10_000_000 }]),
        &[context(128, 8, false), context(136, 4, false)],
    );
}

#[test]
fn clauses_of_every_event_are_taken() {
    if !is_root() {
        return;
    }
    loads(Event::WasiEnter(vec![crate::tests::terms::probe(&[])]), &[]);
    loads(Event::Syscall(Syscalls::All), &[field("arg0")]);
    loads(
        Event::Syscall(Syscalls::Numbers(vec![0, 1, 3, 257, 300])),
        &[],
    );
    loads(Event::Phase(vec![Phase::Exec, Phase::Exit]), &[]);
    loads(Event::Begin, &[literal(1, Type::Unsigned)]);
}

#[test]
fn a_system_call_or_phase_goes_to_the_clauses_that_wait_for_it() {
    if !is_root() {
        return;
    }
    let clause = |event, number| Clause {
        event,
        ..block(0, vec![tell(0, vec![int(number)])])
    };
    let numbers = |numbers: &[u16]| Event::Syscall(Syscalls::Numbers(numbers.to_vec()));
    let plan = Plan {
        messages: messages(&[&[Type::Int]]),
        ..plan(
            vec![
                clause(Event::Syscall(Syscalls::All), 0),
                clause(numbers(&[1]), 1),
                clause(numbers(&[0, 1, 63, 64, 330]), 2),
                clause(Event::Phase(vec![Phase::Start, Phase::Exit]), 3),
                clause(Event::Phase(Phase::ALL.to_vec()), 4),
            ],
            Vec::new(),
        )
    };
    let program = compile(&plan);
    let kernel = Kernel::load(&program).unwrap_or_else(|error| panic!("{error}\n{program}"));
    let heard = |field: &str, number: i64| {
        let call = Call::new().with(field, number);
        kernel.other(0, &call, field == "syscall");
        let messages = told(&program, &kernel.messages());
        messages
            .into_iter()
            .map(|(_, values)| match values[0] {
                Key::Number(number) => number,
                Key::Text(_) => unreachable!("a number"),
            })
            .collect::<Vec<i64>>()
    };
    for (number, expected) in [
        (0, vec![0, 2]),
        (1, vec![0, 1, 2]),
        (2, vec![0]),
        (64, vec![0, 2]),
    ] {
        assert_eq!(heard("syscall", number), expected, "system call {number}");
    }
    assert_eq!(heard("syscall", 330), [0, 2]);
    assert_eq!(heard("syscall", 331), [0]);
    assert_eq!(heard("phase", 0), [4]);
    assert_eq!(heard("phase", 1), [3, 4]);
    assert_eq!(heard("phase", 3), [3, 4]);
}

#[test]
fn a_script_of_many_tables_and_probes_is_taken() {
    if !is_root() {
        return;
    }
    let is_slow = op(field("duration"), BinaryOp::Gt, int(1000));
    let table = grouping(
        vec![field("func"), field("comm")],
        vec![
            slot(SlotKind::Sum, field("duration")),
            slot(crate::tests::terms::HISTOGRAM, field("duration")),
            slot(SlotKind::Max, field("duration")),
        ],
    );
    let tables = (0..50).map(|store| block(0, vec![table.record(store)]));
    let probes = (0..200).map(|_| {
        let say = tell(0, vec![field("fd"), field("comm")]);
        block(
            1,
            vec![
                assign(0, field("fd")),
                when(is_slow.clone(), vec![say], Vec::new()),
            ],
        )
    });
    let plan = Plan {
        messages: messages(&[&[Type::Int, Type::Text(16)]]),
        ..plan(tables.chain(probes).collect(), vec![table.store(); 50])
    };
    let begun = std::time::Instant::now();
    let program = compile(&plan);
    let compiled = begun.elapsed();
    let kernel = Kernel::load(&program).unwrap_or_else(|error| panic!("{error}"));
    eprintln!("compiled in {compiled:?}, loaded in {:?}", begun.elapsed());
    let call = Call::new().by("main").with("fd", 3).with("duration", 2000);
    kernel.take(0, &call);
    assert_eq!(kernel.messages().len(), 200);
    assert!((0..50).all(|store| kernel.rows(&format!("store_{store}")).len() == 1));
}

/// What a clause does that has its variables on the stack, and calls the deepest: by itself, in a loop, for
/// each row of a map, and for each row of a map for each row of one.
fn deepest(shape: usize) -> Vec<Action> {
    let ppid = expr(ExprKind::Kernel(KernelValue::Ppid), Type::Int);
    let say = vec![tell(0, vec![ppid])];
    let each = |body| {
        vec![Action::ForEach {
            store: StoreId(0),
            keys: vec![None],
            slots: vec![None],
            body,
        }]
    };
    match shape {
        0 => say,
        1 => rounds(0, 3, say),
        2 => each(rounds(0, 3, say)),
        _ => each(each(rounds(0, 3, say))),
    }
}

#[test]
fn the_largest_clause_leaves_the_template_its_stack() {
    if !is_root() {
        return;
    }
    let uprobe = RawProbe::Uprobe {
        path: "libc".to_owned(),
        function: "malloc".to_owned(),
        offset: 0,
        returns: false,
    };
    let all = || vec![crate::tests::terms::probe(&[])];
    let programs = [
        (Event::Wasi(all()), "wasi_session"),
        (Event::WasiEnter(all()), "wasi_session"),
        (Event::Syscall(Syscalls::All), "syscall_exit"),
        (Event::Phase(Phase::ALL.to_vec()), "process_exit"),
        (Event::Begin, "script_event"),
        (Event::Raw(vec![uprobe]), "raw_0"),
        (
            Event::Raw(vec![RawProbe::Profile { period: 10_000_000 }]),
            "raw_0",
        ),
    ];
    let store = Store {
        name: "@m".to_owned(),
        keys: vec![Type::Int],
        slots: vec![SlotKind::Last],
    };
    for ((event, program), shape) in programs
        .into_iter()
        .flat_map(|of| (0..4).map(move |shape| (of.clone(), shape)))
    {
        let of = |variables| Plan {
            messages: messages(&[&[Type::Int]]),
            ..plan(
                vec![Clause {
                    event: event.clone(),
                    ..block(variables, deepest(shape))
                }],
                vec![store.clone()],
            )
        };
        let fits = |variables: &usize| crate::program::generate(&of(*variables)).is_ok();
        let most = (1..64).rfind(fits).expect("some that fit");
        assert!(!fits(&(most + 1)));
        let plan = of(most);
        if let Err(error) = Kernel::load_with(&compile(&plan), &[program]) {
            panic!("{event:?}, shape {shape}: {error}");
        }
    }
}
