//! Values by the conversions of printf(3).
//!
//! Control characters in a text of a traced process are escaped wherever it goes. Those of the format string,
//! and of texts that stand in the script, stay as the script has them.

use std::iter;

use ewapa_lang::plan::{Conversion, Piece, Show};
use ewapa_lang::types::Type;

use crate::engine::groups::Key;
use crate::engine::names::Names;

use super::cells::KeyCell;
use super::{cells, measure, stack};

/// The pieces of a format with a value for each conversion.
pub fn format(pieces: &[Piece], types: &[Type], values: &[Key], names: &Names) -> String {
    let mut out = String::new();
    let mut arguments = types.iter().zip(values);
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Value(conversion) => {
                let (ty, value) = arguments.next().unwrap_or((&Type::Int, &Key::None));
                out.push_str(&convert(*conversion, *ty, value, names));
            }
        }
    }
    out
}

fn convert(conversion: Conversion, ty: Type, value: &Key, names: &Names) -> String {
    let number = match (value, conversion.show) {
        (Key::None, _) => return pad("-".to_owned(), conversion),
        (Key::Bytes(bytes), Show::HexBytes) => {
            return pad(hex(bytes, conversion.alternate), conversion);
        }
        (Key::Bytes(bytes), _) => {
            let bytes = &bytes[..bytes.len().min(conversion.precision.unwrap_or(usize::MAX))];
            return pad(cells::printable(bytes), conversion);
        }
        (_, Show::Text | Show::Bytes | Show::HexBytes) if !ty.is_text() => {
            return match (value, ty, KeyCell::new(value, ty, names)) {
                (Key::Number(number), Type::Time | Type::Size, _) => {
                    let text = measure::text(*number as f64, ty);
                    pad(cut(&text, conversion), conversion)
                }
                (_, _, cell @ KeyCell::Stack(_)) => cell.block(ty, stack::ALONE),
                (_, _, cell) => pad(cut(&cell.block(ty, stack::ALONE), conversion), conversion),
            };
        }
        (Key::Text(bytes), _) => {
            let text = cut(&String::from_utf8_lossy(bytes), conversion);
            let is_written = names.is_written(bytes);
            return pad(
                if is_written {
                    text
                } else {
                    cells::escape(&text)
                },
                conversion,
            );
        }
        (Key::Number(number), _) => *number,
        (Key::Address { address, .. }, _) => *address as i64,
    };
    if conversion.show == Show::Char {
        return pad(character(number as u8), conversion);
    }
    integer(number, conversion)
}

/// Bytes that are no character of ASCII are none of UTF-8 either when they stand alone.
fn character(byte: u8) -> String {
    if byte.is_ascii() {
        cells::escape(char::from(byte).encode_utf8(&mut [0; 4]))
    } else {
        format!("\\x{byte:02x}")
    }
}

/// Bytes in base 16, each as in a text of C, or with a space between them.
fn hex(bytes: &[u8], as_in_c: bool) -> String {
    let (before, between) = if as_in_c { ("\\x", "") } else { ("", " ") };
    let bytes: Vec<String> = bytes
        .iter()
        .map(|byte| format!("{before}{byte:02x}"))
        .collect();
    bytes.join(between)
}

fn cut(text: &str, conversion: Conversion) -> String {
    text.chars()
        .take(conversion.precision.unwrap_or(usize::MAX))
        .collect()
}

fn pad(text: String, conversion: Conversion) -> String {
    let fill = conversion.width.saturating_sub(text.chars().count());
    let fill = " ".repeat(fill);
    if conversion.left {
        text + &fill
    } else {
        fill + &text
    }
}

