//! Attaches programs to places in files, by the best mechanism that the kernel has, and to raw tracepoints. A link
//! lasts as long as its value.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use aya::programs::uprobe::{UProbeAttachLocation, UProbeAttachPoint};
use aya::programs::{ProbeKind, ProgramInfo, UProbe};
use libbpf_sys as bpf;

use super::feature::Feature;
use super::kernel;
use super::load::{Error, Loaded, Program};
use super::prepared::Prepared;

/// One probe: where, and what the program is told there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// Offset in the file, in bytes.
    pub offset: u64,
    /// The cookie.
    pub cookie: u64,
    /// Whether the return of the function is wanted, too.
    pub returns: bool,
}

/// How the kernel attaches probes to user functions. The first is the fastest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Mechanism {
    /// One link and one program for entry and return of all functions (Linux 6.13).
    Session,
    /// One link for all entries and one for all returns (Linux 6.6).
    Multi,
    /// A perf event for each entry and each return.
    Perf,
    /// As `multi`, with probes on the return instructions of each function instead of return probes: slower, and
    /// for hosts whose calls move to another thread, or are left by exceptions, which return probes would end.
    Exits,
}

/// Keeps something attached.
#[expect(
    dead_code,
    reason = "a link lives as long as its descriptor or program is held"
)]
pub enum Link {
    /// A BPF link.
    Fd(OwnedFd),
    /// A BPF link to a perf event, and the event: to close it takes long.
    Event {
        /// The link.
        link: OwnedFd,
        /// The event.
        event: OwnedFd,
    },
    /// Aya's perf-event links, which belong to their program.
    Perf(Box<UProbe>),
}

impl Link {
    /// Lets its program no longer run. What is left is to be closed when there is time.
    pub fn detach(self) -> Option<Link> {
        match self {
            Link::Event { link, event } => {
                drop(link);
                Some(Link::Fd(event))
            }
            Link::Fd(_) | Link::Perf(_) => None,
        }
    }
}

/// Detaches. Each link waits for the kernel, and all of them at the same time.
pub fn close(links: Vec<Link>) {
    std::thread::scope(|scope| {
        for link in links {
            scope.spawn(move || drop(link));
        }
    });
}

/// What programs at user functions are to the kernel.
pub const KPROBE: u32 = bpf::BPF_PROG_TYPE_KPROBE;

impl Mechanism {
    /// From the fastest to the one that every kernel has; without that which is only taken when asked for.
    pub const ALL: [Mechanism; 3] = [Mechanism::Session, Mechanism::Multi, Mechanism::Perf];

    /// `BPF_TRACE_*`, or 0.
    pub fn attach_type(self) -> u32 {
        match self {
            Mechanism::Session => bpf::BPF_TRACE_UPROBE_SESSION,
            Mechanism::Multi | Mechanism::Exits => bpf::BPF_TRACE_UPROBE_MULTI,
            Mechanism::Perf => 0,
        }
    }
}

/// Links a program to points of one file (Linux 6.6), at the returns of the functions or at the points themselves.
///
/// # Errors
/// The kernel refuses.
pub fn multi_link(
    program: &OwnedFd,
    attach_type: u32,
    file: &Path,
    points: &[Point],
    returns: bool,
) -> Result<Link, Error> {
    let places = Places {
        offsets: points.iter().map(|point| point.offset).collect(),
        cookies: points.iter().map(|point| point.cookie).collect(),
        semaphores: Vec::new(),
    };
    places
        .link(program, attach_type, file, returns)
        .map_err(|source| Error::Kernel {
            what: format!("attaching {} probes to {}", points.len(), file.display()),
            source,
        })
}

/// Places in a file for one link: what each list holds at an index is of one place.
#[derive(Debug, Default)]
pub struct Places {
    /// Offsets in the file, in bytes.
    pub offsets: Vec<u64>,
    /// What the program is told there.
    pub cookies: Vec<u64>,
    /// Offsets of words in the file that say how many look at the place, 0 where there is none. Empty if there is
    /// none at all.
    pub semaphores: Vec<u64>,
}

