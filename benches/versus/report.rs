//! From the runs to rows, and from them to JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::figures::Samples;
use crate::run::Run;
use crate::runtimes::{FUNCTIONS, Runtime};
use crate::tools::Tool;

/// The runs by runtime, tool and round.
#[derive(Debug, Default)]
pub struct Results {
    runs: BTreeMap<(&'static str, Tool), BTreeMap<u32, Run>>,
    /// What the guest was asked for.
    calls: u32,
}

/// A line of the table: what each of the tools took, or nothing.
#[derive(Debug, Default)]
pub struct Row {
    figure: String,
    unit: &'static str,
    runtime: &'static str,
    bare: Samples,
    ewapa: Samples,
    bpftrace: Samples,
    strace: Samples,
    perf: Samples,
}

/// What a figure is of a run.
type Figure = fn(&Run) -> f64;

const START: Figure = |run| run.start.as_secs_f64() * 1e3;
const WORK: Figure = |run| run.work.as_secs_f64() * 1e3;
const END: Figure = |run| run.end.as_secs_f64() * 1e3;
const MEMORY: Figure = |run| run.memory as f64 / 1e6;
const CPU: Figure = |run| run.cpu.as_secs_f64() * 1e3;
/// Thousands of lines in a second, from the word to go on to the end of the tool.
const LINES: Figure = |run| {
    let took = run.work + run.end;
    run.lines.unwrap_or(0) as f64 / took.as_secs_f64() / 1e3
};

/// What a run of a tool as a whole takes.
const WHOLE: [(&str, &str, Figure); 4] = [
    ("start", "ms", START),
    ("end", "ms", END),
    ("memory", "MB", MEMORY),
    ("processor time", "ms", CPU),
];

impl Results {
    /// Nothing yet, of runs with so many calls.
    pub fn new(calls: u32) -> Results {
        Results {
            runs: BTreeMap::new(),
            calls,
        }
    }

    /// A run.
    pub fn add(&mut self, runtime: &'static str, tool: Tool, round: u32, run: Run) {
        self.runs
            .entry((runtime, tool))
            .or_default()
            .insert(round, run);
    }

    fn runs(&self, runtime: &'static str, tool: Tool) -> impl Iterator<Item = (&u32, &Run)> {
        self.runs.get(&(runtime, tool)).into_iter().flatten()
    }

    fn of(&self, runtime: &'static str, tool: Tool, figure: Figure) -> Samples {
        Samples::new(self.runs(runtime, tool).map(|(_, run)| figure(run)))
    }

    /// Less the bare run of the same round.
    fn added(&self, runtime: &'static str, tool: Tool, figure: Figure) -> Samples {
        let bare = self.runs.get(&(runtime, Tool::Bare));
        Samples::new(
            self.runs(runtime, tool)
                .filter_map(|(round, run)| Some(figure(run) - figure(bare?.get(round)?))),
        )
    }

    /// What a call takes longer than in the bare run of the same round, in microseconds.
    fn per_call(&self, runtime: &'static str, tool: Tool, bare: Tool) -> Samples {
        let bares = self.runs.get(&(runtime, bare));
        let each = |tool: Tool, run: &Run| WORK(run) * 1e3 / f64::from(tool.calls(self.calls));
        Samples::new(
            self.runs(runtime, tool)
                .filter_map(|(round, run)| Some(each(tool, run) - each(bare, bares?.get(round)?))),
        )
    }

