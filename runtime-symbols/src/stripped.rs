//! Recognizes a runtime whose symbols were removed, so that the refusal can say what to do.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;

use aho_corasick::BuildError;

use crate::elf::ElfFile;
use crate::map;
use crate::schema::StrippedTable;
use crate::separate::Tried;
use crate::texts::Texts;

/// A binary that looks like a runtime but has no symbols to probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stripped {
    /// Index of the runtime in the catalogue.
    pub runtime: usize,
    /// Its name.
    pub name: String,
    /// Its version, if the binary tells.
    pub version: Option<String>,
    /// What gave it away, as a clause.
    pub sign: String,
    /// Where its symbols were looked for.
    pub tried: Vec<Tried>,
}

impl fmt::Display for Stripped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this looks like {}", self.name)?;
        if let Some(version) = &self.version {
            write!(f, " {version}")?;
        }
        write!(
            f,
            " ({}), but it is stripped: no .symtab; install or build it with its symbols, or install its debug file (`ewapa symbols --explain` says where)",
            self.sign
        )?;
        // What is there and yet of no use.
        for tried in self.tried.iter().filter(|tried| tried.found.is_some()) {
            write!(f, "; {tried}")?;
        }
        Ok(())
    }
}

/// The signs of all runtimes.
pub(crate) struct Signs {
    tables: Vec<StrippedTable>,
    search: Texts,
    /// The runtime of each text of `search`.
    owners: Vec<usize>,
    /// The bytes of the longest text.
    longest: usize,
}

impl Signs {
    /// Prepares the search; the order is that of the runtimes.
    pub fn new(tables: Vec<StrippedTable>) -> Result<Signs, BuildError> {
        let texts: Vec<&String> = tables.iter().flat_map(|table| &table.texts).collect();
        let search = Texts::new(&texts)?;
        let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        let owned = tables.iter().enumerate();
        let owners = owned
            .flat_map(|(owner, table)| table.texts.iter().map(move |_| owner))
            .collect();
        Ok(Signs {
            search,
            owners,
            longest,
            tables,
        })
    }

    /// Which runtime a file without usable symbols is, and what gave it away. `passed` is told which parts of the
    /// file have been searched.
    pub fn guess(
        &self,
        path: &Path,
        file: &ElfFile,
        passed: &dyn Fn(&[u8]),
    ) -> Option<(usize, String)> {
        let exported = file.dynsym().ok().flatten().map(|table| table.strings);
        let by_text = exported
            .into_iter()
            .chain(file.read_only_data())
            .find_map(|data| self.in_data(data, passed));
        by_text.or_else(|| self.in_name(path.file_name()?))
    }

    fn in_data(&self, data: &[u8], passed: &dyn Fn(&[u8])) -> Option<(usize, String)> {
        map::pieces(data, self.longest).find_map(|part| {
            let found = self.in_text(part);
            passed(part);
            found
        })
    }

    fn in_text(&self, data: &[u8]) -> Option<(usize, String)> {
        let found = self.search.find(data, 0)?;
        let text = String::from_utf8_lossy(&data[found.range()]);
        Some((
            *self.owners.get(found.pattern().as_usize())?,
            format!("it contains `{text}`"),
        ))
    }

    fn in_name(&self, name: &OsStr) -> Option<(usize, String)> {
        let owner = self
            .tables
            .iter()
            .position(|table| table.files.iter().any(|file| name == file.as_str()))?;
        Some((owner, "by its file name".to_owned()))
    }
}
