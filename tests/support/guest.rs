//! The guests of tests/guests, compiled with the numbers that a test wants.

use std::path::{Path, PathBuf};

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
}
