//! The stacks that the kernel has kept: a map for each depth, from a stack's number to its addresses.

use std::os::fd::{AsFd, AsRawFd};

use aya::maps::MapData;
use libbpf_sys as bpf;

use super::load::Loaded;

/// Stacks deeper than this are cut off.
const DEEPEST: u8 = 127;

/// The maps of stacks, by depth.
#[derive(Debug, Default)]
pub struct Stacks(Vec<(u8, MapData)>);

impl Stacks {
    /// Those that the script uses.
    pub fn take(loaded: &mut Loaded) -> Stacks {
        let map = |depth| Some((depth, loaded.take_map(&format!("stacks_{depth}")).ok()?));
        Stacks((1..=DEEPEST).filter_map(map).collect())
    }

    /// Whether the script uses none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The addresses of a stack, the innermost function first; none if the kernel does not know it.
    pub fn addresses(&self, depth: u8, id: u32) -> Option<Vec<u64>> {
        let (_, map) = self.0.iter().find(|(known, _)| *known == depth)?;
        let mut addresses = vec![0u64; usize::from(depth)];
        // SAFETY: the key is the four bytes of a stack's number, the buffer has a word for each function.
        let result = unsafe {
            bpf::bpf_map_lookup_elem(
                map.fd().as_fd().as_raw_fd(),
                std::ptr::from_ref(&id).cast(),
                addresses.as_mut_ptr().cast(),
            )
        };
        addresses.truncate(
            addresses
                .iter()
                .take_while(|address| **address != 0)
                .count(),
        );
        (result == 0).then_some(addresses)
    }
}
