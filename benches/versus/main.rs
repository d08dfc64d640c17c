//! Compares ewapa with bpftrace and with the bare program, side by side in one run.
//!
//! ```text
//! cargo bench --bench versus                                  all of it, 9 rounds: some minutes
//! cargo bench --bench versus -- --rounds 3 --json FILE        fewer rounds; the figures and all samples as JSON
//! ```
//!
//! It needs root, as tracing does, the runtimes that `tests/runtimes/install.sh` installs (wasmtime, whose
//! binary has 67 MB, and wasm3, a small one), and bpftrace and nm. What is not there is said, and its figures are
//! left out. Nothing is asserted about time. A count that is wrong is an error.
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
//! - **guest's run**: from the harness's word to go on until the guest's last byte, `--calls` calls later.
//!   The tools do the same here: ewapa runs latency.ewq, which has counts and percentiles alone.
//! - **added to a call**: the guest's run less the bare one of the round, by call.
//! - **added, fd_write_latency**: the same for the bundled script, which books system calls besides.
//! - **empty pair**: what entry and return probes add to a call whose programs do nothing; in ewapa's column
//!   a uprobe session link that the harness attaches itself, in bpftrace's its own pair of empty probes.
//! - **in empty session pairs**: *added to a call* as a multiple of ewapa's column above.
//! - **probe cost told**: what ewapa prints below its table.
//! - **46 functions**: entry and return of all functions of preview 1 on wasmtime; ewapa's wasi_summary, and
//!   bpftrace with a count and a sum. bpftrace takes some ten seconds to start, as it looks up each symbol by
//!   itself, and as many to end: `--wide-rounds` of them only.
//!
//! To add a tool: a variant of [`tools::Tool`] with its command and where its count is, its place in
//! [`SIDE_BY_SIDE`] or [`WIDE`], and its figures in [`report::rows`].

mod figures;
mod report;
mod run;
mod runtimes;
mod session;
mod tools;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use report::Results;
use runtimes::Runtime;
use tools::{Bench, Tool};

/// What went wrong, for people.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What runs on every runtime.
const SIDE_BY_SIDE: [Tool; 6] = [
    Tool::Bare,
    Tool::SessionPair,
    Tool::Ewapa,
    Tool::EwapaBundled,
    Tool::Bpftrace,
    Tool::BpftracePair,
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
    match versus(&options) {
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
        for tools in [&SIDE_BY_SIDE[..], wide] {
            plan.push((runtime, bench.possible(tools, runtime, &mut notes)));
        }
    }
    let load_before = report::load();

    let mut results = Results::default();
    for round in 0..options.rounds {
        eprintln!("versus: round {} of {}", round + 1, options.rounds);
        for (runtime, tools) in &plan {
            let mut order = tools.clone();
            order.rotate_left(round as usize % tools.len().max(1));
            for tool in order {
                if tool != Tool::BpftraceSummary || round < options.wide_rounds {
                    let run = bench.run(tool, runtime)?;
                    results.add(runtime.name, tool, round, run);
                }
            }
        }
    }

    let rows = report::rows(&results, &runtimes, options.calls);
    println!("{}", report::table(&rows));
    println!(
        "{} rounds of {} calls; {}; load average {load_before} before, {} after",
        options.rounds,
        options.calls,
        report::machine(),
        report::load()
    );
    for note in &notes {
        println!("left out: {note}");
    }
    if let Some(file) = &options.json {
        let json = report::json(&rows, options.rounds, options.calls, &load_before, &notes);
        std::fs::write(file, format!("{json:#}\n"))
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    }
    Ok(())
}
