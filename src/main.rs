//! ewapa: what the WASI calls of WebAssembly runtimes cost, by eBPF.
//!
//! ```text
//! command line --source, lang--> plan --codegen--> object --engine: load, attach, follow, read--> reading
//!                                                                reading --output: rows, columns, format--> text
//! ```
//! - [`command`] has a file for each subcommand; [`failure`] is the only place that knows exit codes.
//! - [`engine`] is all that talks to the kernel and to traced processes, and [`symbolize`] reads their stacks.
//! - [`output`] makes rows, tables and maps of what was read, in each format.
//! - [`bench`] runs experiments, [`report`] evaluates them; both stand on `ewapa script` and its JSON.
//!
//! docs/INTERNALS.md follows a script and an event through all of it.

#[macro_use]
mod stderr;

mod bench;
mod bundled;
mod catalogue;
mod cli;
mod command;
mod engine;
mod failure;
mod guest;
mod host;
mod output;
mod report;
mod source;
mod stdout;
mod symbolize;
mod truncation;

use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let start = Instant::now();
    truncation::read_as_zeros();
    match cli::run(start) {
        Ok(code) => code,
        Err(failure) => {
            stderr::write(&failure.to_string());
            failure.exit_code()
        }
    }
}
