//! Files, filesystems and streams that are full, closed, read-only or missing, and names that are no text: a clear
//! message and an exit code, or it works all the same.

mod support;

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use support::is_root;
use support::process::{Process, wait_until};
use support::tinyrt::{CALLS, Host, Traced};

/// A line for each call.
const LINES: &str = "wasi:sched_yield { printf(\"line\\n\"); }";

/// A name that is no text.
const NAME: &[u8] = b"na\xffme";

fn complete(traced: &Traced, calls: i64) {
    assert_eq!(traced.ended.code(), 0, "{}", traced.shown());
    assert_eq!(traced.calls("sched_yield"), calls, "{}", traced.shown());
}

/// The output cannot be written: said with its name, and 74.
fn unwritable(ended: &support::process::Ended, name: &str, why: &str) {
    assert_eq!(ended.code(), 74, "{}", ended.stderr);
    assert!(
        ended.stderr.contains(&format!("cannot write {name}")) && ended.stderr.contains(why),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_device_that_is_full_is_said_at_the_end() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    for (script, format) in [(CALLS, "table"), (CALLS, "json"), (LINES, "json")] {
        let mut command = host.ewapa(script, &["-f", format, "-o", "/dev/full", "--"]);
        command.arg(&host.program).args(["calls", "2000"]);
        let mut process = Process::start(&mut command);
        process.close_stdin();
        let ended = process.end();
        unwritable(&ended, "/dev/full, which is not complete", "No space left");
    }
}

/// What fits is written: a reader of JSON sees that the last line is cut off.
#[test]
fn a_filesystem_that_gets_full_is_said_at_the_end() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    std::fs::create_dir(host.path("small")).expect("a folder");
    let script = "table t from wasi:* by fd { calls = count() }";
    let mut command = host.ewapa(script, &["-f", "json", "-o", "small/out", "--"]);
    command.arg(&host.program).args(["groups", "2000"]);
    let shell =
        "mount -t tmpfs -o size=8k none small && \"$@\"; code=$?; cat small/out; exit $code";
    let ended = Process::start(&mut host.apart(shell, &command)).end();
    unwritable(&ended, "small/out, which is not complete", "No space left");
    let text = String::from_utf8_lossy(&ended.stdout).into_owned();
    let whole = |line: &str| serde_json::from_str::<serde_json::Value>(line).is_ok();
    let (last, before) = text.lines().collect::<Vec<_>>().split_last().map_or_else(
        || panic!("nothing was written"),
        |(last, before)| ((*last).to_owned(), before.join("\n")),
    );
    assert!(before.lines().all(whole), "{before}");
    assert!(!whole(&last), "{last}");
}

/// As with any tool in a pipe: its end is quiet, and that of a program which SIGPIPE ends.
#[test]
fn a_reader_that_has_seen_enough_ends_the_run() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let mut target = host.start(&["waits"]);
    let mut ewapa = host
        .ewapa(
            "wasi:fd_read { printf(\"line\\n\"); }",
            &["-p", &target.pid().to_string()],
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ewapa runs");
    let mut stdout = ewapa.stdout.take().expect("a pipe");
    wait_until("probes", || {
        target.write(b"x");
        target.stdout().contains(&b'p').then_some(())
    });
    let mut line = [0; 5];
    target.write(b"x");
    stdout.read_exact(&mut line).expect("a line");
    assert_eq!(&line, b"line\n");
    drop(stdout);
    let status = wait_until("the end of ewapa", || {
        target.write(b"x");
        ewapa.try_wait().expect("it is a child")
    });
    let mut said = String::new();
    let mut stderr = ewapa.stderr.take().expect("a pipe");
    stderr.read_to_string(&mut said).expect("text");
    assert_eq!((status.code(), said.as_str()), (Some(141), ""));
    target.close_stdin();
    assert_eq!(target.end().code(), 0);
}

#[test]
fn nobody_reads_the_standard_error_of_a_command() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let mut command = host.ewapa(LINES, &["--"]);
    command.arg(&host.program).args(["rate", "1000", "30"]);
    // The command is ended: it would go on for half a minute.
    let shell = "{ \"$@\"; echo $? >code; } 2>&1 >numbers | head -n 1";
    let ended = Process::start(&mut host.under(shell, &command)).end();
    assert_eq!(ended.stdout, b"line\n", "{}", ended.stderr);
    let code = std::fs::read_to_string(host.path("code")).expect("it has ended");
    assert_eq!(code, "141\n");
}

#[test]
fn a_full_or_closed_standard_error_is_no_panic() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let mut wrong = host.ewapa(CALLS, &["--"]);
    wrong.arg("no-such-command-anywhere");
    let mut failing = host.ewapa(CALLS, &["-o", "out", "--"]);
    failing.arg(&host.program).args(["ends", "abort"]);
    for shell in ["exec \"$@\" 2>/dev/full", "exec \"$@\" 2>&-"] {
        for (command, code) in [(&wrong, 127), (&failing, 134)] {
            let ended = Process::start(&mut host.under(shell, command)).end();
            assert_eq!(ended.code(), code, "{shell}");
        }
    }
}

