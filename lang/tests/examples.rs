//! Scripts of the kind that users write: the whole language parses, and what this version runs compiles.

mod machine;

use std::fs;
use std::path::PathBuf;

use ewapa_lang::{Code, Environment, compile, describe, parse};
use machine::Machine;

const ENVIRONMENT: Environment = Environment {
    runtimes: &["wasmtime", "wasmer", "wamr"],
    host: Some(&Machine),
    ..Environment::EMPTY
};

/// The name and text of each example, in order.
fn examples() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/examples");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let name = |path: &PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    paths
        .iter()
        .map(|path| (name(path), fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn all_examples_parse() {
    let examples = examples();
    assert_eq!(examples.len(), 10);
    for (name, text) in examples {
        assert!(
            parse(&text).is_ok_and(|script| !script.items.is_empty()),
            "{name}"
        );
    }
}

#[test]
fn an_example_is_called_as_its_first_line_says() {
    for (file, text) in examples() {
        let (docs, _) = describe(&text).unwrap();
        assert_eq!(docs.name, file[3..], "{file}");
        assert!(!docs.summary.is_empty(), "{file}");
    }
}

#[test]
fn what_this_version_runs_compiles() {
    let runs: Vec<String> = examples()
        .into_iter()
        .filter(|(_, text)| compile(text, &ENVIRONMENT, &[]).is_ok())
        .map(|(name, _)| name)
        .collect();
    assert_eq!(runs, ["01_fd_write_latency", "02_wasi_summary"]);
}

/// The names that an example is refused for, in order.
fn refused_for(number: usize) -> Vec<String> {
    let (_, text) = &examples()[number - 1];
    let errors = compile(text, &ENVIRONMENT, &[]).err().unwrap_or_default();
    errors
        .iter()
        .map(|error| {
            let refused = error
                .message
                .strip_suffix(" is part of the language, but this version does not run it yet");
            refused.unwrap_or(&error.message).replace('`', "")
        })
        .collect()
}

#[test]
fn probe_blocks_are_refused_only_for_builtins_that_are_still_to_come() {
    assert_eq!(refused_for(5), ["iovs", "bytes_req", "path"]);
    assert_eq!(refused_for(6), ["path"]);
}

#[test]
fn examples_are_refused_only_for_what_is_still_to_come() {
    for (name, text) in examples() {
        let errors = compile(&text, &ENVIRONMENT, &[]).err().unwrap_or_default();
        // `wasi_calls` is not among the builtins of the language yet.
        let unexpected: Vec<_> = errors
            .iter()
            .filter(|error| {
                error.code != Code::NotYet && error.message != "nothing is called `wasi_calls`"
            })
            .collect();
        assert!(unexpected.is_empty(), "{name}: {unexpected:?}");
    }
}

#[test]
fn the_budget_is_refused_for_what_is_not_about_tables_only() {
    let (_, text) = &examples()[9];
    let errors = compile(text, &ENVIRONMENT, &[]).unwrap_err();
    let messages: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
    expect_test::expect![[r#"
        [
            "`config` is part of the language, but this version does not run it yet",
            "`tseries()` is part of the language, but this version does not run it yet",
            "the unit `spark` is part of the language, but this version does not run it yet",
            "the probe `uprobe` is part of the language, but this version does not run it yet",
        ]
    "#]]
    .assert_debug_eq(&messages);
}
