//! Runs a program that is attached to nothing (`BPF_PROG_TEST_RUN`), so that what it changes is changed in
//! the kernel, where the maps are.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use libbpf_sys as bpf;

/// Runs a raw tracepoint program once, with these words as its context.
///
/// # Errors
/// The kernel refuses.
pub fn run(program: &OwnedFd, context: &[u64]) -> io::Result<()> {
    // SAFETY: the structure is plain data; zero is its default.
    let mut options: bpf::bpf_test_run_opts = unsafe { std::mem::zeroed() };
    options.sz = size_of::<bpf::bpf_test_run_opts>() as _;
    options.ctx_in = context.as_ptr().cast();
    options.ctx_size_in = size_of_val(context) as u32;
    // SAFETY: the context lives across the call, and its size is told.
    let result = unsafe { bpf::bpf_prog_test_run_opts(program.as_raw_fd(), &mut options) };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::from_raw_os_error(-result)),
    }
}
