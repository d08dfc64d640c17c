//! Which processes are traced: those that are named with `-p`, the children of a command however deep, all
//! threads of a host, and no process of somebody else.

#[macro_use]
mod support;

use support::directory::Directory;
use support::guest::Guest;
use support::process::{Process, wait_until_quiet};
use support::report::Report;
use support::runtime::{Invocation, Runtime};
use support::trace::{EVERYTHING, Script};

fn echo(runtime: Runtime, directory: &Directory) -> Invocation {
    runtime.run(&Guest::named("echo").compile(directory), directory.path())
}

/// A guest that writes 10 times and ends with exit code 0.
fn ten_writes(runtime: Runtime, directory: &Directory) -> Invocation {
    runtime.run(&Guest::named("ends").compile(directory), directory.path())
}

/// Starts a guest that copies bytes, and waits until it has copied one and waits for more.
fn running_echo(runtime: Runtime, directory: &Directory) -> Process {
    let mut process = Process::start(&mut echo(runtime, directory).command());
    process.write(b"0");
    process.wait_for_output(1);
    wait_until_quiet(process.pid());
    process
}

fn a_running_process_is_traced_and_goes_on_afterwards(runtime: Runtime) {
    let directory = Directory::new();
    let mut target = running_echo(runtime, &directory);
    let ewapa = Script::new(EVERYTHING).join(target.pid(), &runtime.binary());
    target.write(b"123456789");
    target.wait_for_output(10);
    wait_until_quiet(target.pid());
    ewapa.signal(libc::SIGINT);
    let ended = ewapa.end();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);

    let report = Report::parse(&String::from_utf8(ended.stdout).expect("tables are text"));
    let calls = |function| {
        report
            .table()
            .sum(&[("FUNC", function), ("ERRNO", "SUCCESS")], "CALLS")
    };
    // The first fd_read began before the probes were on, the last one had not returned.
    assert_eq!(
        (calls("fd_read"), calls("fd_write")),
        (8, 9),
        "{}",
        report.text
    );
    assert!(
        report.table().headline.contains("1 still open"),
        "{}",
        report.text
    );

    target.write(b"abc");
    target.wait_for_output(13);
    target.close_stdin();
    let target = target.end();
    assert_eq!(
        (target.code(), target.stdout.as_slice()),
        (0, &b"0123456789abc"[..]),
        "{}",
        target.stderr
    );
}

on_runtimes! { a_running_process_is_traced_and_goes_on_afterwards:
    wasmtime: Wasmtime,
    libwasmtime: LibWasmtime,
    wasmi: Wasmi,
    iwasm: Iwasm,
    wasm3: Wasm3,
    node: Node,
}

#[test]
fn the_end_of_the_last_named_process_is_the_end_of_the_run() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let directory = Directory::new();
    let mut target = running_echo(Runtime::Wasm3, &directory);
    let ewapa = Script::new(EVERYTHING).join(target.pid(), &Runtime::Wasm3.binary());
    target.write(b"12");
    target.close_stdin();
    target.end();
    let ended = ewapa.end();
    let report = Report::parse(&String::from_utf8(ended.stdout).expect("tables are text"));
    assert_eq!(
        report.table().sum(&[("FUNC", "fd_write")], "CALLS"),
        2,
        "{}",
        report.text
    );
    assert_eq!(
        report
            .table()
            .sum(&[("FUNC", "fd_read"), ("BYTES", "0")], "CALLS"),
        0,
        "{}",
        report.text
    );
    assert!(
        report.table().headline.ends_with(" · nothing lost"),
        "{}",
        report.text
    );
}

#[test]
fn two_runs_on_one_process_both_see_all_of_it() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let directory = Directory::new();
    let mut target = running_echo(Runtime::Wasm3, &directory);
    let first = Script::new(EVERYTHING).join(target.pid(), &Runtime::Wasm3.binary());
    let second = Script::new(EVERYTHING).join(target.pid(), &Runtime::Wasm3.binary());
    target.write(b"12345");
    target.close_stdin();
    target.end();
    for ewapa in [first, second] {
        let report =
            Report::parse(&String::from_utf8(ewapa.end().stdout).expect("tables are text"));
        assert_eq!(
            report.table().sum(&[("FUNC", "fd_write")], "CALLS"),
            5,
            "{}",
            report.text
        );
    }
}

