//! The values of numbers and strings.

use crate::ast::{Amount, Number};
use crate::nearest::nearest;
use crate::types::Type;

/// The units that a number may have, with their type and how much of the base unit they are.
const UNITS: &[(&str, Type, u64)] = &[
    ("ns", Type::Time, 1),
    ("us", Type::Time, 1_000),
    ("ms", Type::Time, 1_000_000),
    ("s", Type::Time, 1_000_000_000),
    ("B", Type::Size, 1),
    ("KB", Type::Size, 1_000),
    ("MB", Type::Size, 1_000_000),
    ("GB", Type::Size, 1_000_000_000),
    ("TB", Type::Size, 1_000_000_000_000),
    ("KiB", Type::Size, 1 << 10),
    ("MiB", Type::Size, 1 << 20),
    ("GiB", Type::Size, 1 << 30),
    ("TiB", Type::Size, 1 << 40),
];

/// The names of the units of numbers.
pub(crate) fn unit_names() -> impl Iterator<Item = &'static str> {
    UNITS.iter().map(|(name, ..)| *name)
}

/// Why a text is no number, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub struct BadNumber {
    /// What is wrong.
    pub message: String,
    /// The way out.
    pub help: Option<String>,
}

fn bad(message: impl Into<String>) -> BadNumber {
    BadNumber {
        message: message.into(),
        help: None,
    }
}

/// The number that a text such as `10us`, `1_000`, `1e6` or `0xff` stands for.
pub fn number(text: &str) -> Result<Number, BadNumber> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(bad(format!("`{text}` is not a number")));
    }
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => hexadecimal(text, &digits.replace('_', "")),
        None if text.len() > 1 && text.starts_with('0') && is_digits(text) => octal(text),
        None => decimal(text),
    }
}

fn is_digits(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || c == '_')
}

/// A number that begins with 0 and has digits only is octal, as in C.
fn octal(text: &str) -> Result<Number, BadNumber> {
    let digits = text.replace('_', "");
    if digits.contains(['8', '9']) {
        return Err(BadNumber {
            message: format!(
                "`{text}` is no octal number, and a number that begins with 0 is octal"
            ),
            help: Some(format!("write `{}`", digits.trim_start_matches('0'))),
        });
    }
    let value = u128::from_str_radix(&digits, 8).map_err(|_| too_large(text))?;
    whole(text, value, Type::Int)
}

fn hexadecimal(text: &str, digits: &str) -> Result<Number, BadNumber> {
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err(bad(format!("`{text}` is not a hexadecimal number")));
    }
    let value = u128::from_str_radix(digits, 16).map_err(|_| too_large(text))?;
    whole(text, value, Type::Int)
}

/// A number of 64 bits; one that only fits without a sign is unsigned.
fn whole(text: &str, value: u128, ty: Type) -> Result<Number, BadNumber> {
    let (value, ty) = match (i64::try_from(value), u64::try_from(value)) {
        (Ok(value), _) => (value, ty),
        (_, Ok(value)) if ty == Type::Int => (value.cast_signed(), Type::Unsigned),
        _ => return Err(too_large(text)),
    };
    Ok(Number {
        amount: Amount::Whole(value),
        ty,
    })
}

fn too_large(text: &str) -> BadNumber {
    BadNumber {
        message: format!("`{text}` does not fit into 64 bits"),
        help: Some(format!(
            "the largest value is {}, of a time {} nanoseconds, of a size so many bytes",
            u64::MAX,
            i64::MAX
        )),
    }
}

