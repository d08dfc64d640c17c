//! A small process that outlives this one: should this one be killed while a traced process is stopped for
//! it, the keeper lets that go on.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

use aya::maps::MapData;

use super::privileges::{self, Capability, Set};

/// The keeper, from this process's side. It ends with it: by [`Keeper::dismiss`], or by doing its work.
#[derive(Debug)]
pub struct Keeper(File);

/// Signals to processes of others, and the map.
const KEPT: &[Capability] = &[Capability::Kill, Capability::Bpf];

/// How often the traced processes are let go after the end of this process, and how long is waited before
/// the next time, in milliseconds: its probes are not gone all at once, and may stop another one.
const SWEEPS: [i64; 3] = [0, 100, 1000];

impl Keeper {
    /// Starts the keeper for the processes in this map.
    ///
    /// # Errors
    /// There is no room for another process.
    pub fn start(processes: &MapData) -> io::Result<Keeper> {
        let mut ends = [0; 2];
        // SAFETY: the array has room for both descriptors, which are new and ours if the call succeeds.
        let (read, write) = unsafe {
            if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
                return Err(io::Error::last_os_error());
            }
            (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]))
        };
        // SAFETY: the child calls nothing but async-signal-safe functions, and never returns from here.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => {
                drop(write);
                keep(read.as_raw_fd(), processes.fd().as_fd().as_raw_fd())
            }
            _ => Ok(Keeper(File::from(write))),
        }
    }

    /// Ends the keeper without a deed: no process waits for this one any more.
    pub fn dismiss(mut self) {
        // A keeper that is gone already needs no word.
        let _ = self.0.write_all(&[1]);
    }
}

fn keep(parent: RawFd, processes: RawFd) -> ! {
    // SAFETY: async-signal-safe calls on memory of this frame.
    unsafe {
        // The terminal's Ctrl-C is for the others.
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT] {
            libc::signal(signal, libc::SIG_IGN);
        }
        // Without these it can still do something for processes of this user.
        let _ = privileges::keep_only(Set::of(KEPT), true);
        // Whoever reads what this process writes is not to wait for the keeper, and what is attached is to end
        // with its owner.
        let (low, high) = (parent.min(processes), parent.max(processes));
        for (first, last) in [(0, low - 1), (low + 1, high - 1), (high + 1, RawFd::MAX)] {
            if first <= last {
                libc::close_range(first as u32, last as u32, 0);
            }
        }
        let mut byte = 0u8;
        let read = loop {
            let read = libc::read(parent, std::ptr::from_mut(&mut byte).cast(), 1);
            if read >= 0 || *libc::__errno_location() != libc::EINTR {
                break read;
            }
        };
        if read != 1 {
            for milliseconds in SWEEPS {
                let pause = libc::timespec {
                    tv_sec: milliseconds / 1000,
                    tv_nsec: milliseconds % 1000 * 1_000_000,
                };
                libc::nanosleep(&pause, std::ptr::null_mut());
                let_go(processes);
            }
        }
        libc::_exit(0)
    }
}

/// Sends SIGCONT to each process in the map.
///
/// # Safety
/// Only async-signal-safe calls; `processes` is a map with keys of four bytes.
unsafe fn let_go(processes: RawFd) {
    let mut pid = 0u32;
    let mut previous = std::ptr::null();
    // SAFETY: the keys have four bytes.
    unsafe {
        while libbpf_sys::bpf_map_get_next_key(
            processes,
            previous,
            std::ptr::from_mut(&mut pid).cast(),
        ) == 0
        {
            libc::kill(pid as i32, libc::SIGCONT);
            previous = std::ptr::from_ref(&pid).cast();
        }
    }
}
