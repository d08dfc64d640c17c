//! Where a probe on a function goes, and why it can go nowhere.

use std::path::PathBuf;

use crate::elf::FileOffset;

/// Where a probe goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The function's name in the source; an address if no symbol is there.
    pub name: String,
    /// The position in the file.
    pub offset: FileOffset,
}

/// Why a function cannot be probed.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// No symbol has the name.
    #[error("{} has no function `{name}`{hint}", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        name: String,
        /// A way out, which begins with `; `, `, ` or is empty.
        hint: String,
    },
    /// An indirect function: the symbol is that of a function that chooses one.
    #[error(
        "`{name}` in {} is chosen among several when a program starts (an indirect function), so a probe on this symbol would fire once and not at calls; probe one of its implementations or its caller", path.display()
    )]
    Indirect {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        name: String,
    },
    /// Not an address of code.
    #[error("{} has no code at {address:#x}", path.display())]
    NoCode {
        /// The file.
        path: PathBuf,
        /// The address.
        address: u64,
    },
    /// Behind the end of the function.
    #[error("`{name}` in {} has {size} bytes, so nothing is at +{offset}", path.display())]
    Outside {
        /// The file.
        path: PathBuf,
        /// The function.
        name: String,
        /// Its length.
        size: u64,
        /// What was asked for.
        offset: u64,
    },
    /// A probe there would break the program.
    #[error(
        "no instruction begins at `{name}`+{offset} in {}: a probe there would break the program; the one before begins at +{before}, the next one at +{after}", path.display()
    )]
    WithinInstruction {
        /// The file.
        path: PathBuf,
        /// The function.
        name: String,
        /// What was asked for.
        offset: u64,
        /// Where the instruction begins.
        before: u64,
        /// Where it ends.
        after: u64,
    },
}
