//! The output of a run: tables while it goes on and at its end, and what the script says.

use std::io::{self, Write};
use std::time::SystemTime;

use ewapa_lang::plan::{Map, Piece, Plan};

use crate::engine::groups::{Group, Key};
use crate::engine::names::Names;
use crate::engine::reading::Reading;
use crate::engine::said::{Listener, Said, Values};
use crate::engine::trace::{Outcome, Reporter};

use super::cells::{self, KeyCell};
use super::format::{Exporter, Source};
use super::grid::Grid;
use super::map::content::Content;
use super::map::{Cut, Shown};
use super::rows::Rows;
use super::verdict::Verdict;
use super::{clock, outside, printf, words};

/// Where the results of a run go.
pub struct Report<'a> {
    plan: &'a Plan,
    exporter: Box<dyn Exporter>,
    out: Box<dyn Write>,
    /// Why nothing more could be written while the run went on.
    failure: Option<io::Error>,
    /// Commands of `system` that did not succeed.
    failed_commands: usize,
}

impl<'a> Report<'a> {
    /// Results of a plan in a format.
    pub fn new(plan: &'a Plan, exporter: Box<dyn Exporter>, out: Box<dyn Write>) -> Report<'a> {
        Report {
            plan,
            exporter,
            out,
            failure: None,
            failed_commands: 0,
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
        self.write_maps(outcome)?;
        let verdicts = Verdict::all(self.plan, outcome);
        let mut text = Vec::new();
        self.exporter.end(&mut text, outcome, &verdicts)?;
        self.out.write_all(&text)?;
        self.out.flush()?;
        if self.failed_commands > 0 {
            let commands = words::count(self.failed_commands, "command");
            say!("ewapa: {commands} of system() ended with an error");
        }
        Ok(verdicts)
    }

    /// Writes the maps that are left.
    fn write_maps(&mut self, outcome: &Outcome) -> io::Result<()> {
        if !self.plan.settings.print_maps_on_exit {
            return Ok(());
        }
        let mut text = Vec::new();
        // As in bpftrace, in the order of their names.
        let mut maps: Vec<&Map> = self.plan.maps.iter().collect();
        maps.sort_by(|one, other| one.name.cmp(&other.name));
        for map in maps {
            let groups = &outcome.reading.groups[map.store.0];
            let shown = Shown::new(self.plan, map, groups, Cut::NONE, &outcome.names);
            self.exporter.map(&mut text, &shown)?;
        }
        if !self.plan.tables.is_empty() && !text.is_empty() && self.exporter.parts_with_lines() {
            writeln!(self.out)?;
        }
        self.out.write_all(&text)
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

    fn write_text(&mut self, source: Source, text: &str) -> io::Result<()> {
        self.exporter.text(&mut self.out, source, text)
    }

    fn tabulate(
        &mut self,
        title: &str,
        maps: &[(&Map, Vec<Group>)],
        (sort, limit): (Option<usize>, Option<usize>),
        names: &Names,
    ) -> io::Result<()> {
        let shown: Vec<Shown> = maps
            .iter()
            .map(|(map, groups)| Shown::new(self.plan, map, groups, Cut::NONE, names))
            .collect();
        let grid = Grid::joined(title, &shown, sort, limit);
        self.exporter.grid(&mut self.out, &grid)
    }

    fn cat(&mut self, path: &str) -> io::Result<()> {
        let read = outside::read(path);
        if let Ok((text, _)) = &read {
            self.write_text(Source::Cat, &cells::escape_lines(text))?;
        }
        // What goes wrong is said where it went wrong.
        self.out.flush()?;
        match read {
            Ok((_, whole)) => {
                if !whole {
                    let path = cells::escape(path);
                    say!(
                        "ewapa: cat() shows the first {} KiB of {path}",
                        outside::ROOM >> 10
                    );
                }
            }
            Err(error) => say!("ewapa: cat() cannot read {}: {error}", cells::escape(path)),
        }
        Ok(())
    }

    fn system(&mut self, command: &str) -> io::Result<()> {
        // What was said before comes before what the command says itself.
        self.out.flush()?;
        match outside::run(command) {
            Ok(output) => {
                self.failed_commands += usize::from(!output.status.success());
                self.write_text(Source::System, &String::from_utf8_lossy(&output.stdout))
            }
            Err(error) => {
                self.failed_commands += 1;
                say!("ewapa: system() cannot run /bin/sh: {error}");
                Ok(())
            }
        }
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
    fn said(&mut self, plan: &Plan, said: &Said<'_>, names: &Names) -> io::Result<()> {
        match said {
            Said::Attaching(probes) => self.exporter.attaching(&mut self.out, *probes),
            Said::Printf { pieces, values } => {
                self.write_text(Source::Printf, &formatted(pieces, values, names))
            }
            Said::Time(format) => {
                self.write_text(Source::Time, &clock::format(SystemTime::now(), format))
            }
            Said::Map {
                map,
                groups,
                top,
                divisor,
            } => {
                let cut = Cut {
                    top: *top,
                    divisor: *divisor,
                };
                let shown = Shown::new(plan, map, groups, cut, names);
                self.exporter.map(&mut self.out, &shown)
            }
            Said::Value { shape, values } => {
                let contents = values.types.iter().zip(&values.values);
                let mut contents = contents.map(|(ty, key)| Content::of(key, *ty, names));
                let value = Content::shaped(shape, &mut contents);
                self.exporter.value(&mut self.out, &value)
            }
            Said::Tabulate {
                title,
                maps,
                sort,
                limit,
            } => self.tabulate(title, maps, (*sort, *limit), names),
            Said::Join(between, values) => {
                let texts = values.types.iter().zip(&values.values);
                // What lies behind the end of a list was read as well, and is not of the list.
                let texts =
                    texts.take_while(|(_, key)| !matches!(key, Key::Text(text) if text.is_empty()));
                let texts: Vec<String> = texts
                    .map(|(ty, key)| KeyCell::new(key, *ty, names).text(*ty))
                    .collect();
                self.write_text(Source::Join, &format!("{}\n", texts.join(between)))
            }
            Said::Cat(pieces, values) => self.cat(&formatted(pieces, values, names)),
            Said::System(pieces, values) => self.system(&formatted(pieces, values, names)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn formatted(pieces: &[Piece], values: &Values, names: &Names) -> String {
    printf::format(pieces, values.types, &values.values, names)
}
