//! The processes that are traced: finds runtimes in what they have mapped and attaches to them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aya::maps::{HashMap as BpfHashMap, MapData};
use ewapa_lang::builtin::NONE;
use ewapa_lang::wasi::Function;
use ewapa_symbols::{Catalogue, Cost, Image, Inspection, Origin};
use ewapa_templates::{Process, Quiet};

use super::attach::{Mechanism, Point};
use super::attachments::{Attachments, Candidate, Written};
use super::exits::Exits;
use super::gate;
use super::goroutines;
use super::kernel;
use super::known::{Finding, Known};
use super::linker::is_linker;
use super::maps::{FileId, Mapping, Version, by_descriptor, executable_mappings};
use super::names::Names;
use super::needs::Needs;
use super::probes::{Goroutines, Probes};
use super::sites;

/// What is known of the processes that are traced, and what holds their probes.
pub struct Processes {
    needs: Needs,
    probes: Arc<Probes>,
    /// The BPF map from process to what is known of it.
    traced: BpfHashMap<MapData, u32, [i64; 3]>,
    known: Known,
    /// What else is told of them.
    findings: HashMap<u32, Finding>,
    /// When the probes of a runtime were there, by the value of the builtin `runtime`.
    probed: HashMap<u32, u64>,
    seen: HashMap<Version, Seen>,
    /// The BPF map in which the kernel looks up what is known of a file.
    files: BpfHashMap<MapData, [u64; 4], i32>,
    /// The files with probes.
    pub attachments: Attachments,
    ahead: HashMap<Version, Result<Inspection, ewapa_symbols::Error>>,
    with_runtime: HashSet<u32>,
    /// The names of runtimes and modules.
    pub names: Names,
    /// The runtimes that were found, in order.
    pub found: Vec<Found>,
    /// The builds of each runtime, told apart by where their functions are, by the value of the builtin `runtime`.
    builds: BTreeMap<u32, Vec<Build>>,
    /// Files that look like a runtime but have no symbols.
    pub stripped: Vec<(PathBuf, String)>,
    /// What could not be read or attached to, for people.
    pub troubles: Vec<String>,
    /// Why the first runtime that could not be attached to is not traced.
    pub unattached: Option<String>,
    /// A program that the kernel refused.
    pub refused: Option<super::load::Error>,
    /// How many files have a number by which the places of guest memory in them are kept.
    numbered: u8,
    /// What the Go programs share, if there are any.
    goroutines: Option<Goroutines>,
    /// It is known where the kernel has what threads keep for themselves.
    knows_threads: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// With the value of the builtin `runtime`.
    Runtime(u32),
    Other,
}

/// How a process comes to be traced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joins {
    /// It is held until it becomes the command.
    Held,
    /// It has a new program, and is held stopped.
    ByExec,
    /// It runs already.
    Running,
    /// It is this process, which only measures what probes cost.
    Itself,
}

/// How a process of a machine that is traced as a whole is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meeting {
    /// It ran before.
    Running,
    /// It has a new program.
    Exec,
    /// It has new libraries, and goes on.
    Library,
    /// It has new libraries, and is stopped.
    Stopped,
    /// It has a new program, and is stopped.
    StoppedAtExec,
}

/// A build of a runtime. Copies of a file are one.
struct Build {
    /// Where its functions are in the file.
    functions: Vec<u64>,
    path: PathBuf,
}

/// A runtime that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Name and version.
    pub name: String,
    /// The functions that the script wants and the runtime's binary does not show.
    pub missing: Vec<Function>,
    /// WASI functions whose probe sites the kernel single-steps.
    pub single_stepped: usize,
    /// A call hits a second probe, which names it.
    pub named_within: bool,
    /// The script wants to know when the guest begins, and the runtime's binary does not show it.
    pub start_unseen: bool,
}

