//! Traced processes that do what they should not, or more than anybody expects: the numbers stay exact, and what
//! never completed is named.

mod support;

use std::time::Duration;

use support::is_root;
use support::process::{Process, is_alive, send, wait_until, wait_until_quiet};
use support::tinyrt::{CALLS, Host, Traced};

/// Traces the host; without root the test is skipped.
fn trace(arguments: &[&str]) -> Option<Traced> {
    is_root().then(|| Host::new().trace(CALLS, &["--strict"], arguments))
}

/// So many calls returned, and nothing is missing.
fn complete(traced: &Traced, calls: i64) {
    assert_eq!(traced.ended.code(), 0, "{}", traced.shown());
    assert_eq!(traced.calls("sched_yield"), calls, "{}", traced.shown());
    assert!(
        traced.headline().ends_with(" · nothing lost"),
        "{}",
        traced.shown()
    );
}

/// The host makes ten calls, and ends in the eleventh.
fn a_crash_inside_a_call(how: &str, signal: i32) {
    let Some(traced) = trace(&["ends", how]) else {
        return;
    };
    assert_eq!(traced.ended.code(), 128 + signal, "{}", traced.shown());
    assert_eq!(traced.calls("sched_yield"), 10, "{}", traced.shown());
    assert!(
        traced
            .headline()
            .ends_with(" · nothing lost, 1 unfinished (proc_raise)"),
        "{}",
        traced.shown()
    );
    assert!(
        traced
            .ended
            .stderr
            .contains(&format!("the command was ended by signal {signal}")),
        "{}",
        traced.shown()
    );
}

#[test]
fn a_call_that_ends_by_a_segmentation_fault_is_unfinished() {
    a_crash_inside_a_call("segv", libc::SIGSEGV);
}

#[test]
fn a_call_that_ends_by_an_illegal_instruction_is_unfinished() {
    a_crash_inside_a_call("ill", libc::SIGILL);
}

#[test]
fn a_call_that_ends_by_abort_is_unfinished() {
    a_crash_inside_a_call("abort", libc::SIGABRT);
}

/// The new program makes seven calls more.
#[test]
fn an_exec_inside_a_call_loses_no_call_before_and_after_it() {
    let Some(traced) = trace(&["ends", "exec"]) else {
        return;
    };
    assert_eq!(traced.ended.code(), 0, "{}", traced.shown());
    assert_eq!(traced.calls("sched_yield"), 17, "{}", traced.shown());
    assert!(
        traced
            .headline()
            .ends_with(" · nothing lost, 1 unfinished (proc_raise)"),
        "{}",
        traced.shown()
    );
}

/// The child returns from it as well, from a call that it has not made.
#[test]
fn a_fork_inside_a_call_is_one_call() {
    let Some(traced) = trace(&["fork"]) else {
        return;
    };
    assert_eq!(traced.calls("poll_oneoff"), 10, "{}", traced.shown());
    assert!(
        traced.headline().ends_with(" · nothing lost"),
        "{}",
        traced.shown()
    );
}

#[test]
fn a_thousand_threads_at_once_are_counted_exactly() {
    if let Some(traced) = trace(&["threads", "1000", "50"]) {
        complete(&traced, 50_000);
    }
}

/// A tree of 511 processes that fork as fast as they can.
#[test]
fn a_storm_of_forks_is_counted_exactly() {
    if let Some(traced) = trace(&["storm", "8", "10"]) {
        complete(&traced, 5110);
    }
}

#[test]
fn a_thousand_processes_one_after_the_other_are_counted_exactly() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let mut command = host.ewapa(CALLS, &["--strict", "-o", "out", "--", "sh", "-c"]);
    command
        .arg("i=0; while [ $i -lt 1000 ]; do \"$0\" calls 3 || exit 1; i=$((i + 1)); done")
        .arg(&host.program);
    let traced = host.end(Process::start(&mut command));
    complete(&traced, 3000);
    assert!(
        traced.headline().contains(" · 1000 processes · "),
        "{}",
        traced.headline()
    );
}

#[test]
fn ten_thousand_open_descriptors_do_not_matter() {
    if let Some(traced) = trace(&["descriptors", "10000", "5"]) {
        complete(&traced, 5);
    }
}

#[test]
fn a_target_that_closes_its_standard_streams_is_counted() {
    if let Some(traced) = trace(&["closed", "5"]) {
        complete(&traced, 5);
        assert!(
            !traced.ended.stderr.contains("cannot"),
            "{}",
            traced.shown()
        );
    }
}

/// Two children with one process and thread number, each with calls of its own: nothing of the first one is left
/// when the second one begins.
#[test]
fn a_process_with_the_number_of_one_that_has_ended_is_counted_for_itself() {
    if let Some(traced) = trace(&["number", "5", "6"]) {
        complete(&traced, 11);
    }
}

