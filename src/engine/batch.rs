//! Reads whole maps in batches, where the kernel has that, else key by key.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

use aya::maps::MapData;
use ewapa_codegen::layout::{MapKind, StoreLayout};
use libbpf_sys as bpf;

use super::feature::Feature;

/// Rows read at a time, if they are small.
const BATCH: usize = 1024;

/// The most that is read at a time, in bytes.
const BATCH_BYTES: usize = 4 << 20;

/// Calls `row` with key and value of every row of a store. The value of a per-CPU map comes once for each CPU.
///
/// # Errors
/// The kernel refuses to read the map.
pub fn for_each_row(
    map: &MapData,
    layout: &StoreLayout,
    mut row: impl FnMut(&[u8], &[u8]),
) -> io::Result<()> {
    match layout.kind {
        MapKind::PerCpuArray => per_cpu_value(map, layout, |value| row(&[], value)),
        MapKind::HashByCpu | MapKind::Shared => hash_rows(map, layout, row),
    }
}

fn per_cpu_value(
    map: &MapData,
    layout: &StoreLayout,
    mut row: impl FnMut(&[u8]),
) -> io::Result<()> {
    // The kernel rounds each CPU's value up to eight bytes; ours are made of words.
    let cpus = aya::util::nr_cpus().map_err(|(_, error)| error)?;
    let mut values = vec![0u8; layout.value_size * cpus];
    let key = 0u32;
    // SAFETY: the key has the four bytes of an array's key, the buffer room for a value for each possible CPU.
    let result = unsafe {
        bpf::bpf_map_lookup_elem(
            map.fd().as_fd().as_raw_fd(),
            std::ptr::from_ref(&key).cast(),
            values.as_mut_ptr().cast(),
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    values.chunks_exact(layout.value_size).for_each(&mut row);
    Ok(())
}

fn hash_rows(
    map: &MapData,
    layout: &StoreLayout,
    mut row: impl FnMut(&[u8], &[u8]),
) -> io::Result<()> {
    let fd = map.fd().as_fd().as_raw_fd();
    if Feature::Batch.is_forgone() {
        return one_by_one(fd, layout, row);
    }
    // A batch holds at least one bucket of the hash; the kernel says when it does not.
    let mut room = (BATCH_BYTES / layout.value_size).clamp(16, BATCH);
    let mut keys = vec![0u8; layout.key_size * room];
    let mut values = vec![0u8; layout.value_size * room];
    let mut position: Option<u32> = None;
    loop {
        let mut next = 0u32;
        let mut count = room as u32;
        // SAFETY: the buffers have room for `count` keys and values; a hash's position in a batch is a u32.
        let result = unsafe {
            bpf::bpf_map_lookup_batch(
                fd,
                position
                    .as_mut()
                    .map_or(std::ptr::null_mut(), |at| std::ptr::from_mut(at).cast()),
                std::ptr::from_mut(&mut next).cast(),
                keys.as_mut_ptr().cast(),
                values.as_mut_ptr().cast(),
                &mut count,
                std::ptr::null(),
            )
        };
        let error = io::Error::from_raw_os_error(-result);
        if result != 0 && error.raw_os_error() == Some(libc::ENOSPC) {
            room *= 2;
            keys.resize(layout.key_size * room, 0);
            values.resize(layout.value_size * room, 0);
            continue;
        }
        let end = result != 0 && error.raw_os_error() == Some(libc::ENOENT);
        if result != 0 && !end {
            if position.is_none() && is_unknown(&error) {
                return one_by_one(fd, layout, row);
            }
            return Err(error);
        }
        for index in 0..count as usize {
            row(
                &keys[index * layout.key_size..][..layout.key_size],
                &values[index * layout.value_size..][..layout.value_size],
            );
        }
        if end {
            return Ok(());
        }
        position = Some(next);
    }
}

/// Whether the kernel has no batches: none at all (before Linux 5.6), or none of such maps.
fn is_unknown(error: &io::Error) -> bool {
    /// `ENOTSUPP` of the kernel, which libc does not know.
    const NOT_SUPPORTED: i32 = 524;
    matches!(
        error.raw_os_error(),
        Some(libc::EINVAL | NOT_SUPPORTED | libc::EOPNOTSUPP)
    )
}

fn one_by_one(fd: i32, layout: &StoreLayout, mut row: impl FnMut(&[u8], &[u8])) -> io::Result<()> {
    let mut value = vec![0u8; layout.value_size];
    for key in keys(fd, layout)? {
        // SAFETY: key and value are as large as the map's.
        let result =
            unsafe { bpf::bpf_map_lookup_elem(fd, key.as_ptr().cast(), value.as_mut_ptr().cast()) };
        match -result {
            0 => row(&key, &value),
            // It is gone meanwhile.
            libc::ENOENT => {}
            error => return Err(io::Error::from_raw_os_error(error)),
        }
    }
    Ok(())
}

/// All keys of a hash. To go on from one that is deleted meanwhile is to begin again: it is tried a few times as often
/// as there can be rows.
fn keys(fd: i32, layout: &StoreLayout) -> io::Result<BTreeSet<Vec<u8>>> {
    let (mut keys, mut last) = (BTreeSet::new(), None::<Vec<u8>>);
    for _ in 0..=4 * u64::from(layout.max_rows) {
        let before = last.as_ref().map_or(std::ptr::null(), |key| key.as_ptr());
        let mut next = vec![0u8; layout.key_size];
        // SAFETY: both are as large as a key of the map, or the first one is null.
        let result =
            unsafe { bpf::bpf_map_get_next_key(fd, before.cast(), next.as_mut_ptr().cast()) };
        match -result {
            0 => keys.insert(next.clone()),
            libc::ENOENT => return Ok(keys),
            error => return Err(io::Error::from_raw_os_error(error)),
        };
        last = Some(next);
    }
    Err(io::Error::other(
        "its rows change faster than they can be read one by one",
    ))
}
