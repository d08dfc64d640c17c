//! Signals as a descriptor, and waiting on descriptors.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// A signal that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// A child has ended or stopped.
    Child,
    /// A file that this process leases is about to be written to.
    Lease,
    /// Somebody wants an end: SIGINT, SIGTERM or SIGHUP. `by_terminal` if the terminal sent it, to the
    /// whole foreground group.
    End {
        /// The number.
        number: i32,
        /// Sent by the kernel and not by a process.
        by_terminal: bool,
    },
}

/// Gives a child that becomes another program the signals that it expects: those that this process waits for
/// in its own way are blocked in it, and Rust ignores SIGPIPE.
///
/// # Safety
/// Between `fork` and `exec`: all of it is async-signal-safe, but changes the signals of the whole process.
pub unsafe fn restore_defaults() {
    // SAFETY: the set is initialised before it is used.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}

/// Receives SIGCHLD, SIGIO, SIGINT, SIGTERM and SIGHUP.
#[derive(Debug)]
pub struct Signals(OwnedFd);

impl Signals {
    /// Takes the signals away from their default actions, for the whole process.
    ///
    /// # Errors
    /// There is no room for another descriptor.
    pub fn take() -> io::Result<Signals> {
        // SAFETY: the set is initialised before it is used; the descriptor is new and ours.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            for signal in [
                libc::SIGCHLD,
                libc::SIGIO,
                libc::SIGINT,
                libc::SIGTERM,
                libc::SIGHUP,
            ] {
                libc::sigaddset(&mut set, signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut());
            let fd = libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
            if fd < 0 {
                Err(io::Error::last_os_error())
            } else {
                Ok(Signals(OwnedFd::from_raw_fd(fd)))
            }
        }
    }

    /// The next signal, if there is one.
    pub fn next(&self) -> Option<Signal> {
        // SAFETY: the structure is plain data and has room for what is read.
        let info = unsafe {
            let mut info: libc::signalfd_siginfo = std::mem::zeroed();
            let size = size_of::<libc::signalfd_siginfo>();
            let read = libc::read(
                self.0.as_raw_fd(),
                std::ptr::from_mut(&mut info).cast(),
                size,
            );
            (read == size as isize).then_some(info)
        }?;
        let number = info.ssi_signo as i32;
        Some(match number {
            libc::SIGCHLD => Signal::Child,
            libc::SIGIO => Signal::Lease,
            _ => Signal::End {
                number,
                by_terminal: info.ssi_code == libc::SI_KERNEL,
            },
        })
    }
}

/// Waits until the signals or one of the descriptors have something to read, or the time is over.
///
/// # Errors
/// The kernel refuses.
pub fn wait(
    signals: &Signals,
    others: &[BorrowedFd<'_>],
    timeout: Option<Duration>,
) -> io::Result<()> {
    let mut polled: Vec<libc::pollfd> = others
        .iter()
        .map(AsRawFd::as_raw_fd)
        .chain([signals.0.as_raw_fd()])
        .map(|fd| libc::pollfd {
            fd,
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    let timeout = timeout.map(|timeout| libc::timespec {
        tv_sec: libc::time_t::try_from(timeout.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(timeout.subsec_nanos() as i32),
    });
    // SAFETY: the array has as many entries as is said; the timeout lives across the call.
    let result = unsafe {
        libc::ppoll(
            polled.as_mut_ptr(),
            polled.len() as libc::nfds_t,
            timeout
                .as_ref()
                .map_or(std::ptr::null(), std::ptr::from_ref),
            std::ptr::null(),
        )
    };
    if result < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    Ok(())
}

/// Sends a signal to a process. That it has ended already is no failure.
pub fn send(pid: u32, signal: i32) {
    // SAFETY: a system call on numbers.
    unsafe { libc::kill(pid as i32, signal) };
}

/// Lets a stopped process go on. That it has ended already is no failure.
///
/// # Errors
/// It has become another user's, and there is no right to send it signals.
pub fn resume(pid: u32) -> io::Result<()> {
    // SAFETY: a system call on numbers.
    if unsafe { libc::kill(pid as i32, libc::SIGCONT) } == 0 {
        return Ok(());
    }
    match io::Error::last_os_error() {
        error if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
        error => Err(error),
    }
}

/// Ignores a signal from now on.
pub fn ignore(signal: i32) {
    // SAFETY: no handler is set.
    unsafe { libc::signal(signal, libc::SIG_IGN) };
}
