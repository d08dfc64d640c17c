//! One run: from a plan and the processes to trace, to the groups of its tables.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use aya::maps::{HashMap as BpfHashMap, Map, RingBuf};
use ewapa_codegen::layout::StoreLayout;
use ewapa_codegen::{elf, link, program};
use ewapa_lang::plan::{Plan, StoreId};
use ewapa_symbols::Catalogue;
use ewapa_templates::Event;

use super::attach::{self, Link, Mechanism, Probes};
use super::calibrate::{self, ProbeCost};
use super::clauses::Clauses;
use super::command::{Held, Running};
use super::ending::Ending;
use super::groups;
use super::keeper::Keeper;
use super::known::Known;
use super::load::{self, Loaded, Settings};
use super::messages::{Listener, Messages};
use super::names::Names;
use super::needs::Needs;
use super::processes::{Found, Joins, Processes, inspect_ahead};
use super::reading::{Counters, Reading};
use super::schedule::Schedule;
use super::script::Script;
use super::signals::{self, Signal, Signals};
use super::{abi, kernel};

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
    /// What the kernel had counted at the end.
    pub reading: Reading,
    /// The names behind numbers.
    pub names: Names,
    /// The runtimes.
    pub found: Vec<Found>,
    /// What probes cost a call.
    pub probe_cost: Option<ProbeCost>,
    /// How the command ended; none if there was none, it still runs, or the script ended it.
    pub status: Option<ExitStatus>,
    /// The script has ended the run.
    pub exited: bool,
    /// What could not be read or attached to.
    pub troubles: Vec<String>,
    /// How long the stages took.
    pub timings: Timings,
    /// What is still attached. To be closed when everything has been said: that takes the kernel a while.
    pub attached: Vec<Link>,
}

impl Outcome {
    /// What probes cost a call of the runtime where they cost the most.
    pub fn largest_probe_cost(&self) -> Option<Duration> {
        let named_within = self.found.iter().any(|found| found.named_within);
        Some(self.probe_cost?.of_call(named_within))
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
    /// It is a thread.
    #[error("{thread} is a thread of process {process}; give the process: `-p {process}`")]
    Thread {
        /// What was given.
        thread: u32,
        /// What it belongs to.
        process: u32,
    },
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
const CALIBRATION: Duration = Duration::from_millis(20);

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
    mechanism: Option<Mechanism>,
    limit: Option<Duration>,
    mut timings: Timings,
    listener: &mut dyn Listener,
) -> Result<Outcome, Error> {
    // Before anything else takes memory: the child is a copy of this process.
    let held = match target {
        Target::Command(command) => Some(Held::start(command).map_err(command_error(command))?),
        Target::Processes(pids) => {
            pids.iter().try_for_each(|pid| is_process(*pid))?;
            None
        }
        Target::Nothing => None,
    };
    let signals = Signals::take().map_err(io_error("cannot receive signals"))?;
    // While this thread compiles and the kernel verifies, the other ones read.
    let layout = std::thread::spawn(kernel::offsets);
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
        needs: Needs::of(plan),
        always_returns: mechanism != Mechanism::Session,
        offsets: layout.join().ok().flatten().ok_or(Error::NoBtf)?,
        abis: Catalogue::bundled()
            .abis()
            .iter()
            .map(abi::encode)
            .collect(),
        all_processes: matches!(target, Target::Nothing),
        started: kernel::now(),
    };
    timings.mark("kernel's layout");
    let mut loaded = Loaded::new(&linked, &settings)?;
    timings.mark("maps");
    let keeper =
        Keeper::start(loaded.map("processes")?).map_err(io_error("cannot start the keeper"))?;
    let probes = Probes::load(&loaded, mechanism)?;
    let mut links = Vec::new();
    for (program, tracepoint) in &settings.needs.tracepoints {
        links.push(attach::raw_tracepoint(&loaded, program, tracepoint)?);
    }
    for (program, tracepoint) in &settings.needs.typed_tracepoints {
        links.push(attach::typed_tracepoint(&loaded, program, tracepoint)?);
    }
    let known = Known::load(&mut loaded, &settings.needs)?;
    timings.mark("programs");

    let traced = BpfHashMap::try_from(Map::from_map_data(loaded.take_map("processes")?)?)?;
    let events = RingBuf::try_from(Map::from_map_data(loaded.take_map("events")?)?)?;
    let mut run = Run {
        counters: Counters::new(&mut loaded)?,
        processes: Processes::new(settings.needs, probes, traced, known),
        events,
        signals,
        links,
        keeper,
        running: None,
        left: None,
        timings,
        first_probe: None,
        ended: None,
        probe_cost: None,
    };
    if let Some(inspected) = inspected.and_then(|thread| thread.join().ok().flatten()) {
        run.processes.know(inspected);
    }
    run.timings.mark("executable read");
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
    let exited = run.follow_script(&mut script, &stores, held, target, limit)?;
    run.finish(&stores, exited)
}

