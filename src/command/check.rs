//! `ewapa check`: the errors of scripts, without running them.

use std::ffi::OsString;
use std::process::ExitCode;

use ewapa_lang::Environment;

use crate::catalogue;
use crate::failure::{Failure, Kind};
use crate::host;
use crate::output::cells::escape;
use crate::source::Source;
use crate::{stderr, stdout};

/// The arguments of the subcommand.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Say nothing of scripts that are good
    #[arg(short, long)]
    quiet: bool,
    /// Script files, names of bundled scripts, or `-` for standard input
    #[arg(required = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    files: Vec<OsString>,
    #[command(flatten)]
    catalogue: catalogue::Folders,
}

/// Prints all errors of all scripts.
///
/// # Errors
/// The catalogue cannot be read. What is wrong with one script does not keep the others from being checked.
pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    args.catalogue.load()?;
    let mut worst = None;
    for file in &args.files {
        match check(file) {
            Ok(name) if !args.quiet => stdout::print(&format!("{}: ok\n", escape(&name)))?,
            Ok(_) => {}
            Err(failure) => {
                stderr::write(&failure.to_string());
                worst = worse(worst, failure.kind);
            }
        }
    }
    Ok(worst.map_or(ExitCode::SUCCESS, |kind| ExitCode::from(kind as u8)))
}

/// The exit code says that a script has errors if one has, and else what kept one from being read.
pub fn worse(worst: Option<Kind>, kind: Kind) -> Option<Kind> {
    match worst {
        Some(Kind::Script) => worst,
        _ => Some(kind),
    }
}

fn check(file: &OsString) -> Result<String, Failure> {
    let source = Source::find(file)?;
    let runtimes = host::runtimes();
    let environment = Environment {
        allows_library: true,
        ..host::environment(&runtimes, Some(&source.name))
    };
    match ewapa_lang::compile(&source.text, &environment, &[]) {
        Ok(_) => Ok(source.name),
        Err(errors) => Err(source.failure(&errors)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(files: &[&str]) -> Vec<Option<Kind>> {
        files
            .iter()
            .map(|file| {
                check(&OsString::from(file))
                    .err()
                    .map(|failure| failure.kind)
            })
            .collect()
    }

    #[test]
    fn bundled_scripts_are_good_and_a_missing_file_is_named() {
        assert_eq!(kinds(&["wasi_summary"]), [None]);
        let failure = check(&OsString::from("no-such.ewq")).unwrap_err();
        assert_eq!(failure.kind, Kind::NoInput);
        assert!(failure.text.contains("no-such.ewq"), "{}", failure.text);
    }

    #[test]
    fn a_script_with_errors_decides_the_exit_code() {
        let worst = [Kind::NoInput, Kind::Script, Kind::NoInput]
            .into_iter()
            .fold(None, worse);
        assert_eq!(worst, Some(Kind::Script));
    }
}
