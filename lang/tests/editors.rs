//! The grammar for editors knows every word of the language.

use std::collections::HashSet;

use ewapa_lang::words;
use serde_json::Value;

const GRAMMAR: &str = include_str!("../../editors/ewq.tmLanguage.json");

/// The words in all regular expressions below a value.
fn words_of<'g>(value: &'g Value, found: &mut HashSet<&'g str>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(regex) if matches!(key.as_str(), "match" | "begin") => {
                        // `\b` is no part of the word behind it.
                        let parts = regex.split(r"\b").flat_map(|part| {
                            part.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                        });
                        found.extend(parts);
                    }
                    _ => words_of(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| words_of(value, found)),
        _ => {}
    }
}

#[test]
fn the_grammar_names_every_word_of_the_language() {
    let grammar: Value = serde_json::from_str(GRAMMAR).unwrap();
    let mut known = HashSet::new();
    words_of(&grammar["repository"], &mut known);
    let missing: Vec<&str> = words::keywords()
        .chain(words::builtins())
        .chain(words::functions())
        .chain(words::probe_kinds())
        .chain(words::column_units())
        .chain(words::number_units())
        .filter(|word| !known.contains(word))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_part_that_is_included_exists() {
    let grammar: Value = serde_json::from_str(GRAMMAR).unwrap();
    let patterns = grammar["patterns"].as_array().unwrap();
    assert!(!patterns.is_empty());
    for pattern in patterns {
        let name = pattern["include"].as_str().unwrap().trim_start_matches('#');
        assert!(grammar["repository"][name].is_object(), "{name}");
    }
}
