//! The functions of a Go program by the table that it has for stack traces and that `strip` leaves (`.gopclntab`), as Go 1.18
//! and later write it: `src/runtime/symtab.go` and `src/cmd/link/internal/ld/pcln.go` of Go.

use goblin::elf::sym::STT_FUNC;

use crate::elf::{ElfFile, SYMBOL_SIZE, SymbolTable};

/// The names of the section.
const SECTIONS: [&str; 2] = [".gopclntab", ".data.rel.ro.gopclntab"];

/// The first four bytes: Go 1.18 and 1.19, and later.
const MAGIC: [u32; 2] = [0xffff_fff0, 0xffff_fff1];

/// The table's functions as entries of a symbol table.
pub(crate) struct Functions<'a> {
    entries: Vec<u8>,
    names: &'a [u8],
}

impl<'a> Functions<'a> {
    /// Those of a file, if it has the table, and if that says where the code is.
    pub fn of(file: &ElfFile<'a>) -> Option<Functions<'a>> {
        let (_, table) = SECTIONS.iter().find_map(|name| file.section(name))?;
        let header = Header::read(table)?;
        let names = table.get(header.names..header.names_end)?;
        let functions = table.get(header.functions..)?;
        let mut entries = Vec::with_capacity(header.count.min(functions.len() / 8) * SYMBOL_SIZE);
        let mut start_at = None;
        for index in 0..header.count {
            let begin = word(functions, index * 8)?;
            // Behind the last one stands where it ends.
            let end = word(functions, index * 8 + 8)?;
            let record = word(functions, index * 8 + 4)? as usize;
            let name = word(functions, record.checked_add(4)?)?;
            if names
                .get(name as usize..)?
                .starts_with(b"_rt0_amd64_linux\0")
            {
                start_at = Some(begin);
            }
            push(&mut entries, name, begin, end.checked_sub(begin)?);
        }
        let text = match header.text {
            // Since Go 1.26 it does not say where the code begins; the program's start does, if it is Go's.
            0 => file.entry().checked_sub(u64::from(start_at?))?,
            text => text,
        };
        for entry in entries.chunks_exact_mut(SYMBOL_SIZE) {
            let place: &mut [u8; 8] = (&mut entry[8..16]).try_into().ok()?;
            *place = u64::from_le_bytes(*place).wrapping_add(text).to_le_bytes();
        }
        Some(Functions { entries, names })
    }

    /// They as a symbol table.
    pub fn table(&self) -> SymbolTable<'_> {
        SymbolTable::new(&self.entries, self.names)
    }
}

/// The head of the table: places in it, in bytes.
struct Header {
    /// How many functions it has.
    count: usize,
    /// The address of the code; 0 if it does not say.
    text: u64,
    names: usize,
    names_end: usize,
    functions: usize,
}

impl Header {
    fn read(table: &[u8]) -> Option<Header> {
        // Behind the magic two zeros, the smallest instruction (1 on x86-64) and the bytes of a pointer.
        if !MAGIC.contains(&word(table, 0)?) || table.get(4..8)? != [0, 0, 1, 8] {
            return None;
        }
        let number = |index: usize| {
            let at = 8 + index * 8;
            Some(u64::from_le_bytes(table.get(at..at + 8)?.try_into().ok()?))
        };
        let place = |index| usize::try_from(number(index)?).ok();
        Some(Header {
            count: place(0)?,
            text: number(2)?,
            names: place(3)?,
            names_end: place(4)?,
            functions: place(7)?,
        })
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let end = at.checked_add(4)?;
    Some(u32::from_le_bytes(bytes.get(at..end)?.try_into().ok()?))
}

/// Adds an `Elf64_Sym` of a function in the first section.
fn push(entries: &mut Vec<u8>, name: u32, begin: u32, size: u32) {
    entries.extend(name.to_le_bytes());
    entries.extend([STT_FUNC, 0, 1, 0]);
    entries.extend(u64::from(begin).to_le_bytes());
    entries.extend(u64::from(size).to_le_bytes());
}
