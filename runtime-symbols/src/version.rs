//! Reads a runtime's version out of its binary: crates leave paths such as `wasmtime-48.0.8/src/` in the
//! messages of panics, C programs a text of their own.

use crate::catalogue::Runtime;
use crate::elf::ElfFile;
use crate::map;

impl Runtime {
    /// The version, if the binary tells.
    pub fn version_of(&self, file: &ElfFile) -> Option<String> {
        let pattern = self.version.as_ref()?.regex();
        let in_piece = |piece| {
            let found = pattern.captures(piece)?;
            // What begins behind may be cut off, and is whole in the next piece.
            let is_whole = found.get(0)?.start() < map::PIECE;
            let version = found.get(1).filter(|_| is_whole)?;
            String::from_utf8(version.as_bytes().to_vec()).ok()
        };
        file.read_only_data()
            .find_map(|data| map::pieces(data, LONGEST).find_map(in_piece))
    }
}

/// Texts that tell a version have at most so many bytes.
const LONGEST: usize = 256;
