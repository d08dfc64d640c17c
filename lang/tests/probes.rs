//! What probes outside of completed WASI calls become in the plan.

mod machine;

use ewapa_lang::Environment;
use ewapa_lang::plan::{ColumnExpr, Event, OutputFormat, Phase, Plan, RawProbe, Syscalls};
use machine::Machine;

const ENVIRONMENT: Environment = Environment {
    runtimes: &["wasmtime", "wasmer"],
    host: Some(&Machine),
    arguments: &["openat"],
    ..Environment::EMPTY
};

fn plan(text: &str) -> Plan {
    machine::compiled(text, &ENVIRONMENT).plan
}

fn events(text: &str) -> Vec<Event> {
    let clauses = plan(text).clauses.into_iter();
    clauses.map(|clause| clause.event).collect()
}

/// The raw probes of each clause of a script.
fn raw(text: &str) -> Vec<Vec<RawProbe>> {
    let of = |event| match event {
        Event::Raw(probes) => probes,
        other => panic!("{other:?}"),
    };
    events(text).into_iter().map(of).collect()
}

fn uprobe(path: &str, function: &str, offset: u64, returns: bool) -> RawProbe {
    RawProbe::Uprobe {
        path: path.to_owned(),
        function: function.to_owned(),
        offset,
        returns,
    }
}

fn tracepoint(name: &str) -> RawProbe {
    let (category, name) = name.split_once(':').unwrap();
    RawProbe::Tracepoint {
        category: category.to_owned(),
        name: name.to_owned(),
    }
}

#[test]
fn functions_of_files_are_written_as_in_bpftrace() {
    let text = r#"uprobe:./app-1.0+x@y/bin:"std::fs::read", u:/bin/bash:readline+0x10 /pid == 1/ { @ = count(); }
uretprobe:libc:m*, ur:"/opt/a b/x":0x1000, uprobe:./app:cpp:"f(int, char)" { @ = count(); }"#;
    assert_eq!(
        raw(text),
        [
            vec![
                uprobe("./app-1.0+x@y/bin", "std::fs::read", 0, false),
                uprobe("/bin/bash", "readline", 16, false),
            ],
            vec![
                uprobe("libc", "m*", 0, true),
                uprobe("/opt/a b/x", "0x1000", 0, true),
            ],
            vec![uprobe("./app", "f(int, char)", 0, false)],
        ]
    );
}

