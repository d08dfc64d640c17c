//! What the running kernel is like: offsets from its BTF.

use std::ffi::{CStr, CString};
use std::os::unix::fs::MetadataExt;
use std::sync::LazyLock;

use ewapa_templates::FILE_OFFSETS;
use libbpf_sys as bpf;

/// Where the templates find what they read of the kernel's structures, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offsets {
    /// `tgid` in `struct task_struct`.
    pub tgid: u32,
    /// `pid` in `struct task_struct`: the thread.
    pub pid: u32,
    /// `signal` in `struct task_struct`.
    pub signal: u32,
    /// `live` in `struct signal_struct`.
    pub live: u32,
    /// `real_parent` in `struct task_struct`.
    pub parent: u32,
    /// `thread.fsbase` in `struct task_struct`: where a thread keeps what is its own; 0 if this kernel has it elsewhere.
    pub fs: u32,
    /// From a program or a mapping to its file, in the order of `enum file_offset`; zeros if this kernel
    /// has them elsewhere.
    pub files: [u32; FILE_OFFSETS],
}

/// The offsets, from the kernel's own BTF. None if the kernel has no BTF or it cannot be read.
pub fn offsets() -> Option<Offsets> {
    // SAFETY: libbpf gives a BTF object or null; names and types are read while it lives.
    unsafe {
        let btf = bpf::btf__load_vmlinux_btf();
        if btf.is_null() {
            return None;
        }
        let find = |structure, member| find_member(btf, structure, member);
        // Before Linux 6.11 the seconds begin a structure, which was renamed in 6.6.
        let changed = || {
            [c"i_ctime_sec", c"__i_ctime", c"i_ctime"]
                .into_iter()
                .find_map(|member| find(c"inode", member))
        };
        // Its path is a member of a union without a name since Linux 6.10.
        let backing_path = || {
            [c"user_path", c""]
                .into_iter()
                .find_map(|member| find(c"backing_file", member))
        };
        let files = || {
            Some([
                find(c"linux_binprm", c"file")?,
                find(c"vm_area_struct", c"vm_file")?,
                find(c"file", c"f_inode")?,
                find(c"inode", c"i_ino")?,
                find(c"inode", c"i_size")?,
                changed()?,
                find(c"inode", c"i_sb")?,
                find(c"super_block", c"s_dev")?,
                find(c"file", c"f_mode")?,
                backing_path().unwrap_or(0),
                find(c"path", c"dentry")?,
                find(c"dentry", c"d_inode")?,
            ])
        };
        let fs = || find_inner(btf, c"task_struct", c"thread", c"fsbase");
        let offsets = || {
            Some(Offsets {
                tgid: find(c"task_struct", c"tgid")?,
                pid: find(c"task_struct", c"pid")?,
                signal: find(c"task_struct", c"signal")?,
                live: find(c"signal_struct", c"live")?,
                parent: find(c"task_struct", c"real_parent")?,
                fs: fs().unwrap_or(0),
                files: files().unwrap_or_default(),
            })
        };
        let found = offsets();
        bpf::btf__free(btf);
        found
    }
}

/// The tracepoints whose types are asked for: reading the kernel's BTF takes 3 ms.
const TYPED_TRACEPOINTS: [&str; 3] = ["sched_switch", "sched_waking", "sched_process_fork"];

/// The type of a tracepoint's function in the kernel's own BTF, for one of [`TYPED_TRACEPOINTS`].
pub fn tracepoint_type(name: &str) -> Option<u32> {
    static TYPES: LazyLock<[Option<u32>; TYPED_TRACEPOINTS.len()]> = LazyLock::new(read_types);
    let place = TYPED_TRACEPOINTS.iter().position(|known| *known == name);
    debug_assert!(place.is_some(), "{name} is looked up with the others");
    TYPES[place?]
}

