//! The format of a `printf`: what stands between its values, and how each is shown.

use crate::plan::{Conversion, Piece, Show};

/// A value takes at least so many characters at most.
const MAX_WIDTH: usize = 1024;

/// Why a text is no format, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadFormat {
    /// What is wrong.
    pub(super) message: String,
    /// The way out.
    pub(super) help: String,
}

fn bad<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, BadFormat> {
    Err(BadFormat {
        message: message.into(),
        help: help.into(),
    })
}

/// The pieces of a format, and to how many bytes each of its values is cut.
pub(super) fn pieces(format: &str) -> Result<(Vec<Piece>, Vec<Option<u8>>), BadFormat> {
    let mut pieces = Vec::new();
    let mut lengths = Vec::new();
    let mut rest = format;
    while let Some((text, after)) = rest.split_once('%') {
        add_text(&mut pieces, text);
        rest = match after.strip_prefix('%') {
            Some(after) => {
                add_text(&mut pieces, "%");
                after
            }
            None => {
                let (conversion, length, after) = conversion(after)?;
                pieces.push(Piece::Value(conversion));
                lengths.push(length);
                after
            }
        };
    }
    add_text(&mut pieces, rest);
    Ok((pieces, lengths))
}

/// Appends a text, to the one before it if there is one.
pub(super) fn add_text(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        Some(Piece::Text(last)) => last.push_str(text),
        _ if text.is_empty() => {}
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}

/// The conversion that begins after a `%`, to how many bytes it cuts its value, and what follows it.
fn conversion(after: &str) -> Result<(Conversion, Option<u8>, &str), BadFormat> {
    let mut rest = after;
    let mut known = Conversion {
        show: Show::Signed,
        width: 0,
        precision: None,
        left: false,
        zeros: false,
        alternate: false,
        sign: false,
    };
    while let Some(flag) = rest.chars().next() {
        match flag {
            '-' => known.left = true,
            '0' => known.zeros = true,
            '#' => known.alternate = true,
            '+' => known.sign = true,
            _ => break,
        }
        rest = &rest[1..];
    }
    (known.width, rest) = number(rest)?;
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, after) = number(after)?;
        (known.precision, rest) = (Some(precision), after);
    }
    // Every number has 64 bits: only what is shorter than an `int` says something.
    let length = match rest {
        rest if rest.starts_with("hh") => Some(1),
        rest if rest.starts_with('h') => Some(2),
        _ => None,
    };
    let rest = rest.trim_start_matches(['h', 'l', 'j', 'z', 't']);
    let Some(letter) = rest.chars().next() else {
        return bad(
            "the format ends within a conversion",
            "a conversion is a `%` and a letter, such as `%d`; a percent sign itself is `%%`",
        );
    };
    let mut rest = &rest[letter.len_utf8()..];
    if letter == 'r'
        && let Some(after) = rest.strip_prefix(['x', 'h'])
    {
        rest = after;
    }
    let written = &after[..after.len() - rest.len()];
    known.show = match written {
        _ if letter == 'r' && written.ends_with(['x', 'h']) => Show::HexBytes,
        _ => show(letter, written)?,
    };
    if known.show == Show::HexBytes {
        known.alternate = written.ends_with('x');
    }
    if known.precision.is_some() && known.show != Show::Text && !is_number(known.show) {
        return bad(
            format!("`%{written}` has a precision, and only texts and numbers have one"),
            "leave it out; a width is written before the letter: `%5c`",
        );
    }
    Ok((known, length.filter(|_| is_number(known.show)), rest))
}

fn number(text: &str) -> Result<(usize, &str), BadFormat> {
    if text.starts_with('*') {
        return bad(
            "a width cannot be a value of the call",
            "write the width into the format: `%10d`",
        );
    }
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if digits.is_empty() {
        return Ok((0, rest));
    }
    match digits.parse() {
        Ok(number @ 0..=MAX_WIDTH) => Ok((number, rest)),
        _ => bad(
            format!("`{digits}` is wider than {MAX_WIDTH} characters"),
            "use a smaller number",
        ),
    }
}

fn show(letter: char, written: &str) -> Result<Show, BadFormat> {
    Ok(match letter {
        'd' | 'i' => Show::Signed,
        'u' => Show::Unsigned,
        'x' => Show::LowerHex,
        'X' => Show::UpperHex,
        'o' => Show::Octal,
        'c' => Show::Char,
        's' => Show::Text,
        'p' => Show::Pointer,
        'a' | 'A' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
            return bad(
                format!("`%{written}` shows fractions, and the kernel has whole numbers only"),
                "use `%d`: `printf(\"%d us\", duration / 1us)`; columns of tables may have fractions",
            );
        }
        'r' => Show::Bytes,
        ' ' | '\'' => {
            return bad(
                format!("`%{letter}` is no flag of a conversion"),
                "the flags are `-`, `0`, `#` and `+`",
            );
        }
        _ => {
            return bad(
                format!("`%{}` is no conversion", written.escape_debug()),
                "the conversions are %d %i %u %x %X %o %c %s %p %r %rx %rh and %%",
            );
        }
    })
}

fn is_number(show: Show) -> bool {
    matches!(
        show,
        Show::Signed | Show::Unsigned | Show::LowerHex | Show::UpperHex | Show::Octal
    )
}

/// A text that is known already, as a `%s` shows it.
pub(super) fn shown(text: &str, conversion: Conversion) -> String {
    let text: String = match conversion.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text.to_owned(),
    };
    let width = conversion.width;
    if conversion.left {
        format!("{text:<width$}")
    } else {
        format!("{text:>width$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(format: &str) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => format!("{text:?}"),
            Piece::Value(conversion) => format!("{conversion}"),
        };
        pieces(format)
            .unwrap()
            .0
            .iter()
            .map(piece)
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn a_format_is_cut_at_its_conversions() {
        assert_eq!(shape("a%db%%c%s"), r#""a" %d "b%c" %s"#);
        assert_eq!(shape("%-12s|%5d|%+05i"), r#"%-12s "|" %5d "|" %0+5d"#);
        assert_eq!(
            shape("%#x %llX %hhu %zo %p %c"),
            r##"%#x " " %X " " %u " " %o " " %p " " %c"##
        );
        assert_eq!(shape("%.3s %-8.2s"), r#"%.3s " " %-8.2s"#);
        assert_eq!(shape("%.3d %8.4x"), r#"%.3d " " %8.4x"#);
        assert_eq!(shape(""), "");
    }

    #[test]
    fn lengths_below_that_of_an_int_cut_numbers() {
        let lengths = |format| pieces(format).unwrap().1;
        assert_eq!(
            lengths("%hhd %hu %d %lld %zu %hs"),
            [Some(1), Some(2), None, None, None, None]
        );
    }

    #[test]
    fn what_cannot_be_shown_is_refused() {
        for format in [
            "%",
            "%5",
            "%l",
            "%f",
            "%*d",
            "%.*s",
            "% d",
            "%y",
            "%é",
            "%.2c",
            "%99999d",
            "%99999999999999999999999d",
            "%n",
        ] {
            assert!(pieces(format).is_err(), "{format}");
        }
    }

    #[test]
    fn a_known_text_is_filled_and_cut() {
        let conversion = |format| match pieces(format).unwrap().0.remove(0) {
            Piece::Value(conversion) => conversion,
            piece @ Piece::Text(_) => panic!("{piece:?}"),
        };
        assert_eq!(shown("abc", conversion("%5s")), "  abc");
        assert_eq!(shown("abc", conversion("%-5.2s")), "ab   ");
    }
}
