//! What a guest passes is what the table says, on every runtime: arguments, buffers, paths; and what
//! happens within a call: which thread ran, and which it woke.

#[macro_use]
mod support;

use std::collections::BTreeSet;

use support::directory::Directory;
use support::guest::Guest;
use support::runtime::{Invocation, Runtime};
use support::trace::Script;

/// The rows of a table as CSV, without what stands around them.
fn rows(runtime: Runtime, guest: &Guest, script: &str) -> BTreeSet<String> {
    let directory = Directory::new();
    directory.file("data", "0123456789abcdef");
    directory.file("other", "0123456789abcdef");
    let module = guest.compile(&directory);
    rows_of(&runtime.run(&module, directory.path()), script)
}

fn rows_of(invocation: &Invocation, script: &str) -> BTreeSet<String> {
    let traced = Script::new(script)
        .with(&["-f", "csv"])
        .run(
            &invocation
                .clone()
                .wrapped(["sh", "-c", "exec \"$@\" >/dev/null", "sh"]),
        );
    let text = &traced.report.text;
    assert!(
        traced.ended.stderr.contains("nothing lost") || text.contains("nothing lost"),
        "{text}{}",
        traced.ended.stderr
    );
    text.lines()
        .skip_while(|line| !line.starts_with("func,"))
        .skip(1)
        .take_while(|line| line.contains(','))
        .map(str::to_owned)
        .collect()
}

fn set<const N: usize>(rows: [String; N]) -> BTreeSet<String> {
    rows.into()
}

/// The number that the runtime gives to the first file that is opened.
fn opened(runtime: Runtime, rows: &BTreeSet<String>) -> String {
    let close = rows
        .iter()
        .find_map(|row| row.strip_prefix("fd_close,"))
        .expect("the file is closed");
    let fd = close.split(',').next().expect("a descriptor").to_owned();
    if runtime == Runtime::Builtin {
        assert_eq!(fd, "0", "no directory, so nothing was opened");
    } else {
        assert!(fd.parse::<u32>().is_ok_and(|fd| fd > 3), "{fd}");
    }
    fd
}

fn arguments_are_those_that_the_guest_passed(runtime: Runtime) {
    let script = "table t from wasi:* by func, arg0, arg1, arg2, arg3 { n = count() }";
    let rows = rows(runtime, &Guest::named("arguments"), script);
    let fd = opened(runtime, &rows);
    // WAMR and Node have turned addresses into those of the host before.
    let address = |value: u32| match runtime.shows_addresses() {
        false => String::new(),
        true => value.to_string(),
    };
    assert_eq!(
        rows,
        set([
            format!("clock_time_get,1,1000000000000,{},,1", address(88)),
            format!("fd_close,{fd},,,,1"),
            format!("fd_read,{fd},{},1,{},2", address(16), address(84)),
            format!("fd_seek,{fd},-3,1,{},1", address(88)),
            format!("fd_write,1,{},2,{},1", address(0), address(84)),
            format!("path_open,3,1,{},4,1", address(200)),
            format!("path_open,3,1,{},7,1", address(204)),
            format!("path_open,3,1,{},200,1", address(300)),
            format!("random_get,{},33,,,1", address(2000)),
        ])
    );
}

fn the_last_arguments_are_read_where_they_are(runtime: Runtime) {
    let script =
        "table t from wasi:path_open by func, arg4, arg5, arg6, arg7, arg8 { n = count() }";
    let rows = rows(runtime, &Guest::named("arguments"), script);
    let address = if runtime.shows_addresses() { "80" } else { "" };
    assert_eq!(
        rows,
        set([
            format!("path_open,0,8198,64,0,{address},1"),
            format!("path_open,0,2,0,0,{address},1"),
            format!("path_open,0,2,0,4,{address},1"),
        ])
    );
}

fn a_call_says_how_much_it_was_asked_to_move(runtime: Runtime) {
    let script = "table t from wasi:* by func, iovs, bytes_req { n = count() }";
    let rows = rows(runtime, &Guest::named("arguments"), script);
    assert_eq!(
        rows,
        set([
            "clock_time_get,,,1".to_owned(),
            "fd_close,,,1".to_owned(),
            "fd_read,1,7,2".to_owned(),
            "fd_seek,,,1".to_owned(),
            "fd_write,2,7,1".to_owned(),
            "path_open,,,3".to_owned(),
            "random_get,,33,1".to_owned(),
        ])
    );
}

