//! Work that a WASI call hands to other threads.

#[macro_use]
mod support;

use support::directory::Directory;
use support::guest::Guest;
use support::host::compiled;
use support::is_root;
use support::runtime::Runtime;
use support::trace::{Script, Traced};

/// What a run of `tests/hosts/pool.c` has to show: of its own thread nothing is estimated.
const HANDED: &str = "table calls from wasi:* by func, errno {
  calls = count(),
  own = sum(syscall_count),
  handed = sum(handed_count),
  least = min(handed_count),
  most = max(handed_count),
  bytes = sum(handed_bytes) as int,
  wrong = count() if handed_time > 0ns && handed_count == 0 || self_time > duration,
  hops = sum(thread_hops),
}";

/// System calls of threads that work for a call, by the name of the thread.
const EVENTS: &str = "table events from syscall:* where handed by wasi_func, comm, syscall {
  calls = count(),
  outside = count() if call_id == 0 || !in_wasi,
}";

/// What a way of handing over work comes to.
struct Expected {
    way: &'static str,
    calls: i64,
    /// System calls of the calling threads.
    own: i64,
    /// Those of other threads: all, and how many a call has at least and at most.
    handed: [i64; 3],
    /// Bytes that these wrote. The last write of a call may complete when the call has ended.
    bytes: std::ops::RangeInclusive<i64>,
    /// The events: thread, system call, how many.
    events: &'static [(&'static str, &'static str, i64)],
    /// Of the calling threads.
    hops: i64,
}

/// 20 times: 5 writes, and 3 where there are more.
const WAYS: &[Expected] = &[
    Expected {
        way: "hand",
        calls: 20,
        own: 40,
        handed: [120, 6, 6],
        bytes: 100..=260,
        events: &[("first", "write", 120)],
        hops: 20,
    },
    Expected {
        way: "event",
        calls: 20,
        own: 40,
        handed: [120, 6, 6],
        bytes: 100..=260,
        events: &[("first", "write", 120)],
        hops: 20,
    },
    Expected {
        way: "chain",
        calls: 20,
        own: 40,
        handed: [200, 10, 10],
        bytes: 160..=320,
        events: &[
            ("first", "write", 100),
            ("first", "futex", 20),
            ("second", "write", 80),
        ],
        hops: 20,
    },
    // What comes from a queue is booked when it is answered: as an event it is too late then.
    Expected {
        way: "share",
        calls: 40,
        own: 60,
        handed: [200, 4, 6],
        bytes: 160..=480,
        events: &[("first", "write", 120)],
        hops: 20,
    },
    Expected {
        way: "after",
        calls: 20,
        own: 40,
        handed: [120, 6, 6],
        bytes: 100..=260,
        events: &[("first", "write", 120)],
        hops: 20,
    },
    Expected {
        way: "outside",
        calls: 20,
        own: 40,
        handed: [120, 6, 6],
        bytes: 100..=260,
        events: &[("first", "write", 120)],
        hops: 20,
    },
    Expected {
        way: "twice",
        calls: 20,
        own: 60,
        handed: [200, 10, 10],
        bytes: 320..=480,
        events: &[("first", "write", 200)],
        hops: 20,
    },
];

/// Runs the host of a pool in a way of handing over work.
fn pooled(directory: &Directory, script: &str, way: &str) -> Traced {
    let traced = Script::new(script).run(&compiled(directory, "pool.c", &[way, "20", "5", "3"]));
    assert_eq!(traced.ended.code(), 0, "{}", traced.ended.stderr);
    traced
}

