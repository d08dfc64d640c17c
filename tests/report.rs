//! `ewapa report` and `ewapa diff`, as a shell sees them, on results that were never measured.

use std::process::{Command, Output};

use expect_test::{ExpectFile, expect, expect_file};

mod support;
#[path = "support/synthetic.rs"]
mod synthetic;

use support::directory::Directory;
use synthetic::{Planted, Synthetic};

const EWAPA: &str = env!("CARGO_BIN_EXE_ewapa");

fn ewapa(folder: &Directory, arguments: &[&str]) -> Output {
    let mut command = Command::new(EWAPA);
    command.args(arguments).current_dir(folder.path());
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What a command prints, if it ends well.
fn printed(folder: &Directory, arguments: &[&str]) -> String {
    let output = ewapa(folder, arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// Three runtimes of which one hands writes to another thread, one fails, and one lost some calls.
fn three() -> Synthetic {
    let mut three = Synthetic::alike(&["iwasm", "wasm3", "wasmtime"])
        .plant(2, Planted::Slow("fd_write", 4.0))
        .plant(2, Planted::Hops("fd_write", 1.0))
        .plant(1, Planted::Fails(1, 1000, 9))
        .plant(0, Planted::Loses(1, 2));
    three.workloads = 2;
    three.scales = vec![10, 100, 1000];
    three
}

fn folder(synthetic: &Synthetic) -> Directory {
    let folder = Directory::new();
    folder.file("results.jsonl", synthetic.lines());
    folder
}

fn snapshot(name: &str) -> ExpectFile {
    expect_file![format!(
        "{}/tests/snapshots/{name}",
        env!("CARGO_MANIFEST_DIR")
    )]
}

#[test]
fn a_terminal_shows_tables_that_fit() {
    let report = printed(&folder(&three()), &["report", "results.jsonl"]);
    let widest = report.lines().map(|line| line.chars().count()).max();
    assert!(widest.unwrap() <= 100, "{report}");
    snapshot("report.txt").assert_eq(&report);
}

#[test]
fn markdown_shows_the_same() {
    let report = printed(&folder(&three()), &["report", "-f", "md", "results.jsonl"]);
    snapshot("report.md").assert_eq(&report);
}

#[test]
fn anomalies_come_with_evidence_and_what_to_run_next() {
    let folder = folder(&three());
    let report = printed(&folder, &["report", "--anomalies", "results.jsonl"]);
    snapshot("anomalies.txt").assert_eq(&report);
    let csv = printed(
        &folder,
        &["report", "--anomalies", "-f", "csv", "results.jsonl"],
    );
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let headings = reader.headers().unwrap().clone();
    let column = |name: &str| headings.iter().position(|heading| heading == name).unwrap();
    let found: Vec<(String, String, String)> = reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            let field = |name| record[column(name)].to_owned();
            (field("runtime"), field("function"), field("sign"))
        })
        .collect();
    let wasmtime = |sign: &str| {
        (
            "wasmtime".to_owned(),
            "fd_write".to_owned(),
            sign.to_owned(),
        )
    };
    assert_eq!(
        found,
        [wasmtime("time_per_call"), wasmtime("thread_hops_per_call")]
    );
}

#[test]
fn csv_has_every_number_in_base_units() {
    let folder = folder(&three());
    let output = ewapa(&folder, &["report", "-f", "csv", "results.jsonl"]);
    assert!(output.status.success());
    let mut reader = csv::Reader::from_reader(output.stdout.as_slice());
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let of = |runtime: &str, metric: &str| {
        let found = records.iter().find(|record| {
            [&record[0], &record[1], &record[2], &record[4]] == ["seqread", "100", runtime, metric]
        });
        let record = found.unwrap();
        let number = |index: usize| record[index].parse::<f64>().unwrap();
        (number(5), number(6), number(7), number(8))
    };
    let (runs, median, low, high) = of("wasm3", "startup");
    assert_eq!(runs, 5.0);
    assert!(
        low <= median && median <= high && (10e6..40e6).contains(&median),
        "{median}"
    );
    assert_eq!(of("iwasm", "calls"), (5.0, 801.0, 801.0, 801.0));
    assert!(of("iwasm", "cost").1 > 0.9);
    // What failed is in no record, and said.
    let failed = |record: &&csv::StringRecord| {
        [&record[0], &record[1], &record[2]] == ["seqread", "1000", "wasm3"]
    };
    assert_eq!(records.iter().filter(failed).count(), 0);
    expect![[r#"
        left out: seqread 10 iwasm 5 lost calls 
        left out: seqread 1000 wasm3 10 failed exit code 134: <b>assertion & failed</b> | at memo…
    "#]]
    .assert_eq(&text(&output.stderr));
}

#[test]
fn a_report_is_the_same_each_time() {
    let folder = folder(&three());
    for format in ["table", "csv", "html"] {
        let report = || printed(&folder, &["report", "-f", format, "results.jsonl"]);
        assert!(report() == report(), "{format}");
    }
}

#[test]
fn several_files_are_one_report_and_a_cut_line_is_said() {
    let folder = folder(&three());
    let lines = three().lines();
    let (first, second) = lines.split_at(lines.len() / 2);
    folder.file("first.jsonl", first);
    let (_, second) = second.split_once('\n').unwrap();
    folder.file("second.jsonl", second);
    let report = printed(&folder, &["report", "first.jsonl", "second.jsonl"]);
    let note = "the last line of first.jsonl was not written to its end: it is left out";
    assert!(report.contains(note), "{report}");
    assert!(report.contains("179 runs"), "{report}");
}

#[test]
fn runs_with_scripts_are_in_no_number_and_said() {
    let folder = Directory::new();
    let script = r#"{"type":"script","script":"errors","runtime":"wasm3","version":"1.0","workload":"seqread",
        "scale":10,"repetition":0,"order":180,"outcome":"ok","lines":[]}"#;
    let lines = three().lines().replacen("\"runs\":180", "\"runs\":181", 1);
    let script = script.replace('\n', "");
    folder.file("results.jsonl", format!("{lines}{script}\n"));
    let report = printed(&folder, &["report", "results.jsonl"]);
    assert!(
        report.contains("results.jsonl has 1 run with scripts of its plan"),
        "{report}"
    );
    assert!(
        report.contains("180 runs") && !report.contains("planned were"),
        "{report}"
    );
}

#[test]
fn what_is_no_results_file_is_refused_with_its_line() {
    let folder = folder(&three());
    folder.file("other.jsonl", "{\"type\":\"run\"}\n");
    folder.file(
        "later.jsonl",
        three().lines().replacen("\"schema\":1", "\"schema\":9", 1),
    );
    folder.file("empty.jsonl", "");
    for (file, says) in [
        (
            "other.jsonl",
            "other.jsonl, line 1: this is no result of `ewapa bench`",
        ),
        (
            "later.jsonl",
            "the results are of version 9, and this ewapa reads version 1",
        ),
        ("empty.jsonl", "there is no run in empty.jsonl"),
        ("none.jsonl", "cannot read none.jsonl"),
    ] {
        let output = ewapa(&folder, &["report", file]);
        assert_eq!(output.status.code(), Some(66));
        assert!(
            text(&output.stderr).contains(says),
            "{}",
            text(&output.stderr)
        );
    }
}

#[test]
fn results_cannot_move_the_cursor_of_a_terminal() {
    let folder = Directory::new();
    let lines = three().lines().replace("memory.c", "\\u001b[2J\\u0007");
    folder.file("results.jsonl", lines.replace("iwasm", "i\\u001b[31mwasm"));
    let report = printed(&folder, &["report", "results.jsonl"]);
    let is_harmful = |character: char| character.is_control() && character != '\n';
    assert!(!report.contains(is_harmful), "{report:?}");
    assert!(report.contains("i\u{fffd}[31mwasm"), "{report}");
}

#[test]
fn a_page_holds_no_markup_of_others() {
    let folder = Directory::new();
    let lines = three()
        .lines()
        .replace("memory.c", "\\u001b[2J\\u202e<script>alert(1)</script>");
    let evil = "i\\u001b[31m\\u202e<img src=x>wasm";
    folder.file("results.jsonl", lines.replace("iwasm", evil));
    let page = printed(&folder, &["report", "-f", "html", "results.jsonl"]);
    for markup in ["<script>alert", "<img", "<b>assertion"] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert!(page.contains("&lt;b&gt;assertion") && page.contains("&lt;img src=x"));
    let is_harmful = |character: char| {
        (character.is_control() && character != '\n')
            || matches!(character, '\u{202a}'..='\u{202e}')
    };
    assert!(
        !page.contains(is_harmful),
        "a character that does something"
    );
}

#[test]
fn a_report_is_written_to_a_file() {
    let folder = folder(&three());
    let arguments = ["report", "-f", "html", "-o", "report.html", "results.jsonl"];
    assert_eq!(printed(&folder, &arguments), "");
    let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
    let output = ewapa(
        &folder,
        &["report", "-o", "none/report.txt", "results.jsonl"],
    );
    assert_eq!(output.status.code(), Some(74));
}

/// The results of an experiment, and of the same one later, of which reads may take so many times as long.
fn before_and_after(times: f64) -> Directory {
    let folder = Directory::new();
    let before = Synthetic::alike(&["wasmi", "wasmtime"]);
    let mut after = before.clone().plant(1, Planted::Slow("fd_read", times));
    after.seed = 2;
    folder.file("before.jsonl", before.lines());
    folder.file("after.jsonl", after.lines());
    folder
}

#[test]
fn a_difference_is_shown_and_fails_over_the_limit() {
    let folder = before_and_after(3.0);
    let files = ["before.jsonl", "after.jsonl"];
    let diff = printed(&folder, &["diff", files[0], files[1]]);
    snapshot("diff.txt").assert_eq(&diff);
    let failing = ewapa(&folder, &["diff", files[0], files[1], "--fail-over", "10%"]);
    assert_eq!(failing.status.code(), Some(3));
    let says = "over the limit: wasmtime seqread: fd_read: time per call: at least";
    assert!(
        text(&failing.stderr).contains(says),
        "{}",
        text(&failing.stderr)
    );
    let allowed = ["diff", files[0], files[1], "--fail-over", "900%"];
    assert_eq!(ewapa(&folder, &allowed).status.code(), Some(0));
    // It is faster the other way round, and so not over any limit.
    let faster = ["diff", files[1], files[0], "--fail-over", "0%"];
    assert_eq!(ewapa(&folder, &faster).status.code(), Some(0));
    let only = [
        "diff",
        files[0],
        files[1],
        "--fail-over",
        "10%",
        "--metric",
        "peak_memory,calls",
    ];
    assert_eq!(ewapa(&folder, &only).status.code(), Some(0));
}

#[test]
fn two_identical_experiments_do_not_differ() {
    let folder = before_and_after(1.0);
    let output = ewapa(
        &folder,
        &["diff", "before.jsonl", "after.jsonl", "--fail-over", "0%"],
    );
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("no real difference in 78 comparisons"));
}

#[test]
fn two_runtimes_of_a_file_are_compared() {
    let folder = before_and_after(3.0);
    let diff = printed(
        &folder,
        &[
            "diff",
            "after.jsonl@wasmi",
            "after.jsonl@wasmtime 1.0",
            "-f",
            "csv",
        ],
    );
    let row = diff
        .lines()
        .find(|line| line.starts_with("wasmtime,seqread,fd_read,time_per_call,"))
        .unwrap();
    assert!(row.ends_with(",true"), "{row}");
    let unknown = ewapa(&folder, &["diff", "after.jsonl@wasmer", "after.jsonl"]);
    assert_eq!(unknown.status.code(), Some(64));
    let says =
        "after.jsonl has no runs of the runtime wasmer: it has those of wasmi, wasmi 1.0, wasmtime";
    assert!(
        text(&unknown.stderr).contains(says),
        "{}",
        text(&unknown.stderr)
    );
}

#[test]
fn a_runtime_that_does_not_run_any_more_fails() {
    let folder = Directory::new();
    let before = Synthetic::alike(&["wasmi", "wasmtime"]);
    let after = before.clone().plant(0, Planted::Fails(0, 1000, 9));
    folder.file("before.jsonl", before.lines());
    folder.file("after.jsonl", after.lines());
    let output = ewapa(
        &folder,
        &["diff", "before.jsonl", "after.jsonl", "--fail-over", "50%"],
    );
    assert_eq!(output.status.code(), Some(3));
    let says = "no good run any more: wasmi seqwrite 1000";
    assert!(
        text(&output.stderr).contains(says),
        "{}",
        text(&output.stderr)
    );
}
