//! One run of a command with the guest in it, with its times and its memory.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;

/// The guest runs.
const FIRST: u8 = 1;

/// The guest has made its calls.
const LAST: u8 = 2;

/// How long a step may take before the run counts as stuck.
const PATIENCE: Duration = Duration::from_secs(300);

/// How often the memory of a tool that ends is looked at.
const LOOK: Duration = Duration::from_millis(2);

/// What was measured.
#[derive(Debug, Clone)]
pub struct Run {
    /// From spawning the command to the guest's first byte.
    pub start: Duration,
    /// From the word to go on to the guest's last byte.
    pub work: Duration,
    /// From the end of the guest's process to the end of the command.
    pub end: Duration,
    /// The command's peak resident set in bytes, without its children.
    pub memory: u64,
    /// The processor time of the command, without its children.
    pub cpu: Duration,
    /// What the tool said that a probe costs.
    pub told: Option<Duration>,
    /// Lines of a script that arrived in the tool's output.
    pub lines: Option<u64>,
}

/// Runs a command in which, or below which, `executable` runs the guest.
///
/// # Errors
/// The command cannot be run, it fails, or the guest does not do what it should.
pub fn run(command: &mut Command, executable: &Path) -> Result<Run> {
    let spawned = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run {command:?}: {error}"))?;
    let mut output = Output {
        stream: child.stderr.take().ok_or("the command has no output")?,
        text: Vec::new(),
    };
    let measured = follow(&mut child, &mut output, spawned, executable);
    if measured.is_err() {
        // It may have ended; else nobody would end it.
        let _ = child.kill();
    }
    let status = child.wait()?;
    let run = measured.map_err(|error| format!("{command:?}: {error}{}", output.said()))?;
    if !status.success() {
        return Err(format!("{command:?} ended with {status}{}", output.said()).into());
    }
    Ok(run)
}

fn follow(
    child: &mut Child,
    output: &mut Output,
    spawned: Instant,
    executable: &Path,
) -> Result<Run> {
    let start = output.wait_for(FIRST)? - spawned;
    let tool = pidfd(child.id())?;
    let guest = pidfd(find_guest(child.id(), executable)?)?;

    let mut input = child.stdin.take().ok_or("the command has no input")?;
    // One that ends with its guest is gone before it can be asked again.
    let before = peak_memory(child.id()).unwrap_or(0);
    let go = Instant::now();
    input.write_all(b"g")?;
    let work = output.wait_for(LAST)? - go;

    if !readable(guest.as_fd(), PATIENCE)? {
        return Err("the guest does not end".into());
    }
    let ended = Instant::now();
    let clock = Clock::of(child.id())?;
    let mut memory = peak_memory(child.id()).unwrap_or(before);
    while !readable(tool.as_fd(), LOOK)? {
        memory = peak_memory(child.id()).unwrap_or(memory);
        if ended.elapsed() > PATIENCE {
            return Err("the command does not end after its guest".into());
        }
    }
    Ok(Run {
        start,
        work,
        end: ended.elapsed(),
        memory,
        // It has ended, and nobody has waited for it yet.
        cpu: clock.now()?,
        told: None,
        lines: None,
    })
}

/// The stream that guest and tool share: the guest's two bytes, and what the tool complains about.
struct Output {
    stream: ChildStderr,
    text: Vec<u8>,
}

impl Output {
    /// Waits for a byte of the guest, and returns when it came.
    fn wait_for(&mut self, byte: u8) -> Result<Instant> {
        let mut buffer = [0; 4096];
        loop {
            if !readable(self.stream.as_fd(), PATIENCE)? {
                return Err("nothing comes from the guest".into());
            }
            let length = self.stream.read(&mut buffer)?;
            let now = Instant::now();
            if length == 0 {
                return Err("the guest ended too early".into());
            }
            self.text.extend_from_slice(&buffer[..length]);
            if buffer[..length].contains(&byte) {
                return Ok(now);
            }
        }
    }

    /// What the tool said, for an error of a command that has ended.
    fn said(&mut self) -> String {
        // What cannot be read is missing from a message about something else.
        let _ = self.stream.read_to_end(&mut self.text);
        let text: String = String::from_utf8_lossy(&self.text)
            .chars()
            .filter(|char| *char == '\n' || !char.is_control())
            .collect();
        format!("; it said: {}", text.trim())
    }
}

/// The process that runs the guest: the command's own, or one of its children.
fn find_guest(pid: u32, executable: &Path) -> Result<u32> {
    let runs = |pid: u32| {
        std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|path| path == executable)
    };
    if runs(pid) {
        return Ok(pid);
    }
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let children = std::fs::read_to_string(task?.path().join("children"))?;
        for child in children.split_whitespace() {
            let child = child.parse()?;
            if runs(child) {
                return Ok(child);
            }
        }
    }
    Err("none of its children is the runtime".into())
}

/// The largest resident set that a process has had since its `exec`. `wait4` does not serve: it tells the
/// largest of the process, of the children it has waited for, and of the process it was forked from.
fn peak_memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

/// The processor time that a process has taken, with its threads and without its children.
struct Clock(libc::clockid_t);

impl Clock {
    fn of(pid: u32) -> io::Result<Clock> {
        let mut clock = 0;
        // SAFETY: `clock` is writable.
        match unsafe { libc::clock_getcpuclockid(pid as i32, &mut clock) } {
            0 => Ok(Clock(clock)),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }

    fn now(&self) -> io::Result<Duration> {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: `time` is writable.
        match unsafe { libc::clock_gettime(self.0, &mut time) } {
            0 => Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32)),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

fn pidfd(pid: u32) -> io::Result<OwnedFd> {
    // SAFETY: a system call on plain numbers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new descriptor that is ours.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Waits until there is something to read, or the process of a pidfd has ended.
fn readable(fd: BorrowedFd, patience: Duration) -> io::Result<bool> {
    let mut poll = libc::pollfd {
        fd: fd.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one structure, which is writable.
    match unsafe { libc::poll(&mut poll, 1, patience.as_millis() as i32) } {
        -1 => Err(io::Error::last_os_error()),
        ready => Ok(ready > 0),
    }
}
