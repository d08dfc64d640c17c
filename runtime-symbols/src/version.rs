//! Reads a runtime's version out of its binary: crates leave paths such as `wasmtime-48.0.8/src/` in the
//! messages of panics, C programs a text of their own.

use crate::catalogue::Runtime;
use crate::elf::ElfFile;

impl Runtime {
    /// The version, if the binary tells.
    pub fn version_of(&self, file: &ElfFile) -> Option<String> {
        let pattern = self.version.as_ref()?.regex();
        file.read_only_data().find_map(|data| {
            let version = pattern.captures(data)?.get(1)?;
            String::from_utf8(version.as_bytes().to_vec()).ok()
        })
    }
}
