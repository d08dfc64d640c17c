//! Processes of a test: they have a deadline, and none is left behind.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What anything in these tests may take at most: the machine may be busy.
const DEADLINE: Duration = Duration::from_secs(180);

/// What the output of a process that has ended may take to end, too.
const OUTPUT_DEADLINE: Duration = Duration::from_secs(10);

/// Waits until something is so.
pub fn wait_until<T>(what: &str, holds: impl FnMut() -> Option<T>) -> T {
    wait_at_most(DEADLINE, what, holds)
}

fn wait_at_most<T>(deadline: Duration, what: &str, mut holds: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = holds() {
            return value;
        }
        assert!(start.elapsed() < deadline, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A running process whose output is collected. It is killed if it is still there at the end of the test.
#[derive(Debug)]
pub struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Collected,
    stderr: Collected,
}

/// What a process has written to a pipe so far.
#[derive(Debug)]
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

/// What a process that has ended left.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: String,
    /// The same as it was written.
    pub stderr_bytes: Vec<u8>,
}

impl Process {
    /// Starts a command with pipes for its standard input, output and error.
    pub fn start(command: &mut Command) -> Process {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Process {
            stdin: child.stdin.take(),
            stdout: Collected::from(child.stdout.take().expect("a pipe")),
            stderr: Collected::from(child.stderr.take().expect("a pipe")),
            child,
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Writes to its standard input.
    pub fn write(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().expect("the input is open");
        stdin
            .write_all(bytes)
            .and_then(|()| stdin.flush())
            .expect("write to the process");
    }

    /// Closes its standard input.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Waits until it has written so many bytes to its standard output.
    pub fn wait_for_output(&self, length: usize) {
        wait_until("output", || {
            (self.stdout.bytes.lock().unwrap().len() >= length).then_some(())
        });
    }

    /// What it has written to its standard output so far.
    pub fn stdout(&self) -> Vec<u8> {
        self.stdout.bytes.lock().unwrap().clone()
    }

    /// Sends a signal to it.
    pub fn signal(&self, signal: i32) {
        send(self.pid(), signal);
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("wait for a child").is_some()
    }

    /// Waits for its end. Its standard input stays open until then, if it has not been closed.
    pub fn end(mut self) -> Ended {
        let status = wait_until(&format!("the end of process {}", self.pid()), || {
            self.child.try_wait().expect("wait for a child")
        });
        let stderr_bytes = self.stderr.finish();
        Ended {
            status,
            stdout: self.stdout.finish(),
            stderr: String::from_utf8_lossy(&stderr_bytes).into_owned(),
            stderr_bytes,
        }
    }
}

impl Ended {
    /// The exit code as a shell gives it: 128 and the number of the signal, if it was one.
    pub fn code(&self) -> i32 {
        self.status
            .code()
            .or_else(|| self.status.signal().map(|signal| 128 + signal))
            .expect("ended by itself or by a signal")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // On a panic of the test only; a process that has ended cannot be killed.
        for child in descendants(self.pid()) {
            send(child, libc::SIGKILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Collected {
    fn from(mut pipe: impl Read + Send + 'static) -> Collected {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                into.lock().unwrap().extend_from_slice(&buffer[..count]);
            }
        });
        Collected {
            bytes,
            reader: Some(reader),
        }
    }

    /// All of it. Waits until every process that holds the pipe has closed it.
    fn finish(&mut self) -> Vec<u8> {
        if let Some(reader) = self.reader.take() {
            wait_at_most(
                OUTPUT_DEADLINE,
                "the end of the output: something still holds it",
                || reader.is_finished().then_some(()),
            );
            reader.join().expect("read a pipe");
        }
        std::mem::take(&mut self.bytes.lock().unwrap())
    }
}

/// Sends a signal to a process of this test.
pub fn send(pid: u32, signal: i32) {
    // SAFETY: a system call on numbers.
    unsafe { libc::kill(pid as i32, signal) };
}

/// Whether there is such a process, other than one that only waits to be reaped.
pub fn is_alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| state(&stat) != Some('Z'))
}

/// The state in a line of `/proc/PID/stat`: the letter after the name in parentheses.
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(") ")?.1.chars().next()
}

/// The children of a process, their children, and so on.
pub fn descendants(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children
            .split_whitespace()
            .filter_map(|child| child.parse().ok())
        {
            found.push(child);
            found.extend(descendants(child));
        }
    }
    found
}

/// Waits until every thread of a process sleeps and none has run for a while: it waits for its input.
pub fn wait_until_quiet(pid: u32) {
    let switches = || -> Option<Vec<String>> {
        let mut seen = Vec::new();
        for task in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
            let stat = fs::read_to_string(task.path().join("stat")).ok()?;
            if state(&stat) != Some('S') {
                return None;
            }
            let status = fs::read_to_string(task.path().join("status")).ok()?;
            seen.extend(
                status
                    .lines()
                    .filter(|line| line.contains("ctxt_switches"))
                    .map(str::to_owned),
            );
        }
        Some(seen)
    };
    wait_until("a process to be quiet", || {
        let before = switches()?;
        thread::sleep(Duration::from_millis(50));
        (switches()? == before).then_some(())
    });
}
