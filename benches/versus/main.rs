//! Compares ewapa with bpftrace and with the bare program, side by side in one run.
//!
//! ```text
//! cargo bench --bench versus                                  all of it, 9 rounds: some minutes
//! cargo bench --bench versus -- --rounds 3 --json FILE        fewer rounds; the figures and all samples as JSON
//! cargo bench --bench versus -- --write-docs                  the figures of docs/PERFORMANCE.md, and its tables
//! cargo bench --bench versus -- --tables                      its tables again, from the figures that are there
//! ```
//!
//! It needs root, as tracing does, the runtimes that `tests/runtimes/install.sh` installs (wasmtime, whose
//! binary has 67 MB, and wasm3, a small one), and bpftrace, strace, perf and nm. What is not there is said, and its
//! figures are left out; so is a run that fails. Nothing is asserted about time. A count that is wrong is an error.
//!
//! In every round each of the tools runs the same guest once on each runtime; the order rotates by one from
//! round to round, so that none always has the warm caches. A figure is the median of the rounds, with the
//! smallest and the largest in brackets. Times are the harness's clock:
//!
//! - **start**: from spawning the tool to the first byte that the guest writes. Bare: the runtime alone.
//!   ewapa runs fd_write_latency; bpftrace the `@start[tid]` idiom with a histogram on the runtime's fd_write.
//! - **start, added**: the same less the bare run of the round.
//! - **end**: from the end of the guest's process to the end of the tool's.
//! - **memory**: the tool's own peak resident set (`VmHWM`), without that of the guest's process.
//! - **processor time**: the tool's own, of its whole life, without that of the guest.
//! - **guest's run**: from the harness's word to go on until the guest's last byte, `--calls` calls later.
//!   The tools do the same here: ewapa runs latency.ewq, which has counts and percentiles alone.
//! - **added to a call**: the guest's run less the bare one of the round, by call.
//! - **added to a call, fd_write_latency**: the same for the bundled script, which books system calls besides.
//! - **empty session pair**: what entry and return add to a call whose program does nothing: a uprobe session link that
//!   the harness attaches itself. **bpftrace's own empty pair**: the same by its two probes.
//! - **in empty session pairs**: *added to a call* as a multiple of that.
//! - **single-stepped**: the same of environ_sizes_get of wasm3, under whose probe is an instruction that the kernel
//!   does not emulate.
//! - **probe cost told**: what ewapa prints below its table.
//! - **46 functions**: entry and return of all functions of preview 1 on wasmtime; ewapa's wasi_summary, and
//!   bpftrace with a count and a sum. bpftrace takes some ten seconds to start, as it looks up each symbol by
//!   itself, and as many to end: `--wide-rounds` of them only.
//! - **printf**: lines that arrived in a file, by second from the word to go on until the tool's end. What a tool
//!   loses it has to say.
//! - **65,536 groups**: from the end of a guest each of whose calls is a group of its own to the end of the tool, which
//!   reads, sorts and prints them.
//! - **system calls**: count and time of each system call by its number. strace and perf run a guest with a twentieth
//!   of the calls, as both do much at each.
//!
//! To add a tool: a variant of [`tools::Tool`] with its command, where its count is in [`counts`], its place in
//! [`SIDE_BY_SIDE`] or [`WIDE`], and its figures in [`report::rows`].

mod counts;
mod figures;
mod page;
mod report;
mod run;
mod runtimes;
mod session;
mod tools;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use report::Results;
use runtimes::Runtime;
use tools::{Bench, Tool};

/// What went wrong, for people.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What runs on every runtime.
const SIDE_BY_SIDE: [Tool; 14] = [
    Tool::Bare,
    Tool::SessionPair,
    Tool::Ewapa,
    Tool::EwapaBundled,
    Tool::Bpftrace,
    Tool::BpftracePair,
    Tool::EwapaSyscalls,
    Tool::BpftraceSyscalls,
    Tool::Strace,
    Tool::Perf,
    Tool::EwapaPrintf,
    Tool::BpftracePrintf,
    Tool::EwapaGroups,
    Tool::BpftraceGroups,
];

