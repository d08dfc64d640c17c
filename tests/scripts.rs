//! What tables show of calls whose numbers are known, and the bundled scripts.

mod support;

use support::directory::Directory;
use support::guest::Guest;
use support::report::Table;
use support::runtime::{Invocation, Runtime};
use support::trace::{Script, Traced};

/// Writes once with each size from 1 to 100 bytes, to descriptor 1, on wasm3.
fn sizes(directory: &Directory) -> Invocation {
    Runtime::Wasm3.run(&Guest::named("sizes").compile(directory), directory.path())
}

fn table_of_sizes(script: &str) -> Table {
    let directory = Directory::new();
    let traced = Script::new(script).run(&sizes(&directory));
    assert_eq!(traced.ended.code(), 0, "{}", traced.ended.stderr);
    traced.report.table().clone()
}

#[test]
fn every_aggregate_is_that_of_the_sizes() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let table = table_of_sizes(
        "table t from wasi:fd_write {
          count = count(), sum = sum(bytes) as int, avg = avg(bytes), min = min(bytes) as int, max = max(bytes) as int,
          stddev = stddev(bytes), q = quantile(bytes, 0.25) as int, p50 = p50(bytes) as int, p90 = p90(bytes) as int,
          p95 = p95(bytes) as int, p99 = p99(bytes) as int, p999 = p999(bytes) as int }",
    );
    let row = table.row(&[]);
    let exact = ["COUNT", "SUM", "AVG", "MIN", "MAX", "STDDEV"].map(|heading| row.text(heading));
    assert_eq!(exact, ["100", "5050", "50.5 B", "1", "100", "28.9 B"]);
    for (heading, true_value) in [
        ("Q", 25.0),
        ("P50", 50.0),
        ("P90", 90.0),
        ("P95", 95.0),
        ("P99", 99.0),
        ("P999", 100.0),
    ] {
        let shown = row.float(heading);
        // Half of one for the rounding of `as int`.
        assert!(
            (shown - true_value).abs() <= 0.016 * true_value + 0.5,
            "{heading}: {shown} for {true_value}"
        );
    }
}

#[test]
fn ratios_and_conditions_are_over_the_calls_that_they_name() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let table = table_of_sizes(
        "table t from wasi:fd_write where bytes > 20B && bytes <= 60B || bytes == 100B {
          calls = count(), small = count() if bytes <= 30B, of_small = sum(bytes) if bytes <= 30B as int,
          share = count() / sum(syscall_count) as pct, none = sum(bytes) if bytes > 1KiB as int,
          none_max = max(bytes) if bytes > 1KiB as int, math = sum(bytes * 2 + 1B) as int }",
    );
    let row = table.row(&[]);
    let cells = ["CALLS", "SMALL", "OF_SMALL", "SHARE(%)", "MATH"].map(|heading| row.text(heading));
    assert_eq!(cells, ["41", "10", "255", "100.0", "3481"]);
    assert_eq!(row.text("NONE_MAX"), "-");
}

#[test]
fn rows_are_sorted_and_limited_as_the_script_says() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let column = |script: &str| {
        table_of_sizes(script)
            .rows()
            .map(|row| row.number("B"))
            .collect::<Vec<_>>()
    };
    let head = "table t from wasi:fd_write by bytes { b = sum(bytes) as int }";
    assert_eq!(column(head), (1..=100).collect::<Vec<_>>(), "by the key");
    assert_eq!(
        column(&format!("{head} sort b desc")),
        (1..=100).rev().collect::<Vec<_>>()
    );
    assert_eq!(
        column(&format!("{head} sort b desc limit 3")),
        [100, 99, 98]
    );
    assert_eq!(column(&format!("{head} sort b asc limit 3")), [1, 2, 3]);
    assert_eq!(
        column(&format!("{head} sort bytes desc limit 2")),
        [100, 99]
    );
}

#[test]
fn what_the_limit_leaves_out_is_said() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let directory = Directory::new();
    let traced = Script::new("table t from wasi:fd_write by bytes { n = count() } limit 3")
        .run(&sizes(&directory));
    assert!(
        traced
            .report
            .text
            .contains("97 more rows are left out by the limit"),
        "{}",
        traced.report.text
    );
}

#[test]
fn keys_can_be_expressions_with_a_group_for_each_value() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let table = table_of_sizes(
        "table t from wasi:fd_write by bytes / 10, bytes >= 50B, comm, module { n = count() }",
    );
    let total: i64 = table.rows().map(|row| row.number("N")).sum();
    assert_eq!((total, table.rows.len()), (100, 11));
    assert!(
        table
            .rows()
            .all(|row| row.text("COMM") == "wasm3" && row.text("MODULE") == "sizes.wasm"),
        "{table:#?}"
    );
}

