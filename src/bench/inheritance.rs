//! What a child gets of the memory of this process until it becomes another program. The kernel counts the most
//! memory that a process had from its fork on, so what a child gets is the least that can be seen of a program.

use std::ffi::CString;
use std::io;
use std::ptr;
use std::sync::atomic::AtomicU64;

use crate::engine::privileges::user::{self, User};

/// Memory that children do not get, until this is dropped: the heap, and what was mapped without a file.
#[derive(Debug)]
pub struct Withheld(Vec<Range>);

/// Addresses from one to another.
type Range = (usize, usize);

impl Withheld {
    /// Withholds all that a child can do without that has no use of the heap.
    ///
    /// # Errors
    /// The list of mappings cannot be read, or is not what Linux writes.
    pub fn all() -> io::Result<Withheld> {
        let maps = std::fs::read_to_string("/proc/self/maps")?;
        // Each thread has its errno and what else is its own in one piece, which a child needs.
        // SAFETY: it gives an address, which is not read from.
        let own = unsafe { libc::__errno_location() } as usize;
        let mut withheld = Withheld(Vec::new());
        for range in anonymous(&maps) {
            // What cannot be withheld is copied: more is then seen of the child, and nothing breaks.
            if !(range.0..range.1).contains(&own) && advise(range, libc::MADV_DONTFORK) {
                withheld.0.push(range);
            }
        }
        Ok(withheld)
    }
}

impl Drop for Withheld {
    fn drop(&mut self) {
        for range in &self.0 {
            advise(*range, libc::MADV_DOFORK);
        }
    }
}

fn advise((from, to): Range, advice: i32) -> bool {
    // SAFETY: whole pages of this process, whose contents the advice does not change.
    unsafe { libc::madvise(from as *mut libc::c_void, to - from, advice) == 0 }
}

/// Where the heap and private memory without a file are, by `/proc/PID/maps`. What is directly behind a file that is
/// mapped are variables of that file (`.bss`), and not among it.
fn anonymous(maps: &str) -> Vec<Range> {
    let mut found = Vec::new();
    let mut end_of_file = 0;
    for ((from, to), rights, name) in maps.lines().filter_map(mapping) {
        let is_heap = name == "[heap]";
        let is_anonymous = name.is_empty() || name.starts_with("[anon:");
        if rights == "rw-p" && (is_heap || is_anonymous && from != end_of_file) {
            found.push((from, to));
        }
        if name.starts_with('/') {
            end_of_file = to;
        }
    }
    found
}

/// Addresses, rights and name of a line.
fn mapping(line: &str) -> Option<(Range, &str, &str)> {
    let mut words = line.split_whitespace();
    let (range, rights) = (words.next()?, words.next()?);
    let name = words.nth(3).unwrap_or_default();
    let (from, to) = range.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    Some(((address(from)?, address(to)?), rights, name))
}

/// Memory that this process and a child see: what the child is to do, and what it says about its start.
#[derive(Debug)]
pub struct Shared {
    place: *mut u8,
    length: usize,
    words: usize,
    directory: usize,
    caller: Option<Caller>,
}

/// Where it is said who the child is to be, if that is another user.
#[derive(Debug, Clone, Copy)]
struct Caller {
    uid: u32,
    gid: u32,
    /// The list of groups, and how many they are.
    groups: (usize, usize),
    environment: usize,
}

/// What a child says about its start.
#[derive(Debug)]
pub struct Start {
    /// When it became the program.
    pub began: AtomicU64,
    /// The most memory that it had before, in KiB.
    pub memory: AtomicU64,
}

