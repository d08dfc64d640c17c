//! Runs of `ewapa bench`, and what is in their results.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::directory::Directory;
use super::host::ewapa;
use super::process::Ended;
use super::runtime::Runtime;

/// Runs `ewapa bench` in a folder, with the results in `results` there.
pub fn bench(directory: &Directory, arguments: &[&str]) -> Ended {
    let mut command = Command::new(ewapa());
    command
        .arg("bench")
        .args(arguments)
        .current_dir(directory.path());
    // It makes many runs, so it has no deadline.
    let output = command.stdin(Stdio::null()).output().expect("run ewapa");
    Ended {
        status: output.status,
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        stderr_bytes: output.stderr,
    }
}

/// Runs a plan to its end. Returns the runs of its results.
pub fn run(directory: &Directory, plan: &str) -> Vec<Value> {
    directory.file("plan.toml", plan);
    let ended = bench(directory, &["plan.toml", "-o", "results"]);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    lines(&directory.path().join("results")).split_off(1)
}

/// The lines of a results file.
pub fn lines(results: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(results).expect("there are results");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a line is an object"))
        .collect()
}

/// A plan's entry for a runtime of the tests.
pub fn entry(name: &str, like: &str, runtime: Runtime) -> String {
    format!(
        "[[runtime]]\nname = \"{name}\"\nlike = \"{like}\"\nprogram = \"{}\"\n",
        runtime.binary().display()
    )
}

/// The runs that are like this one.
pub fn such<'r>(runs: &'r [Value], wanted: &[(&str, Value)]) -> Vec<&'r Value> {
    runs.iter()
        .filter(|run| wanted.iter().all(|(name, value)| run[name] == *value))
        .collect()
}

/// What a run says of a function.
pub fn function<'r>(run: &'r Value, name: &str) -> &'r Value {
    let functions = run["functions"].as_array().expect("a list of functions");
    functions
        .iter()
        .find(|function| function["func"] == name)
        .unwrap_or_else(|| panic!("no {name} in {run}"))
}

/// A number of a run or a function.
pub fn number(of: &Value, name: &str) -> u64 {
    of[name]
        .as_u64()
        .unwrap_or_else(|| panic!("no {name} in {of}"))
}
