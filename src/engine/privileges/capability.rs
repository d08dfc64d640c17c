//! Sets of capabilities (capabilities(7)), and the system calls on those of a thread.

use std::fmt;
use std::io;

/// A right that ewapa knows by name. The number is the bit of include/uapi/linux/capability.h.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Capability {
    /// Opens files that only others may read, and folders as well.
    DacReadSearch = 2,
    /// Sends signals to processes of others.
    Kill = 5,
    /// Takes other groups.
    SetGid = 6,
    /// Becomes another user.
    SetUid = 7,
    /// Looks into processes of others.
    SysPtrace = 19,
    /// Much: here, to be asked before programs are executed.
    SysAdmin = 21,
    /// Has a say in when files of others are written to.
    Lease = 28,
    /// Sees the addresses of the kernel's functions.
    Syslog = 34,
    /// Attaches to programs, reads memory, takes stacks.
    Perfmon = 38,
    /// Loads eBPF programs and makes maps.
    Bpf = 39,
    /// Opens what a process has mapped.
    CheckpointRestore = 40,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Capability::DacReadSearch => "CAP_DAC_READ_SEARCH",
            Capability::Kill => "CAP_KILL",
            Capability::SetGid => "CAP_SETGID",
            Capability::SetUid => "CAP_SETUID",
            Capability::SysPtrace => "CAP_SYS_PTRACE",
            Capability::SysAdmin => "CAP_SYS_ADMIN",
            Capability::Lease => "CAP_LEASE",
            Capability::Syslog => "CAP_SYSLOG",
            Capability::Perfmon => "CAP_PERFMON",
            Capability::Bpf => "CAP_BPF",
            Capability::CheckpointRestore => "CAP_CHECKPOINT_RESTORE",
        })
    }
}

/// Capabilities, also such as have no name here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Set(u64);

impl Set {
    /// These.
    pub fn of(capabilities: &[Capability]) -> Set {
        Set(capabilities
            .iter()
            .fold(0, |bits, capability| bits | 1 << *capability as u8))
    }

    /// Those that are in effect in this thread.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn held() -> io::Result<Set> {
        let mut header = Header::of_this_thread();
        let mut words = [Words::default(); 2];
        // SAFETY: the structures are those of the kernel's third version, which has two of the second.
        let result = unsafe { libc::syscall(libc::SYS_capget, &mut header, words.as_mut_ptr()) };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Set(
            u64::from(words[0].effective) | u64::from(words[1].effective) << 32
        ))
    }

    /// All that there can be.
    #[cfg(test)]
    pub fn all() -> Set {
        Set(u64::MAX)
    }

    /// Whether it is among them.
    pub fn has(self, capability: Capability) -> bool {
        self.0 >> capability as u8 & 1 == 1
    }

    /// Those of either.
    pub fn or(self, other: Set) -> Set {
        Set(self.0 | other.0)
    }

    /// Those of both.
    pub fn and(self, other: Set) -> Set {
        Set(self.0 & other.0)
    }
}

/// `struct __user_cap_header_struct`.
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

impl Header {
    /// `_LINUX_CAPABILITY_VERSION_3`.
    const VERSION: u32 = 0x2008_0522;

    fn of_this_thread() -> Header {
        Header {
            version: Header::VERSION,
            pid: 0,
        }
    }
}

/// `struct __user_cap_data_struct`: half of each set.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
struct Words {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Sets what this thread may and does use, and what it passes on at exec to nothing. Async-signal-safe.
///
/// # Errors
/// There is more in the set than the thread has.
pub fn limit(set: Set) -> io::Result<()> {
    let half = |shift: u32| Words {
        effective: (set.0 >> shift) as u32,
        permitted: (set.0 >> shift) as u32,
        inheritable: 0,
    };
    let words = [half(0), half(32)];
    // Ambient ones are gone with the inheritable ones.
    // SAFETY: as in `Set::held`; the kernel only reads.
    match unsafe { libc::syscall(libc::SYS_capset, &Header::of_this_thread(), words.as_ptr()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Passes nothing on at exec that the file does not give. Async-signal-safe.
///
/// # Errors
/// The kernel refuses.
pub fn pass_on_nothing() -> io::Result<()> {
    let mut header = Header::of_this_thread();
    let mut words = [Words::default(); 2];
    // SAFETY: as in `Set::held` and `limit`.
    let result = unsafe {
        if libc::syscall(libc::SYS_capget, &mut header, words.as_mut_ptr()) == 0 {
            for half in &mut words {
                half.inheritable = 0;
            }
            libc::syscall(libc::SYS_capset, &header, words.as_ptr())
        } else {
            -1
        }
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// No program that this thread executes has rights of its file: neither set-user-ID nor capabilities.
///
/// # Errors
/// The kernel refuses.
pub fn no_new_privileges() -> io::Result<()> {
    // SAFETY: a system call on numbers.
    match unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_it_was_made_of() {
        let set = Set::of(&[Capability::Bpf, Capability::Kill]);
        assert!(set.has(Capability::Bpf) && set.has(Capability::Kill));
        assert!(!set.has(Capability::SysAdmin));
        assert_eq!(set.and(Set::of(&[Capability::Bpf])).0, 1 << 39);
    }

    #[test]
    fn what_is_held_is_what_proc_says() {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("CapEff:"))
            .unwrap();
        let told = u64::from_str_radix(line.trim(), 16).unwrap();
        assert_eq!(Set::held().unwrap(), Set(told));
    }

    #[test]
    fn a_thread_has_no_more_than_it_keeps() {
        let kept = std::thread::spawn(|| {
            let keep = Set::held().unwrap().and(Set::of(&[Capability::Kill]));
            limit(keep).unwrap();
            // Nothing comes back.
            assert!(limit(Set(u64::MAX >> 23)).is_err());
            (Set::held().unwrap(), keep)
        });
        let (held, keep) = kept.join().unwrap();
        assert_eq!(held, keep);
    }
}