fn read_types() -> [Option<u32>; TYPED_TRACEPOINTS.len()] {
    const KIND_TYPEDEF: u32 = 8;
    // SAFETY: the object is ours until it is freed.
    let btf = unsafe { bpf::btf__load_vmlinux_btf() };
    if btf.is_null() {
        return Default::default();
    }
    let types = TYPED_TRACEPOINTS.map(|name| {
        let name = CString::new(format!("btf_trace_{name}")).ok()?;
        // SAFETY: the object lives, and the name is a C string.
        let id = unsafe { bpf::btf__find_by_name_kind(btf, name.as_ptr(), KIND_TYPEDEF) };
        u32::try_from(id).ok()
    });
    // SAFETY: it is not used any more.
    unsafe { bpf::btf__free(btf) };
    types
}

/// Whether processes have the numbers here by which the kernel tells of them: those of the first PID namespace.
pub fn is_first_pid_namespace() -> bool {
    /// `PROC_PID_INIT_INO` of the kernel.
    const FIRST: u64 = 0xEFFF_FFFC;
    std::fs::metadata("/proc/self/ns/pid").is_ok_and(|namespace| namespace.ino() == FIRST)
}

/// The clock that the templates read (`CLOCK_MONOTONIC`), in nanoseconds.
pub fn now() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the clock exists and `time` is writable.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The offset of a member of a structure.
///
/// # Safety
/// `btf` is a BTF object of libbpf.
unsafe fn find_member(btf: *const bpf::btf, structure: &CStr, member: &CStr) -> Option<u32> {
    const KIND_STRUCT: u32 = 4;
    // SAFETY: as the caller promises.
    unsafe {
        let id = bpf::btf__find_by_name_kind(btf, structure.as_ptr(), KIND_STRUCT);
        Some(member_of(btf, u32::try_from(id).ok()?, member)?.0)
    }
}

/// The offset of a member of a structure that is itself a member, without another search for the structure's name.
///
/// # Safety
/// As for [`find_member`].
unsafe fn find_inner(
    btf: *const bpf::btf,
    structure: &CStr,
    member: &CStr,
    inner: &CStr,
) -> Option<u32> {
    const KIND_STRUCT: u32 = 4;
    // SAFETY: as the caller promises.
    unsafe {
        let id = bpf::btf__find_by_name_kind(btf, structure.as_ptr(), KIND_STRUCT);
        let (outer, ty) = member_of(btf, u32::try_from(id).ok()?, member)?;
        Some(outer + member_of(btf, ty, inner)?.0)
    }
}

/// Offset and type of a member of the structure of this type.
///
/// # Safety
/// As for [`find_member`]. The type is a structure, or unknown.
unsafe fn member_of(btf: *const bpf::btf, id: u32, member: &CStr) -> Option<(u32, u32)> {
    const BITFIELD: u32 = 1 << 31;
    // SAFETY: as the caller promises; a structure is followed by `vlen` members.
    unsafe {
        let ty = bpf::btf__type_by_id(btf, id);
        if ty.is_null() {
            return None;
        }
        let count = (*ty).info & 0xffff;
        let members: *const bpf::btf_member = ty.add(1).cast();
        for index in 0..count as usize {
            let candidate = &*members.add(index);
            let name = bpf::btf__name_by_offset(btf, candidate.name_off);
            if !name.is_null() && CStr::from_ptr(name) == member {
                let bits = if (*ty).info & BITFIELD != 0 {
                    candidate.offset & 0xff_ffff
                } else {
                    candidate.offset
                };
                return Some((bits / 8, candidate.type_));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_where_a_task_keeps_its_process() {
        let offsets = offsets().expect("a kernel with BTF");
        // pid and tgid are neighbours of four bytes each; signal is a pointer.
        assert!(offsets.tgid > 0 && offsets.tgid.is_multiple_of(4));
        assert_eq!(offsets.signal % 8, 0);
        assert!(offsets.live > 0);
        assert!(offsets.parent > 0 && offsets.parent.is_multiple_of(8));
        assert!(offsets.fs > 0 && offsets.fs.is_multiple_of(8));
        assert!(offsets.files[0] > 0 && offsets.files[0].is_multiple_of(8));
    }
}
