//! Maps a file into memory; the only unsafe code of this crate.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use memmap2::{Mmap, UncheckedAdvice};
use rustix::fs::{Mode, OFlags, ResolveFlags};

use crate::Error;

/// Takes pages of a mapped file out of this process's memory; they are read again when they are used
/// again. `part` may be any part of the map; pages that reach beyond it stay.
pub(crate) fn release(map: &Mmap, part: &[u8]) {
    let base = map.as_ptr() as usize;
    let Some(start) = (part.as_ptr() as usize).checked_sub(base) else {
        return;
    };
    let end = start.saturating_add(part.len());
    let (start, end) = (start.next_multiple_of(PAGE), end / PAGE * PAGE);
    if start < end && end <= map.len() {
        // SAFETY: the pages belong to a private mapping of a file that is never written to through it, so
        // that they come back with the same contents as ever: those of the file.
        let advised =
            unsafe { map.unchecked_advise_range(UncheckedAdvice::DontNeed, start, end - start) };
        // Only memory is at stake.
        let _ = advised;
    }
}

/// Has the kernel read a part of a mapped file that will be looked at, all at once and while others are looked
/// at. Without, each step of some pages is read when it is touched, and waited for.
pub(crate) fn will_need(part: &[u8]) {
    let start = part.as_ptr() as usize / PAGE * PAGE;
    let length = part.as_ptr() as usize + part.len() - start;
    // SAFETY: reading ahead changes nothing that a program can see, whatever is mapped there.
    let advised = unsafe {
        rustix::mm::madvise(
            start as *mut std::ffi::c_void,
            length,
            rustix::mm::Advice::WillNeed,
        )
    };
    // Only time is at stake.
    let _ = advised;
}

/// The size of a page on x86-64, and a multiple of it elsewhere.
const PAGE: usize = 64 * 1024;

/// Maps a regular file for reading. `None` for an empty one.
pub(crate) fn open(path: &Path) -> Result<Option<Mmap>, Error> {
    let failed = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    // Asked before opening: opening a pipe would block.
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(Error::NotAFile {
            path: path.to_owned(),
        });
    }
    map(&File::open(path).map_err(failed)?).map_err(failed)
}

/// The same for a file below another root, such as that of a container: its links lead to what they lead
/// to there, never to this side. `path` is the name there.
pub(crate) fn open_below(root: &Path, path: &Path) -> io::Result<Option<Mmap>> {
    let directory = rustix::fs::open(
        root,
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let file = rustix::fs::openat2(
        directory,
        path,
        // A pipe would block.
        OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
    )?;
    let file = File::from(file);
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    map(&file)
}

fn map(file: &File) -> io::Result<Option<Mmap>> {
    if file.metadata()?.len() == 0 {
        return Ok(None);
    }
    // SAFETY: the mapping is private and read-only. Should another process write to the file meanwhile,
    // the bytes may change under the readers: these take every offset and length anew through checked
    // slices and never assume that two reads agree. Truncation raises SIGBUS, which the command line turns into
    // zeros.
    unsafe { Mmap::map(file) }.map(Some)
}
