//! The documentation of the language says what is true: its scripts compile, its errors are those that it
//! names, and nothing that a script can use is left out.
//!
//! Code blocks are told apart by the words after their fence:
//!
//! - `ewq`: a whole script. It compiles.
//! - `ewq-error CODE [--PARAM VALUE]…`: a whole script. Each of its errors has this code.
//! - `ewq-fragment KIND`: a part of a script. [`wrapped`] says what it is a part of.

mod machine;

use std::fs;
use std::path::{Path, PathBuf};

use ewapa_lang::builtin::{BUILTINS, OTHER_VALUES};
use ewapa_lang::errno::ERRNO;
use ewapa_lang::wasi::Function;
use ewapa_lang::{Code, Environment, compile, describe, render};
use machine::Machine;

const ENVIRONMENT: Environment = Environment {
    runtimes: &[
        "wasmtime", "wasmer", "wasmi", "wamr", "wasm3", "wabt", "node", "wasmedge", "wazero",
    ],
    host: Some(&Machine),
    ..Environment::EMPTY
};

/// What users read.
fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn reference() -> String {
    read(&project().join("docs/LANGUAGE.md"))
}

/// A code block: the words after its fence, and its lines.
struct Block {
    file: String,
    line: usize,
    words: Vec<String>,
    text: String,
}

impl Block {
    fn is(&self, kind: &str) -> bool {
        self.words.first().is_some_and(|word| word == kind)
    }

    fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

fn blocks_of(file: &str, text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), open.as_mut()) {
            (Some(words), None) => {
                open = Some(Block {
                    file: file.to_owned(),
                    line: index + 1,
                    words: words.split_whitespace().map(str::to_owned).collect(),
                    text: String::new(),
                });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{file}: a code block is never closed");
    blocks
}

/// The blocks of all pages that show scripts.
fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    for file in ["docs/LANGUAGE.md", "docs/BPFTRACE.md", "README.md"] {
        if let Ok(text) = fs::read_to_string(project().join(file)) {
            blocks.extend(blocks_of(file, &text));
        }
    }
    for (name, _) in bundled() {
        let file = format!("docs/scripts/{name}.md");
        blocks.extend(blocks_of(&file, &read(&project().join(&file))));
    }
    blocks
}

/// The bundled scripts: name and text.
fn bundled() -> Vec<(String, String)> {
    let mut scripts: Vec<(String, String)> = fs::read_dir(project().join("scripts"))
        .expect("there are bundled scripts")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "ewq"))
        .map(|path| {
            let name = path.file_stem().expect("a file has a name");
            (name.to_string_lossy().into_owned(), read(&path))
        })
        .collect();
    scripts.sort();
    scripts
}

/// The scripts that a fragment stands for.
fn wrapped(kind: &str, fragment: &str) -> Vec<String> {
    let lines = || fragment.lines().filter(|line| !line.trim().is_empty());
    match kind {
        // The columns of a table.
        "columns" => vec![format!("table t from wasi:* by func {{\n{fragment}\n}}")],
        // On each line a condition.
        "condition" => lines()
            .map(|line| format!("table t from wasi:* where {line}\n{{ calls = count() }}"))
            .collect(),
        // On each line the keys of a table.
        "keys" => lines()
            .map(|line| format!("table t from wasi:* by {line}\n{{ calls = count() }}"))
            .collect(),
        // On each line the probes of a table.
        "probes" => lines()
            .map(|line| format!("table t from {line}\n{{ calls = count() }}"))
            .collect(),
        // On each line what follows the columns of a table.
        "clauses" => lines()
            .map(|line| {
                format!(
                    "table t from wasi:* by func {{ calls = count(), total = sum(duration) }} {line}"
                )
            })
            .collect(),
        // Items beside a table.
        "items" => vec![format!("{fragment}\ntable t from wasi:* {{ calls = count() }}")],
        _ => panic!("no kind of fragment is called `{kind}`"),
    }
}