#[test]
fn system_calls_of_threads_that_work_for_a_call_are_booked_to_it() {
    if !is_root() {
        return;
    }
    let directory = Directory::new();
    for expected in WAYS {
        let traced = pooled(&directory, HANDED, expected.way);
        let text = format!("{}\n{}", expected.way, traced.report.text);
        let row = traced.report.table().row(&[("FUNC", "fd_write")]);
        assert_eq!(row.number("CALLS"), expected.calls, "{text}");
        assert_eq!(row.number("OWN"), expected.own, "{text}");
        let handed = ["HANDED", "LEAST", "MOST"].map(|heading| row.number(heading));
        assert_eq!(handed, expected.handed, "{text}");
        assert!(expected.bytes.contains(&row.number("BYTES")), "{text}");
        assert_eq!(row.number("WRONG"), 0, "{text}");
        assert_eq!(row.number("HOPS"), expected.hops, "{text}");
        assert!(text.contains("nothing lost"), "{text}");
        let note = "estimated from which thread wakes which: HANDED, LEAST, MOST, BYTES, WRONG\n";
        assert!(text.contains(note), "{text}");
        let note = format!(
            "\n{} system calls of other threads are booked to",
            expected.handed[0]
        );
        assert!(text.contains(&note), "{text}");
    }
}

#[test]
fn a_system_call_that_a_thread_makes_for_a_call_says_so() {
    if !is_root() {
        return;
    }
    let directory = Directory::new();
    for expected in WAYS {
        let traced = pooled(&directory, EVENTS, expected.way);
        let text = format!("{}\n{}", expected.way, traced.report.text);
        let table = traced.report.table();
        let mut rows: Vec<(&str, &str, i64)> = table
            .rows()
            .map(|row| (row.text("COMM"), row.text("SYSCALL"), row.number("CALLS")))
            .collect();
        rows.sort_unstable();
        let mut events = expected.events.to_vec();
        events.sort_unstable();
        assert_eq!(rows, events, "{text}");
        assert_eq!(
            table.sum(&[("WASI_FUNC", "fd_write")], "CALLS"),
            table.sum(&[], "CALLS"),
            "{text}"
        );
        assert_eq!(table.sum(&[], "OUTSIDE"), 0, "{text}");
    }
}

#[test]
fn a_thread_that_a_call_starts_works_for_it() {
    if !is_root() {
        return;
    }
    let directory = Directory::new();
    let traced = pooled(&directory, HANDED, "start");
    let row = traced.report.table().row(&[("FUNC", "fd_write")]);
    // The thread has system calls of its own to begin and to end.
    assert!(row.number("LEAST") >= 5, "{}", traced.report.text);
    assert_eq!(row.number("HOPS"), 20, "{}", traced.report.text);
    let traced = pooled(&directory, EVENTS, "start");
    let row = traced.report.table().row(&[("SYSCALL", "write")]);
    assert_eq!(row.number("CALLS"), 100, "{}", traced.report.text);
}

/// A guest that copies its input, which comes a byte at a time, each when the one before has been written: each
/// read has to wait.
fn waits_for_each_byte(runtime: Runtime, script: &str, bytes: usize) -> Traced {
    let directory = Directory::new();
    let module = Guest::named("echo").set("chunk", 16).compile(&directory);
    let mut tracing = Script::new(script).start(&runtime.run(&module, directory.path()));
    for read in 0..bytes {
        tracing.process.write(b"x");
        tracing.process.wait_for_output(read + 1);
    }
    tracing.process.close_stdin();
    tracing.end()
}

/// wasmtime polls the future of a read when it begins and each time that it is woken. A thread of its own reads
/// standard input.
fn a_read_that_waits_is_one_call_and_has_the_bytes_that_another_thread_read(runtime: Runtime) {
    let traced = waits_for_each_byte(runtime, HANDED, 20);
    let text = &traced.report.text;
    let row = traced.report.table().row(&[("FUNC", "fd_read")]);
    assert_eq!(row.number("CALLS"), 21, "{text}");
    assert!(text.contains("nothing lost"), "{text}");
    // Threads that begin may ask for 16 random bytes.
    let bytes = row.number("BYTES");
    assert!(bytes >= 20 && (bytes - 20) % 16 == 0, "{text}");
    assert!(row.number("HANDED") >= 42, "{text}");
}