/// `mantissa * 10^exponent * unit`, computed in whole numbers so that `1.5ms` is exact.
fn decimal(text: &str) -> Result<Number, BadNumber> {
    let (digits, rest) = split(text, |c| c.is_ascii_digit() || c == '_');
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(after) => split(after, |c| c.is_ascii_digit() || c == '_'),
        None => ("", rest),
    };
    let (exponent, suffix) = exponent(rest);
    let (ty, factor) = unit(text, suffix)?;
    let mantissa = format!("{digits}{fraction}").replace('_', "");
    let places = fraction.replace('_', "").len() as i64;
    let mantissa = mantissa.trim_start_matches('0');
    if mantissa.is_empty() {
        return Ok(Number {
            amount: Amount::Whole(0),
            ty,
        });
    }
    // 25 digits times a unit are below 2^127; more digits than that are no measurement.
    if mantissa.len() > 25 {
        return Err(too_large(text));
    }
    let whole = mantissa.parse::<u128>().map_err(|_| too_large(text))? * u128::from(factor);
    let exponent = exponent.map_err(|_| too_large(text))? - places;
    if exponent >= 0 {
        let power = u32::try_from(exponent)
            .ok()
            .and_then(|exponent| 10u128.checked_pow(exponent));
        let value = power
            .and_then(|power| whole.checked_mul(power))
            .ok_or_else(|| too_large(text))?;
        return self::whole(text, value, ty);
    }
    let divisor = u32::try_from(-exponent)
        .ok()
        .and_then(|exponent| 10u128.checked_pow(exponent));
    match divisor {
        Some(divisor) if whole % divisor == 0 => self::whole(text, whole / divisor, ty),
        _ if ty == Type::Int => {
            let value = whole as f64 * 10f64.powf(exponent as f64);
            Ok(Number {
                amount: Amount::Fraction(value),
                ty,
            })
        }
        _ => Err(bad(format!(
            "`{text}` is not a whole number of {}",
            if ty == Type::Time {
                "nanoseconds"
            } else {
                "bytes"
            }
        ))),
    }
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

/// The exponent after an `e`, if one follows, and the rest.
fn exponent(text: &str) -> (Result<i64, std::num::ParseIntError>, &str) {
    let Some(after) = text.strip_prefix(['e', 'E']) else {
        return (Ok(0), text);
    };
    let sign = usize::from(after.starts_with(['+', '-']));
    let (digits, rest) = split(&after[sign..], |c| c.is_ascii_digit());
    if digits.is_empty() {
        return (Ok(0), text);
    }
    (
        after[..sign + digits.len()].parse::<i32>().map(i64::from),
        rest,
    )
}

fn unit(text: &str, suffix: &str) -> Result<(Type, u64), BadNumber> {
    if suffix.is_empty() {
        return Ok((Type::Int, 1));
    }
    if let Some((_, ty, factor)) = UNITS.iter().find(|(name, ..)| *name == suffix) {
        return Ok((*ty, *factor));
    }
    let number = &text[..text.len() - suffix.len()];
    let same_letters = UNITS
        .iter()
        .find(|(name, ..)| name.eq_ignore_ascii_case(suffix))
        .map(|(name, ..)| *name);
    let near = same_letters.or_else(|| nearest(suffix, UNITS.iter().map(|(name, ..)| *name)));
    let known = || {
        UNITS
            .iter()
            .map(|(name, ..)| *name)
            .collect::<Vec<_>>()
            .join(" ")
    };
    Err(BadNumber {
        message: format!("`{suffix}` is no unit of a number"),
        help: Some(near.map_or_else(
            || format!("the units are {}", known()),
            |near| format!("write `{number}{near}`"),
        )),
    })
}

/// The text that a string in quotes stands for, or the place in it of an escape that does not exist.
pub fn string(quoted: &str) -> Result<String, (usize, usize)> {
    let inner = &quoted[1..quoted.len() - 1];
    let mut value = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        if c != '\\' {
            value.push(c);
            continue;
        }
        let rest = &inner[at + 1..];
        let Some((escaped, len)) = escape(rest) else {
            let end = at + 1 + rest.chars().next().map_or(0, char::len_utf8);
            return Err((at + 1, end + 1));
        };
        value.push(escaped);
        chars
            .by_ref()
            .take(rest[..len].chars().count())
            .for_each(drop);
    }
    Ok(value)
}

