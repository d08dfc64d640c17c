//! The folder of one run: what the guest finds in its directory, and where its output goes.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A new folder that only this user may read.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Whether it is removed when this is dropped.
    is_temporary: bool,
}

impl Directory {
    /// Makes a folder in that for temporary files. It is removed when this is dropped.
    ///
    /// # Errors
    /// There is no place.
    pub fn new() -> io::Result<Directory> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ewapa-bench-{}-{number}", std::process::id());
        Directory::make(std::env::temp_dir().join(name), true)
    }

    /// Makes a folder that stays.
    ///
    /// # Errors
    /// There is no place, or something of this name is there.
    pub fn lasting(path: PathBuf) -> io::Result<Directory> {
        Directory::make(path, false)
    }

    fn make(path: PathBuf, is_temporary: bool) -> io::Result<Directory> {
        use std::os::unix::fs::DirBuilderExt;
        fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Directory { path, is_temporary })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is removed when this is dropped.
    pub fn is_temporary(&self) -> bool {
        self.is_temporary
    }

    /// What has the name in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if self.is_temporary {
            // What cannot be removed is left to whoever cleans the folder for temporary files.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Writes a file of numbered blocks of so many bytes.
///
/// # Errors
/// There is no place.
pub fn write_blocks(path: &Path, blocks: u64, size: usize) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut block = vec![0; size];
    for number in 0..blocks {
        fill(&mut block, number);
        file.write_all(&block)?;
    }
    file.flush()
}

/// Whether a file is a number of blocks of so many bytes, each with the contents of block 0.
///
/// # Errors
/// It cannot be read.
pub fn repeats_block(path: &Path, blocks: u64, size: usize) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() != blocks * size as u64 {
        return Ok(false);
    }
    let (mut expected, mut found) = (vec![0; size], vec![0; size]);
    fill(&mut expected, 0);
    for _ in 0..blocks {
        file.read_exact(&mut found)?;
        if found != expected {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The same in workloads/source/workload.c.
fn fill(block: &mut [u8], number: u64) {
    let start = number.wrapping_mul(31);
    for (at, byte) in (0..).zip(block.iter_mut()) {
        *byte = start.wrapping_add(at * 7 + (at >> 8)) as u8;
    }
}

/// Makes a folder of files `f0000000`, `f0000001` and so on, of 0, 1, … bytes, up to 99.
///
/// # Errors
/// There is no place.
pub fn write_files(folder: &Path, files: u64) -> io::Result<()> {
    fs::create_dir(folder)?;
    for number in 0..files {
        let bytes = [b'x'; 100];
        let length = usize::try_from(number % 100).unwrap_or(0);
        fs::write(folder.join(format!("f{number:07}")), &bytes[..length])?;
    }
    Ok(())
}

/// Copies what is in a folder, with the folders in it. Links are followed.
///
/// # Errors
/// Something cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if fs::metadata(entry.path())?.is_dir() {
            fs::create_dir(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Bytes that are compared at once.
const PIECE: usize = 1 << 18;

/// Whether two files have the same contents.
///
/// # Errors
/// One of them cannot be read.
pub fn same(left: &Path, right: &Path) -> io::Result<bool> {
    if fs::metadata(left)?.len() != fs::metadata(right)?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (File::open(left)?, File::open(right)?);
    let (mut one, mut other) = (vec![0; PIECE], vec![0; PIECE]);
    loop {
        let length = left.read(&mut one)?;
        if length == 0 {
            return Ok(true);
        }
        right.read_exact(&mut other[..length])?;
        if one[..length] != other[..length] {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_gone_when_it_is_dropped() {
        let directory = Directory::new().unwrap();
        let path = directory.path().to_owned();
        write_files(&directory.join("files"), 3).unwrap();
        assert_eq!(fs::metadata(path.join("files/f0000002")).unwrap().len(), 2);
        drop(directory);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_of_another_block_does_not_repeat_the_first() {
        let directory = Directory::new().unwrap();
        let path = directory.join("blocks");
        write_blocks(&path, 1, 4096).unwrap();
        assert!(repeats_block(&path, 1, 4096).unwrap());
        assert!(!repeats_block(&path, 2, 4096).unwrap());
        write_blocks(&path, 2, 4096).unwrap();
        assert!(!repeats_block(&path, 2, 4096).unwrap());
    }

    #[test]
    fn folders_are_copied_with_what_is_in_them() {
        let directory = Directory::new().unwrap();
        let (from, to) = (directory.join("from"), directory.join("to"));
        for folder in [&from, &from.join("in"), &to] {
            fs::create_dir(folder).unwrap();
        }
        fs::write(from.join("in/a"), "text").unwrap();
        copy(&from, &to).unwrap();
        assert!(same(&from.join("in/a"), &to.join("in/a")).unwrap());
    }
}