#[test]
fn other_raw_probes_are_written_as_in_bpftrace() {
    let probes = raw("U:/bin/app:prov:start, usdt:/bin/app:start { @ = count(); }
k:vfs_read { @ = count(); }
kretprobe:vfs_read { @ = count(); }
rt:sched_switch { @ = count(); }
p:hz:100, profile:100, profile:ms:10, profile:10ms { @ = count(); }");
    let usdt = |provider: &str| RawProbe::Usdt {
        path: "/bin/app".to_owned(),
        provider: provider.to_owned(),
        name: "start".to_owned(),
    };
    let kprobe = |returns| RawProbe::Kprobe {
        function: "vfs_read".to_owned(),
        offset: 0,
        returns,
    };
    assert_eq!(
        probes,
        [
            vec![usdt("prov"), usdt("")],
            vec![kprobe(false)],
            vec![kprobe(true)],
            vec![RawProbe::RawTracepoint("sched_switch".to_owned())],
            vec![RawProbe::Profile { period: 10_000_000 }],
        ]
    );
}

#[test]
fn functions_of_the_kernel_have_every_name_that_bpftrace_has_for_them() {
    let probes = raw(
        "f:vfs_write, fentry:vmlinux:vfs_write, kfunc:vfs_f* { @ = count(); }
fr:vfs_write, kretfunc:fput { @ = count(); }",
    );
    let function = |function: &str, returns| RawProbe::Fentry {
        function: function.to_owned(),
        returns,
    };
    assert_eq!(
        probes,
        [
            vec![function("vfs_write", false), function("vfs_f*", false)],
            vec![function("vfs_write", true), function("fput", true)],
        ]
    );
}

#[test]
fn functions_of_the_kernel_share_a_clause_unless_what_is_read_differs() {
    let both = |body: &str| {
        plan(&format!("fexit:vfs_write, fexit:vfs_fsync {{ {body} }}"))
            .clauses
            .len()
    };
    assert_eq!(both("@[func, args.file] = count();"), 1);
    assert_eq!(both("@ = sum(retval);"), 2);
}

#[test]
fn arguments_and_results_have_the_width_and_the_sign_of_their_types() {
    let plan = plan("fexit:vfs_fsync { @[args.file, args.datasync] = sum(retval); }");
    let text = format!("{plan:?}");
    for read in [
        "ContextAddress { offset: 0, indirect: false }",
        "Context { offset: 8, size: 4, signed: true }",
        "Context { offset: 16, size: 4, signed: true }",
    ] {
        assert!(text.contains(read), "{read} is not in\n{text}");
    }
}

#[test]
fn tracepoints_share_a_clause_unless_what_is_read_differs() {
    let all = [
        "syscalls:sys_enter_open",
        "syscalls:sys_enter_openat",
        "syscalls:sys_enter_openat2",
    ];
    let probes = raw("tracepoint:syscalls:sys_enter_open* { @ = count(); }");
    assert_eq!(probes, [all.map(tracepoint).to_vec()]);
    let probes = raw("t:syscalls:sys_{enter,exit}_$1, t:*:*_switch { @ = count(); }");
    let expected = [
        "syscalls:sys_enter_openat",
        "syscalls:sys_exit_openat",
        "sched:sched_switch",
    ];
    assert_eq!(probes, [expected.map(tracepoint).to_vec()]);
}

#[test]
fn begins_system_calls_and_phases_are_events_of_their_own() {
    let events = events(
        "syscall:{write,read}, phase:{start,exec}, wasi:fd_read:enter, syscall:read, wasi:fd_read, i:s:1, BEGIN { @ = count(); }",
    );
    assert_eq!(events.len(), 6);
    assert!(matches!(&events[0], Event::Wasi(probes) if probes.len() == 1));
    assert!(matches!(&events[1], Event::WasiEnter(probes) if probes.len() == 1));
    assert_eq!(events[2], Event::Syscall(Syscalls::Numbers(vec![0, 1])));
    assert_eq!(events[3], Event::Phase(vec![Phase::Exec, Phase::Start]));
    assert_eq!(events[4..], [Event::Interval(1_000_000_000), Event::Begin]);
    let all = self::events("syscall:*, syscall:read, phase:* { @ = count(); }");
    assert_eq!(all[0], Event::Syscall(Syscalls::All));
    assert_eq!(all[1], Event::Phase(Phase::ALL.to_vec()));
}

#[test]
fn a_table_over_several_kinds_of_events_has_one_store() {
    let plan = plan(
        "table t from wasi:fd_read, syscall:read, uprobe:libc:malloc by runtime { calls = count() }",
    );
    assert_eq!(
        (plan.clauses.len(), plan.stores.len(), plan.tables.len()),
        (3, 1, 1)
    );
}

#[test]
fn wasi_calls_are_counted_beside_the_table() {
    let plan = plan("table t from syscall:* where runtime == \"wasmtime\" && duration > 0 by pid, runtime { per = count() / wasi_calls }
wasi:* { @x[pid] = count(); }");
    let [table, hidden, map] = plan.stores.as_slice() else {
        panic!("{:?}", plan.stores);
    };
    assert_eq!(hidden.keys, table.keys);
    assert_eq!(map.name, "@x");
    let ColumnExpr::Binary(_, _, calls) = &plan.tables[0].columns[0].value else {
        panic!("{:?}", plan.tables[0].columns);
    };
    assert!(
        matches!(&**calls, ColumnExpr::Elsewhere { store, keys } if store.0 == 1 && *keys == [0, 1])
    );
    assert!(matches!(plan.clauses[1].event, Event::Wasi(_)));
    // What WASI calls have in common with system calls is asked of them as well.
    let filter = plan.clauses[1].filter.as_ref().unwrap();
    assert!(filter.reads(&mut |builtin| builtin.name == "runtime"));
    assert!(!filter.reads(&mut |builtin| builtin.name == "duration"));
}

#[test]
fn config_sets_how_a_script_runs() {
    let plan = plan(
        "config = { max_strlen = 100; max_map_keys = 1000, print_maps_on_exit = false; format = json; log_size = 1 } begin { exit(); }",
    );
    let settings = plan.settings;
    assert_eq!(settings.max_strlen, 104);
    assert_eq!(settings.max_map_keys, 1000);
    assert!(!settings.print_maps_on_exit);
    assert_eq!(settings.format, Some(OutputFormat::Json));
}
