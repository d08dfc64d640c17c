//! `ewapa script`: runs a script and prints its tables.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use clap::{Arg, CommandFactory, FromArgMatches, Parser, ValueEnum, ValueHint};
use ewapa_lang::plan::{MessageKind, Plan};
use ewapa_lang::{Compiled, Environment, Param};
use ewapa_symbols::Catalogue;

use crate::catalogue;
use crate::engine::attach::{self, Mechanism};
use crate::engine::feature::{self, Feature};
use crate::engine::privileges::user;
use crate::engine::trace::{self, Outcome, Target, Timings};
use crate::failure::{Failure, Kind, end};
use crate::host;
use crate::output::cells::escape;
use crate::output::format::Format;
use crate::output::report::Report;
use crate::output::verdict::Holds;
use crate::output::{summary, terminal};
use crate::source::Source;
use crate::stdout;

use super::line::{self, Named};
use super::{dry_run, seconds, stamp, words};

/// Runs a script on a command or on running processes.
#[derive(Debug, Parser)]
#[command(
    name = "ewapa script",
    bin_name = "ewapa script",
    override_usage = "ewapa script [OPTIONS] <FILE|NAME|-e PROGRAM> [--PARAM VALUE]... [ARGUMENT]... [-p PID]... [-- COMMAND...]"
)]
pub struct Options {
    /// A script file, the name of a bundled script (see `ewapa list`), or `-` for standard input
    /// and behind it the values of $1, $2 and so on
    #[arg(value_name = "FILE|NAME", value_hint = ValueHint::FilePath, required_unless_present = "execute", allow_negative_numbers = true)]
    words: Vec<OsString>,

    /// Run this text; `ewapa -e PROGRAM` is short for `ewapa script -e PROGRAM`
    #[arg(short, long, value_name = "PROGRAM")]
    execute: Option<String>,

    /// Trace this process and its children; may be given several times
    #[arg(short, long, value_name = "PID")]
    pid: Vec<u32>,

    /// End the run after so many seconds; a command is told to end (SIGTERM)
    #[arg(short, long, value_name = "SECS", value_parser = seconds::parse)]
    duration: Option<Duration>,

    /// Print all tables and maps each time that so many seconds have passed
    #[arg(short, long, value_name = "SECS", value_parser = seconds::parse)]
    interval: Option<Duration>,

    /// Write the time of day before each line
    #[arg(short = 'T', long)]
    timestamps: bool,

    /// Allow `system()` to run commands
    #[arg(long)]
    r#unsafe: bool,

    /// Start the command as this user, by name or number; default: who called sudo, else who runs ewapa
    #[arg(long, value_name = "USER")]
    user: Option<OsString>,

    /// Write the tables to a file; default: standard error with a command, else standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// How results are written; default: what the script says, else `table`
    #[arg(short, long)]
    format: Option<Format>,

    /// Write tables only, without what stands above and below them
    #[arg(short, long)]
    quiet: bool,

    /// End with exit code 4 if anything is missing from the numbers, and say what
    #[arg(long)]
    strict: bool,

    /// Print a stage of the compilation and stop
    #[arg(long, value_name = "STAGE")]
    emit: Option<Stage>,

    /// Compile the script and show what would be probed in the command's executable or in the processes,
    /// without loading or running anything
    #[arg(long)]
    dry_run: bool,

    /// Print how long the stages took
    #[arg(long)]
    timings: bool,

    #[command(flatten)]
    catalogue: catalogue::Folders,

    /// Print more about what went wrong: the verifier's log
    #[arg(short, long)]
    verbose: bool,

    /// Without a command or -p: do not let programs that were never looked into wait at their start until
    /// they have been; the first calls of a runtime may then be missing
    #[arg(long)]
    no_hold: bool,

    /// How what is printed is buffered, as for bpftrace: it always comes at once
    #[arg(short = 'B', value_name = "MODE", value_parser = ["line", "full", "none"], hide = true)]
    _buffering: Option<String>,

    /// Attach by this mechanism instead of the fastest one that the kernel has
    #[arg(long, value_name = "MECHANISM")]
    attach: Option<Mechanism>,

    /// Do without these features of the kernel, as one that lacks them would
    #[arg(long, value_name = "FEATURES", value_delimiter = ',', hide = true)]
    without: Vec<Feature>,

    /// Start this command, given as one text, and trace it and its children: quotes as in a shell, and no
    /// variables or globs
    #[arg(
        short = 'c',
        long = "cmd",
        value_name = "COMMAND",
        conflicts_with = "command"
    )]
    cmd: Option<String>,

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