    fn told(&self, runtime: &'static str, tool: Tool) -> Samples {
        Samples::new(
            self.runs(runtime, tool)
                .filter_map(|(_, run)| Some(run.told?.as_secs_f64() * 1e6)),
        )
    }
}

/// The lines of the table, by runtime.
pub fn rows(results: &Results, runtimes: &[Runtime]) -> Vec<Row> {
    let mut rows = Vec::new();
    for runtime in runtimes {
        let runtime = runtime.name;
        rows.extend(whole_rows(results, runtime));
        rows.extend(call_rows(results, runtime));
        rows.extend(wide_rows(results, runtime));
        rows.extend(other_rows(results, runtime));
        rows.extend(syscall_rows(results, runtime));
    }
    rows.retain(|row| row.ewapa.median().is_some() || row.bpftrace.median().is_some());
    rows
}

fn row(figure: impl Into<String>, unit: &'static str, runtime: &'static str) -> Row {
    Row {
        figure: figure.into(),
        unit,
        runtime,
        ..Row::default()
    }
}

fn whole_rows(results: &Results, runtime: &'static str) -> Vec<Row> {
    let mut rows: Vec<Row> = WHOLE
        .into_iter()
        .map(|(figure, unit, value)| Row {
            ewapa: results.of(runtime, Tool::EwapaBundled, value),
            bpftrace: results.of(runtime, Tool::Bpftrace, value),
            ..row(figure, unit, runtime)
        })
        .collect();
    rows[0].bare = results.of(runtime, Tool::Bare, START);
    rows.insert(
        1,
        Row {
            ewapa: results.added(runtime, Tool::EwapaBundled, START),
            bpftrace: results.added(runtime, Tool::Bpftrace, START),
            ..row("start, added", "ms", runtime)
        },
    );
    rows
}

fn call_rows(results: &Results, runtime: &'static str) -> Vec<Row> {
    let in_pairs = |cost: &Samples, pair: &Samples| match pair.median() {
        Some(pair) if pair > 0.0 => cost.divided(pair),
        _ => Samples::default(),
    };
    let mut rows = vec![Row {
        bare: results.of(runtime, Tool::Bare, WORK),
        ewapa: results.of(runtime, Tool::Ewapa, WORK),
        bpftrace: results.of(runtime, Tool::Bpftrace, WORK),
        ..row("guest's run", "ms", runtime)
    }];
    for (what, bare, pair, ewapa, bpftrace) in [
        (
            "",
            Tool::Bare,
            Tool::SessionPair,
            Tool::Ewapa,
            Tool::Bpftrace,
        ),
        (
            ", single-stepped",
            Tool::SteppedBare,
            Tool::SteppedPair,
            Tool::SteppedEwapa,
            Tool::SteppedBpftrace,
        ),
    ] {
        let cost = |tool| results.per_call(runtime, tool, bare);
        let (pair, ewapa, bpftrace) = (cost(pair), cost(ewapa), cost(bpftrace));
        rows.push(Row {
            ewapa: pair.clone(),
            ..row(format!("empty session pair{what}"), "us", runtime)
        });
        rows.push(Row {
            ewapa: in_pairs(&ewapa, &pair),
            bpftrace: in_pairs(&bpftrace, &pair),
            ..row(format!("in empty session pairs{what}"), "x", runtime)
        });
        rows.push(Row {
            ewapa,
            bpftrace,
            ..row(format!("added to a call{what}"), "us", runtime)
        });
    }
    rows.push(Row {
        bpftrace: results.per_call(runtime, Tool::BpftracePair, Tool::Bare),
        ..row("bpftrace's own empty pair", "us", runtime)
    });
    rows.push(Row {
        ewapa: results.per_call(runtime, Tool::EwapaBundled, Tool::Bare),
        ..row("added to a call, fd_write_latency", "us", runtime)
    });
    rows.push(Row {
        ewapa: results.told(runtime, Tool::Ewapa),
        ..row("probe cost told", "us", runtime)
    });
    rows
}

fn wide_rows(results: &Results, runtime: &'static str) -> Vec<Row> {
    let rows = WHOLE.into_iter().map(|(figure, unit, value)| Row {
        ewapa: results.of(runtime, Tool::EwapaSummary, value),
        bpftrace: results.of(runtime, Tool::BpftraceSummary, value),
        ..row(format!("{FUNCTIONS} functions: {figure}"), unit, runtime)
    });
    rows.collect()
}

fn other_rows(results: &Results, runtime: &'static str) -> Vec<Row> {
    vec![
        Row {
            ewapa: results.of(runtime, Tool::EwapaPrintf, LINES),
            bpftrace: results.of(runtime, Tool::BpftracePrintf, LINES),
            ..row("printf", "1000 lines/s", runtime)
        },
        Row {
            ewapa: results.of(runtime, Tool::EwapaGroups, END),
            bpftrace: results.of(runtime, Tool::BpftraceGroups, END),
            ..row("65,536 groups: end", "ms", runtime)
        },
    ]
}

fn syscall_rows(results: &Results, runtime: &'static str) -> Vec<Row> {
    let of = |figure: &dyn Fn(Tool) -> Samples, name: &str, unit| Row {
        ewapa: figure(Tool::EwapaSyscalls),
        bpftrace: figure(Tool::BpftraceSyscalls),
        strace: figure(Tool::Strace),
        perf: figure(Tool::Perf),
        ..row(format!("system calls: {name}"), unit, runtime)
    };
    let mut rows = vec![of(
        &|tool| results.per_call(runtime, tool, Tool::Bare),
        "added to a call",
        "us",
    )];
    rows.extend(
        WHOLE
            .into_iter()
            .map(|(name, unit, value)| of(&|tool| results.of(runtime, tool, value), name, unit)),
    );
    rows
}

/// All that was measured.
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
                "strace": row.strace.json(),
                "perf": row.perf.json(),
                "ewapa_by_bpftrace": row.ewapa.ratio(&row.bpftrace),
                "ewapa_by_bare": row.ewapa.ratio(&row.bare),
            })
        })
        .collect();
    json!({
        "machine": machine(),
        "versions": versions(),
        "load": { "before": load_before, "after": load() },
        "rounds": rounds,
        "calls": calls,
        "left_out": notes,
        "rows": rows,
    })
}

/// The kernel and the processors.
fn machine() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    // What stands behind the version names the machine's owner and not the kernel.
    let kernel = kernel.trim().split('-').next().unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        info.lines()
            .find_map(|line| line.strip_prefix(name)?.trim().strip_prefix(':'))
            .map_or("", str::trim)
    };
    let kind = if field("flags").split(' ').any(|flag| flag == "hypervisor") {
        ", virtual"
    } else {
        ""
    };
    format!(
        "Linux {kernel}, {processors} processors ({}{kind})",
        field("model name")
    )
}

/// What the tools say of themselves.
fn versions() -> Value {
    let of = |program: &str| {
        let output = std::process::Command::new(program)
            .arg("--version")
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Some(text.lines().next()?.to_owned())
    };
    json!({
        "ewapa": of(env!("CARGO_BIN_EXE_ewapa")),
        "bpftrace": of("bpftrace"),
        "strace": of("strace"),
        "perf": of("perf"),
    })
}

/// The load average of the last minute.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}
