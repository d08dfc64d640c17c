//! `ewapa report`: what the results of experiments say.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ValueEnum, ValueHint};

use crate::failure::Failure;
use crate::report::anomaly::{self, Limits};
use crate::report::study::Study;
use crate::report::{csv, html, overview, read, target};

/// The arguments of the subcommand.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Results files of `ewapa bench`
    #[arg(required = true, value_name = "RESULTS", value_hint = ValueHint::FilePath)]
    results: Vec<PathBuf>,
    /// How the report is written
    #[arg(short, long, default_value = "table")]
    format: Format,
    /// Write the report to a file instead of standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Show only in what single runtimes depart from the others by more than noise; the HTML page shows
    /// it in any case
    #[arg(long)]
    anomalies: bool,
}

/// The formats, as the command line names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Aligned text
    Table,
    /// Markdown
    Md,
    /// Comma-separated values: a record for each number
    Csv,
    /// One page with plots that needs nothing else, not even a network
    Html,
}

/// Writes the report.
///
/// # Errors
/// The results cannot be read, or the report cannot be written.
pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    let mut results = read::read(&args.results)?;
    let study = Study::new(std::mem::take(&mut results.runs));
    let find = || anomaly::find(&study, &Limits::default());
    target::write(args.output.as_deref(), |out, width| {
        let document = || match args.anomalies {
            true => anomaly::document(&study, &find()),
            false => overview::document(&results, &study),
        };
        match args.format {
            Format::Table => document().write_text(out, width),
            Format::Md => document().write_markdown(out),
            Format::Html => html::write(out, &results, &study, &find()),
            Format::Csv if args.anomalies => anomaly::write_csv(out, &study, &find()),
            Format::Csv => {
                // They are in no number, and so in no record.
                for left_out in overview::left_out(&study).lines {
                    say!("left out: {}", left_out.join(" "));
                }
                csv::write(out, &study)
            }
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
