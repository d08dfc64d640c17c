//! The programs that watch WASI calls: loaded for each file that they are attached to, so that the kernel verifies and runs
//! only what the functions of this file need.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aya::programs::ProbeKind;
use ewapa_templates::Image;
use libbpf_sys as bpf;

use super::attach::{KPROBE, Link, Mechanism, Point, multi_link, perf_links, prepared_tracepoint};
use super::load::{Error, Images, Loaded, Program};
use super::prepared::Prepared;
use super::test_run;

/// The programs that watch WASI calls, for one mechanism.
pub struct Probes {
    /// The mechanism that the kernel took.
    pub mechanism: Mechanism,
    entry: Prepared,
    returns: Option<Prepared>,
    /// Those for calls of goroutines: at entry, and at return instructions.
    of_goroutines: [Prepared; 2],
    /// Those for their system calls, with their tracepoints.
    syscalls_of_goroutines: [(Prepared, &'static str); 2],
    /// That which is run before the others are taken off.
    lets_goroutines_go: Prepared,
    library: OwnedFd,
    images: Images,
    loaded: Mutex<HashMap<Image, Arc<AtCalls>>>,
}

/// What all Go programs share.
pub struct Goroutines {
    let_go: OwnedFd,
    #[expect(dead_code, reason = "links are held")]
    syscalls: Vec<Link>,
}

impl Goroutines {
    /// Says that the probes are about to be taken off: from now on returns without a begin are not counted.
    pub fn let_go(&self) {
        // If it fails they are counted, which is no worse than that.
        let _ = test_run::run(&self.let_go, &[0]);
    }
}

/// The programs of one file. Their links keep them.
struct AtCalls {
    entry: OwnedFd,
    returns: Option<OwnedFd>,
}

impl Probes {
    /// Prepares the programs for a mechanism. Those at calls may wait for memory if `may_sleep`.
    ///
    /// # Errors
    /// The kernel does not have the mechanism, or refuses the program for libraries.
    pub fn prepare(
        loaded: &Loaded,
        mechanism: Mechanism,
        may_sleep: bool,
    ) -> Result<Probes, Error> {
        let prepare = |name, attach_type| {
            let prepared = loaded.prepare(Program {
                name,
                ty: KPROBE,
                attach_type,
            })?;
            Ok::<_, Error>(Prepared {
                may_sleep,
                ..prepared
            })
        };
        let at_calls = |name| prepare(name, mechanism.attach_type());
        let (entry, returns) = match mechanism {
            Mechanism::Session => (at_calls("wasi_session")?, None),
            Mechanism::Multi | Mechanism::Perf => {
                (at_calls("wasi_entry")?, Some(at_calls("wasi_return")?))
            }
            Mechanism::Exits => (at_calls("wasi_entry")?, Some(at_calls("wasi_exit")?)),
        };
        // A session link takes session programs only, which also see returns.
        let without_return = match mechanism {
            Mechanism::Perf => 0,
            Mechanism::Session | Mechanism::Multi | Mechanism::Exits => bpf::BPF_TRACE_UPROBE_MULTI,
        };
        let of_goroutines = [
            prepare("goroutine_entry", without_return)?,
            prepare("goroutine_exit", without_return)?,
        ];
        let raw = |name| {
            loaded.prepare(Program {
                name,
                ty: bpf::BPF_PROG_TYPE_RAW_TRACEPOINT,
                attach_type: 0,
            })
        };
        let library = loaded.program(Program {
            name: "library_loaded",
            ty: KPROBE,
            attach_type: without_return,
        })?;
        Ok(Probes {
            mechanism,
            entry,
            returns,
            of_goroutines,
            // The end first: of a system call whose begin was not seen nothing is added up.
            syscalls_of_goroutines: [
                (raw("goroutine_syscall_exit")?, "sys_exit"),
                (raw("goroutine_syscall_enter")?, "sys_enter"),
            ],
            lets_goroutines_go: raw("goroutines_let_go")?,
            library,
            images: loaded.images()?,
            loaded: Mutex::default(),
        })
    }

    /// Loads the programs for a file that will be attached to.
    ///
    /// # Errors
    /// The kernel refuses them.
    pub fn load(&self, image: &Image) -> Result<(), Error> {
        self.at_calls(image).map(drop)
    }

    fn at_calls(&self, image: &Image) -> Result<Arc<AtCalls>, Error> {
        let mut loaded: MutexGuard<'_, _> =
            self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = loaded.get(image) {
            return Ok(Arc::clone(known));
        }
        let (entry, returns) = match (image.goroutines, &self.of_goroutines) {
            (true, [entry, exit]) => (entry, Some(exit)),
            (false, _) => (&self.entry, self.returns.as_ref()),
        };
        let programs = Arc::new(AtCalls {
            entry: entry.load_for(&self.images, image)?,
            returns: match returns {
                Some(returns) => Some(returns.load_for(&self.images, image)?),
                None => None,
            },
        });
        loaded.insert(*image, Arc::clone(&programs));
        Ok(programs)
    }

    /// Attaches to the points of one file, in all processes.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn attach(&self, file: &Path, image: &Image, points: &[Point]) -> Result<Vec<Link>, Error> {
        let programs = self.at_calls(image)?;
        let entry = &programs.entry;
        let with_return: Vec<Point> = points
            .iter()
            .copied()
            .filter(|point| point.returns)
            .collect();
        if image.goroutines {
            return Ok(vec![self.attach_without_return(entry, file, points)?]);
        }
        match (self.mechanism, &programs.returns) {
            (Mechanism::Session, _) => Ok(vec![multi_link(
                entry,
                bpf::BPF_TRACE_UPROBE_SESSION,
                file,
                points,
                false,
            )?]),
            (Mechanism::Multi, Some(returns)) => {
                let multi = bpf::BPF_TRACE_UPROBE_MULTI;
                let mut links = Vec::new();
                // The kernel makes no link without a probe.
                if !with_return.is_empty() {
                    links.push(multi_link(returns, multi, file, &with_return, true)?);
                }
                links.push(multi_link(entry, multi, file, points, false)?);
                Ok(links)
            }
            (Mechanism::Exits, _) => Ok(vec![self.attach_without_return(entry, file, points)?]),
            (_, returns) => {
                let mut links = Vec::new();
                if let Some(returns) = returns {
                    links.push(perf_links(returns, file, &with_return, ProbeKind::Return)?);
                }
                links.push(perf_links(entry, file, points, ProbeKind::Entry)?);
                Ok(links)
            }
        }
    }

    /// Attaches to the return instructions of functions in one file, if that is how their ends are seen. Before
    /// their entries: a call that begins meanwhile would not end.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn attach_exits(
        &self,
        file: &Path,
        image: &Image,
        exits: &[Point],
    ) -> Result<Option<Link>, Error> {
        let programs = self.at_calls(image)?;
        let by_exits = image.goroutines || self.mechanism == Mechanism::Exits;
        match &programs.returns {
            Some(returns) if by_exits && !exits.is_empty() => {
                self.attach_without_return(returns, file, exits).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Attaches what all Go programs share, before the first one has its probes; `syscalls`: also what adds up and tells
    /// the system calls of goroutines.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn attach_goroutines(&self, syscalls: bool) -> Result<Goroutines, Error> {
        let programs = self.syscalls_of_goroutines.iter().filter(|_| syscalls);
        Ok(Goroutines {
            let_go: self.lets_goroutines_go.load()?,
            syscalls: programs
                .map(|(program, tracepoint)| prepared_tracepoint(program, tracepoint))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Attaches the program that watches the dynamic linker.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn attach_library(&self, file: &Path, point: Point) -> Result<Link, Error> {
        self.attach_without_return(&self.library, file, &[point])
    }

    fn attach_without_return(
        &self,
        program: &OwnedFd,
        file: &Path,
        points: &[Point],
    ) -> Result<Link, Error> {
        match self.mechanism {
            Mechanism::Perf => perf_links(program, file, points, ProbeKind::Entry),
            Mechanism::Session | Mechanism::Multi | Mechanism::Exits => {
                multi_link(program, bpf::BPF_TRACE_UPROBE_MULTI, file, points, false)
            }
        }
    }
}
