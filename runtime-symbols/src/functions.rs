//! The functions of any ELF file, for probes that name one: by symbol, by the name in the source, by a
//! glob over both, or by address.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use ewapa_lang::glob;
use goblin::elf::sym::{STT_FUNC, STT_GNU_IFUNC};
use iced_x86::{Decoder, DecoderOptions};
use memmap2::Mmap;

use crate::demangle::{demangle, without_hash};
use crate::elf::{ElfFile, FileOffset, Symbol};
use crate::inspect::explain;
use crate::origin::Origin;
use crate::place::{Place, PlaceError};
use crate::separate::search;
use crate::{Error, map};

/// The functions of a file, in the order of its symbol tables.
pub struct Functions {
    path: PathBuf,
    content: Content,
    symbols: Vec<Named>,
}

/// What is in the file.
enum Content {
    Mapped(Mmap),
    Copied(Vec<u8>),
}

impl Content {
    fn bytes(&self) -> &[u8] {
        match self {
            Content::Mapped(map) => map,
            Content::Copied(bytes) => bytes,
        }
    }
}

/// A symbol with its name.
struct Named {
    name: String,
    symbol: Symbol,
    kind: u8,
}

/// Whether the symbols of a file can be read, and are of a size that can be: a file may have none.
pub fn has_symbols(path: &Path) -> bool {
    let Ok(Some(map)) = map::open(path) else {
        return false;
    };
    let tables = ElfFile::parse(&map).and_then(|file| Ok((file.symtab()?, file.dynsym()?)));
    tables.is_ok()
}

impl Functions {
    /// Reads the symbol tables of a file.
    ///
    /// # Errors
    /// It cannot be read, or is no ELF file for x86-64.
    pub fn read(path: &Path) -> Result<Functions, Error> {
        let Some(map) = map::open(path)? else {
            return Err(Error::NotElf {
                path: path.to_owned(),
            });
        };
        let symbols = read(&map, path).map_err(|refusal| explain(refusal, path, &map))?;
        Ok(Functions {
            path: path.to_owned(),
            content: Content::Mapped(map),
            symbols,
        })
    }

    /// The same for the bytes of a file. Its path serves for messages, and to find its debug file.
    ///
    /// # Errors
    /// They are no ELF file for x86-64.
    pub fn of_bytes(path: &Path, bytes: &[u8]) -> Result<Functions, Error> {
        Ok(Functions {
            path: path.to_owned(),
            symbols: read(bytes, path).map_err(|refusal| explain(refusal, path, bytes))?,
            content: Content::Copied(bytes.to_vec()),
        })
    }

