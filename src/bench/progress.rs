//! How far an experiment is: a bar with the time left on a terminal, a line for each run elsewhere.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt::Write;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::order::Job;

/// Says how far an experiment is.
#[derive(Debug)]
pub enum Progress {
    /// On a terminal, with what went wrong so far: it is said once.
    Bar(ProgressBar, RefCell<HashSet<String>>),
    /// Elsewhere: how many runs there are.
    Lines(usize),
}

impl Progress {
    /// For so many runs, of which some are done, on standard error. They take at most about as long as `budget`.
    pub fn new(runs: usize, done: usize, budget: Option<Duration>) -> Progress {
        if !std::io::stderr().is_terminal() {
            return Progress::Lines(runs);
        }
        let bar = ProgressBar::with_draw_target(Some(runs as u64), ProgressDrawTarget::stderr());
        let left = move |state: &ProgressState, out: &mut dyn Write| {
            let budget = budget.map(|budget| budget.saturating_sub(state.elapsed()));
            let left = state.eta().min(budget.unwrap_or(Duration::MAX));
            // Before the first run nobody knows. A text that cannot grow is the worst that can happen.
            if state.pos() > done as u64 {
                let _ = write!(out, ", {} left", HumanDuration(left));
            }
        };
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} runs{left}\n{wide_msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .with_key("left", left);
        bar.set_style(style);
        bar.set_position(done as u64);
        bar.reset_eta();
        Progress::Bar(bar, RefCell::default())
    }

    /// What is going on now.
    pub fn doing(&self, what: &str) {
        match self {
            Progress::Bar(bar, _) => bar.set_message(what.to_owned()),
            Progress::Lines(_) => {}
        }
    }

    /// A run has ended: what it is called, what came of it, and what went wrong if something did.
    pub fn ran(&self, job: &Job, name: &str, found: &str, trouble: Option<&str>) {
        match self {
            Progress::Bar(bar, said) => {
                if let Some(trouble) = trouble
                    && said.borrow_mut().insert(trouble.to_owned())
                {
                    bar.println(trouble);
                }
                bar.inc(1);
            }
            Progress::Lines(runs) => say!("[{}/{runs}] {name}: {found}", job.order + 1),
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Progress::Bar(bar, _) = self {
            bar.finish_and_clear();
        }
    }
}
