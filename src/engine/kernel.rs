//! What the running kernel is like: offsets from its BTF.

use std::ffi::CStr;

use libbpf_sys as bpf;

/// The offset of a member of a kernel structure, in bytes, from the kernel's own BTF. None if the kernel
/// has no BTF or the member is not there.
pub fn member_offset(structure: &CStr, member: &CStr) -> Option<u32> {
    // SAFETY: libbpf gives a BTF object or null; names and types are read while it lives, and within the
    // number of members that the type has.
    unsafe {
        let btf = bpf::btf__load_vmlinux_btf();
        if btf.is_null() {
            return None;
        }
        let offset = find_member(btf, structure, member);
        bpf::btf__free(btf);
        offset
    }
}

/// # Safety
/// `btf` is a BTF object of libbpf.
unsafe fn find_member(btf: *const bpf::btf, structure: &CStr, member: &CStr) -> Option<u32> {
    const KIND_STRUCT: u32 = 4;
    const BITFIELD: u32 = 1 << 31;
    // SAFETY: as the caller promises; a type of kind struct is followed by `vlen` members.
    unsafe {
        let id = bpf::btf__find_by_name_kind(btf, structure.as_ptr(), KIND_STRUCT);
        let ty = bpf::btf__type_by_id(btf, u32::try_from(id).ok()?);
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
                return Some(bits / 8);
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
        let tgid = member_offset(c"task_struct", c"tgid").expect("a kernel with BTF");
        let pid = member_offset(c"task_struct", c"pid").expect("a kernel with BTF");
        assert_eq!(tgid, pid + 4);
        assert_eq!(member_offset(c"task_struct", c"no_such_member"), None);
    }
}
