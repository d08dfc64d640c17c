//! Where results go and in which form: checks and exit codes, tables while a command runs, JSON.

mod support;

use support::directory::Directory;
use support::guest::Guest;
use support::runtime::{Invocation, Runtime};
use support::trace::{Script, Traced};

const TABLE: &str = "table t from wasi:fd_write by func { calls = count(), p99 = p99(duration) }\n";

/// Writes once with each size from 1 to 100 bytes on wasm3; the rest of a shell command follows.
fn sizes(directory: &Directory, then: &str) -> Invocation {
    let guest = Guest::named("sizes").compile(directory);
    let shell = format!("\"$@\" >/dev/null; {then}");
    Runtime::Wasm3
        .run(&guest, directory.path())
        .wrapped(["sh", "-c", &shell, "sh"])
}

fn traced(script: &str, options: &[&str], then: &str) -> Option<Traced> {
    let directory = Directory::new();
    Runtime::Wasm3.is_ready().then(|| {
        Script::new(script)
            .with(options)
            .run(&sizes(&directory, then))
    })
}

#[test]
fn a_check_that_holds_says_nothing() {
    let script = format!("{TABLE}check \"all written\" t[\"fd_write\"].calls == 100 && lost == 0;");
    let Some(traced) = traced(&script, &[], "true") else {
        return;
    };
    assert_eq!(traced.ended.code(), 0);
    assert!(
        !traced.ended.stderr.contains("check"),
        "{}",
        traced.ended.stderr
    );
}

#[test]
fn a_check_that_does_not_hold_ends_with_3() {
    let script = format!("{TABLE}check \"few writes\" t[\"fd_write\"].calls < 10;");
    let Some(traced) = traced(&script, &[], "true") else {
        return;
    };
    assert_eq!(traced.ended.code(), 3);
    let said = "ewapa: check failed: few writes: t[\"fd_write\"].calls < 10 (100 < 10)";
    assert!(
        traced.ended.stderr.contains(said),
        "{}",
        traced.ended.stderr
    );
}

#[test]
fn the_exit_code_of_a_command_that_fails_is_kept() {
    let script = format!("{TABLE}check \"few writes\" t.calls < 10;");
    let Some(traced) = traced(&script, &[], "exit 5") else {
        return;
    };
    assert_eq!(traced.ended.code(), 5);
    assert!(
        traced.ended.stderr.contains("check failed"),
        "{}",
        traced.ended.stderr
    );
}

#[test]
fn a_check_of_a_row_that_is_not_there_does_not_fail() {
    let script = "table t from wasi:fd_* by func { p99 = p99(duration) }
      check \"fast\" t[\"fd_sync\"].p99 < 1ns;";
    let Some(traced) = traced(script, &[], "true") else {
        return;
    };
    assert_eq!(traced.ended.code(), 0);
    let said = "check has no value: fast: t[\"fd_sync\"].p99 < 1ns (- < 1 ns)";
    assert!(
        traced.ended.stderr.contains(said),
        "{}",
        traced.ended.stderr
    );
}

#[test]
fn a_table_is_printed_while_the_command_runs() {
    let script = format!("{TABLE} every 100ms");
    let Some(traced) = traced(&script, &[], "sleep 1") else {
        return;
    };
    // Ten times, on a machine that has time for it, and once at the end.
    let tables = &traced.report.tables;
    assert!(tables.len() >= 3, "{}", traced.report.text);
    let last = tables.last().expect("a table").row(&[("FUNC", "fd_write")]);
    assert_eq!(last.number("CALLS"), 100);
}

#[test]
fn every_line_of_json_is_an_object_of_the_schema() {
    let script = format!("{TABLE}check \"few\" t.calls < 1000;");
    let Some(traced) = traced(&script, &["-f", "json"], "true") else {
        return;
    };
    let schema = serde_json::from_str(include_str!("../docs/schema/output.json")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let lines: Vec<serde_json::Value> = traced
        .report
        .text
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    for line in &lines {
        assert!(validator.is_valid(line), "{line}");
    }
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["columns"]["calls"], 100);
    assert_eq!(lines[1]["holds"], true);
    assert_eq!(lines[2]["runtimes"][0]["name"], "wasm3");
}
