//! A say in when a file is written to: the kernel lets nobody open it for writing before the lease is dropped
//! (fcntl(2), `F_SETLEASE`).

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

/// Others read and execute the file as ever. Who wants to write to it waits, for 45 seconds at most
/// (`/proc/sys/fs/lease-break-time`), and SIGIO tells this process.
#[derive(Debug)]
pub struct Lease(File);

impl Lease {
    /// Takes a lease of a file. SIGIO has to be blocked.
    ///
    /// # Errors
    /// The file is open for writing already, or its filesystem has no leases.
    pub fn take(path: &Path) -> io::Result<Lease> {
        let file = File::open(path)?;
        // SAFETY: a system call on numbers.
        match unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLEASE, libc::F_RDLCK) } {
            0 => Ok(Lease(file)),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Whether somebody waits for it to be dropped.
    pub fn is_awaited(&self) -> bool {
        // SAFETY: a system call on numbers. It gives what the lease will be when it has been given up.
        let wanted = unsafe { libc::fcntl(self.0.as_raw_fd(), libc::F_GETLEASE) };
        wanted != libc::F_RDLCK
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::signals;

    #[test]
    fn who_wants_to_write_waits_until_the_lease_is_dropped() {
        // It would end this process, which does not block it.
        signals::ignore(libc::SIGIO);
        let path = std::env::temp_dir().join(format!("ewapa-lease-{}", std::process::id()));
        std::fs::write(&path, "before").unwrap();
        let lease = Lease::take(&path).unwrap();
        assert!(!lease.is_awaited());
        let wanted = path.clone();
        let writer = std::thread::spawn(move || std::fs::write(wanted, "behind"));
        while !lease.is_awaited() {
            std::thread::yield_now();
        }
        assert_eq!(std::fs::read(&path).unwrap(), b"before");
        assert!(!writer.is_finished());
        drop(lease);
        writer.join().unwrap().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"behind");
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn a_file_that_is_open_for_writing_is_not_leased() {
        let path = std::env::temp_dir().join(format!("ewapa-open-{}", std::process::id()));
        let file = File::create(&path).unwrap();
        assert!(Lease::take(&path).is_err());
        drop(file);
        assert!(Lease::take(&path).is_ok());
        std::fs::remove_file(&path).unwrap();
    }
}
