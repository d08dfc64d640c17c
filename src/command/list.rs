//! `ewapa list`: the bundled scripts.

use std::process::ExitCode;

use crate::bundled;
use crate::failure::{Failure, Kind};

/// Prints name, summary and parameters of each bundled script.
///
/// # Errors
/// A bundled script is broken: a defect.
pub fn run() -> Result<ExitCode, Failure> {
    let width = bundled::SCRIPTS
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or(0);
    for (name, text) in bundled::SCRIPTS {
        let (docs, params) = ewapa_lang::describe(text).map_err(|_| {
            Failure::new(
                Kind::Internal,
                format!("the bundled script {name} is broken"),
            )
        })?;
        println!("{name:width$}  {}", docs.summary);
        for param in params {
            println!(
                "{:width$}    --{} VALUE  {} (default {})",
                "", param.name, param.doc, param.default
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}
