//! Static probes (USDT): the notes that the macros of sys/sdt.h leave in an ELF file, for x86-64.
//! <https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation>

use std::path::Path;

use ewapa_lang::host::{UsdtArgument, UsdtPlace};

use crate::elf::{ElfFile, FileOffset};
use crate::inspect::explain;
use crate::{Error, map};

/// One place of a static probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Who provides it.
    pub provider: String,
    /// What it is called.
    pub name: String,
    /// Where the instruction is that is probed.
    pub offset: FileOffset,
    /// The counter that says that somebody listens; none if the probe is always on.
    pub semaphore: Option<FileOffset>,
    /// The arguments, up to the first one whose place cannot be described.
    pub arguments: Vec<UsdtArgument>,
}

/// All static probes of a file, in its order. A file without any has none.
///
/// # Errors
/// It cannot be read, or is no ELF file for x86-64.
pub fn notes(path: &Path) -> Result<Vec<Note>, Error> {
    let Some(map) = map::open(path)? else {
        return Err(Error::NotElf {
            path: path.to_owned(),
        });
    };
    notes_of_bytes(path, &map)
}

/// The same for the bytes of a file. Its path serves for messages.
///
/// # Errors
/// They are no ELF file for x86-64.
pub fn notes_of_bytes(path: &Path, bytes: &[u8]) -> Result<Vec<Note>, Error> {
    let file = ElfFile::parse(bytes).map_err(|refusal| explain(refusal, path, bytes))?;
    let Some((_, section)) = file.section(".note.stapsdt") else {
        return Ok(Vec::new());
    };
    let base = file.section(".stapsdt.base").map(|(address, _)| address);
    Ok(descriptions(section)
        .filter_map(|description| note(&file, base, description))
        .collect())
}

/// The descriptions of the notes in a section: each has a header of three words, the name `stapsdt` and
/// the description, padded to four bytes.
fn descriptions(section: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = section;
    std::iter::from_fn(move || {
        loop {
            let word = |at: usize| {
                let bytes = rest.get(at..at + 4)?;
                Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
            };
            let (name_size, size, kind) = (word(0)?, word(4)?, word(8)?);
            let start = 12usize.checked_add(name_size.checked_next_multiple_of(4)?)?;
            let end = start.checked_add(size)?;
            let name = rest.get(12..12usize.checked_add(name_size)?)?;
            let description = rest.get(start..end)?;
            rest = rest.get(end.next_multiple_of(4)..).unwrap_or(&[]);
            if kind == 3 && name == b"stapsdt\0" {
                return Some(description);
            }
        }
    })
}

fn note(file: &ElfFile<'_>, base: Option<u64>, description: &[u8]) -> Option<Note> {
    let address = |at: usize| {
        let bytes = description.get(at..at + 8)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    };
    let (mut location, linked_base, mut semaphore) = (address(0)?, address(8)?, address(16)?);
    // Prelinking moves the section of the base, but not what the note says.
    if let Some(base) = base
        && linked_base != 0
    {
        let moved = base.wrapping_sub(linked_base);
        location = location.wrapping_add(moved);
        if semaphore != 0 {
            semaphore = semaphore.wrapping_add(moved);
        }
    }
    let mut texts = description[24..].split(|byte| *byte == 0);
    let mut text = || Some(std::str::from_utf8(texts.next()?).ok()?.to_owned());
    let (provider, name, arguments) = (text()?, text()?, text()?);
    Some(Note {
        provider,
        name,
        offset: file.file_offset(location)?,
        semaphore: match semaphore {
            0 => None,
            address => Some(file.data_offset(address)?),
        },
        arguments: parse_arguments(&arguments),
    })
}

/// The arguments, up to the first one whose place cannot be described.
fn parse_arguments(text: &str) -> Vec<UsdtArgument> {
    text.split_ascii_whitespace().map_while(argument).collect()
}

/// An argument such as `-4@%eax`, `8@-8(%rbp)`, `4@$5` or `8@(%rax,%rcx,8)`.
fn argument(text: &str) -> Option<UsdtArgument> {
    let (size, operand) = text.split_once('@')?;
    let size: i8 = size.parse().ok()?;
    if !matches!(size.unsigned_abs(), 1 | 2 | 4 | 8) {
        return None;
    }
    Some(UsdtArgument {
        size: size.unsigned_abs(),
        signed: size < 0,
        place: place(operand)?,
    })
}

