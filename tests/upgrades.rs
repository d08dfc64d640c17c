//! Runtimes that are replaced while they are traced: old and new processes are both counted, and what was never
//! probed is never broken.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::directory::Directory;
use support::guest::Guest;
use support::process::{Process, wait_until_quiet};
use support::runtime::Invocation;
use support::trace::Script;
use support::wasm3::{Objects, can_be_built_with};
use support::{is_root, tinyrt, watch};

/// What a guest of these tests writes.
const WRITES: i64 = 10;

/// Two builds of wasm3 whose functions are at other places, and a module.
fn builds(directory: &Directory) -> [PathBuf; 3] {
    let [first, second] = ["first", "second"].map(|name| directory.path().join(name));
    Objects::Program.build(&first, &["-O2"], &[]);
    Objects::Program.build(&second, &["-O0"], &[]);
    [first, second, Guest::named("ends").compile(directory)]
}

/// A command that runs the first build, does something to the file, and runs what is there then.
fn between(directory: &Directory, what: &str) -> Invocation {
    let [first, second, module] = builds(directory);
    let text = format!("cp \"$1\" runtime && ./runtime \"$3\" && {what} && exec ./runtime \"$3\"");
    Invocation {
        directory: directory.path().to_owned(),
        ..Invocation::of([
            Path::new("sh"),
            Path::new("-c"),
            Path::new(&text),
            Path::new("sh"),
            &first,
            &second,
            &module,
        ])
    }
}

fn both_are_counted(what: &str) {
    if !can_be_built_with(&["gcc"]) {
        return;
    }
    let directory = Directory::new();
    let script = Script::new("table t from wasi:fd_write by pid { calls = count() }");
    let traced = script.run(&between(&directory, what));
    assert_eq!(traced.ended.code(), 0, "{}", traced.ended.stderr);
    let calls: Vec<i64> = traced
        .report
        .table()
        .rows()
        .map(|row| row.number("CALLS"))
        .collect();
    assert_eq!(
        calls,
        [WRITES, WRITES],
        "{}\n{}",
        traced.report.text,
        traced.ended.stderr
    );
}

#[test]
fn a_file_that_is_replaced_by_another_one() {
    both_are_counted("cp \"$2\" new && mv new runtime");
}

/// The probes of the first build would break the second one.
#[test]
fn a_file_that_is_written_to() {
    both_are_counted("cp \"$2\" runtime");
}

#[test]
fn a_file_that_is_cut_off_and_written_to() {
    both_are_counted(": >runtime && cat \"$2\" >runtime");
}

#[test]
fn a_file_that_is_touched() {
    both_are_counted("touch runtime && chmod 700 runtime && ln runtime linked");
}

#[test]
fn a_file_that_is_written_to_where_every_process_is_traced() {
    if !can_be_built_with(&["gcc"]) {
        return;
    }
    let directory = Directory::new();
    let invocation = between(&directory, "cp \"$2\" runtime");
    let watched = watch::begin("table t from wasi:fd_write by pid { calls = count() }", &[]);
    let shell = Process::start(&mut invocation.command());
    let pid = shell.pid();
    let ended = shell.end();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let (rows, said) = watched.end();
    // The shell becomes the second one.
    let row = format!("{pid},{WRITES}");
    assert!(rows.contains(&row), "no {row} in {rows:?}: {said}");
}

/// As packages do it: a process runs a file that has no name any more, and new ones run the new file.
#[test]
fn versions_are_shown_apart() {
    if !is_root() {
        return;
    }
    let directory = Directory::new();
    directory.file("tinyrt.toml", tinyrt::description());
    tinyrt::compile_as("1.2.3", &directory.path().join("tinyrt"));
    tinyrt::compile_as("1.3.0", &directory.path().join("new"));
    let command = Invocation {
        directory: directory.path().to_owned(),
        ..Invocation::of([
            "sh",
            "-c",
            "./tinyrt & wait; mv new tinyrt; ./tinyrt; ./tinyrt",
        ])
    };
    let catalogue = directory.path().to_str().expect("a path of text");
    let traced = Script::new("table t from wasi:fd_write by runtime { calls = count() }")
        .with(&["--catalogue", catalogue])
        .run(&command);
    let table = traced.report.table();
    let mut rows: Vec<(&str, i64)> = table
        .rows()
        .map(|row| (row.text("RUNTIME"), row.number("CALLS")))
        .collect();
    rows.sort_unstable();
    assert_eq!(
        rows,
        [("tinyrt 1.2.3", 7), ("tinyrt 1.3.0", 14)],
        "{}",
        traced.report.text
    );
}

/// The process was there before its file was replaced, and before the script; the other one after both.
#[test]
fn a_process_whose_file_is_gone_is_traced_beside_the_new_one() {
    if !can_be_built_with(&["gcc"]) {
        return;
    }
    let directory = Directory::new();
    let [first, second, module] = builds(&directory);
    let echo = Guest::named("echo").compile(&directory);
    let mut old = Process::start(Command::new(&first).arg(&echo));
    old.write(b"0");
    old.wait_for_output(1);
    wait_until_quiet(old.pid());
    fs::rename(&second, &first).expect("replace the file");
    let watched = watch::begin("table t from wasi:fd_write by pid { calls = count() }", &[]);
    let new = Process::start(Command::new(&first).arg(&module));
    let new_pid = new.pid();
    assert_eq!(new.end().code(), 0);
    // By now the processes that ran before have been looked into.
    wait_until_quiet(watched.0.pid());
    old.write(b"1234");
    old.wait_for_output(5);
    let old_pid = old.pid();
    let (rows, said) = watched.end();
    for row in [format!("{new_pid},{WRITES}"), format!("{old_pid},4")] {
        assert!(rows.contains(&row), "no {row} in {rows:?}: {said}");
    }
    old.close_stdin();
    assert_eq!(old.end().code(), 0);
}

/// A probe at an offset of the first build would be in the middle of an instruction of the second one.
#[test]
fn a_file_with_raw_probes_that_is_written_to() {
    if !can_be_built_with(&["gcc"]) {
        return;
    }
    let directory = Directory::new();
    let runtime = directory.path().join("runtime");
    let [first, second, module] = builds(&directory);
    fs::copy(&first, &runtime).expect("copy the runtime");
    let script = format!(
        "uprobe:{}:m3_wasi_unstable_fd_write {{ @calls = count(); }}",
        runtime.display()
    );
    for mechanism in ["session", "perf"] {
        // The copy that is there already is what the script has probes on; `cat` writes the second build into it.
        fs::copy(&first, &runtime).expect("copy the runtime");
        let text = "./runtime \"$2\" && cat \"$1\" >runtime && exec ./runtime \"$2\"";
        let command = Invocation {
            directory: directory.path().to_owned(),
            ..Invocation::of([
                Path::new("sh"),
                Path::new("-c"),
                Path::new(text),
                Path::new("sh"),
                &second,
                &module,
            ])
        };
        let script = Script::new(&script).with(&["--attach", mechanism]);
        let ended = script.start_without_file(&command).end();
        let stdout = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert_eq!(ended.code(), 0, "{mechanism}: {stdout}{}", ended.stderr);
        assert!(
            format!("{stdout}{}", ended.stderr).contains(&format!("@calls: {WRITES}\n")),
            "{mechanism}: {stdout}{}",
            ended.stderr
        );
        assert!(
            ended
                .stderr
                .contains("runtime was written to, so its probes were taken off"),
            "{mechanism}: {}",
            ended.stderr
        );
    }
}
