//! What a script asks of the machine beside the kernel: files to show, commands to run.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Output, Stdio};

use crate::engine::privileges::user;

/// The most of a file that is shown, in bytes.
pub const ROOM: u64 = 64 << 10;

/// The beginning of a file that the caller may read, and whether that is all of it.
///
/// # Errors
/// It cannot be read, or is no regular file: reading that might never end.
pub fn read(path: &str) -> io::Result<(String, bool)> {
    let file = user::as_caller(|| {
        OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(path)
    })?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(ROOM + 1).read_to_end(&mut bytes)?;
    let whole = bytes.len() as u64 <= ROOM;
    bytes.truncate(ROOM as usize);
    Ok((String::from_utf8_lossy(&bytes).into_owned(), whole))
}

/// Runs a command by `/bin/sh` as the caller and waits for its end. What it writes to the standard output is returned.
///
/// # Errors
/// There is no shell, or it cannot have the caller's rights.
pub fn run(command: &str) -> io::Result<Output> {
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", command])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    user::run_as_caller(&mut shell);
    shell.output()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_run_by_the_shell() {
        let output = run("echo a b; exit 3").unwrap();
        assert_eq!(output.stdout, b"a b\n");
        assert_eq!(output.status.code(), Some(3));
    }

    #[test]
    fn a_file_is_read_up_to_a_limit() {
        let path = std::env::temp_dir().join(format!("ewapa-cat-{}", std::process::id()));
        let name = path.to_str().unwrap();
        std::fs::write(&path, "some text").unwrap();
        assert_eq!(read(name).unwrap(), ("some text".to_owned(), true));
        std::fs::write(&path, vec![b'x'; ROOM as usize + 1]).unwrap();
        let (text, whole) = read(name).unwrap();
        assert_eq!((text.len() as u64, whole), (ROOM, false));
        std::fs::remove_file(&path).unwrap();
        assert!(read(name).is_err());
        assert!(read("/dev/zero").is_err());
        assert!(read("/proc/self/status").is_ok());
    }
}