impl Processes {
    /// Nothing is traced yet. `names` are those that are known so far; `knows_threads`: it is known where the kernel has
    /// what threads keep for themselves.
    pub fn new(
        needs: Needs,
        probes: Arc<Probes>,
        traced: BpfHashMap<MapData, u32, [i64; 3]>,
        files: BpfHashMap<MapData, [u64; 4], i32>,
        known: Known,
        names: Names,
        knows_threads: bool,
    ) -> Processes {
        Processes {
            needs,
            probes,
            traced,
            known,
            findings: HashMap::new(),
            probed: HashMap::new(),
            seen: HashMap::new(),
            files,
            attachments: Attachments::default(),
            ahead: HashMap::new(),
            with_runtime: HashSet::new(),
            names,
            found: Vec::new(),
            stripped: Vec::new(),
            builds: BTreeMap::new(),
            troubles: Vec::new(),
            unattached: None,
            refused: None,
            numbered: 0,
            goroutines: None,
            knows_threads,
        }
    }

    /// Takes in a file that was inspected ahead of the process that maps it.
    pub fn know(&mut self, inspected: Inspected) {
        self.ahead.insert(inspected.version, inspected.inspection);
    }

    /// Attaches to what is executed. With `holds` the process waits for that.
    pub fn admit(&mut self, executed: &gate::Executed, holds: bool) {
        let mapping = Mapping {
            addresses: 0..0,
            file_offset: 0,
            file: executed.file,
            path: executed.path.clone(),
            open: executed.open.clone(),
        };
        let before = self.attachments.made();
        let seen = match &executed.image {
            Some(image) => self
                .attach_to(&mapping, &executed.open, image)
                .map(Seen::Runtime),
            None => Ok(self.watch_linker(&mapping, &executed.open)),
        };
        match seen {
            Ok(seen) => {
                if let Seen::Runtime(number) = seen
                    && self.attachments.made() > before
                    && !holds
                {
                    self.began_before(number, &format!("{} was executed", executed.path.display()));
                }
                if let Ok(version) = Version::of(executed.file, &executed.open) {
                    self.record(version, seen);
                }
            }
            Err(error) => self.cannot_attach(&mapping, error),
        }
    }

    fn cannot_attach(&mut self, mapping: &Mapping, error: super::load::Error) {
        match error {
            super::load::Error::Verifier { .. } => self.refused = Some(error),
            _ => {
                let what = format!("{} is not traced: {error}", mapping.path.display());
                self.unattached.get_or_insert_with(|| what.clone());
                self.troubles.push(what);
            }
        }
    }

    /// How the probes are attached.
    pub fn probes(&self) -> Arc<Probes> {
        Arc::clone(&self.probes)
    }

    /// How many processes a runtime was found in.
    pub fn with_runtime(&self) -> usize {
        self.with_runtime.len()
    }

    /// Traces a process from now on.
    ///
    /// # Errors
    /// The kernel has no room for another process.
    pub fn trace(&mut self, pid: u32, joins: Joins) -> Result<(), aya::maps::MapError> {
        let module = module_of(pid).map_or(NONE, |module| self.names.module(&module));
        let finding = Finding {
            runtime: None,
            module,
            ran_before: joins == Joins::Running,
            probed: 0,
        };
        self.findings.insert(pid, finding);
        if joins == Joins::ByExec {
            self.known.forget_paths(pid);
        }
        let process = Process {
            module,
            runtime: NONE,
            quiet: match joins {
                Joins::Held => Quiet::UntilExec,
                Joins::ByExec | Joins::Running => Quiet::Not,
                Joins::Itself => Quiet::Always,
            },
        };
        self.traced.insert(pid, process.to_words(), 0)
    }

