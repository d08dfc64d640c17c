//! What a guest is known to do is what the table says, on every runtime: counts, errnos, descriptors and
//! bytes of calls.

mod support;

use std::collections::BTreeMap;

use support::directory::Directory;
use support::guest::Guest;
use support::report::Table;
use support::runtime::{Invocation, Runtime};
use support::trace::{EVERYTHING, Script, Traced};

/// How often the guest `calls` makes each kind of call.
#[derive(Debug, Clone, Copy)]
struct Counts {
    writes: u32,
    opens: u32,
    missing: u32,
    reads: u32,
    clocks: u32,
}

const ONE: Counts = Counts {
    writes: 1,
    opens: 1,
    missing: 1,
    reads: 1,
    clocks: 1,
};
const THOUSAND: Counts = Counts {
    writes: 1000,
    opens: 10,
    missing: 3,
    reads: 1000,
    clocks: 1000,
};

fn run(runtime: Runtime, counts: Counts) -> Traced {
    let directory = Directory::new();
    directory.file("data", vec![b'x'; 16 * counts.reads as usize]);
    let module = Guest::named("calls")
        .set("writes", counts.writes)
        .set("opens", counts.opens)
        .set("missing", counts.missing)
        .set("reads", counts.reads)
        .set("clocks", counts.clocks)
        .compile(&directory);
    let traced = Script::new(EVERYTHING).run(&into_nothing(runtime.run(&module, directory.path())));
    assert_eq!(
        traced.ended.status.code(),
        Some(0),
        "{}",
        traced.ended.stderr
    );
    traced
}

/// Standard output goes to /dev/null.
fn into_nothing(invocation: Invocation) -> Invocation {
    invocation.wrapped(["sh", "-c", "exec \"$@\" >/dev/null", "sh"])
}

/// The errno that the runtime gives for a descriptor that is not open.
fn not_open(runtime: Runtime, function: &str) -> &'static str {
    match (runtime, function) {
        // wasm3 0.4.7 hands the -1 of close(2) to the guest.
        (Runtime::Wasm3, "fd_close") => "4294967295",
        _ => "BADF",
    }
}

/// Calls by function and errno.
fn expected(runtime: Runtime, counts: Counts) -> BTreeMap<(String, String), i64> {
    let mut calls = BTreeMap::new();
    let mut add = |function: &str, errno: &str, count: u32| {
        *calls
            .entry((function.to_owned(), errno.to_owned()))
            .or_insert(0) += i64::from(count);
    };
    // Without a directory nothing can be opened: what works on the opened file fails.
    let no_directory = runtime == Runtime::Builtin;
    let opened = |function| {
        if no_directory {
            not_open(runtime, function)
        } else {
            "SUCCESS"
        }
    };
    add("fd_write", "SUCCESS", counts.writes);
    add("fd_write", "BADF", 1);
    add("path_open", opened("path_open"), counts.opens + 1);
    add(
        "path_open",
        if no_directory { "BADF" } else { "NOENT" },
        counts.missing,
    );
    add("fd_read", opened("fd_read"), counts.reads);
    let seek = match runtime {
        // It does not give the right although it was asked for.
        Runtime::Wamr => "NOTCAPABLE",
        _ => opened("fd_seek"),
    };
    add("fd_seek", seek, 1);
    add("fd_close", opened("fd_close"), counts.opens + 1);
    add("fd_close", not_open(runtime, "fd_close"), 1);
    add("clock_time_get", "SUCCESS", counts.clocks);
    add("random_get", "SUCCESS", counts.clocks);
    calls
}

fn calls(table: &Table) -> BTreeMap<(String, String), i64> {
    let mut calls = BTreeMap::new();
    for row in table.rows() {
        *calls
            .entry((row.text("FUNC").to_owned(), row.text("ERRNO").to_owned()))
            .or_insert(0) += row.number("CALLS");
    }
    calls
}

fn every_call_is_counted_once_with_its_errno(runtime: Runtime, counts: Counts) {
    let traced = run(runtime, counts);
    assert_eq!(
        calls(traced.report.table()),
        expected(runtime, counts),
        "{}",
        traced.report.text
    );
}

fn descriptors_are_those_of_the_guest(runtime: Runtime) {
    let traced = run(runtime, ONE);
    let table = traced.report.table();
    assert_eq!(
        table
            .row(&[("FUNC", "fd_write"), ("ERRNO", "SUCCESS")])
            .text("FD"),
        "1"
    );
    assert_eq!(
        table
            .row(&[("FUNC", "fd_write"), ("ERRNO", "BADF")])
            .text("FD"),
        "77"
    );
    assert_eq!(
        table
            .row(&[("FUNC", "fd_close"), ("FD", "99")])
            .text("ERRNO"),
        not_open(runtime, "fd_close")
    );
    assert!(
        table
            .rows()
            .filter(|row| row.text("FUNC") == "path_open")
            .all(|row| row.text("FD") == "3")
    );
    assert_eq!(table.row(&[("FUNC", "clock_time_get")]).text("FD"), "-");
}

