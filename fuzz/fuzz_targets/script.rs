//! No text makes the parser, the checker, the rendering of their errors or the compiler panic or hang. Whatever a
//! script imports is the script itself.

#![no_main]

use ewapa_lang::host::{Field, Host, UsdtArgument};
use ewapa_lang::{Environment, compile, describe, describe_with, render};
use libfuzzer_sys::fuzz_target;

/// A machine that has one tracepoint of each name, and one file.
#[derive(Debug)]
struct Machine<'t>(&'t str);

impl Host for Machine<'_> {
    fn tracepoints(&self, category: &str, name: &str) -> Result<Vec<(String, String)>, String> {
        Ok(vec![(category.to_owned(), name.to_owned())])
    }

    fn fields(&self, _category: &str, name: &str) -> Result<Vec<Field>, String> {
        Ok(vec![Field {
            name: name.to_owned(),
            ty: "int".to_owned(),
            offset: 8,
            size: 4,
            signed: true,
        }])
    }

    fn parameters(&self, function: &str) -> Result<Vec<Field>, String> {
        Ok(vec![Field {
            name: function.to_owned(),
            ty: "int".to_owned(),
            offset: 0,
            size: 4,
            signed: true,
        }])
    }

    fn usdt_arguments(
        &self,
        _path: &str,
        _provider: &str,
        _name: &str,
    ) -> Result<Vec<UsdtArgument>, String> {
        Ok(Vec::new())
    }

    fn import(&self, path: &str, _from: Option<&str>) -> Result<(String, String), String> {
        Ok((self.0.to_owned(), path.to_owned()))
    }
}

fuzz_target!(|text: &str| {
    let machine = Machine(text);
    let environment = Environment {
        runtimes: &["wasmtime", "wasmer", "wasmi", "wamr", "wasm3", "wabt", "node", "wasmedge", "wazero"],
        host: Some(&machine),
        arguments: &["1", "a:b"],
        ..Environment::EMPTY
    };
    let _ = describe(text);
    let _ = describe_with(text, &environment);
    match compile(text, &environment, &[]) {
        Ok(compiled) => {
            if let Ok(program) = ewapa_codegen::program::generate(&compiled.plan) {
                ewapa_codegen::elf::write(&program).expect("an object");
            }
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            render(&errors, "fuzz.ewq", text, false);
        }
    }
});
