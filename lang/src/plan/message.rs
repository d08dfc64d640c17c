//! What user space is told of.

use crate::types::Type;

/// What user space is told of.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// What it does then.
    pub kind: MessageKind,
    /// The types of the values that come with it.
    pub values: Vec<Type>,
}

/// What user space does on a message.
#[derive(Debug, Clone, PartialEq)]
pub enum MessageKind {
    /// `printf`: the pieces of the format.
    Printf(Vec<Piece>),
    /// `time`: the format of strftime(3).
    Time(String),
    /// `print(@map, top)`: prints a map, the largest `top` values of it.
    Print {
        /// Index into [`Plan::maps`](super::Plan::maps).
        map: usize,
        /// At most so many keys.
        top: Option<usize>,
    },
    /// `clear(@map)`: forgets every key.
    Clear {
        /// Index into [`Plan::maps`](super::Plan::maps).
        map: usize,
    },
    /// `zero(@map)`: every value becomes 0.
    Zero {
        /// Index into [`Plan::maps`](super::Plan::maps).
        map: usize,
    },
    /// `delete(@map[keys])` of an aggregate, whose rows are kept per CPU. The values are the keys.
    Delete {
        /// Index into [`Plan::maps`](super::Plan::maps).
        map: usize,
    },
    /// `exit()`: ends the run.
    Exit,
}

/// A piece of a format.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// As it is.
    Text(String),
    /// The next value.
    Value(Conversion),
}

/// A conversion of printf(3): `%-12s`, `%5d`, `%llx`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversion {
    /// What the value is shown as.
    pub show: Show,
    /// At least so many characters.
    pub width: usize,
    /// At most so many characters of a text.
    pub precision: Option<usize>,
    /// `-`: filled on the right.
    pub left: bool,
    /// `0`: filled with zeros.
    pub zeros: bool,
    /// `#`: with the base.
    pub alternate: bool,
    /// `+`: with the sign.
    pub sign: bool,
}

/// What a conversion shows a value as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// `%d %i`
    Signed,
    /// `%u`
    Unsigned,
    /// `%x`
    LowerHex,
    /// `%X`
    UpperHex,
    /// `%o`
    Octal,
    /// `%c`
    Char,
    /// `%s`: a text, or the name of an enum's value.
    Text,
    /// `%p`
    Pointer,
}
