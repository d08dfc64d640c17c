//! Holds a program that nobody has looked into yet, at its exec and before it is mapped, until its probes
//! are on. The kernel asks (fanotify(7), `FAN_OPEN_EXEC_PERM`): the process sleeps within its system call,
//! so that no shell takes it for stopped, and the end of this process, however it comes, answers for it.

mod fanotify;
mod filesystems;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use ewapa_symbols::{Catalogue, Image, Inspection};

use super::feature::Feature;
use super::linker::is_linker;
use super::maps::{FileId, Version};
use super::privileges::{self, Capability, Set};
use fanotify::{Asked, Fanotify};

/// How long a process waits at most for this one to attach to its runtime.
const PATIENCE: Duration = Duration::from_secs(3);

/// The gate, open for what is no runtime. All pass when it is dropped.
pub struct Gate {
    news: mpsc::Receiver<News>,
    /// Says that there are some.
    arrived: OwnedFd,
    /// What else is to be watched.
    wanted: mpsc::Sender<Wanted>,
    /// Says that there is something, or that this is dropped.
    called: OwnedFd,
    /// The runtimes and dynamic linkers that have their probes.
    known: Arc<Mutex<HashSet<Version>>>,
    /// Programs by which filesystems can be found, until these are watched; by device.
    asked: HashMap<u32, File>,
    holds: bool,
}

/// A filesystem that is to be watched.
struct Wanted {
    device: u32,
    /// The name of a file of it.
    file: PathBuf,
}

/// What the gate tells.
pub enum News {
    /// A runtime is executed, or a dynamic linker is to execute a program.
    Executed(Box<Executed>),
    /// What becomes of the programs of a filesystem.
    Filesystem {
        /// Which. As in the kernel's `struct file_key`.
        device: u32,
        /// They are held from now on; or never, as nobody may be made to wait for them. Else the kernel does not take
        /// it.
        settled: bool,
    },
}

/// A file that nobody has attached to yet, before its exec.
pub struct Executed {
    /// The file.
    pub file: FileId,
    /// Its name, for people.
    pub path: PathBuf,
    /// A name by which it can be opened as long as this value is there.
    pub open: PathBuf,
    /// Where it is to be probed. None for a dynamic linker.
    pub image: Option<Image>,
    /// Dropped when the process may go on.
    _go_on: mpsc::Sender<()>,
}

impl Gate {
    /// Asks for every exec from now on. Without `holds` no process waits for an answer, so that the first one of a
    /// runtime may run before it is attached to. Its thread keeps these rights, and that to ask of new filesystems.
    ///
    /// # Errors
    /// The kernel has no such questions, or there is no right to ask.
    pub fn start(holds: bool, rights: Set) -> io::Result<Gate> {
        if Feature::Fanotify.is_forgone() {
            return Err(io::Error::from_raw_os_error(libc::ENOSYS));
        }
        let (arrived, called) = (event()?, event()?);
        let (tell, news) = mpsc::channel();
        let (wanted, wishes) = mpsc::channel();
        let known = Arc::new(Mutex::new(HashSet::new()));
        let has_probes = Arc::clone(&known);
        let (ready, is_ready) = mpsc::channel();
        let ends = (arrived.as_raw_fd(), called.as_raw_fd());
        std::thread::Builder::new()
            .name("gate".to_owned())
            .spawn(move || {
                let fanotify = match prepare(ends, holds, &tell, rights) {
                    Ok(fanotify) => fanotify,
                    Err(error) => {
                        let _ = ready.send(Err(error));
                        return;
                    }
                };
                // Nobody is gone who waits for it.
                let _ = ready.send(Ok(()));
                // An error ends the thread, and with it all questions.
                let _ = keep(&fanotify, ends, &tell, &wishes, &has_probes);
            })?;
        is_ready
            .recv()
            .unwrap_or_else(|_| Err(io::Error::other("the thread has ended")))?;
        Ok(Gate {
            news,
            arrived,
            wanted,
            called,
            known,
            asked: HashMap::new(),
            holds,
        })
    }

    /// Holds, from some time on, the programs of the filesystem from which this process was executed, by its device.
    /// [`News::Filesystem`] says when.
    pub fn watch(&mut self, pid: u32, device: u32) {
        if self.asked.contains_key(&device) {
            return;
        }
        // The thread finds the file by this process's descriptor, as the other one may have ended by then.
        let Ok(program) = File::options()
            .read(true)
            .custom_flags(libc::O_PATH)
            .open(format!("/proc/{pid}/exe"))
        else {
            return;
        };
        let file = PathBuf::from(format!("/proc/self/fd/{}", program.as_raw_fd()));
        self.asked.insert(device, program);
        // A thread that has ended watches nothing.
        let _ = self.wanted.send(Wanted { device, file });
        give(self.called.as_raw_fd());
    }

