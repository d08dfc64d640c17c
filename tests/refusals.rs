//! Command lines and targets that cannot be are refused in one sentence that says what to do, each kind
//! with an exit code of its own.

mod support;

use std::process::{Command, Stdio};

use expect_test::{Expect, expect};
use support::directory::Directory;
use support::guest::Guest;
use support::host::{ewapa, ewapa_without_rights};
use support::process::{Process, wait_until, wait_until_quiet};
use support::refusal::refused;
use support::runtime::Runtime;
use support::trace::{EVERYTHING, Script, has_probes_on};

const COUNTS: &str = "table t from wasi:* by func { calls = count() }";

/// Runs `ewapa script counts.ewq` with these arguments behind it.
fn run_is_refused(arguments: &[&str], code: i32, said: Expect) {
    if support::is_root() {
        let directory = Directory::new();
        directory.file("counts.ewq", COUNTS);
        refused(
            &directory,
            &[&["script", "counts.ewq"], arguments].concat(),
            code,
            said,
        );
    }
}

#[test]
fn no_script() {
    refused(
        &Directory::new(),
        &["script"],
        64,
        expect![[r#"
            error: the following required arguments were not provided:
              <FILE|NAME>...

            Usage: ewapa script [OPTIONS] <FILE|NAME|-e PROGRAM> [--PARAM VALUE]... [ARGUMENT]... [-p PID]... [-- COMMAND...]

            For more information, try '--help'.
        "#]],
    );
}

#[test]
fn an_unknown_option() {
    let directory = Directory::new();
    directory.file("counts.ewq", COUNTS);
    refused(
        &directory,
        &["script", "--frobnicate", "counts.ewq", "--", "true"],
        64,
        expect![[r#"
            error: unexpected argument '--frobnicate' found

              tip: a similar argument exists: '--format'
              tip: to pass '--frobnicate' as a value, use '-- --frobnicate'

            Usage: ewapa script [OPTIONS] <FILE|NAME|-e PROGRAM> [--PARAM VALUE]... [ARGUMENT]... [-p PID]... [-- COMMAND...]

            For more information, try '--help'.
        "#]],
    );
}

#[test]
fn an_unknown_subcommand() {
    refused(
        &Directory::new(),
        &["frobnicate"],
        64,
        expect![[r#"
        error: unrecognized subcommand 'frobnicate'

        Usage: ewapa <COMMAND>

        For more information, try '--help'.
    "#]],
    );
}

#[test]
fn both_a_command_and_a_process() {
    run_is_refused(
        &["-p", "1", "--", "true"],
        64,
        expect![[r#"
        ewapa: give either a command after `--` or `-p PID`, not both
    "#]],
    );
}

#[test]
fn a_command_that_does_not_exist() {
    run_is_refused(
        &["--", "no-such-command"],
        127,
        expect![[r#"
        ewapa: cannot run `no-such-command`: No such file or directory (os error 2)
    "#]],
    );
}

#[test]
fn a_command_that_is_not_executable() {
    run_is_refused(
        &["--", "./counts.ewq"],
        126,
        expect![[r#"
        ewapa: cannot run `./counts.ewq`: Permission denied (os error 13)
    "#]],
    );
}

#[test]
fn a_process_that_does_not_exist() {
    run_is_refused(
        &["-p", "99999999"],
        67,
        expect![[r#"
        ewapa: there is no process 99999999
    "#]],
    );
}

#[test]
fn a_process_without_a_runtime() {
    if !support::is_root() {
        return;
    }
    let directory = Directory::new();
    directory.file("counts.ewq", COUNTS);
    let sleeping = Process::start(Command::new("/bin/cat").stdin(Stdio::piped()));
    wait_until_quiet(sleeping.pid());
    let pid = sleeping.pid().to_string();
    let mut command = Command::new(ewapa());
    command
        .args(["script", "counts.ewq", "-p", &pid])
        .current_dir(directory.path());
    let ended = Process::start(&mut command).end();
    assert_eq!(ended.code(), 68);
    expect![[r#"
        ewapa: no WebAssembly runtime was found in process PID (/bin/cat); ewapa knows wasmtime, wasmer, wasmi, wamr, wasm3, wabt, node, wasmedge, wazero
    "#]].assert_eq(
        &ended
            .stderr
            .replace(&pid, "PID")
            .replace("/usr/bin/cat", "/bin/cat"),
    );
}

/// A thread's number is not a process, but `/proc` has it.
#[test]
fn a_thread_that_is_no_process_is_not_traced_in_vain() {
    if !Runtime::Node.is_ready() {
        return;
    }
    let directory = Directory::new();
    let module = Guest::named("echo").compile(&directory);
    let mut target = Process::start(&mut Runtime::Node.run(&module, directory.path()).command());
    target.write(b"0");
    target.wait_for_output(1);
    let threads =
        std::fs::read_dir(format!("/proc/{}/task", target.pid())).expect("the process is there");
    let thread = threads
        .flatten()
        .filter_map(|task| task.file_name().to_str()?.parse::<u32>().ok())
        .find(|thread| *thread != target.pid())
        .expect("Node.js has more than one thread");
    let script = directory.file("counts.ewq", COUNTS);
    let mut command = Command::new(ewapa());
    command
        .arg("script")
        .arg(script)
        .arg("-p")
        .arg(thread.to_string());
    let mut ewapa = Process::start(&mut command);
    wait_until("ewapa to decide", || {
        (ewapa.has_ended() || has_probes_on(ewapa.pid(), &Runtime::Node.binary())).then_some(())
    });
    // A run that took the thread for a process would not see this.
    target.write(b"1");
    target.wait_for_output(2);
    target.close_stdin();
    target.end();
    if !ewapa.has_ended() {
        ewapa.signal(libc::SIGINT);
    }
    let ended = ewapa.end();
    assert_eq!(
        ended.code(),
        67,
        "{}{}",
        String::from_utf8_lossy(&ended.stdout),
        ended.stderr
    );
}

#[test]
fn a_command_without_a_runtime() {
    if !support::is_root() {
        return;
    }
    let traced = Script::new(EVERYTHING).run(&support::runtime::Invocation::of(["true"]));
    assert_eq!(traced.ended.code(), 68);
    expect![[r#"
        ewapa: no WebAssembly runtime was found in `true`; ewapa knows wasmtime, wasmer, wasmi, wamr, wasm3, wabt, node, wasmedge, wazero
    "#]].assert_eq(&traced.ended.stderr);
}

#[test]
fn a_runtime_that_cannot_be_attached_to_is_not_said_to_be_missing() {
    if !support::is_root() {
        return;
    }
    let directory = Directory::new();
    let host = directory.path().join("prefixed");
    support::bpftrace::compile("prefixed.c", &host);
    let is_named = |stderr: &str| {
        assert!(stderr.contains("prefixed is not traced: "), "{stderr}");
        assert!(!stderr.contains("no WebAssembly runtime"), "{stderr}");
    };
    let traced = Script::new(EVERYTHING).run(&support::runtime::Invocation::of([&host]));
    assert_eq!(traced.ended.code(), 71, "{}", traced.ended.stderr);
    is_named(&traced.ended.stderr);

    let mut target = Process::start(&mut Command::new(&host));
    target.wait_for_output(1);
    let mut command = Command::new(ewapa());
    command.args(["-e", EVERYTHING, "-p", &target.pid().to_string()]);
    let ended = Process::start(&mut command).end();
    target.close_stdin();
    target.end();
    assert_eq!(ended.code(), 71, "{}", ended.stderr);
    is_named(&ended.stderr);
}

#[test]
fn output_that_cannot_be_created_is_refused_before_the_command_runs() {
    let directory = Directory::new();
    directory.file("counts.ewq", COUNTS);
    refused(
        &directory,
        &[
            "script",
            "-o",
            "none/tables",
            "counts.ewq",
            "--",
            "touch",
            "ran",
        ],
        74,
        expect![[r#"
            ewapa: cannot write none/tables: No such file or directory (os error 2)
        "#]],
    );
    assert!(!directory.path().join("ran").exists());
}

#[test]
fn no_rights() {
    if !support::is_root() {
        return;
    }
    let directory = Directory::new();
    directory.file("counts.ewq", COUNTS);
    let mut command = ewapa_without_rights(&directory);
    let ended = Process::start(command.args(["script", "counts.ewq", "--", "touch", "ran"])).end();
    assert_eq!(ended.code(), 77);
    expect![[r#"
        ewapa: CAP_BPF, CAP_PERFMON and CAP_CHECKPOINT_RESTORE are missing to trace: run ewapa as root (sudo ewapa …), or give it these rights (SECURITY.md says how); `ewapa doctor` says more
    "#]].assert_eq(&ended.stderr);
    assert!(
        !directory.path().join("ran").exists(),
        "the command did not run"
    );
}

#[test]
fn the_doctor_names_the_rights_that_are_missing() {
    if !support::is_root() {
        return;
    }
    let directory = Directory::new();
    let ended = Process::start(ewapa_without_rights(&directory).arg("doctor")).end();
    assert_eq!(ended.code(), 71);
    let said = String::from_utf8(ended.stdout).expect("text");
    assert!(
        said.contains(
            "CAP_BPF, CAP_PERFMON and CAP_CHECKPOINT_RESTORE are missing to trace: run as root"
        ),
        "{said}"
    );
}

/// Such as `ewapa symbols BINARY | head -1`.
#[test]
fn a_reader_that_goes_away_is_no_defect() {
    let arguments: [&[&str]; 4] = [
        &["symbols"],
        &["script", "wasi_summary", "--emit", "ast"],
        &["list"],
        &["doctor"],
    ];
    for words in arguments {
        let binary = (words == ["symbols"]).then(ewapa);
        let mut command = Command::new(ewapa());
        command.args(words).args(binary).stderr(Stdio::piped());
        let (reader, writer) = std::io::pipe().expect("make a pipe");
        drop(reader);
        let output = command.stdout(writer).output().expect("run ewapa");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("panicked"), "{words:?}: {said}");
    }
}
