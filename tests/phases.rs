//! What a process reaches in turn: exec, the begin of the guest, the first WASI call, the end.

#[macro_use]
mod support;

use std::time::{Duration, Instant};

use support::directory::Directory;
use support::guest::Guest;
use support::is_root;
use support::process::{descendants, wait_until};
use support::runtime::{Invocation, Runtime};
use support::trace::Script;

const PHASES: &str =
    "phase:* { printf(\"phase %s %s %d %d %d\\n\", phase, runtime, duration, elapsed_exec, pid); }";

/// A line that the script printed.
#[derive(Debug, PartialEq, Eq)]
struct Reached {
    phase: String,
    runtime: String,
    duration: Option<u64>,
    elapsed: Option<u64>,
    pid: u32,
}

fn reached(text: &str) -> Vec<Reached> {
    text.lines()
        .filter_map(|line| line.strip_prefix("phase "))
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let (first, last) = (words[0], &words[words.len() - 3..]);
            Reached {
                phase: first.to_owned(),
                runtime: words[1].to_owned(),
                duration: last[0].parse().ok(),
                elapsed: last[1].parse().ok(),
                pid: last[2].parse().expect("a process"),
            }
        })
        .collect()
}

fn names(reached: &[Reached]) -> Vec<&str> {
    reached
        .iter()
        .map(|reached| reached.phase.as_str())
        .collect()
}

fn a_process_reaches_each_phase_once_and_in_order(runtime: Runtime) {
    let directory = Directory::new();
    directory.file("data", vec![b'x'; 160]);
    let module = Guest::named("calls").compile(&directory);
    let traced = Script::new(PHASES).run(&runtime.run(&module, directory.path()).wrapped([
        "sh",
        "-c",
        "\"$@\" >/dev/null; :",
        "sh",
    ]));
    let reached = reached(&traced.report.text);
    // The shell is no runtime.
    assert_eq!(
        names(&reached),
        ["exec", "start", "first_wasi", "exit"],
        "{}{}",
        traced.report.text,
        traced.ended.stderr
    );
    assert!(reached.iter().all(|one| one.runtime == runtime.name()));
    assert!(reached.iter().all(|one| one.pid == reached[0].pid));
    assert_eq!((reached[0].duration, reached[0].elapsed), (None, Some(0)));
    let mut since_exec = 0;
    for one in &reached[1..] {
        since_exec += one.duration.expect("the time since the phase before");
        assert_eq!(one.elapsed, Some(since_exec), "{reached:?}");
    }
}

on_every_runtime! { a_process_reaches_each_phase_once_and_in_order }

#[test]
fn the_time_since_the_phase_before_does_not_ask_for_a_clause_of_that_phase() {
    if !Runtime::Wasmi.is_ready() {
        return;
    }
    let directory = Directory::new();
    let module = Guest::named("calls").compile(&directory);
    let script = "phase:first_wasi { printf(\"phase %s %s %d %d %d\\n\", phase, runtime, duration, elapsed_exec, pid); }";
    let traced = Script::new(script).run(&Runtime::Wasmi.run(&module, directory.path()));
    let reached = reached(&traced.report.text);
    assert_eq!(names(&reached), ["first_wasi"]);
    let (duration, elapsed) = (reached[0].duration.unwrap(), reached[0].elapsed.unwrap());
    assert!(duration < elapsed, "{reached:?}");
}

#[test]
fn what_is_no_runtime_has_no_phases() {
    if !is_root() {
        return;
    }
    let script = format!("{PHASES} end {{ printf(\"over\\n\"); }}");
    let traced = Script::new(&script).run(&Invocation::of(["/bin/true"]));
    assert_eq!(traced.report.text, "over\n");
}

#[test]
fn of_a_process_that_ran_before_only_the_end_is_seen() {
    if !Runtime::Wasmi.is_ready() {
        return;
    }
    let directory = Directory::new();
    let module = Guest::named("echo").compile(&directory);
    let invocation = Runtime::Wasmi.run(&module, directory.path());
    let mut guest = support::process::Process::start(&mut invocation.command());
    guest.write(b"a");
    guest.wait_for_output(1);
    let script = Script::new(PHASES);
    let ewapa = script.join(guest.pid(), &Runtime::Wasmi.binary());
    // The probes are on; what was found in the process is told right behind that.
    std::thread::sleep(Duration::from_millis(500));
    guest.write(b"b");
    guest.wait_for_output(2);
    guest.close_stdin();
    guest.end();
    let ended = ewapa.end();
    let text = String::from_utf8_lossy(&ended.stdout).into_owned();
    let reached = reached(&text);
    assert_eq!(names(&reached), ["exit"], "{text}{}", ended.stderr);
    assert_eq!((reached[0].duration, reached[0].elapsed), (None, None));
}

#[test]
fn time_that_a_process_is_held_for_ewapa_is_not_its_own() {
    const HELD: Duration = Duration::from_millis(1500);
    if !Runtime::Wasmi.is_ready() {
        return;
    }
    let directory = Directory::new();
    let module = Guest::named("calls").compile(&directory);
    let invocation = Runtime::Wasmi.run(&module, directory.path()).wrapped([
        "sh",
        "-c",
        "sleep 1; exec \"$@\" >/dev/null",
        "sh",
    ]);
    let start = Instant::now();
    let tracing = Script::new(PHASES).start(&invocation);
    // The command has begun; ewapa stands still when the runtime begins.
    wait_until("the command", || {
        (!descendants(tracing.command()).is_empty()).then_some(())
    });
    tracing.process.signal(libc::SIGSTOP);
    std::thread::sleep(HELD);
    tracing.process.signal(libc::SIGCONT);
    let traced = tracing.end();
    assert!(start.elapsed() > HELD);
    let reached = reached(&traced.report.text);
    assert_eq!(names(&reached), ["exec", "start", "first_wasi", "exit"]);
    let elapsed = Duration::from_nanos(reached[3].elapsed.unwrap());
    assert!(elapsed < Duration::from_millis(300), "{reached:?}");
}
