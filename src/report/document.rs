//! A text with tables, as terminals and Markdown show it.

use std::io::{self, Write};

use crate::output::blocks;
use crate::output::format::{markdown, table};
use crate::output::sheet::{Sheet, Side};

/// Headings, sentences and tables in order.
#[derive(Debug, Default)]
pub struct Document(Vec<Block>);

#[derive(Debug)]
enum Block {
    Heading(String),
    Text(Vec<String>),
    Table(Sheet),
}

impl Document {
    /// Begins a section.
    pub fn heading(&mut self, text: impl Into<String>) {
        self.0.push(Block::Heading(text.into()));
    }

    /// Says something, line by line.
    pub fn text(&mut self, lines: Vec<String>) {
        if !lines.is_empty() {
            self.0.push(Block::Text(lines));
        }
    }

    /// Shows a table.
    pub fn table(&mut self, sheet: Sheet) {
        self.0.push(Block::Table(sheet));
    }

    /// As lines of at most this many characters. What cannot be split is wider.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_text(self, out: &mut dyn Write, width: usize) -> io::Result<()> {
        let mut is_first = true;
        for block in self.0 {
            match block {
                Block::Heading(text) => {
                    if !is_first {
                        writeln!(out)?;
                    }
                    writeln!(out, "{text}\n{}", "─".repeat(text.chars().count()))?;
                }
                Block::Text(lines) => {
                    for line in lines {
                        writeln!(out, "{}", wrapped(&line, width))?;
                    }
                }
                Block::Table(sheet) => {
                    for mut part in blocks::split(sheet, width) {
                        // Groups without names are only there for tables to be split between them.
                        if part.groups.iter().all(|(name, _)| name.is_empty()) {
                            part.groups.clear();
                        }
                        let notes = std::mem::take(&mut part.notes);
                        writeln!(out)?;
                        out.write_all(table::drawn(&part).as_bytes())?;
                        for note in notes {
                            writeln!(out, "{}", wrapped(&note, width))?;
                        }
                    }
                }
            }
            is_first = false;
        }
        Ok(())
    }

    /// As GitHub's Markdown.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_markdown(self, out: &mut dyn Write) -> io::Result<()> {
        let mut is_first = true;
        for block in self.0 {
            if !is_first {
                writeln!(out)?;
            }
            match block {
                Block::Heading(text) => {
                    let level = if is_first { "#" } else { "##" };
                    writeln!(out, "{level} {}", markdown::escape(&text))?;
                }
                Block::Text(lines) => {
                    for line in lines {
                        writeln!(out, "- {}", markdown::escape(&line))?;
                    }
                }
                Block::Table(sheet) => markdown::draw(out, &sheet)?,
            }
            is_first = false;
        }
        Ok(())
    }
}

/// The words of a text in lines of at most this many characters; lines beyond the first are indented.
fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            out.push_str("\n  ");
            used = 2;
        } else if !out.is_empty() {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out
}

/// A table whose headings are given, each with the side of its cells.
pub fn sheet(columns: &[(&str, Side)]) -> Sheet {
    Sheet {
        groups: Vec::new(),
        headings: columns
            .iter()
            .map(|(heading, _)| (*heading).to_owned())
            .collect(),
        sides: columns.iter().map(|(_, side)| *side).collect(),
        lines: Vec::new(),
        notes: Vec::new(),
    }
}
