//! What kernels may lack. Whether this one does is asked of it, and not read off its version.

use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU8, Ordering};

use libbpf_sys as bpf;

use super::attach::{Mechanism, is_supported};
use super::kernel;

/// Something that newer kernels have, and without which there is another way or less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Feature {
    /// Session links.
    Session,
    /// Multi links.
    Multi,
    /// Task storage.
    TaskStorage,
    /// Tracepoints with typed arguments.
    TypedTracepoints,
    /// Maps that are read many rows at a time.
    Batch,
    /// Questions before a file is executed.
    Fanotify,
    /// Loops that the verifier does not go through.
    MayGoto,
}

/// What is not to be used although it is there, a bit each.
static FORGONE: AtomicU8 = AtomicU8::new(0);

/// Lets this run do without these features, as on a kernel that lacks them.
pub fn forgo(features: &[Feature]) {
    let bits = features
        .iter()
        .fold(0, |bits, feature| bits | feature.bit());
    FORGONE.store(bits, Ordering::Relaxed);
}

impl Feature {
    fn bit(self) -> u8 {
        1 << self as u8
    }

    /// Whether this run is to do without it.
    pub fn is_forgone(self) -> bool {
        FORGONE.load(Ordering::Relaxed) & self.bit() != 0
    }

    /// Whether it can be used.
    pub fn is_there(self) -> bool {
        !self.is_forgone() && self.is_in_kernel()
    }

    fn is_in_kernel(self) -> bool {
        match self {
            Feature::Session => is_supported(Mechanism::Session),
            Feature::Multi => is_supported(Mechanism::Multi),
            // SAFETY: a feature probe of libbpf without arguments that live on.
            Feature::TaskStorage => unsafe {
                bpf::libbpf_probe_bpf_map_type(bpf::BPF_MAP_TYPE_TASK_STORAGE, std::ptr::null())
                    == 1
            },
            // Programs of this type may be taken for tracepoints and refused for functions: their own BTF tells.
            Feature::TypedTracepoints => kernel::tracepoint_type("sched_switch").is_some(),
            Feature::Batch => reads_in_batches(),
            Feature::Fanotify => asks_before_exec(),
            Feature::MayGoto => takes_may_goto(),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Feature::Session => "session",
            Feature::Multi => "multi",
            Feature::TaskStorage => "task-storage",
            Feature::TypedTracepoints => "typed-tracepoints",
            Feature::Batch => "batch",
            Feature::Fanotify => "fanotify",
            Feature::MayGoto => "may-goto",
        }
    }

    /// What it is, and since which version Linux has it.
    pub fn describe(self) -> (&'static str, &'static str) {
        match self {
            Feature::Session => ("session links: one probe for entry and return", "6.13"),
            Feature::Multi => ("multi links: all functions at once", "6.6"),
            Feature::TaskStorage => ("task storage for open calls", "5.11"),
            Feature::TypedTracepoints => ("tracepoints with typed arguments", "5.5"),
            Feature::Batch => ("maps are read many rows at a time", "5.6"),
            Feature::Fanotify => ("new programs wait until they were looked into", "5.0"),
            Feature::MayGoto => ("loops, and strcontains()", "6.9"),
        }
    }

    /// What follows from its lack.
    pub fn without(self) -> &'static str {
        match self {
            Feature::Session => "a probe costs more: entry and return are two",
            Feature::Multi => "attaching and detaching are slow: a perf event for each function",
            Feature::TaskStorage => "open calls are kept in a hash of at most 16,384 threads",
            Feature::TypedTracepoints => {
                "with `offcpu_time` open calls are kept in a hash of at most 16,384 threads"
            }
            Feature::Batch => "large tables are read row by row, which is slower",
            Feature::Fanotify => {
                "without a command or -p the first calls of a new runtime are missed (CONFIG_FANOTIFY_ACCESS_PERMISSIONS)"
            }
            Feature::MayGoto => "scripts with `while`, `for` or strcontains() are refused",
        }
    }
}

/// An instruction as the kernel's `struct bpf_insn`, with the distance that it jumps.
fn insn(code: u8, off: i16) -> bpf::bpf_insn {
    // SAFETY: plain data; zero is its default.
    let mut insn: bpf::bpf_insn = unsafe { std::mem::zeroed() };
    insn.code = code;
    insn.off = off;
    insn
}

/// Closes a descriptor if it is one.
fn was_made(fd: i32) -> bool {
    if fd >= 0 {
        // SAFETY: a new descriptor that is ours.
        drop(unsafe { OwnedFd::from_raw_fd(fd) });
    }
    fd >= 0
}

fn takes_may_goto() -> bool {
    const MAY_GOTO: u8 = 0xe5;
    const GOTO: u8 = 0x05;
    // `r0 = 0; may_goto +1; goto -2; exit`: a loop, as the first kernels with it refuse one that is none.
    let insns = [
        insn(0xb7, 0),
        insn(MAY_GOTO, 1),
        insn(GOTO, -2),
        insn(0x95, 0),
    ];
    // SAFETY: what the pointers lead to lives across the call.
    was_made(unsafe {
        bpf::bpf_prog_load(
            bpf::BPF_PROG_TYPE_KPROBE,
            c"probe".as_ptr(),
            c"GPL".as_ptr(),
            insns.as_ptr(),
            insns.len() as _,
            std::ptr::null_mut(),
        )
    })
}

fn reads_in_batches() -> bool {
    let (mut next, mut count, mut row) = (0u32, 1u32, [0u32; 2]);
    let [key, value] = &mut row;
    // SAFETY: the map's keys and values are as large as what the pointers lead to, of which there is one.
    unsafe {
        let map = bpf::bpf_map_create(
            bpf::BPF_MAP_TYPE_HASH,
            c"probe".as_ptr(),
            4,
            4,
            1,
            std::ptr::null(),
        );
        let result = bpf::bpf_map_lookup_batch(
            map,
            std::ptr::null_mut(),
            std::ptr::from_mut(&mut next).cast(),
            std::ptr::from_mut(key).cast(),
            std::ptr::from_mut(value).cast(),
            &mut count,
            std::ptr::null(),
        );
        // An empty map has no row.
        was_made(map) && matches!(-result, 0 | libc::ENOENT)
    }
}

fn asks_before_exec() -> bool {
    let flags = libc::FAN_CLASS_CONTENT | libc::FAN_CLOEXEC;
    // SAFETY: no memory is handed over.
    was_made(unsafe { libc::fanotify_init(flags, libc::O_RDONLY as u32) })
}
