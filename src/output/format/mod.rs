//! The formats of results: one file each.

mod csv;
mod json;
pub mod markdown;
pub mod table;

use std::io::{self, Write};

use clap::ValueEnum;

use crate::engine::reading::Reading;
use crate::engine::trace::Outcome;

use super::rows::Rows;
use super::verdict::Verdict;

/// The formats, as the command line names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned text
    Table,
    /// One JSON object a line
    Json,
    /// Comma-separated values
    Csv,
    /// Markdown
    Md,
}

/// A format: how results are written.
pub trait Exporter {
    /// Writes a table, at the end of the run or while it goes on.
    ///
    /// # Errors
    /// It cannot be written.
    fn table(&mut self, out: &mut dyn Write, rows: &Rows, reading: &Reading) -> io::Result<()>;

    /// Writes what is to be said about the whole run, after the last table. Checks that do not hold are
    /// also said on the standard error, whatever the format.
    ///
    /// # Errors
    /// It cannot be written.
    fn end(
        &mut self,
        out: &mut dyn Write,
        outcome: &Outcome,
        verdicts: &[Verdict],
    ) -> io::Result<()>;
}

impl Format {
    /// The exporter. If `quiet` it writes tables only, without what stands above and below them.
    /// `width` is how many characters a line should have at most.
    pub fn exporter(self, quiet: bool, width: usize) -> Box<dyn Exporter> {
        match self {
            Format::Table => Box::new(table::Table::new(quiet, width)),
            Format::Json => Box::new(json::Json::new(quiet)),
            Format::Csv => Box::new(csv::Csv::new(quiet)),
            Format::Md => Box::new(markdown::Markdown::new(quiet)),
        }
    }
}
