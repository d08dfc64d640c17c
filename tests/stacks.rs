//! Stacks and symbols: of runtimes, of guests that are compiled at run time, and of the kernel.

mod support;

use std::ffi::OsString;
use std::process::Command;

use support::directory::Directory;
use support::guest::Guest;
use support::host::ewapa;
use support::process::Process;
use support::runtime::{Invocation, Runtime};

fn sizes(runtime: Runtime, directory: &Directory) -> Invocation {
    runtime.run(&Guest::named("sizes").compile(directory), directory.path())
}

/// What a script writes about a command.
fn run_on(invocation: &Invocation, options: &[&str], script: &str) -> String {
    let directory = Directory::new();
    let output = directory.path().join("output");
    let mut command = Command::new(ewapa());
    command
        .args(["script", "-e", script])
        .args(options)
        .arg("-o")
        .arg(&output)
        .arg("--")
        .args(&invocation.words);
    invocation.surround(&mut command);
    let ended = Process::start(&mut command).end();
    let text = std::fs::read_to_string(&output).unwrap_or_default();
    assert_eq!(ended.code(), 0, "{}{text}", ended.stderr);
    text
}

#[test]
fn the_functions_of_a_process_that_has_ended_are_named() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let directory = Directory::new();
    let script = "wasi:fd_write { @[ustack(2)] = count(); @p[ustack(perf, 2)] = count(); }";
    let text = run_on(&sizes(Runtime::Wasm3, &directory), &[], script);
    // As bpftrace prints it: a line for each function, and what was counted behind them.
    assert!(text.starts_with("@[\n    "), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].starts_with("    op_Call+"), "{text}");
    assert_eq!(lines[3], "]: 100", "{text}");
    assert!(lines[5].starts_with('\t'), "{text}");
    let binary = Runtime::Wasm3.binary();
    assert!(
        lines[5].ends_with(&format!("({})", binary.display())),
        "{text}"
    );
}

#[test]
fn the_functions_of_a_guest_are_named_if_the_runtime_tells_them() {
    if !Runtime::Wasmtime.is_ready() {
        return;
    }
    let directory = Directory::new();
    let mut invocation = sizes(Runtime::Wasmtime, &directory);
    let run = invocation.words.iter().position(|word| word == "run");
    let after = run.expect("the command line of wasmtime") + 1;
    invocation
        .words
        .insert(after, OsString::from("--profile=perfmap"));
    let script = r#"phase:exec { printf("%d\n", pid); } wasi:fd_write { @[ustack(6)] = count(); }"#;
    let text = run_on(&invocation, &[], script);
    if let Some(pid) = text.lines().next() {
        let _ = std::fs::remove_file(format!("/tmp/perf-{pid}.map"));
    }
    assert!(text.contains("\n    wasm[0]::"), "{text}");
    assert!(text.contains("HostFunc::array_call_trampoline+"), "{text}");
}

#[test]
fn a_stack_in_a_table_takes_one_line_and_is_a_list_in_json() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let directory = Directory::new();
    let script = "table t from wasi:fd_write by ustack(1) { calls = count() }";
    let invocation = sizes(Runtime::Wasm3, &directory);
    let text = run_on(&invocation, &["-q"], script);
    assert!(
        text.lines()
            .nth(1)
            .is_some_and(|line| line.starts_with("op_Call+")),
        "{text}"
    );
    let text = run_on(&invocation, &["-q", "-f", "json"], script);
    let row: serde_json::Value = serde_json::from_str(text.trim_end()).expect("an object");
    let stack = row["keys"].as_object().expect("keys").values().next();
    let function = stack.and_then(|stack| stack[0].as_str());
    assert!(
        function.is_some_and(|function| function.starts_with("op_Call+")),
        "{text}"
    );
    assert_eq!(row["columns"]["calls"], 100);
}

#[test]
fn the_functions_of_the_kernel_are_named() {
    let script =
        "tracepoint:sched:sched_switch { @[kstack(3)] = count(); } interval:300ms { exit(); }";
    let ended = Process::start(Command::new(ewapa()).args(["-e", script])).end();
    let text = String::from_utf8_lossy(&ended.stdout);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(text.contains("    __schedule+"), "{text}");
}
