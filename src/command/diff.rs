//! `ewapa diff`: what is more and what is less in a second experiment, or in another runtime.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ValueEnum, ValueHint};

use crate::failure::{Failure, Kind};
use crate::output::words::count;
use crate::report::diff::{self, Difference, Differences, Side};
use crate::report::metric::{METRICS, TIME_PER_CALL};
use crate::report::{show, target};

/// The exit code if a number is over the limit, as of checks that do not hold.
const OVER: u8 = 3;

/// The arguments of the subcommand.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The first side: a results file, or FILE@RUNTIME for one runtime of it, or FILE@'RUNTIME VERSION'
    #[arg(value_name = "A", value_hint = ValueHint::FilePath)]
    before: String,
    /// The second side
    #[arg(value_name = "B", value_hint = ValueHint::FilePath)]
    after: String,
    /// End with exit code 3 if the second side surely has more than so much above the first, as `10%`:
    /// the difference is real, and even the near end of its interval is over the limit
    #[arg(long, value_name = "PERCENT", value_parser = limit)]
    fail_over: Option<f64>,
    /// Compare only these metrics, as CSV names them
    #[arg(long, value_name = "METRIC", value_delimiter = ',', value_parser = metric)]
    metric: Vec<String>,
    /// Show all comparisons, also those that find no real difference
    #[arg(long)]
    all: bool,
    /// How the differences are written; CSV has all of them
    #[arg(short, long, default_value = "table")]
    format: Format,
    /// Write the differences to a file instead of standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

/// The formats, as the command line names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Aligned text
    Table,
    /// Markdown
    Md,
    /// Comma-separated values: a record for each comparison
    Csv,
}

/// Writes the differences.
///
/// # Errors
/// The results cannot be read, have nothing in common, or the differences cannot be written.
pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    let before = Side::read(&args.before)?;
    let after = Side::read(&args.after)?;
    let found = diff::compare(&before, &after, &args.metric);
    if found.rows.is_empty() && found.missing.is_empty() {
        let text = format!(
            "{} and {} have no runtime with a workload and a scale in common: name one runtime of each, \
             as in FILE@RUNTIME",
            args.before, args.after
        );
        return Err(Failure::new(Kind::Usage, text));
    }
    target::write(args.output.as_deref(), |out, width| match args.format {
        Format::Table => diff::document(&before, &after, &found, args.all).write_text(out, width),
        Format::Md => diff::document(&before, &after, &found, args.all).write_markdown(out),
        Format::Csv => diff::write_csv(out, &found),
    })?;
    Ok(match args.fail_over {
        Some(limit) => verdict(&found, limit),
        None => ExitCode::SUCCESS,
    })
}

/// Says on the standard error what is over the limit.
fn verdict(found: &Differences, limit: f64) -> ExitCode {
    let over: Vec<&Difference> = found
        .rows
        .iter()
        .filter(|row| row.is_over(1.0 + limit))
        .collect();
    for row in &over {
        let what = row.func.as_ref().map_or_else(
            || row.title.to_owned(),
            |func| format!("{func}: {}", row.title),
        );
        let low = row.ratio.map(|ratio| ratio.low);
        say!(
            "ewapa: over the limit: {} {}: {what}: at least {} of before",
            row.runtime,
            row.workload,
            show::times(low)
        );
    }
    for cell in &found.missing {
        say!("ewapa: no good run any more: {cell}");
    }
    if over.is_empty() && found.missing.is_empty() {
        return ExitCode::SUCCESS;
    }
    let all = over.len() + found.missing.len();
    say!("ewapa: {} of the comparison", count(all, "failure"));
    ExitCode::from(OVER)
}

fn limit(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').map(str::trim);
    let percent = number.and_then(|number| number.parse::<f64>().ok());
    percent
        .filter(|percent| percent.is_finite() && *percent >= 0.0)
        .map(|percent| percent / 100.0)
        .ok_or_else(|| "write a limit in percent, such as `10%`".to_owned())
}

fn metric(text: &str) -> Result<String, String> {
    let mut known = METRICS
        .iter()
        .map(|metric| metric.name)
        .chain([TIME_PER_CALL]);
    if known.clone().any(|name| name == text) {
        return Ok(text.to_owned());
    }
    let last = known.next_back().unwrap_or_default();
    let names: Vec<&str> = known.collect();
    Err(format!("metrics are {} and {last}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_in_percent() {
        assert_eq!(limit("10%"), Ok(0.1));
        assert_eq!(limit("0 %"), Ok(0.0));
        for text in ["", "%", "10", "0.1", "ten%", "-5%", "inf%", "nan%"] {
            assert!(limit(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_metric_that_is_none_is_refused_with_those_that_are() {
        assert_eq!(metric("total"), Ok("total".to_owned()));
        assert!(
            metric("totl")
                .unwrap_err()
                .ends_with("peak_memory and time_per_call")
        );
    }
}
