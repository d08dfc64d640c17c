//! Names of Linux: its system calls on x86-64 and its error numbers (errno(3)).

mod errno;
mod syscall;

use crate::nearest::nearest;
use errno::{ERRNO, SAME_ERRNO};
use syscall::SYSCALLS;

/// The name of a system call.
pub fn syscall_name(number: i64) -> Option<&'static str> {
    named(SYSCALLS, number)
}

/// The number of the system call of this name.
pub fn syscall_number(name: &str) -> Option<u16> {
    numbered(SYSCALLS, name)
}

/// All system calls, by number.
pub fn syscalls() -> impl Iterator<Item = (u16, &'static str)> {
    SYSCALLS.iter().copied()
}

/// The system call whose name is most like this one.
pub fn nearest_syscall(name: &str) -> Option<&'static str> {
    nearest(name, SYSCALLS.iter().map(|(_, known)| *known))
}

/// The name of an error number, without the leading `E`; 0 is `SUCCESS`.
pub fn errno_name(errno: i64) -> Option<&'static str> {
    named(ERRNO, errno)
}

/// The number that a script calls by this name, such as `EBADF`.
pub fn errno_number(name: &str) -> Option<i64> {
    let name = name.strip_prefix('E')?;
    let same = SAME_ERRNO.iter().find(|(known, _)| *known == name);
    same.map(|(_, number)| *number)
        .or_else(|| numbered(ERRNO, name))
        .map(i64::from)
}

/// All names of error numbers, without the leading `E`.
pub fn errno_names() -> impl Iterator<Item = &'static str> {
    let others = SAME_ERRNO.iter().map(|(name, _)| *name);
    ERRNO.iter().map(|(_, name)| *name).chain(others)
}

fn named(table: &[(u16, &'static str)], number: i64) -> Option<&'static str> {
    let number = u16::try_from(number).ok()?;
    let index = table.binary_search_by_key(&number, |(known, _)| *known);
    index.ok().map(|index| table[index].1)
}

fn numbered(table: &[(u16, &'static str)], name: &str) -> Option<u16> {
    let found = table.iter().find(|(_, known)| *known == name);
    found.map(|(number, _)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_kernel() {
        assert_eq!(syscall_number("read"), Some(0));
        assert_eq!(syscall_number("openat"), Some(257));
        assert_eq!(syscall_name(202), Some("futex"));
        assert_eq!(syscall_name(-1), None);
        assert_eq!(errno_number("EAGAIN"), Some(11));
        assert_eq!(errno_number("EWOULDBLOCK"), Some(11));
        assert_eq!(errno_name(9), Some("BADF"));
        assert_eq!(errno_name(0), Some("SUCCESS"));
    }

    #[test]
    fn tables_are_sorted() {
        for table in [SYSCALLS, ERRNO] {
            assert!(table.is_sorted_by(|a, b| a.0 < b.0));
        }
    }
}
