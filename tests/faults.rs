//! The list of faults in docs/RELIABILITY.md and the tests are one: each test that it names is there, and each test of
//! a fault is named.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The names in the last column, as `file::test`.
fn named() -> BTreeSet<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/RELIABILITY.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let cells = rows.filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
    let words = cells.flat_map(|cell| cell.split('`'));
    let names = words.filter(|word| word.contains("::"));
    names.map(str::to_owned).collect()
}

/// The tests of a file below `tests/`, or of a file elsewhere by its path from there.
fn tests(file: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(format!("{file}.rs"));
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines: Vec<&str> = text.lines().collect();
    let function = |line: &&str| {
        let (name, _) = line.trim().strip_prefix("fn ")?.split_once('(')?;
        Some(name.to_owned())
    };
    let marked = lines.windows(2).filter(|pair| pair[0].trim() == "#[test]");
    let mut found: BTreeSet<String> = marked.filter_map(|pair| function(&pair[1])).collect();
    // Those that a macro makes for each runtime.
    let listed = text.split("on_every_runtime! {").nth(1);
    let listed = listed
        .and_then(|rest| rest.split('}').next())
        .unwrap_or_default();
    found.extend(listed.split(',').map(|name| name.trim().to_owned()));
    found
}

#[test]
fn every_test_in_the_list_of_faults_is_there() {
    let named = named();
    assert!(named.len() > 50, "{named:?}");
    for name in named {
        let (file, test) = name.rsplit_once("::").expect("a file and a test");
        assert!(tests(file).contains(test), "there is no test {name}");
    }
}

#[test]
fn every_test_of_a_fault_is_in_the_list() {
    let named = named();
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"));
    let names = files.expect("the tests are there").flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let mut count = 0;
    for file in names.filter_map(|name| name.strip_suffix(".rs").map(str::to_owned)) {
        if !file.starts_with("faults_") {
            continue;
        }
        for test in tests(&file) {
            let name = format!("{file}::{test}");
            assert!(
                test.is_empty() || named.contains(&name),
                "{name} is not in docs/RELIABILITY.md"
            );
            count += 1;
        }
    }
    assert!(count > 40, "{count}");
}
