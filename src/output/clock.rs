//! The time of day by a format of strftime(3), with `%f` for microseconds.

use std::ffi::CString;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::engine::kernel::now;

/// Longer results are cut to nothing by strftime.
const ROOM: usize = 4096;

/// A moment in the local time zone. A format that gives nothing, or has a zero byte, is an empty text.
pub fn format(moment: SystemTime, format: &str) -> String {
    let elapsed = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = libc::time_t::try_from(elapsed.as_secs()).unwrap_or(0);
    let Ok(format) = CString::new(with_microseconds(format, elapsed)) else {
        return String::new();
    };
    let mut buffer = vec![0u8; ROOM];
    // SAFETY: the structure is plain data that localtime_r fills; strftime writes at most ROOM bytes.
    let length = unsafe {
        let mut parts: libc::tm = std::mem::zeroed();
        if libc::localtime_r(&seconds, &mut parts).is_null() {
            return String::new();
        }
        libc::strftime(buffer.as_mut_ptr().cast(), ROOM, format.as_ptr(), &parts)
    };
    buffer.truncate(length);
    String::from_utf8_lossy(&buffer).into_owned()
}

/// The moment so many nanoseconds after the kernel's start, as the monotonic clock counts them.
pub fn since_start(nanoseconds: u64) -> SystemTime {
    UNIX_EPOCH + start_of_kernel() + Duration::from_nanos(nanoseconds)
}

/// The time of day at which the monotonic clock was 0. Taken once, so that differences stay what they are
/// when somebody sets the clock.
fn start_of_kernel() -> Duration {
    static START: OnceLock<Duration> = OnceLock::new();
    let of_day = || SystemTime::now().duration_since(UNIX_EPOCH);
    *START.get_or_init(|| {
        of_day()
            .unwrap_or_default()
            .saturating_sub(Duration::from_nanos(now()))
    })
}

/// strftime knows no parts of a second.
fn with_microseconds(format: &str, elapsed: Duration) -> String {
    let mut out = String::with_capacity(format.len() + 4);
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('f') => out.push_str(&format!("{:06}", elapsed.subsec_micros())),
            Some(other) => out.extend(['%', other]),
            None => out.push('%'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_by_the_format() {
        let moment = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        assert_eq!(format(moment, "%s at %%\n"), "1700000000 at %\n");
        assert_eq!(format(moment, "%Y").len(), 4);
        assert_eq!(format(moment, "%H:%M:%S").len(), 8);
    }

    #[test]
    fn microseconds_are_six_digits() {
        let moment = UNIX_EPOCH + Duration::from_nanos(5_000_042_999);
        assert_eq!(format(moment, "%s.%f %%f"), "5.000042 %f");
    }

    #[test]
    fn a_format_of_nothing_gives_nothing() {
        assert_eq!(format(UNIX_EPOCH, ""), "");
        assert_eq!(format(UNIX_EPOCH, "a\0b"), "");
    }

    #[test]
    fn the_monotonic_clock_tells_the_time_of_day() {
        let now = since_start(super::now());
        let apart = match SystemTime::now().duration_since(now) {
            Ok(apart) => apart,
            Err(error) => error.duration(),
        };
        assert!(apart < Duration::from_secs(5), "{apart:?}");
    }
}