/// Neither a home nor a folder for temporary files is needed, and nothing is written but what is asked for.
#[test]
fn a_read_only_machine_without_a_home_is_good_enough() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let mut command = host.ewapa(CALLS, &["--strict", "-o", "/dev/stdout", "--"]);
    command.arg(&host.program).args(["calls", "5"]);
    let shell = "unset HOME XDG_CONFIG_HOME; export TMPDIR=/nonexistent
        mount -o remount,bind,ro / || exit 90
        if [ -d /tmp ]; then mount --bind /tmp /tmp && mount -o remount,bind,ro /tmp || exit 91; fi
        if touch ./probe 2>/dev/null; then exit 92; fi
        exec \"$@\"";
    let ended = Process::start(&mut host.apart(shell, &command)).end();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let report = support::report::Report::parse(&String::from_utf8_lossy(&ended.stdout));
    assert_eq!(
        report.table().sum(&[("FUNC", "sched_yield")], "CALLS"),
        5,
        "{}",
        report.text
    );
}

#[test]
fn an_output_file_that_cannot_be_made_is_said_before_the_run() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    for path in ["missing/out", "/proc/out", "/"] {
        let mut command = host.ewapa(CALLS, &["-o", path, "--", "touch", "begun"]);
        let ended = Process::start(&mut command).end();
        unwritable(&ended, path, "os error");
        assert!(!host.path("begun").exists(), "the command ran");
    }
}

const UNMOUNT: &str = "for place in /sys/kernel/tracing /sys/kernel/debug /sys/fs/bpf; do
        while umount -l $place 2>/dev/null; do :; done
    done; exec \"$@\"";

#[test]
fn without_tracefs_and_bpffs_calls_are_counted() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let command = host.command(CALLS, &["--strict"], &["calls", "5"]);
    complete(
        &host.end(Process::start(&mut host.apart(UNMOUNT, &command))),
        5,
    );
    let script = "table t from syscall:* by func { calls = count() }";
    let script = script.replace("func", "syscall");
    let command = host.command(&script, &["--strict"], &["calls", "5"]);
    let traced = host.end(Process::start(&mut host.apart(UNMOUNT, &command)));
    assert_eq!(traced.ended.code(), 0, "{}", traced.shown());
}

#[test]
fn without_tracefs_a_tracepoint_is_refused_with_the_way_out() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let script = "tracepoint:sched:sched_switch { @ = count(); }";
    let command = host.command(script, &[], &["calls", "5"]);
    let ended = Process::start(&mut host.apart(UNMOUNT, &command)).end();
    assert_eq!(ended.code(), 65, "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("mount -t tracefs tracefs /sys/kernel/tracing"),
        "{}",
        ended.stderr
    );
}

#[test]
fn without_proc_or_sys_a_run_is_refused_with_the_way_out() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let command = host.command(CALLS, &[], &["calls", "5"]);
    for (place, what) in [
        ("/proc", "mount -t proc proc /proc"),
        ("/sys", "/sys/kernel/btf/vmlinux"),
    ] {
        let shell = format!("umount -l {place} || exit 90; exec \"$@\"");
        let ended = Process::start(&mut host.apart(&shell, &command)).end();
        assert_eq!(ended.code(), 71, "{}", ended.stderr);
        assert!(ended.stderr.contains(what), "{}", ended.stderr);
    }
}

#[test]
fn a_locale_without_unicode_changes_no_number() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    for locale in ["C", "POSIX", "no_SUCH.ISO-8859-1", ""] {
        let mut command = host.command(CALLS, &["--strict"], &["calls", "5"]);
        command.env("LC_ALL", locale).env_remove("LANG");
        complete(&host.end(Process::start(&mut command)), 5);
    }
}

#[test]
fn names_that_are_no_text_are_names() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let name = OsStr::from_bytes(NAME);
    let folder = host.path(name);
    std::fs::create_dir(&folder).expect("a folder");
    for file in ["tinyrt", "tinyrt.toml"] {
        std::fs::copy(host.path(file), folder.join(file)).expect("a copy");
    }
    let program = folder.join(name);
    std::fs::rename(folder.join("tinyrt"), &program).expect("another name");
    let script = folder.join("script\u{fc}.ewq");
    std::fs::write(&script, CALLS).expect("a script");
    let out = folder.join(OsStr::from_bytes(b"out\xfe"));
    let mut command = Command::new(support::host::ewapa());
    command
        .arg("script")
        .arg(&script)
        .args(["--strict", "--catalogue"])
        .arg(&folder)
        .arg("-o")
        .arg(&out)
        .arg("--")
        .arg(&program)
        .args(["calls", "5"]);
    let mut process = Process::start(&mut command);
    process.close_stdin();
    let ended = process.end();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let text = std::fs::read_to_string(&out).expect("the tables are there");
    let report = support::report::Report::parse(&text);
    let calls = report.table().sum(&[("FUNC", "sched_yield")], "CALLS");
    assert_eq!(calls, 5, "{text}");
    // A run that joins such a process.
    let mut target = Process::start(Command::new(&program).arg("waits"));
    let pid = target.pid().to_string();
    let tracing = Process::start(&mut host.ewapa(
        "wasi:fd_read { @[comm, ustack(2)] = count(); }",
        &["-o", "out", "-p", &pid],
    ));
    wait_until("probes", || {
        target.write(b"x");
        target.stdout().contains(&b'p').then_some(())
    });
    target.write(b"x");
    target.close_stdin();
    target.end();
    let traced = host.end(tracing);
    assert_eq!(traced.ended.code(), 0, "{}", traced.shown());
    assert!(traced.shown().contains("waits+"), "{}", traced.shown());
}
