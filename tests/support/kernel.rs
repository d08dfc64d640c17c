//! What the kernel holds of eBPF: programs, maps and links by their numbers.

use std::collections::BTreeSet;
use std::os::fd::{FromRawFd, OwnedFd};

use libbpf_sys as bpf;

/// A thing of eBPF in the kernel. Numbers are not given again soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A program.
    Program(u32),
    /// A map.
    Map(u32),
    /// A link: what attaches a program.
    Link(u32),
}

/// What a process holds.
pub fn held_by(pid: u32) -> BTreeSet<Thing> {
    let descriptors = std::fs::read_dir(format!("/proc/{pid}/fdinfo"))
        .into_iter()
        .flatten()
        .flatten();
    let infos = descriptors.filter_map(|entry| std::fs::read_to_string(entry.path()).ok());
    let mut held = BTreeSet::new();
    for info in infos {
        for line in info.lines() {
            let Some((name, number)) = line.split_once(":\t") else {
                continue;
            };
            let Ok(number) = number.trim().parse() else {
                continue;
            };
            match name {
                "prog_id" => held.insert(Thing::Program(number)),
                "map_id" => held.insert(Thing::Map(number)),
                "link_id" => held.insert(Thing::Link(number)),
                _ => false,
            };
        }
    }
    held
}

/// Whether the kernel still has it.
pub fn is_there(thing: Thing) -> bool {
    // SAFETY: the calls take numbers; a descriptor that they give is new and ours.
    unsafe {
        let fd = match thing {
            Thing::Program(id) => bpf::bpf_prog_get_fd_by_id(id),
            Thing::Map(id) => bpf::bpf_map_get_fd_by_id(id),
            Thing::Link(id) => bpf::bpf_link_get_fd_by_id(id),
        };
        if fd >= 0 {
            drop(OwnedFd::from_raw_fd(fd));
        }
        fd >= 0
    }
}
