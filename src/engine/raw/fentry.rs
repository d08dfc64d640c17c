//! Links to functions of the kernel by their types, and what is said where the kernel has none.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use libbpf_sys as bpf;

use super::super::attach::Link;
use super::super::load;
use super::super::names::Names;
use super::{Error, Place, Site, shown};

/// What a kernel answers that has no such links, or none to this function (`linux/errno.h`, not told to programs).
const ENOTSUPP: i32 = 524;

/// What a program is loaded for.
pub fn attach_type(returns: bool) -> u32 {
    if returns {
        bpf::BPF_TRACE_FEXIT
    } else {
        bpf::BPF_TRACE_FENTRY
    }
}

/// Attaches a program to the function that it has been loaded for.
///
/// # Errors
/// The kernel refuses.
pub fn link(program: &OwnedFd, returns: bool, cookie: u64) -> io::Result<Link> {
    // SAFETY: the structure is plain data; zero is its default.
    let mut options: bpf::bpf_link_create_opts = unsafe { std::mem::zeroed() };
    options.sz = size_of::<bpf::bpf_link_create_opts>() as _;
    options.__bindgen_anon_1.tracing.cookie = cookie;
    // SAFETY: the descriptor is open; the options live across the call.
    let fd =
        unsafe { bpf::bpf_link_create(program.as_raw_fd(), 0, attach_type(returns), &options) };
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(-fd));
    }
    // SAFETY: a new descriptor that is ours.
    Ok(Link::Fd(unsafe { OwnedFd::from_raw_fd(fd) }))
}

/// That the kernel does not load a program for its function. What it says of the program itself stays as it is.
pub fn not_loaded(error: load::Error, site: &Site, names: &Names) -> Error {
    match (error, &site.place) {
        (load::Error::Verifier { source, log, .. }, Place::Fentry { .. })
            if is_of_function(&source, &log) =>
        {
            let what = "the kernel does not load a program for its function";
            refused(what, source, site, names)
        }
        (error, _) => Error::Load(error),
    }
}

/// Whether the kernel has refused a program for what it is to be attached to: it has not looked at it then.
fn is_of_function(source: &io::Error, log: &str) -> bool {
    match source.raw_os_error() {
        Some(libc::EPERM | libc::ENOENT | libc::EOPNOTSUPP | ENOTSUPP) => true,
        Some(libc::EINVAL) => log.contains("processed 0 insns"),
        _ => false,
    }
}

/// That the kernel does not attach a program to its function.
pub fn not_attached(source: io::Error, site: &Site, names: &Names) -> Error {
    let what = "the kernel does not attach the program to its function";
    refused(what, source, site, names)
}

fn refused(what: &'static str, source: io::Error, site: &Site, names: &Names) -> Error {
    let instead = match &site.place {
        Place::Fentry {
            function, returns, ..
        } => {
            let kind = if *returns { "kretprobe" } else { "kprobe" };
            format!("`{kind}:{function}`, or a tracepoint, may tell the same")
        }
        _ => unreachable!("only functions of the kernel are attached to by their types"),
    };
    Error::Refused {
        probe: shown(site, names),
        what,
        source,
        hint: format!("; {instead}"),
    }
}