impl Places {
    /// Links a program to all of them (Linux 6.6), at the returns of the functions or at the places themselves.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn link(
        &self,
        program: &OwnedFd,
        attach_type: u32,
        file: &Path,
        returns: bool,
    ) -> io::Result<Link> {
        const RETURN: u32 = bpf::BPF_F_UPROBE_MULTI_RETURN;
        let path = CString::new(file.as_os_str().as_bytes())
            .map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
        // SAFETY: the structure is plain data; zero is its default.
        let mut options: bpf::bpf_link_create_opts = unsafe { std::mem::zeroed() };
        options.sz = size_of::<bpf::bpf_link_create_opts>() as _;
        options.__bindgen_anon_1.uprobe_multi.path = path.as_ptr();
        options.__bindgen_anon_1.uprobe_multi.offsets = self.offsets.as_ptr().cast();
        options.__bindgen_anon_1.uprobe_multi.cookies = self.cookies.as_ptr().cast();
        if self.semaphores.iter().any(|semaphore| *semaphore != 0) {
            options.__bindgen_anon_1.uprobe_multi.ref_ctr_offsets = self.semaphores.as_ptr().cast();
        }
        options.__bindgen_anon_1.uprobe_multi.cnt = self.offsets.len() as u32;
        options.__bindgen_anon_1.uprobe_multi.flags = if returns { RETURN } else { 0 };
        // SAFETY: what the options point to lives across the call; the kernel copies it.
        let fd = unsafe { bpf::bpf_link_create(program.as_raw_fd(), 0, attach_type, &options) };
        if fd < 0 {
            return Err(io::Error::from_raw_os_error(-fd));
        }
        // SAFETY: a new descriptor that is ours.
        Ok(Link::Fd(unsafe { OwnedFd::from_raw_fd(fd) }))
    }
}

/// Links a program to points of one file by perf events.
///
/// # Errors
/// The kernel refuses.
pub fn perf_links(
    program: &OwnedFd,
    file: &Path,
    points: &[Point],
    kind: ProbeKind,
) -> Result<Link, Error> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| Error::Kernel {
        what: format!(
            "attaching {} perf-event probes to {}",
            points.len(),
            file.display()
        ),
        source: io::Error::other(source),
    };
    let info = program_info(program).map_err(|error| failed(error.into()))?;
    // SAFETY: the program was loaded as a kprobe program without an attach type, which serves entry and return.
    let mut probe = unsafe { UProbe::from_program_info(info, "uprobe".into(), kind) }
        .map_err(|error| failed(error.into()))?;
    for point in points {
        let location = UProbeAttachPoint {
            location: UProbeAttachLocation::AbsoluteOffset(point.offset),
            cookie: Some(point.cookie),
        };
        probe
            .attach(
                location,
                file,
                aya::programs::uprobe::UProbeScope::AllProcesses,
            )
            .map_err(|error| failed(error.into()))?;
    }
    Ok(Link::Perf(Box::new(probe)))
}

/// What the kernel says of a program.
///
/// # Errors
/// It says nothing.
pub fn info_of(program: &OwnedFd) -> io::Result<bpf::bpf_prog_info> {
    // SAFETY: the structure is plain data; zero is its default.
    let mut info: bpf::bpf_prog_info = unsafe { std::mem::zeroed() };
    let mut length = size_of::<bpf::bpf_prog_info>() as u32;
    // SAFETY: the kernel writes at most `length` bytes.
    let result =
        unsafe { bpf::bpf_prog_get_info_by_fd(program.as_raw_fd(), &mut info, &mut length) };
    if result < 0 {
        Err(io::Error::from_raw_os_error(-result))
    } else {
        Ok(info)
    }
}

fn program_info(program: &OwnedFd) -> Result<ProgramInfo, io::Error> {
    let info = info_of(program)?;
    aya::programs::loaded_programs()
        .filter_map(Result::ok)
        .find(|loaded| loaded.id() == info.id)
        .ok_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))
}

/// Attaches a program to a raw tracepoint.
///
/// # Errors
/// The kernel refuses.
pub fn raw_tracepoint(
    loaded: &Loaded,
    program: &'static str,
    tracepoint: &str,
) -> Result<Link, Error> {
    let program = loaded.program(Program {
        name: program,
        ty: bpf::BPF_PROG_TYPE_RAW_TRACEPOINT,
        attach_type: 0,
    })?;
    open_tracepoint(&program, Some(tracepoint), tracepoint)
}

