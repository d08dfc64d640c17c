//! Descriptions of runtimes that users write: the example of docs/RUNTIMES.md, from the file to the numbers.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use expect_test::expect;
use support::bpftrace::compile;
use support::directory::Directory;
use support::host::ewapa;
use support::is_root;
use support::process::Process;
use support::refusal::refused;
use support::runtime::Runtime;
use support::tinyrt;

/// A folder with the invented runtime, and `catalogue/tinyrt.toml`.
fn tinyrt(description: &str) -> Directory {
    let directory = Directory::new();
    compile("tinyrt.c", &directory.path().join("tinyrt"));
    std::fs::create_dir(directory.path().join("catalogue")).expect("make a folder");
    directory.file("catalogue/tinyrt.toml", description);
    directory
}

/// What a run printed.
struct Said {
    stdout: String,
    stderr: String,
    code: i32,
}

fn run(directory: &Directory, arguments: &[&str], environment: &[(&str, &Path)]) -> Said {
    let mut command = Command::new(ewapa());
    command
        .args(arguments)
        .current_dir(directory.path())
        .envs(environment.iter().copied());
    let mut process = Process::start(&mut command);
    process.close_stdin();
    let ended = process.end();
    Said {
        stdout: String::from_utf8_lossy(&ended.stdout).into_owned(),
        code: ended.code(),
        stderr: ended.stderr,
    }
}

const SCRIPT: &str = "table t from wasi:tinyrt:* by runtime, func, errno, fd { calls = count(), moved = sum(bytes) as int }";

const NUMBERS: &[&str] = &[
    "tinyrt 1.2.3,fd_close,BADF,99,3,",
    "tinyrt 1.2.3,fd_write,SUCCESS,1,7,35",
    "tinyrt 1.2.3,sched_yield,SUCCESS,,1,",
];

/// The rows of the table, sorted.
fn rows(ended: &Said) -> Vec<String> {
    let rows = ended.stdout.lines().filter(|line| line.contains("tinyrt"));
    let mut rows: Vec<String> = rows.map(str::to_owned).collect();
    rows.sort_unstable();
    rows
}

const TRACE: &[&str] = &[
    "script",
    "-q",
    "-f",
    "csv",
    "-o",
    "/dev/stdout",
    "-e",
    SCRIPT,
];

