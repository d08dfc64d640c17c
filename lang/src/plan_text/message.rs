//! Messages as text.

use std::fmt;

use crate::plan::{Conversion, Message, MessageKind, Piece, Show};

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if !self.values.is_empty() {
            let types: Vec<String> = self.values.iter().map(ToString::to_string).collect();
            write!(f, " of {}", types.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MessageKind::Printf(pieces) => {
                let format: String = pieces.iter().map(Piece::to_string).collect();
                write!(f, "printf {format:?}")
            }
            MessageKind::Time(format) => write!(f, "time {format:?}"),
            MessageKind::Print { map, top: None } => write!(f, "print map {map}"),
            MessageKind::Print {
                map,
                top: Some(top),
            } => write!(f, "print the largest {top} of map {map}"),
            MessageKind::Clear { map } => write!(f, "clear map {map}"),
            MessageKind::Zero { map } => write!(f, "zero map {map}"),
            MessageKind::Delete { map } => write!(f, "delete from map {map}"),
            MessageKind::Exit => f.write_str("exit"),
        }
    }
}

/// As it is written in a format.
impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Piece::Text(text) => f.write_str(&text.replace('%', "%%")),
            Piece::Value(conversion) => write!(f, "{conversion}"),
        }
    }
}

/// As it is written in a format.
impl fmt::Display for Conversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("%")?;
        for (flag, set) in [
            ("-", self.left),
            ("0", self.zeros),
            ("#", self.alternate),
            ("+", self.sign),
        ] {
            if set {
                f.write_str(flag)?;
            }
        }
        if self.width > 0 {
            write!(f, "{}", self.width)?;
        }
        if let Some(precision) = self.precision {
            write!(f, ".{precision}")?;
        }
        f.write_str(match self.show {
            Show::Signed => "d",
            Show::Unsigned => "u",
            Show::LowerHex => "x",
            Show::UpperHex => "X",
            Show::Octal => "o",
            Show::Char => "c",
            Show::Text => "s",
            Show::Pointer => "p",
        })
    }
}
