//! What user space changes in the rows of a store while the kernel uses them.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use aya::maps::MapData;
use ewapa_codegen::layout::{MapKind, StoreLayout};
use libbpf_sys as bpf;

use super::batch::for_each_row;

/// Removes all rows.
///
/// # Errors
/// The kernel refuses.
pub fn clear(map: &MapData, layout: &StoreLayout) -> io::Result<()> {
    match layout.kind {
        MapKind::PerCpuArray => zero_array(map, layout),
        MapKind::HashByCpu | MapKind::Shared => keys(map, layout)?
            .iter()
            .try_for_each(|key| remove(map, key)),
    }
}

/// Sets the values of all rows to 0 and keeps their keys.
///
/// # Errors
/// The kernel refuses.
pub fn zero(map: &MapData, layout: &StoreLayout) -> io::Result<()> {
    match layout.kind {
        MapKind::PerCpuArray => zero_array(map, layout),
        MapKind::HashByCpu | MapKind::Shared => {
            let zeros = vec![0; layout.value_size];
            for key in keys(map, layout)? {
                match update(map, &key, &zeros, bpf::BPF_EXIST) {
                    // Somebody has removed it in the meantime.
                    Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {}
                    result => result?,
                }
            }
            Ok(())
        }
    }
}

fn keys(map: &MapData, layout: &StoreLayout) -> io::Result<Vec<Vec<u8>>> {
    let mut keys = Vec::new();
    for_each_row(map, layout, |key, _| keys.push(key.to_vec()))?;
    Ok(keys)
}

fn zero_array(map: &MapData, layout: &StoreLayout) -> io::Result<()> {
    let cpus = aya::util::nr_cpus().map_err(|(_, error)| error)?;
    let zeros = vec![0; layout.value_size * cpus];
    update(map, &0u32.to_ne_bytes(), &zeros, bpf::BPF_ANY)
}

fn update(map: &MapData, key: &[u8], value: &[u8], flags: u32) -> io::Result<()> {
    // SAFETY: key and value are as long as the map's layout says, a per-CPU value once for each possible CPU.
    let result = unsafe {
        bpf::bpf_map_update_elem(
            map.fd().as_fd().as_raw_fd(),
            key.as_ptr().cast(),
            value.as_ptr().cast(),
            u64::from(flags),
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::from_raw_os_error(-result)),
    }
}

/// That there is no such row is no failure.
fn remove(map: &MapData, key: &[u8]) -> io::Result<()> {
    // SAFETY: the key is as long as the map's layout says.
    let result =
        unsafe { bpf::bpf_map_delete_elem(map.fd().as_fd().as_raw_fd(), key.as_ptr().cast()) };
    match result {
        0 => Ok(()),
        _ if -result == libc::ENOENT => Ok(()),
        _ => Err(io::Error::from_raw_os_error(-result)),
    }
}
