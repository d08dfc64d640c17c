//! How a command is brought to an end that somebody wants: it is asked, then told, then made to.

use std::time::{Duration, Instant};

use super::signals;

/// How long each wish is given.
const GRACE: Duration = Duration::from_secs(2);

/// The wishes so far. By default there is none.
#[derive(Debug, Default)]
pub struct Ending {
    /// When the next wish is due, and which.
    due: Option<(Instant, i32)>,
}

impl Ending {
    /// Sends a signal to the command; a stronger one follows if it does not end.
    pub fn ask(&mut self, pid: u32, signal: i32) {
        signals::send(pid, signal);
        self.follow(signal);
    }

    /// As [`Ending::ask`] for a signal that the command has from elsewhere.
    pub fn wait(&mut self) {
        self.follow(libc::SIGINT);
    }

    fn follow(&mut self, signal: i32) {
        let next = match signal {
            libc::SIGINT | libc::SIGHUP => libc::SIGTERM,
            _ => libc::SIGKILL,
        };
        self.due = Some((Instant::now() + GRACE, next));
    }

    /// Sends the stronger signal when its time has come.
    pub fn insist(&mut self, pid: u32, now: Instant) {
        if let Some((due, signal)) = self.due
            && due <= now
        {
            self.ask(pid, signal);
        }
    }

    /// When the next signal is due, if an end is wanted.
    pub fn next(&self) -> Option<Instant> {
        self.due.map(|(due, _)| due)
    }
}
