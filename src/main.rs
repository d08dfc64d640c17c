//! ewapa: what the WASI calls of WebAssembly runtimes cost, by eBPF.

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