/// The character of an escape without its backslash, and how long the escape is.
fn escape(text: &str) -> Option<(char, usize)> {
    let simple = |c| Some((c, 1));
    match text.chars().next()? {
        'n' => simple('\n'),
        't' => simple('\t'),
        'r' => simple('\r'),
        'e' => simple('\x1b'),
        '\\' => simple('\\'),
        '"' => simple('"'),
        'x' => {
            let byte = u8::from_str_radix(text.get(1..3)?, 16).ok()?;
            byte.is_ascii().then_some((char::from(byte), 3))
        }
        '0'..='7' => {
            let (digits, _) = split(text, |c| ('0'..='7').contains(&c));
            let digits = &digits[..digits.len().min(3)];
            let byte = u8::from_str_radix(digits, 8).ok()?;
            byte.is_ascii().then_some((char::from(byte), digits.len()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> (i64, Type) {
        match number(text).unwrap() {
            Number {
                amount: Amount::Whole(value),
                ty,
            } => (value, ty),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn numbers_are_in_the_base_unit() {
        assert_eq!(whole("10us"), (10_000, Type::Time));
        assert_eq!(whole("1.5ms"), (1_500_000, Type::Time));
        assert_eq!(whole("4KiB"), (4096, Type::Size));
        assert_eq!(whole("1MB"), (1_000_000, Type::Size));
        assert_eq!(whole("0xff"), (255, Type::Int));
        assert_eq!(whole("1_000"), (1000, Type::Int));
        assert_eq!(whole("1e6"), (1_000_000, Type::Int));
        assert_eq!(whole("2.50e1"), (25, Type::Int));
        assert_eq!(whole("0e999999999999"), (0, Type::Int));
    }

    #[test]
    fn a_share_is_a_fraction() {
        let Number {
            amount: Amount::Fraction(value),
            ty: Type::Int,
        } = number("0.75").unwrap()
        else {
            panic!()
        };
        assert!((value - 0.75).abs() < 1e-12);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        for text in [
            "99999999999s",
            "9223372036854775808B",
            "18446744073709551616",
            "1e20",
            "1e99999999999",
            "0x10000000000000000",
            &"9".repeat(9999),
        ] {
            assert!(
                number(text)
                    .unwrap_err()
                    .message
                    .ends_with("does not fit into 64 bits"),
                "{text}"
            );
        }
        assert_eq!(whole("9223372036854775807"), (i64::MAX, Type::Int));
    }

    #[test]
    fn what_fits_only_without_a_sign_is_unsigned() {
        for (text, value) in [
            ("9223372036854775808", 1 << 63),
            ("18446744073709551615", u64::MAX),
            ("0xffffffffffffffff", u64::MAX),
            ("1e19", 10_000_000_000_000_000_000),
        ] {
            assert_eq!(whole(text), (value.cast_signed(), Type::Unsigned), "{text}");
        }
    }

    #[test]
    fn a_unit_with_a_slip_is_corrected() {
        assert_eq!(number("10US").unwrap_err().help.unwrap(), "write `10us`");
        assert_eq!(number("4kib").unwrap_err().help.unwrap(), "write `4KiB`");
        assert!(
            number("10parsecs")
                .unwrap_err()
                .help
                .unwrap()
                .starts_with("the units are ns us")
        );
        assert_eq!(
            number("0.5ns").unwrap_err().message,
            "`0.5ns` is not a whole number of nanoseconds"
        );
    }

    #[test]
    fn escapes_stand_for_their_characters() {
        assert_eq!(
            string(r#""a\n\t\"\\\x41\101\eé""#).unwrap(),
            "a\n\t\"\\AA\u{1b}é"
        );
        assert_eq!(string(r#""a\q""#), Err((2, 4)));
        assert_eq!(string(r#""\xff""#), Err((1, 3)));
    }
}