/// Bytes of the output that are written at a time.
const BUFFER: usize = 64 * 1024;

/// Runs the subcommand on the arguments after its name.
///
/// # Errors
/// What the user has to be told.
pub fn run(rest: Vec<OsString>, start: Instant) -> Result<ExitCode, Failure> {
    catalogue::Folders::of(&rest).load()?;
    let source = match line::script(&rest, &Options::command()) {
        Some(Named::File(name)) => Some(Source::find(name)?),
        Some(Named::Text(text)) => Some(Source::inline(text)?),
        None => None,
    };
    let params = match &source {
        Some(source) => ewapa_lang::describe(&source.text)
            .map(|(_, params)| params)
            .map_err(|errors| source.failure(&errors))?,
        None => Vec::new(),
    };
    let (mut options, values) = parse(rest, &params);
    if let Some(text) = &options.cmd {
        options.command = words::split(text).map_err(|why| {
            Failure::new(Kind::Usage, format!("the command after `-c` {why}: {text}"))
        })?;
    }
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
    let source = Source::find(OsStr::new(name))?;
    let options = Options {
        words: vec![OsString::from(name)],
        execute: None,
        pid: Vec::new(),
        duration: None,
        interval: None,
        timestamps: false,
        r#unsafe: false,
        user: None,
        output: None,
        format: None,
        quiet: false,
        strict: false,
        emit: None,
        dry_run: false,
        timings: false,
        catalogue: catalogue::Folders::default(),
        verbose: false,
        no_hold: false,
        _buffering: None,
        attach: None,
        without: Vec::new(),
        cmd: None,
        command,
    };
    run_source(&source, &options, &[], start)
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
                .allow_negative_numbers(true)
                .help_heading("Parameters of the script"),
        );
    }
    if let Some(name) = param_without_value(&rest, params) {
        let message = format!("a value is required for '--{name} <VALUE>' but none was supplied");
        end(&command.error(clap::error::ErrorKind::InvalidValue, message));
    }
    let matches = command
        .try_get_matches_from(std::iter::once(OsString::from("ewapa script")).chain(rest))
        .unwrap_or_else(|error| end(&error));
    let options = Options::from_arg_matches(&matches).unwrap_or_else(|error| end(&error));
    let values = params.iter().filter_map(|param| {
        let value = matches.get_one::<String>(&param.name)?;
        Some((param.name.clone(), value.clone()))
    });
    (options, values.collect())
}

/// The parameter that has `--` in the place of its value. Values may begin with dashes, so clap would take
/// this for one.
fn param_without_value<'p>(rest: &[OsString], params: &'p [Param]) -> Option<&'p str> {
    let separator = rest.iter().position(|argument| argument == "--")?;
    let before = rest.get(separator.checked_sub(1)?)?.to_str()?;
    let name = before.strip_prefix("--")?;
    let param = params.iter().find(|param| param.name == name)?;
    Some(&param.name)
}

