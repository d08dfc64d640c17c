//! Where a report is written to.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::path::Path;

use crate::failure::{Failure, Kind};
use crate::output::terminal;

/// Writes to the file, or to standard output if there is none. The second argument of `write` is how many
/// characters a line should have at most.
///
/// # Errors
/// It cannot be written.
pub fn write(
    file: Option<&Path>,
    write: impl FnOnce(&mut dyn Write, usize) -> io::Result<()>,
) -> Result<(), Failure> {
    let result = match file {
        Some(path) => File::create(path).and_then(|file| {
            let mut out = BufWriter::new(file);
            write(&mut out, terminal::USUAL_WIDTH)?;
            out.flush()
        }),
        None => {
            let stdout = io::stdout().lock();
            let width = terminal::width(stdout.as_fd()).unwrap_or(terminal::USUAL_WIDTH);
            let mut out = BufWriter::new(stdout);
            write(&mut out, width).and_then(|()| out.flush())
        }
    };
    result.map_err(|error| {
        let name = file.map_or_else(
            || "standard output".to_owned(),
            |path| path.display().to_string(),
        );
        Failure::new(Kind::Output, format!("cannot write to {name}: {error}"))
    })
}
