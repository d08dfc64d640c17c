//! Starts a command that waits before its first instruction until it is released.

use std::ffi::{CString, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::signals;

/// A child process that has not become the command yet. If this is dropped it ends instead.
#[derive(Debug)]
pub struct Held {
    pid: u32,
    go: File,
    failure: File,
}

/// A child process that is the command.
#[derive(Debug)]
pub struct Running {
    /// The process.
    pub pid: u32,
    status: Option<ExitStatus>,
}

/// What the child writes before it ends because it could not become the command.
const FAILED: i32 = 127;

impl Held {
    /// Starts a child for this command, which is looked up in `PATH`. It inherits standard input, output and error.
    ///
    /// # Errors
    /// An argument has a zero byte, or there is no room for another process.
    pub fn start(command: &[OsString]) -> io::Result<Held> {
        let arguments = command
            .iter()
            .map(|argument| CString::new(argument.as_bytes()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| {
                io::Error::new(io::ErrorKind::InvalidInput, "an argument has a zero byte")
            })?;
        let mut pointers: Vec<*const libc::c_char> =
            arguments.iter().map(|argument| argument.as_ptr()).collect();
        pointers.push(std::ptr::null());
        let (go_read, go_write) = pipe()?;
        let (failure_read, failure_write) = pipe()?;
        // SAFETY: the child calls nothing but async-signal-safe functions on memory made before the fork,
        // and never returns from here.
        let pid = unsafe { libc::fork() };
        match pid {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                // Only the parent may hold the other ends: the end of the parent has to reach the child.
                drop((go_write, failure_read));
                // SAFETY: as above; the pointers end with null and lead to C strings.
                unsafe { become_command(&go_read, &failure_write, &pointers) }
            }
            pid => Ok(Held {
                pid: pid as u32,
                go: File::from(go_write),
                failure: File::from(failure_read),
            }),
        }
    }

    /// The process, before and after the release.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Lets the child become the command, and returns when it has.
    ///
    /// # Errors
    /// There is no such command, or it cannot be executed.
    pub fn release(mut self) -> io::Result<Running> {
        self.go.write_all(&[1])?;
        let mut error = [0; 4];
        // The pipe closes when the command takes over; else the child writes why it could not.
        match self.failure.read_exact(&mut error) {
            Err(end) if end.kind() == io::ErrorKind::UnexpectedEof => Ok(Running {
                pid: self.pid,
                status: None,
            }),
            Err(error) => Err(error),
            Ok(()) => {
                Running {
                    pid: self.pid,
                    status: None,
                }
                .wait()?;
                Err(io::Error::from_raw_os_error(i32::from_ne_bytes(error)))
            }
        }
    }
}

impl Running {
    /// Waits for the end of the command.
    ///
    /// # Errors
    /// The process is not a child of this one.
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        loop {
            match self.reap(0) {
                Ok(Some(status)) => return Ok(status),
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The status if the command has ended.
    ///
    /// # Errors
    /// The process is not a child of this one.
    pub fn poll(&mut self) -> io::Result<Option<ExitStatus>> {
        self.reap(libc::WNOHANG)
    }

    fn reap(&mut self, options: i32) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() {
            let mut raw = 0;
            // SAFETY: `raw` is writable.
            match unsafe { libc::waitpid(self.pid as i32, &mut raw, options) } {
                -1 => return Err(io::Error::last_os_error()),
                0 => {}
                _ => self.status = Some(ExitStatus::from_raw(raw)),
            }
        }
        Ok(self.status)
    }
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: the array has room for both descriptors, which are new and ours if the call succeeds.
    unsafe {
        if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok((OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])))
    }
}

/// # Safety
/// Only in a child after `fork`; `arguments` ends with null and leads to C strings.
unsafe fn become_command(go: &OwnedFd, failure: &OwnedFd, arguments: &[*const libc::c_char]) -> ! {
    use std::os::fd::AsRawFd;
    // SAFETY: async-signal-safe calls on memory of this frame and on what the caller promises.
    unsafe {
        let mut byte = 0u8;
        let read = loop {
            let read = libc::read(go.as_raw_fd(), std::ptr::from_mut(&mut byte).cast(), 1);
            if read >= 0 || *libc::__errno_location() != libc::EINTR {
                break read;
            }
        };
        if read == 1 {
            signals::restore_defaults();
            libc::execvp(arguments[0], arguments.as_ptr());
            let error = *libc::__errno_location();
            libc::write(failure.as_raw_fd(), std::ptr::from_ref(&error).cast(), 4);
        }
        libc::_exit(FAILED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn a_command_runs_once_it_is_released() {
        let mut running = Held::start(&words(&["sh", "-c", "exit 7"]))
            .unwrap()
            .release()
            .unwrap();
        assert_eq!(running.wait().unwrap().code(), Some(7));
    }

    #[test]
    fn a_command_that_does_not_exist_is_an_error_of_the_release() {
        let error = Held::start(&words(&["no-such-command-anywhere"]))
            .unwrap()
            .release()
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_command_that_is_not_released_never_runs() {
        let file = std::env::temp_dir().join(format!("ewapa-never-{}", std::process::id()));
        let held = Held::start(&words(&["touch", file.to_str().unwrap()])).unwrap();
        let mut child = Running {
            pid: held.pid(),
            status: None,
        };
        drop(held);
        assert_eq!(child.wait().unwrap().code(), Some(FAILED));
        assert!(!file.exists());
    }
}
