//! What ewapa says beside its results, on the standard error.

use std::fmt;
use std::io::Write;

use crate::output::cells::escape_lines;

/// Writes a line, made as `format!` makes it. What traced processes call themselves is harmless for a terminal in
/// it, and that nobody reads it any more, or that the disk is full, is no reason to end.
macro_rules! say {
    ($($part:tt)*) => {
        $crate::stderr::line(format_args!($($part)*))
    };
}

/// Writes a line; see [`say`].
pub fn line(text: fmt::Arguments<'_>) {
    let text = escape_lines(&text.to_string()) + "\n";
    write(&text);
}

/// Writes a text as it is: one with colours.
pub fn write(text: &str) {
    // Nobody is left to be told that it cannot be told.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
