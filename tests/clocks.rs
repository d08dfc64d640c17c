//! What `ewapa bench` counts, against independent counters: what the guests state, and `strace`. Each bundled
//! workload runs at two scales, so that what a runtime does before and after the guest is taken off.

#[macro_use]
mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use support::directory::Directory;
use support::experiment::{bench, entry, number, run, such};
use support::runtime::Runtime;

/// System calls by name.
type Counts = BTreeMap<String, i64>;

const WORKLOADS: [&str; 8] = [
    "seq-write",
    "seq-read",
    "random-rw",
    "small-writes",
    "open-stat-close",
    "readdir",
    "clock-random",
    "copy",
];

const SCALES: [u64; 2] = [2, 12];

/// What a runtime does for itself, at times that no guest decides: memory and threads. strace shows the probes'
/// own system calls without names.
const OF_ITS_OWN: &[&str] = &[
    "brk",
    "epoll_pwait",
    "epoll_wait",
    "futex",
    "madvise",
    "mmap",
    "mprotect",
    "munmap",
    "rt_sigprocmask",
    "sched_yield",
    "syscall_0x14f",
    "syscall_0x150",
];

const INSIDE: &str = "table inside from syscall:* where in_wasi && !handed by wasi_func, syscall { calls = count() }";

/// How the table of `ewapa bench` calls a runtime.
fn like(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Wasmtime => "wasmtime",
        Runtime::Wasmi => "wasmi",
        Runtime::Iwasm => "iwasm",
        Runtime::Wasm3 => "wasm3",
        Runtime::Node => "node",
        other => unreachable!("{other:?} is not compared here"),
    }
}

fn has_strace() -> bool {
    let found = Command::new("strace").arg("-V").output().is_ok();
    if !found {
        support::skip("strace is missing: install it (apt-get install strace)");
    }
    found
}

/// The plan, with each workload at both scales.
fn plan(runtime: Runtime, directory: &Directory) -> String {
    directory.file("inside.ewq", INSIDE);
    let entry = match runtime {
        Runtime::Builtin => String::new(),
        _ => entry("it", like(runtime), runtime),
    };
    let name = match runtime {
        Runtime::Builtin => "ewapa-guest",
        _ => "it",
    };
    format!(
        "runtimes = [\"{name}\"]\nworkloads = {WORKLOADS:?}\nscales = {SCALES:?}\nrepetitions = 1\nwarmup = 0\n\
         bare = false\nscripts = [\"inside.ewq\"]\n{entry}"
    )
}

/// The system calls within WASI calls, by the script of the plan.
fn inside(run: &Value) -> Counts {
    let mut counts = Counts::new();
    for line in run["lines"].as_array().expect("lines") {
        if line["type"] == "row" {
            let name = line["keys"]["syscall"].as_str().expect("a name");
            let calls = line["columns"]["calls"].as_i64().expect("a number");
            *counts.entry(name.to_owned()).or_default() += calls;
        }
    }
    counts
}

/// The system calls of the thread that the guest runs on, by strace, in a new copy of a folder of `--lay-out`.
fn by_strace(folder: &Path) -> Counts {
    let copy = Directory::new();
    let guest = copy.path().join("guest");
    let copied = Command::new("cp")
        .arg("-r")
        .arg(folder.join("guest"))
        .arg(&guest)
        .status();
    assert!(copied.expect("run cp").success());
    let command = std::fs::read_to_string(folder.join("command")).expect("a command");
    let trace = copy.path().join("trace");
    let stdin = std::fs::File::open(folder.join("stdin")).expect("a standard input");
    // -y names what descriptors are.
    let status = Command::new("sh")
        .args(["-c", &format!("exec strace -f -qq -y -o \"$0\" {command}")])
        .arg(&trace)
        .current_dir(&guest)
        .stdin(stdin)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.expect("run strace").success(), "{command}");
    let text = std::fs::read(trace).expect("a trace");
    let text = String::from_utf8_lossy(&text);
    let mut lines = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .peekable();
    let first = lines.peek().map(|(thread, _)| *thread);
    let mut counts = Counts::new();
    for (thread, rest) in lines {
        let Some((name, rest)) = rest.trim_start().split_once('(') else {
            continue;
        };
        let is_call = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        // Other threads are woken by writing to these.
        if is_call && Some(thread) == first && !rest.contains("<anon_inode:[eventfd]>") {
            *counts.entry(name.to_owned()).or_default() += 1;
        }
    }
    counts
}

