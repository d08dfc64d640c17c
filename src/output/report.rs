//! The output of a run: tables while it goes on and at its end.

use std::io::{self, Write};
use std::time::SystemTime;

use ewapa_lang::plan::{Map, Piece, Plan};
use ewapa_lang::types::Type;

use crate::engine::groups::{Group, Key};
use crate::engine::messages::Listener;
use crate::engine::names::Names;
use crate::engine::reading::Reading;
use crate::engine::trace::{Outcome, Reporter};

use super::format::Exporter;
use super::rows::Rows;
use super::verdict::Verdict;
use super::{clock, map, printf};

/// Where the results of a run go.
pub struct Report<'a> {
    plan: &'a Plan,
    exporter: Box<dyn Exporter>,
    out: Box<dyn Write>,
    /// Why nothing more could be written while the run went on.
    failure: Option<io::Error>,
}

impl<'a> Report<'a> {
    /// Results of a plan in a format.
    pub fn new(plan: &'a Plan, exporter: Box<dyn Exporter>, out: Box<dyn Write>) -> Report<'a> {
        Report {
            plan,
            exporter,
            out,
            failure: None,
        }
    }

    /// Writes everything that is to be said at the end, and what became of the checks.
    ///
    /// # Errors
    /// It cannot be written, or could not be while the run went on.
    pub fn end(mut self, outcome: &Outcome) -> io::Result<Vec<Verdict<'a>>> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let all: Vec<usize> = (0..self.plan.tables.len()).collect();
        self.write(&all, &outcome.reading, &outcome.names)?;
        let maps = map::render_all(self.plan, outcome);
        if !all.is_empty() && !maps.is_empty() {
            writeln!(self.out)?;
        }
        self.out.write_all(maps.as_bytes())?;
        let verdicts = Verdict::all(self.plan, outcome);
        let mut text = Vec::new();
        self.exporter.end(&mut text, outcome, &verdicts)?;
        self.out.write_all(&text)?;
        self.out.flush()?;
        Ok(verdicts)
    }

    /// Writes tables in one piece: others may write to the same terminal.
    fn write(&mut self, tables: &[usize], reading: &Reading, names: &Names) -> io::Result<()> {
        let mut text = Vec::new();
        for table in tables {
            let rows = Rows::new(self.plan, &self.plan.tables[*table], reading, names);
            self.exporter.table(&mut text, &rows, reading)?;
        }
        self.out.write_all(&text)?;
        self.out.flush()
    }
}

impl Reporter for Report<'_> {
    fn due(&mut self, tables: &[usize], reading: &Reading, names: &Names) {
        // The run goes on without a place for its tables; the end says so.
        if self.failure.is_none() {
            self.failure = self.write(tables, reading, names).err();
        }
    }
}

impl Listener for Report<'_> {
    fn printf(
        &mut self,
        pieces: &[Piece],
        types: &[Type],
        values: &[Key],
        names: &Names,
    ) -> io::Result<()> {
        let text = printf::format(pieces, types, values, names);
        self.out.write_all(text.as_bytes())
    }

    fn time(&mut self, format: &str) -> io::Result<()> {
        let text = clock::format(SystemTime::now(), format);
        self.out.write_all(text.as_bytes())
    }

    fn map(
        &mut self,
        plan: &Plan,
        map: &Map,
        groups: &[Group],
        top: Option<usize>,
        names: &Names,
    ) -> io::Result<()> {
        let text = map::render(plan, map, groups, top, names);
        self.out.write_all(text.as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