    /// The names in the source of all functions with code, each once, sorted.
    pub fn names(&self) -> Vec<String> {
        let plain = self.symbols.iter().filter(|named| named.kind == STT_FUNC);
        let mut names: Vec<String> = plain.map(|named| shown(&named.name)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Where the functions are that a name, a glob or an address stands for, `offset` bytes behind their
    /// start. Several names of one place are one.
    ///
    /// # Errors
    /// See [`PlaceError`].
    pub fn places(&self, wanted: &str, offset: u64) -> Result<Vec<Place>, PlaceError> {
        if let Some(address) = address(wanted) {
            return self
                .at(address.wrapping_add(offset))
                .map(|place| vec![place]);
        }
        let found = self.find(wanted);
        if found.is_empty() {
            return Err(self.unknown(wanted));
        }
        let is_glob = is_glob(wanted);
        let mut places = Vec::new();
        let mut seen = HashSet::new();
        for named in &found {
            if named.kind == STT_GNU_IFUNC {
                continue;
            }
            match self.place(named, offset) {
                Ok(place) if seen.insert(place.offset) => places.push(place),
                Ok(_) => {}
                Err(error) if !is_glob => return Err(error),
                Err(_) => {}
            }
        }
        if places.is_empty() {
            return Err(PlaceError::Indirect {
                path: self.path.clone(),
                name: wanted.to_owned(),
            });
        }
        Ok(places)
    }

    fn find(&self, wanted: &str) -> Vec<&Named> {
        if is_glob(wanted) {
            let globs = globs(wanted);
            let matches = |name: &str| globs.iter().any(|glob| glob::matches(glob, name));
            let symbols = self.symbols.iter();
            return symbols
                .filter(|named| {
                    matches(&named.name)
                        || is_mangled(&named.name)
                            && demangle(&named.name).is_some_and(|name| {
                                matches(&name) || matches(without_parameters(&name))
                            })
                })
                .collect();
        }
        let exact: Vec<&Named> = self
            .symbols
            .iter()
            .filter(|named| without_version(&named.name) == wanted)
            .collect();
        if !exact.is_empty() {
            return exact;
        }
        // What a name in the source ends with stands in its symbol, too: most symbols need no closer look.
        let needle = needle(wanted);
        let symbols = self.symbols.iter();
        symbols
            .filter(|named| {
                is_mangled(&named.name)
                    && named.name.contains(needle)
                    && demangle(&named.name).is_some_and(|name| {
                        let plain = without_hash(wanted);
                        name == wanted || name == plain || without_parameters(&name) == wanted
                    })
            })
            .collect()
    }

    fn place(&self, named: &Named, offset: u64) -> Result<Place, PlaceError> {
        let name = shown(&named.name);
        let Symbol { address, size, .. } = named.symbol;
        if size > 0 && offset >= size {
            return Err(PlaceError::Outside {
                path: self.path.clone(),
                name,
                size,
                offset,
            });
        }
        self.refuse_within(&name, address, offset)?;
        let at = address.wrapping_add(offset);
        let position = self.file_offset(at).ok_or(PlaceError::NoCode {
            path: self.path.clone(),
            address: at,
        })?;
        let name = if offset == 0 {
            name
        } else {
            format!("{name}+{offset}")
        };
        Ok(Place {
            name,
            offset: position,
        })
    }

    /// The place at an address: of the function that it is in, if one is.
    fn at(&self, address: u64) -> Result<Place, PlaceError> {
        let position = self.file_offset(address).ok_or(PlaceError::NoCode {
            path: self.path.clone(),
            address,
        })?;
        let around = self.symbols.iter().find(|named| {
            address
                .checked_sub(named.symbol.address)
                .is_some_and(|into| into < named.symbol.size.max(1))
        });
        let name = match around {
            Some(named) => {
                let into = address - named.symbol.address;
                let name = shown(&named.name);
                self.refuse_within(&name, named.symbol.address, into)?;
                match into {
                    0 => name,
                    _ => format!("{name}+{into}"),
                }
            }
            None => format!("{address:#x}"),
        };
        Ok(Place {
            name,
            offset: position,
        })
    }

    /// Refuses what is not the start of an instruction.
    fn refuse_within(&self, name: &str, address: u64, offset: u64) -> Result<(), PlaceError> {
        if offset == 0 {
            return Ok(());
        }
        let Some(code) = self.code(address, offset + 16) else {
            return Ok(());
        };
        let mut decoder = Decoder::with_ip(64, code, address, DecoderOptions::NONE);
        let mut before = 0;
        while decoder.can_decode() {
            let start = decoder.position() as u64;
            if start == offset {
                return Ok(());
            }
            if start > offset {
                return Err(PlaceError::WithinInstruction {
                    path: self.path.clone(),
                    name: name.to_owned(),
                    offset,
                    before,
                    after: start,
                });
            }
            before = start;
            // What is no code has no instructions to break.
            if decoder.decode().is_invalid() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn file_offset(&self, address: u64) -> Option<FileOffset> {
        ElfFile::parse(self.content.bytes())
            .ok()?
            .file_offset(address)
    }

    fn code(&self, address: u64, limit: u64) -> Option<&[u8]> {
        Some(
            ElfFile::parse(self.content.bytes())
                .ok()?
                .code(address, limit),
        )
    }

    fn unknown(&self, wanted: &str) -> PlaceError {
        let hint = if self.symbols.is_empty() {
            "; it has no symbols at all (it is stripped, and has no debug file): give an address, `0x…`".to_owned()
        } else if is_glob(wanted) {
            "; no symbol matches the glob".to_owned()
        } else {
            let names = self.names();
            let last = |name: &str| name.rsplit("::").next().unwrap_or(name).to_owned();
            let near = ewapa_lang::nearest(wanted, names.iter().map(String::as_str));
            match near {
                Some(near) => format!("; did you mean `{near}`?"),
                None => match names
                    .iter()
                    .find(|name| last(without_parameters(name)) == wanted)
                {
                    Some(longer) => format!("; did you mean `{longer}`, or `*{wanted}*`?"),
                    None => format!(
                        "; `ewapa list 'uprobe:{}:*'` shows all",
                        self.path.display()
                    ),
                },
            }
        };
        PlaceError::Unknown {
            path: self.path.clone(),
            name: wanted.to_owned(),
            hint,
        }
    }
}

fn read(bytes: &[u8], path: &Path) -> Result<Vec<Named>, crate::elf::Refusal> {
    let file = ElfFile::parse(bytes)?;
    let mut symbols = Vec::new();
    let mut seen = HashSet::new();
    let own = file.symtab()?;
    let separate = match own {
        Some(_) => None,
        None => search(&file, &Origin::here(path)).found,
    };
    let other = match &separate {
        Some(separate) => ElfFile::parse(separate.bytes())?.symtab()?,
        None => None,
    };
    for table in [own, other, file.dynsym()?].into_iter().flatten() {
        for (symbol, kind) in table.code_symbols(&[STT_FUNC, STT_GNU_IFUNC]) {
            // Names that are no text cannot be written in a script.
            let Some(name) = table.name(&symbol) else {
                continue;
            };
            if !name.is_empty() && seen.insert((symbol.address, name)) {
                symbols.push(Named {
                    name: name.to_owned(),
                    symbol,
                    kind,
                });
            }
        }
    }
    Ok(symbols)
}

/// Whether a text stands for several names. The names of closures have braces: `{{closure}}`.
fn is_glob(text: &str) -> bool {
    glob::is_glob(text) || text.contains('{') && !text.contains("{{")
}

fn globs(text: &str) -> Vec<String> {
    if text.contains("{{") {
        vec![text.to_owned()]
    } else {
        glob::alternatives(text).unwrap_or_default()
    }
}

fn address(text: &str) -> Option<u64> {
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))?;
    u64::from_str_radix(digits, 16).ok()
}

fn is_mangled(name: &str) -> bool {
    name.starts_with("_Z") || name.starts_with("_R")
}

/// The version of a symbol of a shared library stands behind an `@` in some tables.
fn without_version(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

/// The name in the source.
fn shown(name: &str) -> String {
    let plain = without_version(name);
    if is_mangled(plain) {
        demangle(plain).unwrap_or_else(|| plain.to_owned())
    } else {
        plain.to_owned()
    }
}

/// A C++ name without its parameters: what stands before the last `(` that is not within `<…>`.
fn without_parameters(name: &str) -> &str {
    let mut depth = 0usize;
    let mut last = ' ';
    for (at, letter) in name.char_indices() {
        match letter {
            '<' => depth += 1,
            '>' if last != '-' => depth = depth.saturating_sub(1),
            '(' if depth == 0 && at > 0 && !name[at..].starts_with("(anonymous") => {
                return &name[..at];
            }
            _ => {}
        }
        last = letter;
    }
    name
}

/// The last word of a name in the source, which its symbol has as well.
fn needle(name: &str) -> &str {
    let plain = without_parameters(without_hash(name));
    plain
        .rsplit(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .find(|word| !word.is_empty())
        .unwrap_or("")
}

#[cfg(test)]
mod tests;
