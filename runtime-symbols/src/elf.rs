//! Reads of an ELF file what is needed to find functions: symbol tables, segments, read-only data.
//! goblin reads the headers; symbols are read straight from the mapped bytes, as there may be 100,000.

use std::fmt;

use goblin::container::{Container, Ctx, Endian};
use goblin::elf::header::{EI_CLASS, EI_DATA, ELFCLASS64, ELFDATA2LSB, ELFMAG, EM_X86_64};
use goblin::elf::program_header::{PT_LOAD, PT_NOTE};
use goblin::elf::section_header::{
    SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHT_DYNSYM, SHT_NOBITS, SHT_PROGBITS, SHT_SYMTAB,
};
use goblin::elf::sym::{STT_FUNC, st_type};
use goblin::elf::{Elf, Header, ProgramHeader, SectionHeader};

use crate::map;

/// A position in a file, in bytes from its start: what the kernel wants for a uprobe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileOffset(pub u64);

impl fmt::Display for FileOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// Why bytes are not a readable ELF file.
#[derive(Debug)]
pub(crate) enum Refusal {
    NotElf,
    Machine(String),
    Malformed(String),
}

/// An ELF file for x86-64.
pub(crate) struct ElfFile<'a> {
    bytes: &'a [u8],
    entry: u64,
    segments: Vec<ProgramHeader>,
    sections: Vec<SectionHeader>,
    names: &'a [u8],
}

/// A function in a symbol table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Symbol {
    /// Where its name starts in the string table.
    pub name: usize,
    /// Its virtual address.
    pub address: u64,
    /// Its length in bytes; 0 if not known.
    pub size: u64,
}

/// A symbol table and its string table.
#[derive(Clone, Copy)]
pub(crate) struct SymbolTable<'a> {
    entries: &'a [u8],
    /// The names, each ended by a zero byte.
    pub strings: &'a [u8],
}

/// Names beyond this are not from a compiler: the longest of the known runtimes have some 1,000 bytes.
const LONGEST_NAME: usize = 8 * 1024;

/// Tables of symbols that are larger, in bytes, are not read: a file with holes may claim any size. Those of the
/// largest known runtime have some 40 MB.
const LARGEST_TABLE: usize = 512 << 20;

/// So many bytes of constants are looked at in one file.
const MOST_CONSTANTS: usize = 512 << 20;

/// `sizeof(Elf64_Sym)`.
pub(crate) const SYMBOL_SIZE: usize = 24;

/// `sizeof(Elf64_Shdr)`.
const SECTION_SIZE: usize = 64;

/// An index that has no room where it belongs (elf(5)).
const SHN_XINDEX: u32 = 0xffff;

const CTX: Ctx = Ctx {
    container: Container::Big,
    le: Endian::Little,
};

impl<'a> ElfFile<'a> {
    /// Reads the headers.
    pub fn parse(bytes: &'a [u8]) -> Result<ElfFile<'a>, Refusal> {
        if !bytes.starts_with(ELFMAG) {
            return Err(Refusal::NotElf);
        }
        let header = Elf::parse_header(bytes).map_err(|err| malformed("its header", err))?;
        if header.e_ident[EI_CLASS] != ELFCLASS64
            || header.e_ident[EI_DATA] != ELFDATA2LSB
            || header.e_machine != EM_X86_64
        {
            return Err(Refusal::Machine(machine(&header)));
        }
        let segments = if header.e_phoff == 0 {
            Vec::new()
        } else {
            ProgramHeader::parse(
                bytes,
                to_usize(header.e_phoff),
                usize::from(header.e_phnum),
                CTX,
            )
            .map_err(|err| malformed("its program headers", err))?
        };
        let sections = sections(bytes, &header)?;
        let mut file = ElfFile {
            bytes,
            entry: header.e_entry,
            segments,
            sections,
            names: &[],
        };
        let first = file.sections.first();
        let names = match u32::from(header.e_shstrndx) {
            SHN_XINDEX => first.map_or(0, |first| first.sh_link),
            index => index,
        };
        if let Some(section) = file.sections.get(names as usize) {
            file.names = file.content(section)?;
        }
        Ok(file)
    }

    /// The address at which the program starts.
    pub fn entry(&self) -> u64 {
        self.entry
    }

    /// The full symbol table, which `strip` removes.
    pub fn symtab(&self) -> Result<Option<SymbolTable<'a>>, Refusal> {
        self.symbol_table(SHT_SYMTAB)
    }

