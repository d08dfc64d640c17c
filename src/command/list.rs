//! `ewapa list`: the bundled scripts, or what a probe stands for.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::bundled;
use crate::catalogue;
use crate::failure::{Failure, Kind};
use crate::stdout;

use super::{functions, probes};

/// The arguments of the subcommand.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A probe or a glob, such as 'wasi:fd_*', 'tracepoint:sched:*', 'uprobe:FILE:*', 'usdt:FILE:*',
    /// 'syscall:*' or 'phase:*': lists what it stands for; without one the bundled scripts are listed
    #[arg(value_name = "PROBE")]
    probe: Option<String>,
    /// Show arguments and fields and their types; with a binary also where functions are
    #[arg(short, long, requires = "probe")]
    verbose: bool,
    /// Only the functions that this runtime's binary or library has
    #[arg(long, value_name = "FILE", requires = "probe", value_hint = clap::ValueHint::FilePath)]
    binary: Option<PathBuf>,
    #[command(flatten)]
    catalogue: catalogue::Folders,
}

/// Prints the list.
///
/// # Errors
/// The probe stands for nothing, or the binary cannot be probed.
pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    args.catalogue.load()?;
    stdout::print(&match &args.probe {
        Some(probe) => match (probes::list(probe, args.verbose), &args.binary) {
            (Some(_), Some(_)) => {
                let message =
                    "`--binary` is for WASI functions; name the file in the probe: 'uprobe:FILE:*'";
                return Err(Failure::new(Kind::Usage, message));
            }
            (Some(found), None) => found?,
            (None, binary) => functions::list(probe, binary.as_deref(), args.verbose)?,
        },
        None => scripts()?,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Name, summary and parameters of each bundled script.
fn scripts() -> Result<String, Failure> {
    let mut text = String::new();
    let width = bundled::SCRIPTS
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or(0);
    for (name, script) in bundled::SCRIPTS {
        let (docs, params) = ewapa_lang::describe(script).map_err(|_| {
            Failure::new(
                Kind::Internal,
                format!("the bundled script {name} is broken"),
            )
        })?;
        let _ = writeln!(text, "{name:width$}  {}", docs.summary);
        for param in params {
            let _ = writeln!(
                text,
                "{:width$}    --{} VALUE  {} (default {})",
                "", param.name, param.doc, param.default
            );
        }
    }
    Ok(text)
}
