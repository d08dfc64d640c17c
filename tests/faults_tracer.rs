//! A tracer that is killed, told to end, stopped, or one of many: it leaves nothing behind, and loses nothing that it
//! does not say.

mod support;

use std::process::Command;

use support::bpftrace;
use support::is_root;
use support::kernel::{Thing, held_by, is_there};
use support::process::{Process, descendants, is_alive, wait_until, wait_until_quiet};
use support::tinyrt::{CALLS, Host};

/// Starts to trace a waiting host, and returns when there is a probe in its code.
fn joined(host: &Host, target: &mut Process, script: &str, options: &[&str]) -> Process {
    let pid = target.pid().to_string();
    let tracing = Process::start(host.ewapa(script, options).args(["-o", "out", "-p", &pid]));
    wait_until("a probe in the code", || {
        answer(target, b"x").eq(&b'p').then_some(())
    });
    tracing
}

/// Gives a waiting host a byte, and returns its answer: `p` if there is a probe in its code.
fn answer(target: &mut Process, byte: &[u8]) -> u8 {
    let before = target.stdout().len();
    target.write(byte);
    target.wait_for_output(before + 1);
    target.stdout()[before]
}

fn nothing_stays_of_a_killed_tracer(mechanism: &str) {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let mut target = host.start(&["waits", "100"]);
    let tracing = joined(&host, &mut target, CALLS, &["--attach", mechanism]);
    let family = descendants(tracing.pid());
    let held = held_by(tracing.pid());
    for kind in [
        |thing: &Thing| matches!(thing, Thing::Program(_)),
        |thing: &Thing| matches!(thing, Thing::Map(_)),
    ] {
        assert!(held.iter().any(kind), "{held:?}");
    }
    assert!(held.iter().all(|thing| is_there(*thing)), "{held:?}");
    tracing.signal(libc::SIGKILL);
    tracing.end();
    for thing in held {
        wait_until(&format!("the end of {thing:?}"), || {
            (!is_there(thing)).then_some(())
        });
    }
    for process in family {
        wait_until("the end of the family", || {
            (!is_alive(process)).then_some(())
        });
    }
    // The code is what it was, and the target goes on.
    wait_until("the end of the probes", || {
        answer(&mut target, b"b").eq(&b'.').then_some(())
    });
    target.close_stdin();
    let target = target.end();
    assert_eq!(target.code(), 0, "{}", target.stderr);
}

#[test]
fn nothing_stays_of_a_killed_tracer_with_session_probes() {
    nothing_stays_of_a_killed_tracer("session");
}

#[test]
fn nothing_stays_of_a_killed_tracer_with_multi_probes() {
    nothing_stays_of_a_killed_tracer("multi");
}

#[test]
fn nothing_stays_of_a_killed_tracer_with_perf_probes() {
    nothing_stays_of_a_killed_tracer("perf");
}

/// The command does not heed signals: the second wish ends it all the same.
fn a_wish_for_an_end_that_is_repeated(signal: i32) {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let tracing = Process::start(&mut host.command(CALLS, &["--strict"], &["stubborn"]));
    tracing.wait_for_output(1);
    let command = *descendants(tracing.pid())
        .iter()
        .find(|pid| {
            std::fs::read_to_string(format!("/proc/{pid}/comm"))
                .is_ok_and(|name| name == "tinyrt\n")
        })
        .expect("the command runs");
    wait_until_quiet(command);
    let held = held_by(tracing.pid());
    tracing.signal(signal);
    // Two of one kind at once would be one.
    wait_until_quiet(tracing.pid());
    tracing.signal(signal);
    let traced = host.end(tracing);
    assert_eq!(
        traced.ended.code(),
        128 + libc::SIGKILL,
        "{}",
        traced.shown()
    );
    assert_eq!(traced.calls("sched_yield"), 10, "{}", traced.shown());
    assert!(!is_alive(command));
    for thing in held {
        wait_until(&format!("the end of {thing:?}"), || {
            (!is_there(thing)).then_some(())
        });
    }
}

#[test]
fn a_second_interrupt_ends_a_command_that_does_not_heed_the_first() {
    a_wish_for_an_end_that_is_repeated(libc::SIGINT);
}

#[test]
fn a_second_sigterm_ends_a_command_that_does_not_heed_the_first() {
    a_wish_for_an_end_that_is_repeated(libc::SIGTERM);
}

#[test]
fn a_second_hangup_ends_a_command_that_does_not_heed_the_first() {
    a_wish_for_an_end_that_is_repeated(libc::SIGHUP);
}

/// Tables are kept in the kernel: they need nobody while calls are made.
#[test]
fn a_tracer_that_stands_still_loses_no_call_of_a_table() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let mut target = host.start(&["waits", "2000"]);
    let tracing = joined(&host, &mut target, CALLS, &["--strict"]);
    tracing.signal(libc::SIGSTOP);
    for _ in 0..3 {
        answer(&mut target, b"b");
    }
    tracing.signal(libc::SIGCONT);
    target.close_stdin();
    target.end();
    let traced = host.end(tracing);
    assert_eq!(traced.ended.code(), 0, "{}", traced.shown());
    assert_eq!(traced.calls("sched_yield"), 6000, "{}", traced.shown());
}

