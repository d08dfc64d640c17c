//! The bundled scripts for known causes of slow calls: each on a runtime that has the cause, and on one that
//! has not.

mod support;

use std::path::{Path, PathBuf};

use support::bpftrace::compile;
use support::directory::Directory;
use support::guest::Guest;
use support::report::Table;
use support::runtime::{Invocation, Runtime};
use support::trace::{Script, Traced};

fn ready(runtimes: &[Runtime]) -> bool {
    runtimes.iter().all(|runtime| runtime.is_ready())
}

/// A guest that copies what comes through a pipe.
fn copies(runtime: Runtime) -> Traced {
    let directory = Directory::new();
    let module = Guest::named("echo").set("chunk", 16).compile(&directory);
    let invocation = runtime.run(&module, directory.path()).wrapped([
        "sh",
        "-c",
        "(sleep 0.3; echo text) | \"$@\" >/dev/null",
        "sh",
    ]);
    Script::bundled("handoff").run(&invocation)
}

#[test]
fn handoff_finds_the_thread_that_reads_standard_input_for_wasmtime() {
    if !ready(&[Runtime::Wasmtime, Runtime::Wasm3]) {
        return;
    }
    let with = copies(Runtime::Wasmtime);
    let row = with.report.table().row(&[("FUNC", "fd_read")]);
    assert!(row.number("CALLS") >= 1, "{}", with.report.text);
    assert!(row.float("HOPS") >= 1.0, "{}", with.report.text);
    assert!(row.float("WAIT(%)") > 50.0, "{}", with.report.text);
    assert!(row.number("FUTEXES") >= 1, "{}", with.report.text);

    let without = copies(Runtime::Wasm3);
    assert!(
        without.report.text.contains("no call"),
        "{}",
        without.report.text
    );
}

/// How many system calls a write of nothing is.
fn of_an_empty_write(runtime: Runtime) -> f64 {
    let directory = Directory::new();
    let guest = Guest::named("sizes").set("largest", 1).set("empty", 50);
    let module = guest.compile(&directory);
    let traced = Script::bundled("empty_writes").run(&runtime.run(&module, directory.path()));
    let row = traced.report.table().row(&[]);
    assert_eq!(row.number("CALLS"), 50, "{}", traced.report.text);
    row.float("SYS")
}

#[test]
fn empty_writes_shows_who_asks_the_kernel_for_nothing() {
    if !ready(&[Runtime::Iwasm, Runtime::Wasm3, Runtime::Wasmi]) {
        return;
    }
    assert_eq!(of_an_empty_write(Runtime::Iwasm), 1.0);
    assert_eq!(of_an_empty_write(Runtime::Wasm3), 1.0);
    assert_eq!(of_an_empty_write(Runtime::Wasmi), 0.0);
}

/// Opens a file eleven times.
fn opens(script: &str, runtime: Runtime) -> Traced {
    let directory = Directory::new();
    directory.file("data", [b'x'; 1600]);
    let module = Guest::named("calls").compile(&directory);
    Script::bundled(script).run(&runtime.run(&module, directory.path()))
}

#[test]
fn stat_storms_tells_the_runtimes_that_ask_twice_from_those_that_ask_once() {
    if !ready(&[Runtime::Iwasm, Runtime::Wasmtime]) {
        return;
    }
    let twice = opens("stat_storms", Runtime::Iwasm);
    let stat = twice.report.table().row(&[("SYSCALL", "newfstatat")]);
    let open = twice.report.table().row(&[("SYSCALL", "openat")]);
    assert_eq!(
        (
            stat.number("CALLS"),
            open.number("CALLS"),
            open.number("ERRORS")
        ),
        (22, 14, 3),
        "{}",
        twice.report.text
    );
    let once = opens("stat_storms", Runtime::Wasmtime);
    let stat = once.report.table().row(&[("SYSCALL", "statx")]);
    assert_eq!(stat.number("CALLS"), 11, "{}", once.report.text);
}

#[test]
fn nothing_is_forced_to_disk_that_was_not_asked_for() {
    if !ready(&[Runtime::Wasmtime]) {
        return;
    }
    let traced = opens("unasked_syncs", Runtime::Wasmtime);
    assert!(
        traced.report.text.contains("no call"),
        "{}",
        traced.report.text
    );
}

