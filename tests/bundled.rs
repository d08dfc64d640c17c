//! The bundled scripts on real runs, and the subcommands that need no script.

mod support;

use std::process::{Command, Output};

use support::directory::Directory;
use support::guest::Guest;
use support::host::{ewapa, ewapa_without_rights};
use support::report::Report;
use support::runtime::Runtime;
use support::trace::{Script, Traced};

fn run(name: &str, options: &[&str], runtime: Runtime) -> Traced {
    let directory = Directory::new();
    directory.file("data", [b'x'; 1600]);
    let module = Guest::named("calls").compile(&directory);
    Script::bundled(name)
        .with(options)
        .run(&runtime.run(&module, directory.path()))
}

fn headings(traced: &Traced) -> String {
    traced.report.table().headings.join(" ")
}

fn fd_write_latency(runtime: Runtime) {
    let traced = run("fd_write_latency", &[], runtime);
    assert_eq!(
        headings(&traced),
        "RUNTIME CALLS ERRORS BYTES TOTAL(ms) P50(us) P99(us) MAX(us) SYS(%) SELF(us)"
    );
    let row = traced.report.table().row(&[]);
    assert_eq!(
        ["CALLS", "ERRORS", "BYTES"].map(|heading| row.text(heading)),
        ["1001", "1", "4.9 KiB"]
    );
    let [p50, p99, max] = ["P50(us)", "P99(us)", "MAX(us)"].map(|heading| row.float(heading));
    assert!(
        0.0 < p50 && p50 <= p99 && p99 <= max * 1.016 + 0.1,
        "{}",
        traced.report.text
    );
    assert!(
        (0.0..=100.0).contains(&row.float("SYS(%)")),
        "{}",
        traced.report.text
    );
    assert!(
        row.float("TOTAL(ms)") > 0.0 && row.float("SELF(us)") > 0.0,
        "{}",
        traced.report.text
    );
}

fn wasi_summary(runtime: Runtime) {
    let traced = run("wasi_summary", &[], runtime);
    assert_eq!(
        headings(&traced),
        "FUNC RUNTIME SHARE(%) TOTAL(ms) USECS(us) P99(us) CALLS ERRORS BYTES SYS(%)"
    );
    let table = traced.report.table();
    let row = table.row(&[("FUNC", "fd_write")]);
    assert_eq!(
        ["CALLS", "ERRORS"].map(|heading| row.text(heading)),
        ["1001", "1"]
    );
    let totals: Vec<f64> = table.rows().map(|row| row.float("TOTAL(ms)")).collect();
    assert!(
        totals.is_sorted_by(|left, right| left >= right),
        "{}",
        traced.report.text
    );
    assert_eq!(table.row(&[("FUNC", "clock_time_get")]).text("BYTES"), "-");
}

fn syscalls_per_call(runtime: Runtime) {
    let traced = run("syscalls_per_call", &[], runtime);
    assert_eq!(
        headings(&traced),
        "FUNC RUNTIME CALLS SYSCALLS PER_CALL MOST TIME(ms) MOVED KERNEL"
    );
    let row = traced.report.table().row(&[("FUNC", "fd_write")]);
    assert_eq!(
        ["CALLS", "MOVED", "KERNEL"].map(|heading| row.text(heading)),
        ["1001", "4.9 KiB", "4.9 KiB"]
    );
    // The failing write may reach the kernel.
    assert!(
        (1000..=1001).contains(&row.number("SYSCALLS")),
        "{}",
        traced.report.text
    );
}

fn errors(runtime: Runtime) {
    let traced = run("errors", &[], runtime);
    assert_eq!(
        headings(&traced),
        "FUNC ERRNO FD RUNTIME CALLS TOTAL(us) MEAN(us)"
    );
    let table = traced.report.table();
    assert_eq!(
        table
            .row(&[("FUNC", "fd_write"), ("ERRNO", "BADF"), ("FD", "77")])
            .number("CALLS"),
        1
    );
    assert_eq!(
        table
            .row(&[("FUNC", "fd_close"), ("FD", "99")])
            .number("CALLS"),
        1
    );
    assert!(
        table.rows().all(|row| row.text("ERRNO") != "SUCCESS"),
        "{}",
        traced.report.text
    );
    let calls: Vec<i64> = table.rows().map(|row| row.number("CALLS")).collect();
    assert!(
        calls.is_sorted_by(|left, right| left >= right),
        "{}",
        traced.report.text
    );
}

macro_rules! on_two_runtimes {
    ($($script:ident,)*) => {$(
        mod $script {
            use super::Runtime;

            #[test]
            fn shows_what_the_guest_did_on_the_built_in_runtime() {
                if Runtime::Builtin.is_ready() {
                    super::$script(Runtime::Builtin);
                }
            }

            #[test]
            fn shows_what_the_guest_did_on_wasm3() {
                if Runtime::Wasm3.is_ready() {
                    super::$script(Runtime::Wasm3);
                }
            }
        }
    )*};
}

on_two_runtimes! {
    fd_write_latency,
    wasi_summary,
    syscalls_per_call,
    errors,
}