/// What runs besides on a runtime of whose functions one is single-stepped.
const STEPPED: [Tool; 4] = [
    Tool::SteppedBare,
    Tool::SteppedPair,
    Tool::SteppedEwapa,
    Tool::SteppedBpftrace,
];

/// What runs besides on a runtime that has all functions.
const WIDE: [Tool; 2] = [Tool::EwapaSummary, Tool::BpftraceSummary];

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "versus", about = "Compares ewapa with bpftrace")]
struct Options {
    /// How often everything is measured
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How often bpftrace is measured with 46 functions
    #[arg(long, default_value_t = 2)]
    wide_rounds: u32,
    /// The guest's calls of fd_write
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1..))]
    calls: u32,
    /// Writes the figures and all samples to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes the figures to docs/performance.json, and their tables into docs/PERFORMANCE.md
    #[arg(long)]
    write_docs: bool,
    /// Measures nothing: writes the tables of docs/performance.json into docs/PERFORMANCE.md
    #[arg(long, conflicts_with_all = ["write_docs", "json"])]
    tables: bool,
    /// Given by `cargo bench`, and not by `cargo test --benches`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if !options.bench {
        eprintln!("versus: measures under `cargo bench --bench versus` only");
        return ExitCode::SUCCESS;
    }
    let done = if options.tables {
        write_tables()
    } else {
        versus(&options)
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("versus: {error}");
            ExitCode::FAILURE
        }
    }
}

fn versus(options: &Options) -> Result<()> {
    let bench = Bench::new(options.calls)?;
    let mut notes = Vec::new();
    let runtimes = runtimes::copies(bench.folder(), &mut notes)?;
    let mut plan: Vec<(&Runtime, Vec<Tool>)> = Vec::new();
    for runtime in &runtimes {
        let wide = if runtime.whole { &WIDE[..] } else { &[] };
        let stepped = if runtime.stepped.is_some() {
            &STEPPED[..]
        } else {
            &[]
        };
        for tools in [&SIDE_BY_SIDE[..], stepped, wide] {
            plan.push((runtime, bench.possible(tools, runtime, &mut notes)));
        }
    }
    let load_before = report::load();

    let mut results = Results::new(options.calls);
    for round in 0..options.rounds {
        eprintln!("versus: round {} of {}", round + 1, options.rounds);
        for (runtime, tools) in &plan {
            let mut order = tools.clone();
            order.rotate_left(round as usize % tools.len().max(1));
            for tool in order {
                let is_due = tool != Tool::BpftraceSummary || round < options.wide_rounds;
                if is_due && let Some(run) = bench.run(tool, runtime, &mut notes)? {
                    results.add(runtime.name, tool, round, run);
                }
            }
        }
    }

    let rows = report::rows(&results, &runtimes);
    let figures = report::json(&rows, options.rounds, options.calls, &load_before, &notes);
    print!("{}", page::for_terminal(&figures));
    if let Some(file) = &options.json {
        write(file, &format!("{figures:#}\n"))?;
    }
    if options.write_docs {
        write(&docs(FIGURES), &format!("{figures:#}\n"))?;
        write_tables()?;
    }
    Ok(())
}

/// The figures that the documentation has.
const FIGURES: &str = "performance.json";

fn docs(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(file)
}

fn write_tables() -> Result<()> {
    let figures = std::fs::read_to_string(docs(FIGURES))?;
    let path = docs("PERFORMANCE.md");
    let text = page::write_into(
        &std::fs::read_to_string(&path)?,
        &serde_json::from_str(&figures)?,
    )?;
    write(&path, &text)
}

fn write(file: &Path, text: &str) -> Result<()> {
    std::fs::write(file, text)
        .map_err(|error| format!("cannot write {}: {error}", file.display()).into())
}