#[test]
fn two_runs_on_one_binary_count_their_own_process_only() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let directory = Directory::new();
    let mut runs = [7, 4].map(|bytes| {
        (
            bytes,
            Script::new(EVERYTHING).start(&echo(Runtime::Wasm3, &directory)),
        )
    });
    // Both are on before either has made all of its calls.
    for (_, tracing) in &mut runs {
        tracing.process.write(b"x");
        tracing.process.wait_for_output(1);
    }
    for (bytes, tracing) in &mut runs {
        tracing.process.write(&vec![b'x'; *bytes - 1]);
        tracing.process.close_stdin();
    }
    for (bytes, tracing) in runs {
        let traced = tracing.end();
        assert_eq!(
            traced.report.table().sum(&[("FUNC", "fd_write")], "CALLS"),
            bytes as i64,
            "{}",
            traced.report.text
        );
    }
}

#[test]
fn both_runtimes_of_a_shell_command_are_in_one_table() {
    if !(Runtime::Wasm3.is_ready() && Runtime::Wasmi.is_ready()) {
        return;
    }
    let directory = Directory::new();
    let second = ten_writes(Runtime::Wasmi, &directory);
    let both = ten_writes(Runtime::Wasm3, &directory).wrapped([
        "sh",
        "-c",
        "\"$1\" \"$2\"; shift 2; \"$@\"",
        "sh",
    ]);
    let both = Invocation {
        words: [both.words, second.words].concat(),
        ..both
    };
    let traced = Script::new(EVERYTHING).run(&both);
    let table = traced.report.table();
    let writes: Vec<(&str, i64)> = table
        .rows()
        .filter(|row| row.text("FUNC") == "fd_write")
        .map(|row| (row.text("RUNTIME"), row.number("CALLS")))
        .collect();
    assert_eq!(
        writes,
        [("wasm3", 10), ("wasmi 2.0.0", 10)],
        "{}",
        traced.report.text
    );
    assert!(
        table.headline.contains(" · 2 processes · "),
        "{}",
        table.headline
    );
}

#[test]
fn a_runtime_deep_below_the_command_is_traced() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let directory = Directory::new();
    // Shells fork for what is not their last command; env, nice and setsid execute.
    let shell = ["sh", "-c", "\"$@\"; exit $?", "sh"];
    let deep = ten_writes(Runtime::Wasm3, &directory)
        .wrapped(shell)
        .wrapped(["setsid", "--wait"])
        .wrapped(shell)
        .wrapped(["env", "nice"]);
    let traced = Script::new(EVERYTHING).run(&deep);
    assert_eq!(traced.ended.code(), 0, "{}", traced.ended.stderr);
    assert_eq!(
        traced
            .report
            .table()
            .row(&[("FUNC", "fd_write")])
            .number("CALLS"),
        10,
        "{}",
        traced.report.text
    );
}

#[test]
fn many_processes_are_each_counted() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let directory = Directory::new();
    let many = ten_writes(Runtime::Wasm3, &directory).wrapped([
        "sh",
        "-c",
        "for _ in 1 2 3 4 5 6 7 8 9 10; do \"$@\" & \"$@\" & wait; done; wait",
        "sh",
    ]);
    let traced = Script::new("table t from wasi:fd_write by pid { calls = count() }").run(&many);
    let calls: Vec<i64> = traced
        .report
        .table()
        .rows()
        .map(|row| row.number("CALLS"))
        .collect();
    assert_eq!(calls, [10; 20], "{}", traced.report.text);
    assert!(
        traced
            .report
            .table()
            .headline
            .contains(" · 20 processes · "),
        "{}",
        traced.report.text
    );
}

#[test]
fn all_threads_of_a_host_are_counted() {
    if !Runtime::LibWasmtime.is_ready() {
        return;
    }
    let directory = Directory::new();
    let module = Guest::named("ends").set("writes", 2000).compile(&directory);
    let mut invocation = Runtime::LibWasmtime.run(&module, directory.path());
    invocation
        .words
        .splice(2..2, ["--threads", "4"].map(Into::into));
    let traced = Script::new(
        "table t from wasi:fd_write by tid { calls = count(), bytes = sum(bytes) as int }",
    )
    .run(&invocation);
    let rows: Vec<(i64, i64)> = traced
        .report
        .table()
        .rows()
        .map(|row| (row.number("CALLS"), row.number("BYTES")))
        .collect();
    assert_eq!(rows, [(2000, 10_000); 4], "{}", traced.report.text);
    assert!(
        traced.report.table().headline.contains(" · 1 process · "),
        "{}",
        traced.report.text
    );
    assert!(
        traced.report.table().headline.ends_with(" · nothing lost"),
        "{}",
        traced.report.text
    );
}
