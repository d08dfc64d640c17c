//! A script without a command: every process of the machine counts, from its first call, however short it is and
//! whether or not its runtime was there before; and none is kept from going on.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use support::directory::Directory;
use support::guest::Guest;
use support::is_root;
use support::process::{Process, wait_until};
use support::runtime::Runtime;
use support::trace::has_probes_on;
use support::watch;

/// What a guest of these tests writes.
const WRITES: usize = 10;

fn guest(directory: &Directory) -> PathBuf {
    Guest::named("ends").compile(directory)
}

/// A copy of a runtime: a file that ewapa cannot know, with a name that no other process has.
fn copy(runtime: Runtime, directory: &Directory, name: &str) -> PathBuf {
    let path = directory
        .path()
        .join(format!("{name}-{}", std::process::id()));
    fs::copy(runtime.binary(), &path).expect("a copy of the runtime");
    path
}

fn name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .expect("a name of text")
}

fn script(command: &str) -> String {
    format!("table t from wasi:fd_write where comm == \"{command}\" {{ calls = count() }}")
}

/// The names of commands are cut off by the kernel.
fn command(path: &Path) -> String {
    name(path).chars().take(15).collect()
}

fn run(program: &Path, module: &Path) {
    let ended = Process::start(Command::new(program).arg(module)).end();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
}

fn the_first_process_of_a_runtime_misses_no_call(runtime: Runtime) {
    let directory = Directory::new();
    let module = guest(&directory);
    let program = copy(runtime, &directory, runtime.name());
    let tracing = watch::begin(&script(&command(&program)), &[]);
    run(&program, &module);
    let (rows, said) = tracing.end();
    assert_eq!(rows, [WRITES.to_string()], "{said}");
    assert!(!said.contains(name(&program)), "{said}");
}

#[test]
fn the_first_process_of_wasm3_misses_no_call() {
    if Runtime::Wasm3.is_ready() {
        the_first_process_of_a_runtime_misses_no_call(Runtime::Wasm3);
    }
}

#[test]
fn the_first_process_of_iwasm_misses_no_call() {
    if Runtime::Iwasm.is_ready() {
        the_first_process_of_a_runtime_misses_no_call(Runtime::Iwasm);
    }
}

/// The number of a file that is gone is given to the next one.
#[test]
fn a_runtime_in_the_place_of_another_program_misses_no_call() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let directory = Directory::new();
    let module = guest(&directory);
    let other = directory
        .path()
        .join(format!("other-{}", std::process::id()));
    let tracing = watch::begin(&script(&command(&other)), &[]);
    for _ in 0..3 {
        fs::copy("/bin/true", &other).expect("a copy");
        run(&other, &module);
        fs::remove_file(&other).expect("the copy is there");
        fs::copy(Runtime::Wasm3.binary(), &other).expect("a copy");
        run(&other, &module);
        fs::remove_file(&other).expect("the copy is there");
    }
    let (rows, said) = tracing.end();
    assert_eq!(rows, [(3 * WRITES).to_string()], "{said}");
}

#[test]
fn hundreds_of_short_processes_are_each_counted() {
    const EACH: usize = 200;
    if !(Runtime::Wasm3.is_ready() && Runtime::Iwasm.is_ready()) {
        return;
    }
    let directory = Directory::new();
    let module = guest(&directory);
    let wasm3 = copy(Runtime::Wasm3, &directory, "many3");
    let iwasm = copy(Runtime::Iwasm, &directory, "manyi");
    let tracing = watch::begin(
        &format!(
            "table t from wasi:fd_write where comm == \"{}\" || comm == \"{}\" by runtime {{ calls = count() }}",
            command(&wasm3),
            command(&iwasm)
        ),
        &[],
    );
    let text = format!(
        "for i in $(seq {EACH}); do \"$0\" \"$2\" & \"$1\" \"$2\" & [ $((i % 10)) = 0 ] && wait; done; wait"
    );
    let shell = Process::start(
        Command::new("sh")
            .args(["-c", &text])
            .args([&wasm3, &iwasm, &module]),
    )
    .end();
    assert_eq!(shell.code(), 0, "{}", shell.stderr);
    assert_eq!(shell.stdout.len(), 2 * EACH * WRITES * 5);
    let status = fs::read_to_string(format!("/proc/{}/status", tracing.0.pid())).expect("it runs");
    let (mut rows, said) = tracing.end();
    rows.sort();
    assert_eq!(
        rows,
        ["wamr", "wasm3"].map(|runtime| format!("{runtime},{}", EACH * WRITES)),
        "{said}"
    );
    assert!(!said.contains("/many"), "{said}");
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok())
        .expect("the kernel says how much memory it took at most");
    assert!(peak < 50 * 1024, "{peak} kB");
}

