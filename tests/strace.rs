//! `strace -f -c` and ewapa agree on the number of system calls.

#[macro_use]
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use support::directory::Directory;
use support::guest::Guest;
use support::runtime::{Invocation, Runtime};
use support::trace::{EVERYTHING, Script};

const N: u32 = 1000;

/// The system calls that write to a descriptor.
const WRITES: [&str; 5] = ["write", "writev", "pwrite64", "pwritev", "pwritev2"];

fn has_strace() -> bool {
    let found = Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok();
    if !found {
        support::skip("strace is missing: install it (apt-get install strace)");
    }
    found
}

/// A guest that writes so often to a standard output that is /dev/null.
fn writer(runtime: Runtime, writes: u32, directory: &Directory) -> Invocation {
    let module = Guest::named("calls")
        .set("writes", writes)
        .compile(directory);
    directory.file("data", [b'x'; 1600]);
    runtime
        .run(&module, directory.path())
        .wrapped(["sh", "-c", "exec \"$@\" >/dev/null", "sh"])
}

/// Calls of each system call as `strace -f -c` counts them, with more options.
fn counted_by_strace(
    options: &[&str],
    invocation: &Invocation,
    directory: &Directory,
) -> BTreeMap<String, u64> {
    let summary = directory.path().join("strace");
    let mut command = Command::new("strace");
    command
        .args(["-f", "-c"])
        .args(options)
        .arg("-o")
        .arg(&summary)
        .args(&invocation.words);
    invocation.surround(&mut command);
    let output = command.output().expect("run strace");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    parse_summary(&summary)
}

/// Lines of `% time, seconds, usecs/call, calls, errors, syscall`; errors may be blank.
fn parse_summary(file: &Path) -> BTreeMap<String, u64> {
    let text = std::fs::read_to_string(file).expect("strace writes its summary");
    let count = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let calls = words.get(3)?.parse().ok()?;
        (*words.last()? != "total")
            .then(|| ((*words.last().expect("four words")).to_owned(), calls))
    };
    text.lines().filter_map(count).collect()
}

/// System calls within the guest's writes to its standard output, as ewapa counts them.
fn counted_by_ewapa(invocation: &Invocation) -> u64 {
    let traced = Script::new(EVERYTHING).run(invocation);
    traced
        .report
        .table()
        .row(&[("FUNC", "fd_write"), ("FD", "1")])
        .number("NSYS") as u64
}

fn strace_counts_as_many_writes_as_ewapa(runtime: Runtime) {
    if !has_strace() {
        return;
    }
    let directory = Directory::new();
    let invocation = writer(runtime, N, &directory);
    // Only what works on the guest's standard output: runtimes wake their threads by writes, too.
    let counts = counted_by_strace(&["-P", "/dev/null"], &invocation, &directory);
    let writes: u64 = WRITES.iter().filter_map(|name| counts.get(*name)).sum();
    let traced = Script::new(EVERYTHING).run(&invocation);
    let row = traced
        .report
        .table()
        .row(&[("FUNC", "fd_write"), ("FD", "1")]);
    assert_eq!(
        (row.number("CALLS") as u64, writes),
        (u64::from(N), u64::from(N)),
        "{counts:?}"
    );
}

/// On a runtime with one thread, which does nothing else meanwhile.
fn all_system_calls_grow_by_the_writes(runtime: Runtime) {
    if !has_strace() {
        return;
    }
    let directory = Directory::new();
    let total = |writes| {
        counted_by_strace(&[], &writer(runtime, writes, &directory), &directory)
            .values()
            .sum::<u64>()
    };
    let (once, twice) = (total(N), total(2 * N));
    let ewapa = |writes| counted_by_ewapa(&writer(runtime, writes, &directory));
    assert_eq!(
        (twice - once, ewapa(2 * N) - ewapa(N)),
        (u64::from(N), u64::from(N))
    );
}

fn ewapa_counts_one_more_system_call_for_each_more(runtime: Runtime) {
    let directory = Directory::new();
    // libwasmtime starts its threads within the first call that needs them, by a number of system calls
    // that depends on how fast they are: it is the other calls that have to agree.
    let counted = |writes| {
        let invocation = writer(runtime, writes, &directory);
        if runtime == Runtime::LibWasmtime {
            let script =
                "table t from wasi:fd_write where fd == 1 by syscall_count { calls = count() }";
            let traced = Script::new(script).run(&invocation);
            traced
                .report
                .table()
                .row(&[("SYSCALL_COUNT", "1")])
                .number("CALLS") as u64
        } else {
            counted_by_ewapa(&invocation)
        }
    };
    let (once, twice) = (counted(N), counted(2 * N));
    assert_eq!(twice - once, u64::from(N));
}

fn each_read_is_one_system_call_of_its_size(runtime: Runtime) {
    if !has_strace() {
        return;
    }
    let directory = Directory::new();
    let invocation = writer(runtime, 1, &directory);
    let traced = Script::new(EVERYTHING).run(&invocation);
    let row = traced.report.table().row(&[("FUNC", "fd_read")]);
    assert_eq!(
        (row.number("NSYS"), row.number("SBYTES")),
        (100, 1600),
        "{}",
        traced.report.text
    );
}

/// strace stops the traced threads at each system call; ewapa stops them at each new program and library.
/// It is to stop them at writev only: `strace -c` 6.1 crashes of any system call that it has no name
/// for, such as uretprobe, by which return probes enter the kernel.
#[test]
fn strace_itself_can_be_the_command() {
    if !Runtime::Wasm3.is_ready() || !has_strace() {
        return;
    }
    let directory = Directory::new();
    let summary = directory.path().join("strace");
    let invocation = writer(Runtime::Wasm3, N, &directory);
    let summary_path = summary.to_str().expect("a path in UTF-8");
    let below_strace = invocation.wrapped([
        "strace",
        "-f",
        "-c",
        "--seccomp-bpf",
        "-e",
        "trace=writev",
        "-o",
        summary_path,
    ]);
    let traced = Script::new(EVERYTHING).run(&below_strace);
    assert_eq!(
        traced.ended.status.code(),
        Some(0),
        "{}",
        traced.ended.stderr
    );
    let row = traced
        .report
        .table()
        .row(&[("FUNC", "fd_write"), ("FD", "1")]);
    assert_eq!(
        (row.number("CALLS"), row.number("NSYS")),
        (i64::from(N), i64::from(N)),
        "{}",
        traced.report.text
    );
    let counts = parse_summary(&summary);
    // One more: the write to descriptor 77.
    assert_eq!(counts["writev"], u64::from(N) + 1, "{counts:?}");
}

on_every_runtime! { strace_counts_as_many_writes_as_ewapa }

// Wasmer makes some four system calls for a write, and not always as many.
on_runtimes! { ewapa_counts_one_more_system_call_for_each_more:
    wasmtime: Wasmtime,
    libwasmtime: LibWasmtime,
    wasmi: Wasmi,
    iwasm: Iwasm,
    wamr: Wamr,
    wasm3: Wasm3,
    node: Node,
    node_new: NodeNew,
    builtin: Builtin,
}

on_runtimes! { all_system_calls_grow_by_the_writes:
    wasmi: Wasmi,
    wasm3: Wasm3,
    builtin: Builtin,
}

// libwasmtime reads on another thread; the built-in runtime has no file.
on_runtimes! { each_read_is_one_system_call_of_its_size:
    wasmtime: Wasmtime,
    wasmi: Wasmi,
    iwasm: Iwasm,
    wasm3: Wasm3,
    node: Node,
}