#[test]
fn several_tables_come_from_one_run() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let directory = Directory::new();
    let script = "table all from wasi:* { n = count() }
      table large from wasi:fd_write where bytes > 90B { n = count() }
      table reads from wasi:fd_read by func { n = count() }";
    let traced = Script::new(script).run(&sizes(&directory));
    let tables = &traced.report.tables;
    assert_eq!(
        tables
            .iter()
            .map(|table| table.name.as_str())
            .collect::<Vec<_>>(),
        ["all", "large", "reads"]
    );
    assert_eq!(
        (
            tables[0].row(&[]).number("N"),
            tables[1].row(&[]).number("N")
        ),
        (100, 10)
    );
    assert!(
        traced.report.text.contains("no call"),
        "{}",
        traced.report.text
    );
}

#[test]
fn a_parameter_is_set_on_the_command_line() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let directory = Directory::new();
    let script =
        "param least = 0B; table t from wasi:fd_write where bytes >= least { n = count() }";
    let counted = |options: &[&str]| {
        Script::new(script)
            .with(options)
            .run(&sizes(&directory))
            .report
            .table()
            .row(&[])
            .number("N")
    };
    assert_eq!(counted(&[]), 100);
    assert_eq!(counted(&["--least", "91B"]), 10);
}

/// Perf events are slow to detach: one test has to do.
#[test]
fn a_histogram_is_a_column_with_a_character_for_each_range() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let script = "table t from wasi:fd_write by bytes > 50B { sizes = lhist(bytes, 0, 100B, 25B), logs = hist(bytes) }";
    let directory = Directory::new();
    let traced = Script::new(script).run(&sizes(&directory));
    let table = traced.report.table();
    // Of the ranges from 0 on small writes have 24, 25 and one value, large ones none, none, 24, 25 and 1.
    let lines = table.rows.iter().map(|row| row.join("|"));
    let lines: Vec<String> = lines
        .map(|line| line.replace(char::is_whitespace, ""))
        .collect();
    assert_eq!(lines.len(), 2, "{}", traced.report.text);
    let notes = &traced.report.text;
    for note in [
        "SIZES: a character for each range from [0, 25) to [100, ...) bytes",
        "LOGS: a character for each range from [1] to [64, 128) bytes",
    ] {
        assert!(notes.contains(note), "{notes}");
    }
    let traced = Script::new(script)
        .with(&["-f", "json"])
        .run(&sizes(&directory));
    let json = &traced.report.text;
    let small = r#""sizes":[{"min":0,"max":24,"count":24},{"min":25,"max":49,"count":25},{"min":50,"max":74,"count":1}]"#;
    let large = r#""sizes":[{"min":50,"max":74,"count":24},{"min":75,"max":99,"count":25},{"min":100,"count":1}]"#;
    assert!(json.contains(small) && json.contains(large), "{json}");
    let traced = Script::new(script)
        .with(&["-f", "csv"])
        .run(&sizes(&directory));
    assert!(
        traced.report.text.contains("0:24;25:25;50:1"),
        "{}",
        traced.report.text
    );
}

#[test]
fn every_mechanism_counts_the_same() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let directory = Directory::new();
    let script = "table t from wasi:* by func, errno, fd { n = count(), b = sum(bytes) as int, s = sum(syscall_count) }";
    let rows = |without: &[&str]| {
        let traced: Traced = Script::new(script).with(without).run(&sizes(&directory));
        assert!(
            traced.report.table().headline.ends_with(" · nothing lost"),
            "{}",
            traced.report.text
        );
        traced.report.table().rows.clone()
    };
    let session = rows(&[]);
    assert_eq!(
        session,
        [["fd_write", "SUCCESS", "1", "100", "5050", "100"]]
    );
    assert_eq!(rows(&["--without", "session"]), session);
    assert_eq!(rows(&["--without", "session,multi"]), session);
}

#[test]
fn calls_that_find_no_place_in_a_table_are_lost_and_said_to_be() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let directory = Directory::new();
    let module = Guest::named("sizes")
        .set("largest", 70_000)
        .compile(&directory);
    let invocation = Runtime::Wasm3.run(&module, directory.path()).wrapped([
        "sh",
        "-c",
        "exec \"$@\" >/dev/null",
        "sh",
    ]);
    let traced =
        Script::new("table t from wasi:fd_write by bytes { n = count() }").run(&invocation);
    let table = traced.report.table();
    let counted: i64 = table.rows().map(|row| row.number("N")).sum();
    let lost = 70_000 - counted;
    assert!(lost > 0, "{}", table.headline);
    assert!(
        table.headline.ends_with(&format!(" · {lost} lost")),
        "{}",
        table.headline
    );
    let said =
        format!("{lost} calls found no place in a table: it has more groups than it can hold");
    assert!(traced.report.text.contains(&said), "{said}");
}