/// One system call for each read of the guest, and one that finds the end. That thread may find the next request
/// before it has gone to wait: nobody wakes it then, and the event does not know.
fn a_read_of_another_thread_says_for_whom_it_was(runtime: Runtime) {
    let script = "table events from syscall:read where arg0 == 0 by wasi_func, handed {
        calls = count(), bytes = sum(ret) as int
    }";
    let traced = waits_for_each_byte(runtime, script, 20);
    let text = &traced.report.text;
    let table = traced.report.table();
    assert_eq!(
        (table.sum(&[], "CALLS"), table.sum(&[], "BYTES")),
        (21, 20),
        "{text}"
    );
    let known = table.row(&[("WASI_FUNC", "fd_read"), ("HANDED", "yes")]);
    assert!(known.number("CALLS") > 0, "{text}");
    assert_eq!(
        table.sum(&[("HANDED", "no")], "CALLS"),
        table.sum(&[("WASI_FUNC", "-")], "CALLS"),
        "{text}"
    );
}

/// libwasmtime runs files on the threads of a pool: one system call for each read, and one that says that it is done.
/// One that is told before its caller waits is not seen; on a busy machine these may be some.
#[test]
fn libwasmtime_reads_files_by_other_threads() {
    if !Runtime::LibWasmtime.is_ready() {
        return;
    }
    let directory = Directory::new();
    directory.file("data", [b'x'; 1600]);
    let module = Guest::named("calls").compile(&directory);
    let invocation = Runtime::LibWasmtime.run(&module, directory.path());
    let traced = Script::new(HANDED).run(&invocation);
    let row = traced.report.table().row(&[("FUNC", "fd_read")]);
    assert_eq!(row.number("CALLS"), 100, "{}", traced.report.text);
    // A thread that begins may ask for random bytes.
    assert!(
        (800..1700).contains(&row.number("BYTES")),
        "{}",
        traced.report.text
    );
    assert!(
        (100..300).contains(&row.number("HANDED")),
        "{}",
        traced.report.text
    );
    assert!(row.number("HOPS") >= 50, "{}", traced.report.text);
}

/// What a runtime does itself has nothing to do with other threads.
fn a_runtime_that_does_its_work_itself_hands_nothing_over(runtime: Runtime) {
    let directory = Directory::new();
    directory.file("data", [b'x'; 1600]);
    let module = Guest::named("calls").set("writes", 200).compile(&directory);
    let traced = Script::new(HANDED).run(&runtime.run(&module, directory.path()));
    let table = traced.report.table();
    assert_eq!(table.sum(&[], "HANDED"), 0, "{}", traced.report.text);
    assert!(table.sum(&[], "CALLS") > 200, "{}", traced.report.text);
}

on_runtimes! {
    a_read_that_waits_is_one_call_and_has_the_bytes_that_another_thread_read: wasmtime: Wasmtime,
        libwasmtime: LibWasmtime
}
on_runtimes! { a_read_of_another_thread_says_for_whom_it_was: wasmtime: Wasmtime, libwasmtime: LibWasmtime }
on_runtimes! {
    a_runtime_that_does_its_work_itself_hands_nothing_over: wasmtime: Wasmtime, wasm3: Wasm3, node: Node
}

#[test]
fn the_json_of_a_row_names_its_estimates() {
    if !is_root() {
        return;
    }
    let directory = Directory::new();
    let invocation = compiled(&directory, "pool.c", &["hand", "2", "5", "3"]);
    let traced = Script::new(HANDED).with(&["-f", "json"]).run(&invocation);
    let row = traced.report.text.lines().next().expect("a row");
    let estimates = "\"estimates\":[\"handed\",\"least\",\"most\",\"bytes\",\"wrong\"]";
    assert!(row.contains(estimates), "{row}");
    let exact = Script::new("table t from wasi:* by func { calls = count() }")
        .with(&["-f", "json"])
        .run(&invocation);
    assert!(
        !exact.report.text.contains("estimates"),
        "{}",
        exact.report.text
    );
}
