//! One link for all probes of a program in a file (Linux 6.6).

use std::os::fd::OwnedFd;
use std::path::Path;

use libbpf_sys as bpf;

use super::super::attach::{Link, Places};
use super::super::names::Names;
use super::{Error, Place, Site, shown};

/// Sites that one link holds: those in the same file, all at returns or none.
pub struct Group<'a> {
    /// In the order of the script; at least one.
    pub sites: Vec<&'a Site>,
    /// The file.
    pub file: &'a Path,
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
            hint: String::new(),
        };
        let mut places = Places::default();
        for site in &self.sites {
            if let Place::Function {
                offset, semaphore, ..
            } = site.place
            {
                places.offsets.push(offset);
                places.semaphores.push(semaphore);
                places.cookies.push(site.cookie);
            }
        }
        places
            .link(
                program,
                bpf::BPF_TRACE_UPROBE_MULTI,
                self.file,
                self.returns,
            )
            .map_err(failed)
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