/// Refuses what is no process.
fn is_process(pid: u32) -> Result<(), Error> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))
        .map_err(|_| Error::NoProcess(pid))?;
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

fn command_error(command: &[OsString]) -> impl FnOnce(io::Error) -> Error {
    let command = command
        .first()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    move |source| Error::Command { command, source }
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
    keeper: Keeper,
    running: Option<Running>,
    /// Without a command: the processes that are still there, if any were to be traced.
    left: Option<Vec<u32>>,
    timings: Timings,
    first_probe: Option<Instant>,
    /// The moment that the numbers are of.
    ended: Option<Instant>,
    probe_cost: Option<mpsc::Receiver<ProbeCost>>,
}

impl Run {
    /// Runs from the script's beginning to its end. Returns whether the script has ended the run.
    fn follow_script(
        &mut self,
        script: &mut Script<'_>,
        stores: &Stores,
        held: Option<Held>,
        target: &Target,
        limit: Option<Duration>,
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
            let followed = self.follow(script, stores, limit);
            if followed.is_err() {
                self.let_go();
                self.terminate()?;
                followed?;
            }
        }
        let exited = script.exited();
        self.ended = Some(Instant::now());
        if exited || self.processes.go_on() {
            self.let_go();
        }
        if exited {
            self.terminate()?;
        }
        script.end(&self.processes.names)?;
        Ok(exited)
    }

    /// Ends the command: asks it, and insists.
    fn terminate(&mut self) -> Result<(), Error> {
        let Some(pid) = self.running.as_ref().map(|running| running.pid) else {
            return Ok(());
        };
        let mut ending = Ending::default();
        if !self.has_ended()? {
            ending.ask(pid, libc::SIGTERM);
        }
        loop {
            // As in `follow`: an end that is told behind this point wakes the wait below.
            self.take_signals(&mut ending);
            if self.has_ended()? {
                return Ok(());
            }
            let now = Instant::now();
            ending.insist(pid, now);
            let left = ending
                .next()
                .map(|next| next.saturating_duration_since(now));
            signals::wait(&self.signals, &[], left).map_err(io_error("cannot wait"))?;
        }
    }

    fn start(&mut self, held: Held, command: &[OsString]) -> Result<(), Error> {
        self.processes.trace(held.pid(), Joins::Held)?;
        self.running = Some(held.release().map_err(command_error(command))?);
        self.timings.mark("command released");
        Ok(())
    }

    fn join(&mut self, pids: &[u32]) -> Result<(), Error> {
        for pid in pids {
            self.processes.trace(*pid, Joins::Running)?;
            self.look_into(*pid);
            if self.processes.with_runtime() == 0 {
                self.refuse_stripped()?;
            }
        }
        if self.processes.with_runtime() == 0 {
            let pid = pids[0];
            is_process(pid)?;
            let name = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
            let known = Catalogue::bundled().names().join(", ");
            return Err(Error::NoRuntime {
                pid,
                name: name.display().to_string(),
                known,
            });
        }
        self.left = Some(pids.to_vec());
        Ok(())
    }

    /// Measures beside the run what a probe costs, in a process that is traced for it: this one.
    /// Not before the first probe is there: both would wait for the same locks of the kernel.
    fn calibrate(&mut self) {
        let itself = std::process::id();
        if self.processes.trace(itself, Joins::Itself).is_ok() {
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

    /// Looks into processes that have new code, does what the script says, and reports the tables that are
    /// due, until the end.
    fn follow(
        &mut self,
        script: &mut Script<'_>,
        stores: &Stores,
        limit: Option<Duration>,
    ) -> Result<(), Error> {
        let mut ending = Ending::default();
        let mut end = limit.and_then(|limit| Instant::now().checked_add(limit));
        let mut schedule = Schedule::new(stores.plan, Instant::now());
        loop {
            // Signals first: one that arrives behind this point wakes the wait below. In the other order the
            // end of the command could be taken for told when nobody had looked yet.
            if self.take_signals(&mut ending) {
                return Ok(());
            }
            while let Some(event) = self.next_event() {
                self.handle(event)?;
            }
            let more = script.step(&self.processes.names)?;
            if script.exited() || self.has_ended()? {
                return Ok(());
            }
            let now = Instant::now();
            if end.is_some_and(|end| end <= now) {
                let Some(running) = &self.running else {
                    return Ok(());
                };
                ending.ask(running.pid, libc::SIGTERM);
                end = None;
            }
            if let Some(running) = &self.running {
                ending.insist(running.pid, now);
            }
            let due = schedule.take(now);
            if !due.is_empty() {
                let tables = due.iter().map(|table| &stores.plan.tables[*table]);
                let wanted: Vec<StoreId> = tables.map(|table| table.store).collect();
                let reading = self.read(stores, |store| wanted.contains(&store))?;
                script
                    .messages
                    .listener
                    .due(&due, &reading, &self.processes.names);
            }
            let until = [ending.next(), end, schedule.next(), script.next_tick()]
                .into_iter()
                .flatten()
                .min();
            let left = if more {
                Some(Duration::ZERO)
            } else {
                until.map(|until| until.saturating_duration_since(Instant::now()))
            };
            let events = [self.events.as_fd()];
            let others: Vec<_> = script.fd().into_iter().chain(events).collect();
            signals::wait(&self.signals, &others, left).map_err(io_error("cannot wait"))?;
        }
    }

    /// Whether the command, or without one every process, has ended.
    fn has_ended(&mut self) -> Result<bool, Error> {
        match &mut self.running {
            Some(running) => running
                .poll()
                .map(|status| status.is_some())
                .map_err(io_error("cannot wait for the command")),
            None => Ok(self.left.as_ref().is_some_and(Vec::is_empty)),
        }
    }

    /// Passes the wish for an end on to the command, and insists on it when the wish is repeated. Returns
    /// whether the run ends at once: without a command.
    fn take_signals(&mut self, ending: &mut Ending) -> bool {
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
            if ending.next().is_some() {
                ending.ask(running.pid, libc::SIGKILL);
            } else if by_terminal {
                // The terminal has sent it to the command already.
                ending.wait();
            } else {
                ending.ask(running.pid, number);
            }
        }
        false
    }

    fn next_event(&mut self) -> Option<Event> {
        self.events
            .next()
            .and_then(|bytes| Event::from_bytes(&bytes))
    }

    fn handle(&mut self, event: Event) -> Result<(), Error> {
        match event {
            Event::Exec(pid) | Event::Library(pid) => {
                if matches!(event, Event::Exec(_)) {
                    self.processes.trace(pid, Joins::ByExec)?;
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
                self.processes.forget(pid);
                if let Some(left) = &mut self.left {
                    left.retain(|left| *left != pid);
                }
                Ok(())
            }
        }
    }

    /// Detaches from processes that go on: the numbers of a group would not be of one moment. One that
    /// was stopped for this run meanwhile is let go.
    fn let_go(&mut self) {
        self.processes.detach();
        self.links.clear();
        while let Some(event) = self.next_event() {
            if let Event::Exec(pid) | Event::Library(pid) = event {
                signals::send(pid, libc::SIGCONT);
            }
        }
    }

    fn elapsed(&self) -> Duration {
        let now = self.ended.unwrap_or_else(Instant::now);
        self.first_probe
            .map_or(Duration::ZERO, |first| now.saturating_duration_since(first))
    }

    /// What has been counted so far, in the stores that are wanted.
    fn read(&self, stores: &Stores, wanted: impl Fn(StoreId) -> bool) -> Result<Reading, Error> {
        let elapsed = self.elapsed();
        let planned = stores.plan.stores.iter().zip(stores.layouts).enumerate();
        let groups = planned.map(|(index, (store, layout))| {
            if !wanted(StoreId(index)) {
                return Ok(Vec::new());
            }
            groups::read(stores.loaded.map(&layout.map)?, store, layout)
                .map_err(io_error("cannot read a table from the kernel"))
        });
        Ok(Reading {
            groups: groups.collect::<Result<_, Error>>()?,
            elapsed,
            processes: self.processes.with_runtime(),
            losses: self.counters.read()?,
        })
    }

    fn finish(mut self, stores: &Stores, exited: bool) -> Result<Outcome, Error> {
        self.timings.mark("end of the command");
        let status = match &mut self.running {
            Some(running) if !exited => running
                .poll()
                .map_err(io_error("cannot wait for the command"))?,
            _ => None,
        };
        let reading = self.read(stores, |_| true)?;
        self.timings.mark("tables read");
        self.keeper.dismiss();
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
            reading,
            names,
            found,
            probe_cost,
            status,
            exited,
            troubles,
            timings: self.timings,
            attached,
        })
    }
}
