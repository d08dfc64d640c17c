//! `ewapa guest`: the built-in runtime.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::failure::{Failure, Kind};
use crate::guest;

/// The arguments of the subcommand.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Send the guest's standard output to /dev/null
    #[arg(long)]
    discard: bool,
    /// The directory that the guest is given as its descriptor 3; default: none
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// A module, as .wasm or .wat, or the name of a bundled one
    module: OsString,
    /// The guest's own arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Runs the module; its exit code is that of this process.
///
/// # Errors
/// The module cannot be read or is not valid, or it trapped.
pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    let failed = |error: guest::Error| {
        let kind = if matches!(
            error,
            guest::Error::Read { .. } | guest::Error::Directory { .. }
        ) {
            Kind::NoInput
        } else {
            Kind::Internal
        };
        Failure::new(kind, error.to_string())
    };
    if args.discard {
        guest::discard_output().map_err(|error| {
            Failure::new(Kind::Output, format!("cannot write to /dev/null: {error}"))
        })?;
    }
    guest::run(&args.module, &args.arguments, args.dir.as_deref())
        .map(ExitCode::from)
        .map_err(failed)
}
