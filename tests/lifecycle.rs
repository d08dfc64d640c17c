//! However a command ends, its table comes, with what can be known by then, and nothing is left behind.

#[macro_use]
mod support;

use support::directory::Directory;
use support::guest::Guest;
use support::process::{is_alive, wait_until_quiet};
use support::runtime::{Invocation, Runtime};
use support::trace::{EVERYTHING, Script, Traced};

/// A guest that writes 10 times and ends by a trap or with an exit code.
fn ending(runtime: Runtime, trap: bool, code: u32, directory: &Directory) -> Invocation {
    let module = Guest::named("ends")
        .set("trap", trap.into())
        .set("code", code)
        .compile(directory);
    runtime.run(&module, directory.path())
}

/// A guest that copies its input byte by byte: one fd_read and one fd_write for each, and one fd_read more.
fn echo(runtime: Runtime, directory: &Directory) -> Invocation {
    runtime.run(&Guest::named("echo").compile(directory), directory.path())
}

fn calls(traced: &Traced, function: &str) -> i64 {
    traced
        .report
        .table()
        .sum(&[("FUNC", function), ("ERRNO", "SUCCESS")], "CALLS")
}

fn a_guest_that_traps_has_a_table_and_its_exit_code(runtime: Runtime) {
    let directory = Directory::new();
    let invocation = ending(runtime, true, 0, &directory);
    let alone = invocation.command().output().expect("run the runtime");
    let traced = Script::new(EVERYTHING).run(&invocation);
    assert_eq!(calls(&traced, "fd_write"), 10, "{}", traced.report.text);
    assert!(
        traced.report.table().headline.ends_with(" · nothing lost"),
        "{}",
        traced.report.text
    );
    assert_eq!(Some(traced.ended.code()), alone.status.code());
    if traced.ended.code() != 0 {
        let said = format!(
            "ewapa: the command ended with exit code {}",
            traced.ended.code()
        );
        assert!(
            traced.ended.stderr.contains(&said),
            "{}",
            traced.ended.stderr
        );
    }
}

fn the_exit_code_of_the_guest_is_that_of_ewapa(runtime: Runtime) {
    let directory = Directory::new();
    let traced = Script::new(EVERYTHING).run(&ending(runtime, false, 3, &directory));
    // iwasm of wamr-sys 0.1.1 does not pass it on.
    assert_eq!(
        traced.ended.code(),
        if runtime == Runtime::Iwasm { 0 } else { 3 },
        "{}",
        traced.ended.stderr
    );
    assert_eq!(calls(&traced, "fd_write"), 10, "{}", traced.report.text);
}

fn a_runtime_that_is_killed_has_a_table(runtime: Runtime) {
    let directory = Directory::new();
    let mut tracing = Script::new(EVERYTHING).start(&echo(runtime, &directory));
    tracing.process.write(b"hello");
    tracing.process.wait_for_output(5);
    let command = tracing.command();
    wait_until_quiet(command);
    support::process::send(command, libc::SIGKILL);
    let traced = tracing.end();
    assert_eq!(
        (calls(&traced, "fd_read"), calls(&traced, "fd_write")),
        (5, 5),
        "{}",
        traced.report.text
    );
    assert!(
        traced
            .report
            .table()
            .headline
            .ends_with(" · nothing lost, 1 unfinished (fd_read)"),
        "{}",
        traced.report.text
    );
    assert_eq!(traced.ended.code(), 128 + libc::SIGKILL);
    assert!(
        traced
            .ended
            .stderr
            .contains("ewapa: the command was ended by signal 9"),
        "{}",
        traced.ended.stderr
    );
}

fn an_interrupt_ends_the_command_and_gives_the_table(runtime: Runtime) {
    let directory = Directory::new();
    let mut tracing = Script::new(EVERYTHING).start(&echo(runtime, &directory));
    tracing.process.write(b"hello");
    tracing.process.wait_for_output(5);
    let command = tracing.command();
    wait_until_quiet(command);
    tracing.process.signal(libc::SIGINT);
    let traced = tracing.end();
    assert_eq!(
        (calls(&traced, "fd_read"), calls(&traced, "fd_write")),
        (5, 5),
        "{}",
        traced.report.text
    );
    assert!(!is_alive(command));
    // A host that does not heed the first signal is ended by the next one.
    let signal = traced.ended.code() - 128;
    assert!([libc::SIGINT, libc::SIGTERM].contains(&signal), "{signal}");
}

fn input_and_output_pass_through(runtime: Runtime) {
    let directory = Directory::new();
    let module = Guest::named("echo").set("chunk", 4096).compile(&directory);
    let input: Vec<u8> = (0..1_000_000u32)
        .map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let script = Script::new(EVERYTHING);
    let mut process = script.start_without_file(&runtime.run(&module, directory.path()));
    process.write(&input);
    process.close_stdin();
    let ended = process.end();
    assert!(
        ended.stdout == input,
        "{} bytes came back",
        ended.stdout.len()
    );
    let report = support::report::Report::parse(&ended.stderr);
    for function in ["fd_read", "fd_write"] {
        assert_eq!(
            report.table().sum(&[("FUNC", function)], "BYTES"),
            input.len() as i64,
            "{}",
            ended.stderr
        );
    }
}

on_every_runtime! {
    a_guest_that_traps_has_a_table_and_its_exit_code,
    the_exit_code_of_the_guest_is_that_of_ewapa,
    a_runtime_that_is_killed_has_a_table,
    an_interrupt_ends_the_command_and_gives_the_table,
    input_and_output_pass_through,
}

#[test]
fn a_command_without_a_runtime_that_fails_gives_its_exit_code() {
    if support::is_root() {
        let traced = Script::new(EVERYTHING).run(&Invocation::of(["sh", "-c", "exit 3"]));
        assert_eq!(traced.ended.code(), 3);
        assert!(
            traced
                .ended
                .stderr
                .contains("ewapa: the command ended with exit code 3"),
            "{}",
            traced.ended.stderr
        );
    }
}

#[test]
fn a_request_to_terminate_ends_the_command_and_gives_the_table() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let directory = Directory::new();
    let mut tracing = Script::new(EVERYTHING).start(&echo(Runtime::Wasm3, &directory));
    tracing.process.write(b"hello");
    tracing.process.wait_for_output(5);
    let command = tracing.command();
    wait_until_quiet(command);
    tracing.process.signal(libc::SIGTERM);
    let traced = tracing.end();
    assert_eq!(calls(&traced, "fd_write"), 5, "{}", traced.report.text);
    assert!(!is_alive(command));
    assert_eq!(traced.ended.code(), 128 + libc::SIGTERM);
}
