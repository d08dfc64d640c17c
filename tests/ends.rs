//! Calls that end otherwise than by returning to who called them, or on another thread.

mod support;

use std::process::Command;

use support::directory::Directory;
use support::host::compiled;
use support::is_root;
use support::runtime::Invocation;
use support::trace::{Script, Traced};

const ENDS: &str = "table t from wasi:* by func, errno { calls = count() }";

/// Runs `tests/hosts/ends.c` in one way.
fn ended(way: &str, count: u32, options: &[&str]) -> Traced {
    let directory = Directory::new();
    let invocation = compiled(&directory, "ends.c", &[way, &count.to_string()]);
    Script::new(ENDS).with(options).run(&invocation)
}

/// Calls by errno, and what the line above the table says of the run.
fn seen(traced: &Traced) -> (Vec<(&str, i64)>, &str) {
    let table = traced.report.table();
    let rows = table.rows().filter(|row| row.text("FUNC") == "fd_write");
    let (_, losses) = table.headline.rsplit_once(" · ").expect("a line of parts");
    (
        rows.map(|row| (row.text("ERRNO"), row.number("CALLS")))
            .collect(),
        losses,
    )
}

/// A way of `tests/hosts/ends.c`, how often, the calls that complete by errno, and what is said of the others.
type End = (
    &'static str,
    u32,
    &'static [(&'static str, i64)],
    &'static str,
);

const ENDINGS: &[End] = &[
    ("returns", 5, &[("SUCCESS", 5)], "nothing lost"),
    ("traps", 5, &[("-", 5)], "nothing lost"),
    (
        "jumps",
        5,
        &[("SUCCESS", 1)],
        "5 abandoned, 5 unfinished (fd_write)",
    ),
    ("exits", 5, &[], "nothing lost, 5 unfinished (fd_write)"),
    ("killed", 1, &[], "nothing lost, 1 unfinished (fd_write)"),
    ("crashes", 1, &[], "nothing lost, 1 unfinished (fd_write)"),
    // The children return from calls that are their parent's, and make one each.
    ("forks", 5, &[("SUCCESS", 10)], "nothing lost"),
    (
        "execs",
        5,
        &[("SUCCESS", 5)],
        "nothing lost, 1 unfinished (fd_write)",
    ),
    ("at-once", 1000, &[("SUCCESS", 1000)], "nothing lost"),
];

#[test]
fn every_end_of_a_call_is_counted() {
    if !is_root() {
        return;
    }
    for mechanism in ["session", "exits"] {
        for (way, count, calls, losses) in ENDINGS {
            let traced = ended(way, *count, &["--attach", mechanism]);
            let losses = match (*way, mechanism) {
                // Return instructions do not tell whose call it was.
                ("forks", "exits") => "5 unmatched",
                _ => losses,
            };
            assert_eq!(
                seen(&traced),
                (calls.to_vec(), losses),
                "{way} by {mechanism}: {}\n{}",
                traced.report.text,
                traced.ended.stderr
            );
        }
    }
}

/// A return probe has ended the process in its first call, and ewapa says how.
fn is_ended_by_return_probe(traced: &Traced, signal: i32, said: &str) {
    assert_eq!(traced.ended.code(), 128 + signal);
    let stderr = &traced.ended.stderr;
    assert!(
        stderr.contains(&format!("{said}; `--attach exits`")),
        "{stderr}"
    );
    let losses = "nothing lost, 1 unfinished (fd_write)";
    assert_eq!(seen(traced), (vec![], losses), "{}", traced.report.text);
}

/// The kernel ends a process whose return probe fires on a thread that did not enter the function.
#[test]
fn a_call_that_moves_to_another_thread_ends_its_process_and_ewapa_says_why() {
    if is_root() {
        let said = "returns on another thread than it was called on";
        is_ended_by_return_probe(&ended("moves", 20, &[]), libc::SIGILL, said);
    }
}

#[test]
fn without_return_probes_calls_may_move_and_are_counted() {
    if !is_root() {
        return;
    }
    let traced = ended("moves", 20, &["--attach", "exits"]);
    assert_eq!(traced.ended.code(), 0, "{}", traced.ended.stderr);
    let all = (vec![("SUCCESS", 20)], "nothing lost");
    assert_eq!(seen(&traced), all, "{}", traced.report.text);
}

#[test]
fn what_is_added_up_on_one_thread_is_not_told_of_calls_that_move() {
    if !is_root() {
        return;
    }
    let directory = Directory::new();
    let invocation = compiled(&directory, "ends.c", &["moves", "20"]);
    let script = "table t from wasi:* by func, errno { calls = count(), sys = sum(syscall_count) }";
    let traced = Script::new(script)
        .with(&["--attach", "exits"])
        .run(&invocation);
    assert_eq!(traced.ended.code(), 0, "{}", traced.ended.stderr);
    assert_eq!(seen(&traced), (vec![], "20 lost"), "{}", traced.report.text);
    let said = "\n20 calls ended on another thread than they began on";
    assert!(traced.report.text.contains(said), "{}", traced.report.text);
}

/// Runs `tests/hosts/throws.cc` in one way.
fn thrown(way: &str, options: &[&str]) -> Traced {
    let directory = Directory::new();
    let program = directory.path().join("throws");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hosts/throws.cc");
    let compiled = Command::new("g++")
        .args(["-O1", "-o"])
        .arg(&program)
        .arg(source)
        .status();
    assert!(compiled.expect("g++ is there").success());
    let invocation = Invocation::of([program.into_os_string(), way.into()]);
    Script::new(ENDS).with(options).run(&invocation)
}

#[test]
fn an_exception_within_a_call_is_none_of_its_business() {
    if !is_root() {
        return;
    }
    for mechanism in ["session", "exits"] {
        let traced = thrown("within", &["--attach", mechanism]);
        assert_eq!(
            seen(&traced),
            (vec![("SUCCESS", 5)], "nothing lost"),
            "{mechanism}"
        );
    }
}

#[test]
fn an_exception_that_leaves_a_call_ends_its_process_and_ewapa_says_why() {
    if is_root() {
        let said = "leave a function with a return probe";
        is_ended_by_return_probe(&thrown("through", &[]), libc::SIGABRT, said);
    }
}

#[test]
fn without_return_probes_an_exception_may_leave_a_call() {
    if !is_root() {
        return;
    }
    let traced = thrown("through", &["--attach", "exits"]);
    assert_eq!(traced.ended.code(), 0, "{}", traced.ended.stderr);
    let losses = "4 abandoned, 5 unfinished (fd_write)";
    assert_eq!(seen(&traced), (vec![], losses), "{}", traced.report.text);
}
