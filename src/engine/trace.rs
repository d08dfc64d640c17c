//! One run: from a plan and the processes to trace, to the groups of its tables.

mod error;
mod finish;
mod follow;
mod outcome;

use std::ffi::OsString;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use aya::maps::{HashMap as BpfHashMap, Map, RingBuf};
use ewapa_codegen::layout::StoreLayout;
use ewapa_codegen::{elf, link, program};
use ewapa_lang::plan::{Event, MessageKind, Plan};

use super::attach::{self, Link, Mechanism};
use super::calibrate::ProbeCost;
use super::clauses::Clauses;
use super::command::{Held, Running};
use super::feature::Feature;
use super::gate::Gate;
use super::grace_period::Ahead;
use super::keeper::Keeper;
use super::kernel;
use super::known::Known;
use super::load::{Loaded, Settings};
use super::maps::proc_text;
use super::messages::Messages;
use super::names::Names;
use super::needs::{Needs, follows_processes};
use super::privileges::{self, Capability, Set, user};
use super::probes::Probes;
use super::processes::{Processes, inspect_ahead};
use super::raw::{self, Raw};
use super::reading::{Counters, Reading};
use super::said::Listener;
use super::script::Script;
use super::signals::Signals;

pub use error::Error;
pub use outcome::{Outcome, Timings};

use error::{command_error, io_error};

/// What is traced.
#[derive(Debug, Clone)]
pub enum Target {
    /// A command that is started for it, and its children.
    Command(Vec<OsString>),
    /// Processes that run already, and their children.
    Processes(Vec<u32>),
    /// Every process of the machine.
    Machine,
}

/// How a run goes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wishes {
    /// How WASI calls are probed; the fastest way if it is none.
    pub mechanism: Option<Mechanism>,
    /// When it ends at the latest.
    pub limit: Option<Duration>,
    /// How often all tables and maps are shown while it goes on.
    pub interval: Option<Duration>,
    /// No process that the run did not start, or was not given, is ever held.
    pub no_hold: bool,
}

/// Takes tables while a run goes on.
pub trait Reporter {
    /// These tables of the plan, by index, are due. Only their stores have been read.
    fn due(&mut self, tables: &[usize], reading: &Reading, names: &Names);
}

