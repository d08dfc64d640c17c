//! A folder for one test, which is removed with it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A new folder that is removed at the end of the test.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// Makes the folder.
    pub fn new() -> Directory {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("ewapa-test-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).expect("make a temporary folder");
        Directory(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file in it.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).expect("write a file of the test");
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever cleans the temporary folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
