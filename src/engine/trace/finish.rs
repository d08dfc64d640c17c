//! The end of a run: processes are let go, and what the kernel has counted is read.

use std::time::{Duration, Instant};

use ewapa_lang::plan::StoreId;
use ewapa_templates::Event;

use super::error::io_error;
use super::{Error, Outcome, Run, Stores};
use crate::engine::attach::Link;
use crate::engine::ending::Ending;
use crate::engine::groups;
use crate::engine::processes::Processes;
use crate::engine::reading::{Losses, Reading};
use crate::engine::signals;

/// How long a measurement is waited for that has not ended when the run has.
const CALIBRATION: Duration = Duration::from_millis(20);

impl Run {
    /// Ends the command: asks it, and insists.
    pub(super) fn terminate(&mut self) -> Result<(), Error> {
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

    /// Detaches from processes that go on: the numbers of a group would not be of one moment. One that
    /// was stopped for this run meanwhile is let go.
    pub(super) fn let_go(&mut self) {
        // Tracepoints at once: the kernel waits for each event that is closed, which the end of the run does.
        let mut links = std::mem::take(&mut self.links);
        links.extend(self.raw_attached.take_links());
        let (events, others): (Vec<Link>, Vec<Link>) = links
            .into_iter()
            .partition(|link| matches!(link, Link::Event { .. }));
        self.links = events.into_iter().filter_map(Link::detach).collect();
        self.processes.detach();
        drop(others);
        while let Some(event) = self.next_event() {
            match event {
                Event::Stopped(pid) | Event::Filesystem(pid, _) => self.go_on(pid),
                Event::Exec(pid) | Event::Library(pid) if !self.follows_all => {
                    self.resume(pid);
                }
                _ => {}
            }
        }
        // One whose event found no place.
        let left: Vec<u32> = self.stopped.keys().flatten().collect();
        for pid in left {
            self.go_on(pid);
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        let now = self.ended.unwrap_or_else(Instant::now);
        self.first_probe
            .map_or(Duration::ZERO, |first| now.saturating_duration_since(first))
    }

    /// What has been counted so far, in the stores that are wanted.
    pub(super) fn read(
        &self,
        stores: &Stores,
        wanted: impl Fn(StoreId) -> bool,
    ) -> Result<Reading, Error> {
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
            losses: Losses {
                missed: self.raw.missed(),
                ..self.counters.read()?
            },
        })
    }

    pub(super) fn finish(
        mut self,
        stores: &Stores,
        exited: bool,
        exit_code: u8,
    ) -> Result<Outcome, Error> {
        self.timings.mark("end of the command");
        let status = match &mut self.running {
            Some(running) if !exited => running
                .poll()
                .map_err(io_error("cannot wait for the command"))?,
            _ => None,
        };
        let reading = self.read(stores, |_| true)?;
        self.timings.mark("tables read");
        // Of the whole machine a process may be stopped at the last moment: there the keeper does its work.
        if let Some(keeper) = self.keeper.filter(|_| !self.follows_all) {
            keeper.dismiss();
        }
        let probe_cost = self
            .probe_cost
            .take()
            .and_then(|result| result.recv_timeout(CALIBRATION).ok());
        let merged = self.processes.merged();
        let Processes {
            names,
            found,
            stripped,
            mut troubles,
            unattached,
            attachments,
            ..
        } = self.processes;
        let (links, mut leases) = attachments.into_parts();
        let mut attached = self.links;
        attached.extend(self.raw_attached.take_links());
        leases.extend(self.raw_attached.into_leases());
        attached.extend(links);
        attached.extend(self.ahead.links());
        troubles.extend(
            stripped
                .into_iter()
                .map(|(path, what)| format!("{}: {what}", path.display())),
        );
        Ok(Outcome {
            reading,
            names,
            found,
            merged,
            probe_cost,
            status,
            exited,
            exit_code,
            troubles,
            unattached: unattached.is_some(),
            timings: self.timings,
            attached,
            leases,
        })
    }
}
