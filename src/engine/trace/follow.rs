//! The loop of a run: from the script's beginning to its end.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use ewapa_lang::plan::StoreId;
use ewapa_symbols::Catalogue;
use ewapa_templates::Event;

use super::error::{io_error, refused};
use super::{Error, Run, Stores, Target, Wishes, is_process};
use crate::engine::calibrate;
use crate::engine::command::Held;
use crate::engine::ending::Ending;
use crate::engine::gate::{Gate, News};
use crate::engine::job_control;
use crate::engine::maps::proc_text;
use crate::engine::needs::follows_processes;
use crate::engine::privileges;
use crate::engine::processes::{Joins, Meeting};
use crate::engine::schedule::Schedule;
use crate::engine::script::Script;
use crate::engine::signals::{self, Signal};
use crate::output::column;

/// How long processes that ran before are looked into at a time.
const SLICE: Duration = Duration::from_millis(5);

/// So many events at a time are near to what there is room for.
const MANY: usize = 4096;

impl Run {
    /// Runs from the script's beginning to its end. Returns whether the script has ended the run.
    pub(super) fn follow_script(
        &mut self,
        script: &mut Script<'_>,
        stores: &Stores,
        held: Option<Held>,
        target: &Target,
        wishes: &Wishes,
    ) -> Result<bool, Error> {
        script.begin(stores.plan, &self.processes.names)?;
        if !script.exited() {
            // What happens at the beginning comes before the first event, as what it prints does.
            self.raw_attached = self.raw.attach(&self.processes.names)?;
            if self.follows_all {
                self.open_gate(wishes)?;
            }
            privileges::limit(self.kept).map_err(io_error("cannot give up capabilities"))?;
            match target {
                Target::Command(command) => {
                    self.start(held.expect("a command is held"), command)?;
                }
                Target::Processes(pids) => self.join(pids, follows_processes(stores.plan))?,
                Target::Machine if self.follows_all => self.join_all()?,
                Target::Machine => {}
            }
            let followed = self.follow(script, stores, wishes);
            self.processes.troubles.extend(script.trouble());
            self.gate = None;
            if followed.is_err() {
                self.let_go();
                self.terminate()?;
                followed?;
            }
        }
        let exited = script.exited();
        self.ended = Some(Instant::now());
        // What raw probes still saw would be kept in maps behind the script's last look at them.
        if exited || self.follows_all || !self.raw.is_empty() || self.processes.go_on() {
            self.let_go();
        }
        if exited {
            self.terminate()?;
        }
        script.end(&self.processes.names)?;
        Ok(exited)
    }

    fn start(&mut self, held: Held, command: &[OsString]) -> Result<(), Error> {
        self.processes.trace(held.pid(), Joins::Held)?;
        self.running = Some(held.release().map_err(refused(command))?);
        self.timings.mark("command released");
        Ok(())
    }

    /// Traces processes that run. With `needs_runtime` one of them has to have one.
    fn join(&mut self, pids: &[u32], needs_runtime: bool) -> Result<(), Error> {
        for pid in pids {
            self.processes.trace(*pid, Joins::Running)?;
            self.look_into(*pid);
            if needs_runtime && self.processes.with_runtime() == 0 {
                self.refuse_stripped()?;
            }
        }
        if needs_runtime && self.processes.with_runtime() == 0 {
            let pid = pids[0];
            is_process(pid)?;
            if let Some(what) = self.processes.unattached.take() {
                return Err(Error::Unattached(what));
            }
            let name = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
            let known = Catalogue::in_use().names().join(", ");
            return Err(Error::NoRuntime {
                pid,
                name: name.display().to_string(),
                known,
            });
        }
        self.left = Some(pids.to_vec());
        Ok(())
    }

    /// Has the kernel ask before a program is executed that was never looked into, or tell of it.
    fn open_gate(&mut self, wishes: &Wishes) -> Result<(), Error> {
        if !wishes.no_hold {
            match Gate::start(true, self.kept) {
                Ok(gate) => {
                    // A tracer that stands still would let everything wait that is executed for the first time.
                    signals::ignore(libc::SIGTSTP);
                    self.gate = Some(gate);
                    // The filesystems that are mounted; and 0 says that they are all there.
                    self.admit();
                    self.filesystems.insert(0, 1, 0)?;
                }
                Err(error) => {
                    let lacks = match error.kind() {
                        io::ErrorKind::PermissionDenied => {
                            "; CAP_SYS_ADMIN is missing, and a runtime's first calls may not be seen"
                        }
                        _ => "",
                    };
                    self.processes.troubles.push(format!(
                        "programs cannot be held at their exec: {error}{lacks}"
                    ));
                }
            }
        }
        // Without either, files are looked into as long as a process maps them.
        if self.gate.is_none() {
            self.gate = Gate::start(false, self.kept).ok();
        }
        Ok(())
    }

