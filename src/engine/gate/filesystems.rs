//! The filesystems whose programs are held (proc_pid_mountinfo(5)).

use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use super::fanotify::Fanotify;

const MOUNTS: &str = "/proc/self/mountinfo";

/// Without programs; or where a file is read through the network or another process, which nobody may be made to
/// wait for.
const LEFT_OUT: [&str; 22] = [
    "proc",
    "sysfs",
    "cgroup",
    "cgroup2",
    "devpts",
    "devtmpfs",
    "tracefs",
    "debugfs",
    "securityfs",
    "bpf",
    "pstore",
    "mqueue",
    "configfs",
    "autofs",
    "nsfs",
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "9p",
    "ceph",
    "afs",
];

/// Becomes urgent (`POLLPRI`) when something is mounted.
///
/// # Errors
/// There is no `/proc`.
pub fn changes() -> io::Result<File> {
    File::open(MOUNTS)
}

/// Asks for the programs of every filesystem that is mounted. That it was asked for before does no harm.
///
/// # Errors
/// Of none the kernel takes it.
pub fn mark(fanotify: &Fanotify) -> io::Result<()> {
    let text = std::fs::read(MOUNTS)?;
    let mut failed = Some(io::Error::from_raw_os_error(libc::ENODEV));
    for directory in text.split(|byte| *byte == b'\n').filter_map(mounted) {
        match fanotify.watch(&directory) {
            Ok(()) => failed = None,
            Err(error) if failed.is_some() => failed = Some(error),
            Err(_) => {}
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Where the filesystem of a line is mounted, if its programs are held.
fn mounted(line: &[u8]) -> Option<PathBuf> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let separator = fields.iter().position(|field| *field == b"-")?;
    let kind = std::str::from_utf8(fields.get(separator + 1)?).ok()?;
    if LEFT_OUT.contains(&kind) || kind.starts_with("fuse") {
        return None;
    }
    Some(PathBuf::from(std::ffi::OsString::from_vec(plain(
        fields.get(4)?,
    ))))
}

/// A path without the escapes (`\040`) that blanks in it are written with.
fn plain(escaped: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let [first, behind @ ..] = rest {
        let number = behind
            .get(..3)
            .filter(|_| *first == b'\\')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match number {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[3..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_programs_is_told_by_its_line() {
        let of = |line: &str| mounted(line.as_bytes());
        assert_eq!(
            of("27 1 254:0 / / rw,relatime - ext4 /dev/vda rw"),
            Some(PathBuf::from("/"))
        );
        assert_eq!(
            of(r"40 27 0:40 / /mnt/a\040b rw shared:1 master:2 - tmpfs none rw"),
            Some(PathBuf::from("/mnt/a b"))
        );
        assert_eq!(of("22 27 0:21 / /proc rw - proc proc rw"), None);
        assert_eq!(of("50 27 0:50 / /home rw - nfs4 server:/ rw"), None);
        assert_eq!(of("51 27 0:51 / /mnt rw - fuse.sshfs host: rw"), None);
        assert_eq!(of(""), None);
    }
}
