//! Where a file comes from, which decides where its debug file is looked for.

use std::path::{Path, PathBuf};

/// How a file can be opened, and what it is called where it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// A name by which it can be opened from here.
    pub open: PathBuf,
    /// Its name in the file system of its process. Debug files are looked for beside it.
    pub name: PathBuf,
    /// The root of that file system, as seen from here: `/`, or `/proc/PID/root`.
    pub root: PathBuf,
}

impl Origin {
    /// A file of this file system.
    pub fn here(path: &Path) -> Origin {
        Origin {
            open: path.to_owned(),
            name: path.canonicalize().unwrap_or_else(|_| path.to_owned()),
            root: PathBuf::from("/"),
        }
    }

    /// A file that a process has mapped. `name` is what `/proc/PID/maps` calls it.
    pub fn of_process(pid: u32, open: &Path, name: &Path) -> Origin {
        Origin {
            open: open.to_owned(),
            name: name.to_owned(),
            root: PathBuf::from(format!("/proc/{pid}/root")),
        }
    }
}
