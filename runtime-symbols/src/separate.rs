//! Finds the symbols of a binary that was stripped: in a debug file, or packed into the binary itself.
//!
//! They are looked for as debuggers do it, in this order: a file named by the build-id, a file named by
//! `.gnu_debuglink`, the section `.gnu_debugdata` (an ELF file with symbols only, packed by xz). A file is
//! taken only if it is of the same build.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use lzma_rust2::XzReader;
use memmap2::Mmap;

use crate::build::{BuildId, DebugLink};
use crate::elf::{ElfFile, Refusal};
use crate::map;
use crate::origin::Origin;

/// Where the symbols of an [`Image`](crate::Image) come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SymbolSource {
    /// The binary's own `.symtab`.
    Binary,
    /// A debug file, by its name where the binary runs.
    DebugFile(PathBuf),
    /// The binary's section `.gnu_debugdata`.
    MiniDebugInfo,
    /// The binary's table of Go functions (`.gopclntab`), which `strip` leaves.
    GoFunctions,
    /// The binary's exported symbols (`.dynsym`): there are no others.
    Exported,
}

impl fmt::Display for SymbolSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SymbolSource::Binary => f.write_str("its own .symtab"),
            SymbolSource::DebugFile(path) => write!(f, "the debug file {}", path.display()),
            SymbolSource::MiniDebugInfo => f.write_str("its .gnu_debugdata"),
            SymbolSource::GoFunctions => f.write_str("its table of Go functions (.gopclntab)"),
            SymbolSource::Exported => f.write_str("its exported functions only (.dynsym)"),
        }
    }
}

/// A place where symbols of a stripped binary were looked for, and what is there. `Display` gives a clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The file or section.
    pub place: String,
    /// What is there; none if there is nothing.
    pub found: Option<String>,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = self.found.as_deref().unwrap_or("is not there");
        write!(f, "{} {found}", self.place)
    }
}

/// The symbols of a stripped binary.
pub(crate) struct Separate {
    pub source: SymbolSource,
    content: Content,
}

enum Content {
    File(Mmap),
    Unpacked(Vec<u8>),
}

/// What the search came to.
pub(crate) struct Search {
    pub found: Option<Separate>,
    pub tried: Vec<Tried>,
}

/// Unpacked symbols may have this many bytes; those of the largest known runtime have a quarter of it.
const MOST_UNPACKED: u64 = 64 << 20;

/// Larger debug files are left alone, in bytes: all of one is summed up. That of the largest known runtime has an
/// eighth of it.
const LARGEST_FILE: usize = 4 << 30;

/// Unpacking may take this much memory besides, in KiB; the strongest setting of xz needs 65 MiB.
const MOST_MEMORY: u32 = 72 << 10;

/// So much of a file is summed up at a time, in bytes.
const WINDOW: usize = 1 << 20;

impl Separate {
    /// An ELF file with symbols.
    pub fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::File(map) => map,
            Content::Unpacked(bytes) => bytes,
        }
    }

    /// Is told which parts will not be looked at again soon.
    pub fn passed(&self, part: &[u8]) {
        if let Content::File(map) = &self.content {
            map::release(map, part);
        }
    }
}

/// Looks for the symbols of a binary that has none.
pub(crate) fn search(file: &ElfFile<'_>, origin: &Origin) -> Search {
    let mut search = Search {
        found: None,
        tried: Vec::new(),
    };
    let id = BuildId::of(file);
    if let Some(id) = &id {
        let path = PathBuf::from(id.debug_file());
        search.file(&origin.root, path, |debug, _| same_build(id, debug));
    }
    if let Some(link) = DebugLink::of(file) {
        for path in link_places(&link, &origin.name) {
            search.file(&origin.root, path, |debug, map| {
                if let (Some(id), Some(_)) = (&id, BuildId::of(debug)) {
                    same_build(id, debug)?;
                }
                same_checksum(link.checksum, map)
            });
        }
    }
    if let Some((_, packed)) = file.section(".gnu_debugdata") {
        map::will_need(packed);
        search.packed(packed);
    }
    search
}

