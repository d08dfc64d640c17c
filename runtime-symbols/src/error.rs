//! What can go wrong with a binary or a catalogue file, in one sentence each.

use std::io;
use std::path::PathBuf;

/// Why a file could not be inspected.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened or mapped.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A directory, a device or a pipe.
    #[error("{} is not a regular file; name the runtime's binary or library", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// A script: what runs is its interpreter.
    #[error("{} is a script that `{interpreter}` runs; name the binary of the runtime instead", path.display())]
    Script {
        /// The file.
        path: PathBuf,
        /// What stands after `#!`.
        interpreter: String,
    },
    /// No ELF magic.
    #[error("{} is not an ELF file; name the runtime's binary or library", path.display())]
    NotElf {
        /// The file.
        path: PathBuf,
    },
    /// ELF for another processor.
    #[error("{} is built for {found}; only x86-64 binaries can be probed", path.display())]
    Machine {
        /// The file.
        path: PathBuf,
        /// What it is built for.
        found: String,
    },
    /// ELF that contradicts itself.
    #[error("cannot read the symbols of {}: {what}; the file is damaged or truncated", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The contradiction.
        what: String,
    },
}

/// Why a catalogue file was refused.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// Not TOML, or not of the schema.
    #[error("cannot read the catalogue file {file}: {source}")]
    Toml {
        /// The file's name.
        file: String,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// A regular expression that does not compile.
    #[error(
        "in the catalogue file {file}, line {line}, the pattern `{pattern}` is not a regular expression: {source}"
    )]
    Pattern {
        /// The file's name.
        file: String,
        /// Where the pattern stands.
        line: usize,
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        source: Box<regex::Error>,
    },
    /// Too much text to search for.
    #[error("cannot prepare the search for the catalogue's symbol names: {0}")]
    Needles(#[from] aho_corasick::BuildError),
    /// Of the schema, but without sense.
    #[error("in the catalogue file {file}, line {line}, {place}: {what}")]
    Content {
        /// The file's name.
        file: String,
        /// Where it stands.
        line: usize,
        /// The variant and rule.
        place: String,
        /// What was found and what to write.
        what: String,
    },
    /// Two files describe the same runtime, and neither of them is bundled.
    #[error("the catalogue files {first} and {second} both describe `{name}`; keep one of them")]
    Twice {
        /// The runtime.
        name: String,
        /// The file that was read first.
        first: String,
        /// The other one.
        second: String,
    },
    /// More than the programs in the kernel have room for.
    #[error("the catalogue has {found} {what}, and there is room for {most}; leave some files out")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        most: usize,
    },
    /// A folder or a file in it cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What it says decides where probes go, so it must come from somebody who is trusted.
    #[error(
        "{} is not read: it belongs to user {owner}; catalogue files and their folder must belong to root or to you (chown)", path.display()
    )]
    Owner {
        /// The folder or file.
        path: PathBuf,
        /// The number of the user that it belongs to.
        owner: u32,
    },
    /// Others could change it.
    #[error("{} is not read: others may write to it; run: chmod go-w {}", path.display(), path.display())]
    Writable {
        /// The folder or file.
        path: PathBuf,
    },
    /// Too long, no text, or no file.
    #[error("{} is not read: {what}", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
}
