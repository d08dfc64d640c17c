//! `ewapa report --anomalies` over the default plan's workloads: it names what runtimes are known for, without being told
//! where to look, and nothing where there is nothing.

mod support;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use support::directory::Directory;
use support::experiment::{bench, entry};
use support::host::ewapa;
use support::runtime::Runtime;

/// The workloads of the default plan, as its file lists them.
fn workloads() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bench/default.toml");
    let plan = std::fs::read_to_string(path).expect("the default plan");
    let line = plan.lines().find(|line| line.starts_with("workloads = "));
    line.expect("it lists its workloads").to_owned()
}

/// What is found in a plan with these runtimes: runtime, function, sign and script of each anomaly, and the report.
fn found(
    directory: &Directory,
    names: &[&str],
    entries: &str,
    workloads: &str,
) -> (Vec<[String; 4]>, String) {
    let plan = format!(
        "runtimes = {names:?}\n{workloads}\nscales = [10, 40]\nrepetitions = 5\nwarmup = 0\nbare = false\nseed = 1\n{entries}"
    );
    directory.file("plan.toml", plan);
    let ended = bench(directory, &["plan.toml", "-o", "results"]);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let report = Command::new(ewapa())
        .args(["report", "--anomalies", "-f", "csv", "results"])
        .current_dir(directory.path())
        .output()
        .expect("run ewapa");
    assert!(report.status.success());
    let report = String::from_utf8(report.stdout).expect("text");
    let anomaly = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let last = cells.last().expect("a cell");
        [cells[1], cells[2], cells[3], last].map(str::to_owned)
    };
    (report.lines().skip(1).map(anomaly).collect(), report)
}

fn assert_found(found: &[[String; 4]], wanted: &[[&str; 4]], report: &str) {
    for anomaly in wanted {
        assert!(
            found.contains(&anomaly.map(str::to_owned)),
            "no {anomaly:?} in {report}"
        );
    }
}

#[test]
fn the_causes_that_runtimes_have_are_found_and_where_there_is_none_it_is_not() {
    let runtimes = [
        ("wasmtime", Runtime::Wasmtime),
        ("wasmi", Runtime::Wasmi),
        ("iwasm", Runtime::Iwasm),
        ("node", Runtime::Node),
        ("wasm3", Runtime::Wasm3),
    ];
    if !runtimes.iter().all(|(_, runtime)| runtime.is_ready()) {
        return;
    }
    let directory = Directory::new();
    let entries = runtimes.map(|(name, runtime)| entry(name, name, runtime));
    let names = runtimes.map(|(name, _)| name);
    let (found, report) = found(&directory, &names, &entries.concat(), &workloads());
    assert_found(
        &found,
        &[
            // Standard input is read by another thread, and standard output is cut into pieces.
            ["wasmtime", "fd_read", "thread_hops_per_call", "handoff"],
            ["wasmtime", "fd_write", "syscalls_per_call", "small_writes"],
            // A directory is read again for each call, and each file is asked about.
            [
                "wasmtime",
                "fd_readdir",
                "syscalls_per_call",
                "slow_readdir",
            ],
            // Six system calls beside opening.
            ["iwasm", "path_open", "syscalls_per_call", "stat_storms"],
            // A write of nothing is one for the kernel.
            [
                "iwasm",
                "fd_write",
                "syscalls_per_empty_write",
                "empty_writes",
            ],
            [
                "wasm3",
                "fd_write",
                "syscalls_per_empty_write",
                "empty_writes",
            ],
        ],
        &report,
    );
    let has = |runtime: &str, sign: &str| {
        let mut rows = found.iter();
        rows.any(|row| row[0] == runtime && row[2] == sign)
    };
    for runtime in ["wasmtime", "wasmi"] {
        assert!(!has(runtime, "syscalls_per_empty_write"), "{report}");
    }
    assert!(!has("wasm3", "thread_hops_per_call"), "{report}");
    // Nothing is forced to disk by any of them.
    assert!(
        found.iter().all(|row| row[3] != "unasked_syncs"),
        "{report}"
    );
}

#[test]
fn each_cause_that_is_put_into_a_runtime_is_found_with_its_script() {
    let plain = [
        ("wasmi", Runtime::Wasmi),
        ("iwasm", Runtime::Wamr),
        ("wasm3", Runtime::Wasm3),
    ];
    if !plain.iter().all(|(_, runtime)| runtime.is_ready()) {
        return;
    }
    let causes = [
        ("hand-off", "fd_write", "thread_hops_per_call", "handoff"),
        ("pieces", "fd_write", "syscalls_per_call", "small_writes"),
        ("copy", "fd_write", "time_per_call", "allocations"),
        (
            "redundant",
            "fd_write",
            "syscalls_per_call",
            "redundant_syscalls",
        ),
        ("sync", "fd_write", "syscalls_per_call", "unasked_syncs"),
        ("stats", "path_open", "syscalls_per_call", "stat_storms"),
    ];
    let directory = Directory::new();
    let library = directory.path().join("causes.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts/causes.c");
    let status = Command::new("clang")
        .args(["-O1", "-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .status();
    assert!(status.expect("clang builds ewapa, too").success());
    let mut entries = plain
        .map(|(name, runtime)| entry(name, name, runtime))
        .concat();
    for (cause, ..) in causes {
        let program = directory.file(
            cause,
            format!(
                "#!/bin/sh\nCAUSE={cause} LD_PRELOAD={} exec {} \"$@\"\n",
                library.display(),
                Runtime::Wasm3.binary().display()
            ),
        );
        std::fs::set_permissions(&program, Permissions::from_mode(0o755))
            .expect("make it a program");
        entries += &format!(
            "[[runtime]]\nname = \"{cause}\"\nlike = \"wasm3\"\nprogram = \"{}\"\n",
            program.display()
        );
    }
    let names = plain.iter().map(|(name, _)| *name);
    let names: Vec<&str> = names
        .chain(causes.iter().map(|(cause, ..)| *cause))
        .collect();
    let workloads = "workloads = [\"small-writes\", \"seq-read\"]";
    let (found, report) = found(&directory, &names, &entries, workloads);
    let wanted = causes.map(|(cause, func, sign, script)| [cause, func, sign, script]);
    assert_found(&found, &wanted, &report);
    // Each has its own cause only.
    for row in &found {
        if let Some((_, _, _, script)) = causes.iter().find(|(cause, ..)| *cause == row[0])
            && row[1] == "fd_write"
            && row[3] != "empty_writes"
        {
            assert_eq!(row[3], *script, "{row:?} in {report}");
        }
    }
}

#[test]
fn two_of_the_same_runtime_show_none() {
    if !Runtime::Wasmi.is_ready() {
        return;
    }
    let directory = Directory::new();
    let names = ["one", "other"];
    let entries = names
        .map(|name| entry(name, "wasmi", Runtime::Wasmi))
        .concat();
    let (found, report) = found(&directory, &names, &entries, &workloads());
    assert!(found.is_empty(), "{report}");
}
