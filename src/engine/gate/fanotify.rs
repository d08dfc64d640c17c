//! The kernel's questions whether a file may be executed, or its news that one is (fanotify(7)).

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A source of questions, or of news. If it is closed, all questions are answered with yes.
pub struct Fanotify {
    fd: OwnedFd,
    /// The process sleeps until it is answered.
    holds: bool,
}

/// A file that is executed: a question whether it may be, or the news that it is.
pub struct Asked(OwnedFd);

impl Asked {
    /// A name of the file, for this thread only and those that look into its descriptors from outside.
    pub fn path(&self) -> PathBuf {
        // SAFETY: system calls without arguments.
        let (process, thread) = unsafe { (libc::getpid(), libc::gettid()) };
        PathBuf::from(format!(
            "/proc/{process}/task/{thread}/fd/{}",
            self.0.as_raw_fd()
        ))
    }
}

impl Fanotify {
    /// Nothing is asked for yet. With `holds` processes wait for an answer.
    ///
    /// # Errors
    /// The kernel asks nobody, or there is no right to be asked.
    pub fn new(holds: bool) -> io::Result<Fanotify> {
        let class = if holds {
            libc::FAN_CLASS_CONTENT
        } else {
            libc::FAN_CLASS_NOTIF
        };
        let flags = class | libc::FAN_CLOEXEC | libc::FAN_NONBLOCK | libc::FAN_UNLIMITED_MARKS;
        let files = libc::O_RDONLY | libc::O_LARGEFILE | libc::O_CLOEXEC;
        // SAFETY: a system call on numbers; the descriptor is new and ours.
        unsafe {
            match libc::fanotify_init(flags, files as u32) {
                -1 => Err(io::Error::last_os_error()),
                fd => Ok(Fanotify {
                    fd: OwnedFd::from_raw_fd(fd),
                    holds,
                }),
            }
        }
    }

    /// Asks for each exec of a file of the filesystem that this directory is in.
    ///
    /// # Errors
    /// The filesystem has no such questions.
    pub fn watch(&self, directory: &Path) -> io::Result<()> {
        let flags = libc::FAN_MARK_ADD | libc::FAN_MARK_FILESYSTEM;
        let path = CString::new(directory.as_os_str().as_bytes())?;
        self.mark(flags, libc::AT_FDCWD, Some(&path))
    }

    /// Does not ask for this file again until it is changed.
    pub fn never_again(&self, asked: &Asked) {
        let flags = libc::FAN_MARK_ADD | libc::FAN_MARK_IGNORED_MASK;
        // The first does not keep the file in memory (Linux 5.19). Without any it is asked for again.
        let _ = self
            .mark(flags | libc::FAN_MARK_EVICTABLE, asked.0.as_raw_fd(), None)
            .or_else(|_| self.mark(flags, asked.0.as_raw_fd(), None));
    }

    fn mark(&self, flags: u32, directory: RawFd, path: Option<&CString>) -> io::Result<()> {
        let path = path.map_or(std::ptr::null(), |path| path.as_ptr());
        let event = if self.holds {
            libc::FAN_OPEN_EXEC_PERM
        } else {
            libc::FAN_OPEN_EXEC
        };
        // SAFETY: the path is null or lives across the call.
        let result =
            unsafe { libc::fanotify_mark(self.fd.as_raw_fd(), flags, event, directory, path) };
        match result {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// What is asked now.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn questions(&self) -> io::Result<Vec<Asked>> {
        const SIZE: usize = size_of::<libc::fanotify_event_metadata>();
        let mut buffer = [0u8; 64 * SIZE];
        // SAFETY: the kernel writes at most as many bytes as there is room for.
        let read = unsafe {
            libc::read(
                self.fd.as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
            )
        };
        let Ok(read) = usize::try_from(read) else {
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(Vec::new()),
                // Of a file that this process cannot open the kernel asks nothing.
                _ => Err(error),
            };
        };
        let mut asked = Vec::new();
        let mut at = 0;
        while at + SIZE <= read {
            // SAFETY: the kernel has written a whole structure there; it is plain data.
            let event: libc::fanotify_event_metadata =
                unsafe { std::ptr::read_unaligned(buffer[at..].as_ptr().cast()) };
            if event.fd >= 0 {
                // SAFETY: a new descriptor that is ours.
                asked.push(Asked(unsafe { OwnedFd::from_raw_fd(event.fd) }));
            }
            at += (event.event_len as usize).max(SIZE);
        }
        Ok(asked)
    }

    /// Lets the process go on.
    pub fn allow(&self, asked: &Asked) {
        if !self.holds {
            return;
        }
        let response = libc::fanotify_response {
            fd: asked.0.as_raw_fd(),
            response: libc::FAN_ALLOW,
        };
        // SAFETY: the structure is there. That a process was killed meanwhile is no failure.
        unsafe {
            libc::write(
                self.fd.as_raw_fd(),
                std::ptr::from_ref(&response).cast(),
                size_of_val(&response),
            )
        };
    }
}

impl AsRawFd for Fanotify {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}