fn assert_compiles(text: &str, place: &str) {
    if let Err(errors) = compile(text, &ENVIRONMENT, &[]) {
        panic!("{}", render(&errors, place, text, false));
    }
}

/// The parameters among the words of a fence.
fn arguments(words: &[String]) -> Vec<(String, String)> {
    words
        .chunks(2)
        .map(|pair| (pair[0].trim_start_matches('-').to_owned(), pair[1].clone()))
        .collect()
}

#[test]
fn every_script_in_the_documentation_compiles() {
    let blocks = blocks();
    assert!(blocks.iter().any(|block| block.is("ewq")));
    for block in blocks.iter().filter(|block| block.is("ewq")) {
        assert_compiles(&block.text, &block.place());
    }
}

#[test]
fn every_fragment_in_the_documentation_compiles() {
    let blocks = blocks();
    assert!(blocks.iter().any(|block| block.is("ewq-fragment")));
    for block in blocks.iter().filter(|block| block.is("ewq-fragment")) {
        let kind = block.words.get(1).map_or("", String::as_str);
        for script in wrapped(kind, &block.text) {
            assert_compiles(&script, &block.place());
        }
    }
}

#[test]
fn every_error_in_the_documentation_has_the_code_that_it_names() {
    for block in blocks().iter().filter(|block| block.is("ewq-error")) {
        let place = block.place();
        let code = block.words.get(1).and_then(|id| Code::from_id(id));
        let code = code.unwrap_or_else(|| panic!("{place}: the fence names no code"));
        let errors = compile(&block.text, &ENVIRONMENT, &arguments(&block.words[2..]))
            .expect_err("a script of the documentation has no error");
        assert!(
            errors.iter().all(|error| error.code == code),
            "{place} should give {code}:\n{}",
            render(&errors, &place, &block.text, false)
        );
    }
}

#[test]
fn no_block_of_the_language_has_an_unknown_fence() {
    for block in blocks() {
        let Some(kind) = block.words.first() else {
            continue;
        };
        assert!(
            !kind.starts_with("ewq") || ["ewq", "ewq-error", "ewq-fragment"].contains(&&kind[..]),
            "{}: {kind}",
            block.place()
        );
    }
}

/// Fails with the names that the reference does not have in code style.
fn assert_mentioned<'a>(what: &str, names: impl IntoIterator<Item = &'a str>) {
    let reference = reference();
    let missing: Vec<&str> = names
        .into_iter()
        .filter(|name| {
            ["`", "(", " "]
                .iter()
                .all(|end| !reference.contains(&format!("`{name}{end}")))
        })
        .collect();
    assert!(
        missing.is_empty(),
        "docs/LANGUAGE.md does not mention {what}: {}",
        missing.join(" ")
    );
}

/// The texts in quotes of a constant of the checker: what it knows by name and does not show.
fn names_in<'a>(source: &'a str, constant: &str) -> Vec<&'a str> {
    let start = source
        .find(constant)
        .unwrap_or_else(|| panic!("the source has no `{constant}`"));
    let end = source[start..].find("];").expect("a constant ends") + start;
    let mut names = Vec::new();
    let mut rest = &source[start..end];
    while let Some((_, text)) = rest.split_once('"') {
        let mut ends = text.match_indices('"');
        let (end, _) = ends
            .find(|(at, _)| !text[..*at].ends_with('\\'))
            .expect("a text ends");
        names.push(&text[..end]);
        rest = &text[end + 1..];
    }
    names
}

/// The same, of a constant of names and what is said of each: the names only.
fn named_in<'a>(source: &'a str, constant: &str) -> Vec<&'a str> {
    let is_name = |text: &&str| {
        let at = text.as_ptr() as usize - source.as_ptr() as usize - 1;
        source[..at].trim_end().ends_with('(')
    };
    names_in(source, constant)
        .into_iter()
        .filter(is_name)
        .collect()
}

const AGGREGATE: &str = include_str!("../src/check/aggregate.rs");
const PROBE: &str = include_str!("../src/check/probe.rs");
const REFUSE: &str = include_str!("../src/check/refuse.rs");
const SETTING: &str = include_str!("../src/check/setting.rs");
const UNIT: &str = include_str!("../src/check/unit.rs");
const LITERAL: &str = include_str!("../src/parse/literal.rs");

