//! Maps a file into memory; the only unsafe code of this crate.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use memmap2::{Advice, Mmap, UncheckedAdvice};
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
    let mut start = part.as_ptr() as usize / X86_PAGE * X86_PAGE;
    let end = part.as_ptr() as usize + part.len();
    while start < end {
        let length = (end - start).min(READ_AHEAD);
        // SAFETY: reading ahead changes nothing that a program can see, whatever is mapped there.
        let advised = unsafe {
            rustix::mm::madvise(
                start as *mut std::ffi::c_void,
                length,
                rustix::mm::Advice::WillNeed,
            )
        };
        // Only time is at stake.
        if advised.is_err() {
            return;
        }
        start += length;
    }
}

/// A part of a mapped file, piece after piece, each with `more` bytes of the next one. The next one is read ahead
/// while a piece is looked at.
pub(crate) fn pieces(part: &[u8], more: usize) -> impl Iterator<Item = &[u8]> {
    let piece = move |from: usize| &part[from..part.len().min(from + PIECE + more)];
    will_need(&part[..part.len().min(PIECE)]);
    (0..part.len()).step_by(PIECE).map(move |from| {
        will_need(
            part.get(from + PIECE..)
                .map_or(&[], |_| piece(from + PIECE)),
        );
        piece(from)
    })
}

/// The bytes of a piece.
pub(crate) const PIECE: usize = 1 << 20;

/// Has the kernel read nothing of a mapped file but what is touched, or announced by [`will_need`]. Without, it
/// reads as much around each place as the disk's setting says, which may be megabytes.
pub(crate) fn nothing_else(map: &Mmap) {
    // Only time is at stake.
    let _ = map.advise(Advice::Random);
}

/// The kernel reads no more at a time than the disk's setting says, and leaves the rest: 128 KiB is what it has
/// where nobody changed it (`VM_READAHEAD_PAGES`).
const READ_AHEAD: usize = 128 * 1024;

/// What is advised on has to begin with a page.
const X86_PAGE: usize = 4096;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_has_the_beginning_of_the_next() {
        let mut data = vec![0u8; 2 * PIECE + 10];
        data[2 * PIECE + 3] = 1;
        let parts: Vec<&[u8]> = pieces(&data, 4).collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        assert_eq!(lengths, [PIECE + 4, PIECE + 4, 10]);
        assert_eq!((parts[1][PIECE + 3], parts[2][3]), (1, 1));
        assert_eq!(pieces(&[], 4).count(), 0);
    }
}
