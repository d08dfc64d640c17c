//! All words that mean something in a script, for editors: taken from the tables that give them their
//! meaning.

use crate::builtin::{BUILTINS, OTHER_VALUES};
use crate::check::elsewhere::WASI_CALLS;
use crate::check::{aggregate, probe, unit};
use crate::parse::literal;

/// The grammar names each of its keywords in a rule of its own.
const GRAMMAR: &str = include_str!("ewq.pest");

/// Keywords, such as `table`.
pub fn keywords() -> impl Iterator<Item = &'static str> {
    GRAMMAR
        .lines()
        .filter_map(|line| line.strip_prefix("kw_")?.split_whitespace().next())
}

/// Values of an event, such as `duration`.
pub fn builtins() -> impl Iterator<Item = &'static str> {
    let builtins = BUILTINS
        .iter()
        .map(|builtin| builtin.name)
        .filter(|name| !name.is_empty());
    builtins
        .chain(OTHER_VALUES.iter().copied())
        .chain([WASI_CALLS])
}

/// Aggregates and functions, such as `count`.
pub fn functions() -> impl Iterator<Item = &'static str> {
    aggregate::function_names()
}

/// Kinds of probes, such as `wasi`.
pub fn probe_kinds() -> impl Iterator<Item = &'static str> {
    probe::kinds()
}

/// Units behind `as`, such as `pct`.
pub fn column_units() -> impl Iterator<Item = &'static str> {
    unit::unit_names()
}

/// Units behind a number, such as `KiB`.
pub fn number_units() -> impl Iterator<Item = &'static str> {
    literal::unit_names()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_those_that_the_grammar_reserves() {
        assert!(keywords().all(crate::parse::is_reserved));
        assert!(keywords().any(|word| word == "table"));
        assert!(keywords().count() > 25);
    }
}
