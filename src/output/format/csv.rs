//! Comma-separated values (RFC 4180): a record of headings, then a record for each row. Numbers are in
//! base units, as in JSON. Tables are parted by an empty line. What stands above and below tables
//! elsewhere is written to the standard error.

use std::io::{self, Write};

use crate::engine::reading::Reading;
use crate::engine::trace::Outcome;
use crate::output::cells::{KeyCell, escape};
use crate::output::grid::Grid;
use crate::output::map::Shown;
use crate::output::map::content::Content;
use crate::output::quantity::Quantity;
use crate::output::rows::Rows;
use crate::output::summary;
use crate::output::verdict::Verdict;

use super::Exporter;

/// Writes comma-separated values.
pub struct Csv {
    quiet: bool,
    is_first: bool,
}

impl Csv {
    /// If `quiet`, nothing is written to the standard error.
    pub fn new(quiet: bool) -> Csv {
        Csv {
            quiet,
            is_first: true,
        }
    }
}

impl Exporter for Csv {
    fn table(&mut self, out: &mut dyn Write, rows: &Rows, reading: &Reading) -> io::Result<()> {
        if !self.is_first {
            writeln!(out)?;
        }
        self.is_first = false;
        if !self.quiet {
            say!("{}", summary::headline(rows.table, reading));
        }
        let table = rows.table;
        let mut writer = csv::Writer::from_writer(out);
        let columns = table.columns.iter().map(|column| &column.name);
        writer.write_record(table.keys.iter().chain(columns))?;
        for row in rows.rows() {
            let keys = row.keys.iter().map(|key| key_field(&key.cell));
            let values = row.values.iter().zip(&row.series).zip(&row.histograms);
            let values = values.map(|((value, series), histogram)| match (series, histogram) {
                (_, Some(histogram)) => ranges_field(histogram),
                (Some(steps), None) => steps_field(steps),
                (None, None) => number_field(*value),
            });
            writer.write_record(keys.chain(values))?;
        }
        writer.flush()
    }

    fn map(&mut self, out: &mut dyn Write, map: &Shown) -> io::Result<()> {
        self.grid(out, &Grid::of(map))
    }

    fn grid(&mut self, out: &mut dyn Write, grid: &Grid) -> io::Result<()> {
        if !self.is_first {
            writeln!(out)?;
        }
        self.is_first = false;
        if !self.quiet && !grid.title.is_empty() {
            say!("{}", escape(&grid.title));
        }
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(grid.key_names().chain(grid.columns.iter().cloned()))?;
        for row in &grid.rows {
            let keys = row.keys.iter().map(key_field);
            writer.write_record(keys.chain(row.values.iter().map(Content::field)))?;
        }
        writer.flush()
    }

    fn end(&mut self, _: &mut dyn Write, outcome: &Outcome, _: &[Verdict]) -> io::Result<()> {
        if !self.quiet {
            for line in summary::footer(outcome, true) {
                say!("{line}");
            }
        }
        Ok(())
    }
}

/// Harmless for a terminal, on which it may well be looked at.
fn key_field(cell: &KeyCell) -> String {
    match cell {
        KeyCell::None => String::new(),
        KeyCell::Stack(stack) => escape(&stack.line()),
        cell => escape(&cell.plain()),
    }
}

fn number_field(value: Option<Quantity>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// The ranges of a histogram that hold anything: where each begins, and how many values it holds.
fn ranges_field(histogram: &Content) -> String {
    let Content::Histogram(buckets, counts, _) = histogram else {
        return String::new();
    };
    let range = |(index, count): &(u16, u64)| match ewapa_codegen::histogram::bounds(
        *buckets,
        usize::from(*index),
    )
    .0
    {
        i64::MIN => format!(":{count}"),
        low => format!("{low}:{count}"),
    };
    counts.iter().map(range).collect::<Vec<_>>().join(";")
}

fn steps_field(steps: &[Option<Quantity>]) -> String {
    let steps: Vec<String> = steps.iter().map(|step| number_field(*step)).collect();
    steps.join(";")
}
