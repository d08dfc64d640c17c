//! Numbers as text: the unit and the digits of a whole column are chosen once.

use ewapa_lang::plan::{Column, ColumnExpr, Unit};
use ewapa_lang::types::Type;

use super::quantity::Quantity;
use super::sheet::Side;
use super::{series, terminal};

/// How the numbers of one column are shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Format {
    /// Multiplied, and with so many digits after the point.
    Scaled {
        /// The base unit in the shown unit.
        factor: f64,
        /// Digits after the point.
        decimals: usize,
    },
    /// A size, each with its own unit.
    Bytes,
    /// Base 16.
    Hex,
    /// A bar.
    Bar {
        /// The value whose bar is the longest.
        largest: f64,
    },
    /// The steps of a series.
    Spark {
        /// The value that is the highest.
        largest: f64,
    },
}

impl Format {
    /// On which side of the column the cells stand.
    pub fn side(self) -> Side {
        match self {
            Format::Scaled { .. } | Format::Bytes | Format::Hex => Side::Right,
            Format::Bar { .. } | Format::Spark { .. } => Side::Left,
        }
    }
}

/// The format of a column, and the unit for its heading.
pub fn choose(
    column: &Column,
    values: impl Iterator<Item = Quantity>,
) -> (Format, Option<&'static str>) {
    let values: Vec<f64> = values.map(Quantity::real).collect();
    let present = || values.iter().copied();
    let time = |unit| {
        let (factor, name) = match unit {
            Unit::Ns => (1.0, "ns"),
            Unit::Us => (1e-3, "us"),
            Unit::Ms => (1e-6, "ms"),
            _ => (1e-9, "s"),
        };
        (
            Format::Scaled {
                factor,
                decimals: decimals(present().map(|value| value * factor)),
            },
            Some(name),
        )
    };
    match column.unit {
        Unit::Auto => match column.ty {
            Type::Time => time(fitting(present())),
            Type::Size => (Format::Bytes, None),
            _ => (
                Format::Scaled {
                    factor: 1.0,
                    decimals: decimals(present()),
                },
                None,
            ),
        },
        Unit::Rate => match column.ty {
            Type::Size => (Format::Bytes, Some("/s")),
            _ => (
                Format::Scaled {
                    factor: 1.0,
                    decimals: decimals(present()),
                },
                Some("/s"),
            ),
        },
        Unit::Spark => (
            Format::Spark {
                largest: present().fold(0.0, f64::max),
            },
            None,
        ),
        Unit::Bar => (
            Format::Bar {
                largest: present().fold(0.0, f64::max),
            },
            None,
        ),
        unit @ (Unit::Ns | Unit::Us | Unit::Ms | Unit::S) => time(unit),
        Unit::Bytes => (Format::Bytes, None),
        Unit::Pct => (
            Format::Scaled {
                factor: 100.0,
                decimals: 1,
            },
            Some("%"),
        ),
        Unit::Int => (
            Format::Scaled {
                factor: 1.0,
                decimals: 0,
            },
            None,
        ),
        Unit::Hex => (Format::Hex, None),
    }
}

/// The unit of time in which the largest value has at most three digits before the point.
fn fitting(values: impl Iterator<Item = f64>) -> Unit {
    match values.map(f64::abs).fold(0.0, f64::max) {
        largest if largest < 1e3 => Unit::Ns,
        largest if largest < 1e6 => Unit::Us,
        largest if largest < 1e9 => Unit::Ms,
        _ => Unit::S,
    }
}

/// No digits after the point if all values are whole, else as many as give the smallest value two
/// significant digits, at most three.
fn decimals(values: impl Iterator<Item = f64>) -> usize {
    let mut smallest = f64::INFINITY;
    let mut whole = true;
    for value in values.map(f64::abs).filter(|value| *value > 0.0) {
        smallest = smallest.min(value);
        whole &= value.fract() == 0.0;
    }
    match smallest {
        _ if whole => 0,
        smallest if smallest >= 100.0 => 0,
        smallest if smallest >= 1.0 => 1,
        smallest if smallest >= 0.1 => 2,
        _ => 3,
    }
}

/// One value as text; `-` for none.
pub fn text(value: Option<Quantity>, format: Format) -> String {
    let Some(value) = value else {
        return "-".to_owned();
    };
    match (format, value) {
        (
            Format::Scaled {
                factor: 1.0,
                decimals: 0,
            },
            Quantity::Whole(value),
        ) => value.to_string(),
        (Format::Scaled { factor, decimals }, value) => {
            format!("{:.decimals$}", value.real() * factor)
        }
        (Format::Bytes, value) => bytes(value.real()),
        (Format::Hex, Quantity::Whole(value)) => format!("{value:#x}"),
        (Format::Spark { largest }, value) => steps(&[Some(value)], largest),
        (Format::Bar { largest }, value) => bar(value.real(), largest),
        (Format::Hex, Quantity::Real(value)) => format!("{:#x}", value as i64),
    }
}

