//! Messages as text.

use std::fmt;

use crate::plan::{Conversion, Message, MessageKind, Piece, Shape, Show};

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
                write!(f, "printf {:?}", written(pieces))
            }
            MessageKind::Time(format) => write!(f, "time {format:?}"),
            MessageKind::Print { map, top, divisor } => {
                match top {
                    None => write!(f, "print map {map}")?,
                    Some(top) => write!(f, "print the largest {top} of map {map}")?,
                }
                match divisor {
                    1 => Ok(()),
                    divisor => write!(f, " divided by {divisor}"),
                }
            }
            MessageKind::PrintKey { map } => write!(f, "print a key of map {map}"),
            MessageKind::PrintValue(shape) => write!(f, "print {shape}"),
            MessageKind::Tabulate {
                title,
                maps,
                sort,
                limit,
            } => {
                let maps: Vec<String> = maps.iter().map(ToString::to_string).collect();
                write!(f, "tabulate {title:?} of maps {}", maps.join(", "))?;
                if let Some(sort) = sort {
                    write!(f, " by map {sort}")?;
                }
                limit.map_or(Ok(()), |limit| write!(f, " at most {limit}"))
            }
            MessageKind::Join(between) => write!(f, "join by {between:?}"),
            MessageKind::Cat(pieces) => write!(f, "cat {:?}", written(pieces)),
            MessageKind::System(pieces) => write!(f, "system {:?}", written(pieces)),
            MessageKind::Clear { map } => write!(f, "clear map {map}"),
            MessageKind::Zero { map } => write!(f, "zero map {map}"),
            MessageKind::Exit(0) => f.write_str("exit"),
            MessageKind::Exit(code) => write!(f, "exit with {code}"),
        }
    }
}

fn written(pieces: &[Piece]) -> String {
    pieces.iter().map(Piece::to_string).collect()
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::One(ty) => write!(f, "{ty}"),
            Shape::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(Shape::to_string).collect();
                write!(f, "({})", parts.join(", "))
            }
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
            Show::Bytes => "r",
            Show::HexBytes => "rx",
        })
    }
}
