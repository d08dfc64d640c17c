//! Links through perf events, which libbpf has no wrapper for, and through raw tracepoints.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use libbpf_sys as bpf;

use super::super::attach::Link;
use super::super::names::Names;
use super::{Error, Place, Site, fentry, shown};
use crate::host;

/// `struct perf_event_attr`, as far as it is used (`PERF_ATTR_SIZE_VER1`).
#[repr(C)]
#[derive(Default)]
struct Attributes {
    ty: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    bp_type: u32,
    config1: u64,
    config2: u64,
}

/// `PERF_TYPE_SOFTWARE`; the clock of a CPU is its number 0.
const SOFTWARE: u32 = 1;

/// `PERF_TYPE_TRACEPOINT`
const TRACEPOINT: u32 = 2;

/// What is said of a kernel that refuses for want of rights.
const NO_RIGHTS: &str =
    "; run ewapa as root, or with CAP_PERFMON (see /proc/sys/kernel/perf_event_paranoid)";

/// Attaches a program to one site.
///
/// # Errors
/// The kernel refuses, or does not have what is needed.
pub fn attach(
    site: &Site,
    program: &OwnedFd,
    names: &Names,
    links: &mut Vec<Link>,
) -> Result<(), Error> {
    let failed = |what| {
        move |source: io::Error| Error::Refused {
            probe: shown(site, names),
            what,
            hint: match source.raw_os_error() {
                Some(libc::EACCES | libc::EPERM) => NO_RIGHTS.to_owned(),
                Some(libc::EMFILE) => "; allow more open files: `ulimit -n 65536`".to_owned(),
                _ => String::new(),
            },
            source,
        }
    };
    let event = |attributes: Attributes, cpu: i32| {
        let event = open(&attributes, cpu).map_err(failed("the kernel does not open the event"))?;
        link(program, event, site.cookie).map_err(failed("the kernel does not link the event"))
    };
    match &site.place {
        Place::Tracepoint(id) => links.push(event(
            Attributes {
                ty: TRACEPOINT,
                config: *id,
                sample_period: 1,
                ..Attributes::default()
            },
            0,
        )?),
        Place::Clock(period) => {
            for cpu in online_cpus().map_err(failed("the CPUs cannot be told"))? {
                links.push(event(
                    Attributes {
                        ty: SOFTWARE,
                        sample_period: *period,
                        ..Attributes::default()
                    },
                    cpu,
                )?);
            }
        }
        Place::Function {
            file,
            offset,
            semaphore,
            returns,
        } => {
            let path = CString::new(file.as_os_str().as_bytes())
                .map_err(|_| failed("its path has a zero byte")(invalid()))?;
            links.push(event(
                Attributes {
                    ty: unit("uprobe")
                        .ok_or_else(|| missing(site, names, "uprobes (CONFIG_UPROBE_EVENTS)"))?,
                    config: semaphore << 32 | u64::from(*returns),
                    config1: path.as_ptr() as u64,
                    config2: *offset,
                    ..Attributes::default()
                },
                0,
            )?);
        }
        Place::Kprobe {
            function,
            offset,
            returns,
        } => {
            let name = CString::new(function.as_str())
                .map_err(|_| failed("its name has a zero byte")(invalid()))?;
            links.push(event(
                Attributes {
                    ty: unit("kprobe").ok_or_else(|| missing(site, names, KPROBES))?,
                    config: u64::from(*returns),
                    config1: name.as_ptr() as u64,
                    config2: *offset,
                    ..Attributes::default()
                },
                0,
            )?);
        }
        Place::Fentry { returns, .. } => {
            let link = fentry::link(program, *returns, site.cookie);
            links.push(link.map_err(|source| fentry::not_attached(source, site, names))?);
        }
        Place::RawTracepoint(name) => links.push(
            raw_tracepoint(name, program, site.cookie).map_err(|source| {
                match source.raw_os_error() {
                    Some(libc::ENOENT) => Error::Missing {
                        probe: shown(site, names),
                        why: format!(
                            "this kernel has no such tracepoint; {}",
                            host::did_you_mean(
                                name,
                                &host::raw_tracepoints("*").unwrap_or_default(),
                                "rawtracepoint:*"
                            )
                        ),
                    },
                    _ => failed("the kernel does not attach to the tracepoint")(source),
                }
            })?,
        ),
    }
    Ok(())
}