fn place(operand: &str) -> Option<UsdtPlace> {
    if let Some(number) = operand.strip_prefix('$') {
        return number_of(number).map(UsdtPlace::Constant);
    }
    let Some((offset, inside)) = operand.split_once('(') else {
        return register(operand).map(UsdtPlace::Register);
    };
    let mut parts = inside.strip_suffix(')')?.split(',');
    let base = register(parts.next()?)?;
    let index = match parts.next() {
        None => None,
        Some(index) => Some((
            register(index)?,
            parts.next().map_or(Some(1), |scale| scale.parse().ok())?,
        )),
    };
    let offset = match offset {
        "" => 0,
        offset => number_of(offset)?,
    };
    Some(UsdtPlace::Memory {
        base,
        offset,
        index,
    })
}

fn number_of(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let number = match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok()?,
        None => digits.parse().ok()?,
    };
    let number = number.cast_signed();
    Some(if negative {
        number.wrapping_neg()
    } else {
        number
    })
}

/// The offset in `struct pt_regs` of the register that this one is, or is the low part of.
fn register(name: &str) -> Option<u16> {
    const REGISTERS: [(&[&str], u16); 16] = [
        (&["r15", "r15d", "r15w", "r15b"], 0),
        (&["r14", "r14d", "r14w", "r14b"], 8),
        (&["r13", "r13d", "r13w", "r13b"], 16),
        (&["r12", "r12d", "r12w", "r12b"], 24),
        (&["rbp", "ebp", "bp", "bpl"], 32),
        (&["rbx", "ebx", "bx", "bl"], 40),
        (&["r11", "r11d", "r11w", "r11b"], 48),
        (&["r10", "r10d", "r10w", "r10b"], 56),
        (&["r9", "r9d", "r9w", "r9b"], 64),
        (&["r8", "r8d", "r8w", "r8b"], 72),
        (&["rax", "eax", "ax", "al"], 80),
        (&["rcx", "ecx", "cx", "cl"], 88),
        (&["rdx", "edx", "dx", "dl"], 96),
        (&["rsi", "esi", "si", "sil"], 104),
        (&["rdi", "edi", "di", "dil"], 112),
        (&["rsp", "esp", "sp", "spl"], 152),
    ];
    let name = name.strip_prefix('%')?;
    REGISTERS
        .iter()
        .find(|(names, _)| names.contains(&name))
        .map(|(_, offset)| *offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        format!(
            "{:?}",
            argument(text).map(|argument| (argument.size, argument.signed, argument.place))
        )
    }

    #[test]
    fn arguments_are_registers_memory_or_numbers() {
        assert_eq!(shown("-4@%eax"), "Some((4, true, Register(80)))");
        assert_eq!(shown("4@$5"), "Some((4, false, Constant(5)))");
        assert_eq!(shown("-8@$-1"), "Some((8, true, Constant(-1)))");
        assert_eq!(
            shown("8@-8(%rbp)"),
            "Some((8, false, Memory { base: 32, offset: -8, index: None }))"
        );
        assert_eq!(
            shown("8@(%rax,%rcx,8)"),
            "Some((8, false, Memory { base: 80, offset: 0, index: Some((88, 8)) }))"
        );
        assert_eq!(
            shown("1@16(%r12,%r9)"),
            "Some((1, false, Memory { base: 24, offset: 16, index: Some((64, 1)) }))"
        );
    }

    #[test]
    fn arguments_that_cannot_be_described_end_the_list() {
        assert_eq!(parse_arguments("4@$1 8f@%xmm0 4@$2").len(), 1);
        assert_eq!(parse_arguments("8@counter(%rip)").len(), 0);
        assert_eq!(parse_arguments("1@%ah").len(), 0);
        assert_eq!(parse_arguments("").len(), 0);
    }

    #[test]
    fn notes_of_others_and_cut_ones_are_left_out() {
        let mut section = Vec::new();
        for (kind, name, description) in [
            (1u32, &b"GNU\0"[..], &b"12"[..]),
            (3, b"stapsdt\0", b"abcde"),
        ] {
            section.extend((name.len() as u32).to_le_bytes());
            section.extend((description.len() as u32).to_le_bytes());
            section.extend(kind.to_le_bytes());
            section.extend(name);
            section.extend(description);
            section.resize(section.len().next_multiple_of(4), 0);
        }
        let found: Vec<&[u8]> = descriptions(&section).collect();
        assert_eq!(found, [b"abcde"]);
        section.truncate(section.len() - 8);
        assert_eq!(descriptions(&section).count(), 0);
    }
}
