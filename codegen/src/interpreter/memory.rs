//! Memory that is read by its address.

/// The address of the context of a program: one of the kernel's.
pub(super) const CONTEXT: u64 = 0xffff_c900_0000_0000;

/// A piece of the memory of the process; there is no other.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// Where it begins.
    pub address: u64,
    pub bytes: Vec<u8>,
}

impl Memory {
    /// What is there now, at its own address.
    pub fn of(bytes: &[u8]) -> Memory {
        Memory {
            address: bytes.as_ptr() as u64,
            bytes: bytes.to_vec(),
        }
    }

    /// What can be read from an address on.
    pub(super) fn from(&self, address: u64) -> &[u8] {
        behind(&self.bytes, self.address, address)
    }
}

/// What can be read from an address of the kernel on: of the context alone.
pub(super) fn of_kernel(context: &[u8], address: u64) -> &[u8] {
    behind(context, CONTEXT, address)
}

fn behind(bytes: &[u8], start: u64, address: u64) -> &[u8] {
    let offset = address.checked_sub(start);
    let offset = offset.and_then(|offset| usize::try_from(offset).ok());
    offset
        .and_then(|offset| bytes.get(offset..))
        .unwrap_or_default()
}

/// The text that is read of these bytes, with the 0 behind it: up to the first 0 or as long as there is room. None if
/// the bytes end before it does.
pub(super) fn text_of(mut found: Vec<u8>, room: usize) -> Option<Vec<u8>> {
    if let Some(end) = found.iter().position(|byte| *byte == 0) {
        found.truncate(end + 1);
    } else if found.len() < room {
        return None;
    }
    if let Some(last) = found.last_mut() {
        *last = 0;
    }
    Some(found)
}
