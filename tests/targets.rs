//! What a run looks at, and how often it tells: a command, processes, or the whole machine.

mod support;

use std::process::Command;

use support::bpftrace::{compile, output};
use support::directory::Directory;
use support::host::ewapa;
use support::is_root;
use support::process::Process;

fn script(arguments: &[&str]) -> Command {
    let mut command = Command::new(ewapa());
    command.arg("script").args(arguments);
    command
}

#[test]
fn a_script_without_calls_joins_a_process_without_a_runtime() {
    if !is_root() {
        return;
    }
    let directory = Directory::new();
    let program = directory.path().join("probed");
    compile("probed.c", &program);
    let running = Process::start(Command::new(&program).arg("on"));
    let other = Process::start(Command::new(&program).arg("on"));
    let text = format!("uprobe:{}:work {{ @[pid] = count(); }}", program.display());
    let pid = running.pid().to_string();
    let counted = output(&mut script(&["-q", "-d", "1", "-p", &pid, "-e", &text]));
    assert!(counted.contains(&format!("@[{pid}]: ")), "{counted}");
    assert!(
        !counted.contains(&format!("@[{}]: ", other.pid())),
        "{counted}"
    );
}

#[test]
fn maps_are_printed_at_an_interval() {
    if is_root() {
        let text = output(&mut script(&[
            "-q",
            "-i",
            "0.1",
            "-d",
            "1",
            "-e",
            "tracepoint:sched:sched_switch { @n = count(); }",
        ]));
        let counts: Vec<u64> = text
            .lines()
            .filter_map(|line| line.strip_prefix("@n: ")?.parse().ok())
            .collect();
        assert!(counts.len() >= 4, "{text}");
        assert!(counts.is_sorted(), "{text}");
    }
}

#[test]
fn lines_begin_with_the_time_if_that_is_wanted() {
    if is_root() {
        let text = output(&mut script(&[
            "-q",
            "-T",
            "-e",
            "begin { printf(\"one\\ntwo\\n\"); exit(); }",
        ]));
        for (line, word) in text.lines().zip(["one", "two"]) {
            let (time, rest) = line.split_once(' ').expect("a time");
            assert_eq!((time.len(), rest), (8, word), "{text}");
        }
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}

#[test]
fn a_command_may_be_one_text() {
    if is_root() {
        let text = output(&mut script(&[
            "-q",
            "-o",
            "/dev/stdout",
            "-e",
            "begin { printf(\"begin\\n\"); }",
            "-c",
            "sh -c 'echo \"from  the command\"'",
        ]));
        assert_eq!(text, "begin\nfrom  the command\n");
        let refused = script(&["-e", "begin { }", "-c", "true", "--", "true"])
            .output()
            .expect("ewapa is there");
        assert_eq!(refused.status.code(), Some(64));
    }
}

#[test]
fn a_script_without_events_to_end_it_runs_until_it_is_interrupted() {
    if is_root() {
        let process = Process::start(&mut script(&[
            "-q",
            "-e",
            "begin { printf(\"begin\\n\"); } end { printf(\"end\\n\"); }",
        ]));
        process.wait_for_output(6);
        process.signal(libc::SIGINT);
        let ended = process.end();
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        assert_eq!(String::from_utf8_lossy(&ended.stdout), "begin\nend\n");
    }
}

#[test]
fn probes_outside_of_wasi_are_listed() {
    let list = |probe: &str| output(Command::new(ewapa()).args(["-l", probe]));
    assert_eq!(list("phase:e*"), "phase:exec\nphase:exit\n");
    assert!(list("syscall:*").lines().count() > 300);
    let directory = Directory::new();
    let program = directory.path().join("probed");
    compile("probed.c", &program);
    let shown = program.display();
    assert_eq!(
        list(&format!("uprobe:{shown}:wor*")),
        format!("uprobe:{shown}:work\n")
    );
    assert_eq!(
        list(&format!("usdt:{shown}:*")),
        format!("usdt:{shown}:probed:guarded\nusdt:{shown}:probed:item\n")
    );
    if is_root() {
        let text =
            output(Command::new(ewapa()).args(["list", "-v", "tracepoint:sched:sched_switch"]));
        assert!(
            text.starts_with(
                "tracepoint:sched:sched_switch\n    char[16] prev_comm\n    pid_t prev_pid\n"
            ),
            "{text}"
        );
    }
}
