//! Which files are dynamic linkers: those have a hook that tells of libraries (`ewapa_symbols::linker_hook`).

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Whether a file of this name is one. musl's linker is its C library, and the name by which programs ask for it a
/// link to that; `open` is a name by which it can be opened.
pub fn is_linker(path: &Path, open: &Path) -> bool {
    const ALWAYS: [&[u8]; 4] = [b"ld-linux", b"ld-musl", b"ld-2", b"ld.so"];
    let Some(name) = path.file_name().map(OsStrExt::as_bytes) else {
        return false;
    };
    ALWAYS.iter().any(|prefix| name.starts_with(prefix))
        || (name == b"libc.so" || name.starts_with(b"libc.musl-"))
            && ewapa_symbols::linker_hook(open).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linkers_are_known_by_their_names() {
        let is = |name: &str| is_linker(Path::new(name), Path::new("/nowhere"));
        assert!(is("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"));
        assert!(is("/lib/ld-musl-x86_64.so.1"));
        assert!(is("/lib/ld-2.31.so"));
        // A file of this name that has no hook.
        assert!(!is("/usr/lib/x86_64-linux-musl/libc.so"));
        assert!(!is("/usr/lib/x86_64-linux-gnu/libc.so.6"));
    }
}