    /// The symbols for dynamic linking.
    pub fn dynsym(&self) -> Result<Option<SymbolTable<'a>>, Refusal> {
        self.symbol_table(SHT_DYNSYM)
    }

    fn symbol_table(&self, kind: u32) -> Result<Option<SymbolTable<'a>>, Refusal> {
        let Some(section) = self.sections.iter().find(|section| section.sh_type == kind) else {
            return Ok(None);
        };
        let strings = self.sections.get(section.sh_link as usize).ok_or_else(|| {
            Refusal::Malformed(format!(
                "its symbol table names section {} for strings",
                section.sh_link
            ))
        })?;
        let table = SymbolTable {
            entries: self.content(section)?,
            strings: self.content(strings)?,
        };
        let bytes = table.entries.len().max(table.strings.len());
        if bytes > LARGEST_TABLE {
            return Err(Refusal::Malformed(format!(
                "its symbols take {bytes} bytes, and more than {LARGEST_TABLE} are not read"
            )));
        }
        // In the order in which they are looked at.
        map::will_need(table.strings);
        map::will_need(table.entries);
        Ok(Some(table))
    }

    /// The sections with constants, where texts are.
    pub fn read_only_data(&self) -> impl Iterator<Item = &'a [u8]> {
        let mut room = MOST_CONSTANTS;
        let unwanted = u64::from(SHF_WRITE | SHF_EXECINSTR);
        self.sections
            .iter()
            .filter(move |section| {
                section.sh_type == SHT_PROGBITS
                    && section.sh_flags & u64::from(SHF_ALLOC) != 0
                    && section.sh_flags & unwanted == 0
                    && self.section_name(section).starts_with(b".rodata")
            })
            .filter_map(|section| self.content(section).ok())
            // Many sections may be of the same bytes.
            .map_while(move |content| {
                room = room.checked_sub(content.len())?;
                Some(content)
            })
    }

    /// Where an address of code is in the file.
    pub fn file_offset(&self, address: u64) -> Option<FileOffset> {
        let segment = self.code_segment(address)?;
        segment
            .p_offset
            .checked_add(address - segment.p_vaddr)
            .map(FileOffset)
    }

    /// The bytes of code at an address: at most `limit`, and less at the end of a segment or of the file.
    pub fn code(&self, address: u64, limit: u64) -> &'a [u8] {
        let Some(segment) = self.code_segment(address) else {
            return &[];
        };
        self.bytes_of(segment, address, limit)
    }

    fn bytes_of(&self, segment: &ProgramHeader, address: u64, limit: u64) -> &'a [u8] {
        let into = address - segment.p_vaddr;
        let Some(start) = segment.p_offset.checked_add(into) else {
            return &[];
        };
        let length = (segment.p_filesz - into).min(limit);
        let end = start.saturating_add(length).min(self.bytes.len() as u64);
        self.bytes
            .get(to_usize(start)..to_usize(end))
            .unwrap_or(&[])
    }

    /// The bytes of data at an address: at most `limit`, and less at the end of a segment or of the file.
    pub fn data(&self, address: u64, limit: u64) -> &'a [u8] {
        let Some(segment) = self.data_segment(address) else {
            return &[];
        };
        self.bytes_of(segment, address, limit)
    }

    /// Where an address of data is in the file.
    pub fn data_offset(&self, address: u64) -> Option<FileOffset> {
        let segment = self.data_segment(address)?;
        segment
            .p_offset
            .checked_add(address - segment.p_vaddr)
            .map(FileOffset)
    }

    /// Address and contents of the first section with this name.
    pub fn section(&self, name: &str) -> Option<(u64, &'a [u8])> {
        let section = self
            .sections
            .iter()
            .find(|section| self.section_name(section) == name.as_bytes())?;
        Some((section.sh_addr, self.content(section).ok()?))
    }

    /// The notes that are loaded with the program, which `strip` keeps; where there are none, as in an
    /// object that was never linked, those of the section of the build-id.
    pub fn notes(&self) -> impl Iterator<Item = &'a [u8]> {
        let segments = self
            .segments
            .iter()
            .filter(|segment| segment.p_type == PT_NOTE)
            .filter_map(|segment| {
                let end = segment.p_offset.checked_add(segment.p_filesz)?;
                self.bytes.get(to_usize(segment.p_offset)..to_usize(end))
            });
        // A debug file has the section, but its segments may lead nowhere.
        segments.chain(
            self.section(".note.gnu.build-id")
                .map(|(_, content)| content),
        )
    }

    fn data_segment(&self, address: u64) -> Option<&ProgramHeader> {
        self.segments.iter().find(|segment| {
            segment.p_type == PT_LOAD
                && address >= segment.p_vaddr
                && address - segment.p_vaddr < segment.p_filesz
        })
    }

    fn code_segment(&self, address: u64) -> Option<&ProgramHeader> {
        self.segments.iter().find(|segment| {
            segment.p_type == PT_LOAD
                && segment.is_executable()
                && address >= segment.p_vaddr
                && address - segment.p_vaddr < segment.p_filesz
        })
    }

    fn content(&self, section: &SectionHeader) -> Result<&'a [u8], Refusal> {
        if section.sh_type == SHT_NOBITS {
            return Ok(&[]);
        }
        let end = section.sh_offset.checked_add(section.sh_size);
        end.and_then(|end| self.bytes.get(to_usize(section.sh_offset)..to_usize(end)))
            .ok_or_else(|| {
                Refusal::Malformed(format!(
                    "a section has {} bytes at {:#x}, but the file has {}",
                    section.sh_size,
                    section.sh_offset,
                    self.bytes.len()
                ))
            })
    }

    fn section_name(&self, section: &SectionHeader) -> &'a [u8] {
        let rest = self.names.get(section.sh_name..).unwrap_or(&[]);
        &rest[..memchr::memchr(0, rest).unwrap_or(rest.len())]
    }
}