/// What a script prints goes through a ring buffer, which fills up: what found no room is counted.
#[test]
fn a_tracer_that_stands_still_counts_the_lines_that_it_lost() {
    const LINES: usize = 300_000;
    if !is_root() {
        return;
    }
    let host = Host::new();
    let mut target = host.start(&["waits", &LINES.to_string()]);
    let script =
        "wasi:sched_yield { printf(\"line\\n\"); @ = count(); } wasi:fd_read { @reads = count(); }";
    let tracing = joined(&host, &mut target, script, &["--strict", "-f", "json"]);
    tracing.signal(libc::SIGSTOP);
    answer(&mut target, b"b");
    tracing.signal(libc::SIGCONT);
    target.close_stdin();
    target.end();
    let traced = host.end(tracing);
    let text = String::from_utf8(traced.out.clone()).expect("JSON is text");
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    let of = |kind: &str| {
        let wanted = lines.iter().filter(|line| line["type"] == kind);
        wanted.cloned().collect::<Vec<_>>()
    };
    let lost = of("lost_events")[0]["data"]["events"]
        .as_u64()
        .expect("a number");
    assert!(lost > 0);
    assert_eq!(of("printf").len() + lost as usize, LINES);
    assert_eq!(of("map")[0]["data"]["@"], LINES, "the map is complete");
    assert_eq!(traced.ended.code(), 4, "{}", traced.ended.stderr);
    assert!(
        traced
            .ended
            .stderr
            .contains(&format!("not complete: {lost} messages")),
        "{}",
        traced.ended.stderr
    );
}

/// Each process that ends is an event, and the tracer takes none: the last of them, for which it waits, is lost.
#[test]
fn a_tracer_that_stood_still_sees_that_its_process_has_ended() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let mut target = host.start(&["waits", "0", "12000"]);
    let tracing = joined(&host, &mut target, CALLS, &["--strict"]);
    tracing.signal(libc::SIGSTOP);
    let before = target.stdout().len();
    target.write(b"f");
    target.wait_for_output(before + 1);
    target.close_stdin();
    target.end();
    tracing.signal(libc::SIGCONT);
    let traced = host.end(tracing);
    assert!(
        traced.shown().contains("events of processes found no room"),
        "{}",
        traced.shown()
    );
    assert_eq!(traced.ended.code(), 4, "{}", traced.shown());
}

#[test]
fn a_tracer_without_standard_streams_writes_its_file() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let command = host.command(CALLS, &["--strict"], &["calls", "12"]);
    let process = Process::start(&mut host.under("exec \"$@\" <&- >&- 2>&-", &command));
    let traced = host.end(process);
    assert_eq!(traced.ended.code(), 0);
    assert_eq!(traced.calls("sched_yield"), 12, "{}", traced.shown());
}

#[test]
fn ten_runs_at_once_each_count_their_own_calls() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let runs: Vec<(i64, Process)> = (1..=10)
        .map(|number| {
            let (calls, out) = ((1000 * number).to_string(), format!("out{number}"));
            let mut command = host.ewapa(CALLS, &["--strict", "-o", &out, "--"]);
            command.arg(&host.program).args(["calls", &calls]);
            (number, Process::start(&mut command))
        })
        .collect();
    for (number, process) in runs {
        let ended = process.end();
        let text = std::fs::read_to_string(host.path(format!("out{number}"))).expect("tables");
        let report = support::report::Report::parse(&text);
        assert_eq!(
            report.table().sum(&[("FUNC", "sched_yield")], "CALLS"),
            1000 * number,
            "{text}\n{}",
            ended.stderr
        );
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
    }
}

/// Both probe the same functions of the same process, and both see each call once.
#[test]
fn bpftrace_at_the_same_time_counts_the_same() {
    if !is_root() || !bpftrace::is_there() {
        return;
    }
    let host = Host::new();
    let mut target = host.start(&["waits", "5000"]);
    let tracing = joined(&host, &mut target, CALLS, &["--strict"]);
    let program = host.program.display();
    let text = format!(
        "uprobe:{program}:tinyrt_hostcall_fd_read {{ printf(\"on\\n\"); }}
         uprobe:{program}:tinyrt_hostcall_sched_yield {{ @in = count(); }}
         uretprobe:{program}:tinyrt_hostcall_sched_yield {{ @out = count(); }}"
    );
    let other = Process::start(Command::new("bpftrace").args(["-e", &text]));
    wait_until("bpftrace to see a call", || {
        answer(&mut target, b"x");
        let seen = String::from_utf8_lossy(&other.stdout()).into_owned();
        seen.contains("\non\n").then_some(())
    });
    for _ in 0..2 {
        answer(&mut target, b"b");
    }
    other.signal(libc::SIGINT);
    let other = String::from_utf8_lossy(&other.end().stdout).into_owned();
    for count in ["@in: 10000\n", "@out: 10000\n"] {
        assert!(other.contains(count), "{other}");
    }
    target.close_stdin();
    assert_eq!(target.end().code(), 0);
    let traced = host.end(tracing);
    assert_eq!(traced.ended.code(), 0, "{}", traced.shown());
    assert_eq!(traced.calls("sched_yield"), 10_000, "{}", traced.shown());
}
