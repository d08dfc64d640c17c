//! What cannot be done is refused in one sentence that says what to do, with an exit code of its own.

mod support;

use std::process::{Command, Stdio};

use expect_test::{Expect, expect};
use support::directory::Directory;
use support::guest::Guest;
use support::host::{ewapa, ewapa_without_rights};
use support::process::{Process, wait_until, wait_until_quiet};
use support::runtime::Runtime;
use support::trace::{EVERYTHING, Script, has_probes_on};

const COUNTS: &str = "table t from wasi:* by func { calls = count() }";

/// Runs ewapa in a folder and compares its exit code and standard error, in which the folder is `DIR`.
fn refused(directory: &Directory, arguments: &[&str], code: i32, said: Expect) {
    let mut command = Command::new(ewapa());
    command.args(arguments).current_dir(directory.path());
    let mut process = Process::start(&mut command);
    process.close_stdin();
    let ended = process.end();
    let canonical = directory
        .path()
        .canonicalize()
        .expect("the folder is there");
    said.assert_eq(
        &ended
            .stderr
            .replace(canonical.to_str().expect("a path in UTF-8"), "DIR"),
    );
    assert_eq!(ended.code(), code);
}

fn script_is_refused(text: &str, said: Expect) {
    let directory = Directory::new();
    directory.file("slow.ewq", text);
    refused(&directory, &["script", "slow.ewq", "--", "true"], 65, said);
}

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
fn an_unknown_function() {
    script_is_refused(
        "table t from wasi:fd_wirte { calls = count() }",
        expect![[r#"
            error[E0203]: no WASI function is called `fd_wirte`
             --> slow.ewq:1:14
              |
            1 | table t from wasi:fd_wirte { calls = count() }
              |              ^^^^^^^^^^^^^ did you mean `wasi:fd_write`?
              |
              = help: `ewapa list 'wasi:fd_*'` shows them; `ewapa explain E0203` says more
        "#]],
    );
}

#[test]
fn an_unknown_runtime() {
    script_is_refused(
        "table t from wasi:wasntime:fd_write { calls = count() }",
        expect![[r#"
            error[E0202]: no runtime is called `wasntime`
             --> slow.ewq:1:19
              |
            1 | table t from wasi:wasntime:fd_write { calls = count() }
              |                   ^^^^^^^^ did you mean `wasmtime`?
              |
              = help: the runtimes are `wasmtime`, `wasmer`, `wasmi`, `wamr`, `wasm3`, `node`
        "#]],
    );
}

#[test]
fn an_aggregate_over_what_is_no_number() {
    script_is_refused(
        "table t from wasi:* { x = sum(comm) }",
        expect![[r#"
        error[E0403]: `sum()` needs a number, a time or a size
         --> slow.ewq:1:31
          |
        1 | table t from wasi:* { x = sum(comm) }
          |                               ^^^^ this is a text
          |
          = help: to have one row for each of its values put it into `by`
    "#]],
    );
}

#[test]
fn units_that_do_not_go_together() {
    script_is_refused(
        "table t from wasi:* { x = sum(duration + bytes) }",
        expect![[r#"
            error[E0301]: a time and a size cannot be added
             --> slow.ewq:1:42
              |
            1 | table t from wasi:* { x = sum(duration + bytes) }
              |                               --------   ^^^^^ this is a size
              |                               |
              |                               this is a time
        "#]],
    );
}

#[test]
fn a_unit_that_does_not_suit_a_column() {
    script_is_refused(
        "table t from wasi:* { x = sum(bytes) as ms }",
        expect![[r#"
            error[E0406]: `ms` shows a time, and this column is a size
             --> slow.ewq:1:41
              |
            1 | table t from wasi:* { x = sum(bytes) as ms }
              |                           ----------    ^^ this needs a time
              |                           |
              |                           this is a size
              |
              = help: a size is shown with `as bytes`, `as int`, or without `as` as it fits
        "#]],
    );
}

#[test]
fn every_error_of_a_script_is_shown() {
    script_is_refused(
        "table t from wasi:nothing where fd == 1s by whom {\n  x = foo(1),\n}",
        expect![[r#"
            error[E0203]: no WASI function is called `nothing`
             --> slow.ewq:1:14
              |
            1 | table t from wasi:nothing where fd == 1s by whom {
              |              ^^^^^^^^^^^^
              |
              = help: `ewapa list 'wasi:*'` shows them; `ewapa explain E0203` says more

            error[E0301]: a number and a time cannot be compared
             --> slow.ewq:1:39
              |
            1 | table t from wasi:nothing where fd == 1s by whom {
              |                                 --    ^^ this is a time
              |                                 |
              |                                 this is a number
              |
              = help: a time has a unit: write `10us` or `10ms`

            error[E0103]: nothing is called `whom`
             --> slow.ewq:1:45
              |
            1 | table t from wasi:nothing where fd == 1s by whom {
              |                                             ^^^^

            error[E0104]: no function is called `foo`
             --> slow.ewq:2:7
              |
            2 |   x = foo(1),
              |       ^^^
        "#]],
    );
}

#[test]
fn what_this_version_does_not_have() {
    script_is_refused(
        "wasi:fd_write { @[comm] = count(); }",
        expect![[r#"
        error[E0901]: a probe with statements in `{ … }` is part of the language, but this version does not run it yet
         --> slow.ewq:1:1
          |
        1 | wasi:fd_write { @[comm] = count(); }
          | ^^^^^^^^^^^^^
    "#]],
    );
}

const WITH_PARAMETER: &str =
    "param min = 0us \"the least\";\ntable t from wasi:* where duration >= min { x = count() }";

fn parameters_are_refused(arguments: &[&str], code: i32, said: Expect) {
    let directory = Directory::new();
    directory.file("slow.ewq", WITH_PARAMETER);
    refused(
        &directory,
        &[&["script", "slow.ewq"], arguments].concat(),
        code,
        said,
    );
}

#[test]
fn a_parameter_of_another_type() {
    parameters_are_refused(
        &["--min", "1KiB", "--", "true"],
        65,
        expect![[r#"
        error[E0502]: `--min` takes a time, and `1KiB` is a size
         --> slow.ewq:1:13
          |
        1 | param min = 0us "the least";
          |             ^^^ the default makes `min` a time
    "#]],
    );
}

#[test]
fn a_parameter_that_is_no_value() {
    parameters_are_refused(
        &["--min", "banana", "--", "true"],
        65,
        expect![[r#"
        error[E0502]: the value of `--min` is wrong: `banana` is not a number
         --> slow.ewq:1:13
          |
        1 | param min = 0us "the least";
          |             ^^^ the default makes `min` a time
          |
          = help: write it as in the script, such as `0us`
    "#]],
    );
}

/// What `ewapa script slow.ewq` says about these arguments.
fn usage_error(arguments: &[&str]) -> String {
    let directory = Directory::new();
    directory.file("slow.ewq", WITH_PARAMETER);
    let mut command = Command::new(ewapa());
    command
        .args(["script", "slow.ewq"])
        .args(arguments)
        .current_dir(directory.path());
    let ended = Process::start(&mut command).end();
    assert_eq!(ended.code(), 64, "{}", ended.stderr);
    ended.stderr
}

#[test]
fn an_unknown_parameter() {
    let said = usage_error(&["--mni", "1ms", "--", "true"]);
    assert!(said.contains("'--mni'"), "{said}");
}

#[test]
fn a_parameter_without_a_value() {
    let said = usage_error(&["--min", "--", "true"]);
    assert!(said.contains("--min"), "{said}");
}

#[test]
fn a_script_that_is_not_there() {
    refused(
        &Directory::new(),
        &["script", "none.ewq", "--", "true"],
        66,
        expect![[r#"
            ewapa: cannot read the script none.ewq: No such file or directory (os error 2); the bundled scripts are fd_write_latency, wasi_summary, syscalls_per_call, errors
        "#]],
    );
}

#[test]
fn a_script_that_is_a_folder() {
    refused(
        &Directory::new(),
        &["script", ".", "--", "true"],
        66,
        expect![[r#"
            ewapa: cannot read the script .: Is a directory (os error 21); the bundled scripts are fd_write_latency, wasi_summary, syscalls_per_call, errors
        "#]],
    );
}

#[test]
fn a_script_that_is_no_text() {
    let directory = Directory::new();
    directory.file("binary.ewq", b"table \xff\xfe");
    refused(
        &directory,
        &["script", "binary.ewq", "--", "true"],
        65,
        expect![[r#"
            ewapa: binary.ewq is not a script: byte 6 is not UTF-8 text
        "#]],
    );
}

#[test]
fn no_script() {
    refused(
        &Directory::new(),
        &["script"],
        64,
        expect![[r#"
        error: the following required arguments were not provided:
          <FILE|NAME>

        Usage: ewapa script [OPTIONS] <FILE|NAME> [--PARAM VALUE]... [-p PID]... [-- COMMAND...]

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

              tip: to pass '--frobnicate' as a value, use '-- --frobnicate'

            Usage: ewapa script [OPTIONS] <FILE|NAME> [--PARAM VALUE]... [-p PID]... [-- COMMAND...]

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
fn nothing_to_trace() {
    run_is_refused(
        &[],
        64,
        expect![[r#"
        ewapa: nothing to trace: give a command after `--`, or `-p PID`; tracing every process of the machine is not possible yet
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
        ewapa: no WebAssembly runtime was found in process PID (/bin/cat); ewapa knows wasmtime, wasmer, wasmi, wamr, wasm3, node
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
    // Whatever becomes of it: the target ends, and with it a run that took the thread for a process.
    target.write(b"1");
    target.wait_for_output(2);
    target.close_stdin();
    target.end();
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
        ewapa: no WebAssembly runtime was found in `true`; ewapa knows wasmtime, wasmer, wasmi, wamr, wasm3, node
    "#]].assert_eq(&traced.ended.stderr);
}

fn stripped(runtime: Runtime) -> Option<Directory> {
    if !runtime.is_ready() {
        return None;
    }
    let directory = Directory::new();
    directory.file("counts.ewq", COUNTS);
    let copy = directory.path().join("runtime");
    let status = Command::new("strip")
        .arg("-o")
        .arg(&copy)
        .arg(runtime.binary())
        .status()
        .expect("run strip of binutils");
    assert!(status.success());
    Some(directory)
}

#[test]
fn a_stripped_wasm3() {
    if let Some(directory) = stripped(Runtime::Wasm3) {
        refused(
            &directory,
            &["script", "counts.ewq", "--", "./runtime", "module.wasm"],
            69,
            expect![[r#"
                ewapa: DIR/runtime: this looks like wasm3 (it contains `function is missing compiled m3 code`), but it is stripped: no .symtab; install or build it with its symbols
            "#]],
        );
    }
}

#[test]
fn a_stripped_iwasm() {
    if let Some(directory) = stripped(Runtime::Iwasm) {
        refused(
            &directory,
            &["script", "counts.ewq", "--", "./runtime", "module.wasm"],
            69,
            expect![[r#"
                ewapa: DIR/runtime: this looks like wamr (it contains `Init wasi environment failed`), but it is stripped: no .symtab; install or build it with its symbols
            "#]],
        );
    }
}

#[test]
fn the_symbols_of_a_stripped_runtime() {
    if let Some(directory) = stripped(Runtime::Wasm3) {
        refused(
            &directory,
            &["symbols", "runtime"],
            69,
            expect![[r#"
            ewapa: runtime: this looks like wasm3 (it contains `function is missing compiled m3 code`), but it is stripped: no .symtab; install or build it with its symbols
        "#]],
        );
    }
}

#[test]
fn the_symbols_of_what_is_no_runtime() {
    refused(
        &Directory::new(),
        &["symbols", "/bin/true"],
        68,
        expect![[r#"
            ewapa: /bin/true holds no WebAssembly runtime that ewapa knows: wasmtime, wasmer, wasmi, wamr, wasm3, node
        "#]],
    );
}

#[test]
fn the_symbols_of_what_is_no_binary() {
    let directory = Directory::new();
    directory.file("text", "text");
    refused(
        &directory,
        &["symbols", "text"],
        66,
        expect![[r#"
        ewapa: text is not an ELF file; name the runtime's binary or library
    "#]],
    );
}

#[test]
fn the_symbols_of_what_is_not_there() {
    refused(
        &Directory::new(),
        &["symbols", "none"],
        66,
        expect![[r#"
        ewapa: cannot read none: No such file or directory (os error 2)
    "#]],
    );
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
        ewapa: no right to load eBPF programs: run ewapa as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN; `ewapa doctor` says more
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
        said.contains("no  rights       CAP_BPF, CAP_PERFMON, CAP_SYS_ADMIN not held: run as root"),
        "{said}"
    );
}

#[test]
fn help_names_commands_that_there_are() {
    let directory = Directory::new();
    let script = directory.file("slow.ewq", "table t from wasi:fd_wirte { calls = count() }");
    let output = Command::new(ewapa())
        .arg("script")
        .arg(script)
        .args(["--", "true"])
        .output()
        .expect("run ewapa");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let commands = said
        .lines()
        .filter(|line| line.contains("= help:"))
        .flat_map(|line| line.split('`').skip(1).step_by(2));
    for command in commands.filter(|command| command.starts_with("ewapa ")) {
        let shell = format!("\"$0\" {}", command.trim_start_matches("ewapa "));
        let output = Command::new("sh")
            .args(["-c", &shell])
            .arg(ewapa())
            .output()
            .expect("run a shell");
        assert!(
            output.status.success(),
            "`{command}`: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
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