    /// Traces every process that has a runtime: those that begin from now on, and those that run, which
    /// [`Run::meet_some`] looks into.
    fn join_all(&mut self) -> Result<(), Error> {
        if let Some(missing) = privileges::of_machine(self.kept) {
            self.processes.troubles.push(missing.to_string());
        }
        let entries = std::fs::read_dir("/proc").map_err(io_error("cannot list the processes"))?;
        self.unmet = entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
            .filter(|pid| *pid != std::process::id())
            .collect();
        Ok(())
    }

    /// Looks into processes that ran before, for a short time: others wait meanwhile.
    fn meet_some(&mut self) -> Result<(), Error> {
        let begun = Instant::now();
        while let Some(pid) = self.unmet.pop() {
            self.meet(pid, Meeting::Running)?;
            if begun.elapsed() > SLICE {
                break;
            }
        }
        Ok(())
    }

    /// Attaches to runtimes that are held at their exec.
    fn admit(&mut self) {
        while let Some(news) = self.gate.as_mut().and_then(Gate::next) {
            match news {
                News::Executed(executed) => {
                    let holds = self.gate.as_ref().is_some_and(Gate::holds);
                    self.processes.admit(&executed, holds);
                    let is_runtime = executed.image.is_some();
                    // It goes on before this takes its time.
                    drop(executed);
                    if is_runtime {
                        self.is_probed();
                    }
                }
                News::Filesystem {
                    device,
                    settled: true,
                } => {
                    // Without room, its programs are stopped, each once.
                    let _ = self.filesystems.insert(device, 1, 0);
                }
                News::Filesystem { settled: false, .. } => {}
            }
        }
    }

    /// Traces a process if it has a runtime.
    fn meet(&mut self, pid: u32, meeting: Meeting) -> Result<(), Error> {
        // An event that comes late finds what was mapped since, for which the process may be stopped by now.
        let meeting = match (meeting, self.stopped.get(&pid, 0)) {
            (Meeting::Exec, Ok(_)) => Meeting::StoppedAtExec,
            (Meeting::Library, Ok(_)) => Meeting::Stopped,
            _ => meeting,
        };
        if self.processes.meet(pid, meeting)? {
            self.look_into(pid);
        }
        Ok(())
    }

    /// Measures beside the run what a probe costs, in a process that is traced for it: this one.
    /// Not before the first probe is there: both would wait for the same locks of the kernel.
    fn calibrate(&mut self) {
        if self
            .processes
            .trace(std::process::id(), Joins::Itself)
            .is_ok()
        {
            self.probe_cost = Some(calibrate::start(self.processes.probes()));
        }
    }

    fn look_into(&mut self, pid: u32) {
        // A process that has ended in the meantime has nothing to look into.
        if self.processes.look_into(pid).is_ok() && self.processes.with_runtime() > 0 {
            self.is_probed();
        }
    }

