//! The command line.

use std::process::ExitCode;
use std::time::Instant;

use clap::{CommandFactory, Parser, Subcommand};

use crate::command;
use crate::failure::{Failure, end};

/// What the WASI calls of WebAssembly runtimes cost: how often, how long, how much of it in the kernel.
#[derive(Debug, Parser)]
#[command(
    name = "ewapa",
    version,
    long_version = long_version(),
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = "`ewapa -e PROGRAM …` is short for `ewapa script -e PROGRAM …`."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a script on a command or on running processes
    #[command(disable_help_flag = true)]
    Script {
        /// What `ewapa script --help` describes
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        rest: Vec<std::ffi::OsString>,
    },
    /// Show all errors of scripts, without running them
    Check(command::check::Args),
    /// Format scripts
    Fmt(command::fmt::Args),
    /// Explain an error by its code, such as E0203; without a code, list them all
    Explain(command::explain::Args),
    /// List the bundled scripts, or what a probe stands for
    List(command::list::Args),
    /// Show which WASI functions of a runtime's binary can be probed, and where
    Symbols(command::symbols::Args),
    /// Run workloads on runtimes at several scales, with and without probes, and keep what each run took
    Bench(command::bench::Args),
    /// Show what the results of experiments say: tables, plots, and what single runtimes do otherwise
    Report(command::report::Args),
    /// Compare the results of two experiments, or of two runtimes
    Diff(command::diff::Args),
    /// Check what this kernel and these rights allow
    Doctor(command::doctor::Args),
    /// Run the script fd_write_latency on a small runtime that is built in
    Demo,
    /// Print what a shell needs to complete command lines
    Completions(command::completions::Args),
    /// Write the manual pages
    Man(command::man::Args),
    /// Run a module on the small runtime that is built in
    #[command(hide = true)]
    Guest(command::guest::Args),
}

/// What was built, from what and for what; the same for the same sources.
fn long_version() -> String {
    let linked = if cfg!(target_feature = "crt-static") {
        "statically"
    } else {
        "dynamically"
    };
    // SAFETY: libbpf gives a constant string.
    let libbpf = unsafe { std::ffi::CStr::from_ptr(libbpf_sys::libbpf_version_string()) };
    let mut text = format!(
        "{}\ntarget: {}-{}, linked {linked}\nlibbpf: {}\nruntimes: {}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        std::env::consts::OS,
        libbpf.to_string_lossy().trim_start_matches('v'),
        ewapa_symbols::Catalogue::bundled().names().join(", ")
    );
    // A build that does not say which commit it is of (release.sh does) depends on nothing but the sources.
    if let Some(commit) = option_env!("EWAPA_COMMIT") {
        text += &format!("\ncommit: {commit}");
    }
    text
}

/// The whole command line with the options of `ewapa script`, which reads its own.
fn whole() -> clap::Command {
    Cli::command().mut_subcommand("script", |_| {
        command::script::Options::command().name("script")
    })
}

/// Runs the command line.
///
/// # Errors
/// What the user has to be told.
pub fn run(start: Instant) -> Result<ExitCode, Failure> {
    let arguments = command::line::complete(
        std::env::args_os().collect(),
        &command::script::Options::command(),
    );
    let cli = Cli::try_parse_from(arguments).unwrap_or_else(|error| end(&error));
    // What only prints ends as other tools do when its reader has seen enough. What traces does not: it has
    // pipes of its own, and tables to bring home.
    if !matches!(
        cli.command,
        Command::Script { .. } | Command::Demo | Command::Guest(_) | Command::Bench(_)
    ) {
        // SAFETY: no other thread is there yet.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    }
    match cli.command {
        Command::Script { rest } => command::script::run(rest, start),
        Command::Check(args) => command::check::run(&args),
        Command::Fmt(args) => command::fmt::run(&args),
        Command::Explain(args) => command::explain::run(&args),
        Command::List(args) => command::list::run(&args),
        Command::Symbols(args) => command::symbols::run(&args),
        Command::Bench(args) => command::bench::run(&args),
        Command::Report(args) => command::report::run(&args),
        Command::Diff(args) => command::diff::run(&args),
        Command::Doctor(args) => command::doctor::run(&args),
        Command::Demo => command::demo::run(start),
        Command::Completions(args) => command::completions::run(&args, whole()),
        Command::Man(args) => command::man::run(&args, whole()),
        Command::Guest(args) => command::guest::run(&args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        whole().debug_assert();
    }
}
