//! Calls of Go programs, which belong to goroutines: these go on on any thread, and their stacks move.
//! `tests/hosts/wazero` has functions named as those of wazero and says what it did; the real one is in buf.

#[macro_use]
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use support::directory::Directory;
use support::host::ewapa;
use support::process::Process;
use support::report::Report;
use support::runtime::{Invocation, Runtime};
use support::trace::{Script, Traced};
use support::{is_root, skip};

/// All that is told of these calls.
const ALL: &str = r#"table t from wasi:* by func, errno {
  calls = count(),
  moved = sum(bytes) as int,
  asked = sum(bytes_req) as int,
  writes = sum(syscalls("write")),
  written = sum(syscall_bytes) as int,
  least = min(fd),
  most = max(fd),
  deep = max(depth),
  wrong = count() if self_time > duration || syscall_time > duration || duration <= 0ns,
}"#;

/// How the host is built: with symbols, without, and position independent without.
const BUILDS: [&[&str]; 3] = [
    &[],
    &["-ldflags=-s -w"],
    &["-ldflags=-s -w", "-buildmode=pie"],
];

/// The host, in the `index`th way; none, and said, if there is no Go.
fn host(index: usize) -> Option<PathBuf> {
    static BUILT: OnceLock<Option<Directory>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        if Command::new("go").arg("version").output().is_err() {
            skip("go is missing: run tests/runtimes/install.sh golang");
            return None;
        }
        let directory = Directory::new();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts/wazero");
        for (index, options) in BUILDS.iter().enumerate() {
            let status = Command::new("go")
                .args(["build", "-trimpath", "-o"])
                .arg(directory.path().join(format!("host{index}")))
                .args(*options)
                .arg(".")
                .current_dir(&source)
                .envs([("GOFLAGS", "-mod=mod"), ("CGO_ENABLED", "0")])
                .status();
            assert!(status.is_ok_and(|status| status.success()), "build it");
        }
        Some(directory)
    });
    let directory = built.as_ref().filter(|_| is_root())?;
    Some(directory.path().join(format!("host{index}")))
}

fn invocation(host: &Path, words: &[&str]) -> Invocation {
    let words = words.iter().map(Into::into);
    Invocation::of(std::iter::once(host.as_os_str().to_owned()).chain(words))
}

/// Runs the host under a script. It has to do all that it was told.
fn traced(script: Script, host: &Path, words: &[&str]) -> Traced {
    let traced = script.run(&invocation(host, words));
    assert_eq!(traced.ended.code(), 0, "{}", traced.ended.stderr);
    traced
}

fn headline(traced: &Traced) -> &str {
    &traced.report.tables[0].headline
}

/// 20 goroutines with 100 calls each, with descriptors from 100 to 109, two system calls in each, of 3 and 4 bytes, and
/// between these another goroutine. Returns how many calls ended on another thread than they began on.
fn each_call_that_moves_is_seen_once(host: &Path, options: &[&str]) -> u64 {
    let traced = traced(
        Script::new(ALL).with(options),
        host,
        &["moves", "20", "100"],
    );
    let text = &traced.report.text;
    assert!(headline(&traced).ends_with("nothing lost"), "{text}");
    let row = traced.report.table().row(&[("FUNC", "fd_write")]);
    assert_eq!(row.text("ERRNO"), "SUCCESS", "{text}");
    for (heading, expected) in [
        ("CALLS", 2000),
        ("MOVED", 2000 * 7),
        ("ASKED", 2000 * 11),
        ("WRITES", 2000 * 2),
        ("WRITTEN", 2000 * 7),
        ("LEAST", 100),
        ("MOST", 109),
        ("DEEP", 0),
        ("WRONG", 0),
    ] {
        assert_eq!(row.number(heading), expected, "{heading}:\n{text}");
    }
    let stdout = String::from_utf8_lossy(&traced.ended.stdout).into_owned();
    let moved = stdout.trim().strip_prefix("moved ");
    moved
        .and_then(|count| count.parse().ok())
        .expect("it says how many")
}

#[test]
fn calls_that_go_on_on_another_thread_are_seen_once_with_their_system_calls() {
    let Some(host) = host(0) else { return };
    // On one processor and without load none might.
    let moved: u64 = (0..20)
        .map(|_| each_call_that_moves_is_seen_once(&host, &[]))
        .take_while(|moved| *moved == 0)
        .map(|_| 1)
        .sum();
    assert!(moved < 20, "no call ended on another thread");
}

#[test]
fn a_system_call_is_an_event_of_the_call_that_its_goroutine_is_in() {
    let Some(host) = host(0) else { return };
    let script = "
      table within from syscall:write where in_wasi by wasi_func {
        n = count(), moved = sum(ret) as int, wrong = count() if duration > wasi_duration || call_id == 0
      }
      table outside from syscall:write where !in_wasi by comm { n = count() }";
    let traced = traced(Script::new(script), &host, &["moves", "20", "100"]);
    let text = &traced.report.text;
    assert!(headline(&traced).ends_with("nothing lost"), "{text}");
    let [within, outside] = traced.report.tables.as_slice() else {
        panic!("two tables: {text}");
    };
    let row = within.row(&[("WASI_FUNC", "fd_write")]);
    assert_eq!(
        (row.number("N"), row.number("MOVED")),
        (4000, 14_000),
        "{text}"
    );
    assert_eq!(row.number("WRONG"), 0, "{text}");
    // It says at the end what it did; the scheduler may write to itself.
    assert!(outside.rows().any(|row| row.number("N") >= 1), "{text}");
}