/// Loads a program that is prepared and attaches it to a raw tracepoint.
///
/// # Errors
/// The kernel refuses.
pub fn prepared_tracepoint(program: &Prepared, tracepoint: &str) -> Result<Link, Error> {
    open_tracepoint(&program.load()?, Some(tracepoint), tracepoint)
}

/// Attaches a program to a raw tracepoint that gives it typed arguments.
///
/// # Errors
/// The kernel refuses, or does not know the tracepoint.
pub fn typed_tracepoint(
    loaded: &Loaded,
    program: &'static str,
    tracepoint: &str,
) -> Result<Link, Error> {
    let id = kernel::tracepoint_type(tracepoint).ok_or_else(|| Error::Kernel {
        what: format!("looking up the tracepoint {tracepoint}"),
        source: io::Error::from_raw_os_error(libc::ENOENT),
    })?;
    open_tracepoint(&loaded.typed_program(program, id)?, None, tracepoint)
}

/// The name is not given where the program has been loaded for the tracepoint.
fn open_tracepoint(program: &OwnedFd, name: Option<&str>, tracepoint: &str) -> Result<Link, Error> {
    let failed = |source| Error::Kernel {
        what: format!("attaching to the tracepoint {tracepoint}"),
        source,
    };
    let name = name
        .map(CString::new)
        .transpose()
        .map_err(|_| failed(io::Error::from_raw_os_error(libc::EINVAL)))?;
    let pointer = name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr());
    // SAFETY: the name lives across the call.
    let fd = unsafe { bpf::bpf_raw_tracepoint_open(pointer, program.as_raw_fd()) };
    if fd < 0 {
        return Err(failed(io::Error::from_raw_os_error(-fd)));
    }
    // SAFETY: a new descriptor that is ours.
    Ok(Link::Fd(unsafe { OwnedFd::from_raw_fd(fd) }))
}

/// The fastest mechanism that this kernel has.
///
/// # Errors
/// It has none, or there is no right to load programs.
pub fn best_mechanism() -> Result<Mechanism, super::trace::Error> {
    Mechanism::ALL
        .into_iter()
        .find(|mechanism| match mechanism {
            Mechanism::Session => Feature::Session.is_there() && !Feature::Multi.is_forgone(),
            Mechanism::Multi | Mechanism::Exits => Feature::Multi.is_there(),
            Mechanism::Perf => is_supported(Mechanism::Perf),
        })
        .ok_or(super::trace::Error::NoRights)
}

/// Whether the kernel attaches by this mechanism. That it takes a program for it says nothing: before Linux 6.13 it does
/// not look at how that will be attached. A link to what is no file tells: a kernel that knows such links refuses it for
/// that (`EBADF`), any other for the kind of link.
pub fn is_supported(mechanism: Mechanism) -> bool {
    let attach_type = mechanism.attach_type();
    let Ok(program) = empty_program(attach_type) else {
        return false;
    };
    if mechanism == Mechanism::Perf {
        return true;
    }
    let nowhere = Places {
        offsets: vec![0],
        cookies: vec![0],
        semaphores: Vec::new(),
    };
    let refused = nowhere.link(&program, attach_type, Path::new("/"), false);
    refused.is_err_and(|error| error.raw_os_error() == Some(libc::EBADF))
}

/// A program for user probes that does nothing.
///
/// # Errors
/// The kernel does not know the way to attach it, or there is no right to load programs.
pub fn empty_program(attach_type: u32) -> io::Result<OwnedFd> {
    // SAFETY: plain data; zero is its default.
    let mut options: bpf::bpf_prog_load_opts = unsafe { std::mem::zeroed() };
    options.sz = size_of::<bpf::bpf_prog_load_opts>() as _;
    options.expected_attach_type = attach_type;
    // SAFETY: `r0 = 0; exit`, as the kernel's `struct bpf_insn`.
    let fd = unsafe {
        let mut insns: [bpf::bpf_insn; 2] = std::mem::zeroed();
        insns[0].code = 0xb7;
        insns[1].code = 0x95;
        bpf::bpf_prog_load(
            KPROBE,
            c"probe".as_ptr(),
            c"GPL".as_ptr(),
            insns.as_ptr(),
            2,
            &mut options,
        )
    };
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(-fd));
    }
    // SAFETY: a new descriptor that is ours.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