/// Beside the binary, below it, and in the system's own folder.
fn link_places(link: &DebugLink, binary: &Path) -> Vec<PathBuf> {
    let Some(folder) = binary.parent().filter(|folder| folder.is_absolute()) else {
        return Vec::new();
    };
    let below = folder.strip_prefix("/").unwrap_or(folder);
    vec![
        folder.join(&link.name),
        folder.join(".debug").join(&link.name),
        Path::new("/usr/lib/debug").join(below).join(&link.name),
    ]
}

fn same_build(id: &BuildId, debug: &ElfFile<'_>) -> Result<(), String> {
    match BuildId::of(debug) {
        Some(other) if other == *id => Ok(()),
        Some(other) => Err(format!(
            "is of another build: its build-id is {other}, that of the binary {id}"
        )),
        None => Err("has no build-id, so it may be of another build".to_owned()),
    }
}

fn same_checksum(wanted: u32, map: &Mmap) -> Result<(), String> {
    let mut sum = crc32fast::Hasher::new();
    for window in map.chunks(WINDOW) {
        sum.update(window);
        map::release(map, window);
    }
    match sum.finalize() {
        sum if sum == wanted => Ok(()),
        sum => Err(format!(
            "is of another build: its checksum is {sum:#010x}, the binary wants {wanted:#010x}"
        )),
    }
}

impl Search {
    /// Takes a file if it is right and none was taken before.
    fn file(
        &mut self,
        root: &Path,
        path: PathBuf,
        check: impl Fn(&ElfFile<'_>, &Mmap) -> Result<(), String>,
    ) {
        if self.found.is_some() {
            return;
        }
        let found = match map::open_below(root, &path) {
            Ok(Some(map)) if map.len() > LARGEST_FILE => {
                Some(format!("has more than {} GiB", LARGEST_FILE >> 30))
            }
            Ok(Some(map)) => match usable(&map, |debug| check(debug, &map)) {
                Ok(()) => {
                    self.found = Some(Separate {
                        source: SymbolSource::DebugFile(path.clone()),
                        content: Content::File(map),
                    });
                    Some("has its symbols".to_owned())
                }
                Err(why) => Some(why),
            },
            Ok(None) => Some("is empty".to_owned()),
            Err(error) if is_absent(&error) => None,
            Err(error) => Some(format!("cannot be read: {error}")),
        };
        self.tried.push(Tried {
            place: path.display().to_string(),
            found,
        });
    }

    fn packed(&mut self, packed: &[u8]) {
        if self.found.is_some() {
            return;
        }
        let found = match unpack(packed).and_then(|bytes| {
            usable(&bytes, |_| Ok(()))?;
            Ok(bytes)
        }) {
            Ok(bytes) => {
                self.found = Some(Separate {
                    source: SymbolSource::MiniDebugInfo,
                    content: Content::Unpacked(bytes),
                });
                "has its symbols".to_owned()
            }
            Err(why) => why,
        };
        self.tried.push(Tried {
            place: "its section .gnu_debugdata".to_owned(),
            found: Some(found),
        });
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Whether a file has symbols, and passes a check; if not, what it is or does, as a clause.
fn usable(bytes: &[u8], check: impl Fn(&ElfFile<'_>) -> Result<(), String>) -> Result<(), String> {
    let said = |refusal| match refusal {
        Refusal::NotElf => "is not an ELF file".to_owned(),
        Refusal::Machine(found) => format!("is for {found}"),
        Refusal::Malformed(what) => format!("is damaged: {what}"),
    };
    let file = ElfFile::parse(bytes).map_err(said)?;
    if file.symtab().map_err(said)?.is_none() {
        return Err("has no .symtab either".to_owned());
    }
    check(&file)
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    XzReader::new_mem_limit(packed, true, MOST_MEMORY)
        .take(MOST_UNPACKED + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot be unpacked: {error}"))?;
    if bytes.len() as u64 > MOST_UNPACKED {
        return Err(format!(
            "is left alone: it has more than {} MiB unpacked",
            MOST_UNPACKED >> 20
        ));
    }
    Ok(bytes)
}