/// What a kernel without kprobes does not have.
pub const KPROBES: &str = "kprobes (CONFIG_KPROBE_EVENTS)";

fn missing(site: &Site, names: &Names, what: &str) -> Error {
    Error::Missing {
        probe: shown(site, names),
        why: without(what),
    }
}

/// That this kernel is built without something.
pub fn without(what: &str) -> String {
    format!(
        "this kernel is built without {what}; a tracepoint may tell the same: `ewapa list 'tracepoint:*:*'`"
    )
}

fn invalid() -> io::Error {
    io::Error::from_raw_os_error(libc::EINVAL)
}

/// The number of a kind of events that the kernel gives numbers when it starts.
pub fn unit(name: &str) -> Option<u32> {
    std::fs::read_to_string(format!("/sys/bus/event_source/devices/{name}/type"))
        .ok()?
        .trim()
        .parse()
        .ok()
}

fn open(attributes: &Attributes, cpu: i32) -> io::Result<OwnedFd> {
    /// `PERF_FLAG_FD_CLOEXEC`
    const CLOSE_ON_EXEC: libc::c_ulong = 8;
    let attributes = Attributes {
        size: size_of::<Attributes>() as u32,
        wakeup_events: 1,
        ..*attributes
    };
    // SAFETY: the attributes, and what they point to in the caller's frame, live across the call; their
    // size is told.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            std::ptr::from_ref(&attributes),
            -1,
            cpu,
            -1,
            CLOSE_ON_EXEC,
        )
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new descriptor that is ours.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Links a program to an event.
fn link(program: &OwnedFd, event: OwnedFd, cookie: u64) -> io::Result<Link> {
    // SAFETY: the structure is plain data; zero is its default.
    let mut options: bpf::bpf_link_create_opts = unsafe { std::mem::zeroed() };
    options.sz = size_of::<bpf::bpf_link_create_opts>() as _;
    options.__bindgen_anon_1.perf_event.bpf_cookie = cookie;
    // SAFETY: both descriptors are open; the options live across the call.
    let fd = unsafe {
        bpf::bpf_link_create(
            program.as_raw_fd(),
            event.as_raw_fd(),
            bpf::BPF_PERF_EVENT,
            &options,
        )
    };
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(-fd));
    }
    // SAFETY: a new descriptor that is ours.
    let link = unsafe { OwnedFd::from_raw_fd(fd) };
    Ok(Link::Event { link, event })
}

fn raw_tracepoint(name: &str, program: &OwnedFd, cookie: u64) -> io::Result<Link> {
    let name = CString::new(name).map_err(|_| invalid())?;
    let mut options = bpf::bpf_raw_tp_opts {
        sz: size_of::<bpf::bpf_raw_tp_opts>() as _,
        tp_name: name.as_ptr(),
        cookie,
    };
    // SAFETY: the name and the options live across the call.
    let fd = unsafe { bpf::bpf_raw_tracepoint_open_opts(program.as_raw_fd(), &mut options) };
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(-fd));
    }
    // SAFETY: a new descriptor that is ours.
    Ok(Link::Fd(unsafe { OwnedFd::from_raw_fd(fd) }))
}

fn online_cpus() -> io::Result<Vec<i32>> {
    let text = std::fs::read_to_string("/sys/devices/system/cpu/online")?;
    cpu_list(&text).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, text))
}

/// Numbers such as `0-3,8`.
fn cpu_list(text: &str) -> Option<Vec<i32>> {
    let mut cpus = Vec::new();
    for range in text.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        cpus.extend(first.parse::<i32>().ok()?..=last.parse::<i32>().ok()?);
    }
    Some(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_cpus_has_ranges() {
        assert_eq!(cpu_list("0-2,5\n"), Some(vec![0, 1, 2, 5]));
        assert_eq!(cpu_list("0"), Some(vec![0]));
        assert_eq!(cpu_list(""), None);
    }

    #[test]
    fn the_attributes_have_the_size_of_their_version() {
        assert_eq!(size_of::<Attributes>(), 72);
    }
}
