//! A script that watches the whole machine.

use std::fs;
use std::process::Command;

use super::host::ewapa;
use super::process::{Process, wait_until};

/// One that runs.
#[derive(Debug)]
pub struct Watch(pub Process);

/// Starts a script, and waits until it holds what is executed for the first time.
pub fn begin(script: &str, options: &[&str]) -> Watch {
    let process = Process::start(
        Command::new(ewapa())
            .args(["script", "-f", "csv", "-q", "-e", script])
            .args(options),
    );
    wait_until("the script to watch the machine", || {
        watches(process.pid()).then_some(())
    });
    Watch(process)
}

/// Whether the kernel asks this process about other ones: whether a thread of it has marked a filesystem, and waits.
fn watches(pid: u32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    threads.map(|thread| thread.path()).any(|thread| {
        let is_gate =
            fs::read_to_string(thread.join("comm")).is_ok_and(|name| name.trim_end() == "gate");
        is_gate
            && fs::read_to_string(thread.join("syscall"))
                .is_ok_and(|call| call.starts_with(&format!("{} ", libc::SYS_poll)))
    })
}

impl Watch {
    /// Ends it. Returns its rows without the first one, and what it said.
    pub fn end(self) -> (Vec<String>, String) {
        self.0.signal(libc::SIGINT);
        let ended = self.0.end();
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        let text = String::from_utf8_lossy(&ended.stdout).into_owned();
        (
            text.lines().skip(1).map(str::to_owned).collect(),
            ended.stderr,
        )
    }
}