#[test]
fn the_example_of_the_documentation_counts_the_calls_of_its_runtime() {
    if !is_root() {
        return;
    }
    let directory = tinyrt(&tinyrt::description());
    let arguments = [TRACE, &["--catalogue", "catalogue", "--", "./tinyrt"]].concat();
    let ended = run(&directory, &arguments, &[]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(rows(&ended), NUMBERS, "{}\n{}", ended.stdout, ended.stderr);
}

#[test]
fn descriptions_in_the_configuration_are_read() {
    if !is_root() {
        return;
    }
    let directory = tinyrt(&tinyrt::description());
    let config = directory.path().join("config");
    std::fs::create_dir_all(config.join("ewapa")).expect("make folders");
    std::fs::rename(
        directory.path().join("catalogue"),
        config.join("ewapa/catalogue"),
    )
    .expect("move the folder");
    let arguments = [TRACE, &["--", "./tinyrt"]].concat();
    let ended = run(&directory, &arguments, &[("XDG_CONFIG_HOME", &config)]);
    assert_eq!(rows(&ended), NUMBERS, "{}\n{}", ended.stdout, ended.stderr);
}

#[test]
fn an_own_runtime_that_is_stripped_is_found_by_its_debug_file() {
    if !is_root() {
        return;
    }
    let directory = tinyrt(&tinyrt::description());
    separate(&directory, "tinyrt", "tinyrt.debug");
    let arguments = [TRACE, &["--catalogue", "catalogue", "--", "./tinyrt"]].concat();
    let ended = run(&directory, &arguments, &[]);
    assert_eq!(rows(&ended), NUMBERS, "{}\n{}", ended.stdout, ended.stderr);
}

/// Moves the symbols of a program into a debug file beside it.
fn separate(directory: &Directory, program: &str, debug: &str) {
    for words in [
        vec!["objcopy", "--only-keep-debug", program, debug],
        vec!["strip", program],
        vec!["objcopy", "--add-gnu-debuglink", debug, program],
    ] {
        let status = Command::new(words[0])
            .args(&words[1..])
            .current_dir(directory.path())
            .status()
            .expect("run binutils");
        assert!(status.success(), "{words:?}");
    }
}

#[test]
fn an_own_runtime_has_a_name_in_scripts_and_lists() {
    let directory = tinyrt(&tinyrt::description());
    let ended = run(
        &directory,
        &["list", "--catalogue", "catalogue", "wasi:tinyrt:fd_tell"],
        &[],
    );
    assert_eq!(ended.stdout, "wasi:tinyrt:fd_tell\n", "{}", ended.stderr);
    let ended = run(
        &directory,
        &["symbols", "--catalogue=catalogue", "tinyrt"],
        &[],
    );
    assert!(
        ended
            .stdout
            .starts_with("tinyrt 1.2.3: C functions (verified with 1.2.3)\n"),
        "{}{}",
        ended.stdout,
        ended.stderr
    );
}

#[test]
fn a_description_of_a_bundled_runtime_takes_its_place() {
    let directory = tinyrt(&tinyrt::description().replace("name = \"tinyrt\"", "name = \"wamr\""));
    let ended = run(
        &directory,
        &["symbols", "--catalogue", "catalogue", "tinyrt"],
        &[],
    );
    assert!(ended.stdout.starts_with("wamr 1.2.3: "), "{}", ended.stdout);
    let iwasm = tinyrt(&tinyrt::description());
    let ended = run(&iwasm, &["doctor", "--catalogue", "catalogue"], &[]);
    assert!(
        ended
            .stdout
            .contains("tinyrt, wasmtime, wasmer, wasmi, wamr, wasm3, wabt (not verified), node, wasmedge (not verified), wazero"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_store_with_another_layout_than_described_gives_no_numbers() {
    if !is_root() {
        return;
    }
    let bundled = include_str!("../runtime-symbols/catalogue/wasmer.toml");
    let right = "{ store = { memories = 8, description = 8, base = 16 } }";
    for (memory, path) in [
        (right, "there"),
        (
            "{ store = { memories = 8, description = 8, base = 24 } }",
            "",
        ),
        (
            "{ store = { memories = 8, description = 14, base = 16 } }",
            "",
        ),
        (
            "{ store = { memories = 32, description = 8, base = 16 } }",
            "",
        ),
    ] {
        assert!(bundled.contains(right));
        let directory = Directory::new();
        std::fs::create_dir(directory.path().join("catalogue")).expect("make a folder");
        let description = bundled.replace(right, memory);
        directory.file("catalogue/wasmer.toml", &description);
        directory.file("there", "0123456789abcdef");
        let guest = "(module
          (import \"wasi_snapshot_preview1\" \"path_filestat_get\"
            (func $stat (param i32 i32 i32 i32 i32) (result i32)))
          (memory (export \"memory\") 1)
          (data (i32.const 512) \"there\")
          (func (export \"_start\")
            (drop (call $stat (i32.const 3) (i32.const 0) (i32.const 512) (i32.const 5) (i32.const 0)))))";
        let module = directory.file("stat.wasm", wat::parse_str(guest).expect("a module"));
        let command = Runtime::Wasmer.run(&module, directory.path());
        let words: Vec<&str> = command
            .words
            .iter()
            .filter_map(|word| word.to_str())
            .collect();
        let script = "table t from wasi:wasmer:* by func, errno, path { calls = count() }";
        let options = [
            "script",
            "-q",
            "-f",
            "csv",
            "-o",
            "/dev/stdout",
            "--catalogue",
            "catalogue",
            "-e",
            script,
            "--",
        ];
        let ended = run(&directory, &[&options[..], &words].concat(), &[]);
        let row = ended
            .stdout
            .lines()
            .find(|line| line.starts_with("path_filestat_get"));
        let expected = format!("path_filestat_get,SUCCESS,{path},1");
        assert_eq!(
            row,
            Some(expected.as_str()),
            "{memory}: {}{}",
            ended.stdout,
            ended.stderr
        );
    }
}

#[test]
fn what_is_wrong_in_a_description_is_said_with_its_line() {
    let directory = tinyrt(&tinyrt::description().replace("(?P<function>", "(?P<name>"));
    directory.file("ok.ewq", "wasi:* { @ = count(); }");
    refused(
        &directory,
        &["check", "--catalogue", "catalogue", "ok.ewq"],
        66,
        expect![[r#"
            ewapa: in the catalogue file catalogue/tinyrt.toml, line 24, variant `C functions`: `pattern` must have the group `function` or `index`; that of an envelope or a start has none
        "#]],
    );
}

#[test]
fn a_description_that_others_may_write_is_refused() {
    let directory = tinyrt(&tinyrt::description());
    let file = directory.path().join("catalogue/tinyrt.toml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).expect("chmod");
    refused(
        &directory,
        &["list", "--catalogue", "catalogue"],
        66,
        expect![[r#"
            ewapa: catalogue/tinyrt.toml is not read: others may write to it; run: chmod go-w catalogue/tinyrt.toml
        "#]],
    );
}

#[test]
fn a_description_of_another_user_is_refused() {
    if !is_root() {
        return;
    }
    let directory = tinyrt(&tinyrt::description());
    let folder = directory.path().join("catalogue");
    std::os::unix::fs::chown(&folder, Some(4321), None).expect("chown");
    refused(
        &directory,
        &["list", "--catalogue", "catalogue"],
        66,
        expect![[r#"
            ewapa: catalogue is not read: it belongs to user 4321; catalogue files and their folder must belong to root or to you (chown)
        "#]],
    );
}

#[test]
fn a_folder_without_descriptions_is_named() {
    refused(
        &Directory::new(),
        &["list", "--catalogue", "."],
        66,
        expect![[r#"
            ewapa: . has no catalogue file (*.toml)
        "#]],
    );
}
