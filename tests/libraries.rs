//! Runtimes in libraries: each call is seen, whenever and however often the library is loaded.

mod support;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use support::directory::Directory;
use support::guest::Guest;
use support::process::{Process, wait_until_quiet};
use support::report::Report;
use support::runtime::Invocation;
use support::trace::Script;
use support::wasm3::{Objects, build_host, can_be_built_with, run};
use support::watch;

const SCRIPT: &str = "table t from wasi:fd_write { calls = count() }";

/// What a guest of these tests writes.
const WRITES: i64 = 10;

/// A process that waits for its libraries is let go by the first ewapa that has looked into it: no two of these tests
/// run at the same time, as some trace every process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A host, the library, and a module.
fn plugin(objects: Objects, directory: &Directory) -> [PathBuf; 3] {
    let host = directory.path().join("host");
    // The name of a runtime: where every process of the machine is traced, only such libraries are waited for.
    let library = directory.path().join("libwasm3.so");
    let of_host = match objects {
        Objects::MuslLibrary => Objects::MuslProgram,
        _ => Objects::Program,
    };
    build_host(of_host, &host);
    objects.build(&library, &[], &[]);
    [host, library, Guest::named("ends").compile(directory)]
}

fn is_counted(invocation: &Invocation, writes: i64) {
    let traced = Script::new(SCRIPT).run(invocation);
    assert_eq!(traced.ended.code(), 0, "{}", traced.ended.stderr);
    let table = traced.report.table();
    assert_eq!(
        table.sum(&[], "CALLS"),
        writes,
        "{}\n{}",
        traced.report.text,
        traced.ended.stderr
    );
    assert!(
        table.headline.contains(" · nothing lost"),
        "{}",
        table.headline
    );
}

fn loaded(objects: Objects, way: &str, times: i64) {
    let _alone = alone();
    let directory = Directory::new();
    let [host, library, module] = plugin(objects, &directory);
    let words = [host, library, module, way.into(), times.to_string().into()];
    is_counted(&Invocation::of(words), times * WRITES);
}

#[test]
fn a_library_that_is_loaded_and_unloaded_again_and_again() {
    if can_be_built_with(&["gcc"]) {
        loaded(Objects::Library, "dlopen", 5);
    }
}

#[test]
fn a_library_in_a_namespace_of_its_own() {
    if can_be_built_with(&["gcc"]) {
        loaded(Objects::Library, "dlmopen", 5);
    }
}

#[test]
fn a_library_that_threads_load_while_others_call() {
    if can_be_built_with(&["gcc"]) {
        loaded(Objects::Library, "threads", 8);
    }
}

#[test]
fn a_library_that_musl_loads() {
    if can_be_built_with(&["musl-gcc"]) {
        // musl never unloads.
        loaded(Objects::MuslLibrary, "dlopen", 3);
    }
}

#[test]
fn a_library_that_is_preloaded() {
    if !can_be_built_with(&["gcc"]) {
        return;
    }
    let _alone = alone();
    let directory = Directory::new();
    let [_, library, module] = plugin(Objects::Library, &directory);
    let text = format!(
        "int wasm3_main(int, char **);
         __attribute__((constructor)) static void begin(void)
         {{ char *arguments[] = {{ \"wasm3\", \"{}\", 0 }}; wasm3_main(2, arguments); }}",
        module.display()
    );
    let source = directory.file("begin.c", text);
    let preloaded = directory.path().join("begin.so");
    run(Command::new("gcc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&preloaded, &source, &library]));
    let mut variable = std::ffi::OsString::from("LD_PRELOAD=");
    variable.push(&preloaded);
    is_counted(
        &Invocation::of(["env".into(), variable, "true".into()]),
        WRITES,
    );
}

/// The first process that loads a library, where every process of the machine is traced.
fn loaded_on_the_machine(objects: Objects, way: &str) {
    let _alone = alone();
    let directory = Directory::new();
    let [host, library, module] = plugin(objects, &directory);
    let watched = watch::begin("table t from wasi:fd_write by pid { calls = count() }", &[]);
    let process = Process::start(
        Command::new(&host)
            .args([&library, &module])
            .args([way, "2"]),
    );
    let pid = process.pid();
    let ended = process.end();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let (rows, said) = watched.end();
    let row = format!("{pid},{}", 2 * WRITES);
    assert!(rows.contains(&row), "no {row} in {rows:?}: {said}");
    assert!(!said.contains(&format!("process {pid} began")), "{said}");
}

#[test]
fn the_first_process_that_loads_it_misses_no_call() {
    if can_be_built_with(&["gcc"]) {
        loaded_on_the_machine(Objects::Library, "dlopen");
    }
}

#[test]
fn the_first_process_that_loads_it_into_a_namespace_misses_no_call() {
    if can_be_built_with(&["gcc"]) {
        loaded_on_the_machine(Objects::Library, "dlmopen");
    }
}

#[test]
fn the_first_process_that_loads_it_with_musl_misses_no_call() {
    if can_be_built_with(&["musl-gcc"]) {
        loaded_on_the_machine(Objects::MuslLibrary, "dlopen");
    }
}

/// Nobody can write to a program that runs, but to a library. Its probes are taken off before.
#[test]
fn a_library_that_is_written_to_while_a_process_has_it_is_said() {
    if !can_be_built_with(&["gcc"]) {
        return;
    }
    let _alone = alone();
    let directory = Directory::new();
    let [host, library, _] = plugin(Objects::Library, &directory);
    let echo = Guest::named("echo").compile(&directory);
    let mut process = Process::start(
        Command::new(&host)
            .args([&library, &echo])
            .args(["dlopen", "1"]),
    );
    process.write(b"0");
    process.wait_for_output(1);
    wait_until_quiet(process.pid());
    let tracing = Script::new(SCRIPT).join(process.pid(), &library);
    process.write(b"12");
    process.wait_for_output(3);
    // The same bytes again, and nothing is cut off: the process goes on.
    let bytes = std::fs::read(&library).expect("the library is there");
    OpenOptions::new()
        .write(true)
        .open(&library)
        .and_then(|mut file| file.write_all(&bytes))
        .expect("write to the library");
    process.write(b"345");
    process.wait_for_output(6);
    tracing.signal(libc::SIGINT);
    let ended = tracing.end();
    let report = Report::parse(&String::from_utf8(ended.stdout).expect("tables are text"));
    assert_eq!(report.table().sum(&[], "CALLS"), 2, "{}", report.text);
    let said = format!(
        "{} was written to while process {} ran it: what that called from then on is missing",
        library.display(),
        process.pid()
    );
    assert!(ended.stderr.contains(&said), "{}", ended.stderr);
    process.close_stdin();
    assert_eq!(process.end().stdout, b"012345");
}
