//! Markdown, for reports and issues.

use std::io::{self, Write};

use crate::engine::reading::Reading;
use crate::engine::trace::Outcome;
use crate::output::grid::Grid;
use crate::output::map::Shown;
use crate::output::rows::Rows;
use crate::output::sheet::{Sheet, Side};
use crate::output::summary;
use crate::output::verdict::Verdict;

use super::Exporter;

/// Writes tables of GitHub's Markdown. It knows no headings over several columns: with a pivot each
/// heading says of what it is.
pub struct Markdown {
    quiet: bool,
    is_first: bool,
}

impl Markdown {
    /// If `quiet`, without the lines above and below tables.
    pub fn new(quiet: bool) -> Markdown {
        Markdown {
            quiet,
            is_first: true,
        }
    }
}

impl Exporter for Markdown {
    fn table(&mut self, out: &mut dyn Write, rows: &Rows, reading: &Reading) -> io::Result<()> {
        if !self.is_first {
            writeln!(out)?;
        }
        self.is_first = false;
        if !self.quiet {
            let headline = summary::headline(rows.table, reading);
            writeln!(out, "### {}\n", escape(&headline))?;
        }
        draw(out, &Sheet::new(rows))
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
            writeln!(out, "### {}\n", escape(&grid.title))?;
        }
        draw(out, &grid.sheet())
    }

    fn end(&mut self, out: &mut dyn Write, outcome: &Outcome, _: &[Verdict]) -> io::Result<()> {
        if self.quiet {
            return Ok(());
        }
        for line in summary::footer(outcome, true) {
            writeln!(out, "\n{}", escape(&line))?;
        }
        Ok(())
    }
}

/// Writes the table with its notes.
///
/// # Errors
/// It cannot be written.
pub fn draw(out: &mut dyn Write, sheet: &Sheet) -> io::Result<()> {
    line(out, headings(sheet))?;
    let rule = |side: &Side| match side {
        Side::Left => ":---",
        Side::Right => "---:",
    };
    line(out, sheet.sides.iter().map(|side| rule(side).to_owned()))?;
    for cells in &sheet.lines {
        line(out, cells.iter().map(|cell| escape(cell)))?;
    }
    for note in &sheet.notes {
        writeln!(out, "\n{}", escape(note))?;
    }
    Ok(())
}

fn headings(sheet: &Sheet) -> impl Iterator<Item = String> {
    let ungrouped = [(String::new(), sheet.headings.len())];
    let groups = if sheet.groups.is_empty() {
        ungrouped.to_vec()
    } else {
        sheet.groups.clone()
    };
    let groups = groups
        .into_iter()
        .flat_map(|(text, width)| std::iter::repeat_n(text, width));
    groups.zip(&sheet.headings).map(|(group, heading)| {
        let text = format!("{group} {heading}");
        escape(text.trim())
    })
}

fn line(out: &mut dyn Write, cells: impl Iterator<Item = String>) -> io::Result<()> {
    let cells: Vec<String> = cells.collect();
    writeln!(out, "| {} |", cells.join(" | "))
}

/// What is markup in Markdown is shown as it is.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_word = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let next_in_word = characters.peek().is_some_and(|next| next.is_alphanumeric());
        let is_markup = match character {
            // Within a word, as in `fd_write`, it is none.
            '_' => !(in_word && next_in_word),
            _ => "\\|*`<>[]&~$".contains(character),
        };
        if is_markup {
            out.push('\\');
        }
        out.push(character);
        in_word = character.is_alphanumeric();
    }
    out
}
