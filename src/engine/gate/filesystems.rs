//! The filesystems whose programs are held (proc_pid_mountinfo(5)).

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

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

/// Those of [`LEFT_OUT`] whose files are read through the network or another process, as statfs(2) tells them: the
/// values of linux/magic.h and, where it has none, of the filesystems' own headers.
const REMOTE: [u32; 9] = [
    0x6573_5546, // fuse
    0x0187,      // autofs
    0x6969,      // nfs
    0xff53_4d42, // cifs
    0xfe53_4d42, // smb2
    0x0102_1997, // 9p
    0x00c3_6400, // ceph
    0x5346_414f, // afs
    0x6b41_4653, // kafs
];

/// Becomes urgent (`POLLPRI`) when something is mounted.
///
/// # Errors
/// There is no `/proc`.
pub fn changes() -> io::Result<File> {
    File::open(MOUNTS)
}

/// Asks for the programs of every filesystem that is mounted. That it was asked for before does no harm. Returns
/// the devices of all, also of those that are left out.
///
/// # Errors
/// Of none the kernel takes it.
pub fn mark(fanotify: &Fanotify) -> io::Result<Vec<u32>> {
    let text = std::fs::read(MOUNTS)?;
    let mut failed = Some(io::Error::from_raw_os_error(libc::ENODEV));
    let mounts: Vec<Mount> = text
        .split(|byte| *byte == b'\n')
        .filter_map(mounted)
        .collect();
    for directory in mounts.iter().filter_map(|mount| mount.held.as_ref()) {
        match fanotify.watch(directory) {
            Ok(()) => failed = None,
            Err(error) if failed.is_some() => failed = Some(error),
            Err(_) => {}
        }
    }
    match failed {
        None => Ok(mounts.iter().map(|mount| mount.device).collect()),
        Some(error) => Err(error),
    }
}

/// Asks for the programs of the filesystem of this file, which may be mounted elsewhere only. Returns whether that
/// is settled: not if the kernel does not take it, as of memory without a name (memfd_create(2)).
pub fn mark_of(fanotify: &Fanotify, file: &Path) -> bool {
    is_remote(file) || fanotify.watch(file).is_ok()
}

fn is_remote(file: &Path) -> bool {
    let Ok(path) = CString::new(file.as_os_str().as_bytes()) else {
        return false;
    };
    // SAFETY: the path is a C string, and the structure is plain data that the kernel fills in.
    let found = unsafe {
        let mut found: libc::statfs = std::mem::zeroed();
        (libc::statfs(path.as_ptr(), &mut found) == 0).then_some(found)
    };
    found.is_some_and(|found| REMOTE.contains(&(found.f_type as u32)))
}

/// A line of `mountinfo`.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    /// As in the kernel's `struct file_key`.
    device: u32,
    /// Where it is mounted, if its programs are held.
    held: Option<PathBuf>,
}

fn mounted(line: &[u8]) -> Option<Mount> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let separator = fields.iter().position(|field| *field == b"-")?;
    let kind = std::str::from_utf8(fields.get(separator + 1)?).ok()?;
    let (major, minor) = std::str::from_utf8(fields.get(2)?).ok()?.split_once(':')?;
    let is_held = !LEFT_OUT.contains(&kind) && !kind.starts_with("fuse");
    let directory = plain(fields.get(4)?);
    Some(Mount {
        device: major.parse::<u32>().ok()? << 20 | minor.parse::<u32>().ok()?,
        held: is_held.then(|| PathBuf::from(std::ffi::OsString::from_vec(directory))),
    })
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
        let of = |line: &str| mounted(line.as_bytes()).map(|mount| (mount.device, mount.held));
        assert_eq!(
            of("27 1 254:1 / / rw,relatime - ext4 /dev/vda rw"),
            Some((254 << 20 | 1, Some(PathBuf::from("/"))))
        );
        assert_eq!(
            of(r"40 27 0:40 / /mnt/a\040b rw shared:1 master:2 - tmpfs none rw"),
            Some((40, Some(PathBuf::from("/mnt/a b"))))
        );
        assert_eq!(of("22 27 0:21 / /proc rw - proc proc rw"), Some((21, None)));
        assert_eq!(
            of("50 27 0:50 / /home rw - nfs4 server:/ rw"),
            Some((50, None))
        );
        assert_eq!(
            of("51 27 0:51 / /mnt rw - fuse.sshfs host: rw"),
            Some((51, None))
        );
        assert_eq!(of(""), None);
    }
}