    /// Some have no probes any more: each is looked into again before it is executed.
    pub fn forget(&self) {
        locked(&self.known).clear();
    }

    /// Whether processes wait for an answer.
    pub fn holds(&self) -> bool {
        self.holds
    }

    /// Readable when there are news.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.arrived.as_fd()
    }

    /// What has arrived since.
    pub fn next(&mut self) -> Option<News> {
        take(self.arrived.as_raw_fd());
        let news = self.news.try_recv().ok()?;
        if let News::Filesystem { device, .. } = &news {
            self.asked.remove(device);
        }
        Some(news)
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        // Behind this the channel to the thread is closed, too.
        self.wanted = mpsc::channel().0;
        give(self.called.as_raw_fd());
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
fn prepare(
    (arrived, called): (i32, i32),
    holds: bool,
    tell: &mpsc::Sender<News>,
    rights: Set,
) -> io::Result<Fanotify> {
    let (low, high) = (arrived.min(called) as u32, arrived.max(called) as u32);
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
    mark(&fanotify, arrived, tell)?;
    privileges::keep_only(rights.or(Set::of(&[Capability::SysAdmin])), true)?;
    Ok(fanotify)
}

/// Watches every filesystem that is mounted here, and tells of all of them.
fn mark(fanotify: &Fanotify, arrived: i32, tell: &mpsc::Sender<News>) -> io::Result<()> {
    for device in filesystems::mark(fanotify)? {
        // Nobody is gone who waits for it.
        let _ = tell.send(News::Filesystem {
            device,
            settled: true,
        });
    }
    give(arrived);
    Ok(())
}

/// Answers until the gate is dropped.
fn keep(
    fanotify: &Fanotify,
    (arrived, called): (i32, i32),
    tell: &mpsc::Sender<News>,
    wishes: &mpsc::Receiver<Wanted>,
    known: &Mutex<HashSet<Version>>,
) -> io::Result<()> {
    let mounts = filesystems::changes()?;
    loop {
        let mut polled = [
            (fanotify.as_raw_fd(), libc::POLLIN),
            (called, libc::POLLIN),
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
            take(called);
            loop {
                match wishes.try_recv() {
                    Ok(wanted) => {
                        let _ = tell.send(News::Filesystem {
                            device: wanted.device,
                            settled: filesystems::mark_of(fanotify, &wanted.file),
                        });
                        give(arrived);
                    }
                    Err(mpsc::TryRecvError::Empty) => break,
                    Err(mpsc::TryRecvError::Disconnected) => return Ok(()),
                }
            }
        }
        if polled[2].revents != 0 {
            // One without a place is seen as before: at its exec, and not held.
            let _ = mark(fanotify, arrived, tell);
        }
        for asked in fanotify.questions()? {
            if look(&asked, arrived, tell, known).is_none() {
                fanotify.never_again(&asked);
            }
            fanotify.allow(&asked);
        }
    }
}

/// Looks into a file. If it is to have probes, waits until it has been attached to. None if it need not be asked for
/// again until it is written to.
fn look(
    asked: &Asked,
    arrived: i32,
    tell: &mpsc::Sender<News>,
    known: &Mutex<HashSet<Version>>,
) -> Option<()> {
    let open = asked.path();
    let Ok(version) = FileId::of(&open).and_then(|file| Version::of(file, &open)) else {
        return Some(());
    };
    if locked(known).contains(&version) {
        return Some(());
    }
    let path = std::fs::read_link(&open).unwrap_or_else(|_| open.clone());
    let image = if is_linker(&path, &open) {
        None
    } else {
        match Catalogue::in_use().inspect(&open) {
            Ok(Inspection::Runtime(image)) => Some(image),
            _ => return None,
        }
    };
    let (go_on, attached) = mpsc::channel();
    let executed = Executed {
        file: version.file,
        path,
        open,
        image,
        _go_on: go_on,
    };
    if tell.send(News::Executed(Box::new(executed))).is_ok() {
        give(arrived);
        if attached.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Disconnected) {
            locked(known).insert(version);
        }
    }
    Some(())
}

/// Also what a thread has left that ended within.
fn locked(known: &Mutex<HashSet<Version>>) -> MutexGuard<'_, HashSet<Version>> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}