#[test]
fn a_tracer_that_is_killed_keeps_nothing_from_going_on() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    for milliseconds in [0, 5, 20] {
        let directory = Directory::new();
        let module = guest(&directory);
        let done = directory.path().join("done");
        let tracing = watch::begin("table t from wasi:* by func { calls = count() }", &[]);
        // Each copy is held once.
        let text = "for i in $(seq 30); do cp \"$0\" \"$0.$i\"; \"$0.$i\" \"$1\" >/dev/null & done; wait; echo >\"$2\"";
        let program = copy(Runtime::Wasm3, &directory, "killed");
        let shell = Process::start(
            Command::new("sh")
                .args(["-c", text])
                .args([&program, &module, &done]),
        );
        std::thread::sleep(Duration::from_millis(milliseconds));
        tracing.0.signal(libc::SIGKILL);
        wait_until("the shell to end its loop", || done.exists().then_some(()));
        assert_eq!(shell.end().code(), 0);
    }
}

/// What stands still is said to: a shell with job control would take it for stopped.
#[test]
fn a_program_that_is_held_is_not_stopped() {
    if !is_root() {
        return;
    }
    let directory = Directory::new();
    let program = directory.path().join("new");
    fs::copy("/bin/true", &program).expect("a copy");
    let tracing = watch::begin("table t from wasi:* by func { calls = count() }", &[]);
    let begun = Instant::now();
    // Monitor mode is job control; it says "Stopped" of a child that is.
    let ended = Process::start(
        Command::new("bash")
            .args(["-mc", "trap 'echo child' CHLD; \"$0\"; jobs"])
            .arg(&program),
    )
    .end();
    assert!(begun.elapsed() < Duration::from_secs(5));
    let shown = String::from_utf8_lossy(&ended.stdout).into_owned() + &ended.stderr;
    assert!(!shown.contains("Stopped"), "{shown}");
    tracing.end();
}

#[test]
fn nothing_is_held_if_that_is_not_wanted() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let directory = Directory::new();
    let module = guest(&directory);
    let program = copy(Runtime::Wasm3, &directory, "free");
    let mut tracing = watch::begin(&script(&command(&program)), &["--no-hold"]);
    run(&program, &module);
    wait_until("probes on the runtime", || {
        has_probes_on(tracing.0.pid(), &program).then_some(())
    });
    for _ in 0..5 {
        run(&program, &module);
    }
    assert!(!tracing.0.has_ended());
    let (rows, said) = tracing.end();
    let calls: usize = rows[0].parse().expect("a number");
    assert!(
        (5 * WRITES..=6 * WRITES).contains(&calls),
        "{calls}: {said}"
    );
}

/// The library is a new file, too: a process that loads it waits until it has been looked into.
#[test]
fn the_first_process_that_loads_a_runtime_misses_no_call() {
    if !Runtime::LibWasmtime.is_ready() {
        return;
    }
    let directory = Directory::new();
    let module = guest(&directory);
    let installed = Runtime::LibWasmtime.binary();
    // DIRECTORY/wasmtime/linux-x86_64/_libwasmtime.so
    let packages = installed.ancestors().nth(3).expect("it is installed below");
    let copied = Process::start(
        Command::new("cp")
            .args(["-r", "wasmtime"])
            .arg(directory.path())
            .current_dir(packages),
    )
    .end();
    assert_eq!(copied.code(), 0, "{}", copied.stderr);
    let library = directory.path().join("wasmtime/linux-x86_64");
    assert!(library.is_dir());
    let tracing = watch::begin("table t from wasi:fd_write by pid { calls = count() }", &[]);
    let mut invocation = Runtime::LibWasmtime.run(&module, directory.path());
    invocation.environment = vec![("PYTHONPATH", directory.path().into())];
    let host = Process::start(&mut invocation.command());
    let pid = host.pid();
    let ended = host.end();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let (rows, said) = tracing.end();
    let row = format!("{pid},{WRITES}");
    assert!(rows.contains(&row), "no {row} in {rows:?}: {said}");
    assert!(!said.contains(&format!("process {pid} began")), "{said}");
}
