//! What a binary says of its build, and of where its debug information is.

use std::fmt;

use crate::elf::ElfFile;

/// What a linker puts into a binary to tell its build from any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BuildId(Vec<u8>);

/// The name of a debug file, and its checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DebugLink {
    pub name: String,
    pub checksum: u32,
}

/// `NT_GNU_BUILD_ID`
const BUILD_ID: u32 = 3;

/// SHA-256 has 32 bytes; linkers take any number from the command line.
const LONGEST_ID: usize = 64;

impl BuildId {
    /// That of a file, if it has one.
    pub fn of(file: &ElfFile<'_>) -> Option<BuildId> {
        file.notes().find_map(in_notes)
    }

    /// Where its debug file is installed.
    pub fn debug_file(&self) -> String {
        let text = self.to_string();
        let (first, rest) = text.split_at(2);
        format!("/usr/lib/debug/.build-id/{first}/{rest}.debug")
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A note has a header of three words (the lengths of name and description, and the type), the name and the
/// description, each padded to four bytes.
fn in_notes(notes: &[u8]) -> Option<BuildId> {
    let mut rest = notes;
    loop {
        let name_size = word(rest, 0)? as usize;
        let size = word(rest, 4)? as usize;
        let kind = word(rest, 8)?;
        let start = 12usize.checked_add(name_size.checked_next_multiple_of(4)?)?;
        let end = start.checked_add(size)?;
        let name = rest.get(12..12usize.checked_add(name_size)?)?;
        let description = rest.get(start..end)?;
        if kind == BUILD_ID && name == b"GNU\0" && (2..=LONGEST_ID).contains(&size) {
            return Some(BuildId(description.to_vec()));
        }
        rest = rest.get(end.checked_next_multiple_of(4)?..)?;
    }
}

impl DebugLink {
    /// That of a file, if it has one. The section has a file name, zeros up to a multiple of four bytes, and
    /// the checksum.
    pub fn of(file: &ElfFile<'_>) -> Option<DebugLink> {
        let (_, section) = file.section(".gnu_debuglink")?;
        let end = memchr::memchr(0, section)?;
        let name = std::str::from_utf8(&section[..end]).ok()?;
        // A name that leads elsewhere is none that a linker tool writes.
        if name.is_empty() || name == ".." || name.contains('/') {
            return None;
        }
        Some(DebugLink {
            name: name.to_owned(),
            checksum: word(section, (end + 1).next_multiple_of(4))?,
        })
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(name: &[u8], kind: u32, description: &[u8]) -> Vec<u8> {
        let mut note = Vec::new();
        let mut push = |number: usize| note.extend(u32::try_from(number).unwrap().to_le_bytes());
        push(name.len());
        push(description.len());
        push(kind as usize);
        for part in [name, description] {
            note.extend_from_slice(part);
            note.resize(note.len().next_multiple_of(4), 0);
        }
        note
    }

    #[test]
    fn the_build_id_is_found_behind_other_notes() {
        let notes = [
            note(b"GNU\0", 1, &[0; 16]),
            note(b"stapsdt\0", 3, b"odd"),
            note(b"GNU\0", 3, &[0xab, 0xcd, 0xef]),
        ]
        .concat();
        let id = in_notes(&notes).unwrap();
        assert_eq!(id.debug_file(), "/usr/lib/debug/.build-id/ab/cdef.debug");
    }

    #[test]
    fn lengths_without_end_are_survived() {
        for at in [0, 4] {
            let mut notes = note(b"GNU\0", 3, &[1, 2, 3, 4]);
            notes[at..at + 4].fill(0xff);
            assert_eq!(in_notes(&notes), None);
        }
        assert_eq!(in_notes(&note(b"GNU\0", 3, &[1; 4096])), None);
    }
}
