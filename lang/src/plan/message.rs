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
        /// What values are divided by; 1 for none.
        divisor: i64,
    },
    /// `print(@map[keys])`: one key of a map. The values are the key.
    PrintKey {
        /// Index into [`Plan::maps`](super::Plan::maps).
        map: usize,
    },
    /// `print(value)`: the values, put together as the shape says.
    PrintValue(Shape),
    /// `tabulate`: maps side by side, joined on their keys.
    Tabulate {
        /// What stands above it.
        title: String,
        /// Indices into [`Plan::maps`](super::Plan::maps). They have the same keys.
        maps: Vec<usize>,
        /// Which of them rows are sorted by, the largest first. None: by the keys.
        sort: Option<usize>,
        /// At most so many rows.
        limit: Option<usize>,
    },
    /// `join`: the texts up to the first empty one, with this between them.
    Join(String),
    /// `cat`: shows a file whose name the pieces make.
    Cat(Vec<Piece>),
    /// `system`: runs a command that the pieces make.
    System(Vec<Piece>),
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
    /// `exit()`: ends the run, with this exit code.
    Exit(u8),
}

/// How values that stand side by side belong together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Shape {
    /// One value.
    One(Type),
    /// A tuple.
    Tuple(Vec<Shape>),
}

impl Shape {
    /// The types of the values, from left to right.
    pub fn types(&self) -> Vec<Type> {
        match self {
            Shape::One(ty) => vec![*ty],
            Shape::Tuple(parts) => parts.iter().flat_map(Shape::types).collect(),
        }
    }
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
    /// `%r`: bytes, those that are not printable as `\\x..`.
    Bytes,
    /// `%rx`: bytes in base 16, each as `\\x..` ([`Conversion::alternate`]); `%rh`: with a space between them.
    HexBytes,
}
