//! The guests of tests/guests, compiled with the numbers that a test wants.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ewapa_lang::wasi::{Arg, ArgType, Function};

use super::directory::Directory;

/// A guest's text, in which the values of globals can be set.
#[derive(Debug, Clone)]
pub struct Guest {
    name: &'static str,
    text: String,
}

impl Guest {
    /// The guest `tests/guests/NAME.wat`.
    pub fn named(name: &'static str) -> Guest {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/guests")
            .join(format!("{name}.wat"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Guest { name, text }
    }

    /// Sets the initial value of `(global $NAME i32 (i32.const …))`.
    pub fn set(mut self, global: &str, value: u32) -> Guest {
        let before = format!("(global ${global} i32 (i32.const ");
        let start = self
            .text
            .find(&before)
            .unwrap_or_else(|| panic!("{} has no global ${global}", self.name))
            + before.len();
        let end = start + self.text[start..].find(')').expect("the global ends");
        self.text.replace_range(start..end, &value.to_string());
        self
    }

    /// Compiles it into a folder.
    pub fn compile(&self, directory: &Directory) -> PathBuf {
        let wasm =
            wat::parse_str(&self.text).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        directory.file(&format!("{}.wasm", self.name), wasm)
    }

    /// A guest that calls each of the functions once, with descriptor 77 where it takes one, and then
    /// writes what they returned to descriptor 1: four bytes each.
    pub fn of_each(functions: &[Function]) -> Guest {
        let mut imports = String::new();
        let mut calls = String::new();
        for (index, function) in functions.iter().enumerate() {
            let types: Vec<_> = function
                .args()
                .iter()
                .map(|arg| wasm_type(arg.ty))
                .collect();
            let arguments: Vec<_> = function
                .args()
                .iter()
                .enumerate()
                .map(|(at, arg)| argument(at, arg))
                .collect();
            writeln!(
                imports,
                "(import \"wasi_snapshot_preview1\" \"{function}\" (func ${function} (param {}) (result i32)))",
                types.join(" ")
            )
            .expect("write to a string");
            writeln!(
                calls,
                "(i32.store (i32.const {}) (call ${function} {}))",
                RESULTS + 4 * index,
                arguments.join(" ")
            )
            .expect("write to a string");
        }
        let text = format!(
            "(module
              {imports}
              (import \"wasi_snapshot_preview1\" \"fd_write\" (func $report (param i32 i32 i32 i32) (result i32)))
              (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $proc_exit (param i32)))
              (memory (export \"memory\") 1)
              (data (i32.const {PATH}) \"missing\")
              (func (export \"_start\")
                {calls}
                (i32.store (i32.const 0) (i32.const {RESULTS}))
                (i32.store (i32.const 4) (i32.const {}))
                (drop (call $report (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
                (call $proc_exit (i32.const 0))))",
            4 * functions.len()
        );
        Guest { name: "each", text }
    }
}

/// Where the guest of [`Guest::of_each`] keeps what functions returned, and a path.
const RESULTS: usize = 0x400;
const PATH: usize = 0x800;

fn wasm_type(ty: ArgType) -> &'static str {
    match ty {
        ArgType::U64 => "i64",
        ArgType::U32 | ArgType::Pointer | ArgType::Moved => "i32",
    }
}

fn argument(index: usize, arg: &Arg) -> String {
    let value = match (arg.name, arg.ty) {
        ("fd" | "old_fd" | "to", _) | ("new_fd", ArgType::U32) => 77,
        ("path" | "old_path" | "new_path", _) => PATH,
        ("path_len" | "old_path_len" | "new_path_len", _) => 7,
        ("buf_len", _) => 8,
        // A subscription of zeros: to the real-time clock, due at once.
        ("nsubscriptions", _) => 1,
        // Places of zeros, apart from each other.
        (_, ArgType::Pointer | ArgType::Moved) => 0x1000 + 0x1000 * index,
        (_, ArgType::U32 | ArgType::U64) => 0,
    };
    format!("({}.const {value})", wasm_type(arg.ty))
}