    /// Traces a process if it has a runtime; one that has none any more is traced no longer. Returns whether
    /// it is to be looked into.
    ///
    /// # Errors
    /// The kernel has no room for another process.
    pub fn meet(&mut self, pid: u32, meeting: Meeting) -> Result<bool, aya::maps::MapError> {
        // One that has ended meanwhile has no mappings.
        let mappings = executable_mappings(pid).unwrap_or_default();
        let mut has_runtime = false;
        let mut began_before = false;
        for mapping in &mappings {
            let before = self.attachments.made();
            if let Seen::Runtime(runtime) = self.kind(mapping) {
                has_runtime = true;
                if self.attachments.made() > before
                    && matches!(meeting, Meeting::Exec | Meeting::Library)
                {
                    began_before = true;
                    self.began_before(runtime, &format!("process {pid} began"));
                }
            }
        }
        let traced = self.findings.contains_key(&pid);
        match (has_runtime, meeting) {
            (true, Meeting::Library | Meeting::Stopped) if traced => {}
            // What it has reached by now is not known.
            (true, _) if began_before => self.trace(pid, Joins::Running)?,
            (true, Meeting::Running) => self.trace(pid, Joins::Running)?,
            (true, _) => self.trace(pid, Joins::ByExec)?,
            (false, _) if traced => {
                // One that has ended is gone from the kernel's map already.
                let _ = self.traced.remove(&pid);
                self.forget(pid);
            }
            (false, _) => {}
        }
        Ok(has_runtime)
    }

    /// A process of this runtime has run without probes.
    fn began_before(&mut self, runtime: u32, what: &str) {
        let name = self.names.runtime_name(i64::from(runtime));
        self.troubles.push(format!(
            "{name} was not known before {what}, so the first calls of that process may be missing"
        ));
    }

    /// A process has begun to be a runtime that the kernel knows. Returns whether it is to be looked into.
    pub fn begins(&mut self, pid: u32, runtime: u32) -> bool {
        self.with_runtime.insert(pid);
        let finding = Finding {
            runtime: Some(runtime),
            module: NONE,
            ran_before: false,
            probed: self.probed.get(&runtime).copied().unwrap_or(0),
        };
        self.findings.insert(pid, finding);
        self.known.forget_paths(pid);
        self.needs.looks || self.names.symbols.is_wanted()
    }

    /// A process has ended.
    pub fn forget(&mut self, pid: u32) {
        self.findings.remove(&pid);
        self.known.forget_paths(pid);
    }

    /// Attaches to every runtime that the process has mapped and that is new, and tells the kernel which
    /// runtime it is.
    ///
    /// # Errors
    /// The process cannot be read; it may have ended.
    pub fn look_into(&mut self, pid: u32) -> io::Result<()> {
        let mut finding = self.findings.get(&pid).copied().unwrap_or(Finding {
            runtime: None,
            module: NONE,
            ran_before: false,
            probed: 0,
        });
        let mappings = executable_mappings(pid)?;
        self.names.symbols.seen(pid, &mappings);
        for mapping in mappings {
            if let Seen::Runtime(runtime) = self.kind(&mapping) {
                self.with_runtime.insert(pid);
                let found = *finding.runtime.get_or_insert(runtime);
                finding.probed = self.probed.get(&found).copied().unwrap_or(0);
            }
        }
        self.findings.insert(pid, finding);
        self.known.tell(pid, finding)
    }

    /// What a file is. It is attached to if it is a runtime and new.
    fn kind(&mut self, mapping: &Mapping) -> Seen {
        let version = match Version::of(mapping.file, &mapping.open) {
            Ok(version) => version,
            // The process has ended: another one with this file tells more.
            Err(_) => return Seen::Other,
        };
        if let Some(seen) = self.seen.get(&version) {
            return *seen;
        }
        // As long as it is open it can be read and attached to, whether or not the process goes on.
        let seen = match mapping.open_regular() {
            Ok(Some(file)) => self.inspect(mapping, version, &by_descriptor(&file)),
            Ok(None) => Seen::Other,
            Err(error) if is_gone(&error) => return Seen::Other,
            Err(error) => {
                self.troubles.push(format!(
                    "cannot look into {}: {error}",
                    mapping.path.display()
                ));
                Seen::Other
            }
        };
        self.record(version, seen);
        seen
    }