fn calls_on_a_descriptor_have_the_path_that_opened_it(runtime: Runtime) {
    let script = "table t from wasi:* by func, path { n = count() }";
    let rows = rows(runtime, &Guest::named("arguments"), script);
    let long = "0123456789".repeat(13);
    let long = &long[..127];
    let mut expected = set([
        "clock_time_get,,1".to_owned(),
        "fd_write,,1".to_owned(),
        "path_open,data,1".to_owned(),
        "path_open,missing,1".to_owned(),
        format!("path_open,{long},1"),
        "random_get,,1".to_owned(),
    ]);
    // Without a directory nothing was opened.
    let of_file: &[&str] = match runtime {
        Runtime::Builtin => &["fd_close,,1", "fd_read,,2", "fd_seek,,1"],
        _ => &[
            "fd_close,data,1",
            "fd_read,,1",
            "fd_read,data,1",
            "fd_seek,data,1",
        ],
    };
    expected.extend(of_file.iter().map(|row| (*row).to_owned()));
    assert_eq!(rows, expected);
}

fn a_script_need_not_wait_for_the_calls_that_open_and_close(runtime: Runtime) {
    let script = "table t from wasi:fd_read by func, path { n = count() }";
    let rows = rows(runtime, &Guest::named("arguments"), script);
    let expected: &[&str] = match runtime {
        Runtime::Builtin => &["fd_read,,2"],
        _ => &["fd_read,,1", "fd_read,data,1"],
    };
    assert_eq!(rows, expected.iter().map(|row| (*row).to_owned()).collect());
}

fn a_path_moves_with_its_descriptor(runtime: Runtime) {
    // wasm3 does not have fd_renumber, and that of the WAMR here fails; without a directory nothing opens.
    if matches!(runtime, Runtime::Wasm3 | Runtime::Builtin) {
        return;
    }
    let script = "table t from wasi:fd_tell, wasi:fd_renumber by func, path { ok = count() if errno == 0, n = count() }";
    let rows = rows(runtime, &Guest::named("renumber"), script);
    // Wasmer leaves the old one open, and takes the right to tell from the new one.
    let (new, old) = match runtime {
        Runtime::Wasmer => (0, 1),
        _ => (1, 0),
    };
    let expected = set([
        "fd_renumber,data,1,1".to_owned(),
        "fd_tell,other,1,1".to_owned(),
        format!("fd_tell,data,{new},1"),
        format!("fd_tell,,{old},1"),
    ]);
    assert_eq!(rows, expected);
}

fn calls_are_numbered_each_by_its_own(runtime: Runtime) {
    let guest = Guest::named("calls").set("writes", 50);
    let script = "table t from wasi:fd_write by func, call_id, depth { n = count() }";
    let rows = rows(runtime, &guest, script);
    assert!(rows.len() > 50, "{rows:?}");
    for row in &rows {
        assert!(row.ends_with(",0,1"), "{row}");
        assert!(!row.starts_with("fd_write,0,"), "{row}");
    }
}

on_every_runtime! {
    arguments_are_those_that_the_guest_passed,
    the_last_arguments_are_read_where_they_are,
    a_call_says_how_much_it_was_asked_to_move,
    calls_on_a_descriptor_have_the_path_that_opened_it,
    a_script_need_not_wait_for_the_calls_that_open_and_close,
    a_path_moves_with_its_descriptor,
    calls_are_numbered_each_by_its_own,
}

#[test]
fn more_buffers_than_are_added_up_are_none_and_counted() {
    if !Runtime::Wasmi.is_ready() {
        return;
    }
    let directory = Directory::new();
    let module = Guest::named("buffers").compile(&directory);
    let script = "table t from wasi:fd_write by iovs { asked = sum(bytes_req) as int }";
    let traced = Script::new(script).run(&Runtime::Wasmi.run(&module, directory.path()));
    let table = traced.report.table();
    assert_eq!(table.row(&[("IOVS", "64")]).text("ASKED"), "7");
    assert_eq!(table.row(&[("IOVS", "65")]).text("ASKED"), "-");
    assert!(
        traced
            .report
            .text
            .contains("1 calls had more than 64 buffers"),
        "{}",
        traced.report.text
    );
}