#[test]
fn files_knows_what_was_opened_and_read() {
    if !ready(&[Runtime::Wasm3, Runtime::Wasmi]) {
        return;
    }
    let traced = opens("files", Runtime::Wasmi);
    let table = traced.report.table();
    let data = table.row(&[("PATH", "data")]);
    assert_eq!(
        (
            data.number("OPENS"),
            data.number("READS"),
            data.text("READ")
        ),
        (11, 100, "1.6 KiB"),
        "{}",
        traced.report.text
    );
    let missing = table.row(&[("PATH", "missing")]);
    assert_eq!((missing.number("OPENS"), missing.number("ERRORS")), (3, 3));
}

#[test]
fn syscalls_inside_counts_the_writes_of_each_write() {
    if !ready(&[Runtime::Wasmtime]) {
        return;
    }
    let traced = opens("syscalls_inside", Runtime::Wasmtime);
    let row = traced
        .report
        .table()
        .row(&[("WASI_FUNC", "fd_write"), ("SYSCALL", "write")]);
    assert_eq!(row.number("CALLS"), 1000, "{}", traced.report.text);
    assert_eq!(row.text("PER_WASI"), "0.999", "{}", traced.report.text);
}

#[test]
fn startup_has_a_row_for_each_phase() {
    if !ready(&[Runtime::Wasmtime]) {
        return;
    }
    let traced = opens("startup", Runtime::Wasmtime);
    for phase in ["start", "first_wasi", "exit"] {
        let row = traced.report.table().row(&[("PHASE", phase)]);
        assert_eq!(row.number("RUNS"), 1, "{}", traced.report.text);
        assert!(row.float("MAX(ms)") > 0.0, "{}", traced.report.text);
    }
}

#[test]
fn slow_calls_prints_a_heading_and_what_is_slow() {
    if !ready(&[Runtime::Wasm3]) {
        return;
    }
    let directory = Directory::new();
    let module = Guest::named("echo").set("chunk", 16).compile(&directory);
    let invocation = Runtime::Wasm3.run(&module, directory.path()).wrapped([
        "sh",
        "-c",
        "(sleep 0.3; echo text) | \"$@\" >/dev/null",
        "sh",
    ]);
    let traced = Script::bundled("slow_calls")
        .with(&["--min", "100ms"])
        .run(&invocation);
    let lines: Vec<&str> = traced.report.text.lines().collect();
    assert!(
        lines[0].starts_with("TIME     RUNTIME "),
        "{}",
        traced.report.text
    );
    assert!(
        lines[1].contains("wasm3") && lines[1].contains("fd_read"),
        "{}",
        traced.report.text
    );
}

/// A bundled workload.
fn workload(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads");
    folder.join(name).with_extension("wasm")
}

/// A runtime with a bundled workload at a scale, whose folder `files` has so many files.
fn works(script: &str, runtime: Runtime, name: &str, scale: u32, files: usize) -> Traced {
    let directory = Directory::new();
    std::fs::create_dir(directory.path().join("files")).expect("make a folder");
    for number in 0..files {
        directory.file(&format!("files/f{number:07}"), vec![b'x'; number % 100]);
    }
    // As `ewapa bench` does: workloads find what they need by its name, and not in descriptor 3.
    let mut invocation = runtime.run(&workload(name), Path::new("."));
    directory.path().clone_into(&mut invocation.directory);
    invocation.words.push(scale.to_string().into());
    let traced = Script::bundled(script).run(&invocation);
    assert_eq!(traced.ended.code(), 0, "{}", traced.ended.stderr);
    traced
}

fn named<'t>(traced: &'t Traced, table: &str) -> &'t Table {
    let mut tables = traced.report.tables.iter();
    let found = tables.find(|known| known.name == table);
    found.unwrap_or_else(|| panic!("no table {table} in {}", traced.report.text))
}

#[test]
fn slow_readdir_tells_who_asks_about_every_file_from_who_goes_on_where_it_was() {
    if !ready(&[Runtime::Wasmtime, Runtime::Iwasm]) {
        return;
    }
    let of = |runtime| works("slow_readdir", runtime, "readdir", 100, 200);
    let with = of(Runtime::Wasmtime);
    let row = with.report.table().row(&[]);
    // Of 200 files it asks about each, in every call.
    assert!(row.float("STATS") >= 200.0, "{}", with.report.text);
    assert!(row.float("OPENS") >= 1.0, "{}", with.report.text);
    let without = of(Runtime::Iwasm);
    let row = without.report.table().row(&[]);
    assert!(row.float("STATS") <= 1.0, "{}", without.report.text);
    assert_eq!(row.float("OPENS"), 0.0, "{}", without.report.text);
}

