//! Scripts of the kind that users write: all of them compile.

mod machine;

use std::fs;
use std::path::PathBuf;

use ewapa_lang::{Environment, compile, describe, parse, render};
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
fn all_examples_compile() {
    for (name, text) in examples() {
        let errors = compile(&text, &ENVIRONMENT, &[]).err().unwrap_or_default();
        assert!(
            errors.is_empty(),
            "{}",
            render(&errors, &name, &text, false)
        );
    }
}
