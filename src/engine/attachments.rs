//! The files that have probes. A probe is an offset in a file: on other contents it would break the program. So
//! each file is leased, and its probes are taken off before it is written to.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::attach::Link;
use super::lease::Lease;
use super::maps::FileId;

/// A file with probes, as stat(2) tells it from others: on some filesystems by another device than
/// `/proc/PID/maps` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Identity {
    file: FileId,
    /// When it was made, if the filesystem tells. A file of the lower layer of an overlay keeps its number when it
    /// is copied to the upper one, where it has no probes.
    made: Option<SystemTime>,
}

impl Identity {
    fn of(path: &Path) -> io::Result<Identity> {
        let metadata = std::fs::metadata(path)?;
        Ok(Identity {
            file: FileId::from(&metadata),
            made: metadata.created().ok(),
        })
    }
}

/// What tells that a file was written to where it cannot be leased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Content {
    size: u64,
    written: (i64, i64),
}

impl Content {
    fn of(path: &Path) -> io::Result<Content> {
        let metadata = std::fs::metadata(path)?;
        Ok(Content {
            size: metadata.len(),
            written: (metadata.mtime(), metadata.mtime_nsec()),
        })
    }
}

/// The probes of a file.
struct Attachment {
    /// The value of the builtin `runtime`; none for a dynamic linker.
    runtime: Option<u32>,
    links: Vec<Link>,
    lease: Option<Lease>,
    content: Content,
    path: PathBuf,
}

/// A file whose probes were taken off because it is written to.
pub struct Written {
    /// The value of the builtin `runtime`; none for a dynamic linker.
    pub runtime: Option<u32>,
    /// Its name, for people.
    pub path: PathBuf,
    /// What holds the writer back.
    _lease: Option<Lease>,
}

/// A file that is about to get probes: leased, so that it stays what it is.
pub struct Candidate {
    identity: Identity,
    lease: Option<Lease>,
    content: Content,
}

impl Candidate {
    /// `open` is a name by which the file can be opened.
    ///
    /// # Errors
    /// There is no such file any more.
    pub fn new(open: &Path) -> io::Result<Candidate> {
        Ok(Candidate {
            identity: Identity::of(open)?,
            lease: Lease::take(open).ok(),
            content: Content::of(open)?,
        })
    }
}

/// All files that have probes.
#[derive(Default)]
pub struct Attachments {
    files: HashMap<Identity, Attachment>,
    made: usize,
}

impl Attachments {
    /// How often a file got probes.
    pub fn made(&self) -> usize {
        self.made
    }

    /// Whether a file has its probes already.
    pub fn has(&self, candidate: &Candidate) -> bool {
        self.files.contains_key(&candidate.identity)
    }

    /// The runtime of a file if it has its probes already. Those of a file that was written to unseen are taken
    /// off: its offsets are not what they were.
    pub fn runtime(&mut self, candidate: &Candidate) -> Option<u32> {
        let attachment = self.files.get(&candidate.identity)?;
        if attachment.lease.is_none() && attachment.content != candidate.content {
            self.files.remove(&candidate.identity);
            return None;
        }
        attachment.runtime
    }

    /// Keeps the probes of a file. `path` is its name, for people.
    pub fn keep(
        &mut self,
        candidate: Candidate,
        path: &Path,
        runtime: Option<u32>,
        links: Vec<Link>,
    ) {
        self.made += 1;
        let attachment = Attachment {
            runtime,
            links,
            lease: candidate.lease,
            content: candidate.content,
            path: path.to_owned(),
        };
        self.files.insert(candidate.identity, attachment);
    }

    /// Takes the probes off the files that somebody waits to write to, which goes on when the values are dropped.
    pub fn take_written(&mut self) -> Vec<Written> {
        let awaited =
            |attachment: &mut Attachment| attachment.lease.as_ref().is_some_and(Lease::is_awaited);
        self.files
            .extract_if(|_, attachment| awaited(attachment))
            .map(|(_, mut attachment)| Written {
                runtime: attachment.runtime,
                path: std::mem::take(&mut attachment.path),
                _lease: attachment.lease.take(),
            })
            .collect()
    }

    /// What holds the probes, and the leases that are to be kept as long.
    pub fn into_parts(self) -> (Vec<Link>, Vec<Lease>) {
        let (mut links, mut leases) = (Vec::new(), Vec::new());
        for mut attachment in self.files.into_values() {
            links.append(&mut attachment.links);
            leases.extend(attachment.lease.take());
        }
        (links, leases)
    }

    /// Takes all probes off.
    pub fn detach(&mut self) {
        self.files.clear();
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        // Names before envelopes: a process that calls meanwhile would have names without calls.
        while self.links.pop().is_some() {}
    }
}