/// The steps of a series.
pub fn steps(values: &[Option<Quantity>], largest: f64) -> String {
    series::spark(values, largest, terminal::knows_unicode())
}

/// A value by itself, with its unit; `-` for none.
pub fn alone(value: Option<Quantity>, ty: Type) -> String {
    let column = Column {
        name: String::new(),
        value: ColumnExpr::Number(0.0),
        ty,
        unit: Unit::Auto,
    };
    let (format, unit) = choose(&column, value.into_iter());
    let text = text(value, format);
    match (value, unit) {
        (Some(_), Some(unit)) => format!("{text} {unit}"),
        _ => text,
    }
}

/// The length of the longest bar, in characters.
const BAR: f64 = 20.0;

/// A bar, to an eighth of a character. What is more than nothing is seen.
fn bar(value: f64, largest: f64) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if value <= 0.0 || largest <= 0.0 {
        return String::new();
    }
    let eighths = ((value / largest * BAR * 8.0).round() as usize).max(1);
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}

fn bytes(value: f64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut scaled = value;
    let mut unit = 0;
    // 1023.95 KiB would be shown as 1024.0 KiB.
    while scaled.abs() >= 1023.95 && unit < UNITS.len() - 1 {
        scaled /= 1024.0;
        unit += 1;
    }
    // What is shown as whole has no fraction.
    let is_whole = (scaled * 10.0).round() % 10.0 == 0.0;
    let decimals = usize::from(!is_whole && scaled.abs() < 1000.0);
    format!("{scaled:.decimals$} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(ty: Type, unit: Unit) -> Column {
        Column {
            name: "x".to_owned(),
            value: ColumnExpr::Number(0.0),
            ty,
            unit,
        }
    }

    fn shown(ty: Type, unit: Unit, values: &[f64]) -> (Vec<String>, Option<&'static str>) {
        let values = || values.iter().copied().map(Quantity::Real);
        let (format, heading) = choose(&column(ty, unit), values());
        (
            values().map(|value| text(Some(value), format)).collect(),
            heading,
        )
    }

    #[test]
    fn counts_are_whole_and_exact() {
        assert_eq!(
            shown(Type::Int, Unit::Auto, &[1_000_000.0, 7.0]),
            (vec!["1000000".to_owned(), "7".to_owned()], None)
        );
    }

    #[test]
    fn whole_numbers_are_exact_however_large() {
        let (format, _) = choose(&column(Type::Int, Unit::Auto), std::iter::empty());
        let value = Quantity::Whole(i64::MAX);
        assert_eq!(text(Some(value), format), "9223372036854775807");
    }

    #[test]
    fn times_take_the_unit_that_fits_the_largest() {
        let (cells, unit) = shown(Type::Time, Unit::Auto, &[1_500_000.0, 20_000.0]);
        assert_eq!(
            (cells, unit),
            (vec!["1.500".to_owned(), "0.020".to_owned()], Some("ms"))
        );
    }

    #[test]
    fn a_unit_that_the_script_names_is_kept() {
        assert_eq!(
            shown(Type::Time, Unit::Us, &[3_600.0, 930_000.0]),
            (vec!["3.6".to_owned(), "930.0".to_owned()], Some("us"))
        );
    }

    #[test]
    fn sizes_have_their_own_unit_each() {
        let (cells, _) = shown(
            Type::Size,
            Unit::Auto,
            &[5.0, 1024.0, 104_857_600.0, 1536.0, 1_048_575.0],
        );
        assert_eq!(
            cells,
            ["5 B", "1 KiB", "100 MiB", "1.5 KiB", "1 MiB"].map(String::from)
        );
    }

    #[test]
    fn ratios_are_shown_in_percent() {
        assert_eq!(
            shown(Type::Int, Unit::Pct, &[0.381, 1.0]),
            (vec!["38.1".to_owned(), "100.0".to_owned()], Some("%"))
        );
    }

    #[test]
    fn bars_are_as_long_as_their_share_of_the_largest() {
        let (cells, unit) = shown(Type::Time, Unit::Bar, &[1e6, 5e5, 31_250.0, 1.0, 0.0]);
        assert_eq!(unit, None);
        assert_eq!(
            cells,
            ["█".repeat(20).as_str(), &"█".repeat(10), "▋", "▏", ""].map(String::from)
        );
    }

    #[test]
    fn none_is_a_dash() {
        assert_eq!(text(None, Format::Bytes), "-");
    }
}
