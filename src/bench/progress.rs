//! How far an experiment is: a bar with the time left on a terminal, a line for each run elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::order::Job;
use super::result::{Outcome, Run};

/// Says how far an experiment is.
#[derive(Debug)]
pub enum Progress {
    /// On a terminal.
    Bar(ProgressBar),
    /// Elsewhere: how many runs there are.
    Lines(usize),
}

impl Progress {
    /// For so many runs, of which some are done, on standard error.
    pub fn new(runs: usize, done: usize) -> Progress {
        if !std::io::stderr().is_terminal() {
            return Progress::Lines(runs);
        }
        let bar = ProgressBar::with_draw_target(Some(runs as u64), ProgressDrawTarget::stderr());
        let style =
            ProgressStyle::with_template("{wide_bar} {pos}/{len} runs, {eta} left\n{wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        bar.set_position(done as u64);
        bar.reset_eta();
        Progress::Bar(bar)
    }

    /// What is going on now.
    pub fn doing(&self, what: &str) {
        match self {
            Progress::Bar(bar) => bar.set_message(what.to_owned()),
            Progress::Lines(_) => {}
        }
    }

    /// A run has ended.
    pub fn ran(&self, job: &Job, run: &Run) {
        let troubled = run.outcome != Outcome::Ok;
        match self {
            Progress::Bar(bar) => {
                if troubled {
                    bar.println(line(run));
                }
                bar.inc(1);
            }
            Progress::Lines(runs) => {
                eprintln!("[{}/{runs}] {}", job.order + 1, line(run));
            }
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Progress::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// A run in one line.
fn line(run: &Run) -> String {
    let probes = if run.observed { ", with probes" } else { "" };
    let what = format!("{} {} {}{probes}", run.runtime, run.workload, run.scale);
    let detail = run.detail.as_deref().unwrap_or_default();
    match (run.outcome, run.total) {
        (Outcome::Ok, Some(total)) => format!("{what}: {:.1} ms", total as f64 / 1e6),
        (Outcome::Ok, None) => format!("{what}: {} calls", run.calls()),
        (Outcome::Failed, _) => format!("{what}: failed: {detail}"),
        (Outcome::Timeout, _) => format!("{what}: took too long: {detail}"),
        (Outcome::Wrong, _) => format!("{what}: wrong: {detail}"),
    }
}
