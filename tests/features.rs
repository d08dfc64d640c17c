//! What newer kernels have that older ones lack: without it there is another way, which gives the same numbers.

mod support;

use support::directory::Directory;
use support::guest::Guest;
use support::runtime::{Invocation, Runtime};
use support::trace::{Script, Traced};

/// What a kernel may lack: each by itself, and all at once.
const LACKS: [&str; 6] = [
    "session",
    "session,multi",
    "task-storage",
    "typed-tracepoints",
    "batch",
    "session,multi,task-storage,typed-tracepoints,batch,fanotify",
];

/// A hundred groups, and what needs system calls and the scheduler. Every write is at least one system call.
const SCRIPT: &str = "table t from wasi:fd_write by errno, bytes {
  n = count(), systems = count() if syscall_count > 0, ran = count() if offcpu_time >= 0us,
} sort bytes";

fn sizes(runtime: Runtime, directory: &Directory) -> Invocation {
    runtime.run(&Guest::named("sizes").compile(directory), directory.path())
}

fn traced(runtime: Runtime, options: &[&str]) -> Traced {
    let directory = Directory::new();
    Script::new(SCRIPT)
        .with(options)
        .run(&sizes(runtime, &directory))
}

fn same_without(runtime: Runtime, lacks: &[&str]) {
    if !runtime.is_ready() {
        return;
    }
    let whole = traced(runtime, &[]).report.table().rows.clone();
    assert_eq!(whole.len(), 100);
    assert!(
        whole.iter().all(|row| row[2..] == ["1", "1", "1"]),
        "{whole:?}"
    );
    for lacking in lacks {
        let traced = traced(runtime, &["--without", lacking]);
        let table = traced.report.table();
        let said = table.headline.replace("nothing lost", "");
        assert!(
            !["lost", "unmatched", "abandoned"]
                .iter()
                .any(|word| said.contains(word)),
            "without {lacking}: {}",
            table.headline
        );
        assert_eq!(table.rows, whole, "without {lacking}");
    }
}

#[test]
fn a_kernel_that_lacks_a_feature_gives_the_same_numbers() {
    same_without(Runtime::Wasm3, &LACKS);
}

/// Its process has many threads. Perf events on all of its functions are slow to detach: one runtime has to do.
#[test]
fn so_does_one_with_a_runtime_of_many_threads() {
    same_without(
        Runtime::Wasmtime,
        &["session", "task-storage", "typed-tracepoints"],
    );
}

/// Each process begins where another one was forgotten.
#[test]
fn threads_are_forgotten_when_they_end() {
    const RUNS: usize = 5;
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let directory = Directory::new();
    let again = format!("for i in $(seq {RUNS}); do \"$@\" >/dev/null; done");
    let invocation = sizes(Runtime::Wasm3, &directory).wrapped(["sh", "-c", &again, "sh"]);
    let script = "table t from wasi:fd_write { n = count() }
      table p from phase:exit { ends = count() }";
    let traced = Script::new(script)
        .with(&["--without", "task-storage"])
        .run(&invocation);
    assert_eq!(
        traced.report.tables[0].row(&[]).number("N"),
        100 * RUNS as i64
    );
    assert_eq!(traced.report.tables[1].row(&[]).number("ENDS"), RUNS as i64);
}

#[test]
fn a_loop_is_refused_by_name_where_the_kernel_has_none() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let directory = Directory::new();
    let script = "wasi:fd_write { for $i : 0..3 { @n = count(); } }";
    let ended = Script::new(script)
        .with(&["--without", "may-goto"])
        .start_without_file(&sizes(Runtime::Wasm3, &directory))
        .end();
    assert_ne!(ended.code(), 0);
    assert!(
        ended
            .stderr
            .contains("this kernel ends no loop by itself: it needs `may_goto` (Linux 6.9)"),
        "{}",
        ended.stderr
    );
}
