//! One run: from a plan and the processes to trace, to the groups of its tables.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use aya::maps::{Array, HashMap as BpfHashMap, Map, PerCpuArray, RingBuf};
use ewapa_codegen::{elf, link, program};
use ewapa_lang::builtin::builtin;
use ewapa_lang::plan::Plan;
use ewapa_lang::wasi::Function;
use ewapa_symbols::Catalogue;
use ewapa_templates::{Counter, Event};

use super::attach::{self, Link, Mechanism, Probes};
use super::calibrate::{self, ProbeCost};
use super::command::{Held, Running};
use super::groups::{self, Group};
use super::keeper::Keeper;
use super::load::{self, Loaded, Settings};
use super::names::Names;
use super::processes::{Found, Processes, inspect_ahead};
use super::signals::{self, Signal, Signals};
use super::{abi, kernel};

/// What is traced.
#[derive(Debug, Clone)]
pub enum Target {
    /// A command that is started for it, and its children.
    Command(Vec<OsString>),
    /// Processes that run already, and their children.
    Processes(Vec<u32>),
}

/// What a run found.
pub struct Outcome {
    /// For each store of the plan, its groups.
    pub groups: Vec<Vec<Group>>,
    /// The names behind numbers.
    pub names: Names,
    /// The runtimes.
    pub found: Vec<Found>,
    /// How many processes had a runtime.
    pub processes: usize,
    /// From the first probe to the end.
    pub elapsed: Duration,
    /// What was lost or left open.
    pub losses: Losses,
    /// What probes cost a call.
    pub probe_cost: Option<ProbeCost>,
    /// How the command ended; none if there was none or it still runs.
    pub status: Option<ExitStatus>,
    /// What could not be read or attached to.
    pub troubles: Vec<String>,
    /// How long the stages took.
    pub timings: Timings,
    /// What is still attached. To be closed when everything has been said: that takes the kernel a while.
    pub attached: Vec<Link>,
}

/// What was lost or left open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses {
    /// By [`Counter`].
    pub counters: Vec<u64>,
    /// Calls that never returned, by function.
    pub unfinished: Vec<(Function, u64)>,
}

impl Losses {
    /// The value of a counter.
    pub fn count(&self, counter: Counter) -> u64 {
        self.counters.get(counter as usize).copied().unwrap_or(0)
    }

    /// Calls that did not get into the tables although they completed.
    pub fn lost(&self) -> u64 {
        [Counter::Deep, Counter::NoThread, Counter::GroupsFull]
            .into_iter()
            .map(|counter| self.count(counter))
            .sum()
    }

    /// Returns without an entry, and names without a call.
    pub fn unmatched(&self) -> u64 {
        self.count(Counter::Unmatched)
    }

    /// Calls that were open when the run ended.
    pub fn open(&self) -> u64 {
        self.count(Counter::Entries)
            .saturating_sub(self.count(Counter::Returns))
    }
}

/// How long the stages of a run took, in the order in which they happened.
#[derive(Debug, Clone)]
pub struct Timings {
    start: Instant,
    stages: Vec<(&'static str, Duration)>,
}

impl Timings {
    /// The clock starts at the start of the process.
    pub fn new(start: Instant) -> Timings {
        Timings {
            start,
            stages: Vec::new(),
        }
    }

    /// A stage has ended now.
    pub fn mark(&mut self, stage: &'static str) {
        self.stages.push((stage, self.start.elapsed()));
    }

