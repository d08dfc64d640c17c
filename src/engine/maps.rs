//! The executable files that a process has mapped (proc_pid_maps(5)).

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ewapa_symbols::Origin;

/// A file, whatever it is called now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileId {
    /// The device: major and minor number.
    pub device: (u32, u32),
    /// The inode.
    pub inode: u64,
}

impl FileId {
    /// The file of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn of(path: &Path) -> io::Result<FileId> {
        Ok(FileId::from(&std::fs::metadata(path)?))
    }
}

impl From<&Metadata> for FileId {
    fn from(metadata: &Metadata) -> FileId {
        let device = metadata.dev();
        FileId {
            device: (libc::major(device), libc::minor(device)),
            inode: metadata.ino(),
        }
    }
}

/// A file as it is now: its number may be another file's later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version {
    /// The file.
    pub file: FileId,
    size: u64,
    /// Seconds since 1970, and nanoseconds.
    changed: (i64, i64),
}

impl Version {
    /// The file that can be opened by this name.
    ///
    /// # Errors
    /// There is none.
    pub fn of(file: FileId, open: &Path) -> io::Result<Version> {
        let metadata = std::fs::metadata(open)?;
        Ok(Version {
            file,
            size: metadata.len(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }

    /// As the kernel's `struct file_key`.
    pub fn to_words(self) -> [u64; 4] {
        let (major, minor) = self.file.device;
        let device = major << 20 | minor;
        [
            self.file.inode,
            self.size,
            self.changed.0 as u64,
            u64::from(device),
        ]
    }
}

/// An executable part of a file in a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Where it is in the process.
    pub addresses: Range<u64>,
    /// Where it begins in the file, in bytes.
    pub file_offset: u64,
    /// The file.
    pub file: FileId,
    /// Its name in the process's own view, for people.
    pub path: PathBuf,
    /// A name by which it can be opened from here, whatever the process's view of the file system, and
    /// also if the file has been deleted.
    pub open: PathBuf,
}

impl Mapping {
    /// Where its debug file is to be looked for: in the process's own view of the file system.
    pub fn origin(&self) -> Origin {
        Origin {
            open: self.open.clone(),
            name: self.path.clone(),
            // It is /proc/PID/map_files/RANGE.
            root: self
                .open
                .ancestors()
                .nth(2)
                .map_or_else(|| PathBuf::from("/"), |process| process.join("root")),
        }
    }

    /// Opens it if it is a regular file: opening a device may do something.
    ///
    /// # Errors
    /// It cannot be opened; the process may have ended.
    pub fn open_regular(&self) -> io::Result<Option<File>> {
        let place = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_PATH)
            .open(&self.open)?;
        if !place.metadata()?.is_file() {
            return Ok(None);
        }
        File::open(by_descriptor(&place)).map(Some)
    }

    /// Where an address of it is in the file, in bytes.
    pub fn in_file(&self, address: u64) -> u64 {
        address - self.addresses.start + self.file_offset
    }
}

/// A name by which an open file can be opened again.
pub fn by_descriptor(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// A file of a process in /proc, where its name may stand, which need not be text.
///
/// # Errors
/// There is no such process.
pub fn proc_text(pid: u32, name: &str) -> io::Result<String> {
    let bytes = std::fs::read(format!("/proc/{pid}/{name}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The executable mappings of files, in the order of their addresses.
///
/// # Errors
/// There is no such process, or it may not be read.
pub fn executable_mappings(pid: u32) -> io::Result<Vec<Mapping>> {
    let text = proc_text(pid, "maps")?;
    Ok(text.lines().filter_map(|line| parse(pid, line)).collect())
}

fn parse(pid: u32, line: &str) -> Option<Mapping> {
    let mut fields = line.splitn(6, ' ');
    let range = fields.next()?;
    let permissions = fields.next()?;
    let file_offset = u64::from_str_radix(fields.next()?, 16).ok()?;
    let (major, minor) = fields.next()?.split_once(':')?;
    let device = (
        u32::from_str_radix(major, 16).ok()?,
        u32::from_str_radix(minor, 16).ok()?,
    );
    let inode: u64 = fields.next()?.parse().ok()?;
    let path = fields.next()?.trim_start();
    if permissions.as_bytes().get(2) != Some(&b'x') || inode == 0 {
        return None;
    }
    let (start, end) = range.split_once('-')?;
    let addresses = u64::from_str_radix(start, 16).ok()?..u64::from_str_radix(end, 16).ok()?;
    Some(Mapping {
        // Without the leading zeros that `maps` pads addresses with.
        open: PathBuf::from(format!(
            "/proc/{pid}/map_files/{:x}-{:x}",
            addresses.start, addresses.end
        )),
        addresses,
        file_offset,
        file: FileId { device, inode },
        path: PathBuf::from(path),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_files_are_those_of_the_process() {
        let line = "55d0a000-55d0b000 r-xp 00002000 fe:00 1234    /usr/bin/tool";
        let origin = parse(7, line).unwrap().origin();
        assert_eq!(origin.root, Path::new("/proc/7/root"));
        assert_eq!(origin.name, Path::new("/usr/bin/tool"));
    }

    #[test]
    fn a_line_of_code_names_its_file() {
        let line =
            "00d0a000-55d0b000 r-xp 00002000 fe:00 1234                       /usr/bin/my tool";
        let mapping = parse(7, line).unwrap();
        assert_eq!(mapping.addresses, 0xd0a000..0x55d0b000);
        assert_eq!(mapping.file_offset, 0x2000);
        assert_eq!(
            mapping.file,
            FileId {
                device: (0xfe, 0),
                inode: 1234
            }
        );
        assert_eq!(mapping.path, PathBuf::from("/usr/bin/my tool"));
        assert_eq!(
            mapping.open,
            PathBuf::from("/proc/7/map_files/d0a000-55d0b000")
        );
    }

    #[test]
    fn data_and_memory_without_a_file_are_left_out() {
        assert_eq!(
            parse(
                7,
                "55d0a000-55d0b000 rw-p 00002000 fe:00 1234 /usr/bin/tool"
            ),
            None
        );
        assert_eq!(
            parse(7, "7ffd1000-7ffd2000 r-xp 00000000 00:00 0 [vdso]"),
            None
        );
        assert_eq!(parse(7, "7ffd1000-7ffd2000 r-xp 00000000 00:00 0 "), None);
    }

    #[test]
    fn this_process_has_its_own_executable_mapped() {
        let own = std::env::current_exe().unwrap();
        let mappings = executable_mappings(std::process::id()).unwrap();
        assert!(
            mappings
                .iter()
                .any(|mapping| mapping.path == own && mapping.file == FileId::of(&own).unwrap())
        );
    }
}
