//! The bundled scripts for known causes of slow calls: each on a runtime that has the cause, and on one that
//! has not.

mod support;

use support::directory::Directory;
use support::guest::Guest;
use support::runtime::Runtime;
use support::trace::{Script, Traced};

fn ready(runtimes: &[Runtime]) -> bool {
    runtimes.iter().all(|runtime| runtime.is_ready())
}

/// A guest that copies what comes through a pipe.
fn copies(runtime: Runtime) -> Traced {
    let directory = Directory::new();
    let module = Guest::named("echo").set("chunk", 16).compile(&directory);
    let invocation = runtime.run(&module, directory.path()).wrapped([
        "sh",
        "-c",
        "(sleep 0.3; echo text) | \"$@\" >/dev/null",
        "sh",
    ]);
    Script::bundled("handoff").run(&invocation)
}

#[test]
fn handoff_finds_the_thread_that_reads_standard_input_for_wasmtime() {
    if !ready(&[Runtime::Wasmtime, Runtime::Wasm3]) {
        return;
    }
    let with = copies(Runtime::Wasmtime);
    let row = with.report.table().row(&[("FUNC", "fd_read")]);
    assert!(row.number("CALLS") >= 1, "{}", with.report.text);
    assert!(row.float("HOPS") >= 1.0, "{}", with.report.text);
    assert!(row.float("WAIT(%)") > 50.0, "{}", with.report.text);
    assert!(row.number("FUTEXES") >= 1, "{}", with.report.text);

    let without = copies(Runtime::Wasm3);
    assert!(
        without.report.text.contains("no call"),
        "{}",
        without.report.text
    );
}

/// How many system calls a write of nothing is.
fn of_an_empty_write(runtime: Runtime) -> f64 {
    let directory = Directory::new();
    let guest = Guest::named("sizes").set("largest", 1).set("empty", 50);
    let module = guest.compile(&directory);
    let traced = Script::bundled("empty_writes").run(&runtime.run(&module, directory.path()));
    let row = traced.report.table().row(&[]);
    assert_eq!(row.number("CALLS"), 50, "{}", traced.report.text);
    row.float("SYS")
}

#[test]
fn empty_writes_shows_who_asks_the_kernel_for_nothing() {
    if !ready(&[Runtime::Iwasm, Runtime::Wasm3, Runtime::Wasmi]) {
        return;
    }
    assert_eq!(of_an_empty_write(Runtime::Iwasm), 1.0);
    assert_eq!(of_an_empty_write(Runtime::Wasm3), 1.0);
    assert_eq!(of_an_empty_write(Runtime::Wasmi), 0.0);
}

/// Opens a file eleven times.
fn opens(script: &str, runtime: Runtime) -> Traced {
    let directory = Directory::new();
    directory.file("data", [b'x'; 1600]);
    let module = Guest::named("calls").compile(&directory);
    Script::bundled(script).run(&runtime.run(&module, directory.path()))
}

#[test]
fn stat_storms_tells_the_runtimes_that_ask_twice_from_those_that_ask_once() {
    if !ready(&[Runtime::Iwasm, Runtime::Wasmtime]) {
        return;
    }
    let twice = opens("stat_storms", Runtime::Iwasm);
    let stat = twice.report.table().row(&[("SYSCALL", "newfstatat")]);
    let open = twice.report.table().row(&[("SYSCALL", "openat")]);
    assert_eq!(
        (
            stat.number("CALLS"),
            open.number("CALLS"),
            open.number("ERRORS")
        ),
        (22, 14, 3),
        "{}",
        twice.report.text
    );
    let once = opens("stat_storms", Runtime::Wasmtime);
    let stat = once.report.table().row(&[("SYSCALL", "statx")]);
    assert_eq!(stat.number("CALLS"), 11, "{}", once.report.text);
}

#[test]
fn nothing_is_forced_to_disk_that_was_not_asked_for() {
    if !ready(&[Runtime::Wasmtime]) {
        return;
    }
    let traced = opens("unasked_syncs", Runtime::Wasmtime);
    assert!(
        traced.report.text.contains("no call"),
        "{}",
        traced.report.text
    );
}

#[test]
fn files_knows_what_was_opened_and_read() {
    if !ready(&[Runtime::Wasm3, Runtime::Wasmi]) {
        return;
    }
    let traced = opens("files", Runtime::Wasmi);
    let table = traced.report.table();
    let data = table.row(&[("PATH", "data")]);
    assert_eq!(
        (
            data.number("OPENS"),
            data.number("READS"),
            data.text("READ")
        ),
        (11, 100, "1.6 KiB"),
        "{}",
        traced.report.text
    );
    let missing = table.row(&[("PATH", "missing")]);
    assert_eq!((missing.number("OPENS"), missing.number("ERRORS")), (3, 3));
}

#[test]
fn syscalls_inside_counts_the_writes_of_each_write() {
    if !ready(&[Runtime::Wasmtime]) {
        return;
    }
    let traced = opens("syscalls_inside", Runtime::Wasmtime);
    let row = traced
        .report
        .table()
        .row(&[("WASI_FUNC", "fd_write"), ("SYSCALL", "write")]);
    assert_eq!(row.number("CALLS"), 1000, "{}", traced.report.text);
    assert_eq!(row.text("PER_WASI"), "0.999", "{}", traced.report.text);
}

#[test]
fn startup_has_a_row_for_each_phase() {
    if !ready(&[Runtime::Wasmtime]) {
        return;
    }
    let traced = opens("startup", Runtime::Wasmtime);
    for phase in ["start", "first_wasi", "exit"] {
        let row = traced.report.table().row(&[("PHASE", phase)]);
        assert_eq!(row.number("RUNS"), 1, "{}", traced.report.text);
        assert!(row.float("MAX(ms)") > 0.0, "{}", traced.report.text);
    }
}

#[test]
fn slow_calls_prints_a_heading_and_what_is_slow() {
    if !ready(&[Runtime::Wasm3]) {
        return;
    }
    let directory = Directory::new();
    let module = Guest::named("echo").set("chunk", 16).compile(&directory);
    let invocation = Runtime::Wasm3.run(&module, directory.path()).wrapped([
        "sh",
        "-c",
        "(sleep 0.3; echo text) | \"$@\" >/dev/null",
        "sh",
    ]);
    let traced = Script::bundled("slow_calls")
        .with(&["--min", "100ms"])
        .run(&invocation);
    let lines: Vec<&str> = traced.report.text.lines().collect();
    assert!(
        lines[0].starts_with("TIME     RUNTIME "),
        "{}",
        traced.report.text
    );
    assert!(
        lines[1].contains("wasm3") && lines[1].contains("fd_read"),
        "{}",
        traced.report.text
    );
}