    /// There are probes on a runtime.
    fn is_probed(&mut self) {
        if self.first_probe.is_none() {
            self.first_probe = Some(Instant::now());
            self.ahead.end();
            self.timings.mark("first probe");
            if self.calibrates {
                self.calibrate();
            }
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
        wishes: &Wishes,
    ) -> Result<(), Error> {
        let mut ending = Ending::default();
        let mut end = wishes
            .limit
            .and_then(|limit| Instant::now().checked_add(limit));
        let mut schedule = Schedule::new(stores.plan, wishes.interval, Instant::now());
        loop {
            // Signals first: one that arrives behind this point wakes the wait below. In the other order the
            // end of the command could be taken for told when nobody had looked yet.
            if self.take_signals(&mut ending) {
                return Ok(());
            }
            if let Some(refused) = self.processes.refused.take() {
                return Err(refused.into());
            }
            self.admit();
            let mut events = 0;
            while let Some(event) = self.next_event() {
                self.handle(event)?;
                self.admit();
                events += 1;
            }
            if events > MANY {
                self.drop_ended();
            }
            self.meet_some()?;
            let more = script.step(&self.processes.names)? || !self.unmet.is_empty();
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
            if !due.tables.is_empty() {
                let tables = due.tables.iter().map(|table| &stores.plan.tables[*table]);
                let wanted: Vec<StoreId> = tables.flat_map(column::stores).collect();
                let reading = self.read(stores, |store| wanted.contains(&store))?;
                script
                    .messages
                    .listener
                    .due(&due.tables, &reading, &self.processes.names);
            }
            if due.maps {
                script.show_maps(stores.plan, &self.processes.names)?;
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
            let gate = self.gate.as_ref().map(Gate::fd);
            let others: Vec<_> = script.fd().into_iter().chain(events).chain(gate).collect();
            signals::wait(&self.signals, &others, left).map_err(io_error("cannot wait"))?;
        }
    }

    /// The ends of processes may have found no room among so many events.
    fn drop_ended(&mut self) {
        for left in self.left.iter_mut() {
            left.retain(|pid| {
                let status = proc_text(*pid, "status").unwrap_or_default();
                let state = status
                    .lines()
                    .find_map(|line| line.strip_prefix("State:\t"));
                state.is_some_and(|state| !state.starts_with('Z'))
            });
        }
    }

    /// Whether the command, or without one every process, has ended.
    pub(super) fn has_ended(&mut self) -> Result<bool, Error> {
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
    pub(super) fn take_signals(&mut self, ending: &mut Ending) -> bool {
        while let Some(signal) = self.signals.next() {
            let (number, by_terminal) = match signal {
                Signal::End {
                    number,
                    by_terminal,
                } => (number, by_terminal),
                Signal::Lease => {
                    let written = self.processes.detach_written();
                    let of_raw = self.raw_attached.take_written();
                    self.processes.troubles.extend(of_raw);
                    if let Some(gate) = &self.gate {
                        gate.forget();
                    }
                    // Who waits for it goes on.
                    drop(written);
                    continue;
                }
                Signal::Child => continue,
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

    pub(super) fn next_event(&mut self) -> Option<Event> {
        self.events
            .next()
            .and_then(|bytes| Event::from_bytes(&bytes))
    }

    /// Lets a process go on that is stopped for its libraries.
    pub(super) fn go_on(&mut self, pid: u32) {
        // Another thread of it may have been told of meanwhile, and the entry be gone: it is stopped all the same.
        let _ = self.stopped.remove(&pid);
        self.resume(pid);
    }

    /// Lets a process go on that is stopped.
    pub(super) fn resume(&mut self, pid: u32) {
        if let Err(error) = signals::resume(pid) {
            self.processes.troubles.push(format!(
                "process {pid} has become another user's and stays stopped: {error}; CAP_KILL is missing to let it go on (kill -CONT {pid})"
            ));
        }
    }

    fn handle(&mut self, event: Event) -> Result<(), Error> {
        match event {
            Event::Exec(pid) if self.follows_all => self.meet(pid, Meeting::Exec),
            Event::Library(pid) if self.follows_all => self.meet(pid, Meeting::Library),
            Event::Stopped(pid) => {
                let met = self.meet(pid, Meeting::Stopped);
                self.go_on(pid);
                met
            }
            Event::Filesystem(pid, device) => {
                let met = self.meet(pid, Meeting::StoppedAtExec);
                if let Some(gate) = &mut self.gate {
                    gate.watch(pid, device);
                }
                self.go_on(pid);
                met
            }
            Event::Exec(pid) | Event::Library(pid) => {
                if matches!(event, Event::Exec(_)) {
                    self.processes.trace(pid, Joins::ByExec)?;
                    if !self.told_of_shell
                        && let Some((name, shell)) = job_control::shell_of(pid)
                    {
                        self.told_of_shell = true;
                        self.processes.troubles.push(format!(
                            "{name} (process {shell}) seems to have job control: it may have taken programs for stopped while ewapa attached to them, and not have waited for them; run such a shell around ewapa, or without `set -m`"
                        ));
                    }
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
                self.resume(pid);
                refused
            }
            Event::Runtime(pid, runtime) => {
                if self.processes.begins(pid, runtime) {
                    self.meet(pid, Meeting::Exec)?;
                }
                Ok(())
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
}
