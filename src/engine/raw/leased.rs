//! The files with raw probes, which are leased as those of runtimes are: a probe would break what somebody else
//! writes to its place.

use std::path::{Path, PathBuf};

use super::super::attach::Link;
use super::super::lease::Lease;

/// What raw probes hold.
#[derive(Default)]
pub struct Attached {
    /// Of events that are in no file.
    pub links: Vec<Link>,
    files: Vec<Leased>,
}

/// A file with probes.
struct Leased {
    path: PathBuf,
    links: Vec<Link>,
    /// None where the file is open for writing, or its filesystem has no leases.
    lease: Option<Lease>,
}

impl Attached {
    /// Leases a file, which is to get probes.
    pub fn lease(&mut self, path: &Path) {
        if self.files.iter().all(|file| file.path != path) {
            self.files.push(Leased {
                path: path.to_owned(),
                links: Vec::new(),
                lease: Lease::take(path).ok(),
            });
        }
    }

    /// Keeps links; of a file that was leased, with it.
    pub fn keep(&mut self, path: Option<&Path>, links: impl IntoIterator<Item = Link>) {
        let file = self
            .files
            .iter_mut()
            .find(|file| Some(file.path.as_path()) == path);
        file.map_or(&mut self.links, |file| &mut file.links)
            .extend(links);
    }

    /// Takes the probes off the files that somebody waits to write to, who then goes on. Returns what to say of each.
    pub fn take_written(&mut self) -> Vec<String> {
        let awaited = |file: &mut Leased| file.lease.as_ref().is_some_and(Lease::is_awaited);
        self.files
            .extract_if(.., awaited)
            .map(|mut file| {
                file.links.clear();
                format!(
                    "{} was written to, so its probes were taken off: what was called from then on is missing",
                    file.path.display()
                )
            })
            .collect()
    }

    /// All links. The leases stay: what is detached is taken off later.
    pub fn take_links(&mut self) -> Vec<Link> {
        let mut links = std::mem::take(&mut self.links);
        for file in &mut self.files {
            links.append(&mut file.links);
        }
        links
    }

    /// The leases, which are to be kept as long as the links.
    pub fn into_leases(self) -> impl Iterator<Item = Lease> {
        self.files.into_iter().filter_map(|file| file.lease)
    }
}
