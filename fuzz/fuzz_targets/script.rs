//! No text makes the parser, the checker or the rendering of their errors panic or hang.

#![no_main]

use ewapa_lang::{Environment, compile, describe, render};
use libfuzzer_sys::fuzz_target;

const ENVIRONMENT: Environment = Environment {
    runtimes: &["wasmtime", "wasmer", "wasmi", "wamr", "wasm3", "node"], ..Environment::EMPTY };

fuzz_target!(|text: &str| {
    let _ = describe(text);
    if let Err(errors) = compile(text, &ENVIRONMENT, &[]) {
        assert!(!errors.is_empty());
        render(&errors, "fuzz.ewq", text, false);
    }
});
