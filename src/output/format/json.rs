//! JSON: one object a line, as `docs/schema/output.json` describes. Times are in nanoseconds, sizes in
//! bytes, shares in parts of 1; what has no value is null.

use std::io::{self, Write};
use std::time::Duration;

use ewapa_templates::Counter;
use serde::{Serialize, Serializer};

use crate::engine::reading::{Losses, Reading};
use crate::engine::trace::Outcome;
use crate::output::cells::{KeyCell, is_active};
use crate::output::grid::Grid;
use crate::output::map::Shown;
use crate::output::map::content::Content;
use crate::output::quantity::Quantity;
use crate::output::rows::{Row, Rows};
use crate::output::verdict::{Holds, Verdict};

use super::{Exporter, Source};

/// Writes one JSON object a line.
pub struct Json {
    quiet: bool,
}

impl Json {
    /// If `quiet`, without the summary.
    pub fn new(quiet: bool) -> Json {
        Json { quiet }
    }
}

/// One line.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Record<'a> {
    /// A row of a table. Those of one printing have the same `elapsed_ns`.
    Row {
        table: &'a str,
        elapsed_ns: u64,
        keys: Pairs<'a, &'a KeyCell>,
        columns: Pairs<'a, Cell<'a>>,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        estimates: &'a [&'a str],
    },
    /// A map.
    Map { data: &'a Shown<'a> },
    /// A map of histograms.
    Hist { data: &'a Shown<'a> },
    /// A map of `stats` or `avg`.
    Stats { data: &'a Shown<'a> },
    /// A map of series.
    Tseries { data: &'a Shown<'a> },
    /// Maps side by side: a list of rows by what stands above them.
    Tabulate {
        data: Pairs<'a, Vec<Pairs<'a, Field<'a>>>>,
    },
    /// What a script prints.
    Value { data: &'a Content },
    /// How many probes are attached at the start.
    #[serde(rename = "attached_probes")]
    Attached { data: Probes },
    /// `printf`
    Printf { data: &'a str },
    /// `time`
    Time { data: &'a str },
    /// `join`
    Join { data: &'a str },
    /// `cat`
    Cat { data: &'a str },
    /// `system`
    Syscall { data: &'a str },
    /// What the script said and could not be told.
    #[serde(rename = "lost_events")]
    Lost { data: Events },
    /// What became of a check. `holds` is null if it has no value.
    Check {
        text: &'a str,
        condition: &'a str,
        holds: Option<bool>,
        values: &'a str,
    },
    /// How the run went, once at the end.
    Summary {
        elapsed_ns: u64,
        processes: usize,
        lost: u64,
        unmatched: u64,
        abandoned: u64,
        open: u64,
        missed: u64,
        unfinished: Pairs<'a, u64>,
        probe_cost_ns: Option<u64>,
        runtimes: Vec<Runtime<'a>>,
    },
}

/// A cell of a table: a number, or the steps of a series.
#[derive(Serialize)]
#[serde(untagged)]
enum Cell<'a> {
    Number(Option<Quantity>),
    Steps(&'a [Option<Quantity>]),
    Ranges(&'a Content),
}

/// A cell of maps side by side.
#[derive(Serialize)]
#[serde(untagged)]
enum Field<'a> {
    Key(&'a KeyCell),
    Value(&'a Content),
}

/// How many probes.
#[derive(Serialize)]
struct Probes {
    probes: usize,
}

/// How many messages.
#[derive(Serialize)]
struct Events {
    events: u64,
}

/// A runtime that was traced.
#[derive(Serialize)]
struct Runtime<'a> {
    name: &'a str,
    probe_cost_ns: Option<u64>,
    single_stepped: usize,
    missing: Vec<&'a str>,
}

/// An object whose members have an order.
struct Pairs<'a, T>(Vec<(&'a str, T)>);

impl<T: Serialize> Serialize for Pairs<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Quantity::Whole(value) => serializer.serialize_i64(*value),
            Quantity::Real(value) => serializer.serialize_f64(*value),
        }
    }
}

impl Serialize for KeyCell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            KeyCell::None => serializer.serialize_none(),
            KeyCell::Bool(value) => serializer.serialize_bool(*value),
            KeyCell::Number(value) => serializer.serialize_i64(*value),
            KeyCell::Unsigned(value) => serializer.serialize_u64(*value),
            KeyCell::Stack(stack) => stack.frames.serialize(serializer),
            KeyCell::Name(name) | KeyCell::Written(name) => serializer.serialize_str(name),
            KeyCell::Phase(phase) => serializer.serialize_str(phase.name()),
        }
    }
}

impl Exporter for Json {
    fn table(&mut self, out: &mut dyn Write, rows: &Rows, reading: &Reading) -> io::Result<()> {
        let table = rows.table;
        for row in rows.rows() {
            let keys = table.keys.iter().map(String::as_str);
            let columns = table.columns.iter().map(|column| column.name.as_str());
            let record = Record::Row {
                table: &table.name,
                elapsed_ns: nanoseconds(reading.elapsed),
                keys: Pairs(keys.zip(row.keys.iter().map(|key| &key.cell)).collect()),
                columns: Pairs(columns.zip(cells(row)).collect()),
                estimates: &rows.estimates,
            };
            write(out, &record)?;
        }
        Ok(())
    }

