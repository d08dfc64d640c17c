//! Pointers in the data of a file, as they are when it has been loaded.

use crate::elf::ElfFile;

/// `sizeof(Elf64_Rela)`.
const RELOCATION: usize = 24;

/// `R_X86_64_RELATIVE`: an address in this file.
const RELATIVE: u32 = 8;

/// The pointers of a file.
pub(crate) struct Pointers<'f, 'a> {
    file: &'f ElfFile<'a>,
    /// Those that the dynamic linker puts in place, by address: linkers put them first and in order (`-z combreloc`,
    /// which is the default).
    relative: &'a [[u8; RELOCATION]],
}

impl<'f, 'a> Pointers<'f, 'a> {
    /// Those of a file.
    pub fn of(file: &'f ElfFile<'a>) -> Pointers<'f, 'a> {
        let (_, content) = file.section(".rela.dyn").unwrap_or_default();
        let (all, _) = content.as_chunks();
        let relative = all.partition_point(|relocation| word(relocation, 8) as u32 == RELATIVE);
        Pointers {
            file,
            relative: &all[..relative],
        }
    }

    /// What is at this address when the file is loaded; in a file that the dynamic linker changes nothing of, what is
    /// there now.
    pub fn at(&self, address: u64) -> Option<u64> {
        if self.relative.is_empty() {
            return Some(word(self.file.data(address, 8).first_chunk::<8>()?, 0));
        }
        let place = |relocation: &[u8; RELOCATION]| word(relocation, 0);
        let found = self.relative.binary_search_by_key(&address, place).ok()?;
        Some(word(&self.relative[found], 16))
    }
}

/// A number of 64 bits in a relocation or elsewhere.
fn word<const N: usize>(bytes: &[u8; N], at: usize) -> u64 {
    bytes[at..at + 8].try_into().map_or(0, u64::from_le_bytes)
}