fn integer(number: i64, conversion: Conversion) -> String {
    let bits = number as u64;
    let (sign, mut digits) = match conversion.show {
        Show::Signed => {
            let sign = match number {
                ..0 => "-",
                _ if conversion.sign => "+",
                _ => "",
            };
            (sign, number.unsigned_abs().to_string())
        }
        Show::Pointer if bits == 0 => return pad("(nil)".to_owned(), conversion),
        Show::Pointer => ("0x", format!("{bits:x}")),
        Show::LowerHex if conversion.alternate && bits != 0 => ("0x", format!("{bits:x}")),
        Show::UpperHex if conversion.alternate && bits != 0 => ("0X", format!("{bits:X}")),
        Show::LowerHex => ("", format!("{bits:x}")),
        Show::UpperHex => ("", format!("{bits:X}")),
        Show::Octal => ("", format!("{bits:o}")),
        Show::Unsigned | Show::Char | Show::Text | Show::Bytes | Show::HexBytes => {
            ("", bits.to_string())
        }
    };
    // ISO C 7.23.6.1: a precision is the least number of digits, and 0 shows no digit of 0.
    if conversion.precision == Some(0) && bits == 0 {
        digits.clear();
    }
    let mut least = conversion.precision.unwrap_or(1);
    if conversion.show == Show::Octal && conversion.alternate && !digits.starts_with('0') {
        least = least.max(digits.len() + 1);
    }
    if conversion.zeros && !conversion.left && conversion.precision.is_none() {
        least = least.max(conversion.width.saturating_sub(sign.len()));
    }
    let zeros = least.saturating_sub(digits.len());
    let text = sign
        .chars()
        .chain(iter::repeat_n('0', zeros))
        .chain(digits.chars());
    pad(text.collect(), conversion)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ewapa_lang::types::Enumeration;
    use std::ffi::{CStr, CString};

    const PLAIN: Conversion = Conversion {
        show: Show::Signed,
        width: 0,
        precision: None,
        left: false,
        zeros: false,
        alternate: false,
        sign: false,
    };

    fn by_libc(conversion: Conversion, letter: char, value: i64) -> String {
        let flags: String = [
            (conversion.left, '-'),
            (conversion.zeros, '0'),
            (conversion.alternate, '#'),
            (conversion.sign, '+'),
        ]
        .into_iter()
        .filter_map(|(on, flag)| on.then_some(flag))
        .collect();
        let width = match conversion.width {
            0 => String::new(),
            width => width.to_string(),
        };
        let precision = conversion
            .precision
            .map_or_else(String::new, |precision| format!(".{precision}"));
        let format = CString::new(format!("%{flags}{width}{precision}l{letter}")).unwrap();
        let mut buffer = [0u8; 128];
        // SAFETY: the format has one conversion, for a long; the buffer's length is told.
        unsafe {
            libc::snprintf(
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                format.as_ptr(),
                value as libc::c_long,
            );
        }
        CStr::from_bytes_until_nul(&buffer)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn integers_are_shown_as_the_c_library_shows_them() {
        let shows = [
            (Show::Signed, 'd', true),
            (Show::Unsigned, 'u', false),
            (Show::LowerHex, 'x', false),
            (Show::UpperHex, 'X', false),
            (Show::Octal, 'o', false),
        ];
        let values = [0, 1, -1, 8, 42, 255, -4096, i64::MAX, i64::MIN + 1];
        let precisions = [None, Some(0), Some(1), Some(3), Some(30)];
        let mut cases = 0;
        for (show, letter, signed) in shows {
            for (width, precision) in [0, 1, 5, 25]
                .into_iter()
                .flat_map(|width| precisions.map(|precision| (width, precision)))
            {
                for flags in 0..16 {
                    let conversion = Conversion {
                        show,
                        width,
                        precision,
                        left: flags & 1 != 0,
                        zeros: flags & 2 != 0,
                        // Undefined for signed and unsigned numbers, and the sign for unsigned ones.
                        alternate: flags & 4 != 0 && !matches!(letter, 'd' | 'u'),
                        sign: flags & 8 != 0 && signed,
                    };
                    for value in values {
                        assert_eq!(
                            integer(value, conversion),
                            by_libc(conversion, letter, value),
                            "{value} by {conversion:?}"
                        );
                        cases += 1;
                    }
                }
            }
        }
        assert_eq!(cases, 5 * 4 * 5 * 16 * 9);
    }

    fn shown(conversion: Conversion, ty: Type, value: Key) -> String {
        format(
            &[Piece::Value(conversion)],
            &[ty],
            &[value],
            &Names::default(),
        )
    }

    fn text(value: &str) -> Key {
        Key::Text(value.as_bytes().to_vec())
    }

    #[test]
    fn texts_have_a_width_and_a_precision() {
        let conversion = |width, precision, left| Conversion {
            show: Show::Text,
            width,
            precision,
            left,
            ..PLAIN
        };
        let cases = [
            (conversion(0, None, false), "hello"),
            (conversion(8, None, false), "   hello"),
            (conversion(8, None, true), "hello   "),
            (conversion(3, None, true), "hello"),
            (conversion(0, Some(2), false), "he"),
            (conversion(4, Some(2), true), "he  "),
        ];
        for (conversion, expected) in cases {
            assert_eq!(shown(conversion, Type::Text(16), text("hello")), expected);
        }
    }

    #[test]
    fn text_of_a_process_is_escaped_and_that_of_the_script_is_not() {
        let pieces = [
            Piece::Text("\t".to_owned()),
            Piece::Value(Conversion {
                show: Show::Text,
                ..PLAIN
            }),
            Piece::Text("\n".to_owned()),
        ];
        let out = format(
            &pieces,
            &[Type::Text(64)],
            &[text("a\u{1b}[2J\nb")],
            &Names::default(),
        );
        assert_eq!(out, "\ta\\u{1b}[2J\\nb\n");
    }

    #[test]
    fn none_is_a_dash_in_every_conversion() {
        for show in [Show::Signed, Show::LowerHex, Show::Char, Show::Text] {
            let conversion = Conversion {
                show,
                width: 4,
                zeros: true,
                ..PLAIN
            };
            assert_eq!(shown(conversion, Type::Size, Key::None), "   -");
        }
    }

    #[test]
    fn values_with_a_meaning_are_shown_by_it() {
        let named = Conversion {
            show: Show::Text,
            width: 6,
            ..PLAIN
        };
        let errno = Type::Enum(Enumeration::Errno);
        assert_eq!(shown(named, errno, Key::Number(8)), "  BADF");
        assert_eq!(shown(PLAIN, errno, Key::Number(8)), "8");
        assert_eq!(shown(named, Type::Time, Key::Number(1_500_000)), "1.5 ms");
        assert_eq!(shown(PLAIN, Type::Time, Key::Number(1_500_000)), "1500000");
    }

    #[test]
    fn characters_and_pointers_are_shown_as_by_c() {
        let of = |show| Conversion {
            show,
            width: 6,
            ..PLAIN
        };
        assert_eq!(shown(of(Show::Char), Type::Int, Key::Number(65)), "     A");
        assert_eq!(shown(of(Show::Char), Type::Int, Key::Number(7)), " \\u{7}");
        assert_eq!(
            shown(of(Show::Char), Type::Int, Key::Number(0xe9)),
            "  \\xe9"
        );
        assert_eq!(
            shown(of(Show::Pointer), Type::Int, Key::Number(4096)),
            "0x1000"
        );
        assert_eq!(
            shown(of(Show::Pointer), Type::Int, Key::Number(0)),
            " (nil)"
        );
    }

    #[test]
    fn numbers_without_a_sign_are_read_as_the_conversion_says() {
        let unsigned = Conversion {
            show: Show::Unsigned,
            ..PLAIN
        };
        let text = Conversion {
            show: Show::Text,
            ..PLAIN
        };
        assert_eq!(shown(PLAIN, Type::Unsigned, Key::Number(-1)), "-1");
        assert_eq!(
            shown(unsigned, Type::Unsigned, Key::Number(-1)),
            "18446744073709551615"
        );
        assert_eq!(
            shown(text, Type::Unsigned, Key::Number(-1)),
            "18446744073709551615"
        );
    }

    #[test]
    fn buffers_are_shown_as_text_or_as_numbers() {
        let of = |show| Conversion { show, ..PLAIN };
        let buffer = || Key::Bytes(b"ab\x01".to_vec());
        let ty = Type::Bytes(8);
        assert_eq!(shown(of(Show::Bytes), ty, buffer()), "ab\\x01");
        assert_eq!(shown(of(Show::Text), ty, buffer()), "ab\\x01");
        assert_eq!(shown(of(Show::HexBytes), ty, buffer()), "61 62 01");
        let as_in_c = Conversion {
            alternate: true,
            ..of(Show::HexBytes)
        };
        assert_eq!(shown(as_in_c, ty, buffer()), "\\x61\\x62\\x01");
        let short = Conversion {
            precision: Some(2),
            width: 4,
            ..of(Show::Bytes)
        };
        assert_eq!(shown(short, ty, buffer()), "  ab");
    }

    #[test]
    fn functions_and_moments_are_shown_by_their_names() {
        let address = Key::Address {
            address: 0x1000,
            pid: u32::MAX,
        };
        let ty = Type::Address(ewapa_lang::types::Space::User);
        let of = |show| Conversion { show, ..PLAIN };
        assert_eq!(shown(of(Show::Text), ty, address.clone()), "0x1000");
        assert_eq!(shown(of(Show::Pointer), ty, address), "0x1000");
        let moment = shown(of(Show::Text), Type::Moment(0), Key::Number(1));
        assert!(moment.parse::<u64>().is_ok(), "{moment}");
    }
}