    /// The stages with the time from the start of the process to their end.
    pub fn stages(&self) -> &[(&'static str, Duration)] {
        &self.stages
    }
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A defect of the compiler, or too large a script.
    #[error(transparent)]
    Compile(#[from] ewapa_codegen::Error),
    /// The kernel does not take what was compiled.
    #[error(transparent)]
    Load(#[from] load::Error),
    /// A map could not be read or written.
    #[error("cannot use a map in the kernel: {0}")]
    Map(#[from] aya::maps::MapError),
    /// The kernel has no BTF.
    #[error(
        "the kernel does not tell the layout of its structures: it has no BTF (/sys/kernel/btf/vmlinux); `ewapa doctor` says more"
    )]
    NoBtf,
    /// The rights are not enough.
    #[error(
        "no right to load eBPF programs: run ewapa as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN; `ewapa doctor` says more"
    )]
    NoRights,
    /// The command cannot be run.
    #[error("cannot run `{command}`: {source}")]
    Command {
        /// Its name.
        command: String,
        /// Why.
        source: io::Error,
    },
    /// There is no such process.
    #[error("there is no process {0}")]
    NoProcess(u32),
    /// A process has no runtime.
    #[error("no WebAssembly runtime was found in process {pid} ({name}); ewapa knows {known}")]
    NoRuntime {
        /// The process.
        pid: u32,
        /// The name of its executable.
        name: String,
        /// The runtimes of the catalogue.
        known: String,
    },
    /// A runtime has no symbols.
    #[error("{path}: {what}")]
    Stripped {
        /// The file.
        path: PathBuf,
        /// What it looks like, and what to do.
        what: String,
    },
    /// The kernel refuses something simple.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
}

fn io_error(what: &str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Io {
        what: what.to_owned(),
        source,
    }
}

/// How long a measurement is waited for that has not ended when the run has.
const CALIBRATION: Duration = Duration::from_millis(20);

/// How long a command that was told to end is waited for.
const GRACE: Duration = Duration::from_secs(2);

/// Runs a plan until the command ends, all processes have ended, a signal asks for an end, or the time
/// is over.
///
/// # Errors
/// See [`Error`].
pub fn trace(
    plan: &Plan,
    target: &Target,
    mechanism: Option<Mechanism>,
    limit: Option<Duration>,
    mut timings: Timings,
) -> Result<Outcome, Error> {
    // Before anything else takes memory: the child is a copy of this process.
    let held = match target {
        Target::Command(command) => Some(Held::start(command).map_err(command_error(command))?),
        Target::Processes(pids) => {
            if let Some(gone) = pids
                .iter()
                .find(|pid| !PathBuf::from(format!("/proc/{pid}")).exists())
            {
                return Err(Error::NoProcess(*gone));
            }
            None
        }
    };
    let signals = Signals::take().map_err(io_error("cannot receive signals"))?;
    // While this thread compiles and the kernel verifies, the other ones read.
    let layout = std::thread::spawn(|| kernel::offsets());
    let inspected = match target {
        Target::Command(command) => {
            let name = command[0].clone();
            Some(std::thread::spawn(move || inspect_ahead(&name)))
        }
        Target::Processes(_) => None,
    };

    let generated = program::generate(plan)?;
    let linked = link::link(ewapa_templates::WASI, &elf::write(&generated)?)?;
    timings.mark("compile and link");

    let mechanism = match mechanism {
        Some(mechanism) => mechanism,
        None => attach::best_mechanism()?,
    };
    let settings = Settings {
        reads: reads(plan),
        always_returns: mechanism != Mechanism::Session,
        hold: true,
        offsets: layout.join().ok().flatten().ok_or(Error::NoBtf)?,
        abis: Catalogue::bundled()
            .abis()
            .iter()
            .map(abi::encode)
            .collect(),
    };
    timings.mark("kernel's layout");
    let mut loaded = Loaded::new(&linked, &settings)?;
    timings.mark("maps");
    let keeper =
        Keeper::start(loaded.map("processes")?).map_err(io_error("cannot start the keeper"))?;
    let probes = Probes::load(&loaded, mechanism)?;
    let mut links = vec![
        attach::raw_tracepoint(&loaded, "process_fork", "sched_process_fork")?,
        attach::raw_tracepoint(&loaded, "process_exec", "sched_process_exec")?,
        attach::raw_tracepoint(&loaded, "process_exit", "sched_process_exit")?,
    ];
    if reads_syscalls(plan) {
        links.push(attach::raw_tracepoint(&loaded, "syscall_exit", "sys_exit")?);
        links.push(attach::raw_tracepoint(
            &loaded,
            "syscall_enter",
            "sys_enter",
        )?);
    }
    timings.mark("programs");

    let traced = BpfHashMap::try_from(Map::from_map_data(loaded.take_map("processes")?)?)?;
    let events = RingBuf::try_from(Map::from_map_data(loaded.take_map("events")?)?)?;
    let mut run = Run {
        processes: Processes::new(plan.functions(), probes, traced),
        events,
        signals,
        links,
        keeper,
        running: None,
        left: Vec::new(),
        timings,
        first_probe: None,
        probe_cost: None,
    };
    if let Some(inspected) = inspected.and_then(|thread| thread.join().ok().flatten()) {
        run.processes.know(inspected);
    }
    run.timings.mark("executable read");
    match target {
        Target::Command(command) => run.start(held.expect("a command is held"), command)?,
        Target::Processes(pids) => run.join(pids)?,
    }
    run.follow(limit)?;
    run.finish(plan, &generated, &mut loaded)
}

fn command_error(command: &[OsString]) -> impl FnOnce(io::Error) -> Error {
    let command = command
        .first()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    move |source| Error::Command { command, source }
}

fn reads(plan: &Plan) -> u64 {
    ewapa_lang::builtin::BUILTINS
        .iter()
        .filter(|builtin| plan.reads(builtin))
        .fold(0, |bits, builtin| bits | 1 << builtin.index())
}

fn reads_syscalls(plan: &Plan) -> bool {
    [
        "syscall_time",
        "syscall_count",
        "syscall_bytes",
        "self_time",
    ]
    .into_iter()
    .filter_map(builtin)
    .any(|builtin| plan.reads(builtin))
}

/// A run that has begun.
struct Run {
    processes: Processes,
    events: RingBuf<aya::maps::MapData>,
    signals: Signals,
    links: Vec<Link>,
    keeper: Keeper,
    running: Option<Running>,
    /// Without a command: the processes that are still there.
    left: Vec<u32>,
    timings: Timings,
    first_probe: Option<Instant>,
    probe_cost: Option<mpsc::Receiver<ProbeCost>>,
}

impl Run {
    fn start(&mut self, held: Held, command: &[OsString]) -> Result<(), Error> {
        self.processes.trace(held.pid())?;
        self.running = Some(held.release().map_err(command_error(command))?);
        self.timings.mark("command released");
        Ok(())
    }

