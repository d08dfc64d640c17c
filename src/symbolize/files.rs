//! The files that processes have mapped, kept open: they may be deleted, and so may the processes' view of
//! the file system.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::rc::Rc;

use crate::engine::maps::{FileId, Mapping};

/// Open files. What could not be opened is not tried again.
#[derive(Default)]
pub struct Files {
    mapped: HashMap<FileId, Option<File>>,
    directories: HashMap<(u64, u64), Rc<File>>,
}

impl Files {
    /// Opens those that are new.
    pub fn open(&mut self, mappings: &[Mapping]) {
        for mapping in mappings {
            self.mapped
                .entry(mapping.file)
                .or_insert_with(|| File::open(&mapping.open).ok());
        }
    }

    /// A name by which this process can read the file.
    pub fn path(&self, file: FileId) -> Option<PathBuf> {
        let file = self.mapped.get(&file)?.as_ref()?;
        Some(PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd())))
    }

    /// The directory for temporary files as a process sees it, if that is a directory.
    pub fn tmp_of(&mut self, pid: u32) -> Option<Rc<File>> {
        let directory = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_PATH | libc::O_DIRECTORY | libc::O_NOFOLLOW)
            .open(format!("/proc/{pid}/root/tmp"))
            .ok()?;
        let metadata = directory.metadata().ok()?;
        let known = self
            .directories
            .entry((metadata.dev(), metadata.ino()))
            .or_insert_with(|| Rc::new(directory));
        Some(Rc::clone(known))
    }
}