#[test]
fn the_parameters_of_bundled_scripts_filter_calls() {
    if Runtime::Wasm3.is_ready() {
        let traced = run("syscalls_per_call", &["--min", "1"], Runtime::Wasm3);
        assert!(
            traced
                .report
                .table()
                .rows()
                .all(|row| row.text("FUNC") != "clock_time_get"),
            "{}",
            traced.report.text
        );
        let traced = run("fd_write_latency", &["--min", "1s"], Runtime::Wasm3);
        assert!(
            traced.report.text.contains("no call"),
            "{}",
            traced.report.text
        );
    }
}

fn subcommand(words: &[&str]) -> Output {
    Command::new(ewapa())
        .args(words)
        .output()
        .expect("run ewapa")
}

fn stdout(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).expect("text")
}

#[test]
fn the_list_has_every_script_with_its_summary_and_parameters() {
    let said = stdout(&subcommand(&["list"]));
    for line in [
        "fd_write_latency ",
        " latency of every fd_write, per runtime",
        "wasi_summary ",
        "syscalls_per_call ",
        "errors ",
        "--min VALUE",
    ] {
        assert!(said.contains(line), "{line} in {said}");
    }
}

#[test]
fn the_help_of_a_script_has_its_parameters() {
    let said = stdout(&subcommand(&["script", "fd_write_latency", "--help"]));
    assert!(
        said.contains("--min <VALUE>")
            && said.contains("only calls at least this long; default: 0us"),
        "{said}"
    );
}

#[test]
fn the_demo_shows_a_table() {
    if Runtime::Builtin.is_ready() {
        let output = subcommand(&["demo"]);
        assert!(output.status.success());
        let report = Report::parse(&String::from_utf8_lossy(&output.stderr));
        let row = report.table().row(&[]);
        assert_eq!(
            ["CALLS", "ERRORS", "BYTES"].map(|heading| row.text(heading)),
            ["10001", "1", "195.3 KiB"]
        );
    }
}

#[test]
fn the_doctor_finds_this_machine_fit() {
    if support::is_root() {
        let said = stdout(&subcommand(&["doctor"]));
        assert!(
            said.ends_with("scripts can run here: try `ewapa demo`\n"),
            "{said}"
        );
        assert!(said.lines().all(|line| !line.starts_with("no")), "{said}");
        // What newer kernels have.
        for feature in [
            "session",
            "multi",
            "task-storage",
            "batch",
            "fanotify",
            "may-goto",
        ] {
            assert!(said.contains(&format!("  {feature} ")), "{said}");
        }
    }
}

fn symbols(runtime: Runtime, seen: usize) {
    if !runtime.is_ready() {
        return;
    }
    let said = stdout(&subcommand(&[
        "symbols",
        runtime.binary().to_str().expect("a path in UTF-8"),
    ]));
    assert!(said.starts_with(runtime.name()), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    let heading = lines
        .iter()
        .position(|line| line.starts_with("FUNCTION "))
        .expect("a heading");
    let sites = lines[heading + 1..]
        .iter()
        .take_while(|line| !line.is_empty())
        .count();
    assert_eq!(sites, seen, "{said}");
    let missing = lines
        .iter()
        .filter(|line| line.contains(": this runtime does not implement it"))
        .count();
    assert_eq!(missing, 46 - seen, "{said}");
}

#[test]
fn the_symbols_of_wasmtime_are_all_functions() {
    symbols(Runtime::Wasmtime, 46);
}

#[test]
fn the_symbols_of_libwasmtime_are_all_functions() {
    symbols(Runtime::LibWasmtime, 46);
}

#[test]
fn the_symbols_of_wasmi_are_all_functions() {
    symbols(Runtime::Wasmi, 46);
    symbols(Runtime::Builtin, 46);
}

#[test]
fn the_symbols_of_iwasm_lack_sock_accept() {
    symbols(Runtime::Iwasm, 45);
}

#[test]
fn the_symbols_of_wasm3_are_its_18_functions() {
    symbols(Runtime::Wasm3, 18);
}

#[test]
fn the_symbols_of_node_are_all_functions() {
    symbols(Runtime::Node, 46);
}

#[test]
fn the_stages_of_a_compilation_need_no_rights() {
    if !support::is_root() {
        return;
    }
    let directory = Directory::new();
    for (stage, marker) in [
        ("ast", "Table {"),
        ("plan", "table summary from store 0"),
        ("asm", "ewapa_leave:"),
    ] {
        let output = ewapa_without_rights(&directory)
            .args(["script", "wasi_summary", "--emit", stage])
            .output()
            .expect("run ewapa");
        let said = stdout(&output);
        assert!(said.contains(marker), "{stage}: {said}");
    }
}

#[test]
fn timings_are_of_stages_in_their_order() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let traced = run("fd_write_latency", &["--timings"], Runtime::Wasm3);
    let stages = [
        "script checked",
        "compile and link",
        "maps",
        "programs",
        "command released",
        "first probe",
        "end of the command",
        "tables read",
    ];
    let mut last = 0.0;
    for stage in stages {
        let line = traced
            .ended
            .stderr
            .lines()
            .find(|line| line.ends_with(&format!(" ms  {stage}")));
        let line = line.unwrap_or_else(|| panic!("{stage} in {}", traced.ended.stderr));
        let at: f64 = line
            .split_whitespace()
            .next()
            .expect("a time")
            .parse()
            .expect("a number");
        assert!(at >= last, "{}", traced.ended.stderr);
        last = at;
    }
}
