//! What is known of the terminal that is written to.

use std::os::fd::AsFd;
use std::os::fd::AsRawFd;

/// The width of a line where there is no terminal.
pub const USUAL_WIDTH: usize = 100;

/// How many characters fit into a line of a terminal; none if it is none or does not tell.
pub fn width(terminal: impl AsFd) -> Option<usize> {
    // SAFETY: the structure is plain numbers; the call fills it if it succeeds.
    let columns = unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        let result = libc::ioctl(terminal.as_fd().as_raw_fd(), libc::TIOCGWINSZ, &mut size);
        if result == 0 { size.ws_col } else { 0 }
    };
    (columns > 0).then_some(usize::from(columns))
}

/// Whether the locale's characters are those of Unicode, as UTF-8.
pub fn knows_unicode() -> bool {
    // locale(7): the first of these that is set and not empty decides.
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(std::env::var_os)
        .find(|value| !value.is_empty())
        .is_some_and(|value| {
            let value = value.to_string_lossy().to_lowercase();
            value.contains("utf-8") || value.contains("utf8")
        })
}
