//! `-T`: the time of day before each line.

use std::io::{self, Write};
use std::time::SystemTime;

use crate::output::clock;

/// Writes the time of day before each line: the one at which its first byte is written.
pub struct Stamped<W> {
    out: W,
    within_line: bool,
}

impl<W: Write> Stamped<W> {
    /// At the start of a line.
    pub fn new(out: W) -> Stamped<W> {
        Stamped {
            out,
            within_line: false,
        }
    }
}

impl<W: Write> Write for Stamped<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let time = clock::format(SystemTime::now(), "%H:%M:%S");
        let mut stamped = Vec::with_capacity(bytes.len() + bytes.len() / 4);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if !self.within_line {
                stamped.extend_from_slice(time.as_bytes());
                stamped.push(b' ');
            }
            stamped.extend_from_slice(line);
            self.within_line = line.last() != Some(&b'\n');
        }
        self.out.write_all(&stamped)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_the_time_once() {
        let mut out = Stamped::new(Vec::new());
        for part in ["one ", "line\ntwo", "\n"] {
            out.write_all(part.as_bytes()).unwrap();
        }
        let text = String::from_utf8(out.out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        for (line, end) in lines.iter().zip([" one line", " two"]) {
            assert!(line.ends_with(end) && line.len() == 8 + end.len(), "{line}");
        }
    }
}
