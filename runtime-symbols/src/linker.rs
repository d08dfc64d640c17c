//! The dynamic linker's hook for debuggers: a function that it calls before and after each change to
//! what is mapped (glibc's elf/dl-debug.c, musl's ldso/dynlink.c).

use std::path::Path;

use goblin::elf::Elf;

use crate::elf::FileOffset;
use crate::map;

/// Where the hook is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkerHook {
    /// The hook's first byte.
    pub offset: FileOffset,
    /// From the hook's address to that of `struct r_debug`, in bytes; its `r_state` is 0 when a change
    /// is complete.
    pub to_r_debug: i64,
    /// There is not `struct r_debug` but its address: musl tells no more of it.
    pub is_pointer: bool,
}

impl LinkerHook {
    /// What the program at the hook is told: where `struct r_debug` is, and in the lowest bit whether that is
    /// a pointer to it.
    pub fn cookie(&self) -> u64 {
        (self.to_r_debug << 1) as u64 | u64::from(self.is_pointer)
    }
}

/// The hook of a dynamic linker; none if the file is not one or does not show it.
pub fn linker_hook(path: &Path) -> Option<LinkerHook> {
    let bytes = map::open(path).ok()??;
    let elf = Elf::parse(&bytes).ok()?;
    let address = |wanted: &str| {
        elf.dynsyms
            .iter()
            .find(|symbol| elf.dynstrtab.get_at(symbol.st_name) == Some(wanted))
            .map(|symbol| symbol.st_value)
    };
    let hook = address("_dl_debug_state")?;
    let (r_debug, is_pointer) = match address("_r_debug") {
        Some(r_debug) => (r_debug, false),
        None => (address("_dl_debug_addr")?, true),
    };
    let segment = elf
        .program_headers
        .iter()
        .find(|segment| segment.vm_range().contains(&(hook as usize)))?;
    let offset = hook
        .checked_sub(segment.p_vaddr)?
        .checked_add(segment.p_offset)?;
    Some(LinkerHook {
        offset: FileOffset(offset),
        to_r_debug: r_debug.wrapping_sub(hook) as i64,
        is_pointer,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_dynamic_linker_has_no_hook() {
        assert_eq!(linker_hook(Path::new("/proc/self/cmdline")), None);
        assert_eq!(linker_hook(Path::new("/proc/self/exe")), None);
    }
}