    /// Keeps what a file is, and tells the kernel.
    fn record(&mut self, version: Version, seen: Seen) {
        self.seen.insert(version, seen);
        let known = match seen {
            Seen::Runtime(runtime) => runtime as i32,
            Seen::Other => ewapa_templates::NO_RUNTIME,
        };
        // What finds no place is looked into again.
        let _ = self.files.insert(version.to_words(), known, 0);
    }

    fn inspect(&mut self, mapping: &Mapping, version: Version, open: &Path) -> Seen {
        if is_linker(&mapping.path, open) {
            return self.watch_linker(mapping, open);
        }
        let inspection = self.ahead.remove(&version).unwrap_or_else(|| {
            Catalogue::in_use().inspect_as(&Origin {
                open: open.to_owned(),
                ..mapping.origin()
            })
        });
        match inspection {
            Ok(Inspection::Runtime(image)) => {
                if let Some(why) = goroutines::refusal(&image, &self.needs, self.knows_threads) {
                    self.stripped.push((mapping.path.clone(), why));
                    return Seen::Other;
                }
                match self.attach_to(mapping, open, &image) {
                    Ok(runtime) => return Seen::Runtime(runtime),
                    Err(error) => self.cannot_attach(mapping, error),
                }
            }
            Ok(Inspection::Stripped(stripped)) => self
                .stripped
                .push((mapping.path.clone(), stripped.to_string())),
            Ok(Inspection::Refused(refused)) => self
                .stripped
                .push((mapping.path.clone(), refused.to_string())),
            // Also what a compiler at run time maps, and programs for other processors.
            Ok(Inspection::NotARuntime)
            | Err(ewapa_symbols::Error::NotElf { .. } | ewapa_symbols::Error::Machine { .. }) => {}
            Err(error) => self.troubles.push(format!(
                "cannot look into {}: {error}",
                mapping.path.display()
            )),
        }
        Seen::Other
    }

    /// Attaches to a runtime, which is leased from now on. `open` is a name by which it can be opened.
    fn attach_to(
        &mut self,
        mapping: &Mapping,
        open: &Path,
        image: &Image,
    ) -> Result<u32, super::load::Error> {
        let candidate = candidate(mapping, open)?;
        if let Some(runtime) = self.attachments.runtime(&candidate) {
            return Ok(runtime);
        }
        let name = Catalogue::in_use().names()[image.runtime];
        let runtime = self
            .names
            .runtime(image.runtime, name, image.version.as_deref());
        self.note_build(runtime, image, &mapping.path);
        // A script that waits for no call has no use for what a call is made of either.
        if !self.needs.probes_calls() {
            return Ok(runtime);
        }
        let by_exits = image.goroutines.is_some() || self.probes.mechanism == Mechanism::Exits;
        let mut sites = sites::wanted(image, &self.needs, by_exits);
        let exits = if by_exits {
            Exits::of(&mut sites, open)
        } else {
            Exits::default()
        };
        if exits.trampolines > 0 {
            self.troubles.push(format!(
                "{name}: {} functions that calls go through end by a jump or have no length: what goes through them is not seen without return probes",
                exits.trampolines
            ));
        }
        let (abis, known) = sites::known(image, &sites, self.numbered)?;
        self.numbered += u8::from(abis.search() && self.numbered < ewapa_templates::Image::NUMBERS);
        let mut points: Vec<Point> = sites
            .iter()
            .map(|site| sites::point(site, abis.index(site), runtime))
            .collect();
        // Several envelopes may hand their calls to one function.
        points.sort_unstable_by_key(|point| (point.offset, point.cookie));
        points.dedup();
        // Names after envelopes, and detached before them: a process that calls meanwhile would have names
        // without calls.
        let (calls, names): (Vec<Point>, Vec<Point>) =
            points.into_iter().partition(|point| point.returns);
        let mut links = Vec::from_iter(self.probes.attach_exits(open, &known, &exits.points)?);
        let mut ends = Vec::new();
        if let Some(of_file) = &image.goroutines {
            ends = goroutines::ends(of_file);
            if self.goroutines.is_none() {
                let syscalls = self.needs.adds_up_syscalls();
                self.goroutines = Some(self.probes.attach_goroutines(syscalls)?);
            }
        }
        for points in [ends, calls, names] {
            if !points.is_empty() {
                // Not by the name that it has in the process: that may lead to another file by now.
                links.extend(self.probes.attach(open, &known, &points)?);
            }
        }
        self.attachments
            .keep(candidate, &mapping.path, Some(runtime), links);
        self.probed.insert(runtime, kernel::now());
        let found = Found {
            name: self.names.runtime_name(i64::from(runtime)).to_owned(),
            missing: image
                .missing
                .iter()
                .map(|missing| missing.function)
                .filter(|function| self.needs.functions.contains(*function))
                .chain(exits.unknown)
                .collect(),
            single_stepped: sites
                .iter()
                .filter(|site| site.function.is_some())
                // A return instruction is single-stepped, too.
                .filter(|site| by_exits || site.cost == Cost::SingleStepped && site.inner.is_none())
                .count(),
            named_within: sites
                .iter()
                .any(|site| site.role == ewapa_symbols::Role::Name),
            start_unseen: self.needs.guest_entry && !image.has_start(),
        };
        // Copies of a file are one runtime.
        if !self.found.contains(&found) {
            self.found.push(found);
        }
        Ok(runtime)
    }

