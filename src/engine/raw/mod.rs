//! Raw probes: what they name is looked up before anything is loaded, and attached when the script has begun.

mod fentry;
mod leased;
mod multi;
mod perf;
mod resolve;

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use ewapa_lang::plan::{Plan, RawKind};
use libbpf_sys as bpf;

use super::attach::{Mechanism, info_of};
use super::feature::Feature;
use super::load::{self, Loaded, Program};
use super::names::Names;
use crate::host::FileError;

pub use leased::Attached;
pub use resolve::resolve;

/// What the names of the programs of raw probes begin with; the clause's index follows.
pub const PROGRAM: &str = "raw_";

/// A raw probe of the plan, found on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The clause that it runs.
    pub clause: usize,
    /// The index into [`Names::attached`].
    pub cookie: u64,
    /// Where.
    pub place: Place,
}

/// What the kernel attaches a program to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// An instruction of a file.
    Function {
        /// The file.
        file: PathBuf,
        /// Its position in it, in bytes.
        offset: u64,
        /// Where the counter of those who listen is in the file; 0 if there is none.
        semaphore: u64,
        /// At the return of the function that begins there.
        returns: bool,
    },
    /// A tracepoint, by its number.
    Tracepoint(u64),
    /// A tracepoint, by its name.
    RawTracepoint(String),
    /// A function of the kernel.
    Kprobe {
        /// The function.
        function: String,
        /// Bytes behind its start.
        offset: u64,
        /// At its return.
        returns: bool,
    },
    /// A function of the kernel, by its types.
    Fentry {
        /// The function.
        function: String,
        /// Its number in the kernel's BTF.
        id: u32,
        /// At its return.
        returns: bool,
    },
    /// A clock on every CPU: nanoseconds between two ticks.
    Clock(u64),
}

/// What can go wrong with a raw probe.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It names a file that is not there.
    #[error("cannot attach {probe}: {source}")]
    File {
        /// The probe.
        probe: String,
        /// Why.
        source: FileError,
    },
    /// The file cannot be read, or is none that can be probed.
    #[error("cannot attach {probe}: {source}")]
    Symbols {
        /// The probe.
        probe: String,
        /// Why.
        source: ewapa_symbols::Error,
    },
    /// The file has no such function.
    #[error("cannot attach {probe}: {source}")]
    Place {
        /// The probe.
        probe: String,
        /// Why.
        source: ewapa_symbols::PlaceError,
    },
    /// There is no such thing in the file or in the kernel.
    #[error("cannot attach {probe}: {why}")]
    Missing {
        /// The probe.
        probe: String,
        /// What is missing, and what to do.
        why: String,
    },
    /// The kernel refuses.
    #[error("cannot attach {probe}: {what}: {source}{hint}")]
    Refused {
        /// The probe.
        probe: String,
        /// What was tried.
        what: &'static str,
        /// The kernel's answer.
        source: std::io::Error,
        /// What to do; begins with `; ` or is empty.
        hint: String,
    },
    /// A program cannot be loaded.
    #[error(transparent)]
    Load(#[from] load::Error),
}

/// Which program a site runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    /// That of this clause.
    clause: usize,
    /// Loaded for this way of attaching: `BPF_TRACE_*`, or 0.
    attach_type: u32,
    /// Loaded for the function with this number in the kernel's BTF, or 0.
    function: u32,
}

/// The programs of raw probes, loaded and not yet attached.
pub struct Raw {
    sites: Vec<Site>,
    programs: HashMap<Key, OwnedFd>,
    multi: bool,
}

impl Raw {
    /// Loads the programs of the sites.
    ///
    /// # Errors
    /// The kernel refuses one.
    pub fn load(
        plan: &Plan,
        sites: Vec<Site>,
        loaded: &Loaded,
        mechanism: Mechanism,
        names: &Names,
    ) -> Result<Raw, Error> {
        let functions = |site: &Site| matches!(site.place, Place::Function { .. });
        let multi = mechanism != Mechanism::Perf
            && sites.iter().any(functions)
            && Feature::Multi.is_there();
        let mut raw = Raw {
            sites,
            programs: HashMap::new(),
            multi,
        };
        for site in &raw.sites {
            let key = raw.key(site);
            if raw.programs.contains_key(&key) {
                continue;
            }
            let name = format!("{PROGRAM}{}", site.clause);
            let mut program = loaded.prepare(Program {
                name: &name,
                ty: program_type(plan, site),
                attach_type: key.attach_type,
            })?;
            program.attach_to = key.function;
            let program = program
                .load()
                .map_err(|error| fentry::not_loaded(error, site, names))?;
            raw.programs.insert(key, program);
        }
        Ok(raw)
    }

    /// Attaches everything, in the order of the script.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn attach(&self, names: &Names) -> Result<Attached, Error> {
        let mut attached = Attached::default();
        // Each event needs two of them. Where there are too few the kernel says so.
        crate::symbolize::descriptors();
        for clause in self.sites.chunk_by(|one, next| one.clause == next.clause) {
            let (functions, others): (Vec<&Site>, Vec<&Site>) = clause
                .iter()
                .partition(|site| self.multi && matches!(site.place, Place::Function { .. }));
            for group in multi::groups(&functions) {
                let program = &self.programs[&self.key(group.sites[0])];
                attached.lease(group.file);
                attached.keep(Some(group.file), [group.attach(program, names)?]);
            }
            for site in others {
                let program = &self.programs[&self.key(site)];
                let file = match &site.place {
                    Place::Function { file, .. } => Some(file.as_path()),
                    _ => None,
                };
                file.into_iter().for_each(|file| attached.lease(file));
                let mut links = Vec::new();
                perf::attach(site, program, names, &mut links)?;
                attached.keep(file, links);
            }
        }
        Ok(attached)
    }

    /// How many events the kernel ran no program for, as one ran on that processor: an interrupt within another event.
    pub fn missed(&self) -> u64 {
        let infos = self
            .programs
            .values()
            .filter_map(|program| info_of(program).ok());
        infos.map(|info| info.recursion_misses).sum()
    }

    /// Whether there is anything to attach.
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }

    fn key(&self, site: &Site) -> Key {
        let (attach_type, function) = match site.place {
            Place::Function { .. } if self.multi => (bpf::BPF_TRACE_UPROBE_MULTI, 0),
            Place::Fentry { id, returns, .. } => (fentry::attach_type(returns), id),
            _ => (0, 0),
        };
        Key {
            clause: site.clause,
            attach_type,
            function,
        }
    }
}

fn program_type(plan: &Plan, site: &Site) -> u32 {
    let ewapa_lang::plan::Event::Raw(probes) = &plan.clauses[site.clause].event else {
        unreachable!("sites are those of clauses with raw probes");
    };
    match probes[0].kind() {
        RawKind::Function => bpf::BPF_PROG_TYPE_KPROBE,
        RawKind::Tracepoint => bpf::BPF_PROG_TYPE_TRACEPOINT,
        RawKind::RawTracepoint => bpf::BPF_PROG_TYPE_RAW_TRACEPOINT,
        RawKind::Fentry => bpf::BPF_PROG_TYPE_TRACING,
        RawKind::PerfEvent => bpf::BPF_PROG_TYPE_PERF_EVENT,
    }
}

/// The probe of a site, for errors.
fn shown(site: &Site, names: &Names) -> String {
    names
        .attached
        .get(site.cookie as usize)
        .map_or_else(|| "a probe".to_owned(), |attached| attached.probe.clone())
}
