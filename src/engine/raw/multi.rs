//! One link for all probes of a program in a file (Linux 6.6).

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use libbpf_sys as bpf;

use super::super::attach::Link;
use super::super::names::Names;
use super::{Error, Place, Site, shown};

/// Sites that one link holds: those in the same file, all at returns or none.
pub struct Group<'a> {
    /// In the order of the script; at least one.
    pub sites: Vec<&'a Site>,
    file: &'a Path,
    returns: bool,
}

/// Makes as few groups as there can be.
pub fn groups<'a>(sites: &[&'a Site]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for site in sites {
        let Place::Function { file, returns, .. } = &site.place else {
            continue;
        };
        match groups
            .iter_mut()
            .find(|group| group.file == file && group.returns == *returns)
        {
            Some(group) => group.sites.push(site),
            None => groups.push(Group {
                sites: vec![site],
                file,
                returns: *returns,
            }),
        }
    }
    groups
}

impl Group<'_> {
    /// Attaches a program to all sites.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn attach(&self, program: &OwnedFd, names: &Names) -> Result<Link, Error> {
        let failed = |source| Error::Refused {
            probe: shown(self.sites[0], names),
            what: "the kernel does not take the uprobe",
            source,
            hint: "",
        };
        let path = CString::new(self.file.as_os_str().as_bytes())
            .map_err(|_| failed(io::Error::from_raw_os_error(libc::EINVAL)))?;
        let mut offsets = Vec::with_capacity(self.sites.len());
        let mut semaphores = Vec::with_capacity(self.sites.len());
        let mut cookies = Vec::with_capacity(self.sites.len());
        for site in &self.sites {
            if let Place::Function {
                offset, semaphore, ..
            } = site.place
            {
                offsets.push(offset);
                semaphores.push(semaphore);
                cookies.push(site.cookie);
            }
        }
        // SAFETY: the structure is plain data; zero is its default.
        let mut options: bpf::bpf_link_create_opts = unsafe { std::mem::zeroed() };
        options.sz = size_of::<bpf::bpf_link_create_opts>() as _;
        options.__bindgen_anon_1.uprobe_multi.path = path.as_ptr();
        options.__bindgen_anon_1.uprobe_multi.offsets = offsets.as_ptr().cast();
        options.__bindgen_anon_1.uprobe_multi.cookies = cookies.as_ptr().cast();
        if semaphores.iter().any(|semaphore| *semaphore != 0) {
            options.__bindgen_anon_1.uprobe_multi.ref_ctr_offsets = semaphores.as_ptr().cast();
        }
        options.__bindgen_anon_1.uprobe_multi.cnt = offsets.len() as u32;
        options.__bindgen_anon_1.uprobe_multi.flags = if self.returns {
            bpf::BPF_F_UPROBE_MULTI_RETURN
        } else {
            0
        };
        // SAFETY: what the options point to lives across the call; the kernel copies it.
        let fd = unsafe {
            bpf::bpf_link_create(
                program.as_raw_fd(),
                0,
                bpf::BPF_TRACE_UPROBE_MULTI,
                &options,
            )
        };
        if fd < 0 {
            return Err(failed(io::Error::from_raw_os_error(-fd)));
        }
        // SAFETY: a new descriptor that is ours.
        Ok(Link::Fd(unsafe { OwnedFd::from_raw_fd(fd) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(file: &str, returns: bool) -> Site {
        Site {
            clause: 0,
            cookie: 0,
            place: Place::Function {
                file: file.into(),
                offset: 1,
                semaphore: 0,
                returns,
            },
        }
    }

    #[test]
    fn a_file_has_one_link_for_entries_and_one_for_returns() {
        let sites = [
            site("a", false),
            site("b", false),
            site("a", true),
            site("a", false),
        ];
        let sites: Vec<&Site> = sites.iter().collect();
        let sizes: Vec<usize> = groups(&sites)
            .iter()
            .map(|group| group.sites.len())
            .collect();
        assert_eq!(sizes, [2, 1, 1]);
    }
}