    fn note_build(&mut self, runtime: u32, image: &Image, path: &Path) {
        let functions: Vec<u64> = image.sites.iter().map(|site| site.offset.0).collect();
        let builds = self.builds.entry(runtime).or_default();
        if builds.iter().all(|build| build.functions != functions) {
            builds.push(Build {
                functions,
                path: path.to_owned(),
            });
        }
    }

    /// Runtimes of which several builds have one name, and a file of each.
    pub fn merged(&self) -> Vec<(String, Vec<PathBuf>)> {
        self.builds
            .iter()
            .filter(|(_, builds)| builds.len() > 1)
            .map(|(runtime, builds)| {
                let name = self.names.runtime_name(i64::from(*runtime)).to_owned();
                (
                    name,
                    builds.iter().map(|build| build.path.clone()).collect(),
                )
            })
            .collect()
    }

    /// Attaches to the hook of a dynamic linker, which is no runtime.
    fn watch_linker(&mut self, mapping: &Mapping, open: &Path) -> Seen {
        let watched = candidate(mapping, open).and_then(|candidate| {
            if self.attachments.has(&candidate) {
                return Ok(());
            }
            let hook =
                ewapa_symbols::linker_hook(open).ok_or_else(|| super::load::Error::Kernel {
                    what: "to find _dl_debug_state".to_owned(),
                    source: io::ErrorKind::NotFound.into(),
                })?;
            let point = Point {
                offset: hook.offset.0,
                cookie: hook.cookie(),
                returns: false,
            };
            let link = self.probes.attach_library(open, point)?;
            self.attachments
                .keep(candidate, &mapping.path, None, vec![link]);
            Ok(())
        });
        if let Err(error) = watched {
            self.troubles.push(format!(
                "libraries that {} loads later are not seen: {error}",
                mapping.path.display()
            ));
        }
        Seen::Other
    }

    /// Whether traced processes, other than this one, have not ended.
    pub fn go_on(&self) -> bool {
        let this = std::process::id();
        self.traced.keys().flatten().any(|process| process != this)
    }

