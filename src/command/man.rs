//! `ewapa man`: the manual pages, made from the command line's own descriptions.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::failure::{Failure, Kind};
use crate::stdout;

/// The arguments of the subcommand.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write one page for each subcommand into this folder; without it the main page goes to standard
    /// output: `ewapa man | man -l -`
    #[arg(value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

/// Writes the pages.
///
/// # Errors
/// The output cannot be written.
pub fn run(args: &Args, command: clap::Command) -> Result<ExitCode, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(
            Kind::Output,
            format!("cannot write the manual pages: {error}"),
        )
    };
    match &args.dir {
        Some(dir) => {
            std::fs::create_dir_all(dir).map_err(failed)?;
            clap_mangen::generate_to(command, dir).map_err(failed)?;
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command)
                .render(&mut page)
                .map_err(failed)?;
            stdout::print(&String::from_utf8_lossy(&page))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
