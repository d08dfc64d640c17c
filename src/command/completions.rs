//! `ewapa completions`: what a shell needs to complete ewapa's command line.

use std::process::ExitCode;

use clap::ValueEnum;
use clap_complete::generate;
use clap_complete::shells;

use crate::failure::Failure;
use crate::stdout;

/// The arguments of the subcommand.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    /// ewapa completions bash >/usr/share/bash-completion/completions/ewapa
    Bash,
    /// ewapa completions zsh >"${fpath[1]}/_ewapa"
    Zsh,
    /// ewapa completions fish >~/.config/fish/completions/ewapa.fish
    Fish,
}

/// Prints the completion script of a shell for the whole command line.
///
/// # Errors
/// The output cannot be written.
pub fn run(args: &Args, mut command: clap::Command) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    match args.shell {
        Shell::Bash => generate(shells::Bash, &mut command, "ewapa", &mut script),
        Shell::Zsh => generate(shells::Zsh, &mut command, "ewapa", &mut script),
        Shell::Fish => generate(shells::Fish, &mut command, "ewapa", &mut script),
    }
    stdout::print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
