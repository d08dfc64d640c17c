//! Errors of a script and of its parameters: what is wrong, where, and the way out, with exit code 65.

mod support;

use std::process::Command;

use expect_test::{Expect, expect};
use support::directory::Directory;
use support::host::ewapa;
use support::process::Process;
use support::refusal::refused;

fn script_is_refused(text: &str, said: Expect) {
    let directory = Directory::new();
    directory.file("slow.ewq", text);
    refused(&directory, &["script", "slow.ewq", "--", "true"], 65, said);
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
              = help: the runtimes are `wasmtime`, `wasmer`, `wasmi`, `wamr`, `wasm3`, `wabt`, `node`, `wasmedge`, `wazero`
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
              = help: a size is shown with `as bytes`, `as int`, `as bar`, or without `as` as it fits
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
        "fentry:ext4:ext4_sync_file { @[comm] = count(); }",
        expect![[r#"
        error[E0901]: a module at `fentry` is part of the language, but this version does not run it yet
         --> slow.ewq:1:1
          |
        1 | fentry:ext4:ext4_sync_file { @[comm] = count(); }
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: a function of a module is watched with `kprobe:ext4_sync_file`
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
            ewapa: cannot read the script none.ewq: No such file or directory (os error 2); the bundled scripts are fd_write_latency, wasi_summary, syscalls_per_call, errors, startup, syscalls_inside, slow_calls, files, handoff, empty_writes, unasked_syncs, stat_storms, redundant_syscalls, slow_readdir, small_writes, allocations
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
            ewapa: cannot read the script .: Is a directory (os error 21); the bundled scripts are fd_write_latency, wasi_summary, syscalls_per_call, errors, startup, syscalls_inside, slow_calls, files, handoff, empty_writes, unasked_syncs, stat_storms, redundant_syscalls, slow_readdir, small_writes, allocations
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
