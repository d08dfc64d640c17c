//! What a script says while it runs, for those who show it.

use std::io;

use ewapa_lang::plan::{Map, Piece, Plan, Shape};
use ewapa_lang::types::Type;

use super::groups::{Group, Key};
use super::names::Names;
use super::trace::Reporter;

/// What a script says while it runs.
pub enum Said<'a> {
    /// The script begins: so many probes that do not wait for a process are attached.
    Attaching(usize),
    /// `printf`: the pieces of the format, and the values for them.
    Printf {
        /// The pieces.
        pieces: &'a [Piece],
        /// The values.
        values: &'a Values<'a>,
    },
    /// `time`: now, by a format of strftime(3).
    Time(&'a str),
    /// `print` of a map, or of one key of it.
    Map {
        /// The map.
        map: &'a Map,
        /// Its groups.
        groups: &'a [Group],
        /// At most so many keys.
        top: Option<usize>,
        /// What values are divided by.
        divisor: i64,
    },
    /// `print` of a value.
    Value {
        /// How the values belong together.
        shape: &'a Shape,
        /// The values.
        values: &'a Values<'a>,
    },
    /// `tabulate`: maps with the same keys, side by side.
    Tabulate {
        /// What stands above it.
        title: &'a str,
        /// The maps with their groups.
        maps: &'a [(&'a Map, Vec<Group>)],
        /// Which of them rows are sorted by, the largest first. None: by the keys.
        sort: Option<usize>,
        /// At most so many rows.
        limit: Option<usize>,
    },
    /// `join`: texts, with this between them.
    Join(&'a str, &'a Values<'a>),
    /// `cat`: the file whose name this is.
    Cat(&'a [Piece], &'a Values<'a>),
    /// `system`: the command that this is.
    System(&'a [Piece], &'a Values<'a>),
}

/// The values of a message.
pub struct Values<'a> {
    /// Their types.
    pub types: &'a [Type],
    /// One for each type.
    pub values: Vec<Key>,
}

/// What shows a script's output while it runs.
pub trait Listener: Reporter {
    /// The script says something.
    ///
    /// # Errors
    /// It cannot be written.
    fn said(&mut self, plan: &Plan, said: &Said<'_>, names: &Names) -> io::Result<()>;

    /// Nothing more is to be shown for now.
    ///
    /// # Errors
    /// It cannot be written.
    fn flush(&mut self) -> io::Result<()>;
}
