//! Eight runtimes in one run: one table with each of them beside the others, and the numbers that their guests made.

mod support;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use serde_json::Value as Json;
use support::directory::Directory;
use support::guest::Guest;
use support::runtime::{Invocation, Runtime};
use support::trace::Script;

const RUNTIMES: [Runtime; 8] = [
    Runtime::Wasmtime,
    Runtime::LibWasmtime,
    Runtime::Wasmer,
    Runtime::Wasmi,
    Runtime::Wamr,
    Runtime::Wasm3,
    Runtime::Node,
    Runtime::NodeNew,
];

/// What the guest `calls` does, as it stands in its file.
const CALLS: [(&str, i64); 7] = [
    ("clock_time_get", 7),
    ("fd_close", 12),
    ("fd_read", 100),
    ("fd_seek", 1),
    ("fd_write", 1001),
    ("path_open", 14),
    ("random_get", 7),
];

const SCRIPT: &str = "table summary from wasi:* by func, runtime { calls = count(), total = sum(duration) as ms } pivot runtime";

/// One shell that runs them one after the other.
fn all(directory: &Directory) -> Invocation {
    let module = Guest::named("calls").compile(directory);
    directory.file("data", [b'x'; 1600]);
    let mut script = OsString::new();
    for runtime in RUNTIMES {
        let invocation = runtime.run(&module, directory.path());
        for (name, value) in &invocation.environment {
            script.push(format!("{name}='"));
            script.push(value);
            script.push("' ");
        }
        for word in &invocation.words {
            script.push("'");
            script.push(word);
            script.push("' ");
        }
        script.push(">/dev/null\n");
    }
    let mut invocation = Invocation::of([OsString::from("sh"), "-c".into(), script]);
    invocation.directory = directory.path().to_owned();
    invocation
}

#[test]
fn eight_runtimes_side_by_side_have_the_numbers_of_their_guests() {
    if !RUNTIMES.iter().all(|runtime| runtime.is_ready()) {
        return;
    }
    let directory = Directory::new();
    let traced = Script::new(SCRIPT)
        .with(&["-f", "json"])
        .run(&all(&directory));
    let mut seen: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for line in traced.report.text.lines() {
        let line: Json = serde_json::from_str(line).expect("a line of JSON");
        if line["type"] != "row" {
            assert_eq!(line["processes"], 8, "{line}");
            assert_eq!(line["lost"], 0, "{line}");
            continue;
        }
        let text = |key: &str| line["keys"][key].as_str().expect("a text").to_owned();
        let calls = line["columns"]["calls"].as_i64().expect("a number");
        seen.entry(text("runtime"))
            .or_default()
            .insert(text("func"), calls);
    }
    assert_eq!(seen.len(), 8, "{:?}", seen.keys());
    let expected: BTreeMap<String, i64> = CALLS
        .iter()
        .map(|(function, calls)| ((*function).to_owned(), *calls))
        .collect();
    for (runtime, calls) in &seen {
        assert_eq!(calls, &expected, "{runtime}");
    }
}

#[test]
fn eight_runtimes_side_by_side_are_one_screen() {
    if !RUNTIMES.iter().all(|runtime| runtime.is_ready()) {
        return;
    }
    let directory = Directory::new();
    let traced = Script::new(SCRIPT).run(&all(&directory));
    let text = &traced.report.text;
    for runtime in [
        "wasmtime 48.0.8",
        "wasmer 7.4.2",
        "wasmi 2.0.0",
        "wamr",
        "wasm3",
        "node 22.23.3",
        "node 24.21.0",
    ] {
        assert!(text.contains(runtime), "{runtime} in\n{text}");
    }
    assert!(text.lines().count() <= 40, "{text}");
}

#[test]
fn builds_that_one_name_stands_for_are_named() {
    let both = [Runtime::Wamr, Runtime::Iwasm];
    if !both.iter().all(|runtime| runtime.is_ready()) {
        return;
    }
    let directory = Directory::new();
    let [new, old] = both.map(|runtime| runtime.binary());
    let module = Guest::named("ends").compile(&directory);
    let run = |first: &Path, second: &Path| {
        let text = "\"$1\" \"$3\" >/dev/null; \"$2\" \"$3\" >/dev/null";
        let words: [&Path; 7] = [
            Path::new("sh"),
            Path::new("-c"),
            Path::new(text),
            Path::new("sh"),
            first,
            second,
            &module,
        ];
        Script::new(SCRIPT).run(&Invocation::of(words)).report.text
    };
    let copy = directory.path().join("copy");
    std::fs::copy(&new, &copy).expect("copy the runtime");
    let said = run(&new, &copy);
    assert!(!said.contains("builds are shown as one"), "{said}");
    let said = run(&new, &old);
    let line = format!(
        "wamr: 2 builds are shown as one, as their versions do not tell them apart: {}, {}",
        new.display(),
        old.display()
    );
    assert!(said.contains(&line), "{said}");
}
