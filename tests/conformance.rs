//! Modules as others write them, and modules of unusual shape: every WASI call is seen once, under its name, with
//! its arguments, errno and bytes. Each module counts its own calls (`support/instrument.rs`).

#[macro_use]
mod support;

use std::collections::BTreeMap;
use std::path::Path;

use ewapa_lang::errno;
use ewapa_lang::wasi::{ArgType, Function};
use serde_json::Value as Json;
use support::directory::Directory;
use support::instrument::{Instrumented, Sums, scrambled};
use support::runtime::Runtime;
use support::trace::Script;

/// A script that reads no guest memory may have its probes at other places.
const SCRIPTS: [&str; 2] = [
    "table t from wasi:* by func, arg0, arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8, errno, bytes { n = count() }",
    "table t from wasi:* by func, arg0, arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8, errno { n = count() }",
];

/// A number of a row; `None` for none.
fn value(column: &str, cell: &Json) -> Option<u64> {
    match cell {
        Json::String(text) if column == "errno" => {
            let known = errno::ERRNO.iter().position(|name| name == text);
            known
                .map(|index| index as u64)
                .or_else(|| text.parse().ok())
        }
        cell => cell.as_i64().map(|number| number as u64),
    }
}

/// What ewapa saw, by function and column, in the way of [`Instrumented::counted`].
fn seen(text: &str) -> BTreeMap<String, Sums> {
    let mut seen: BTreeMap<String, Sums> = BTreeMap::new();
    for line in text.lines() {
        let line: Json = serde_json::from_str(line).expect("a line of JSON");
        if line["type"] != "row" {
            for lost in ["lost", "unmatched", "abandoned", "open"] {
                assert_eq!(line[lost], 0, "{lost}: {line}");
            }
            // A call of proc_exit does not return, so it is in no table.
            for (function, count) in line["unfinished"].as_object().expect("a map") {
                let calls = seen.entry(function.clone()).or_default();
                *calls.entry("calls".to_owned()).or_default() += count.as_u64().expect("a count");
            }
            continue;
        }
        let count = line["columns"]["n"].as_u64().expect("a number of calls");
        let keys = line["keys"].as_object().expect("keys");
        let sums = seen
            .entry(keys["func"].as_str().expect("a function").to_owned())
            .or_default();
        *sums.entry("calls".to_owned()).or_default() += count;
        for (column, cell) in keys {
            if let Some(value) = value(column, cell) {
                let sum = sums.entry(column.clone()).or_default();
                *sum = sum.wrapping_add(scrambled(value).wrapping_mul(count));
            }
        }
    }
    seen
}

/// Leaves out what the runtime does not give, and where nothing was to be given.
fn given(runtime: Runtime, mut counted: BTreeMap<String, Sums>) -> BTreeMap<String, Sums> {
    if runtime.name() == "node" {
        counted.remove("proc_exit");
    }
    for (name, sums) in &mut counted {
        let function = Function::named(name).expect("a WASI function");
        sums.retain(|column, _| {
            let Some(index) = column.strip_prefix("arg") else {
                return column == "calls" || name != "proc_exit";
            };
            let index: usize = index.parse().expect("a number");
            let is_address = matches!(function.args()[index].ty, ArgType::Pointer | ArgType::Moved);
            name != "proc_exit" && (runtime.shows_addresses() || !is_address)
        });
    }
    counted
}

/// Runs a module, and compares.
fn compare(runtime: Runtime, name: &str, wasm: &[u8]) {
    for script in SCRIPTS {
        compare_with(script, runtime, name, wasm);
    }
}

fn compare_with(script: &str, runtime: Runtime, name: &str, wasm: &[u8]) {
    let instrumented = Instrumented::new(wasm);
    let directory = Directory::new();
    directory.file("data", "0123456789abcdef");
    directory.file("other", "other");
    std::fs::create_dir(directory.path().join("folder")).expect("make a folder");
    let module = directory.file("module.wasm", &instrumented.wasm);
    let traced = Script::new(script)
        .with(&["-f", "json"])
        .run(&runtime.run(&module, directory.path()));
    let counted = instrumented
        .counted(&traced.ended.stdout)
        .unwrap_or_else(|| {
            panic!(
                "{name} did not come to its end on {runtime:?}: {}",
                traced.ended.stderr
            )
        });
    let (found, mut wanted) = (seen(&traced.report.text), given(runtime, counted));
    if !script.contains("bytes") {
        for sums in wanted.values_mut() {
            sums.remove("bytes");
        }
    }
    assert_eq!(found, wanted, "{name}, {runtime:?}: seen, and counted");
}