/// What is more at the larger scale, without what runtimes do for themselves.
fn growth(small: &Counts, large: &Counts, runtime: Runtime) -> Counts {
    let mut growth = large.clone();
    for (name, calls) in small {
        *growth.entry(name.clone()).or_default() -= calls;
    }
    growth.retain(|name, calls| {
        let is_own = OF_ITS_OWN.contains(&name.as_str());
        // WAMR draws the numbers of descriptors until one is free.
        let is_random = name == "getrandom" && runtime == Runtime::Iwasm;
        *calls != 0 && !is_own && !is_random
    });
    growth
}

fn every_count_is_that_of_the_guest_and_of_strace(runtime: Runtime) {
    if !has_strace() {
        return;
    }
    let directory = Directory::new();
    let runs = run(&directory, &plan(runtime, &directory));
    let ended = bench(&directory, &["plan.toml", "--lay-out", "laid"]);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let name = match runtime {
        Runtime::Builtin => "ewapa-guest",
        _ => "it",
    };
    let laid = |workload, scale| -> PathBuf {
        directory
            .path()
            .join(format!("laid/{name}-{workload}-{scale}"))
    };
    let found = |kind: &str, workload: &str, scale: u64| {
        let wanted = [
            ("type", kind.into()),
            ("workload", workload.into()),
            ("scale", scale.into()),
        ];
        such(&runs, &wanted)[0].clone()
    };
    for workload in WORKLOADS {
        // What wasm3 0.4.7 cannot run is said, and is in no number.
        let is_missing = runtime == Runtime::Wasm3
            && ["random-rw", "open-stat-close", "readdir"].contains(&workload);
        let outcome = if is_missing { "failed" } else { "ok" };
        for scale in SCALES {
            // A run is only right if it made the calls that the guest states.
            let run = found("run", workload, scale);
            assert_eq!(run["outcome"], outcome, "{run}");
            assert_eq!(number(&run, "lost"), 0, "{run}");
        }
        if is_missing {
            continue;
        }
        let [small, large] = SCALES.map(|scale| inside(&found("script", workload, scale)));
        let seen = growth(&small, &large, runtime);
        // The two ways of ewapa to count them: one by one, and with the call.
        let [small, large] = SCALES.map(|scale| {
            let run = found("run", workload, scale);
            let functions = run["functions"].as_array().expect("functions");
            functions
                .iter()
                .map(|function| number(function, "syscalls"))
                .sum::<u64>() as i64
        });
        let has_own_threads = matches!(runtime, Runtime::Wasmtime | Runtime::Node);
        if !has_own_threads && runtime != Runtime::Iwasm {
            assert_eq!(
                large - small,
                seen.values().sum::<i64>(),
                "{workload}: {seen:?}"
            );
        }
        // Runtimes with several threads now and then read a file or wake a thread at their start; what is counted
        // wrongly is wrong each time.
        let counted: Vec<Counts> = (0..5)
            .map(|_| {
                let [small, large] = SCALES.map(|scale| by_strace(&laid(workload, scale)));
                growth(&small, &large, runtime)
            })
            .scan(false, |done, counts| {
                let last = std::mem::replace(done, *done || counts == seen);
                (!last).then_some(counts)
            })
            .collect();
        assert_eq!(counted.last(), Some(&seen), "{workload}");
    }
}

on_runtimes! { every_count_is_that_of_the_guest_and_of_strace: wasmtime: Wasmtime, wasmi: Wasmi, iwasm: Iwasm,
wasm3: Wasm3, node: Node, builtin: Builtin }
