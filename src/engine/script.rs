//! The part of a script that is not driven by calls: what happens at the start, at the end and at
//! intervals, and what the script tells user space.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Instant;

use ewapa_lang::plan::Plan;

use super::clauses::Clauses;
use super::load::Loaded;
use super::messages::Messages;
use super::names::Names;
use super::said::Said;
use super::trace::Error;

/// Messages that are handled before others are looked after: processes that wait, and intervals.
const BATCH: usize = 4096;

/// Intervals that are made up for before others are looked after.
const MOST_TICKS: usize = 1024;

/// A script that runs.
pub struct Script<'a> {
    /// What waits for no call.
    pub clauses: Clauses,
    /// What it tells.
    pub messages: Messages<'a>,
    /// Its maps.
    pub loaded: &'a Loaded,
}

impl Script<'_> {
    /// Runs the clauses for the start.
    ///
    /// # Errors
    /// The kernel refuses, or the output cannot be written.
    pub fn begin(&mut self, plan: &Plan, names: &Names) -> Result<(), Error> {
        let probes = self.clauses.count() + names.attached.len();
        if probes > 0 {
            let said = Said::Attaching(probes);
            let said = self.messages.listener.said(plan, &said, names);
            said.map_err(Error::Output)?;
        }
        self.clauses.begin().map_err(clause_error)?;
        self.drain(names)
    }

    /// Runs the intervals that have ended, and handles some messages. Returns whether there may be more.
    ///
    /// # Errors
    /// The kernel refuses, or the output cannot be written.
    pub fn step(&mut self, names: &Names) -> Result<bool, Error> {
        let now = Instant::now();
        for _ in 0..MOST_TICKS {
            let ticked = self.clauses.tick(now).map_err(clause_error)?;
            let more = self.messages.handle(self.loaded, names, BATCH)?;
            if !ticked || more || self.messages.exit {
                return Ok(more);
            }
        }
        Ok(false)
    }

    /// What is to be said about the intervals of the script, if anything.
    pub fn trouble(&self) -> Option<String> {
        let missed = self.clauses.missed();
        (missed > 0).then(|| {
            format!("{missed} ends of intervals were left out: ewapa could not run for more than a second")
        })
    }

    /// Shows all maps as they are now.
    ///
    /// # Errors
    /// A map cannot be read, or the output cannot be written.
    pub fn show_maps(&mut self, plan: &Plan, names: &Names) -> Result<(), Error> {
        for map in &plan.maps {
            self.messages.show(map, None, self.loaded, names)?;
        }
        self.messages.flush()
    }

    /// Handles the messages that are there, and runs the clauses for the end.
    ///
    /// # Errors
    /// The kernel refuses, or the output cannot be written.
    pub fn end(&mut self, names: &Names) -> Result<(), Error> {
        self.drain(names)?;
        // What came after `exit()` is left out; the clauses for the end are not.
        self.messages.exit = false;
        self.clauses.end().map_err(clause_error)?;
        self.drain(names)
    }

    /// Whether the script has said `exit()`.
    pub fn exited(&self) -> bool {
        self.messages.exit
    }

    /// When there is something to do without anything having happened.
    pub fn next_tick(&self) -> Option<Instant> {
        self.clauses.next_tick()
    }

    /// Becomes readable when a message comes.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.messages.fd()
    }

    /// Handles what is there now. What goes on may tell more all the time, so there is a limit.
    fn drain(&mut self, names: &Names) -> Result<(), Error> {
        let limit = self.messages.capacity();
        self.messages.handle(self.loaded, names, limit)?;
        self.messages.flush()
    }
}

fn clause_error(source: io::Error) -> Error {
    Error::Io {
        what: "cannot run a clause of the script".to_owned(),
        source,
    }
}