/// Runs a plan until the command ends, all processes have ended, the script or a signal asks for an end, or
/// the time is over.
///
/// # Errors
/// See [`Error`].
pub fn trace(
    plan: &Plan,
    target: &Target,
    wishes: &Wishes,
    mut timings: Timings,
    listener: &mut dyn Listener,
) -> Result<Outcome, Error> {
    if !std::path::Path::new("/proc/self/maps").exists() {
        return Err(Error::NoProc);
    }
    if !kernel::is_first_pid_namespace() {
        return Err(Error::PidNamespace);
    }
    let rights = Set::held().map_err(io_error("cannot read capabilities"))?;
    if let Some(missing) = privileges::of_run(rights, follows_processes(plan), false) {
        return Err(Error::Missing(missing));
    }
    let mechanism = match wishes.mechanism {
        Some(mechanism) => mechanism,
        None => attach::best_mechanism()?,
    };
    let by_perf_events = mechanism == Mechanism::Perf;
    if let Some(missing) = privileges::of_run(rights, false, by_perf_events) {
        return Err(Error::Missing(missing));
    }
    // Before anything else takes memory: the child is a copy of this process.
    let held = match target {
        Target::Command(command) => Some(Held::start(command).map_err(command_error(command))?),
        Target::Processes(pids) => {
            for pid in pids {
                is_process(*pid)?;
                let missing = privileges::of_process(rights, *pid);
                if let (true, Some(missing)) = (follows_processes(plan), missing) {
                    return Err(Error::Missing(missing));
                }
            }
            None
        }
        Target::Machine => None,
    };
    let signals = Signals::take().map_err(io_error("cannot receive signals"))?;
    let follows_all = matches!(target, Target::Machine) && follows_processes(plan);
    let becomes_others = user::caller().is_some() && asks_outside(plan);
    let kept = privileges::kept(rights, becomes_others, by_perf_events);
    // Before another thread is there: each has its own. The gate is still to be opened, and so are perf events, for
    // which some kernels (Debian's) want more than CAP_PERFMON.
    let attaches_raw = plan
        .clauses
        .iter()
        .any(|clause| matches!(clause.event, Event::Raw(_)));
    let opens = if follows_all || attaches_raw {
        rights.and(Set::of(&[Capability::SysAdmin]))
    } else {
        Set::default()
    };
    privileges::keep_only(kept.or(opens), !allows_commands(plan))
        .map_err(io_error("cannot give up capabilities"))?;
    // While this thread compiles and the kernel verifies, the other ones read.
    let ahead = Ahead::start(kept);
    let layout = std::thread::spawn(kernel::offsets);
    let inspected = match target {
        Target::Command(command) => {
            let name = command[0].clone();
            Some(std::thread::spawn(move || inspect_ahead(&name)))
        }
        Target::Processes(_) | Target::Machine => None,
    };

    let generated = program::generate(plan)?;
    if program::needs_may_goto(plan) && !Feature::MayGoto.is_there() {
        return Err(Error::NoLoops);
    }
    let linked = link::link(ewapa_templates::WASI, &elf::write(&generated)?)?;
    timings.mark("compile and link");

    let mut names = Names::default();
    let (sites, left_out) = raw::resolve(plan, &mut names)?;
    timings.mark("raw probes found");
    let needs = Needs::of(plan);
    // Perf events got programs that may sleep later than the rest that is needed here.
    let may_sleep = needs.sleeps && mechanism != Mechanism::Perf;
    let typed = needs.typed_tracepoints.is_empty() || Feature::TypedTracepoints.is_there();
    let task_storage = typed && Feature::TaskStorage.is_there();
    if !task_storage && needs.hands_over() {
        return Err(Error::Lacks(Feature::TaskStorage));
    }
    let settings = Settings {
        needs,
        may_sleep,
        task_storage,
        always_returns: mechanism != Mechanism::Session,
        sees_exits: mechanism == Mechanism::Exits,
        offsets: layout.join().ok().flatten().ok_or_else(no_layout)?,
        all_processes: matches!(target, Target::Machine),
        follows_all,
        holds_libraries: follows_all && !wishes.no_hold,
        started: kernel::now(),
    };
    timings.mark("kernel's layout");
    let mut loaded = Loaded::new(&linked, &settings)?;
    names
        .prepare(plan, &mut loaded)
        .map_err(io_error("cannot tell the kernel the names of probes"))?;
    timings.mark("maps");
    let stopped = if follows_all { "held" } else { "processes" };
    let keeper =
        Some(Keeper::start(loaded.map(stopped)?).map_err(io_error("cannot start the keeper"))?);
    let probes = Arc::new(Probes::prepare(&loaded, mechanism, may_sleep)?);
    let inspected = inspected.and_then(|thread| thread.join().ok().flatten());
    timings.mark("executable read");
    // The kernel verifies the programs at its calls while it verifies the others. What it says is said when they are
    // attached.
    let known = inspected
        .as_ref()
        .and_then(|file| file.known(&settings.needs, mechanism));
    if let Some(image) = known {
        let probes = Arc::clone(&probes);
        std::thread::spawn(move || probes.load(&image));
    }
    let raw = Raw::load(plan, sites, &loaded, mechanism, &names)?;
    let mut links = Vec::new();
    for (program, tracepoint) in &settings.needs.tracepoints {
        links.push(attach::raw_tracepoint(&loaded, program, tracepoint)?);
    }
    for (program, tracepoint) in &settings.needs.typed_tracepoints {
        links.push(if settings.task_storage {
            attach::typed_tracepoint(&loaded, program, tracepoint)?
        } else {
            attach::raw_tracepoint(&loaded, program, tracepoint)?
        });
    }
    let known = Known::load(&mut loaded, &settings.needs)?;
    timings.mark("programs");

    let traced = BpfHashMap::try_from(Map::from_map_data(loaded.take_map("processes")?)?)?;
    let files = BpfHashMap::try_from(Map::from_map_data(loaded.take_map("files")?)?)?;
    let held_map = BpfHashMap::try_from(Map::from_map_data(loaded.take_map("held")?)?)?;
    let filesystems = BpfHashMap::try_from(Map::from_map_data(loaded.take_map("filesystems")?)?)?;
    let events = RingBuf::try_from(Map::from_map_data(loaded.take_map("events")?)?)?;
    let calibrates = !settings.needs.functions.is_empty();
    let knows_threads = settings.offsets.fs != 0;
    let mut run = Run {
        counters: Counters::new(&mut loaded)?,
        processes: Processes::new(
            settings.needs,
            probes,
            traced,
            files,
            known,
            names,
            knows_threads,
        ),
        events,
        signals,
        links,
        raw_attached: raw::Attached::default(),
        told_of_shell: false,
        raw,
        keeper,
        gate: None,
        ahead,
        unmet: Vec::new(),
        stopped: held_map,
        filesystems,
        follows_all,
        kept,
        running: None,
        left: None,
        timings,
        first_probe: None,
        ended: None,
        calibrates,
        probe_cost: None,
    };
    run.processes.troubles.extend(left_out);
    if let Some(inspected) = inspected {
        run.processes.know(inspected);
    }
    let messages = Messages::new(plan, &generated, &mut loaded, listener)?;
    let stores = Stores {
        plan,
        layouts: &generated.stores,
        loaded: &loaded,
    };
    let mut script = Script {
        clauses: Clauses::load(plan, &loaded)?,
        messages,
        loaded: &loaded,
    };
    let exited = run.follow_script(&mut script, &stores, held, target, wishes)?;
    let exit_code = script.messages.exit_code;
    run.finish(&stores, exited, exit_code)
}

