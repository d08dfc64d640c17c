//! Standard output of the commands that only tell something.

use std::io::{ErrorKind, Write};

use crate::failure::{Failure, Kind};

/// Writes a text. That its reader wants no more of it, as `head` does, is no failure.
///
/// # Errors
/// The output cannot be written.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::new(
            Kind::Output,
            format!("cannot write to standard output: {error}"),
        )),
        _ => Ok(()),
    }
}
