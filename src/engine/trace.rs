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
use super::clauses::Clauses;
use super::command::{Held, Running};
use super::groups::{self, Group};
use super::load::{self, Loaded, Settings};
use super::messages::{Listener, Messages};
use super::names::Names;
use super::processes::{Found, Processes, inspect_ahead};
use super::script::Script;
use super::signals::{self, Signal, Signals};
use super::{abi, calibrate, kernel};

/// What is traced.
#[derive(Debug, Clone)]
pub enum Target {
    /// A command that is started for it, and its children.
    Command(Vec<OsString>),
    /// Processes that run already, and their children.
    Processes(Vec<u32>),
    /// Nothing: the script waits for no call.
    Nothing,
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
    /// What entry and return probes cost a call.
    pub probe_cost: Option<Duration>,
    /// How the command ended; none if there was none, it still runs, or the script ended it.
    pub status: Option<ExitStatus>,
    /// The script has ended the run.
    pub exited: bool,
    /// What could not be read or attached to.
    pub troubles: Vec<String>,
    /// How long the stages took.
    pub timings: Timings,
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

    /// Nothing is missing from what the script has kept and said.
    pub fn is_complete(&self) -> bool {
        self.lost()
            + self.unmatched()
            + self.open()
            + self.count(Counter::Abandoned)
            + self.count(Counter::NoMessage)
            == 0
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
    /// What the script says cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[source] io::Error),
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
const CALIBRATION: Duration = Duration::from_millis(5);

/// How long a command that was told to end is waited for.
const GRACE: Duration = Duration::from_secs(2);

/// Runs a plan until the command ends, all processes have ended, or a signal asks for an end.
///
/// # Errors
/// See [`Error`].
pub fn trace(
    plan: &Plan,
    target: &Target,
    mechanism: Option<Mechanism>,
    mut timings: Timings,
    listener: &mut dyn Listener,
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
        Target::Nothing => None,
    };
    let signals = Signals::take().map_err(io_error("cannot receive signals"))?;
    // While this thread compiles and the kernel verifies, the other ones read.
    let layout = std::thread::spawn(|| kernel::member_offset(c"task_struct", c"tgid"));
    let inspected = match target {
        Target::Command(command) => {
            let name = command[0].clone();
            Some(std::thread::spawn(move || inspect_ahead(&name)))
        }
        Target::Processes(_) | Target::Nothing => None,
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
        tgid_offset: layout.join().ok().flatten().ok_or(Error::NoBtf)?,
        abis: Catalogue::bundled()
            .abis()
            .iter()
            .map(abi::encode)
            .collect(),
    };
    timings.mark("kernel's layout");
    let mut loaded = Loaded::new(&linked, &settings)?;
    timings.mark("maps");
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
        running: None,
        left: None,
        timings,
        first_probe: None,
        probe_cost: None,
    };
    if let Some(inspected) = inspected.and_then(|thread| thread.join().ok().flatten()) {
        run.processes.know(inspected);
    }
    run.timings.mark("executable read");
    let messages = Messages::new(plan, &generated, &mut loaded, listener)?;
    let mut script = Script {
        clauses: Clauses::load(plan, &loaded)?,
        messages,
        loaded: &loaded,
    };
    let exited = run.follow_script(&mut script, held, target)?;
    run.finish(plan, &generated, &mut loaded, exited)
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
    running: Option<Running>,
    /// Without a command: the processes that are still there, if any were to be traced.
    left: Option<Vec<u32>>,
    timings: Timings,
    first_probe: Option<Instant>,
    probe_cost: Option<mpsc::Receiver<Duration>>,
}

impl Run {
    /// Runs from the script's beginning to its end. Returns whether the script has ended the run.
    fn follow_script(
        &mut self,
        script: &mut Script<'_>,
        held: Option<Held>,
        target: &Target,
    ) -> Result<bool, Error> {
        script.begin(&self.processes.names)?;
        if !script.exited() {
            match target {
                Target::Command(command) => {
                    self.start(held.expect("a command is held"), command)?;
                }
                Target::Processes(pids) => self.join(pids)?,
                Target::Nothing => {}
            }
            let followed = self.follow(script);
            if followed.is_err() {
                self.terminate();
                followed?;
            }
        }
        let exited = script.exited();
        if exited || self.goes_on()? {
            // The numbers of a group would not be of one moment.
            self.processes.detach();
            self.links.clear();
        }
        if exited {
            self.terminate();
        }
        script.end(&self.processes.names)?;
        Ok(exited)
    }

