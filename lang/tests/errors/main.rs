//! Errors as users read them: one test for each kind of mistake. `UPDATE_EXPECT=1 cargo test` rewrites
//! the texts.

mod blocks;
mod checks;
mod clauses;
mod columns;
mod formats;
mod limits;
#[path = "../machine/mod.rs"]
mod machine;
mod macros;
mod maps;
mod names;
mod params;
mod planned;
mod probes;
mod settings;
mod syntax;
mod types;
mod values;
mod variables;

use ewapa_lang::{Diagnostic, Environment, compile, render};
use expect_test::Expect;
use machine::Machine;

const ENVIRONMENT: Environment = Environment {
    runtimes: &["wasmtime", "wasmer", "wamr"],
    host: Some(&Machine),
    ..Environment::EMPTY
};

fn errors(text: &str, args: &[(&str, &str)]) -> Vec<Diagnostic> {
    let args: Vec<_> = args
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    compile(text, &ENVIRONMENT, &args).err().unwrap_or_default()
}

fn check(text: &str, expected: Expect) {
    check_with(text, &[], expected);
}

fn check_with(text: &str, args: &[(&str, &str)], expected: Expect) {
    expected.assert_eq(&render(&errors(text, args), "slow.ewq", text, false));
}

#[test]
fn every_code_has_a_test_that_shows_it() {
    const SHOWN: &str = concat!(
        include_str!("blocks.rs"),
        include_str!("checks.rs"),
        include_str!("clauses.rs"),
        include_str!("columns.rs"),
        include_str!("formats.rs"),
        include_str!("limits.rs"),
        include_str!("macros.rs"),
        include_str!("maps.rs"),
        include_str!("names.rs"),
        include_str!("params.rs"),
        include_str!("planned.rs"),
        include_str!("probes.rs"),
        include_str!("settings.rs"),
        include_str!("syntax.rs"),
        include_str!("types.rs"),
        include_str!("values.rs"),
        include_str!("variables.rs"),
    );
    for code in ewapa_lang::Code::ALL {
        assert!(
            SHOWN.contains(&format!("error[{code}]")),
            "no test shows {code}"
        );
    }
}
