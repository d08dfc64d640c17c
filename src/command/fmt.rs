//! `ewapa fmt`: scripts in the usual form.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::failure::{Failure, Kind};
use crate::source::Source;
use crate::{stderr, stdout};

use super::check::worse;

/// The arguments of the subcommand.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Change nothing; exit code 1 if a script is not formatted
    #[arg(long)]
    check: bool,
    /// Script files, which are changed, or `-`: from standard input to standard output
    #[arg(required = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    files: Vec<OsString>,
}

/// What `--check` ends with if a script is not formatted, as of rustfmt.
const NOT_FORMATTED: u8 = 1;

/// Formats each file. One that has errors stays as it is, and its errors are shown.
///
/// # Errors
/// None: what is wrong with one script does not keep the others from being formatted.
pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    let mut worst = None;
    let mut formatted = true;
    for file in &args.files {
        match format(file, args.check) {
            Ok(None) => {}
            Ok(Some(line)) => {
                say!("{}:{line}: not formatted", file.display());
                formatted = false;
            }
            Err(failure) => {
                stderr::write(&failure.to_string());
                worst = worse(worst, failure.kind);
            }
        }
    }
    Ok(match worst {
        Some(kind) => ExitCode::from(kind as u8),
        None if !formatted => ExitCode::from(NOT_FORMATTED),
        None => ExitCode::SUCCESS,
    })
}

/// With `check` the first line that is not formatted, if there is one.
fn format(file: &OsString, check: bool) -> Result<Option<usize>, Failure> {
    let source = Source::read(file)?;
    let formatted = ewapa_lang::format(&source.text).map_err(|errors| source.failure(&errors))?;
    if check {
        return Ok(first_difference(&source.text, &formatted));
    }
    if file == "-" {
        stdout::print(&formatted)?;
    } else if formatted != source.text {
        std::fs::write(file, formatted).map_err(|error| {
            let text = format!("cannot write {}: {error}", source.name);
            Failure::new(Kind::Output, text)
        })?;
    }
    Ok(None)
}

/// The number of the first line that differs.
fn first_difference(a: &str, b: &str) -> Option<usize> {
    if a == b {
        return None;
    }
    let (a, b) = (a.split_inclusive('\n'), b.split_inclusive('\n'));
    Some(1 + a.zip(b).take_while(|(a, b)| a == b).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_a_line() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n"), Some(2));
        assert_eq!(first_difference("a\nb", "a\nb\n"), Some(2));
        assert_eq!(first_difference("a\n", "a\nb\n"), Some(2));
    }
}
