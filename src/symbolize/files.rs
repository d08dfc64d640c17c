//! The files that processes have mapped, kept open: they may be deleted, and so may the processes' view of
//! the file system.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;
use std::rc::Rc;

use crate::engine::maps::{FileId, Mapping, by_descriptor};

/// Open files. What could not be opened is not tried again.
pub struct Files {
    /// At most so many files of processes: others in this process need descriptors, too.
    room: usize,
    mapped: HashMap<FileId, Option<File>>,
    directories: HashMap<(u64, u64), Rc<File>>,
}

impl Default for Files {
    fn default() -> Files {
        Files {
            room: descriptors() / 2,
            mapped: HashMap::new(),
            directories: HashMap::new(),
        }
    }
}

impl Files {
    /// Opens those that are new.
    pub fn open(&mut self, mappings: &[Mapping]) {
        for mapping in mappings {
            if self.mapped.contains_key(&mapping.file) {
                continue;
            }
            let open = (self.room > 0).then(|| mapping.open_regular().ok());
            let file = open.flatten().flatten();
            // Symbols without end would be taken into memory.
            let file = file.filter(|file| ewapa_symbols::has_symbols(&by_descriptor(file)));
            self.room -= usize::from(file.is_some());
            self.mapped.insert(mapping.file, file);
        }
    }

    /// A name by which this process can read the file.
    pub fn path(&self, file: FileId) -> Option<PathBuf> {
        let file = self.mapped.get(&file)?.as_ref()?;
        Some(by_descriptor(file))
    }

    /// The directory for temporary files as a process sees it, if that is a directory.
    pub fn tmp_of(&mut self, pid: u32) -> Option<Rc<File>> {
        let directory = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_PATH | libc::O_DIRECTORY | libc::O_NOFOLLOW)
            .open(format!("/proc/{pid}/root/tmp"))
            .ok()?;
        let metadata = directory.metadata().ok()?;
        let id = (metadata.dev(), metadata.ino());
        if let Some(known) = self.directories.get(&id) {
            return Some(Rc::clone(known));
        }
        self.room = self.room.checked_sub(1)?;
        let directory = Rc::new(directory);
        self.directories.insert(id, Rc::clone(&directory));
        Some(directory)
    }
}

/// How many descriptors this process may have. It takes as many as it is allowed to.
pub fn descriptors() -> usize {
    // SAFETY: the structure is plain numbers that the first call fills and the second one reads.
    let limit = unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) != 0 {
            return 0;
        }
        let most = libc::rlimit {
            rlim_cur: limit.rlim_max,
            ..limit
        };
        match libc::setrlimit(libc::RLIMIT_NOFILE, &most) {
            0 => most.rlim_cur,
            _ => limit.rlim_cur,
        }
    };
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::maps::executable_mappings;

    #[test]
    fn no_more_files_are_kept_open_than_there_is_room_for() {
        let mappings = executable_mappings(std::process::id()).unwrap();
        let mut files = Files {
            room: 1,
            ..Files::default()
        };
        files.open(&mappings);
        let open = |mapping: &&Mapping| files.path(mapping.file).is_some();
        let mut open: Vec<FileId> = mappings.iter().filter(open).map(|at| at.file).collect();
        open.dedup();
        assert_eq!(open.len(), 1);
        assert!(mappings.iter().any(|mapping| mapping.file != open[0]));
        assert!(files.tmp_of(std::process::id()).is_none());
    }
}