    /// Whether what is traced still runs.
    fn goes_on(&mut self) -> Result<bool, Error> {
        match &mut self.running {
            Some(running) => running
                .poll()
                .map(|status| status.is_none())
                .map_err(io_error("cannot wait for the command")),
            None => Ok(true),
        }
    }

    /// Ends the command as bpftrace does, and lets go of processes that wait to be looked into.
    fn terminate(&mut self) {
        let held = std::iter::from_fn(|| Event::from_bytes(&self.events.next()?));
        for event in held {
            if let Event::Exec(pid) | Event::Library(pid) = event {
                signals::send(pid, libc::SIGCONT);
            }
        }
        let Some(running) = &mut self.running else {
            return;
        };
        signals::send(running.pid, libc::SIGTERM);
        let deadline = Instant::now() + GRACE;
        while let Ok(None) = running.poll() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || signals::wait(&self.signals, &[], Some(left)).is_err() {
                return;
            }
            while self.signals.next().is_some() {}
        }
    }

    fn start(&mut self, held: Held, command: &[OsString]) -> Result<(), Error> {
        self.processes.trace(held.pid())?;
        self.calibrate()?;
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
        self.left = Some(pids.to_vec());
        self.calibrate()
    }

    /// Measures beside the run what a probe costs, in a process that is traced for it: this one.
    fn calibrate(&mut self) -> Result<(), Error> {
        self.processes.trace(std::process::id())?;
        self.probe_cost = Some(calibrate::start(self.processes.probes()));
        Ok(())
    }

    fn look_into(&mut self, pid: u32) {
        // A process that has ended in the meantime has nothing to look into.
        if self.processes.look_into(pid).is_ok()
            && self.first_probe.is_none()
            && self.processes.with_runtime() > 0
        {
            self.first_probe = Some(Instant::now());
            self.timings.mark("first probe");
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

    /// Looks into processes that have new code, and does what the script says, until the end.
    fn follow(&mut self, script: &mut Script<'_>) -> Result<(), Error> {
        let mut deadline: Option<Instant> = None;
        loop {
            while let Some(event) = self
                .events
                .next()
                .and_then(|bytes| Event::from_bytes(&bytes))
            {
                self.handle(event)?;
            }
            let more = script.step(&self.processes.names)?;
            if script.exited() {
                return Ok(());
            }
            if let Some(running) = &mut self.running {
                if running
                    .poll()
                    .map_err(io_error("cannot wait for the command"))?
                    .is_some()
                {
                    return Ok(());
                }
            } else if self.left.as_ref().is_some_and(Vec::is_empty) {
                return Ok(());
            }
            while let Some(signal) = self.signals.next() {
                let Signal::End {
                    number,
                    by_terminal,
                } = signal
                else {
                    continue;
                };
                let Some(running) = &self.running else {
                    return Ok(());
                };
                if deadline.is_some() {
                    return Ok(());
                }
                // The terminal has sent it to the command already.
                if !by_terminal {
                    signals::send(running.pid, number);
                }
                deadline = Some(Instant::now() + GRACE);
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Ok(());
            }
            let next = deadline.into_iter().chain(script.next_tick()).min();
            let left = if more {
                Some(Duration::ZERO)
            } else {
                next.map(|next| next.saturating_duration_since(now))
            };
            let fds: Vec<_> = script
                .fd()
                .into_iter()
                .chain([self.events.as_fd()])
                .collect();
            signals::wait(&self.signals, &fds, left).map_err(io_error("cannot wait"))?;
        }
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
                if let Some(left) = &mut self.left {
                    left.retain(|left| *left != pid);
                }
                Ok(())
            }
        }
    }

    fn finish(
        mut self,
        plan: &Plan,
        generated: &program::Program,
        loaded: &mut Loaded,
        exited: bool,
    ) -> Result<Outcome, Error> {
        self.timings.mark("end of the command");
        let elapsed = self
            .first_probe
            .map_or(Duration::ZERO, |first| first.elapsed());
        let status = match &mut self.running {
            Some(running) if !exited => running
                .poll()
                .map_err(io_error("cannot wait for the command"))?,
            _ => None,
        };
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
            ..
        } = self.processes;
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
            exited,
            troubles,
            timings: self.timings,
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