impl<'a> SymbolTable<'a> {
    /// Entries of `Elf64_Sym`, with their names.
    pub fn new(entries: &'a [u8], strings: &'a [u8]) -> SymbolTable<'a> {
        SymbolTable { entries, strings }
    }

    /// Its bytes: the symbols, and their names.
    pub fn parts(&self) -> [&'a [u8]; 2] {
        [self.entries, self.strings]
    }

    /// A symbol's name, if it is text, and not longer than a compiler would make it.
    pub fn name(&self, symbol: &Symbol) -> Option<&'a str> {
        let rest = self.strings.get(symbol.name..)?;
        let rest = &rest[..rest.len().min(LONGEST_NAME + 1)];
        let end = memchr::memchr(0, rest)?;
        std::str::from_utf8(&rest[..end]).ok()
    }

    /// The functions that are defined in this file.
    pub fn functions(&self) -> impl Iterator<Item = Symbol> + use<'a> {
        self.code_symbols(&[STT_FUNC]).map(|(symbol, _)| symbol)
    }

    /// The symbols of these types that are defined in this file, with their types.
    pub fn code_symbols(
        &self,
        types: &'static [u8],
    ) -> impl Iterator<Item = (Symbol, u8)> + use<'a> {
        self.entries
            .chunks_exact(SYMBOL_SIZE)
            .filter_map(move |entry| {
                let section = u16::from_le_bytes([entry[6], entry[7]]);
                let address = u64::from_le_bytes(entry[8..16].try_into().ok()?);
                let kind = st_type(entry[4]);
                if !types.contains(&kind) || section == 0 || address == 0 {
                    return None;
                }
                let symbol = Symbol {
                    name: u32::from_le_bytes(entry[0..4].try_into().ok()?) as usize,
                    address,
                    size: u64::from_le_bytes(entry[16..24].try_into().ok()?),
                };
                Some((symbol, kind))
            })
    }
}

/// The section headers. With more than 65,279 of them the header says 0, and the first of them how many
/// there are (elf(5), `e_shnum`).
fn sections(bytes: &[u8], header: &Header) -> Result<Vec<SectionHeader>, Refusal> {
    let at = to_usize(header.e_shoff);
    if at == 0 {
        return Ok(Vec::new());
    }
    let read = |count| {
        SectionHeader::parse_from(bytes, at, count, CTX)
            .map_err(|err| malformed("its section headers", err))
    };
    match usize::from(header.e_shnum) {
        0 => {
            let count = to_usize(read(1)?.first().map_or(0, |first| first.sh_size));
            let room = bytes.len().saturating_sub(at) / SECTION_SIZE;
            if count > room {
                return Err(Refusal::Malformed(format!(
                    "it has {count} section headers, and room for {room}"
                )));
            }
            read(count)
        }
        count => read(count),
    }
}

/// File offsets beyond the address space lie outside of any mapping: the largest number does as well.
fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn malformed(what: &str, err: goblin::error::Error) -> Refusal {
    Refusal::Malformed(format!("{what}: {err}"))
}

fn machine(header: &Header) -> String {
    let bits = if header.e_ident[EI_CLASS] == ELFCLASS64 {
        64
    } else {
        32
    };
    let order = if header.e_ident[EI_DATA] == ELFDATA2LSB {
        "little"
    } else {
        "big"
    };
    let name = goblin::elf::header::machine_to_str(header.e_machine);
    format!("{name} ({bits} bits, {order}-endian)")
}
