//! `ewapa demo`: a table from a real runtime on a machine that has none installed.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Instant;

use crate::failure::{Failure, Kind};
use crate::stdout;

use super::script;

/// Runs the script fd_write_latency on the built-in runtime with a bundled guest.
///
/// # Errors
/// What `ewapa script` fails of.
pub fn run(start: Instant) -> Result<ExitCode, Failure> {
    let this = std::env::current_exe().map_err(|error| {
        Failure::new(
            Kind::Internal,
            format!("cannot find this executable: {error}"),
        )
    })?;
    stdout::print(
        "The built-in runtime runs a guest that writes 10,000 lines to /dev/null and fails to write one:\n  \
         ewapa script fd_write_latency -- ewapa guest --discard demo.wat\n\n",
    )?;
    let command = vec![
        this.into_os_string(),
        OsString::from("guest"),
        OsString::from("--discard"),
        OsString::from("demo.wat"),
    ];
    script::run_bundled("fd_write_latency", command, start)
}
