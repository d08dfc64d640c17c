//! `ewapa bench`: runs an experiment.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::ValueHint;

use crate::bench::experiment::{self, Ending, Experiment, Stop};
use crate::bench::file::{self, Earlier, Results};
use crate::bench::plan::Plan;
use crate::bench::result::{self, Line};
use crate::bench::{machine, plan, runtime, trial, workload};
use crate::engine::privileges::user;
use crate::failure::{Failure, Kind};
use crate::host;
use crate::source::Source;

/// The arguments of the subcommand.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to run, as docs/METHOD.md describes; default: every runtime that is found, seven workloads
    #[arg(value_name = "PLAN.toml", value_hint = ValueHint::FilePath)]
    plan: Option<PathBuf>,

    /// Write the results to this file, which must not exist; default: ewapa-bench-SECONDS.jsonl
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,

    /// Go on with an experiment that was interrupted: make the runs that are not in this file yet
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "output")]
    resume: Option<PathBuf>,

    /// Run nothing: make a folder for each combination with what it needs (guest, stdin, command), for other tools
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath, conflicts_with_all = ["output", "resume"])]
    lay_out: Option<PathBuf>,

    /// Run these runtimes only
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    runtimes: Vec<String>,

    /// Run these workloads only
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    workloads: Vec<String>,

    /// Run at these scales only
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    scales: Vec<u64>,

    /// Run each combination so often
    #[arg(long, value_name = "NUMBER")]
    repetitions: Option<u32>,

    /// Shuffle the order of runs by this number
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
}

/// Runs the experiment. The exit code is 0 when it has come to its end, also if runs failed.
///
/// # Errors
/// The plan cannot be used, results cannot be kept, or probes cannot be had.
pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    let start = Instant::now();
    // Under sudo the runtimes are started as the user who called it, as by `ewapa script`.
    user::decide(None).map_err(|error| Failure::new(Kind::Usage, error.to_string()))?;
    let ewapa = std::env::current_exe().map_err(|error| {
        Failure::new(Kind::Internal, format!("cannot find this program: {error}"))
    })?;
    let earlier = match &args.resume {
        Some(path) => Some(Results::resume(path).map_err(of_file)?),
        None => None,
    };
    let mut plan = match (&args.plan, &earlier) {
        (Some(path), _) => Plan::read(path).map_err(of_plan)?,
        (None, Some((_, earlier))) if earlier.experiment.plan.starts_with(plan::NOT_TEXT) => {
            return Err(Failure::new(
                Kind::Usage,
                "paths of the plan of these results are not UTF-8: name its file, too".to_owned(),
            ));
        }
        (None, Some((_, earlier))) => {
            let name = "in the results";
            Plan::parse(name, &earlier.experiment.plan, "/".as_ref()).map_err(of_plan)?
        }
        (None, None) => Plan::standard().map_err(of_plan)?,
    };
    choose(&mut plan, args);
    let runtimes =
        runtime::of_plan(&plan).map_err(|error| Failure::new(Kind::Usage, error.to_string()))?;
    // Written down, so that the same are run when the experiment goes on.
    plan.runtimes = runtimes.iter().map(|found| found.name.clone()).collect();
    let workloads =
        workload::of_plan(&plan).map_err(|error| Failure::new(Kind::NoInput, error.to_string()))?;
    check_scripts(&plan.scripts)?;
    let seed = match &earlier {
        Some((_, earlier)) => earlier.experiment.seed,
        None => *plan.seed.get_or_insert_with(rand_seed),
    };
    plan.seed = Some(seed);
    let experiment = Experiment {
        plan,
        runtimes,
        workloads,
        seed,
        ewapa,
    };
    if let Some(folder) = &args.lay_out {
        let names = experiment.lay_out(folder).map_err(of_experiment)?;
        let lines: String = names.iter().map(|name| format!("{name}\n")).collect();
        crate::stdout::print(&lines)?;
        return Ok(ExitCode::SUCCESS);
    }
    let planned = described(&experiment);
    let (mut results, earlier) = match earlier {
        Some((mut results, earlier)) => {
            refuse_other(&experiment, &planned, &earlier)?;
            results.add(&Line::Experiment(planned)).map_err(of_file)?;
            (results, Some(earlier))
        }
        None => {
            let path = args
                .output
                .clone()
                .unwrap_or_else(|| PathBuf::from(format!("ewapa-bench-{}.jsonl", planned.began)));
            let results = Results::create(&path, &planned).map_err(of_file)?;
            (results, None)
        }
    };
    let ending = experiment
        .run(earlier.as_ref(), &mut results)
        .map_err(of_experiment)?;
    crate::stdout::print(&summary(&ending, &results, start.elapsed()))?;
    Ok(match ending.stopped {
        Some(Stop::Signal(number)) => ExitCode::from(u8::try_from(128 + number).unwrap_or(1)),
        Some(Stop::Budget) | None => ExitCode::SUCCESS,
    })
}

