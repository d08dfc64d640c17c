//! Starts a command that waits before its first instruction until it is released.

use std::ffi::{CString, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::privileges::user::{self, User};
use super::privileges::{Capability, Set, no_new_privileges};
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

/// The exit code of a child that could not become the command.
const FAILED: i32 = 127;

/// Why a child could not become the command.
#[derive(Debug)]
pub enum Refused {
    /// It could not have the user's rights.
    User(io::Error),
    /// There is no such command, it cannot be executed, or it cannot be told to begin.
    Command(io::Error),
}

/// What the child fails at. It is told with the number of the error.
#[derive(Debug, Clone, Copy)]
#[repr(i32)]
enum Step {
    User,
    Exec,
}

impl Held {
    /// Starts a child for this command, which is looked up in `PATH`. It inherits standard input, output and error, and
    /// becomes the caller's (`privileges::user`) before it becomes the command. If this process could not let one go on
    /// that becomes another user's (CAP_KILL), none does: what it executes gains no rights.
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
        let gains_rights = Set::held()?.has(Capability::Kill);
        let caller = user::caller();
        let variables = caller.map(User::environment);
        let environment: Option<Vec<*const libc::c_char>> = variables.as_ref().map(|variables| {
            let pointers = variables.iter().map(|variable| variable.as_ptr());
            pointers.chain([std::ptr::null()]).collect()
        });
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
                unsafe {
                    let failure = become_command(
                        &go_read,
                        (caller, gains_rights),
                        &pointers,
                        environment.as_deref(),
                    );
                    if let Some((step, error)) = failure {
                        let words = [step as i32, error];
                        let size = size_of_val(&words);
                        libc::write(failure_write.as_raw_fd(), words.as_ptr().cast(), size);
                    }
                    libc::_exit(FAILED)
                }
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
    /// There is no such command, it cannot be executed, or not as this user.
    pub fn release(mut self) -> Result<Running, Refused> {
        self.go.write_all(&[1]).map_err(Refused::Command)?;
        let mut running = Running {
            pid: self.pid,
            status: None,
        };
        let mut words = [0; 8];
        // The pipe closes when the command takes over; else the child writes why it could not.
        match self.failure.read_exact(&mut words) {
            Err(end) if end.kind() == io::ErrorKind::UnexpectedEof => Ok(running),
            Err(error) => Err(Refused::Command(error)),
            Ok(()) => {
                running.wait().map_err(Refused::Command)?;
                let [step, error] = [&words[..4], &words[4..]]
                    .map(|word| i32::from_ne_bytes(word.try_into().expect("four bytes")));
                let error = io::Error::from_raw_os_error(error);
                Err(if step == Step::User as i32 {
                    Refused::User(error)
                } else {
                    Refused::Command(error)
                })
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

/// Returns what failed, with the number of the error, if the parent has not gone meanwhile.
///
/// # Safety
/// Only in a child after `fork`; `arguments` and `environment` end with null and lead to C strings.
unsafe fn become_command(
    go: &OwnedFd,
    (caller, gains_rights): (Option<&User>, bool),
    arguments: &[*const libc::c_char],
    environment: Option<&[*const libc::c_char]>,
) -> Option<(Step, i32)> {
    // SAFETY: async-signal-safe calls on memory of this frame and on what the caller promises.
    unsafe {
        let mut byte = 0u8;
        let read = loop {
            let read = libc::read(go.as_raw_fd(), std::ptr::from_mut(&mut byte).cast(), 1);
            if read >= 0 || *libc::__errno_location() != libc::EINTR {
                break read;
            }
        };
        if read != 1 {
            return None;
        }
        let become_caller = || {
            if !gains_rights {
                no_new_privileges()?;
            }
            user::become_caller(caller)
        };
        if let Err(error) = become_caller() {
            return Some((Step::User, error.raw_os_error().unwrap_or(libc::EPERM)));
        }
        signals::restore_defaults();
        match environment {
            Some(environment) => {
                libc::execvpe(arguments[0], arguments.as_ptr(), environment.as_ptr())
            }
            None => libc::execvp(arguments[0], arguments.as_ptr()),
        };
        Some((Step::Exec, *libc::__errno_location()))
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
        assert!(
            matches!(&error, Refused::Command(error) if error.kind() == io::ErrorKind::NotFound),
            "{error:?}"
        );
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
