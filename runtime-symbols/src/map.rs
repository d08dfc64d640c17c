//! Maps a file into memory; the only unsafe code of this crate.

use std::fs::{self, File};
use std::path::Path;

use memmap2::Mmap;

use crate::Error;

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
    if metadata.len() == 0 {
        return Ok(None);
    }
    let file = File::open(path).map_err(failed)?;
    // SAFETY: the mapping is private and read-only. Should another process write to the file meanwhile,
    // the bytes may change under the readers: these take every offset and length anew through checked
    // slices and never assume that two reads agree. Truncation raises SIGBUS, as it does for the program
    // itself; a binary that is running cannot be written to (ETXTBSY), and installers replace by rename.
    let map = unsafe { Mmap::map(&file) }.map_err(failed)?;
    Ok(Some(map))
}
