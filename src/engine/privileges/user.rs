//! Whose rights the command has: those of the user who called ewapa, though `sudo` has made it root.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::OnceLock;

use super::capability;
use crate::engine::signals;

/// A user, as the system's database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub uid: u32,
    gid: u32,
    groups: Vec<u32>,
    /// For the environment: name, home and shell.
    name: CString,
    home: CString,
    shell: CString,
}

/// Why nobody can be the user.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No entry has this name or number.
    #[error("there is no user `{0}`")]
    Unknown(String),
    /// Only root can start a command as another user.
    #[error("only root can start the command as another user: leave `--user` away, or use sudo")]
    NotRoot,
}

static CALLER: OnceLock<Option<User>> = OnceLock::new();

/// The user to become for what is done in the caller's name. None if that is whom this process runs as.
pub fn caller() -> Option<&'static User> {
    CALLER.get().and_then(Option::as_ref)
}

/// Whether this process is root's.
pub fn is_root() -> bool {
    effective() == 0
}

/// The number of the user who called: under sudo, of the one who called that.
pub fn uid() -> u32 {
    let called = || std::env::var("SUDO_UID").ok()?.parse().ok();
    if is_root() {
        called().unwrap_or(0)
    } else {
        effective()
    }
}

/// The number of the user whose rights this process has.
pub fn effective() -> u32 {
    // SAFETY: a system call without arguments that cannot fail.
    unsafe { libc::geteuid() }
}

/// Decides, once, who has called: the user of this name or number, or without one who called `sudo`.
///
/// # Errors
/// There is no such user, or this process is not root and cannot become another one.
pub fn decide(wanted: Option<&OsStr>) -> Result<(), Error> {
    let found = match wanted {
        Some(_) if !is_root() => return Err(Error::NotRoot),
        Some(name) => Some(User::find(name)?),
        None if uid() != effective() => Some(User::find(OsStr::new(&uid().to_string()))?),
        None => None,
    };
    // Root is who this is already.
    let _ = CALLER.set(found.filter(|user| user.uid != 0));
    Ok(())
}

impl User {
    /// The user of this name, or else of this number.
    fn find(name: &OsStr) -> Result<User, Error> {
        let unknown = || Error::Unknown(name.display().to_string());
        let text = CString::new(name.as_bytes()).map_err(|_| unknown())?;
        let number = name.to_str().and_then(|name| name.parse().ok());
        // SAFETY: the string lives across the call. The entry is in memory of the C library that the next call
        // reuses: no other thread is there yet, and it is copied before there is one.
        unsafe {
            let mut entry = libc::getpwnam(text.as_ptr());
            if let (true, Some(uid)) = (entry.is_null(), number) {
                entry = libc::getpwuid(uid);
            }
            let entry = entry.as_ref().ok_or_else(unknown)?;
            let mut user = User {
                uid: entry.pw_uid,
                gid: entry.pw_gid,
                groups: Vec::new(),
                name: CStr::from_ptr(entry.pw_name).to_owned(),
                home: CStr::from_ptr(entry.pw_dir).to_owned(),
                shell: CStr::from_ptr(entry.pw_shell).to_owned(),
            };
            user.groups = groups(&user.name, user.gid);
            Ok(user)
        }
    }

