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
    let lines = valid(&traced.report.text);
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["columns"]["calls"], 100);
    assert_eq!(lines[1]["holds"], true);
    assert_eq!(lines[2]["runtimes"][0]["name"], "wasm3");
}

/// The lines of JSON output, each of which is an object of the schema.
fn valid(text: &str) -> Vec<serde_json::Value> {
    let schema = serde_json::from_str(include_str!("../docs/schema/output.json")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let line = |line| {
        let line = serde_json::from_str(line).expect(line);
        assert!(validator.is_valid(&line), "{line}");
        line
    };
    text.lines().map(line).collect()
}

#[test]
fn probes_that_are_attached_at_the_start_are_told_first_as_by_bpftrace() {
    let script = "BEGIN,END { @n++; } interval:s:9, uprobe:libc:getpid { } BEGIN { exit(); }";
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ewapa"));
    let output = command.args(["script", "-B", "line", "-f", "json", "-e", script]);
    let output = output.output().expect("ewapa runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let lines = valid(&text);
    let expected = r#"{"type":"attached_probes","data":{"probes":5}}"#;
    assert_eq!(text.lines().next(), Some(expected), "{text}");
    assert_eq!(lines[1]["data"]["@n"], 2, "{text}");
}

#[test]
fn what_a_script_says_and_keeps_is_json_in_the_shapes_of_bpftrace() {
    let script = r#"begin {
      printf("n %d\n", 3); time("%%\n"); @a[1, "abc"] = 5; @b = count(); @c["x"] = hist(5); @c["x"] = hist(-2);
      @d = stats(4); @e[1] = avg(4); @f = lhist(30, 0, 20, 10); @n["u"] = max(7); print(@a); exit();
    }"#;
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ewapa"));
    let output = command.args(["script", "-f", "json", "-q", "-e", script]);
    let output = output.output().expect("ewapa runs");
    let text = String::from_utf8(output.stdout).expect("text");
    valid(&text);
    let expected = [
        r#"{"type":"printf","data":"n 3\n"}"#,
        r#"{"type":"time","data":"%\n"}"#,
        r#"{"type":"map","data":{"@a":{"1,abc":5}}}"#,
        r#"{"type":"map","data":{"@a":{"1,abc":5}}}"#,
        r#"{"type":"map","data":{"@b":1}}"#,
        r#"{"type":"hist","data":{"@c":{"x":[{"max":-1,"count":1},{"min":0,"max":0,"count":0},{"min":1,"max":1,"count":0},{"min":2,"max":3,"count":0},{"min":4,"max":7,"count":1}]}}}"#,
        r#"{"type":"stats","data":{"@d":{"count":1,"average":4,"total":4}}}"#,
        r#"{"type":"stats","data":{"@e":{"1":4}}}"#,
        r#"{"type":"hist","data":{"@f":[{"min":20,"count":1}]}}"#,
        r#"{"type":"map","data":{"@n":{"u":7}}}"#,
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn values_series_tables_of_maps_and_files_are_objects_of_the_schema() {
    let script = r#"begin {
      print((1, ("a", 2))); print("s"); @s = tseries(5, 1s, 4); @t["x"] = tseries(7, 1s, 4); @a["x"] = count();
      @g = (1, "b"); @m = strftime("%Y", nsecs); @u = (uint64)-1; @st["x"] = stats(3); @v[strerror(2)] = "text";
      tabulate("both", @a, @st); cat("/proc/sys/kernel/ostype"); system("echo %d", 7); print(@st["x"]); exit(4);
    }"#;
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ewapa"));
    let output = command.args(["script", "-f", "json", "--unsafe", "-e", script]);
    let output = output.output().expect("ewapa runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let lines = valid(&text);
    assert_eq!(output.status.code(), Some(4), "{text}");
    let of = |kind: &str| -> Vec<&serde_json::Value> {
        let kinds = lines.iter().filter(|line| line["type"] == kind);
        kinds.map(|line| &line["data"]).collect()
    };
    assert_eq!(of("value")[0].to_string(), r#"[1,["a",2]]"#);
    assert_eq!(of("cat")[0], "Linux\n");
    assert_eq!(of("syscall")[0], "7\n");
    assert_eq!(of("tseries")[0].to_string(), r#"{"@s":[5]}"#);
    assert_eq!(
        of("tabulate")[0].to_string(),
        r#"{"both":[{"a":1,"k1":"x","st":{"average":3,"count":1,"total":3}}]}"#
    );
    assert_eq!(of("stats").len(), 2, "{text}");
    let maps: Vec<String> = of("map").iter().map(|map| map.to_string()).collect();
    assert!(maps.contains(&r#"{"@g":[1,"b"]}"#.to_owned()), "{text}");
    assert!(
        maps.contains(&r#"{"@u":18446744073709551615}"#.to_owned()),
        "{text}"
    );
}

#[test]
fn the_format_is_what_the_script_says_unless_the_command_line_says_so() {
    let script = r#"config = { format = "csv" } begin { @a[1] = count(); exit(); }"#;
    let written = |options: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ewapa"));
        let output = command.args(["script", "-q", "-e", script]).args(options);
        let output = output.output().expect("ewapa runs");
        String::from_utf8(output.stdout).expect("text")
    };
    assert_eq!(written(&[]), "k1,value\n1,1\n");
    assert_eq!(written(&["-f", "table"]), "@a[1]: 1\n");
}