/// Whether the runtime has all that a module imports.
fn runs(runtime: Runtime, wasm: &[u8]) -> bool {
    Instrumented::new(wasm)
        .imported()
        .all(|name| Function::named(name).is_some_and(|function| runtime.has(function)))
}

fn programs_make_the_calls_that_are_seen(runtime: Runtime) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests");
    for name in [
        "conformance/basic",
        "conformance/files",
        "conformance/paths",
        "conformance/others",
        "conformance/sockets",
        "assemblyscript/files",
    ] {
        let wasm = std::fs::read(folder.join(format!("{name}.wasm"))).expect("a built module");
        // It has an opcode that wasm3 0.4.7 has not.
        let is_beyond = runtime == Runtime::Wasm3 && name.starts_with("assemblyscript");
        if runs(runtime, &wasm) && !is_beyond {
            compare(runtime, name, &wasm);
        }
    }
}

fn modules_of_unusual_shape_make_the_calls_that_are_seen(runtime: Runtime) {
    // The version before preview 1, which these no longer have.
    let lacks_unstable = matches!(
        runtime,
        Runtime::Wasmi | Runtime::Builtin | Runtime::LibWasmtime
    );
    for (name, text) in SHAPES
        .iter()
        .filter(|(name, _)| !(lacks_unstable && *name == "unstable"))
    {
        let wasm = wat::parse_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        compare(runtime, name, &wasm);
    }
}

/// Modules with the functions that all runtimes have.
const SHAPES: &[(&str, &str)] = &[
    (
        "indirect",
        // Imports are called through a table, one is exported again, and there is a global.
        r#"(module
          (type $write (func (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_write" (func $write (type $write)))
          (import "wasi_snapshot_preview1" "fd_read" (func $read (type $write)))
          (memory (export "memory") 1)
          (table 2 funcref)
          (global $count (mut i32) (i32.const 3))
          (elem (i32.const 0) $write $read)
          (export "again" (func $write))
          (data (i32.const 0) "\40\00\00\00\03\00\00\00")
          (func (export "_start")
            (loop $next
              (drop (call_indirect (type $write) (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32) (i32.const 0)))
              (global.set $count (i32.sub (global.get $count) (i32.const 1)))
              (br_if $next (global.get $count)))
            (drop (call_indirect (type $write) (i32.const 99) (i32.const 0) (i32.const 1) (i32.const 32) (i32.const 1)))))"#,
    ),
    (
        "buffers",
        // No buffers, a thousand of them, some empty, and one that ends where memory ends.
        r#"(module
          (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (data (i32.const 8) "\00\01\00\00\02\00\00\00\00\01\00\00\00\00\00\00\00\01\00\00\01\00\00\00")
          (data (i32.const 65528) "\f0\ff\00\00\08\00\00\00")
          (func (export "_start") (local $at i32)
            (drop (call $write (i32.const 1) (i32.const 8) (i32.const 0) (i32.const 0)))
            (drop (call $write (i32.const 1) (i32.const 8) (i32.const 3) (i32.const 0)))
            (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 0)))
            (drop (call $write (i32.const 1) (i32.const 65528) (i32.const 1) (i32.const 0)))
            (drop (call $write (i32.const 1) (i32.const 4096) (i32.const 1000) (i32.const 0)))))"#,
    ),
    (
        "unstable",
        r#"(module
          (import "wasi_unstable" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (import "wasi_unstable" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
          (import "wasi_unstable" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 1)
          (data (i32.const 0) "\40\00\00\00\03\00\00\00")
          (func (export "_start")
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))
            (drop (call $write (i32.const 77) (i32.const 0) (i32.const 1) (i32.const 32)))
            (drop (call $time (i32.const 1) (i64.const 1000) (i32.const 32)))
            (call $exit (i32.const 0))))"#,
    ),
    (
        "twice",
        r#"(module
          (import "wasi_snapshot_preview1" "random_get" (func $one (param i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "random_get" (func $two (param i32 i32) (result i32)))
          (memory (export "memory") 1)
          (func (export "_start")
            (drop (call $one (i32.const 64) (i32.const 3)))
            (drop (call $two (i32.const 64) (i32.const 5)))
            (drop (call $two (i32.const 64) (i32.const 0)))))"#,
    ),
];

on_every_runtime! {
    programs_make_the_calls_that_are_seen,
    modules_of_unusual_shape_make_the_calls_that_are_seen,
}