/// Whether the script has commands run (`system()`): with the rights that whoever called has.
fn allows_commands(plan: &Plan) -> bool {
    let mut messages = plan.messages.iter();
    messages.any(|message| matches!(message.kind, MessageKind::System(_)))
}

/// Whether the script shows files or runs commands, which is done in the caller's name.
fn asks_outside(plan: &Plan) -> bool {
    let mut messages = plan.messages.iter();
    messages.any(|message| matches!(message.kind, MessageKind::System(_) | MessageKind::Cat(_)))
}

/// Why the kernel's structures are not known.
fn no_layout() -> Error {
    match std::path::Path::new("/sys/kernel/btf/vmlinux").exists() {
        true => Error::UnreadBtf,
        false => Error::NoBtf,
    }
}

/// Refuses what is no process.
fn is_process(pid: u32) -> Result<(), Error> {
    let status = proc_text(pid, "status").map_err(|_| Error::NoProcess(pid))?;
    let group = status
        .lines()
        .find_map(|line| line.strip_prefix("Tgid:"))
        .and_then(|text| text.trim().parse().ok());
    match group {
        Some(process) if process != pid => Err(Error::Thread {
            thread: pid,
            process,
        }),
        _ => Ok(()),
    }
}

/// Where the groups of the plan's stores are kept.
struct Stores<'a> {
    plan: &'a Plan,
    layouts: &'a [StoreLayout],
    loaded: &'a Loaded,
}

/// A run that has begun.
struct Run {
    processes: Processes,
    events: RingBuf<aya::maps::MapData>,
    counters: Counters,
    signals: Signals,
    links: Vec<Link>,
    raw_attached: raw::Attached,
    /// It was said that a shell may take processes for stopped.
    told_of_shell: bool,
    raw: Raw,
    keeper: Option<Keeper>,
    /// Holds programs that nobody has looked into. None if it was not wanted, or the kernel has none.
    gate: Option<Gate>,
    /// Spares the first probes a grace period.
    ahead: Ahead,
    /// The processes of the machine that are still to be looked into.
    unmet: Vec<u32>,
    /// Where every process of the machine is followed: those that are stopped for their libraries, or because
    /// their programs were not held.
    stopped: BpfHashMap<aya::maps::MapData, u32, u32>,
    /// The devices whose programs are held, or left alone; and 0 when they are all there.
    filesystems: BpfHashMap<aya::maps::MapData, u32, u32>,
    /// Every process of the machine is followed.
    follows_all: bool,
    /// The capabilities that are not given up.
    kept: Set,
    running: Option<Running>,
    /// Without a command: the processes that are still there, if any were to be traced.
    left: Option<Vec<u32>>,
    timings: Timings,
    first_probe: Option<Instant>,
    /// The moment that the numbers are of.
    ended: Option<Instant>,
    /// Whether it is measured what a probe costs.
    calibrates: bool,
    probe_cost: Option<mpsc::Receiver<ProbeCost>>,
}
