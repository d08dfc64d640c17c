//! `ewapa bench`: which runs it makes, and what it says of them.

mod support;

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::directory::Directory;
use support::experiment::{bench, entry, function, lines, number, run, such};
use support::host::{ewapa, ewapa_without_rights};
use support::process::{Process, wait_until};
use support::runtime::Runtime;

/// A module that ends with a code after it wrote a text to a descriptor.
fn guest(directory: &Directory, name: &str, descriptor: u32, text: &str, code: u32) -> PathBuf {
    let mut escaped = String::new();
    for byte in text.bytes() {
        write!(escaped, "\\{byte:02x}").expect("write to a string");
    }
    let text = format!(
        "(module
          (import \"wasi_snapshot_preview1\" \"fd_write\" (func $write (param i32 i32 i32 i32) (result i32)))
          (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))
          (memory (export \"memory\") 1)
          (data (i32.const 64) \"{escaped}\")
          (func (export \"_start\")
            (i32.store (i32.const 0) (i32.const 64))
            (i32.store (i32.const 4) (i32.const {}))
            (drop (call $write (i32.const {descriptor}) (i32.const 0) (i32.const 1) (i32.const 8)))
            (if (i32.const {code}) (then (call $exit (i32.const {code}))))))",
        text.len()
    );
    directory.file(name, wat::parse_str(text).expect("a module"))
}

#[test]
fn every_combination_runs_and_counts_what_the_guest_states() {
    if !Runtime::Wasmi.is_ready() || !Runtime::Iwasm.is_ready() {
        return;
    }
    let directory = Directory::new();
    let plan = format!(
        "runtimes = [\"wasmi-2\", \"wamr\"]\nworkloads = [\"seq-write\", \"small-writes\"]\n\
         scales = [1, 10]\nrepetitions = 2\nwarmup = 0\nseed = 5\n{}{}",
        entry("wasmi-2", "wasmi", Runtime::Wasmi),
        entry("wamr", "iwasm", Runtime::Iwasm),
    );
    let runs = run(&directory, &plan);
    let mut known_memory = 0;
    assert_eq!(runs.len(), 2 * 2 * 2 * 2 * 2);
    for run in &runs {
        assert_eq!(run["outcome"], "ok", "{run}");
    }
    for scale in [1, 10] {
        for (workload, each) in [("seq-write", 4), ("small-writes", 11)] {
            let wanted = [("scale", scale.into()), ("workload", workload.into())];
            let of_both = such(&runs, &wanted);
            assert_eq!(of_both.len(), 8);
            for run in of_both.iter().filter(|run| run["observed"] == true) {
                let writes = function(run, "fd_write");
                // The writes of the workload, among them one of nothing, and one that states the calls.
                assert_eq!(writes["calls"], each * scale + 1, "{run}");
                assert_eq!(writes["errors"], 0);
                assert_eq!(run["lost"], 0);
                let (total, startup) = (number(run, "total"), number(run, "startup"));
                assert!(0 < startup && startup < total, "{run}");
                let wasi = number(writes, "duration");
                assert!(
                    number(writes, "syscall_time") < wasi && wasi < total,
                    "{run}"
                );
            }
            for run in of_both.iter().filter(|run| run["observed"] == false) {
                assert!(number(run, "total") > 0, "{run}");
                // wasmi needs less than the ewapa that starts it, and its memory is still known: not if ewapa
                // itself got more while it started the run.
                if run["runtime"] == "wasmi-2"
                    && let Some(memory) = run["peak_memory"].as_i64()
                {
                    assert!((1 << 20..64 << 20).contains(&memory), "{run}");
                    known_memory += 1;
                }
                assert_eq!(run["functions"], Value::Array(Vec::new()));
            }
        }
    }
    assert!(known_memory > 0);
    assert_eq!(such(&runs, &[("version", "2.0.0".into())]).len(), 16);
}

#[test]
fn what_goes_wrong_is_told_and_has_no_place_among_the_right() {
    if !support::is_root() {
        return;
    }
    let directory = Directory::new();
    guest(&directory, "fails.wasm", 2, "no luck\n", 3);
    guest(&directory, "lies.wasm", 2, "calls fd_write 5\n", 0);
    guest(&directory, "mute.wasm", 1, "other\n", 0);
    let hanging =
        "(module (memory (export \"memory\") 1) (func (export \"_start\") (loop (br 0))))";
    directory.file("hangs.wasm", wat::parse_str(hanging).expect("a module"));
    let plan = "runtimes = [\"ewapa-guest\"]\nscales = [1]\nrepetitions = 1\nwarmup = 0\ntimeout = \"10s\"\n\
        [[workload]]\nname = \"fails\"\nmodule = \"fails.wasm\"\n\
        [[workload]]\nname = \"hangs\"\nmodule = \"hangs.wasm\"\n\
        [[workload]]\nname = \"mute\"\nmodule = \"mute.wasm\"\nexpect = \"this\\n\"\n\
        [[workload]]\nname = \"lies\"\nmodule = \"lies.wasm\"\nstates_calls = true\n";
    let runs = run(&directory, plan);
    assert_eq!(runs.len(), 8);
    let found = |workload: &str, observed: bool| {
        let wanted = [("workload", workload.into()), ("observed", observed.into())];
        let run = such(&runs, &wanted)[0];
        let detail = run["detail"].as_str().unwrap_or_default().to_owned();
        (
            run["outcome"].as_str().expect("an outcome").to_owned(),
            detail,
        )
    };
    for observed in [true, false] {
        assert_eq!(
            found("fails", observed),
            ("failed".to_owned(), "exit code 3: no luck".to_owned())
        );
        assert_eq!(
            found("hangs", observed),
            ("timeout".to_owned(), "ended after 10 s".to_owned())
        );
        assert_eq!(found("mute", observed).0, "wrong");
    }
    let (outcome, detail) = found("lies", true);
    assert_eq!(outcome, "wrong");
    assert!(
        detail.contains("fd_write: 1 calls seen, 5 stated"),
        "{detail}"
    );
    // Without probes nobody knows.
    assert_eq!(found("lies", false).0, "ok");
}

#[test]
fn the_module_of_a_third_party_runs_as_it_is() {
    if !support::is_root() {
        return;
    }
    let directory = Directory::new();
    guest(&directory, "app.wasm", 1, "result\n", 0);
    let plan = "runtimes = [\"ewapa-guest\"]\nscales = [1, 2]\nrepetitions = 2\nwarmup = 1\n\
        [[workload]]\nname = \"app\"\nmodule = \"app.wasm\"\nargs = [\"-n\", \"{scale}\"]\nsame_output = true\n";
    for run in run(&directory, plan) {
        assert_eq!(run["outcome"], "ok", "{run}");
        if run["observed"] == true {
            assert_eq!(function(&run, "fd_write")["calls"], 1);
            assert_eq!(function(&run, "fd_write")["bytes"], 7);
        }
    }
}

#[test]
fn scripts_of_a_plan_run_on_every_combination_beside_the_metrics() {
    if !support::is_root() {
        return;
    }
    let directory = Directory::new();
    directory.file(
        "sizes.ewq",
        "table sizes from wasi:fd_write by fd { most = max(bytes) }",
    );
    let plan = "runtimes = [\"ewapa-guest\"]\nworkloads = [\"seq-write\"]\nscales = [1, 2]\nrepetitions = 1\n\
        warmup = 0\nobserved = false\nscripts = [\"sizes.ewq\", \"errors\"]\n";
    let lines = run(&directory, plan);
    assert_eq!(such(&lines, &[("type", "run".into())]).len(), 2);
    let scripts = such(&lines, &[("type", "script".into())]);
    assert_eq!(scripts.len(), 4);
    for run in &scripts {
        assert_eq!(run["outcome"], "ok", "{run}");
    }
    let sizes = scripts.iter().find(|run| {
        run["script"]
            .as_str()
            .is_some_and(|name| name.ends_with("/sizes.ewq"))
    });
    let rows = sizes.expect("a run")["lines"].as_array().expect("lines");
    let largest = rows
        .iter()
        .filter_map(|row| row["columns"]["most"].as_u64())
        .max();
    assert_eq!(largest, Some(32768));

    directory.file(
        "sizes.ewq",
        "table sizes from wasi:fd_wirte { n = count() }",
    );
    let ended = bench(&directory, &["plan.toml", "-o", "other"]);
    assert_eq!(ended.code(), 65, "{}", ended.stderr);
    assert!(ended.stderr.contains("E0203"), "{}", ended.stderr);
    assert!(!directory.path().join("other").exists());
}

#[test]
fn an_interrupted_experiment_keeps_what_is_done_and_can_be_resumed() {
    let directory = Directory::new();
    let plan = "runtimes = [\"ewapa-guest\"]\nworkloads = [\"seq-write\", \"readdir\"]\nscales = [1, 2]\n\
        repetitions = 20\nwarmup = 1\nobserved = false\n";
    directory.file("plan.toml", plan);
    let results = directory.path().join("results");
    let mut command = Command::new(ewapa());
    command
        .args(["bench", "plan.toml", "-o", "results"])
        .current_dir(directory.path());
    let process = Process::start(&mut command);
    wait_until("some results", || {
        let text = std::fs::read_to_string(&results).ok()?;
        (text.lines().count() > 5).then_some(())
    });
    process.signal(libc::SIGINT);
    let ended = process.end();
    assert_eq!(ended.code(), 128 + libc::SIGINT, "{}", ended.stderr);
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(
        said.contains("`ewapa bench --resume results` goes on"),
        "{said}"
    );
    let before = lines(&results).len() - 1;
    assert!((5..80).contains(&before), "{before}");

    let ended = bench(&directory, &["--resume", "results"]);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let all = lines(&results);
    let runs: Vec<&Value> = all.iter().filter(|line| line["type"] == "run").collect();
    assert_eq!(runs.len(), 2 * 2 * 20);
    let different: HashSet<String> = runs
        .iter()
        .map(|run| format!("{} {} {}", run["workload"], run["scale"], run["repetition"]))
        .collect();
    assert_eq!(different.len(), runs.len());
    let orders: HashSet<u64> = runs.iter().map(|run| number(run, "order")).collect();
    assert_eq!(orders, (0..80).collect());
    let experiments = such(&all, &[("type", "experiment".into())]);
    assert_eq!(experiments.len(), 2);
    assert_eq!(experiments[0]["seed"], experiments[1]["seed"]);

    // Another plan is not put together with this one.
    let ended = bench(&directory, &["--resume", "results", "--repetitions", "3"]);
    assert_eq!(ended.code(), 64);
    assert!(ended.stderr.contains("of another plan"), "{}", ended.stderr);
}

#[test]
fn results_are_not_written_over_and_plans_that_cannot_be_used_are_refused() {
    let directory = Directory::new();
    directory.file("results", "precious");
    let quick = "runtimes = [\"ewapa-guest\"]\nrepetitions = 1";
    for (plan, arguments, code, part) in [
        (
            quick,
            &["-o", "results"][..],
            74,
            "results is there already",
        ),
        ("scales = [0]", &[], 65, "a scale is a number"),
        ("sclaes = [1]", &[], 65, "unknown field `sclaes`"),
        (
            "workloads = [\"none\"]",
            &[],
            66,
            "no workload is called `none`",
        ),
        (
            "runtimes = [\"none\"]",
            &[],
            64,
            "no runtime is called `none`",
        ),
    ] {
        directory.file("plan.toml", plan);
        let arguments: Vec<&str> = ["plan.toml"].iter().chain(arguments).copied().collect();
        let ended = bench(&directory, &arguments);
        assert_eq!(ended.code(), code, "{}", ended.stderr);
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
        assert!(ended.stderr.starts_with("ewapa: "), "{}", ended.stderr);
    }
    let kept = std::fs::read_to_string(directory.path().join("results"));
    assert_eq!(kept.expect("it is there"), "precious");
}

#[test]
fn without_rights_an_experiment_says_what_is_possible() {
    if !support::is_root() {
        return;
    }
    let directory = Directory::new();
    let base = "runtimes = [\"ewapa-guest\"]\nworkloads = [\"seq-write\"]\nscales = [1]\nrepetitions = 1\n";
    directory.file("plan.toml", base);
    directory.file("bare.toml", format!("{base}observed = false\n"));
    let mut command = ewapa_without_rights(&directory);
    let ended = Process::start(command.args(["bench", "plan.toml", "-o", "one"])).end();
    assert_eq!(ended.code(), 77, "{}", ended.stderr);
    assert!(
        ended.stderr.contains("`observed = false`"),
        "{}",
        ended.stderr
    );
    let mut command = ewapa_without_rights(&directory);
    let ended = Process::start(command.args(["bench", "bare.toml", "-o", "two"])).end();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(lines(&directory.path().join("two"))[1]["outcome"], "ok");
}

#[test]
fn under_sudo_the_runtimes_are_the_callers_and_so_is_what_they_make() {
    if !support::is_root() {
        return;
    }
    let directory = Directory::new();
    std::fs::set_permissions(directory.path(), Permissions::from_mode(0o777)).expect("open it");
    let module = guest(&directory, "app", 1, "hello\n", 0);
    // It says who it is, and makes a file as who it is.
    let plan = format!(
        "runtimes = [\"who\"]\nscales = [1]\nrepetitions = 1\nwarmup = 1\nobserved = false\n\
         [[runtime]]\nname = \"who\"\nprogram = \"/bin/sh\"\n\
         run = [\"{{program}}\", \"-c\", \"id -u; touch made; stat -c %u made .\"]\n\
         [[workload]]\nname = \"app\"\nmodule = \"{}\"\nexpect = \"65534\\n65534\\n65534\\n\"\n",
        module.display()
    );
    directory.file("who.toml", plan);
    directory.file(
        "guest.toml",
        "runtimes = [\"ewapa-guest\"]\nworkloads = [\"seq-write\", \"copy\"]\nscales = [1]\nrepetitions = 2\nwarmup = 0\n",
    );
    for (plan, runs) in [("who.toml", 1), ("guest.toml", 8)] {
        let results = directory.path().join(format!("{plan}.jsonl"));
        let output = Command::new(ewapa())
            .args(["bench", plan, "-o"])
            .arg(&results)
            .env("SUDO_UID", "65534")
            .current_dir(directory.path())
            .output()
            .expect("run ewapa");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let lines = lines(&results);
        assert_eq!(
            such(&lines, &[("outcome", "ok".into())]).len(),
            runs,
            "{said}"
        );
        let owner = std::fs::metadata(&results).expect("it is there").uid();
        assert_eq!(owner, 65534);
    }
}

/// The compiler that the modules of the repository were made with.
const COMPILER: &str = "Debian clang version 14.0.6";

#[test]
fn the_bundled_modules_are_what_their_sources_make() {
    let version = Command::new("clang").arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let is_pinned = version.is_ok_and(|text| text.starts_with(COMPILER));
    if !is_pinned || !Path::new("/usr/include/wasm32-wasi/wasi/api.h").exists() {
        eprintln!(
            "SKIPPED: the modules were made with {COMPILER} and its wasi-libc, which are not here"
        );
        return;
    }
    for (name, count) in [("workloads", 8), ("tests/guests/conformance", 5)] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        assert_eq!(modules(&folder).len(), count);
        let directory = Directory::new();
        let status = Command::new(folder.join("build.sh"))
            .arg(directory.path())
            .status();
        assert!(status.expect("run build.sh").success());
        let is_same = modules(directory.path()) == modules(&folder);
        assert!(is_same, "{name}/build.sh makes other modules");
    }
}

/// The modules in a folder, by their name.
fn modules(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|name| name == "wasm"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            (name.into_owned(), std::fs::read(&path).expect("a module"))
        })
        .collect()
}
