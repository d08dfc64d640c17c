//! System calls of traced processes as events: which there are, what they say, and which WASI call they
//! served.

mod support;

use std::collections::BTreeMap;
use std::process::Command;

use support::directory::Directory;
use support::guest::Guest;
use support::is_root;
use support::runtime::{Invocation, Runtime};
use support::trace::{Script, Traced};

fn run(script: &str, invocation: &Invocation) -> Traced {
    let traced = Script::new(script).run(invocation);
    assert!(
        !traced.report.text.contains("could not be read"),
        "{}",
        traced.report.text
    );
    traced
}

/// What a script printed: a line each of a number behind the rest.
fn counts(text: &str) -> BTreeMap<String, i64> {
    text.lines()
        .filter_map(|line| {
            let (_, line) = line.strip_prefix('@')?.split_once('[')?;
            let (key, count) = line.split_once("]: ")?;
            Some((key.to_owned(), count.parse().ok()?))
        })
        .collect()
}

/// The system calls of a command as strace counts them, without those that ewapa leaves out: the one by
/// which it becomes the command, and those that do not return.
fn as_strace_counts(words: &[&str], directory: &Directory) -> BTreeMap<String, i64> {
    let file = directory.path().join("strace");
    let status = Command::new("strace")
        .arg("-o")
        .arg(&file)
        .args(words)
        .output()
        .expect("run strace")
        .status;
    assert!(status.success());
    let text = std::fs::read_to_string(file).expect("what strace wrote");
    let mut counts = BTreeMap::new();
    for name in text
        .lines()
        .filter_map(|line| Some(line.split_once('(')?.0))
    {
        if !matches!(name, "execve" | "exit_group") {
            *counts.entry(name.to_owned()).or_insert(0) += 1;
        }
    }
    counts
}

#[test]
fn every_system_call_of_a_command_is_an_event() {
    if !is_root() {
        return;
    }
    let directory = Directory::new();
    let words = ["/bin/cat", "/etc/hostname", "/etc/passwd"];
    let traced = run(
        "syscall:* { @[syscall] = count(); }",
        &Invocation::of(words),
    );
    assert_eq!(
        counts(&traced.report.text),
        as_strace_counts(&words, &directory)
    );
}

#[test]
fn a_system_call_says_what_it_was_given_and_what_it_returned() {
    if !is_root() {
        return;
    }
    let words = [
        "sh",
        "-c",
        "/bin/echo hello >/dev/null; /bin/cat /no/such/file 2>/dev/null; true",
    ];
    let traced = run(
        "syscall:write /arg0 == 1 && comm == \"echo\"/ { @[\"write\", arg2, ret, errno] = count(); }
         syscall:openat /errno == ENOENT && comm == \"cat\"/ { @[\"open\", arg0 & 0xffffffff, ret, errno] = count(); }",
        &Invocation::of(words),
    );
    let counts = counts(&traced.report.text);
    assert_eq!(counts.get("write, 6, 6, SUCCESS"), Some(&1), "{counts:?}");
    assert!(
        counts.contains_key("open, 4294967196, -2, ENOENT"),
        "{counts:?}"
    );
}

#[test]
fn an_exec_returns_in_the_new_program_and_children_count() {
    if !is_root() {
        return;
    }
    let words = ["sh", "-c", "/bin/true; /bin/true; :"];
    let traced = run(
        "syscall:execve { @[comm, ret] = count(); }",
        &Invocation::of(words),
    );
    assert_eq!(
        counts(&traced.report.text),
        BTreeMap::from([("true, 0".to_owned(), 2)])
    );
}

#[test]
fn system_calls_have_the_wasi_call_that_they_served() {
    // The system call by which a runtime writes.
    for (runtime, call) in [
        (Runtime::Wasmi, "write"),
        (Runtime::Wasmtime, "write"),
        (Runtime::Iwasm, "writev"),
        (Runtime::Wasm3, "writev"),
        (Runtime::Node, "write"),
    ] {
        if !runtime.is_ready() {
            continue;
        }
        let directory = Directory::new();
        let module = Guest::named("calls").set("writes", 100).compile(&directory);
        let traced = run(
            "syscall:* /wasi_func == \"fd_write\"/ { @[syscall] = count(); }
             syscall:* /duration > wasi_duration/ { @wrong[\"too long\"] = count(); }
             syscall:* /call_id == 0 && wasi_func == \"fd_write\"/ { @wrong[\"no number\"] = count(); }
             wasi:fd_write { @within[func] = sum(syscall_count); }",
            &runtime.run(&module, directory.path()),
        );
        let counts = counts(&traced.report.text);
        // One write is of a descriptor that is not open: some runtimes ask the kernel, some know.
        let writes = counts.get(call).copied().unwrap_or(0);
        assert!((100..=101).contains(&writes), "{runtime:?}: {counts:?}");
        let within: i64 = counts
            .iter()
            .filter(|(name, _)| *name != "fd_write")
            .map(|(_, count)| count)
            .sum();
        assert_eq!(
            counts.get("fd_write"),
            Some(&within),
            "{runtime:?}: {counts:?}"
        );
        assert!(!counts.contains_key("too long"), "{runtime:?}: {counts:?}");
        assert!(!counts.contains_key("no number"), "{runtime:?}: {counts:?}");
    }
}

#[test]
fn the_runtime_of_a_system_call_is_known_once_it_was_found() {
    if !Runtime::Wasmi.is_ready() {
        return;
    }
    let directory = Directory::new();
    let module = Guest::named("calls").compile(&directory);
    let traced = run(
        "syscall:* /wasi_func == \"fd_write\"/ { @[runtime, module] = count(); }",
        &Runtime::Wasmi.run(&module, directory.path()),
    );
    let counts = counts(&traced.report.text);
    assert_eq!(
        counts.keys().collect::<Vec<_>>(),
        ["wasmi 2.0.0, calls.wasm"]
    );
}
