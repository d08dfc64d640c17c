//! A process whose time and memory are measured: from exec to its end.

use std::ffi::{CString, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::ptr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::inheritance::{Shared, Withheld};
use crate::engine::kernel::now;
use crate::engine::privileges::user;
use crate::engine::signals::{self, Signal, Signals};

/// What is run, and with what.
#[derive(Debug)]
pub struct Program<'a> {
    /// The program's path and its arguments.
    pub words: &'a [OsString],
    /// Where.
    pub directory: &'a Path,
    /// Standard input, output and error.
    pub streams: [&'a File; 3],
    /// Whether it runs as the user who called, if that is another one.
    pub as_caller: bool,
}

/// How it ended.
#[derive(Debug)]
pub enum Ended {
    /// By itself.
    Itself(Measured),
    /// It took too long and was ended.
    Timeout,
    /// The user wants an end, by this signal.
    Interrupted(i32),
}

/// A process that ended by itself.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Its exit code or signal.
    pub status: ExitStatus,
    /// From exec to its end, in nanoseconds.
    pub total: u64,
    /// The most memory that was resident, in bytes, of it or of a child that it waited for. The kernel counts
    /// from the fork on: none if the program needed no more than what of ewapa became it, about 1.5 MiB.
    pub peak_memory: Option<u64>,
}

/// How long a process that was told to end has for that.
const GRACE: Duration = Duration::from_secs(3);

/// How much less than it has a child may be told that it has, in KiB: the kernel counts pages by processor and
/// adds that up when there are enough (`percpu_counter_batch`).
const SLACK: u64 = 256;

/// The exit code of a child that could not become the program.
const FAILED: i32 = 127;

/// Runs a program to its end, in a process group of its own. It ends with this process.
///
/// # Errors
/// The process cannot be made or waited for.
pub fn run(program: &Program<'_>, timeout: Duration, signals: &Signals) -> io::Result<Ended> {
    let mut child = Child::start(program)?;
    let deadline = Instant::now() + timeout;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        signals::wait(signals, &[child.handle.as_fd()], Some(left))?;
        let ended = now();
        if let Some((raw, usage)) = child.reap(libc::WNOHANG)? {
            return Ok(Ended::Itself(child.measured(ended, raw, &usage)));
        }
        while let Some(signal) = signals.next() {
            if let Signal::End { number, .. } = signal {
                child.end(signals)?;
                return Ok(Ended::Interrupted(number));
            }
        }
        if left.is_zero() {
            child.end(signals)?;
            return Ok(Ended::Timeout);
        }
    }
}

struct Child {
    pid: i32,
    /// Readable once the process has ended.
    handle: OwnedFd,
    /// What it writes itself.
    start: Shared,
}

impl Child {
    fn start(program: &Program<'_>) -> io::Result<Child> {
        let text = |bytes: &[u8]| {
            CString::new(bytes).map_err(|_| {
                io::Error::new(io::ErrorKind::InvalidInput, "an argument has a zero byte")
            })
        };
        let words = program
            .words
            .iter()
            .map(|word| text(word.as_bytes()))
            .collect::<Result<Vec<_>, _>>()?;
        let directory = text(program.directory.as_os_str().as_bytes())?;
        let streams = program.streams.map(AsRawFd::as_raw_fd);
        let caller = user::caller().filter(|_| program.as_caller);
        let start = Shared::new(&directory, &words, caller)?;
        let withheld = Withheld::all()?;
        // Not `std::process::Command`: with its vfork the memory of this process would be the least that the
        // kernel says the program had. Nor libc's fork, whose child looks after the heap that it does not have.
        // SAFETY: the child calls nothing but async-signal-safe functions on its stack and on shared memory, and
        // never returns from here.
        let pid = match unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) } {
            -1 => return Err(io::Error::last_os_error()),
            // SAFETY: as above.
            0 => unsafe { become_program(&start, streams) },
            pid => pid as i32,
        };
        drop(withheld);
        // SAFETY: a system call on numbers; the descriptor is new and ours if it succeeds.
        let handle = unsafe {
            libc::setpgid(pid, pid);
            let handle = libc::syscall(libc::SYS_pidfd_open, pid, 0);
            if handle < 0 {
                let error = io::Error::last_os_error();
                libc::kill(pid, libc::SIGKILL);
                libc::waitpid(pid, ptr::null_mut(), 0);
                return Err(error);
            }
            OwnedFd::from_raw_fd(handle as i32)
        };
        Ok(Child { pid, handle, start })
    }

    /// Status and usage, if it has ended.
    fn reap(&mut self, options: i32) -> io::Result<Option<(i32, libc::rusage)>> {
        let mut raw = 0;
        // SAFETY: both are plain data and writable.
        let (result, usage) = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            let result = libc::wait4(self.pid, &mut raw, options, &mut usage);
            (result, usage)
        };
        match result {
            -1 => Err(io::Error::last_os_error()),
            0 => Ok(None),
            _ => Ok(Some((raw, usage))),
        }
    }

    fn measured(&self, ended: u64, raw: i32, usage: &libc::rusage) -> Measured {
        let start = self.start.start();
        let began = start.began.load(Ordering::Acquire);
        let before = start.memory.load(Ordering::Acquire);
        let most = u64::try_from(usage.ru_maxrss).unwrap_or(0);
        Measured {
            status: ExitStatus::from_raw(raw),
            total: ended.saturating_sub(began),
            peak_memory: (most > before + SLACK).then_some(most * 1024),
        }
    }

    /// Tells the process to end, and kills its group if it does not.
    fn end(&mut self, signals: &Signals) -> io::Result<()> {
        // SAFETY: system calls on numbers; the process is a child that has not been waited for.
        unsafe { libc::kill(self.pid, libc::SIGTERM) };
        let deadline = Instant::now() + GRACE;
        while self.reap(libc::WNOHANG)?.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                // SAFETY: as above.
                unsafe { libc::kill(-self.pid, libc::SIGKILL) };
                self.reap(0)?;
                return Ok(());
            }
            signals::wait(signals, &[self.handle.as_fd()], Some(left))?;
            while signals.next().is_some() {}
        }
        // What it has started may have outlived it.
        // SAFETY: as above; a group that is gone is no failure.
        unsafe { libc::kill(-self.pid, libc::SIGKILL) };
        Ok(())
    }
}

