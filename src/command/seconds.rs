//! Times on the command line.

use std::time::Duration;

/// The units, with their seconds. Those that end in another one come first.
const UNITS: [(&str, f64); 5] = [
    ("ms", 1e-3),
    ("us", 1e-6),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
];

/// A time such as `5`, `0.5`, `500ms` or `2m`; without a unit in seconds.
///
/// # Errors
/// What is wrong, for the message of the command line.
pub fn parse(text: &str) -> Result<Duration, String> {
    let (number, unit) = UNITS
        .iter()
        .find_map(|(name, seconds)| Some((text.strip_suffix(name)?, *seconds)))
        .unwrap_or((text, 1.0));
    number
        .trim()
        .parse::<f64>()
        .ok()
        .and_then(|number| Duration::try_from_secs_f64(number * unit).ok())
        .filter(|time| !time.is_zero())
        .ok_or_else(|| "write seconds, such as `10` or `0.5`, or a time such as `500ms`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_need_no_unit() {
        assert_eq!(parse("10"), Ok(Duration::from_secs(10)));
        assert_eq!(parse("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(parse("3s"), Ok(Duration::from_secs(3)));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "0", "-1", "soon", "1e99", "s", "nan", "inf"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
