//! How far an experiment is: a bar with the time left on a terminal, a line for each run elsewhere.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::order::Job;

/// Says how far an experiment is.
#[derive(Debug)]
pub enum Progress {
    /// On a terminal.
    Bar(Bar),
    /// Elsewhere: how many runs there are.
    Lines(usize),
}

/// A bar.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
    /// What went wrong so far: it is said once.
    said: RefCell<HashSet<String>>,
    /// Seconds that are left; `UNKNOWN` before the first run.
    left: Arc<AtomicU64>,
}

const UNKNOWN: u64 = u64::MAX;

impl Progress {
    /// For so many runs, of which some are done, on standard error.
    pub fn new(runs: usize, done: usize) -> Progress {
        if !std::io::stderr().is_terminal() {
            return Progress::Lines(runs);
        }
        let bar = ProgressBar::with_draw_target(Some(runs as u64), ProgressDrawTarget::stderr());
        let left = Arc::new(AtomicU64::new(UNKNOWN));
        let seconds = Arc::clone(&left);
        let left_text = move |_: &ProgressState, out: &mut dyn Write| {
            let seconds = seconds.load(Ordering::Relaxed);
            if seconds != UNKNOWN {
                // A text that cannot grow is the worst that can happen.
                let _ = write!(
                    out,
                    ", {} left",
                    HumanDuration(Duration::from_secs(seconds))
                );
            }
        };
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} runs{left}\n{wide_msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .with_key("left", left_text);
        bar.set_style(style);
        bar.set_position(done as u64);
        Progress::Bar(Bar {
            bar,
            said: RefCell::default(),
            left,
        })
    }

    /// What is going on now.
    pub fn doing(&self, what: &str) {
        match self {
            Progress::Bar(Bar { bar, .. }) => bar.set_message(what.to_owned()),
            Progress::Lines(_) => {}
        }
    }

    /// A run has ended: what it is called, what came of it, and what went wrong if something did.
    pub fn ran(&self, job: &Job, name: &str, found: &str, trouble: Option<&str>) {
        match self {
            Progress::Bar(Bar { bar, said, .. }) => {
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

    /// So many runs are to come, in about this time.
    pub fn expects(&self, runs: usize, time: Duration) {
        if let Progress::Bar(Bar { bar, left, .. }) = self {
            left.store(time.as_secs(), Ordering::Relaxed);
            bar.set_length(bar.position() + runs as u64);
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Progress::Bar(Bar { bar, .. }) = self {
            bar.finish_and_clear();
        }
    }
}