/// Takes what the command line chooses.
fn choose(plan: &mut Plan, args: &Args) {
    if !args.runtimes.is_empty() {
        plan.runtimes.clone_from(&args.runtimes);
    }
    if !args.workloads.is_empty() {
        plan.workloads.clone_from(&args.workloads);
    }
    if !args.scales.is_empty() {
        plan.scales.clone_from(&args.scales);
    }
    plan.repetitions = args.repetitions.unwrap_or(plan.repetitions);
    plan.seed = args.seed.or(plan.seed);
}

/// Errors of scripts are told before anything runs.
fn check_scripts(scripts: &[String]) -> Result<(), Failure> {
    let runtimes = host::runtimes();
    for script in scripts {
        let source = Source::find(script.as_ref())?;
        let environment = host::environment(&runtimes, Some(&source.name));
        ewapa_lang::compile(&source.text, &environment, &[])
            .map_err(|errors| source.failure(&errors))?;
    }
    Ok(())
}

/// A number that is another one each time.
fn rand_seed() -> u64 {
    // Small enough to be typed again.
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |now| now.as_nanos() as u64 % 1_000_000_007)
}

fn described(experiment: &Experiment) -> result::Experiment {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    result::Experiment {
        schema: result::SCHEMA,
        ewapa: env!("CARGO_PKG_VERSION").to_owned(),
        began: now.map_or(0, |now| now.as_secs()),
        machine: machine::describe(),
        seed: experiment.seed,
        plan: experiment.plan.text(),
        runs: experiment.jobs().len(),
    }
}

/// Runs of another plan, machine or version of a runtime are not put together with these.
fn refuse_other(
    experiment: &Experiment,
    planned: &result::Experiment,
    earlier: &Earlier,
) -> Result<(), Failure> {
    let refuse = |text: String| Err(Failure::new(Kind::Usage, text));
    if planned.plan != earlier.experiment.plan {
        return refuse(
            "these results are of another plan; go on without a plan and without options, or begin anew"
                .to_owned(),
        );
    }
    if planned.machine != earlier.experiment.machine {
        return refuse(format!(
            "these results are of another machine ({}), and this one is {}",
            earlier.experiment.machine, planned.machine
        ));
    }
    for runtime in &experiment.runtimes {
        let before = earlier.runs.iter().find(|run| run.runtime == runtime.name);
        if let Some(before) = before.filter(|before| before.version != runtime.version) {
            return refuse(format!(
                "these results are of {} {}, and now it is {}",
                runtime.name, before.version, runtime.version
            ));
        }
    }
    Ok(())
}

/// What is said at the end.
fn summary(ending: &Ending, results: &Results, took: Duration) -> String {
    let path = results.path().display();
    let mut text = format!("{} runs in {:.1} s", ending.runs, took.as_secs_f64());
    let stopped = match ending.stopped {
        Some(Stop::Signal(_)) => "interrupted: ",
        Some(Stop::Budget) => "as many as there was time for: ",
        None => "",
    };
    if ending.left > 0 {
        let _ = write!(text, "; {stopped}{} runs are not done", ending.left);
    }
    text.push('\n');
    for (trouble, count) in &ending.troubles {
        let times = if *count == 1 { "run" } else { "runs" };
        let _ = writeln!(text, "{count} {times}: {trouble}");
    }
    let _ = writeln!(text, "results: {path}; `ewapa report {path}` shows them");
    if ending.left > 0 {
        let _ = writeln!(text, "`ewapa bench --resume {path}` goes on");
    }
    text
}

fn of_plan(error: plan::Error) -> Failure {
    let kind = match error {
        plan::Error::Read { .. } => Kind::NoInput,
        plan::Error::Format { .. } | plan::Error::Meaning { .. } => Kind::Script,
    };
    with_prefix(kind, error.to_string())
}

/// A script's errors are printed as they are, those of a plan like all others.
fn with_prefix(kind: Kind, text: String) -> Failure {
    match kind {
        Kind::Script => Failure::new(kind, format!("ewapa: {}\n", text.trim_end())),
        _ => Failure::new(kind, text),
    }
}

fn of_file(error: file::Error) -> Failure {
    let kind = match error {
        file::Error::Exists { .. } | file::Error::Write { .. } => Kind::Output,
        file::Error::Read { .. } | file::Error::Format { .. } => Kind::NoInput,
    };
    Failure::new(kind, error.to_string())
}

fn of_experiment(error: experiment::Error) -> Failure {
    let kind = match &error {
        experiment::Error::Trial(trial::Error::Probes { kind, .. }) => *kind,
        experiment::Error::Results(_) => Kind::Output,
        experiment::Error::Trial(_) | experiment::Error::Prepare(_) => Kind::Internal,
    };
    let hint = match kind {
        Kind::NoRights | Kind::Kernel => {
            "; `observed = false` in a plan measures without probes: total time and memory only"
        }
        _ => "",
    };
    Failure::new(kind, format!("{error}{hint}"))
}
