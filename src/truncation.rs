//! Files that are mapped here and belong to others: one may become shorter while it is read, or have a hole for which
//! its filesystem has no room. Reading there raises SIGBUS; here it gives zeros instead.

use std::ptr::null_mut;

/// The size of a page on x86-64.
const PAGE: usize = 4096;

/// From now on bytes of mapped files that are not there are zeros, in all threads. A program that this process starts
/// gets the signal as ever.
pub fn read_as_zeros() {
    // SAFETY: the structure is plain data; the handler calls what is async-signal-safe on Linux.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) = put_zeros;
        action.sa_sigaction = handler as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigaction(libc::SIGBUS, &action, null_mut());
    }
}

extern "C" fn put_zeros(signal: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel gives a valid structure. The page is one of a mapping of a file, as only those raise
    // BUS_ADRERR: it is read only, and nobody wrote to it through this mapping.
    unsafe {
        let page = (*info).si_addr() as usize / PAGE * PAGE;
        let zeros = (*info).si_code == libc::BUS_ADRERR
            && libc::mmap(
                page as *mut libc::c_void,
                PAGE,
                libc::PROT_READ,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
                -1,
                0,
            ) != libc::MAP_FAILED;
        if !zeros {
            // The instruction is tried again, and ends the process.
            libc::signal(signal, libc::SIG_DFL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn what_was_cut_off_a_mapped_file_is_read_as_zeros() {
        read_as_zeros();
        let path = std::env::temp_dir().join(format!("ewapa-shorter-{}", std::process::id()));
        std::fs::write(&path, vec![7u8; 3 * PAGE]).unwrap();
        let file = std::fs::File::options()
            .read(true)
            .write(true)
            .open(&path)
            .unwrap();
        // SAFETY: the mapping has three pages, and lives until the end of the process.
        let bytes = unsafe {
            let start = libc::mmap(
                null_mut(),
                3 * PAGE,
                libc::PROT_READ,
                libc::MAP_PRIVATE,
                file.as_raw_fd(),
                0,
            );
            assert_ne!(start, libc::MAP_FAILED);
            start.cast::<u8>()
        };
        file.set_len(PAGE as u64).unwrap();
        // SAFETY: within the mapping; the compiler is not to know what is there.
        let read = |at: usize| unsafe { bytes.add(at).read_volatile() };
        assert_eq!((read(PAGE - 1), read(PAGE), read(3 * PAGE - 1)), (7, 0, 0));
        std::fs::remove_file(&path).unwrap();
    }
}