/// A process that nobody traces gets the number of one that was traced.
#[test]
fn a_number_that_is_used_again_is_not_traced() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let mut first = host.start(&["waits"]);
    let pid = first.pid().to_string();
    // Another process keeps the run from its end.
    let mut second = host.start(&["waits"]);
    let mut tracing = Process::start(&mut host.ewapa(
        CALLS,
        &["-o", "out", "-p", &pid, "-p", &second.pid().to_string()],
    ));
    probed(&mut first);
    probed(&mut second);
    first.close_stdin();
    first.end();
    let stranger = host.start(&["numbered", &pid, "9"]).end();
    assert_eq!(stranger.code(), 0, "{}", stranger.stderr);
    second.close_stdin();
    second.end();
    tracing.close_stdin();
    let traced = host.end(tracing);
    assert_eq!(traced.calls("sched_yield"), 0, "{}", traced.shown());
    assert!(traced.calls("fd_read") > 0, "{}", traced.shown());
}

/// Gives a waiting host bytes until there is a probe in its code.
fn probed(host: &mut Process) {
    wait_until("a probe in the code", || {
        host.write(b"x");
        host.stdout().contains(&b'p').then_some(())
    });
}

#[test]
fn a_target_that_is_killed_within_a_call_leaves_its_numbers() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let mut target = host.start(&["waits", "100"]);
    let pid = target.pid().to_string();
    let tracing = Process::start(&mut host.ewapa(CALLS, &["--strict", "-o", "out", "-p", &pid]));
    probed(&mut target);
    let answers = target.stdout().len();
    target.write(b"b");
    target.wait_for_output(answers + 1);
    wait_until_quiet(target.pid());
    target.signal(libc::SIGKILL);
    target.end();
    let traced = host.end(tracing);
    assert_eq!(traced.ended.code(), 0, "{}", traced.shown());
    assert_eq!(traced.calls("sched_yield"), 100, "{}", traced.shown());
    assert!(
        traced.headline().ends_with(", 1 unfinished (fd_read)"),
        "{}",
        traced.shown()
    );
}

/// As the documentation says: the clock does not stand still for a process that is stopped.
#[test]
fn a_call_of_a_suspended_target_takes_as_long_as_it_was_suspended() {
    const STOPPED: Duration = Duration::from_millis(300);
    if !is_root() {
        return;
    }
    let host = Host::new();
    let script = "table t from wasi:fd_read { calls = count(), longest = max(duration) as int }";
    let mut tracing = Process::start(&mut host.command(script, &["--strict"], &["waits"]));
    tracing.write(b"x");
    tracing.wait_for_output(1);
    let target = *support::process::descendants(tracing.pid())
        .first()
        .expect("the command runs");
    wait_until_quiet(target);
    send(target, libc::SIGSTOP);
    std::thread::sleep(STOPPED);
    send(target, libc::SIGCONT);
    tracing.write(b"x");
    tracing.wait_for_output(2);
    tracing.close_stdin();
    let traced = host.end(tracing);
    assert_eq!(traced.ended.code(), 0, "{}", traced.shown());
    let report = traced.report();
    let row = report.table().rows().next().expect("one row");
    assert_eq!(row.number("CALLS"), 3, "{}", traced.shown());
    let longest = row.number("LONGEST");
    assert!(longest >= STOPPED.as_nanos() as i64, "{longest}");
    assert!(!is_alive(target));
}

#[test]
fn a_command_that_cannot_be_run_is_said_to_be_so() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let text = host.directory.file("text", "no program");
    let folder = host.directory.path().to_owned();
    let cases = [
        ("no-such-command-anywhere", 127, "No such file or directory"),
        (text.to_str().expect("text"), 126, "Permission denied"),
        (folder.to_str().expect("text"), 126, "Permission denied"),
    ];
    for (command, code, why) in cases {
        let mut process = Process::start(&mut host.ewapa(CALLS, &["-o", "out", "--", command]));
        process.close_stdin();
        let ended = process.end();
        assert_eq!(ended.code(), code, "{}", ended.stderr);
        assert!(
            ended.stderr.contains(&format!("cannot run `{command}`")) && ended.stderr.contains(why),
            "{}",
            ended.stderr
        );
    }
}

/// A scaled-down run of benches/endurance: as many calls as the machine makes in three seconds.
#[test]
fn seconds_of_calls_without_a_pause_are_counted_exactly() {
    let Some(traced) = trace(&["rate", "0", "3"]) else {
        return;
    };
    let made = String::from_utf8_lossy(&traced.ended.stdout);
    let made: i64 = made.trim().parse().expect("it says how many it made");
    assert!(made > 1000, "{made}");
    complete(&traced, made);
}