    fn join(&mut self, pids: &[u32]) -> Result<(), Error> {
        for pid in pids {
            self.processes.trace(*pid)?;
            self.look_into(*pid);
            if self.processes.with_runtime() == 0 {
                self.refuse_stripped()?;
            }
        }
        if self.processes.with_runtime() == 0 {
            let pid = pids[0];
            let name = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
            let known = Catalogue::bundled().names().join(", ");
            return Err(Error::NoRuntime {
                pid,
                name: name.display().to_string(),
                known,
            });
        }
        self.left = pids.to_vec();
        Ok(())
    }

    /// Measures beside the run what a probe costs, in a process that is traced for it: this one.
    /// Not before the first probe is there: both would wait for the same locks of the kernel.
    fn calibrate(&mut self) {
        if self.processes.trace(std::process::id()).is_ok() {
            self.probe_cost = Some(calibrate::start(self.processes.probes()));
        }
    }

    fn look_into(&mut self, pid: u32) {
        // A process that has ended in the meantime has nothing to look into.
        if self.processes.look_into(pid).is_ok()
            && self.first_probe.is_none()
            && self.processes.with_runtime() > 0
        {
            self.first_probe = Some(Instant::now());
            self.timings.mark("first probe");
            self.calibrate();
        }
    }

    fn refuse_stripped(&mut self) -> Result<(), Error> {
        match self.processes.stripped.first() {
            Some((path, what)) => Err(Error::Stripped {
                path: path.clone(),
                what: what.clone(),
            }),
            None => Ok(()),
        }
    }

    /// Looks into processes that have new code until the end.
    fn follow(&mut self, limit: Option<Duration>) -> Result<(), Error> {
        let mut deadline: Option<Instant> = None;
        let mut end = limit.and_then(|limit| Instant::now().checked_add(limit));
        loop {
            // Signals first: one that arrives behind this point wakes the wait below. In the other order the
            // end of the command could be taken for told when nobody had looked yet.
            if self.take_signals(&mut deadline) {
                return Ok(());
            }
            while let Some(event) = self
                .events
                .next()
                .and_then(|bytes| Event::from_bytes(&bytes))
            {
                self.handle(event)?;
            }
            if self.has_ended()? {
                return Ok(());
            }
            if end.is_some_and(|end| end <= Instant::now()) {
                let Some(running) = &self.running else {
                    return Ok(());
                };
                signals::send(running.pid, libc::SIGTERM);
                deadline.get_or_insert(Instant::now() + GRACE);
                end = None;
            }
            let left = [deadline, end]
                .into_iter()
                .flatten()
                .min()
                .map(|next| next.saturating_duration_since(Instant::now()));
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return Ok(());
            }
            signals::wait(&self.signals, self.events.as_fd(), left)
                .map_err(io_error("cannot wait"))?;
        }
    }

