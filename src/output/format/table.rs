//! Aligned text, for terminals.

use std::io::{self, Write};

use tabled::builder::Builder;
use tabled::settings::formatting::Justification;
use tabled::settings::object::{Cell, Columns};
use tabled::settings::{Alignment, Padding, Span, Style};

use crate::engine::reading::Reading;
use crate::engine::trace::Outcome;
use crate::output::blocks;
use crate::output::cells::escape;
use crate::output::grid::Grid;
use crate::output::map::Shown;
use crate::output::map::text::render;
use crate::output::rows::Rows;
use crate::output::sheet::{Sheet, Side};
use crate::output::summary;
use crate::output::verdict::Verdict;

use super::Exporter;

/// Writes aligned text.
pub struct Table {
    quiet: bool,
    width: usize,
    is_first: bool,
}

impl Table {
    /// If `quiet`, without the lines above and below tables. A pivoted table that is wider than `width`
    /// comes in parts.
    pub fn new(quiet: bool, width: usize) -> Table {
        Table {
            quiet,
            width,
            is_first: true,
        }
    }
}

impl Exporter for Table {
    fn table(&mut self, out: &mut dyn Write, rows: &Rows, reading: &Reading) -> io::Result<()> {
        if !self.quiet {
            writeln!(out, "{}", summary::headline(rows.table, reading))?;
        } else if !self.is_first {
            // Nothing else would part the tables.
            writeln!(out)?;
        }
        self.is_first = false;
        for sheet in blocks::split(Sheet::new(rows), self.width) {
            out.write_all(drawn(&sheet).as_bytes())?;
        }
        Ok(())
    }

    fn parts_with_lines(&self) -> bool {
        true
    }

    fn map(&mut self, out: &mut dyn Write, map: &Shown) -> io::Result<()> {
        out.write_all(render(map).as_bytes())
    }

    fn grid(&mut self, out: &mut dyn Write, grid: &Grid) -> io::Result<()> {
        if !grid.title.is_empty() {
            writeln!(out, "{}", escape(&grid.title))?;
        }
        out.write_all(drawn(&grid.sheet()).as_bytes())
    }

    fn end(&mut self, out: &mut dyn Write, outcome: &Outcome, _: &[Verdict]) -> io::Result<()> {
        if self.quiet {
            return Ok(());
        }
        for line in summary::footer(outcome, !self.is_first) {
            writeln!(out, "{}", escape(&line))?;
        }
        Ok(())
    }
}

/// The table with its notes, line by line.
pub fn drawn(sheet: &Sheet) -> String {
    let mut builder = Builder::default();
    if !sheet.groups.is_empty() {
        let mut above = vec![String::new(); sheet.headings.len()];
        for (start, text, _) in groups(sheet) {
            above[start] = format!(" {text} ");
        }
        builder.push_record(above);
    }
    builder.push_record(&sheet.headings);
    for line in &sheet.lines {
        builder.push_record(line);
    }
    let mut table = builder.build();
    table
        .with(Style::empty())
        .with(Padding::new(0, blocks::GAP, 0, 0));
    for (index, side) in sheet.sides.iter().enumerate() {
        if *side == Side::Right {
            table.modify(Columns::one(index), Alignment::right());
        }
    }
    for (start, _, width) in groups(sheet) {
        table.modify(
            Cell::new(0, start),
            (
                Span::column(width as isize),
                Alignment::center(),
                Justification::new('─'),
            ),
        );
    }
    let mut text = String::new();
    let drawn = table.to_string();
    for line in drawn.lines().chain(sheet.notes.iter().map(String::as_str)) {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The named groups of columns: where each begins, its name, and how many columns it has.
fn groups(sheet: &Sheet) -> impl Iterator<Item = (usize, &str, usize)> {
    let mut start = 0;
    let placed = sheet.groups.iter().map(move |(text, width)| {
        let place = start;
        start += width;
        (place, text.as_str(), *width)
    });
    placed.filter(|(_, text, _)| !text.is_empty())
}