#[test]
fn a_stripped_program_shows_its_functions_all_the_same() {
    for index in [1, 2] {
        let Some(host) = host(index) else { return };
        each_call_that_moves_is_seen_once(&host, &[]);
    }
}

#[test]
fn each_way_to_attach_shows_the_same() {
    let Some(host) = host(0) else { return };
    for options in [
        &["--attach", "multi"][..],
        &["--attach", "perf"],
        &["--attach", "exits"],
        &["--without", "task-storage"],
    ] {
        each_call_that_moves_is_seen_once(&host, options);
    }
}

#[test]
fn a_call_whose_stack_moves_is_the_same_call() {
    let Some(host) = host(0) else { return };
    let traced = traced(Script::new(ALL), &host, &["grows", "50"]);
    let text = &traced.report.text;
    assert!(headline(&traced).ends_with("nothing lost"), "{text}");
    let read = traced.report.table().row(&[("FUNC", "fd_read")]);
    // The host's own errno is 3.
    assert_eq!(read.text("ERRNO"), "BADF", "{text}");
    assert_eq!(
        (read.number("CALLS"), read.number("DEEP")),
        (50, 0),
        "{text}"
    );
    let inner = traced.report.table().row(&[("FUNC", "sched_yield")]);
    assert_eq!(
        (inner.number("CALLS"), inner.number("DEEP")),
        (50, 1),
        "{text}"
    );
    assert_eq!(read.number("WRONG") + inner.number("WRONG"), 0, "{text}");
}

#[test]
fn a_call_that_is_left_by_a_panic_is_counted_as_abandoned() {
    let Some(host) = host(0) else { return };
    let traced = traced(Script::new(ALL), &host, &["panics", "9"]);
    let text = &traced.report.text;
    assert!(
        headline(&traced).ends_with("9 abandoned, 9 unfinished (fd_sync)"),
        "{text}"
    );
    let row = traced.report.table().row(&[("FUNC", "sched_yield")]);
    assert_eq!((row.number("CALLS"), row.number("DEEP")), (1, 0), "{text}");
}

#[test]
fn a_goroutine_that_ends_in_a_call_leaves_nothing_to_the_next_one() {
    let Some(host) = host(0) else { return };
    let traced = traced(Script::new(ALL), &host, &["ends", "200"]);
    let text = &traced.report.text;
    assert!(
        headline(&traced).ends_with("nothing lost, 200 unfinished (fd_close)"),
        "{text}"
    );
    let row = traced.report.table().row(&[("FUNC", "sched_yield")]);
    assert_eq!(
        (row.number("CALLS"), row.number("DEEP")),
        (200, 0),
        "{text}"
    );
}

#[test]
fn the_end_of_a_guest_is_a_call_that_does_not_return() {
    let Some(host) = host(0) else { return };
    let traced = traced(Script::new(ALL), &host, &["exits", "7"]);
    let text = &traced.report.text;
    assert!(
        headline(&traced).ends_with("nothing lost, 7 unfinished (proc_exit)"),
        "{text}"
    );
}

#[test]
fn calls_that_are_open_when_the_process_ends_are_counted() {
    let Some(host) = host(0) else { return };
    let ended = traced(Script::new(ALL), &host, &["open", "30"]);
    assert!(
        headline(&ended).ends_with("nothing lost, 30 unfinished (fd_write)"),
        "{}",
        ended.report.text
    );
    let killed = Script::new(ALL).run(&invocation(&host, &["killed", "1"]));
    assert!(
        headline(&killed).ends_with("nothing lost, 1 unfinished (random_get)"),
        "{}",
        killed.report.text
    );
}

#[test]
fn a_call_that_finds_no_room_is_counted_as_lost() {
    let Some(host) = host(0) else { return };
    // Each goroutine has a record as long as it lives, and there are 16,384.
    let traced = traced(Script::new(ALL), &host, &["open", "17000"]);
    let text = &traced.report.text;
    assert!(headline(&traced).contains("616 lost"), "{text}");
    assert!(
        headline(&traced).contains("16384 unfinished (fd_write)"),
        "{text}"
    );
}

#[test]
fn probes_come_to_a_program_that_runs_and_leave_it_running() {
    let Some(host) = host(0) else { return };
    let mut running = Process::start(&mut invocation(&host, &["yields", "1000000000"]).command());
    let script = "table t from wasi:* by func, errno { n = count(), deep = max(depth) }";
    for _ in 0..3 {
        let tracing = Script::new(script)
            .with(&["-d", "1"])
            .join(running.pid(), &host);
        let ended = tracing.end();
        let text = String::from_utf8_lossy(&ended.stdout).into_owned();
        let report = Report::parse(&text);
        let table = report.table();
        // What it was in the middle of when the probes went did not end for the script.
        assert!(
            table.headline.ends_with("nothing lost") || table.headline.ends_with("1 still open"),
            "{text}"
        );
        let row = table.row(&[("FUNC", "sched_yield"), ("ERRNO", "SUCCESS")]);
        assert!(row.number("N") > 0 && row.number("DEEP") == 0, "{text}");
    }
    assert!(!running.has_ended());
    running.signal(libc::SIGKILL);
    running.end();
}

