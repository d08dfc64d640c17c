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
}

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

    /// Runs the clauses whose time has come. What was missed is not made up for.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn tick(&mut self) -> io::Result<()> {
        let now = Instant::now();
        for index in 0..self.intervals.len() {
            if self.intervals[index].next <= now {
                self.run(self.intervals[index].clause)?;
                self.intervals[index].pass(now);
            }
        }
        Ok(())
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
    /// Sets the next time: on the grid of the first one, and after now.
    fn pass(&mut self, now: Instant) {
        let late = now.saturating_duration_since(self.next);
        let missed = late.as_nanos() / self.period.as_nanos();
        let ahead = self.period.as_nanos() * (missed + 1);
        self.next += Duration::from_nanos(u64::try_from(ahead).unwrap_or(u64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_stays_on_its_grid_and_leaves_out_what_it_missed() {
        let start = Instant::now();
        let period = Duration::from_millis(10);
        let mut interval = Interval {
            clause: 0,
            period,
            next: start + period,
        };
        interval.pass(start + Duration::from_millis(11));
        assert_eq!(interval.next, start + Duration::from_millis(20));
        interval.pass(start + Duration::from_millis(55));
        assert_eq!(interval.next, start + Duration::from_millis(60));
    }
}