    fn attaching(&mut self, out: &mut dyn Write, probes: usize) -> io::Result<()> {
        if self.quiet {
            return Ok(());
        }
        let data = Probes { probes };
        write(out, &Record::Attached { data })
    }

    fn text(&mut self, out: &mut dyn Write, source: Source, text: &str) -> io::Result<()> {
        let record = match source {
            Source::Printf => Record::Printf { data: text },
            Source::Time => Record::Time { data: text },
            Source::Join => Record::Join {
                data: text.strip_suffix('\n').unwrap_or(text),
            },
            Source::Cat => Record::Cat { data: text },
            Source::System => Record::Syscall { data: text },
        };
        write(out, &record)
    }

    fn value(&mut self, out: &mut dyn Write, value: &Content) -> io::Result<()> {
        write(out, &Record::Value { data: value })
    }

    fn map(&mut self, out: &mut dyn Write, map: &Shown) -> io::Result<()> {
        if map.entries.is_empty() {
            return Ok(());
        }
        let record = match map.kind() {
            "hist" => Record::Hist { data: map },
            "stats" => Record::Stats { data: map },
            "tseries" => Record::Tseries { data: map },
            _ => Record::Map { data: map },
        };
        write(out, &record)
    }

    fn grid(&mut self, out: &mut dyn Write, grid: &Grid) -> io::Result<()> {
        let names: Vec<String> = grid.key_names().collect();
        let rows = grid.rows.iter().map(|row| {
            let keys = names.iter().map(String::as_str);
            let keys = keys.zip(row.keys.iter().map(Field::Key));
            let values = grid.columns.iter().map(String::as_str);
            let values = values.zip(row.values.iter().map(Field::Value));
            Pairs(keys.chain(values).collect())
        });
        let data = Pairs(vec![(grid.title.as_str(), rows.collect())]);
        write(out, &Record::Tabulate { data })
    }

    fn end(
        &mut self,
        out: &mut dyn Write,
        outcome: &Outcome,
        verdicts: &[Verdict],
    ) -> io::Result<()> {
        let events = outcome.reading.losses.count(Counter::NoMessage);
        if events > 0 {
            let data = Events { events };
            write(out, &Record::Lost { data })?;
        }
        for verdict in verdicts {
            write(out, &check(verdict))?;
        }
        if self.quiet {
            return Ok(());
        }
        write(out, &summary(outcome))
    }
}

fn cells(row: &Row) -> impl Iterator<Item = Cell<'_>> {
    let values = row.values.iter().zip(&row.series).zip(&row.histograms);
    values.map(|((value, series), histogram)| match (series, histogram) {
        (_, Some(histogram)) => Cell::Ranges(histogram),
        (Some(steps), None) => Cell::Steps(steps),
        (None, None) => Cell::Number(*value),
    })
}

fn check<'a>(verdict: &'a Verdict) -> Record<'a> {
    Record::Check {
        text: &verdict.check.text,
        condition: &verdict.check.written,
        holds: match verdict.holds {
            Holds::Yes => Some(true),
            Holds::No => Some(false),
            Holds::Unknown => None,
        },
        values: &verdict.values,
    }
}

fn summary(outcome: &Outcome) -> Record<'_> {
    let reading = &outcome.reading;
    let losses: &Losses = &reading.losses;
    let unfinished = losses.unfinished.iter();
    let cost = |named_within| {
        let cost = outcome.probe_cost?;
        Some(nanoseconds(cost.of_call(named_within)))
    };
    let runtimes = outcome.found.iter().map(|found| Runtime {
        name: &found.name,
        probe_cost_ns: cost(found.named_within),
        single_stepped: found.single_stepped,
        missing: found
            .missing
            .iter()
            .map(|function| function.name())
            .chain(found.start_unseen.then_some("phase:start"))
            .collect(),
    });
    Record::Summary {
        elapsed_ns: nanoseconds(reading.elapsed),
        processes: reading.processes,
        lost: losses.lost(),
        unmatched: losses.unmatched(),
        abandoned: losses.count(Counter::Abandoned),
        open: losses.open(),
        missed: losses.missed,
        unfinished: Pairs(
            unfinished
                .map(|(function, count)| (function.name(), *count))
                .collect(),
        ),
        probe_cost_ns: outcome.largest_probe_cost().map(nanoseconds),
        runtimes: runtimes.collect(),
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn write(out: &mut dyn Write, record: &Record) -> io::Result<()> {
    let mut json = serde_json::Serializer::with_formatter(&mut *out, Harmless);
    record.serialize(&mut json)?;
    writeln!(out)
}

/// Writes characters that do something to a terminal as `\u....`: to a program they are the same.
struct Harmless;

impl serde_json::ser::Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_active) {
            let (before, behind) = rest.split_at(at);
            out.write_all(before.as_bytes())?;
            let active = behind.chars().next().expect("one was found");
            for unit in active.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = &behind[active.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }
}
