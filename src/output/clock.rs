//! The time of day by a format of strftime(3).

use std::ffi::CString;
use std::time::{SystemTime, UNIX_EPOCH};

/// Longer results are cut to nothing by strftime.
const ROOM: usize = 4096;

/// A moment in the local time zone. A format that gives nothing, or has a zero byte, is an empty text.
pub fn format(moment: SystemTime, format: &str) -> String {
    let seconds = moment
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs());
    let seconds = libc::time_t::try_from(seconds).unwrap_or(0);
    let Ok(format) = CString::new(format) else {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_moment_is_shown_by_the_format() {
        let moment = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        assert_eq!(format(moment, "%s at %%\n"), "1700000000 at %\n");
        assert_eq!(format(moment, "%Y").len(), 4);
        assert_eq!(format(moment, "%H:%M:%S").len(), 8);
    }

    #[test]
    fn a_format_of_nothing_gives_nothing() {
        assert_eq!(format(UNIX_EPOCH, ""), "");
        assert_eq!(format(UNIX_EPOCH, "a\0b"), "");
    }
}
