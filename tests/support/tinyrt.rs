//! The invented runtime that docs/RUNTIMES.md describes under "Write your own".

use std::path::Path;
use std::process::Command;

use super::wasm3::run;

/// Its version in the source.
const VERSION: &str = "1.2.3";

/// The catalogue file that the documentation shows.
pub fn description() -> String {
    let docs = read("docs/RUNTIMES.md");
    let (_, rest) = docs.split_once("```toml\n").expect("it has an example");
    let (example, _) = rest.split_once("```").expect("the example ends");
    example.to_owned()
}

/// Compiles it as another version.
pub fn compile_as(version: &str, program: &Path) {
    let source = program.with_extension("c");
    let text = read("tests/hosts/tinyrt.c").replace(VERSION, version);
    std::fs::write(&source, text).expect("write its source");
    run(Command::new("clang")
        .args(["-O1", "-o"])
        .args([program, &source]));
}

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}
