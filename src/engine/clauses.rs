//! The clauses that wait for no call: `begin`, `end` and intervals. User space runs them in the kernel,
//! where the maps are.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use ewapa_lang::plan::{Event, Plan};
use ewapa_templates::SCRIPT_EVENT;
use libbpf_sys as bpf;

use super::load::{Error, Loaded, Program};
use super::test_run;

/// The clauses of a script that wait for no call.
pub struct Clauses {
    program: Option<OwnedFd>,
    begin: Vec<usize>,
    end: Vec<usize>,
    intervals: Vec<Interval>,
    /// The ends of intervals that were left out.
    missed: u64,
}

/// What was missed is made up for, as far as it was within this time.
const MADE_UP: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Interval {
    clause: usize,
    period: Duration,
    next: Instant,
}

impl Clauses {
    /// Loads the program if the plan has such clauses. Intervals begin now.
    ///
    /// # Errors
    /// The kernel refuses the program.
    pub fn load(plan: &Plan, loaded: &Loaded) -> Result<Clauses, Error> {
        let mut clauses = Clauses {
            program: None,
            begin: Vec::new(),
            end: Vec::new(),
            intervals: Vec::new(),
            missed: 0,
        };
        let now = Instant::now();
        for (index, clause) in plan.clauses.iter().enumerate() {
            match clause.event {
                Event::Wasi(_)
                | Event::WasiEnter(_)
                | Event::Syscall(_)
                | Event::Phase(_)
                | Event::Raw(_) => {}
                Event::Begin => clauses.begin.push(index),
                Event::End => clauses.end.push(index),
                Event::Interval(nanoseconds) => {
                    let period = Duration::from_nanos(nanoseconds.max(1));
                    clauses.intervals.push(Interval {
                        clause: index,
                        period,
                        next: now + period,
                    });
                }
            }
        }
        if clauses.count() > 0 {
            clauses.program = Some(loaded.program(Program {
                name: SCRIPT_EVENT,
                ty: bpf::BPF_PROG_TYPE_RAW_TRACEPOINT,
                attach_type: 0,
            })?);
        }
        Ok(clauses)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.begin.len() + self.end.len() + self.intervals.len()
    }

    /// Runs the clauses for the start, and starts the intervals.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn begin(&mut self) -> io::Result<()> {
        self.begin.iter().try_for_each(|clause| self.run(*clause))?;
        let now = Instant::now();
        for interval in &mut self.intervals {
            interval.next = now + interval.period;
        }
        Ok(())
    }

    /// Runs the clauses for the end.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn end(&self) -> io::Result<()> {
        self.end.iter().try_for_each(|clause| self.run(*clause))
    }

    /// Runs the clause whose time came first, if any has. Returns whether one was run.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn tick(&mut self, now: Instant) -> io::Result<bool> {
        let due = self.intervals.iter_mut();
        let due = due.filter(|interval| interval.next <= now);
        let Some(interval) = due.min_by_key(|interval| interval.next) else {
            return Ok(false);
        };
        self.missed += interval.pass(now);
        let clause = interval.clause;
        self.run(clause)?;
        Ok(true)
    }

    /// How many ends of intervals were left out.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// When the next interval ends.
    pub fn next_tick(&self) -> Option<Instant> {
        self.intervals.iter().map(|interval| interval.next).min()
    }

    fn run(&self, clause: usize) -> io::Result<()> {
        match &self.program {
            Some(program) => test_run::run(program, &[clause as u64]),
            None => Ok(()),
        }
    }
}

impl Interval {
    /// Sets the next time, on the grid of the first one. Returns how many were left out because they are too
    /// long ago.
    fn pass(&mut self, now: Instant) -> u64 {
        let late = now.saturating_duration_since(self.next);
        let too_late = late.saturating_sub(MADE_UP).as_nanos();
        let missed = u64::try_from(too_late / self.period.as_nanos()).unwrap_or(u64::MAX);
        let ahead = self.period.as_nanos() * u128::from(missed.saturating_add(1));
        self.next += Duration::from_nanos(u64::try_from(ahead).unwrap_or(u64::MAX));
        missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_stays_on_its_grid_and_makes_up_for_the_last_second() {
        let start = Instant::now();
        let period = Duration::from_millis(10);
        let mut interval = Interval {
            clause: 0,
            period,
            next: start + period,
        };
        let mut next_at = |now| {
            let missed = interval.pass(start + Duration::from_millis(now));
            (interval.next.duration_since(start).as_millis(), missed)
        };
        assert_eq!(next_at(11), (20, 0));
        assert_eq!(next_at(55), (30, 0));
        assert_eq!(next_at(55), (40, 0));
        // Those up to 4 s are left out.
        assert_eq!(next_at(5_000), (4_010, 396));
    }
}
