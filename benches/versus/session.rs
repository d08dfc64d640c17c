//! An empty uprobe session: the least that entry and return probes of one link can cost.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use libbpf_sys as bpf;

/// Attaches a program that does nothing to entry and return at an offset of a file, in all processes.
/// Dropping the descriptor detaches it.
///
/// # Errors
/// The kernel has no sessions (they came with 6.13), or there is no right to use them.
pub fn attach(file: &Path, offset: u64) -> io::Result<OwnedFd> {
    let program = load()?;
    let path = CString::new(file.as_os_str().as_bytes())?;
    // SAFETY: the structure is plain data; zero is its default.
    let mut options: bpf::bpf_link_create_opts = unsafe { std::mem::zeroed() };
    options.sz = size_of::<bpf::bpf_link_create_opts>() as _;
    options.__bindgen_anon_1.uprobe_multi.path = path.as_ptr();
    options.__bindgen_anon_1.uprobe_multi.offsets = (&raw const offset).cast();
    options.__bindgen_anon_1.uprobe_multi.cnt = 1;
    // SAFETY: path and offset live across the call; the kernel copies them.
    owned(unsafe {
        bpf::bpf_link_create(
            program.as_raw_fd(),
            0,
            bpf::BPF_TRACE_UPROBE_SESSION,
            &options,
        )
    })
}

fn load() -> io::Result<OwnedFd> {
    // SAFETY: the structure is plain data; zero is its default.
    let mut options: bpf::bpf_prog_load_opts = unsafe { std::mem::zeroed() };
    options.sz = size_of::<bpf::bpf_prog_load_opts>() as _;
    options.expected_attach_type = bpf::BPF_TRACE_UPROBE_SESSION;
    // SAFETY: `r0 = 0; exit`, as the kernel's `struct bpf_insn`; 0 at entry asks for the return, too.
    owned(unsafe {
        let mut insns: [bpf::bpf_insn; 2] = std::mem::zeroed();
        insns[0].code = 0xb7;
        insns[1].code = 0x95;
        bpf::bpf_prog_load(
            bpf::BPF_PROG_TYPE_KPROBE,
            c"empty".as_ptr(),
            c"GPL".as_ptr(),
            insns.as_ptr(),
            insns.len() as _,
            &mut options,
        )
    })
}

fn owned(fd: i32) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(-fd));
    }
    // SAFETY: libbpf returned a new descriptor that is ours.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
