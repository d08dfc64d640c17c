//! Numbers as people read them: three digits, with their unit.

use super::stats::ratio::Ratio;
use super::stats::sample::Estimate;

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds.
    Time,
    /// Things.
    Count,
    /// Bytes.
    Bytes,
    /// Parts of 1.
    Share,
}

/// A number with its unit.
pub fn value(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Time => scaled(value, 1e3, &["ns", "us", "ms", "s"]),
        Unit::Bytes => scaled(value, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB"]),
        Unit::Share => format!("{} %", digits(value * 100.0)),
        Unit::Count => count(value),
    }
}

/// Whole numbers are whole; of others three digits are shown.
fn count(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        digits(value)
    }
}

fn scaled(value: f64, step: f64, units: &[&str]) -> String {
    let mut scaled = value;
    let mut unit = 0;
    // 999.6 us would be shown as 1000 us.
    while scaled.abs() >= step - 0.5 && unit + 1 < units.len() {
        scaled /= step;
        unit += 1;
    }
    let text = if unit == 0 && scaled.fract() == 0.0 {
        format!("{scaled:.0}")
    } else {
        digits(scaled)
    };
    format!("{text} {}", units[unit])
}

/// Three digits, more only before the point.
fn digits(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        size if size >= 0.0995 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// A median with its deviation; `-` for none.
pub fn estimate(estimate: Option<Estimate>, unit: Unit) -> String {
    let Some(estimate) = estimate else {
        return "-".to_owned();
    };
    let text = value(estimate.median, unit);
    match estimate.spread() {
        Some(spread) if spread > 0.0 => format!("{text} ±{}", percent(spread)),
        _ => text,
    }
}

/// A part of 1 in percent, to one digit where it is small.
pub fn percent(share: f64) -> String {
    match share * 100.0 {
        share if share < 0.05 => "0%".to_owned(),
        share if share < 0.95 => format!("{share:.1}%"),
        share => format!("{share:.0}%"),
    }
}

/// How many times; `-` for none.
pub fn times(ratio: Option<f64>) -> String {
    match ratio {
        None => "-".to_owned(),
        Some(ratio) if ratio < 9.995 => format!("{ratio:.2}x"),
        Some(ratio) if ratio < 99.95 => format!("{ratio:.1}x"),
        Some(ratio) => format!("{ratio:.0}x"),
    }
}

/// The ends of a ratio's interval.
pub fn interval(ratio: &Ratio) -> String {
    format!("{} … {}", times(Some(ratio.low)), times(Some(ratio.high)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_the_unit_that_fits() {
        let shown = |number| value(number, Unit::Time);
        assert_eq!(shown(0.0), "0 ns");
        assert_eq!(shown(17.0), "17 ns");
        assert_eq!(shown(1234.0), "1.23 us");
        assert_eq!(shown(999_600.0), "1.00 ms");
        assert_eq!(shown(61_200_000_000.0), "61.2 s");
        assert_eq!(shown(7_200_000_000_000.0), "7200 s");
        assert_eq!(value(1_048_576.0, Unit::Bytes), "1.00 MiB");
        assert_eq!(value(3.0, Unit::Count), "3");
        assert_eq!(value(1.0 / 3.0, Unit::Count), "0.33");
        assert_eq!(value(0.125, Unit::Share), "12.5 %");
    }

    #[test]
    fn ratios_and_spreads_are_short() {
        assert_eq!(times(Some(1.234)), "1.23x");
        assert_eq!(times(Some(123.4)), "123x");
        assert_eq!(percent(0.004), "0.4%");
        assert_eq!(percent(0.0), "0%");
        assert_eq!(percent(1.5), "150%");
    }
}