/// # Safety
/// Only in a child that a raw `clone` has made.
unsafe fn become_program(shared: &Shared, streams: [i32; 3]) -> ! {
    // SAFETY: async-signal-safe calls on the stack and on shared memory, which has C strings and a list of words
    // that ends with null.
    unsafe {
        libc::setpgid(0, 0);
        let mut ready = shared.become_caller().is_ok();
        // Behind it: the kernel forgets it where a process becomes another user's.
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM);
        signals::restore_defaults();
        ready &= libc::chdir(shared.directory()) == 0;
        for (to, from) in (0..).zip(streams) {
            ready &= libc::dup2(from, to) >= 0;
        }
        if ready {
            let mut usage: libc::rusage = std::mem::zeroed();
            libc::getrusage(libc::RUSAGE_SELF, &mut usage);
            let start = shared.start();
            start
                .memory
                .store(usage.ru_maxrss as u64, Ordering::Release);
            start.began.store(now(), Ordering::Release);
            let environment = shared.environment();
            if environment.is_null() {
                libc::execv(*shared.words(), shared.words());
            } else {
                libc::execve(*shared.words(), shared.words(), environment);
            }
        }
        libc::_exit(FAILED)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::bench::directory::Directory;

    /// One child at a time: what is withheld from one is given back to all when it has started.
    static ONE: Mutex<()> = Mutex::new(());

    fn run_shell(script: &str, timeout: Duration) -> (Ended, String) {
        let _one = ONE.lock().unwrap();
        let signals = Signals::take().unwrap();
        let directory = Directory::new().unwrap();
        let output = directory.join("output");
        let (null, file) = (
            File::open("/dev/null").unwrap(),
            File::create(&output).unwrap(),
        );
        let words = ["/bin/sh", "-c", script].map(OsString::from);
        let program = Program {
            words: &words,
            directory: directory.path(),
            streams: [&null, &file, &file],
            as_caller: true,
        };
        let ended = run(&program, timeout, &signals).unwrap();
        (ended, std::fs::read_to_string(output).unwrap())
    }

    #[test]
    fn what_a_process_took_and_how_it_ended_is_measured() {
        let (ended, output) = run_shell("sleep 0.05; echo done; exit 7", Duration::from_secs(60));
        let Ended::Itself(measured) = ended else {
            panic!("{ended:?}")
        };
        assert_eq!(measured.status.code(), Some(7));
        assert!(measured.total >= 50_000_000, "{measured:?}");
        // A shell may need less than the stacks of all tests that are going on.
        assert!(measured.peak_memory.is_none_or(|memory| memory > 1 << 19));
        assert_eq!(output, "done\n");
    }

    #[test]
    fn a_process_that_takes_too_long_is_ended_with_its_children() {
        let start = Instant::now();
        let (ended, output) = run_shell("echo $$; sleep 1000 & wait", Duration::from_millis(200));
        assert!(matches!(ended, Ended::Timeout), "{ended:?}");
        assert!(start.elapsed() < Duration::from_secs(30));
        let group: i32 = output.trim().parse().unwrap();
        while is_running(group) {
            assert!(start.elapsed() < Duration::from_secs(30));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Whether a process of the group is there, other than one that only waits to be reaped.
    fn is_running(group: i32) -> bool {
        std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
            std::fs::read_to_string(entry.path().join("stat")).is_ok_and(|stat| {
                let words = stat.rsplit_once(") ").map(|(_, rest)| rest.split(' '));
                let words: Vec<&str> = words.into_iter().flatten().collect();
                words[0] != "Z" && words[2] == group.to_string()
            })
        })
    }
}