#[test]
fn goroutines_of_several_programs_are_told_apart() {
    let (Some(first), Some(second)) = (host(0), host(1)) else {
        return;
    };
    // Without position independence both have the same addresses.
    let script = "table t from wasi:* by comm { n = count(), writes = sum(syscalls(\"write\")) }";
    let command = format!(
        "{} moves 20 50 & {} moves 20 50 & {} moves 20 50; wait",
        first.display(),
        first.display(),
        second.display()
    );
    let traced = Script::new(script).run(&Invocation::of(["sh", "-c", &command]));
    let text = &traced.report.text;
    assert!(headline(&traced).ends_with("nothing lost"), "{text}");
    for (comm, calls) in [("host0", 2000), ("host1", 1000)] {
        let row = traced.report.table().row(&[("COMM", comm)]);
        assert_eq!(
            (row.number("N"), row.number("WRITES")),
            (calls, 2 * calls),
            "{text}"
        );
    }
}

#[test]
fn a_million_calls_are_a_million() {
    let Some(host) = host(0) else { return };
    let script = "table t from wasi:* by func { calls = count() }";
    let traced = traced(Script::new(script), &host, &["yields", "1000000"]);
    assert!(
        headline(&traced).ends_with("nothing lost"),
        "{}",
        traced.report.text
    );
    let row = traced.report.table().row(&[("FUNC", "sched_yield")]);
    assert_eq!(row.number("CALLS"), 1_000_000);
}

#[test]
fn a_filter_at_the_begin_of_a_call_leaves_its_return_alone() {
    let Some(host) = host(0) else { return };
    let script = "table t from wasi:fd_write where fd == 103 by fd { calls = count() }";
    let traced = traced(Script::new(script), &host, &["moves", "20", "10"]);
    assert!(
        headline(&traced).ends_with("nothing lost"),
        "{}",
        traced.report.text
    );
    let row = traced.report.table().row(&[("FD", "103")]);
    assert_eq!(row.number("CALLS"), 20);
}

#[test]
fn what_cannot_be_told_of_goroutines_is_refused_by_name() {
    let Some(host) = host(0) else { return };
    let refused = |script: &str| {
        let output = Command::new(ewapa())
            .args(["script", "-e", script, "--"])
            .arg(&host)
            .args(["yields", "1"])
            .output()
            .expect("run ewapa");
        assert_eq!(output.status.code(), Some(69), "{script}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for (script, why) in [
        (
            "table t from wasi:* { o = sum(offcpu_time), h = sum(handed_count) }",
            "of these ewapa cannot tell `handed_count`, `offcpu_time`; leave it out",
        ),
        (
            "table t from syscall:* where handed by wasi_func { n = count() }",
            "of these ewapa cannot tell `handed`; leave it out",
        ),
        (
            "tracepoint:sched:sched_switch /in_wasi/ { @ = count(); }",
            "raw probes cannot tell which of these they are in; leave out what they read of it",
        ),
    ] {
        let said = refused(script);
        assert!(
            said.contains(
                "this is wazero, whose calls are those of goroutines, which move between threads: "
            ) && said.contains(why),
            "{script}: {said}"
        );
    }
}

#[test]
fn calls_of_wazero_itself_are_seen_in_a_program_that_embeds_it() {
    if !Runtime::Wazero.is_ready() {
        return;
    }
    let directory = Directory::new();
    let module = directory.file(
        "guest.wasm",
        wat::parse_str(
            r#"(module
              (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
              (memory (export "memory") 1)
              (data (i32.const 0) "\10\00\00\00\02\00\00\00")
              (data (i32.const 16) "a\n")
              (func (export "_start") (local i32)
                (loop
                  (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
                  (drop (call $yield))
                  (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 5000))))))"#,
        )
        .expect("a module"),
    );
    let traced = Script::new(ALL).run(&Runtime::Wazero.run(&module, directory.path()));
    let text = &traced.report.text;
    assert!(headline(&traced).ends_with("nothing lost"), "{text}");
    let write = traced.report.table().row(&[("FUNC", "fd_write")]);
    for (heading, expected) in [
        ("CALLS", 5000),
        ("MOVED", 10_000),
        ("ASKED", 10_000),
        ("WRITES", 5000),
        ("WRITTEN", 10_000),
        ("MOST", 2),
        ("WRONG", 0),
    ] {
        assert_eq!(write.number(heading), expected, "{heading}:\n{text}");
    }
    let yields = traced.report.table().row(&[("FUNC", "sched_yield")]);
    assert_eq!(yields.number("CALLS"), 5000, "{text}");
    assert_eq!(traced.ended.stderr.matches("a\n").count(), 5000);
}
