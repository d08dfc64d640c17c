//! From the runs to rows, and from them to a table and to JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tabled::builder::Builder;
use tabled::settings::object::{Columns, Object, Rows};
use tabled::settings::{Alignment, Style};

use crate::figures::Samples;
use crate::run::Run;
use crate::runtimes::{FUNCTIONS, Runtime};
use crate::tools::Tool;

/// The runs by runtime, tool and round.
#[derive(Debug, Default)]
pub struct Results(BTreeMap<(&'static str, Tool), BTreeMap<u32, Run>>);

/// A line of the table.
#[derive(Debug)]
pub struct Row {
    figure: String,
    unit: &'static str,
    runtime: &'static str,
    bare: Samples,
    ewapa: Samples,
    bpftrace: Samples,
}

/// What a figure is of a run.
type Figure = fn(&Run) -> f64;

const START: Figure = |run| run.start.as_secs_f64() * 1e3;
const WORK: Figure = |run| run.work.as_secs_f64() * 1e3;
const END: Figure = |run| run.end.as_secs_f64() * 1e3;
const MEMORY: Figure = |run| run.memory as f64 / 1e6;

impl Results {
    /// A run.
    pub fn add(&mut self, runtime: &'static str, tool: Tool, round: u32, run: Run) {
        self.0
            .entry((runtime, tool))
            .or_default()
            .insert(round, run);
    }

    fn runs(&self, runtime: &'static str, tool: Tool) -> impl Iterator<Item = (&u32, &Run)> {
        self.0.get(&(runtime, tool)).into_iter().flatten()
    }

    fn of(&self, runtime: &'static str, tool: Tool, figure: Figure) -> Samples {
        Samples::new(self.runs(runtime, tool).map(|(_, run)| figure(run)))
    }

    /// Less the bare run of the same round.
    fn added(&self, runtime: &'static str, tool: Tool, figure: Figure) -> Samples {
        let bare = self.0.get(&(runtime, Tool::Bare));
        Samples::new(
            self.runs(runtime, tool)
                .filter_map(|(round, run)| Some(figure(run) - figure(bare?.get(round)?))),
        )
    }

    fn told(&self, runtime: &'static str, tool: Tool) -> Samples {
        Samples::new(
            self.runs(runtime, tool)
                .filter_map(|(_, run)| Some(run.told?.as_secs_f64() * 1e6)),
        )
    }
}

/// The lines of the table: those of each runtime, then those of many functions.
pub fn rows(results: &Results, runtimes: &[Runtime], calls: u32) -> Vec<Row> {
    let mut rows = Vec::new();
    for runtime in runtimes {
        rows.extend(runtime_rows(results, runtime.name, calls));
    }
    for runtime in runtimes {
        rows.extend(wide_rows(results, runtime.name));
    }
    rows.retain(|row| row.ewapa.median().is_some() || row.bpftrace.median().is_some());
    rows
}

fn runtime_rows(results: &Results, runtime: &'static str, calls: u32) -> Vec<Row> {
    let none = Samples::default;
    let row = |figure: &str, unit, bare, ewapa, bpftrace| Row {
        figure: figure.to_owned(),
        unit,
        runtime,
        bare,
        ewapa,
        bpftrace,
    };
    let of = |tool, figure| results.of(runtime, tool, figure);
    let added = |tool, figure| results.added(runtime, tool, figure);
    // Milliseconds of all calls to microseconds of one.
    let per_call = |tool| added(tool, WORK).divided(f64::from(calls) / 1e3);

    let empty = per_call(Tool::SessionPair);
    let in_pairs = |cost: &Samples| match empty.median() {
        Some(pair) if pair > 0.0 => cost.divided(pair),
        _ => none(),
    };
    let (ewapa, bpftrace) = (per_call(Tool::Ewapa), per_call(Tool::Bpftrace));
    vec![
        row(
            "start",
            "ms",
            of(Tool::Bare, START),
            of(Tool::EwapaBundled, START),
            of(Tool::Bpftrace, START),
        ),
        row(
            "start, added",
            "ms",
            none(),
            added(Tool::EwapaBundled, START),
            added(Tool::Bpftrace, START),
        ),
        row(
            "end",
            "ms",
            none(),
            of(Tool::EwapaBundled, END),
            of(Tool::Bpftrace, END),
        ),
        row(
            "memory",
            "MB",
            none(),
            of(Tool::EwapaBundled, MEMORY),
            of(Tool::Bpftrace, MEMORY),
        ),
        row(
            "guest's run",
            "ms",
            of(Tool::Bare, WORK),
            of(Tool::Ewapa, WORK),
            of(Tool::Bpftrace, WORK),
        ),
        row(
            "added to a call",
            "us",
            none(),
            ewapa.clone(),
            bpftrace.clone(),
        ),
        row(
            "in empty session pairs",
            "x",
            none(),
            in_pairs(&ewapa),
            in_pairs(&bpftrace),
        ),
        row(
            "added, fd_write_latency",
            "us",
            none(),
            per_call(Tool::EwapaBundled),
            none(),
        ),
        row(
            "empty pair",
            "us",
            none(),
            empty,
            per_call(Tool::BpftracePair),
        ),
        row(
            "probe cost told",
            "us",
            none(),
            results.told(runtime, Tool::Ewapa),
            none(),
        ),
    ]
}

fn wide_rows(results: &Results, runtime: &'static str) -> Vec<Row> {
    [
        ("start", "ms", START),
        ("end", "ms", END),
        ("memory", "MB", MEMORY),
    ]
    .into_iter()
    .map(|(figure, unit, value)| Row {
        figure: format!("{FUNCTIONS} functions: {figure}"),
        unit,
        runtime,
        bare: Samples::default(),
        ewapa: results.of(runtime, Tool::EwapaSummary, value),
        bpftrace: results.of(runtime, Tool::BpftraceSummary, value),
    })
    .collect()
}

/// For people.
pub fn table(rows: &[Row]) -> String {
    let mut builder = Builder::new();
    builder.push_record([
        "RUNTIME",
        "FIGURE",
        "UNIT",
        "BARE",
        "EWAPA",
        "BPFTRACE",
        "EWAPA/BPFTRACE",
        "EWAPA/BARE",
    ]);
    let ratio = |ratio: Option<f64>| match ratio {
        None => String::new(),
        Some(small) if small < 0.1 => format!("{small:.3}"),
        Some(ratio) => format!("{ratio:.2}"),
    };
    for row in rows {
        builder.push_record([
            row.runtime.to_owned(),
            row.figure.clone(),
            row.unit.to_owned(),
            row.bare.to_string(),
            row.ewapa.to_string(),
            row.bpftrace.to_string(),
            ratio(row.ewapa.ratio(&row.bpftrace)),
            ratio(row.ewapa.ratio(&row.bare)),
        ]);
    }
    let mut table = builder.build();
    table
        .with(Style::blank())
        .modify(Columns::new(3..).not(Rows::first()), Alignment::right());
    table.to_string()
}

/// For programs.
pub fn json(rows: &[Row], rounds: u32, calls: u32, load_before: &str, notes: &[String]) -> Value {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "runtime": row.runtime,
                "figure": row.figure,
                "unit": row.unit,
                "bare": row.bare.json(),
                "ewapa": row.ewapa.json(),
                "bpftrace": row.bpftrace.json(),
                "ewapa_by_bpftrace": row.ewapa.ratio(&row.bpftrace),
                "ewapa_by_bare": row.ewapa.ratio(&row.bare),
            })
        })
        .collect();
    json!({
        "machine": machine(),
        "load": { "before": load_before, "after": load() },
        "rounds": rounds,
        "calls": calls,
        "left_out": notes,
        "rows": rows,
    })
}

/// The kernel and the processors.
pub fn machine() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    format!("Linux {}, {processors} processors", kernel.trim())
}

/// The load average of the last minute.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
