//! `ewapa script`: runs a script and prints its tables.

use std::ffi::{OsStr, OsString};
use std::io::{BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::time::Instant;

use clap::{Arg, CommandFactory, FromArgMatches, Parser, ValueEnum};
use ewapa_lang::plan::Plan;
use ewapa_lang::{Compiled, Environment, Param};
use ewapa_symbols::Catalogue;

use crate::bundled;
use crate::engine::attach::Mechanism;
use crate::engine::trace::{self, Outcome, Target, Timings};
use crate::failure::{Failure, Kind};
use crate::output::console::Console;
use crate::output::table;

/// Runs a script on a command or on running processes.
#[derive(Debug, Parser)]
#[command(
    name = "ewapa script",
    bin_name = "ewapa script",
    override_usage = "ewapa script [OPTIONS] <FILE|NAME> [--PARAM VALUE]... [-p PID]... [-- COMMAND...]"
)]
struct Options {
    /// A script file, or the name of a bundled script (see `ewapa list`)
    #[arg(value_name = "FILE|NAME")]
    script: PathBuf,

    /// Trace this process and its children; may be given several times
    #[arg(short, long, value_name = "PID")]
    pid: Vec<u32>,

    /// Write the tables to a file; default: standard error with a command, else standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Print a stage of the compilation and stop
    #[arg(long, value_name = "STAGE")]
    emit: Option<Stage>,

    /// Print how long the stages took
    #[arg(long)]
    timings: bool,

    /// Print more about what went wrong: the verifier's log
    #[arg(short, long)]
    verbose: bool,

    /// Attach by this mechanism instead of the fastest one
    #[arg(long, value_name = "MECHANISM", hide = true)]
    attach: Option<Mechanism>,

    /// Start this command and trace it and its children
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stage {
    /// What was parsed
    Ast,
    /// What will be probed, kept and printed
    Plan,
    /// The eBPF instructions
    Asm,
}

/// The options that take a value: what follows them is not the script.
const WITH_VALUE: [&str; 7] = [
    "-p", "--pid", "-o", "--output", "--emit", "--attach", "--help",
];

/// Bytes of the script's output that are written at a time.
const BUFFER: usize = 64 * 1024;

/// A script's text and what it is called.
pub struct Source {
    /// For people.
    pub name: String,
    /// The text.
    pub text: String,
}

/// Runs the subcommand on the arguments after its name.
///
/// # Errors
/// What the user has to be told.
pub fn run(rest: Vec<OsString>, start: Instant) -> Result<ExitCode, Failure> {
    let source = script_name(&rest).map(find).transpose()?;
    let params = match &source {
        Some(source) => describe(source)?,
        None => Vec::new(),
    };
    let (options, values) = parse(rest, &params);
    // Without a script clap has told what is missing.
    let Some(source) = source else {
        return Ok(ExitCode::SUCCESS);
    };
    run_source(&source, &options, &values, start)
}

/// Runs a bundled script on a command.
///
/// # Errors
/// What the user has to be told.
pub fn run_bundled(
    name: &str,
    command: Vec<OsString>,
    start: Instant,
) -> Result<ExitCode, Failure> {
    let source = find(OsStr::new(name))?;
    let options = Options {
        script: PathBuf::from(name),
        pid: Vec::new(),
        output: None,
        emit: None,
        timings: false,
        verbose: false,
        attach: None,
        command,
    };
    run_source(&source, &options, &[], start)
}

/// The first argument that is neither an option nor an option's value: its parameters are options, too,
/// so the script has to be known before the command line can be read.
fn script_name(rest: &[OsString]) -> Option<&OsStr> {
    let mut arguments = rest.iter();
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--") => return None,
            Some(option) if WITH_VALUE.contains(&option) => {
                arguments.next();
            }
            Some(option) if option.starts_with('-') && option.len() > 1 => {}
            _ => return Some(argument),
        }
    }
    None
}

fn find(name: &OsStr) -> Result<Source, Failure> {
    let path = Path::new(name);
    let shown = path.display().to_string();
    if let Some(text) = name.to_str().and_then(bundled::script)
        && !path.exists()
    {
        return Ok(Source {
            name: shown,
            text: text.to_owned(),
        });
    }
    let bytes = std::fs::read(path).map_err(|error| {
        let names: Vec<&str> = bundled::SCRIPTS.iter().map(|(name, _)| *name).collect();
        let hint = format!("the bundled scripts are {}", names.join(", "));
        Failure::new(
            Kind::NoInput,
            format!("cannot read the script {shown}: {error}; {hint}"),
        )
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::new(
            Kind::Script,
            format!("ewapa: {shown} is not a script: byte {at} is not UTF-8 text\n"),
        )
    })?;
    Ok(Source { name: shown, text })
}

fn describe(source: &Source) -> Result<Vec<Param>, Failure> {
    ewapa_lang::describe(&source.text)
        .map(|(_, params)| params)
        .map_err(|errors| script_failure(&errors, source))
}

fn script_failure(errors: &[ewapa_lang::Diagnostic], source: &Source) -> Failure {
    let color = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    Failure::new(
        Kind::Script,
        ewapa_lang::render(errors, &source.name, &source.text, color),
    )
}

/// Reads the command line with the script's parameters as options. Ends the process on an error and
/// after `--help`, as clap does.
fn parse(rest: Vec<OsString>, params: &[Param]) -> (Options, Vec<(String, String)>) {
    let mut command = Options::command();
    for param in params {
        let help = if param.doc.is_empty() {
            format!("default: {}", param.default)
        } else {
            format!("{}; default: {}", param.doc, param.default)
        };
        command = command.arg(
            Arg::new(param.name.clone())
                .long(param.name.clone())
                .value_name("VALUE")
                .help(help)
                .allow_hyphen_values(true)
                .help_heading("Parameters of the script"),
        );
    }
    let matches =
        command.get_matches_from(std::iter::once(OsString::from("ewapa script")).chain(rest));
    let options = Options::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let values = params.iter().filter_map(|param| {
        let value = matches.get_one::<String>(&param.name)?;
        Some((param.name.clone(), value.clone()))
    });
    (options, values.collect())
}