fn bytes_are_those_that_the_guest_moved(runtime: Runtime) {
    let traced = run(runtime, THOUSAND);
    let table = traced.report.table();
    assert_eq!(
        table
            .row(&[("FUNC", "fd_write"), ("FD", "1")])
            .text("BYTES"),
        "5000"
    );
    assert_eq!(
        table
            .row(&[("FUNC", "fd_write"), ("FD", "77")])
            .text("BYTES"),
        "0"
    );
    assert_eq!(table.row(&[("FUNC", "random_get")]).text("BYTES"), "8000");
    assert_eq!(table.row(&[("FUNC", "clock_time_get")]).text("BYTES"), "-");
    if runtime != Runtime::Builtin {
        assert_eq!(table.row(&[("FUNC", "fd_read")]).text("BYTES"), "16000");
    }
}

fn no_call_is_shorter_than_its_system_calls(runtime: Runtime) {
    let traced = run(runtime, THOUSAND);
    for row in traced.report.table().rows() {
        assert!(
            row.number("DUR") >= row.number("SYS"),
            "{}",
            traced.report.text
        );
        assert!(
            row.number("SYS") >= 0 && row.number("DUR") > 0,
            "{}",
            traced.report.text
        );
    }
}

fn nothing_is_lost_and_proc_exit_is_unfinished(runtime: Runtime) {
    let traced = run(runtime, ONE);
    let table = traced.report.table();
    // Node.js ends a guest in JavaScript, before its WASI is reached.
    let unfinished = if runtime.name() == "node" {
        ""
    } else {
        ", 1 unfinished (proc_exit)"
    };
    assert!(
        table.headline.starts_with("t · 1 process · "),
        "{}",
        table.headline
    );
    assert!(
        table
            .headline
            .ends_with(&format!(" · nothing lost{unfinished}")),
        "{}",
        table.headline
    );
    assert!(
        table.rows().all(|row| row.text("FUNC") != "proc_exit"),
        "{}",
        traced.report.text
    );
}

fn rows_name_the_runtime(runtime: Runtime) {
    let traced = run(runtime, ONE);
    assert!(
        traced
            .report
            .table()
            .rows()
            .all(|row| row.text("RUNTIME").split(' ').next() == Some(runtime.name())),
        "{}",
        traced.report.text
    );
}

fn a_million_writes_are_a_million_calls(runtime: Runtime) {
    let counts = Counts {
        // Wasmer takes some 80 us for each.
        writes: if runtime == Runtime::Wasmer {
            20_000
        } else {
            1_000_000
        },
        ..ONE
    };
    let traced = run(runtime, counts);
    let table = traced.report.table();
    assert_eq!(
        calls(table),
        expected(runtime, counts),
        "{}",
        traced.report.text
    );
    let row = table.row(&[("FUNC", "fd_write"), ("FD", "1")]);
    assert_eq!(row.number("BYTES"), 5 * i64::from(counts.writes));
    assert!(
        row.number("DUR") >= row.number("SYS"),
        "{}",
        traced.report.text
    );
    assert!(
        table.headline.contains(" · nothing lost"),
        "{}",
        table.headline
    );
}

macro_rules! on_every_runtime {
    ($($module:ident: $runtime:ident,)*) => {$(
        mod $module {
            use super::*;

            on_every_runtime! { @tests $runtime,
                one_call_of_each_kind_is_counted_once_with_its_errno => every_call_is_counted_once_with_its_errno(ONE),
                a_thousand_calls_are_counted_once_with_their_errno => every_call_is_counted_once_with_its_errno(THOUSAND),
                a_million_writes_are_a_million_calls => a_million_writes_are_a_million_calls(),
                descriptors_are_those_of_the_guest => descriptors_are_those_of_the_guest(),
                bytes_are_those_that_the_guest_moved => bytes_are_those_that_the_guest_moved(),
                no_call_is_shorter_than_its_system_calls => no_call_is_shorter_than_its_system_calls(),
                nothing_is_lost_and_proc_exit_is_unfinished => nothing_is_lost_and_proc_exit_is_unfinished(),
                rows_name_the_runtime => rows_name_the_runtime(),
            }
        }
    )*};
    (@tests $runtime:ident, $($test:ident => $check:ident($($argument:expr)?),)*) => {$(
        #[test]
        fn $test() {
            if Runtime::$runtime.is_ready() {
                super::$check(Runtime::$runtime $(, $argument)?);
            }
        }
    )*};
}

on_every_runtime! {
    wasmtime: Wasmtime,
    libwasmtime: LibWasmtime,
    wasmi: Wasmi,
    wasmer: Wasmer,
    iwasm: Iwasm,
    wamr: Wamr,
    wasm3: Wasm3,
    node: Node,
    node_new: NodeNew,
    builtin: Builtin,
}
