//! Finds the few symbols that any rule could match, in one pass over the string table.
//!
//! A binary has 100,000 functions and more; looking at each name costs several times as much as
//! searching all names at once for the texts that the rules ask for.

use std::collections::BTreeMap;

use aho_corasick::BuildError;
use memchr::memmem::Finder;

use crate::elf::{Symbol, SymbolTable};
use crate::texts::Texts;

/// A text that a mangled name must have to be worth demangling.
#[derive(Debug, Clone)]
pub(crate) enum Needle {
    /// At its start.
    Start(String),
    /// Anywhere.
    Within(Box<Finder<'static>>),
}

/// All needles of a catalogue.
pub(crate) struct Needles {
    search: Texts,
    /// The bytes of the longest text.
    longest: usize,
    all: Vec<Needle>,
}

/// A function whose name has a needle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub symbol: Symbol,
    /// Its name as it is in the file.
    pub mangled: &'a str,
}

/// Names beyond this are not from a compiler: the longest of the known runtimes have some 1,000 bytes.
const LONGEST_NAME: usize = 8 * 1024;

/// So much of the strings is searched at a time, in bytes.
const WINDOW: usize = 1 << 20;

/// Limits the work on a file that was made to waste time; a runtime has up to some thousands.
const MOST_CANDIDATES: usize = 50_000;

impl Needle {
    /// A text that may be anywhere in a name.
    pub fn within(text: &str) -> Needle {
        Needle::Within(Box::new(Finder::new(text).into_owned()))
    }

    /// The text itself.
    pub fn text(&self) -> &[u8] {
        match self {
            Needle::Start(text) => text.as_bytes(),
            Needle::Within(finder) => finder.needle(),
        }
    }

    /// What to search the string table for. A name starts behind the zero byte that ends another one. (Not so
    /// a name that the linker made the tail of a longer one: see [`Needles::is_tail`].)
    fn searched(&self) -> Vec<u8> {
        match self {
            Needle::Start(text) => [b"\0", text.as_bytes()].concat(),
            Needle::Within(finder) => finder.needle().to_vec(),
        }
    }

    /// Whether a mangled name has it.
    pub fn is_in(&self, mangled: &str) -> bool {
        match self {
            Needle::Start(text) => mangled.starts_with(text.as_str()),
            Needle::Within(finder) => finder.find(mangled.as_bytes()).is_some(),
        }
    }
}

impl Needles {
    /// Prepares the search for any of these.
    pub fn new<'n>(needles: impl Iterator<Item = &'n Needle>) -> Result<Needles, BuildError> {
        let by_text: BTreeMap<Vec<u8>, Needle> = needles
            .map(|needle| (needle.searched(), needle.clone()))
            .collect();
        let texts: Vec<&Vec<u8>> = by_text.keys().collect();
        let search = Texts::new(&texts)?;
        Ok(Needles {
            search,
            longest: texts.iter().map(|text| text.len()).max().unwrap_or(0),
            all: by_text.into_values().collect(),
        })
    }

    /// The functions of a table whose names have a needle. `passed` is told which parts of the strings
    /// have been searched.
    pub fn candidates<'a>(
        &self,
        table: &SymbolTable<'a>,
        passed: &dyn Fn(&[u8]),
    ) -> Vec<Candidate<'a>> {
        let names = self.names(table.strings, passed);
        let may_have_tails = table.strings.len() <= WINDOW;
        if names.is_empty() && !may_have_tails {
            return Vec::new();
        }
        let blocks = Blocks::new(&names, table.strings.len());
        table
            .functions()
            .filter_map(|symbol| {
                if may_have_tails && self.is_tail(table.strings, symbol.name) {
                    let rest = table.strings.get(symbol.name..)?;
                    let length = memchr::memchr(0, rest)?;
                    let end = symbol.name + length;
                    return (length <= LONGEST_NAME).then_some((symbol, end, false));
                }
                if !blocks.may_have(symbol.name) {
                    return None;
                }
                // A linker may let one name be the tail of another, so the start need not be equal.
                let at = names.partition_point(|(_, end)| *end <= symbol.name);
                let (start, end) = *names.get(at)?;
                let length = end.checked_sub(symbol.name)?;
                let is_within = symbol.name >= start && length <= LONGEST_NAME;
                is_within.then_some((symbol, end, symbol.name == start))
            })
            .take(MOST_CANDIDATES)
            .filter_map(|(symbol, end, is_whole)| {
                let mangled = std::str::from_utf8(table.strings.get(symbol.name..end)?).ok()?;
                // What was found may stand before the name.
                let has_one = is_whole || self.all.iter().any(|needle| needle.is_in(mangled));
                has_one.then_some(Candidate { symbol, mangled })
            })
            .collect()
    }

    /// Whether a name begins with a needle, but inside of a longer name. Linkers store `wasi_fd_read` as the
    /// tail of `__wasi_fd_read`. Not asked of large tables, all of which would have to be kept in memory:
    /// those are of runtimes in Rust or C++, whose names do not end alike.
    fn is_tail(&self, strings: &[u8], name: usize) -> bool {
        let before = name.checked_sub(1).and_then(|before| strings.get(before));
        if before.is_none_or(|byte| *byte == 0) {
            return false;
        }
        self.all.iter().any(|needle| match needle {
            Needle::Start(text) => strings[name..].starts_with(text.as_bytes()),
            Needle::Within(_) => false,
        })
    }

    /// Where names with a needle start and end, in order.
    fn names(&self, strings: &[u8], passed: &dyn Fn(&[u8])) -> Vec<(usize, usize)> {
        let mut names = Vec::new();
        let mut from = 0;
        let mut window = 0..WINDOW.min(strings.len());
        loop {
            let Some(found) = self.search.find(&strings[..window.end], from) else {
                passed(&strings[window.clone()]);
                if window.end == strings.len() {
                    return names;
                }
                // A needle may lie across the border.
                from = from.max(window.end - self.longest.min(window.end));
                window = window.end..(window.end + WINDOW).min(strings.len());
                continue;
            };
            let start = match strings[found.start()] {
                0 => found.start() + 1,
                _ => memchr::memrchr(0, &strings[..found.start()]).map_or(0, |zero| zero + 1),
            };
            let end = memchr::memchr(0, &strings[found.end()..])
                .map_or(strings.len(), |zero| found.end() + zero);
            names.push((start, end));
            from = end;
            if from >= window.end {
                passed(&strings[window.clone()]);
                window = from..(from + WINDOW).min(strings.len());
            }
        }
    }
}

/// Which blocks of the string table have such names: turns most symbols away at the price of one look.
struct Blocks(Vec<u64>);

const BLOCK: usize = 64;

impl Blocks {
    fn new(names: &[(usize, usize)], length: usize) -> Blocks {
        let mut bits = vec![0u64; length / BLOCK / 64 + 1];
        for (start, end) in names {
            for block in start / BLOCK..=end / BLOCK {
                bits[block / 64] |= 1 << (block % 64);
            }
        }
        Blocks(bits)
    }

    fn may_have(&self, name: usize) -> bool {
        let block = name / BLOCK;
        self.0
            .get(block / 64)
            .is_some_and(|bits| bits >> (block % 64) & 1 == 1)
    }
}