fn run_source(
    source: &Source,
    options: &Options,
    values: &[(String, String)],
    start: Instant,
) -> Result<ExitCode, Failure> {
    let mut timings = Timings::new(start);
    if options.emit == Some(Stage::Ast) {
        let script =
            ewapa_lang::parse(&source.text).map_err(|errors| script_failure(&errors, source))?;
        println!("{script:#?}");
        return Ok(ExitCode::SUCCESS);
    }
    let runtimes = Catalogue::bundled().names();
    let compiled: Compiled = ewapa_lang::compile(
        &source.text,
        &Environment {
            runtimes: &runtimes,
        },
        values,
    )
    .map_err(|errors| script_failure(&errors, source))?;
    timings.mark("script checked");
    match options.emit {
        Some(Stage::Plan) => {
            print!("{}", compiled.plan);
            return Ok(ExitCode::SUCCESS);
        }
        Some(Stage::Asm) => {
            let program = ewapa_codegen::program::generate(&compiled.plan)
                .map_err(|error| Failure::of_trace(error.into(), false))?;
            print!("{program}");
            return Ok(ExitCode::SUCCESS);
        }
        Some(Stage::Ast) | None => {}
    }
    let target = target(options, &compiled.plan)?;
    // Before the run: to learn afterwards that there is no place for its result would be late.
    let mut console = Console(output(options, &target)?);
    let outcome = trace::trace(
        &compiled.plan,
        &target,
        options.attach,
        timings,
        &mut console,
    )
    .map_err(|error| Failure::of_trace(error, options.verbose))?;
    report(&compiled, &outcome, options, console.0)?;
    exit_code(&compiled, &outcome, &target)
}

fn target(options: &Options, plan: &Plan) -> Result<Target, Failure> {
    match (options.command.is_empty(), options.pid.is_empty()) {
        (false, true) => Ok(Target::Command(options.command.clone())),
        (true, false) => Ok(Target::Processes(options.pid.clone())),
        (true, true) if plan.functions().is_empty() => Ok(Target::Nothing),
        (true, true) => Err(Failure::new(
            Kind::Usage,
            "nothing to trace: give a command after `--`, or `-p PID`; tracing every process of the machine is not possible yet",
        )),
        (false, false) => Err(Failure::new(
            Kind::Usage,
            "give either a command after `--` or `-p PID`, not both",
        )),
    }
}

/// Where the output goes: the command may write to standard output itself.
fn output(options: &Options, target: &Target) -> Result<BufWriter<Box<dyn Write>>, Failure> {
    let stream: Box<dyn Write> = match (&options.output, target) {
        (Some(path), _) => Box::new(create(path)?),
        (None, Target::Command(_)) => Box::new(std::io::stderr()),
        // Not through Rust's own buffer, which is flushed at each end of a line.
        (None, Target::Processes(_) | Target::Nothing) => Box::new(
            std::io::stdout()
                .as_fd()
                .try_clone_to_owned()
                .map(std::fs::File::from)
                .map_err(|error| {
                    Failure::new(
                        Kind::Output,
                        format!("cannot write to standard output: {error}"),
                    )
                })?,
        ),
    };
    Ok(BufWriter::with_capacity(BUFFER, stream))
}

fn create(path: &Path) -> Result<std::fs::File, Failure> {
    std::fs::File::create(path).map_err(|error| {
        Failure::new(
            Kind::Output,
            format!("cannot write {}: {error}", path.display()),
        )
    })
}

fn report(
    compiled: &Compiled,
    outcome: &Outcome,
    options: &Options,
    mut output: impl Write,
) -> Result<(), Failure> {
    let tables = table::render(&compiled.plan, outcome);
    output
        .write_all(tables.as_bytes())
        .and_then(|()| output.flush())
        .map_err(|error| Failure::new(Kind::Output, format!("cannot write the tables: {error}")))?;
    for trouble in &outcome.troubles {
        eprintln!("ewapa: {trouble}");
    }
    if options.timings {
        for (stage, at) in outcome.timings.stages() {
            eprintln!("{:8.1} ms  {stage}", at.as_secs_f64() * 1e3);
        }
    }
    Ok(())
}

/// The command's own exit code, as a shell gives it.
fn exit_code(compiled: &Compiled, outcome: &Outcome, target: &Target) -> Result<ExitCode, Failure> {
    let code = match outcome.status {
        Some(status) => {
            if !status.success() {
                eprintln!("ewapa: the command {}", ending(status));
            }
            u8::try_from(
                status
                    .code()
                    .or_else(|| status.signal().map(|signal| 128 + signal))
                    .unwrap_or(1),
            )
            .unwrap_or(1)
        }
        None => 0,
    };
    let wanted = !outcome.exited && !compiled.plan.functions().is_empty();
    if let (Target::Command(command), 0, 0, true) = (target, outcome.processes, code, wanted) {
        let names = Catalogue::bundled().names().join(", ");
        let command = command[0].to_string_lossy();
        return Err(Failure::new(
            Kind::NoRuntime,
            format!("no WebAssembly runtime was found in `{command}`; ewapa knows {names}"),
        ));
    }
    Ok(ExitCode::from(code))
}

fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (_, Some(signal)) => format!("was ended by signal {signal}"),
        _ => "ended".to_owned(),
    }
}