    /// Takes the probes off files that somebody waits to write to, which goes on when the values are dropped. A
    /// process that executes one of them later finds it unknown.
    pub fn detach_written(&mut self) -> Vec<Written> {
        let all = self.attachments.take_written();
        for written in &all {
            let of_runtime = |seen: &Seen| match written.runtime {
                Some(runtime) => *seen == Seen::Runtime(runtime),
                None => true,
            };
            // Other files of the same runtime are looked into again: that does no harm.
            for (version, _) in self.seen.extract_if(|_, seen| of_runtime(seen)) {
                let _ = self.files.remove(&version.to_words());
            }
            // Nobody can write to a program that runs, but to a library.
            let users: Vec<String> = self
                .findings
                .keys()
                .filter(|pid| {
                    let mappings = executable_mappings(**pid).unwrap_or_default();
                    mappings.iter().any(|mapping| mapping.path == written.path)
                })
                .map(u32::to_string)
                .collect();
            if !users.is_empty() {
                self.troubles.push(format!(
                    "{} was written to while process {} ran it: what that called from then on is missing",
                    written.path.display(),
                    users.join(", ")
                ));
            }
        }
        all
    }

    /// Detaches everything.
    pub fn detach(&mut self) {
        if let Some(goroutines) = &self.goroutines {
            goroutines.let_go();
        }
        self.attachments.detach();
        self.goroutines = None;
    }
}

/// A file that was inspected ahead.
pub struct Inspected {
    version: Version,
    inspection: Result<Inspection, ewapa_symbols::Error>,
}

impl Inspected {
    /// What the programs on it will know of it, if it is the first file that is attached to.
    pub fn known(&self, needs: &Needs, mechanism: Mechanism) -> Option<ewapa_templates::Image> {
        let Ok(Inspection::Runtime(image)) = &self.inspection else {
            return None;
        };
        if !needs.probes_calls() {
            return None;
        }
        let by_exits = image.goroutines.is_some() || mechanism == Mechanism::Exits;
        let sites = sites::wanted(image, needs, by_exits);
        let (_, known) = sites::known(image, &sites, 0).ok()?;
        Some(known)
    }
}

/// The executable of a command, found as `execvp` finds it.
pub fn executable(command: &OsStr) -> Option<PathBuf> {
    if command.as_bytes().contains(&b'/') {
        return Some(PathBuf::from(command)).filter(|path| path.is_file());
    }
    let directories = std::env::var_os("PATH")?;
    std::env::split_paths(&directories)
        .map(|directory| directory.join(command))
        .find(|path| path.is_file())
}

/// Inspects the executable of a command. None if there is none; what the process really maps counts in
/// the end.
pub fn inspect_ahead(command: &OsStr) -> Option<Inspected> {
    let path = executable(command)?;
    // Before it is read: what is written to it meanwhile makes it another one.
    let version = Version::of(FileId::of(&path).ok()?, &path).ok()?;
    Some(Inspected {
        version,
        inspection: Catalogue::in_use().inspect(&path),
    })
}

/// A file that is about to get probes.
fn candidate(mapping: &Mapping, open: &Path) -> Result<Candidate, super::load::Error> {
    Candidate::new(open).map_err(|source| super::load::Error::Kernel {
        what: format!("to look at {}", mapping.path.display()),
        source,
    })
}

/// Whether this is how the kernel says that a process has ended, or maps something else now.
fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::ENOENT | libc::ESRCH | libc::ENOTDIR)
    )
}

/// The file name of the first argument that looks like a WebAssembly module.
fn module_of(pid: u32) -> Option<String> {
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    arguments
        .split(|byte| *byte == 0)
        .skip(1)
        .find_map(|argument| {
            let path = Path::new(OsStr::from_bytes(argument));
            let extension = path.extension()?.as_bytes();
            let is_module = [&b"wasm"[..], b"wat", b"cwasm", b"aot"].contains(&extension);
            let name = path.file_name()?.to_owned();
            is_module.then(|| String::from_utf8_lossy(&name.into_vec()).into_owned())
        })
}