    /// The variables of the environment that tell who the user is.
    pub fn variables(&self) -> [(&'static str, &OsStr); 4] {
        [
            ("HOME", &self.home),
            ("USER", &self.name),
            ("LOGNAME", &self.name),
            ("SHELL", &self.shell),
        ]
        .map(|(name, value)| (name, OsStr::from_bytes(value.to_bytes())))
    }

    /// The environment of this process as the user's programs expect it: `NAME=VALUE`.
    pub fn environment(&self) -> Vec<CString> {
        let own = self.variables();
        let others = std::env::vars_os()
            .filter(|(name, _)| !own.iter().any(|(known, _)| name == OsStr::new(*known)));
        let own = own.map(|(name, value)| (OsString::from(name), value.to_owned()));
        others
            .chain(own)
            .filter_map(|(name, value)| {
                let text = [name.as_bytes(), b"=", value.as_bytes()].concat();
                // What came as a C string has no zero byte.
                CString::new(text).ok()
            })
            .collect()
    }

    /// Gives this thread alone the user's rights, without a way back: by system calls, where the C library would
    /// change all threads. Async-signal-safe.
    fn take_place(&self) -> io::Result<()> {
        take_place(self.numbers())
    }

    /// Its number, that of its group, and those of all of its groups.
    pub fn numbers(&self) -> (u32, u32, &[u32]) {
        (self.uid, self.gid, &self.groups)
    }
}

/// Gives this thread alone the rights of the user with these numbers, as [`User::numbers`] has them. Async-signal-safe.
///
/// # Errors
/// The kernel refuses.
pub fn take_place((uid, gid, groups): (u32, u32, &[u32])) -> io::Result<()> {
    // SAFETY: the list of groups lives across the call; else numbers.
    let refused = unsafe {
        libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) != 0
            || libc::syscall(libc::SYS_setresgid, gid, gid, gid) != 0
            || libc::syscall(libc::SYS_setresuid, uid, uid, uid) != 0
    };
    if refused {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Has a command run as the caller, in the caller's environment.
pub fn run_as_caller(command: &mut Command) {
    let caller = caller();
    if let Some(caller) = caller {
        command.envs(caller.variables());
    }
    // SAFETY: the calls are async-signal-safe, on memory that outlives the process.
    unsafe {
        command.pre_exec(move || {
            signals::restore_defaults();
            become_caller(caller)
        });
    }
}

/// Makes a child between `fork` and `exec` the caller's, with none of this process's capabilities beside what root
/// has anyway. Async-signal-safe.
///
/// # Errors
/// The kernel refuses.
pub fn become_caller(user: Option<&User>) -> io::Result<()> {
    capability::pass_on_nothing()?;
    user.map_or(Ok(()), User::take_place)
}

/// Does something with the caller's rights, in a thread of its own.
///
/// # Errors
/// The kernel refuses, or `work` fails.
pub fn as_caller<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    let Some(user) = caller() else {
        return work();
    };
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            user.take_place()?;
            work()
        });
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn groups(name: &CStr, gid: u32) -> Vec<u32> {
    let mut count = 64;
    loop {
        let mut groups = vec![0; count as usize];
        let room = count;
        // SAFETY: there is room for `count` groups; it is set to how many there are.
        let result =
            unsafe { libc::getgrouplist(name.as_ptr(), gid, groups.as_mut_ptr(), &mut count) };
        if result >= 0 {
            groups.truncate(count as usize);
            return groups;
        }
        // Some implementations do not say how many there are.
        count = count.max(room * 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_and_by_number() {
        let by_name = User::find(OsStr::new("root")).unwrap();
        assert_eq!(by_name.uid, 0);
        assert_eq!(User::find(OsStr::new("0")).unwrap(), by_name);
        let error = User::find(OsStr::new("nobody-of-this-name")).unwrap_err();
        assert_eq!(error.to_string(), "there is no user `nobody-of-this-name`");
    }

    #[test]
    fn the_environment_is_the_users() {
        let user = User {
            uid: 7,
            gid: 7,
            groups: vec![7],
            name: c"seven".to_owned(),
            home: c"/home/seven".to_owned(),
            shell: c"/bin/sh".to_owned(),
        };
        let environment = user.environment();
        let homes: Vec<&CString> = environment
            .iter()
            .filter(|entry| entry.to_bytes().starts_with(b"HOME="))
            .collect();
        assert_eq!(homes, [&c"HOME=/home/seven".to_owned()]);
        assert!(environment.contains(&c"USER=seven".to_owned()));
    }
}