#[test]
fn every_builtin_is_documented() {
    let names = BUILTINS.iter().map(|builtin| builtin.name);
    // The raw arguments are described by two of them.
    let is_first = |name: &&str| name.strip_prefix("arg").is_none_or(|n| n < "2");
    assert_mentioned(
        "builtins",
        names.filter(|name| !name.is_empty()).filter(is_first),
    );
}

#[test]
fn every_aggregate_is_documented() {
    let names = names_in(AGGREGATE, "const AGGREGATES");
    assert!(names.contains(&"count") && names.contains(&"quantile"));
    assert_mentioned("aggregates", names);
}

#[test]
fn every_unit_is_documented() {
    let units = names_in(UNIT, "const UNITS");
    assert!(units.contains(&"pct"));
    assert_mentioned("units of columns", units);
    let units = names_in(LITERAL, "const UNITS");
    assert!(units.contains(&"KiB"));
    assert_mentioned("units of numbers", units);
}

#[test]
fn every_wasi_function_and_error_number_is_documented() {
    assert_mentioned("WASI functions", Function::all().map(Function::name));
    let names: Vec<String> = ERRNO.iter().map(|name| format!("E{name}")).collect();
    assert_mentioned("error numbers", names.iter().map(String::as_str));
}

#[test]
fn every_code_is_documented_with_its_meaning() {
    let reference = reference();
    for code in Code::ALL {
        let row = format!("| `{code}` | {} |", code.meaning());
        assert!(reference.contains(&row), "docs/LANGUAGE.md lacks {row}");
    }
}

#[test]
fn what_is_refused_is_listed_by_name() {
    for (what, source, constant) in [
        ("functions left out", REFUSE, "const LEFT_OUT"),
        ("settings left out", SETTING, "const REFUSED"),
    ] {
        assert_mentioned(what, named_in(source, constant));
    }
}

#[test]
fn every_probe_setting_and_value_is_documented() {
    assert_mentioned("probes outside of WASI", names_in(PROBE, "const RAW_KINDS"));
    assert_mentioned("settings", names_in(SETTING, "const SETTINGS"));
    assert_mentioned("values", OTHER_VALUES.iter().copied());
}

#[test]
fn every_bundled_script_compiles() {
    let scripts = bundled();
    assert!(scripts.len() >= 4);
    for (name, text) in scripts {
        assert_compiles(&text, &name);
    }
}

#[test]
fn every_bundled_script_has_a_page_with_its_columns_and_parameters() {
    for (name, text) in bundled() {
        let page = read(&project().join(format!("docs/scripts/{name}.md")));
        assert!(
            page.starts_with(&format!("# {name}\n")),
            "the page of {name} has another title"
        );
        let (_, params) = describe(&text).expect("it compiles");
        for param in params {
            assert!(
                page.contains(&format!("`--{}", param.name)),
                "the page of {name} lacks --{}",
                param.name
            );
        }
        let plan = compile(&text, &ENVIRONMENT, &[]).expect("it compiles").plan;
        for table in plan.tables {
            let columns = table.columns.iter().map(|column| &column.name);
            for heading in table.keys.iter().chain(columns) {
                let heading = heading.to_uppercase();
                assert!(
                    page.contains(&format!("`{heading}`")),
                    "the page of {name} does not explain {heading}"
                );
            }
        }
    }
}

#[test]
fn no_page_is_about_a_script_that_does_not_exist() {
    let names: Vec<String> = bundled().into_iter().map(|(name, _)| name).collect();
    for entry in fs::read_dir(project().join("docs/scripts")).expect("there are pages") {
        let path = entry.expect("the folder can be read").path();
        let name = path.file_stem().expect("a file has a name");
        assert!(
            names.contains(&name.to_string_lossy().into_owned()),
            "{}",
            path.display()
        );
    }
}