/// Waits half a second for its input.
fn waits_for_input(runtime: Runtime, directory: &Directory) -> Invocation {
    let module = Guest::named("echo").set("chunk", 16).compile(directory);
    runtime.run(&module, directory.path()).wrapped([
        "sh",
        "-c",
        "(sleep 0.5; echo x) | \"$@\" >/dev/null",
        "sh",
    ])
}

#[test]
fn a_call_that_waits_does_not_run_meanwhile() {
    let runtimes = [
        Runtime::Wasmi,
        Runtime::Wasmtime,
        Runtime::Node,
        Runtime::Wasm3,
    ];
    for runtime in runtimes.into_iter().filter(|runtime| runtime.is_ready()) {
        let directory = Directory::new();
        let script = "table t from wasi:fd_read by func { off = sum(offcpu_time) as int, all = sum(duration) as int }";
        let traced = Script::new(script).run(&waits_for_input(runtime, &directory));
        let row = traced.report.table().row(&[("FUNC", "fd_read")]);
        let (off, all) = (row.number("OFF"), row.number("ALL"));
        // Runtimes start while the input is slept for.
        assert!(off > 50_000_000, "{runtime:?}: {off} of {all}");
        assert!(off <= all, "{runtime:?}: {off} of {all}");
        assert!(all - off < all / 2, "{runtime:?}: {off} of {all}");
    }
}

#[test]
fn work_that_is_handed_to_another_thread_is_a_hop() {
    let hops = |runtime: Runtime| {
        let directory = Directory::new();
        let script = "table t from wasi:fd_read by func { hops = sum(thread_hops) }";
        let traced = Script::new(script).run(&waits_for_input(runtime, &directory));
        traced
            .report
            .table()
            .row(&[("FUNC", "fd_read")])
            .number("HOPS")
    };
    // wasmtime reads standard input in a thread for it; wasmi reads it itself.
    if Runtime::Wasmtime.is_ready() {
        assert!(hops(Runtime::Wasmtime) > 0);
    }
    if Runtime::Wasmi.is_ready() {
        assert_eq!(hops(Runtime::Wasmi), 0);
    }
}

/// A module that writes a text of its own memory when `name` is called, and what else it imports and does.
fn writes(text: &str, name: &str, imports: &str, rest: &str) -> String {
    let length = text.len();
    format!(
        r#"(module
          (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          {imports}
          (memory (export "memory") 1)
          (data (i32.const 16) "{text}")
          (func (export "{name}")
            (i32.store (i32.const 0) (i32.const 16))
            (i32.store (i32.const 4) (i32.const {length}))
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)))
            {rest}))"#
    )
}

/// Runs a module on wasmtime with these words before it.
fn on_wasmtime(directory: &Directory, options: &[&str], module: &str) -> Invocation {
    let module = directory.file("main.wat", module);
    let mut invocation = Runtime::Wasmtime.run(&module, directory.path());
    invocation
        .words
        .splice(2..2, options.iter().map(std::ffi::OsString::from));
    invocation
}

#[test]
fn each_of_several_instances_has_its_own_memory() {
    if !Runtime::Wasmtime.is_ready() {
        return;
    }
    let directory = Directory::new();
    let other = directory.file("other.wat", writes("seven77", "say", "", ""));
    let main = writes(
        "thr",
        "_start",
        r#"(import "other" "say" (func $say))"#,
        "(call $say) (call $say)",
    );
    let preload = format!("--preload=other={}", other.display());
    let invocation = on_wasmtime(&directory, &[&preload], &main);
    let script = "table t from wasi:* by func, bytes, bytes_req { n = count() }";
    assert_eq!(
        rows_of(&invocation, script),
        set(["fd_write,3,3,1".to_owned(), "fd_write,7,7,2".to_owned()])
    );
}

#[test]
fn memory_that_cannot_be_found_is_none_and_is_counted() {
    if !Runtime::Wasmtime.is_ready() {
        return;
    }
    let directory = Directory::new();
    let invocation = on_wasmtime(
        &directory,
        &["--target=pulley64"],
        &writes("thr", "_start", "", ""),
    );
    let traced = Script::new("table t from wasi:* by func, bytes, errno { n = count() }")
        .with(&["-f", "csv"])
        .run(&invocation);
    let said = format!("{}{}", traced.report.text, traced.ended.stderr);
    assert!(said.contains("fd_write,,SUCCESS,1"), "{said}");
    assert!(
        said.contains("1 values could not be read from the memory of a process"),
        "{said}"
    );
}
