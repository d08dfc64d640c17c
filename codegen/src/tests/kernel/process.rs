//! The process that random scripts look into: places for uprobes, and memory that ends where it says.

use std::arch::{asm, global_asm};
use std::sync::OnceLock;

use crate::interpreter::{Memory, Says};
use crate::tests::terms::MEMORY as TEXTS;

/// So many places there are, for a probe each.
pub const PLACES: usize = 64;
const PLACE_BYTES: usize = 4;
const PAGE: usize = 4096;
/// Where the stack begins of who calls a place, in the memory.
const STACK: usize = PAGE / 2;
/// How much of the end of the memory is no text that ends.
const RAGGED: usize = 40;

global_asm!(
    ".p2align 4",
    "ewapa_test_places:",
    ".rept {places}",
    "nop",
    "jmp r15",
    ".endr",
    places = const PLACES,
);

unsafe extern "C" {
    fn ewapa_test_places();
}

/// The address of a place.
fn address_of(place: usize) -> u64 {
    assert!(place < PLACES);
    ewapa_test_places as *const () as u64 + (PLACE_BYTES * place) as u64
}

/// Where a place is in the file of this program.
pub fn offset_of(place: usize) -> u64 {
    let address = address_of(place);
    let maps = std::fs::read_to_string("/proc/self/maps").expect("the mappings of this process");
    let number = |text: &str| u64::from_str_radix(text, 16).expect("a number in base 16");
    let offset = maps.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let offset = words.nth(1)?;
        let inside = (number(start)..number(end)).contains(&address);
        inside.then(|| address - number(start) + number(offset))
    });
    offset.expect("a mapping of this program")
}

/// The registers that arguments and results are in.
#[derive(Debug, Clone, Copy, Default)]
pub struct Registers {
    pub di: u64,
    pub si: u64,
    pub dx: u64,
    pub cx: u64,
    pub r8: u64,
    pub r9: u64,
    pub ax: u64,
}

impl Registers {
    /// `struct pt_regs` at this place.
    pub fn at(&self, place: usize) -> Vec<u8> {
        let mut context = vec![0; 168];
        let stack = region() as u64 + STACK as u64;
        for (offset, value) in [
            (72, self.r8),
            (64, self.r9),
            (80, self.ax),
            (88, self.cx),
            (96, self.dx),
            (104, self.si),
            (112, self.di),
            (128, address_of(place)),
            (152, stack),
        ] {
            context[offset..offset + 8].copy_from_slice(&value.to_ne_bytes());
        }
        context
    }

    /// Goes to the place with these registers, on the stack in the memory.
    pub fn go_to(&self, place: usize) {
        let stack = region() as u64 + STACK as u64;
        // No address of code is left in the memory: it would lead out of what is known to be readable.
        // SAFETY: the code of a place goes back at once and changes nothing; the stack pointer is put back.
        unsafe {
            asm!(
                "mov r12, rsp",
                "mov rsp, r13",
                "lea r15, [rip + 2f]",
                "jmp r14",
                "2:",
                "mov rsp, r12",
                in("r13") stack,
                in("r14") address_of(place),
                out("r12") _,
                out("r15") _,
                in("rdi") self.di,
                in("rsi") self.si,
                in("rdx") self.dx,
                in("rcx") self.cx,
                in("r8") self.r8,
                in("r9") self.r9,
                in("rax") self.ax,
            );
        }
    }
}

/// A page that can be read, between two that cannot: nothing is read behind its ends.
fn region() -> usize {
    static REGION: OnceLock<usize> = OnceLock::new();
    *REGION.get_or_init(|| {
        // SAFETY: the pages are new, and the middle one is written to within its bounds.
        unsafe {
            let (protection, flags) = (libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
            let pages = libc::mmap(std::ptr::null_mut(), 3 * PAGE, protection, flags, -1, 0);
            assert_ne!(pages, libc::MAP_FAILED, "three pages");
            let page = pages.byte_add(PAGE);
            let writable = libc::PROT_READ | libc::PROT_WRITE;
            assert_eq!(libc::mprotect(page, PAGE, writable), 0);
            let bytes = std::slice::from_raw_parts_mut(page.cast::<u8>(), PAGE);
            for at in [64, STACK + 64] {
                bytes[at..at + TEXTS.len()].copy_from_slice(&TEXTS);
            }
            bytes[PAGE - RAGGED..].fill(b'w');
            page as usize
        }
    })
}

/// The memory, as it is after the last place that was gone to.
pub fn memory() -> Memory {
    // SAFETY: the page lives as long as the process; what writes to it does not run meanwhile.
    Memory::of(unsafe { std::slice::from_raw_parts(region() as *const u8, PAGE) })
}

/// Addresses in the memory: of texts, of none, of the last bytes, and of what cannot be read.
pub fn addresses() -> Vec<u64> {
    let offsets = [
        64, 66, 69, 78, 106, 108, 2048, 2112, 4000, 4056, 4060, 4080, 4095, 4096, 8200,
    ];
    let inside = offsets.map(|offset| region() as u64 + offset);
    inside
        .into_iter()
        .chain([0, 1, u64::MAX, 1 << 63, region() as u64 - 1])
        .collect()
}

/// Who this thread is, as the kernel says it.
pub fn says() -> Says {
    let name = std::fs::read_to_string("/proc/thread-self/comm").expect("the name of this thread");
    // SAFETY: no preconditions.
    let (process, thread, user, group) = unsafe {
        (
            libc::getpid(),
            libc::gettid(),
            libc::getuid(),
            libc::getgid(),
        )
    };
    Says {
        process: process as u64,
        thread: thread as u64,
        user: user.into(),
        group: group.into(),
        name: name.trim_end_matches('\n').to_owned(),
    }
}
