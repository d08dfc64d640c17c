//! A single time or size with its unit: `1.5 ms`, `100 MiB`. Tables choose a unit for a whole column
//! instead (`number.rs`).

use ewapa_lang::types::Type;

/// The units of time, each a thousand times the one before.
const TIMES: [&str; 4] = ["ns", "us", "ms", "s"];

/// The units of size, each 1024 times the one before.
const SIZES: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// A value in its base unit as text.
pub fn text(value: f64, ty: Type) -> String {
    match ty {
        Type::Time => scaled(value, 1000.0, &TIMES),
        Type::Size => scaled(value, 1024.0, &SIZES),
        _ => digits(value),
    }
}

fn scaled(value: f64, step: f64, units: &[&str]) -> String {
    let mut value = value;
    let mut units = units.iter();
    let mut unit = units.next().expect("a base unit");
    // What would be rounded up to a whole step belongs to the next unit.
    while value.abs() >= step - 0.05 {
        let Some(larger) = units.next() else { break };
        value /= step;
        unit = larger;
    }
    format!("{} {unit}", digits(value))
}

/// Four digits that count, without zeros at the end.
fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        below if below < 10.0 => 3,
        below if below < 100.0 => 2,
        below if below < 10_000.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_the_unit_that_fits() {
        let cases = [
            (0.0, "0 ns"),
            (999.0, "999 ns"),
            (1_000.0, "1 us"),
            (412_700.0, "412.7 us"),
            (999_990.0, "1 ms"),
            (-1_500_000.0, "-1.5 ms"),
            (86_400e9, "86400 s"),
        ];
        for (value, expected) in cases {
            assert_eq!(text(value, Type::Time), expected);
        }
    }

    #[test]
    fn sizes_are_shown_in_powers_of_1024() {
        let cases = [
            (5.0, "5 B"),
            (1023.0, "1023 B"),
            (1024.0, "1 KiB"),
            (1_536.0, "1.5 KiB"),
            (1_048_575.0, "1 MiB"),
            (104_857_600.0, "100 MiB"),
        ];
        for (value, expected) in cases {
            assert_eq!(text(value, Type::Size), expected);
        }
    }

    #[test]
    fn plain_numbers_have_no_unit() {
        assert_eq!(text(1_234_567.0, Type::Int), "1234567");
        assert_eq!(text(2.5, Type::Int), "2.5");
    }
}