fn run_source(
    source: &Source,
    options: &Options,
    values: &[(String, String)],
    start: Instant,
) -> Result<ExitCode, Failure> {
    let mut timings = Timings::new(start);
    if options.emit == Some(Stage::Ast) {
        let script = ewapa_lang::parse(&source.text).map_err(|errors| source.failure(&errors))?;
        stdout::print(&format!("{script:#?}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let runtimes = host::runtimes();
    let arguments = arguments(options)?;
    let environment = Environment {
        arguments: &arguments,
        allows_unsafe: options.r#unsafe,
        ..host::environment(&runtimes, Some(&source.name))
    };
    let compiled: Compiled = ewapa_lang::compile(&source.text, &environment, values)
        .map_err(|errors| source.failure(&errors))?;
    timings.mark("script checked");
    match options.emit {
        Some(Stage::Plan) => {
            stdout::print(&compiled.plan.to_string())?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Stage::Asm) => {
            let program = ewapa_codegen::program::generate(&compiled.plan)
                .map_err(|error| Failure::of_trace(error.into(), false))?;
            stdout::print(&program.to_string())?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Stage::Ast) | None => {}
    }
    if options.dry_run {
        let nothing = options.command.is_empty() && options.pid.is_empty();
        let target = (!nothing).then(|| target(options)).transpose()?;
        stdout::print(&dry_run::show(
            &source.name,
            &compiled.plan,
            target.as_ref(),
        )?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let target = target(options)?;
    user::decide(options.user.as_deref()).map_err(|error| {
        let kind = match error {
            user::Error::Unknown(_) => Kind::Usage,
            user::Error::NotRoot => Kind::NoRights,
        };
        Failure::new(kind, error.to_string())
    })?;
    let said = compiled.plan.settings.format.map(Format::from);
    let format = options.format.or(said).unwrap_or(Format::Table);
    refuse_format(format, &compiled.plan)?;
    if options.timestamps && format != Format::Table {
        return Err(Failure::new(
            Kind::Usage,
            "`-T` writes the time before lines for people; leave `-T` or `-f` away",
        ));
    }
    // Before the run: to learn afterwards that there is no place for its result would be late.
    let (out, width) = output(options, &target)?;
    let exporter = format.exporter(options.quiet, width.unwrap_or(terminal::USUAL_WIDTH));
    let out = if options.timestamps {
        Box::new(stamp::Stamped::new(out))
    } else {
        out
    };
    let out = BufWriter::with_capacity(BUFFER, out);
    feature::forgo(&options.without);
    let mut report = Report::new(&compiled.plan, exporter, Box::new(out));
    let unwritable = |error: &io::Error| Failure::of_output(error, options.output.as_deref());
    let outcome = trace::trace(
        &compiled.plan,
        &target,
        &trace::Wishes {
            mechanism: options.attach,
            limit: options.duration,
            interval: options.interval,
            no_hold: options.no_hold,
        },
        timings,
        &mut report,
    )
    .map_err(|error| match error {
        trace::Error::Output(error) => unwritable(&error),
        error => Failure::of_trace(error, options.verbose),
    })?;
    let verdicts = report.end(&outcome).map_err(|error| unwritable(&error))?;
    for verdict in &verdicts {
        if verdict.holds != Holds::Yes {
            say!("ewapa: {verdict}");
        }
    }
    say_more(&outcome, options);
    let said = if options.strict && is_incomplete(&outcome) {
        INCOMPLETE
    } else if verdicts.iter().any(|verdict| verdict.holds == Holds::No) {
        CHECK_FAILED
    } else {
        0
    };
    let code = exit_code(&compiled.plan, &outcome, &target, said);
    attach::close(outcome.attached);
    drop(outcome.leases);
    code
}

fn target(options: &Options) -> Result<Target, Failure> {
    match (options.command.is_empty(), options.pid.is_empty()) {
        (false, true) => Ok(Target::Command(options.command.clone())),
        (true, false) => Ok(Target::Processes(options.pid.clone())),
        (true, true) => Ok(Target::Machine),
        (false, false) => Err(Failure::new(
            Kind::Usage,
            "give either a command after `--` or `-p PID`, not both",
        )),
    }
}

/// The values of `$1`, `$2` and so on.
fn arguments(options: &Options) -> Result<Vec<&str>, Failure> {
    let before = usize::from(options.execute.is_none());
    let words = options.words.iter().skip(before);
    words
        .map(|word| {
            word.to_str().ok_or_else(|| {
                let shown = word.display();
                Failure::new(
                    Kind::Usage,
                    format!("the argument {shown} is not UTF-8 text"),
                )
            })
        })
        .collect()
}

/// Two formats know nothing but tables: maps are tables, but text is none.
fn refuse_format(format: Format, plan: &Plan) -> Result<(), Failure> {
    let name = match format {
        Format::Table | Format::Json => return Ok(()),
        Format::Csv => "csv",
        Format::Md => "md",
    };
    let text = plan.messages.iter().find_map(|message| match message.kind {
        MessageKind::Printf(_) => Some("printf()"),
        MessageKind::Time(_) => Some("time()"),
        MessageKind::PrintValue(_) => Some("print() of a value"),
        MessageKind::Join(_) => Some("join()"),
        MessageKind::Cat(_) => Some("cat()"),
        MessageKind::System(_) => Some("system()"),
        _ => None,
    });
    let Some(what) = text else {
        return Ok(());
    };
    Err(Failure::new(
        Kind::Usage,
        format!(
            "`-f {name}` writes tables, and not the text of {what}; use `-f json`, or leave `-f` away"
        ),
    ))
}

/// Where the output goes, and how wide that is: the command may write to standard output itself.
fn output(options: &Options, target: &Target) -> Result<(Box<dyn Write>, Option<usize>), Failure> {
    Ok(match (&options.output, target) {
        (Some(path), _) => (Box::new(create(path)?), None),
        (None, Target::Command(_)) => (Box::new(io::stderr()), terminal::width(io::stderr())),
        // Not through Rust's own buffer, which is flushed at each end of a line.
        (None, Target::Processes(_) | Target::Machine) => {
            let out = io::stdout().as_fd().try_clone_to_owned().map_err(|error| {
                let message = format!("cannot write to standard output: {error}");
                Failure::new(Kind::Output, message)
            })?;
            let out = File::from(out);
            (Box::new(out), terminal::width(io::stdout()))
        }
    })
}

/// The file belongs to the caller, who has to be allowed to write it.
fn create(path: &Path) -> Result<File, Failure> {
    user::as_caller(|| {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        if others_may_link(path) {
            options.custom_flags(libc::O_NOFOLLOW);
        }
        options.open(path)
    })
    .map_err(|error| {
        let why = match error.raw_os_error() {
            Some(libc::ELOOP) => {
                ": a symbolic link in a folder where anyone may make one is not followed"
            }
            _ => "",
        };
        Failure::new(
            Kind::Output,
            format!("cannot write {}: {error}{why}", path.display()),
        )
    })
}

/// Whether the file is in a folder in which others may make links, such as /tmp.
fn others_may_link(path: &Path) -> bool {
    const WRITABLE_BY_OTHERS: u32 = 0o002;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // What cannot be looked at cannot be written to either.
    std::fs::metadata(folder)
        .is_ok_and(|metadata| metadata.permissions().mode() & WRITABLE_BY_OTHERS != 0)
}

fn say_more(outcome: &Outcome, options: &Options) {
    for trouble in &outcome.troubles {
        say!("ewapa: {}", escape(trouble));
    }
    let signal = outcome.status.and_then(|status| status.signal());
    if let Some(why) = signal.and_then(cause_of_end)
        && !outcome.reading.losses.unfinished.is_empty()
        && options.attach != Some(Mechanism::Exits)
    {
        say!("ewapa: {why}; `--attach exits` does without return probes");
    }
    if options.timings {
        for (stage, at) in outcome.timings.stages() {
            say!("{:8.1} ms  {stage}", at.as_secs_f64() * 1e3);
        }
    }
}

/// What return probes may have to do with a signal that ended a process in a call.
fn cause_of_end(signal: i32) -> Option<&'static str> {
    match signal {
        libc::SIGILL => Some(
            "the kernel ends a process so when a function with a return probe returns on another thread than it was called on",
        ),
        libc::SIGABRT => Some(
            "a process ends so when an exception or panic is to leave a function with a return probe",
        ),
        _ => None,
    }
}

/// The exit code of a run whose command succeeded and one of whose checks does not hold.
const CHECK_FAILED: u8 = 3;

/// The exit code of a run with `--strict` whose command succeeded, and from whose numbers something is missing.
/// What a check says of such numbers does not matter.
const INCOMPLETE: u8 = 4;

/// Whether anything is missing from the numbers; says what.
fn is_incomplete(outcome: &Outcome) -> bool {
    let mut missing = summary::missing(&outcome.reading.losses);
    if !outcome.troubles.is_empty() {
        missing.push("what was not seen, or seen late, is said above".to_owned());
    }
    if !missing.is_empty() {
        say!("ewapa: --strict: not complete: {}", missing.join("; "));
    }
    !missing.is_empty()
}

/// The command's own exit code, as a shell gives it: what ewapa says of the numbers never hides it.
fn exit_code(
    plan: &Plan,
    outcome: &Outcome,
    target: &Target,
    said: u8,
) -> Result<ExitCode, Failure> {
    let code = match outcome.status {
        Some(status) => {
            if !status.success() {
                say!("ewapa: the command {}", ending(status));
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
    // A command that fails is not hidden by what the script says.
    let code = if code == 0 { outcome.exit_code } else { code };
    let wanted = !outcome.exited && !plan.functions().is_empty();
    if let (Target::Command(command), 0, 0, true) =
        (target, outcome.reading.processes, code, wanted)
    {
        let names = Catalogue::in_use().names().join(", ");
        let command = command[0].to_string_lossy();
        if outcome.unattached {
            return Err(Failure::new(
                Kind::Kernel,
                format!(
                    "nothing of `{command}` was traced: its runtime could not be attached to (why is said above)"
                ),
            ));
        }
        return Err(Failure::new(
            Kind::NoRuntime,
            format!("no WebAssembly runtime was found in `{command}`; ewapa knows {names}"),
        ));
    }
    Ok(ExitCode::from(if code == 0 { said } else { code }))
}

fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (_, Some(signal)) => format!("was ended by signal {signal}"),
        _ => "ended".to_owned(),
    }
}
