//! The file that a probe names: a path, a program or a library.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::engine::processes::executable;

/// There is no such file.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{what}")]
pub struct FileError {
    what: String,
}

/// The folders with libraries that the loader's cache may not know.
const FOLDERS: [&str; 6] = [
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/lib",
];

/// The loader's cache.
const CACHE: &str = "/etc/ld.so.cache";

/// The file of this name: a path if it has a `/`, else a program in `PATH`, else a library, with or
/// without `lib` before and `.so` behind it.
///
/// # Errors
/// There is none, or it is none.
pub fn find(name: &str) -> Result<PathBuf, FileError> {
    let refused = |what: String| Err(FileError { what });
    if name.is_empty() {
        return refused("the name of a file is missing".to_owned());
    }
    if name.contains('/') {
        let path = PathBuf::from(name);
        return match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => Ok(path),
            Ok(_) => refused(format!("{name} is not a file; name a binary or a library")),
            Err(error) => refused(format!("cannot read {name}: {error}")),
        };
    }
    let found = executable(OsStr::new(name)).or_else(|| library(name));
    // Links are followed: what is probed is told by the name of the file that it is.
    match found {
        Some(path) => Ok(path.canonicalize().unwrap_or(path)),
        None => refused(format!(
            "no program or library is called `{name}`; write its path, such as ./{name} or /usr/bin/{name}"
        )),
    }
}

fn library(name: &str) -> Option<PathBuf> {
    let cache = std::fs::read(CACHE).unwrap_or_default();
    let known = cached(&cache);
    for stem in [name.to_owned(), format!("lib{name}")] {
        let found = known.iter().find(|(file, _)| is_library(file, &stem));
        if let Some((_, path)) = found
            && path.is_file()
        {
            return Some(path.clone());
        }
        for folder in FOLDERS {
            if let Some(path) = in_folder(Path::new(folder), &stem) {
                return Some(path);
            }
        }
    }
    None
}

/// Whether a file is the library: `libc` and `libc.so` are `libc.so.6`.
fn is_library(file: &str, stem: &str) -> bool {
    match file.strip_prefix(stem) {
        Some("") => stem.contains(".so"),
        Some(rest) => {
            rest == ".so"
                || rest.starts_with(".so.")
                || rest.starts_with('.') && stem.ends_with(".so")
        }
        None => false,
    }
}

fn in_folder(folder: &Path, stem: &str) -> Option<PathBuf> {
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|file| is_library(file, stem))
        .collect();
    files.sort_unstable();
    files.first().map(|file| folder.join(file))
}

/// Names and paths of the libraries in the loader's cache that are for x86-64 (glibc's dl-cache.h).
fn cached(bytes: &[u8]) -> Vec<(String, PathBuf)> {
    const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
    const HEADER: usize = 48;
    const ENTRY: usize = 24;
    const X86_64: u32 = 0x0300;
    let Some(start) = bytes
        .windows(MAGIC.len())
        .position(|window| window == MAGIC)
    else {
        return Vec::new();
    };
    let cache = &bytes[start..];
    let word = |at: usize| {
        let bytes = cache.get(at..at + 4)?;
        Some(u32::from_ne_bytes(bytes.try_into().ok()?))
    };
    let text = |at: u32| {
        let rest = cache.get(at as usize..)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        Some(std::str::from_utf8(&rest[..end]).ok()?.to_owned())
    };
    let count = word(MAGIC.len()).unwrap_or(0) as usize;
    (0..count)
        .map_while(|index| {
            let at = HEADER + index * ENTRY;
            Some((word(at)?, word(at + 4)?, word(at + 8)?))
        })
        .filter(|(flags, _, _)| flags & 0xff00 == X86_64)
        .filter_map(|(_, name, path)| Some((text(name)?, PathBuf::from(text(path)?))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_in_path_and_a_library_by_its_short_name() {
        assert!(find("sh").unwrap().is_absolute());
        let library = find("libc").unwrap();
        assert_eq!(find("c").unwrap(), library);
        assert_eq!(find("libc.so.6").unwrap(), library);
        assert!(
            library
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("libc")
        );
    }

    #[test]
    fn what_is_nowhere_is_told() {
        let error = find("no-such-program-anywhere").unwrap_err();
        assert!(error.to_string().contains("no program or library"));
        let error = find("/no/such/file").unwrap_err();
        assert!(error.to_string().contains("cannot read /no/such/file"));
        assert!(
            find("/tmp")
                .unwrap_err()
                .to_string()
                .contains("is not a file")
        );
    }

    #[test]
    fn a_library_has_its_version_behind_its_name() {
        assert!(is_library("libc.so.6", "libc"));
        assert!(is_library("libc.so.6", "libc.so"));
        assert!(is_library("libc.so.6", "libc.so.6"));
        assert!(!is_library("libcrypt.so.1", "libc"));
        assert!(!is_library("libc.a", "libc"));
    }

    #[test]
    fn a_cache_that_is_cut_short_has_no_more_than_it_has() {
        let bytes = std::fs::read(CACHE).unwrap_or_default();
        for length in [0, 10, 60, bytes.len() / 2] {
            cached(&bytes[..length.min(bytes.len())]);
        }
    }
}