impl Shared {
    /// Memory with a folder, the words of a command, and the user that the child is to become.
    ///
    /// # Errors
    /// There is none.
    pub fn new(directory: &CString, words: &[CString], user: Option<&User>) -> io::Result<Shared> {
        let environment = user.map(User::environment).unwrap_or_default();
        let (uid, gid, groups) = user.map_or((0, 0, &[][..]), User::numbers);
        let pointers = size_of::<Start>();
        let environment_at = pointers + (words.len() + 1) * size_of::<*const u8>();
        let groups_at = environment_at + (environment.len() + 1) * size_of::<*const u8>();
        let mut end = groups_at + size_of_val(groups);
        let mut place = |text: &CString| {
            let at = end;
            end += text.as_bytes_with_nul().len();
            at
        };
        let directory_at = place(directory);
        let places: Vec<usize> = words.iter().map(&mut place).collect();
        let variables: Vec<usize> = environment.iter().map(&mut place).collect();
        // SAFETY: a new mapping, filled with zeros.
        let mapped = unsafe {
            libc::mmap(
                ptr::null_mut(),
                end,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if mapped == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let shared = Shared {
            place: mapped.cast(),
            length: end,
            words: pointers,
            directory: directory_at,
            caller: user.map(|_| Caller {
                uid,
                gid,
                groups: (groups_at, groups.len()),
                environment: environment_at,
            }),
        };
        // SAFETY: there is room for the numbers, aligned as they are behind addresses.
        unsafe {
            let list = shared.place.add(groups_at).cast::<u32>();
            ptr::copy_nonoverlapping(groups.as_ptr(), list, groups.len());
        }
        let texts = places.iter().zip(words);
        let texts = texts.chain(variables.iter().zip(&environment));
        for (at, text) in texts.chain([(&directory_at, directory)]) {
            let bytes = text.as_bytes_with_nul();
            // SAFETY: there is room for all texts, one behind the other.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), shared.place.add(*at), bytes.len()) };
        }
        for (list, texts) in [(pointers, &places), (environment_at, &variables)] {
            for (index, at) in texts.iter().enumerate() {
                // SAFETY: the list has a place for each text, aligned as it is behind two numbers; the one behind the
                // last is null.
                unsafe {
                    let list = shared.place.add(list).cast::<*const u8>();
                    *list.add(index) = shared.place.add(*at);
                }
            }
        }
        Ok(shared)
    }

    /// Makes this process that of the user that it is to be, if that is another one. Async-signal-safe.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn become_caller(&self) -> io::Result<()> {
        let Some(caller) = self.caller else {
            return Ok(());
        };
        let (at, count) = caller.groups;
        // SAFETY: so many numbers are within the mapping.
        let groups = unsafe { std::slice::from_raw_parts(self.place.add(at).cast(), count) };
        user::take_place((caller.uid, caller.gid, groups))
    }

    /// The environment of the user that it is to be, with null behind the last variable; null if that is nobody else.
    pub fn environment(&self) -> *const *const libc::c_char {
        let of = |caller: Caller| {
            // SAFETY: within the mapping.
            unsafe {
                self.place
                    .add(caller.environment)
                    .cast::<*const libc::c_char>()
            }
            .cast_const()
        };
        self.caller.map_or(ptr::null(), of)
    }

    /// The folder.
    pub fn directory(&self) -> *const libc::c_char {
        // SAFETY: within the mapping.
        unsafe { self.place.add(self.directory).cast() }
    }

    /// The words, with null behind the last.
    pub fn words(&self) -> *const *const libc::c_char {
        // SAFETY: within the mapping.
        unsafe { self.place.add(self.words).cast() }
    }

    /// What the child says.
    pub fn start(&self) -> &Start {
        // SAFETY: mapped until this is dropped, at the begin of a page, and filled with zeros at first.
        unsafe { &*self.place.cast() }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: what was mapped, once.
        unsafe { libc::munmap(self.place.cast(), self.length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_private_memory_without_a_file_is_withheld() {
        let maps = "\
5500-5510 r-xp 00000000 08:01 76                         /usr/bin/ewapa
5510-5520 rw-p 00001000 08:01 76                         /usr/bin/ewapa
5520-5530 rw-p 00000000 00:00 0 
55c0-55c1 rw-p 00000000 00:00 0                          [heap]
7f00-7f10 rw-p 00000000 00:00 0 
7f10-7f20 rw-s 00000000 00:01 5                          /dev/zero (deleted)
7f30-7f40 rw-p 00002000 08:01 77                         /usr/lib/libc.so.6
7ff0-7fff rw-p 00000000 00:00 0                          [stack]
7fff-8000 r-xp 00000000 00:00 0                          [vdso]
";
        assert_eq!(anonymous(maps), [(0x55c0, 0x55c1), (0x7f00, 0x7f10)]);
    }
}
