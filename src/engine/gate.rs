//! Holds a program that nobody has looked into yet, at its exec and before it is mapped, until its probes
//! are on. The kernel asks (fanotify(7), `FAN_OPEN_EXEC_PERM`): the process sleeps within its system call,
//! so that no shell takes it for stopped, and the end of this process, however it comes, answers for it.

mod fanotify;
mod filesystems;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use ewapa_symbols::{Catalogue, Image, Inspection};

use super::feature::Feature;
use super::maps::FileId;
use fanotify::{Asked, Fanotify};

/// How long a process waits at most for this one to attach to its runtime.
const PATIENCE: Duration = Duration::from_secs(3);

/// The gate, open for what is no runtime. All pass when it is dropped.
pub struct Gate {
    runtimes: mpsc::Receiver<Runtime>,
    /// Says that there is one.
    arrived: OwnedFd,
    /// Says that this is dropped.
    closed: OwnedFd,
    holds: bool,
}

/// A runtime that nobody has attached to yet, before its exec.
pub struct Runtime {
    /// The file.
    pub file: FileId,
    /// Its name, for people.
    pub path: PathBuf,
    /// A name by which it can be opened as long as this value is there.
    pub open: PathBuf,
    /// Where it is to be probed.
    pub image: Image,
    /// Dropped when the process may go on.
    _go_on: mpsc::Sender<()>,
}

impl Gate {
    /// Asks for every exec from now on. Without `holds` no process waits for an answer, so that the first one of a
    /// runtime may run before it is attached to.
    ///
    /// # Errors
    /// The kernel has no such questions, or there is no right to ask.
    pub fn start(holds: bool) -> io::Result<Gate> {
        if Feature::Fanotify.is_forgone() {
            return Err(io::Error::from_raw_os_error(libc::ENOSYS));
        }
        let (arrived, closed) = (event()?, event()?);
        let (tell, runtimes) = mpsc::channel();
        let (ready, is_ready) = mpsc::channel();
        let ends = (arrived.as_raw_fd(), closed.as_raw_fd());
        std::thread::Builder::new()
            .name("gate".to_owned())
            .spawn(move || {
                let fanotify = match prepare(ends, holds) {
                    Ok(fanotify) => fanotify,
                    Err(error) => {
                        let _ = ready.send(Err(error));
                        return;
                    }
                };
                // Nobody is gone who waits for it.
                let _ = ready.send(Ok(()));
                // An error ends the thread, and with it all questions.
                let _ = keep(&fanotify, ends, &tell);
            })?;
        is_ready
            .recv()
            .unwrap_or_else(|_| Err(io::Error::other("the thread has ended")))?;
        Ok(Gate {
            runtimes,
            arrived,
            closed,
            holds,
        })
    }

    /// Whether processes wait for an answer.
    pub fn holds(&self) -> bool {
        self.holds
    }

    /// Readable when a runtime waits.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.arrived.as_fd()
    }

    /// The next runtime that waits, if there is one.
    pub fn next(&self) -> Option<Runtime> {
        take(self.arrived.as_raw_fd());
        self.runtimes.try_recv().ok()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        give(self.closed.as_raw_fd());
    }
}

/// A descriptor that is readable once it was given something.
fn event() -> io::Result<OwnedFd> {
    // SAFETY: a system call on numbers; the descriptor is new and ours.
    unsafe {
        match libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) {
            -1 => Err(io::Error::last_os_error()),
            fd => Ok(OwnedFd::from_raw_fd(fd)),
        }
    }
}

fn give(event: i32) {
    let one = 1u64;
    // SAFETY: eight bytes are there. One that is full is readable as well.
    unsafe { libc::write(event, std::ptr::from_ref(&one).cast(), 8) };
}

fn take(event: i32) {
    let mut count = 0u64;
    // SAFETY: there is room for eight bytes. One that is empty needs nothing.
    unsafe { libc::read(event, std::ptr::from_mut(&mut count).cast(), 8) };
}

/// Gives this thread descriptors of its own. A child that another thread starts must not inherit the one
/// through which the kernel asks: if it were held at its own exec, it would keep the question alive.
fn prepare((arrived, closed): (i32, i32), holds: bool) -> io::Result<Fanotify> {
    let (low, high) = (arrived.min(closed) as u32, arrived.max(closed) as u32);
    // SAFETY: closes descriptors of this thread's table only, which nobody else uses.
    unsafe {
        if libc::unshare(libc::CLONE_FILES) != 0 {
            return Err(io::Error::last_os_error());
        }
        for (first, last) in [(3, low - 1), (low + 1, high - 1), (high + 1, u32::MAX)] {
            if first <= last {
                libc::syscall(libc::SYS_close_range, first, last, 0);
            }
        }
    }
    let fanotify = Fanotify::new(holds)?;
    filesystems::mark(&fanotify)?;
    Ok(fanotify)
}

/// Answers until the gate is dropped.
fn keep(
    fanotify: &Fanotify,
    (arrived, closed): (i32, i32),
    tell: &mpsc::Sender<Runtime>,
) -> io::Result<()> {
    let mounts = filesystems::changes()?;
    loop {
        let mut polled = [
            (fanotify.as_raw_fd(), libc::POLLIN),
            (closed, libc::POLLIN),
            (mounts.as_raw_fd(), libc::POLLPRI),
        ]
        .map(|(fd, events)| libc::pollfd {
            fd,
            events,
            revents: 0,
        });
        // SAFETY: the array has three entries.
        let result = unsafe { libc::poll(polled.as_mut_ptr(), 3, -1) };
        let error = io::Error::last_os_error();
        if result < 0 && error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
        if polled[1].revents != 0 {
            return Ok(());
        }
        if polled[2].revents != 0 {
            // One without a place is seen as before: at its exec, and not held.
            let _ = filesystems::mark(fanotify);
        }
        for asked in fanotify.questions()? {
            let known = look(&asked, arrived, tell);
            if known {
                fanotify.never_again(&asked);
            }
            fanotify.allow(&asked);
        }
    }
}

/// Looks into a file. If it is a runtime, waits until it has been attached to. Returns whether it need not be
/// asked for again.
fn look(asked: &Asked, arrived: i32, tell: &mpsc::Sender<Runtime>) -> bool {
    let open = asked.path();
    let Ok(file) = FileId::of(&open) else {
        return false;
    };
    let Ok(Inspection::Runtime(image)) = Catalogue::in_use().inspect(&open) else {
        return true;
    };
    let (go_on, attached) = mpsc::channel();
    let runtime = Runtime {
        file,
        path: std::fs::read_link(&open).unwrap_or_else(|_| open.clone()),
        open,
        image,
        _go_on: go_on,
    };
    if tell.send(runtime).is_err() {
        return false;
    }
    give(arrived);
    attached.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Disconnected)
}