    /// Whether the command, or without one every process, has ended.
    fn has_ended(&mut self) -> Result<bool, Error> {
        match &mut self.running {
            Some(running) => running
                .poll()
                .map(|status| status.is_some())
                .map_err(io_error("cannot wait for the command")),
            None => Ok(self.left.is_empty()),
        }
    }

    /// Passes the wish for an end on to the command, which then has until the deadline. Returns whether the
    /// run ends at once: without a command, or when the wish is repeated.
    fn take_signals(&mut self, deadline: &mut Option<Instant>) -> bool {
        while let Some(signal) = self.signals.next() {
            let Signal::End {
                number,
                by_terminal,
            } = signal
            else {
                continue;
            };
            let Some(running) = &self.running else {
                return true;
            };
            if deadline.is_some() {
                return true;
            }
            // The terminal has sent it to the command already.
            if !by_terminal {
                signals::send(running.pid, number);
            }
            *deadline = Some(Instant::now() + GRACE);
        }
        false
    }

    fn handle(&mut self, event: Event) -> Result<(), Error> {
        match event {
            Event::Exec(pid) | Event::Library(pid) => {
                if matches!(event, Event::Exec(_)) {
                    self.processes.trace(pid)?;
                }
                self.look_into(pid);
                let refused = if self
                    .running
                    .as_ref()
                    .is_some_and(|running| running.pid == pid)
                    && self.processes.with_runtime() == 0
                {
                    self.refuse_stripped()
                } else {
                    Ok(())
                };
                if refused.is_err() {
                    signals::send(pid, libc::SIGKILL);
                }
                signals::send(pid, libc::SIGCONT);
                refused
            }
            Event::Exit(pid) => {
                self.left.retain(|left| *left != pid);
                Ok(())
            }
        }
    }

    /// Detaches from processes that go on: the numbers of a group would not be of one moment. One that
    /// was stopped for this run meanwhile is let go.
    fn let_go(&mut self) {
        self.processes.detach();
        self.links.clear();
        while let Some(event) = self
            .events
            .next()
            .and_then(|bytes| Event::from_bytes(&bytes))
        {
            if let Event::Exec(pid) | Event::Library(pid) = event {
                signals::send(pid, libc::SIGCONT);
            }
        }
    }

    fn finish(
        mut self,
        plan: &Plan,
        generated: &program::Program,
        loaded: &mut Loaded,
    ) -> Result<Outcome, Error> {
        self.timings.mark("end of the command");
        let elapsed = self
            .first_probe
            .map_or(Duration::ZERO, |first| first.elapsed());
        let status = match &mut self.running {
            Some(running) => running
                .poll()
                .map_err(io_error("cannot wait for the command"))?,
            None => None,
        };
        if self.processes.go_on() {
            self.let_go();
        }
        let groups = plan
            .stores
            .iter()
            .zip(&generated.stores)
            .map(|(store, layout)| {
                groups::read(loaded.map(&layout.map)?, store, layout)
                    .map_err(io_error("cannot read a table from the kernel"))
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let losses = losses(loaded)?;
        self.timings.mark("tables read");
        self.keeper.dismiss();
        let processes = self.processes.with_runtime();
        let probe_cost = self
            .probe_cost
            .take()
            .and_then(|result| result.recv_timeout(CALIBRATION).ok());
        let Processes {
            names,
            found,
            stripped,
            mut troubles,
            links,
            ..
        } = self.processes;
        let mut attached = self.links;
        attached.extend(links);
        troubles.extend(
            stripped
                .into_iter()
                .map(|(path, what)| format!("{}: {what}", path.display())),
        );
        Ok(Outcome {
            groups,
            names,
            found,
            processes,
            elapsed,
            losses,
            probe_cost,
            status,
            troubles,
            timings: self.timings,
            attached,
        })
    }
}

fn losses(loaded: &mut Loaded) -> Result<Losses, Error> {
    let counters: PerCpuArray<_, u64> =
        PerCpuArray::try_from(Map::from_map_data(loaded.take_map("counters")?)?)?;
    let unfinished: Array<_, u64> =
        Array::try_from(Map::from_map_data(loaded.take_map("unfinished")?)?)?;
    let mut losses = Losses::default();
    for index in 0..Counter::COUNT {
        losses.counters.push(counters.get(&index, 0)?.iter().sum());
    }
    for function in Function::all() {
        let count = unfinished.get(&(function.index() as u32), 0)?;
        if count > 0 {
            losses.unfinished.push((function, count));
        }
    }
    Ok(losses)
}
