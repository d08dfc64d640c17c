//! Waits for the kernel's readers ahead of the first probe.
//!
//! A probe is registered under a lock (`dup_mmap_sem`, kernel/events/uprobes.c) whose first writer waits for a grace
//! period, some 10 to 30 ms. Those that come soon after it wait for nothing (kernel/rcu/sync.c). So a probe that nothing
//! hits, on a file that nothing maps, is registered while scripts are compiled and verified, and again until the first
//! real one is there.

use std::ffi::c_uint;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use libbpf_sys::BPF_TRACE_UPROBE_MULTI;

use super::attach::{self, Link, Places};
use super::privileges::{self, Set};

/// How long the lock is left alone: shorter than a grace period.
const PAUSE: Duration = Duration::from_millis(4);

/// How often it is taken at most.
const ROUNDS: usize = 50;

/// The lock is held ready until this is dropped or [`Ahead::links`] is called.
#[derive(Debug)]
pub struct Ahead {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Link>>>,
}

impl Ahead {
    /// Begins, with these rights. A kernel without multi links (Linux 6.6) has each probe wait for itself.
    pub fn start(rights: Set) -> Ahead {
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            let mut links = Vec::new();
            // Without it, all that is lost is time.
            let _ = privileges::limit(rights).and_then(|()| hold_ready(&seen, &mut links));
            links
        });
        Ahead {
            is_over,
            thread: Some(thread),
        }
    }

    /// The first real probe is there.
    pub fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// What was attached. To close it takes as long as with other links.
    pub fn links(mut self) -> Vec<Link> {
        self.end();
        self.thread
            .take()
            .and_then(|thread| thread.join().ok())
            .unwrap_or_default()
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.end();
    }
}

fn hold_ready(is_over: &AtomicBool, links: &mut Vec<Link>) -> io::Result<()> {
    let file = unmapped_file()?;
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    let program = attach::empty_program(BPF_TRACE_UPROBE_MULTI)?;
    let place = Places {
        offsets: vec![0],
        cookies: vec![0],
        semaphores: Vec::new(),
    };
    for _ in 0..ROUNDS {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        links.push(place.link(&program, BPF_TRACE_UPROBE_MULTI, &path, false)?);
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// A file of one page that no process maps.
fn unmapped_file() -> io::Result<File> {
    const CLOSE_ON_EXEC: c_uint = libc::MFD_CLOEXEC;
    // SAFETY: the name is a C string that lives across the call.
    let fd = unsafe { libc::memfd_create(c"ewapa-grace-period".as_ptr(), CLOSE_ON_EXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new descriptor that is ours.
    let file = unsafe { File::from_raw_fd(fd) };
    file.set_len(4096)?;
    Ok(file)
}