#[test]
fn redundant_syscalls_names_what_an_opening_does_beside_opening() {
    if !ready(&[Runtime::Iwasm, Runtime::Wasmi]) {
        return;
    }
    let of = |runtime| works("redundant_syscalls", runtime, "open-stat-close", 10, 100);
    let with = of(Runtime::Iwasm);
    for (syscall, each) in [("newfstatat", 2.0), ("readlinkat", 1.0), ("fcntl", 1.0)] {
        let row = [("WASI_FUNC", "path_open"), ("SYSCALL", syscall)];
        let row = with.report.table().row(&row);
        assert_eq!(row.float("PER_WASI"), each, "{}", with.report.text);
    }
    let without = of(Runtime::Wasmi);
    let table = without.report.table();
    let row = table.row(&[("WASI_FUNC", "path_open")]);
    assert_eq!(row.text("SYSCALL"), "statx", "{}", without.report.text);
    // Opening, asking and closing itself is in neither.
    for traced in [&with, &without] {
        let text = &traced.report.text;
        assert!(
            !text.contains("fd_close") && !text.contains("openat"),
            "{text}"
        );
    }
}

#[test]
fn small_writes_tells_a_guest_without_a_buffer_from_a_runtime_that_cuts_writes() {
    if !ready(&[Runtime::Wasm3]) {
        return;
    }
    // The guest's doing: the runtime passes on what it gets.
    let guest = works("small_writes", Runtime::Wasm3, "small-writes", 5, 0);
    let row = guest.report.table().row(&[("FD", "1")]);
    let cells = ["CALLS", "SMALL", "PER_CALL", "PER_SYSCALL"].map(|heading| row.text(heading));
    assert_eq!(cells, ["50", "50", "16 B", "16 B"], "{}", guest.report.text);

    // A runtime that writes as it is told, and one that writes each byte by itself.
    let directory = Directory::new();
    compile("tinyrt.c", &directory.path().join("tinyrt"));
    std::fs::create_dir(directory.path().join("catalogue")).expect("make a folder");
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/RUNTIMES.md");
    let docs = std::fs::read_to_string(docs).expect("the documentation is there");
    let (_, rest) = docs.split_once("```toml\n").expect("it has an example");
    let (example, _) = rest.split_once("```").expect("the example ends");
    let catalogue = directory.file("catalogue/tinyrt.toml", example);
    let folder = catalogue.parent().expect("a folder").display().to_string();
    for (arguments, per_syscall, syscalls) in [(&[][..], "5 B", 1.0), (&["pieces"], "1 B", 5.0)] {
        let program = directory.path().join("tinyrt").into_os_string();
        let words = [program]
            .into_iter()
            .chain(arguments.iter().map(Into::into));
        let traced = Script::bundled("small_writes")
            .with(&["--catalogue", &folder])
            .run(&Invocation::of(words));
        let row = traced.report.table().row(&[("FD", "1")]);
        assert_eq!(row.text("PER_CALL"), "5 B", "{}", traced.report.text);
        assert_eq!(
            row.text("PER_SYSCALL"),
            per_syscall,
            "{}",
            traced.report.text
        );
        assert_eq!(row.float("SYSCALLS"), syscalls, "{}", traced.report.text);
    }
}

#[test]
fn allocations_shows_who_asks_for_memory_in_each_call() {
    if !ready(&[Runtime::Wasmtime, Runtime::Wasm3]) {
        return;
    }
    let of = |runtime| works("allocations", runtime, "small-writes", 5, 0);
    let with = of(Runtime::Wasmtime);
    let row = [("WASI_FUNC", "fd_write")];
    let allocated = named(&with, "allocated").row(&row).number("ALLOCATIONS");
    assert!(allocated >= 51, "{}", with.report.text);
    let without = of(Runtime::Wasm3);
    let calls = named(&without, "calls").row(&[("FUNC", "fd_write")]);
    assert_eq!(calls.number("CALLS"), 56, "{}", without.report.text);
    let none = named(&without, "allocated").rows().count();
    assert_eq!(none, 0, "{}", without.report.text);
}
