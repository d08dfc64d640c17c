//! The formats of results: one file each.

mod csv;
mod json;
pub mod markdown;
pub mod table;

use std::io::{self, Write};

use clap::ValueEnum;
use ewapa_lang::plan::OutputFormat;

use crate::engine::reading::Reading;
use crate::engine::trace::Outcome;

use super::grid::Grid;
use super::map::Shown;
use super::map::content::Content;
use super::rows::Rows;
use super::verdict::Verdict;

/// The formats, as the command line names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned text
    #[value(alias = "text")]
    Table,
    /// One JSON object a line
    Json,
    /// Comma-separated values
    Csv,
    /// Markdown
    Md,
}

/// Which function of a script made a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// `printf`
    Printf,
    /// `time`
    Time,
    /// `join`, with the end of the line
    Join,
    /// `cat`
    Cat,
    /// `system`
    System,
}

impl From<OutputFormat> for Format {
    fn from(format: OutputFormat) -> Format {
        match format {
            OutputFormat::Table => Format::Table,
            OutputFormat::Json => Format::Json,
            OutputFormat::Csv => Format::Csv,
            OutputFormat::Md => Format::Md,
        }
    }
}

/// A format: how results are written.
pub trait Exporter {
    /// Writes a table, at the end of the run or while it goes on.
    ///
    /// # Errors
    /// It cannot be written.
    fn table(&mut self, out: &mut dyn Write, rows: &Rows, reading: &Reading) -> io::Result<()>;

    /// Writes that so many probes are attached, before anything else.
    ///
    /// # Errors
    /// It cannot be written.
    fn attaching(&mut self, _: &mut dyn Write, _: usize) -> io::Result<()> {
        Ok(())
    }

    /// Writes what a script says: text as it comes.
    ///
    /// # Errors
    /// It cannot be written.
    fn text(&mut self, out: &mut dyn Write, _: Source, text: &str) -> io::Result<()> {
        out.write_all(text.as_bytes())
    }

    /// Writes a value that a script prints.
    ///
    /// # Errors
    /// It cannot be written.
    fn value(&mut self, out: &mut dyn Write, value: &Content) -> io::Result<()> {
        writeln!(out, "{}", value.text())
    }

    /// Writes a map, at the end of the run or when the script prints it.
    ///
    /// # Errors
    /// It cannot be written.
    fn map(&mut self, out: &mut dyn Write, map: &Shown) -> io::Result<()>;

    /// Writes maps as a table.
    ///
    /// # Errors
    /// It cannot be written.
    fn grid(&mut self, out: &mut dyn Write, grid: &Grid) -> io::Result<()>;

    /// Whether an empty line parts what is different: in text for people.
    fn parts_with_lines(&self) -> bool {
        false
    }

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
