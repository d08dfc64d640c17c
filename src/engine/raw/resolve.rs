//! Looks up what raw probes name: files, functions, static probes and tracepoints.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ewapa_lang::glob;
use ewapa_lang::plan::{Event, Plan, RawProbe};
use ewapa_symbols::Functions;

use super::super::names::{Attached, Names};
use super::perf::{KPROBES, unit, without};
use super::{Error, Place, Site};
use crate::host::{self, KernelFunction, KernelFunctions};

/// The sites of all raw probes of a plan, in the order of the script, and their names; and for people, which
/// functions are not there. A clause that lists several probes does with those that are.
///
/// # Errors
/// What a clause names is not there.
pub fn resolve(plan: &Plan, names: &mut Names) -> Result<(Vec<Site>, Vec<String>), Error> {
    let mut resolver = Resolver {
        files: HashMap::new(),
        sites: Vec::new(),
        left_out: Vec::new(),
        names,
    };
    for (clause, planned) in plan.clauses.iter().enumerate() {
        if let Event::Raw(probes) = &planned.event {
            let found = resolver.sites.len();
            let mut missing = Vec::new();
            for probe in probes {
                match resolver.probe(clause, probe) {
                    Err(error @ Error::Place { .. }) => missing.push(error),
                    other => other?,
                }
            }
            if found < resolver.sites.len() {
                let missing = missing.iter().map(Error::to_string);
                resolver.left_out.extend(missing);
            } else if let Some(first) = missing.into_iter().next() {
                return Err(first);
            }
        }
    }
    Ok((resolver.sites, resolver.left_out))
}

struct Resolver<'a> {
    /// Files that were read, by the name that probes have for them.
    files: HashMap<String, (PathBuf, Functions)>,
    sites: Vec<Site>,
    /// What is not there, for people.
    left_out: Vec<String>,
    names: &'a mut Names,
}

impl Resolver<'_> {
    fn probe(&mut self, clause: usize, probe: &RawProbe) -> Result<(), Error> {
        let missing = |why| Error::Missing {
            probe: written(probe),
            why,
        };
        match probe {
            RawProbe::Uprobe {
                path,
                function,
                offset,
                returns,
            } => {
                let (file, places) = self.places(path, function, *offset, probe)?;
                let kind = if *returns { "uretprobe" } else { "uprobe" };
                for place in places {
                    let name = format!("{kind}:{}:{}", file.display(), place.name);
                    self.add(
                        clause,
                        name,
                        place.name,
                        Place::Function {
                            file: file.clone(),
                            offset: place.offset.0,
                            semaphore: 0,
                            returns: *returns,
                        },
                    );
                }
            }
            RawProbe::Usdt {
                path,
                provider,
                name,
            } => {
                let file = find(path, probe)?;
                let notes = host::static_probes(path, provider, name).map_err(missing)?;
                for note in notes {
                    let (provider, name) = (&note.provider, &note.name);
                    let shown = format!("usdt:{}:{provider}:{name}", file.display());
                    self.add(
                        clause,
                        shown,
                        name.clone(),
                        Place::Function {
                            file: file.clone(),
                            offset: note.offset.0,
                            semaphore: note.semaphore.map_or(0, |semaphore| semaphore.0),
                            returns: false,
                        },
                    );
                }
            }
            RawProbe::Tracepoint { category, name } => {
                let id = host::format_id(category, name).map_err(missing)?;
                let function = name.clone();
                self.add(clause, written(probe), function, Place::Tracepoint(id));
            }
            RawProbe::RawTracepoint(name) => {
                let place = Place::RawTracepoint(name.clone());
                self.add(clause, written(probe), name.clone(), place);
            }
            RawProbe::Kprobe {
                function,
                offset,
                returns,
            } => {
                let functions = if glob::is_glob(function) {
                    host::kernel_functions(function).map_err(missing)?
                } else {
                    let known = host::traceable("*").unwrap_or_default();
                    if !known.is_empty() && !known.contains(function) {
                        let hint = host::did_you_mean(function, &known, "kprobe:*");
                        return Err(missing(format!("this kernel has no such function; {hint}")));
                    }
                    vec![function.clone()]
                };
                if unit("kprobe").is_none() {
                    return Err(missing(without(KPROBES)));
                }
                for function in functions {
                    let one = RawProbe::Kprobe {
                        function: function.clone(),
                        offset: *offset,
                        returns: *returns,
                    };
                    let place = Place::Kprobe {
                        function: function.clone(),
                        offset: *offset,
                        returns: *returns,
                    };
                    self.add(clause, written(&one), function, place);
                }
            }
            RawProbe::Fentry { function, returns } => {
                self.kernel_functions(clause, function, *returns, probe)?;
            }
            RawProbe::Profile { period } => {
                let place = Place::Clock(*period);
                self.add(clause, written(probe), "profile".to_owned(), place);
            }
        }
        Ok(())
    }

    /// Of those that a glob stands for, the ones that cannot be attached to are left out, and told.
    fn kernel_functions(
        &mut self,
        clause: usize,
        wanted: &str,
        returns: bool,
        probe: &RawProbe,
    ) -> Result<(), Error> {
        let missing = |probe: &RawProbe, why| Error::Missing {
            probe: written(probe),
            why,
        };
        let known = KernelFunctions::read().map_err(|why| missing(probe, why))?;
        let is_glob = glob::is_glob(wanted);
        let functions = if is_glob {
            host::kernel_functions(wanted).map_err(|why| missing(probe, why))?
        } else {
            vec![wanted.to_owned()]
        };
        let before = self.sites.len();
        let mut left_out = Vec::new();
        for function in functions {
            let one = RawProbe::Fentry {
                function: function.clone(),
                returns,
            };
            match known.find(&function) {
                Ok(KernelFunction { id, .. }) => {
                    let place = Place::Fentry {
                        function: function.clone(),
                        id,
                        returns,
                    };
                    self.add(clause, written(&one), function, place);
                }
                Err(why) => left_out.push(missing(&one, why)),
            }
        }
        if self.sites.len() == before
            && let Some(first) = left_out.pop()
        {
            return Err(first);
        }
        self.left_out.extend(left_out.iter().map(Error::to_string));
        Ok(())
    }

    /// Adds a site, unless the clause has it already under another name.
    fn add(&mut self, clause: usize, probe: String, function: String, place: Place) {
        let same = |site: &&Site| site.clause == clause && site.place == place;
        if self.sites.iter().rev().find(same).is_some() {
            return;
        }
        self.sites.push(Site {
            clause,
            cookie: self.names.attached.len() as u64,
            place,
        });
        self.names.attached.push(Attached { probe, function });
    }

    /// The file of a probe and the places in it.
    fn places(
        &mut self,
        path: &str,
        function: &str,
        offset: u64,
        probe: &RawProbe,
    ) -> Result<(PathBuf, Vec<ewapa_symbols::Place>), Error> {
        let (file, functions) = self.functions(path, probe)?;
        let file = file.clone();
        let failed = match functions.places(function, offset) {
            Ok(places) => return Ok((file, places)),
            Err(failed) => failed,
        };
        if is_part_of_libc(path)
            && let Ok((libc, functions)) = self.functions("libc", probe)
            && let Ok(places) = functions.places(function, offset)
        {
            return Ok((libc.clone(), places));
        }
        Err(Error::Place {
            probe: written(probe),
            source: failed,
        })
    }

    fn functions(&mut self, path: &str, probe: &RawProbe) -> Result<&(PathBuf, Functions), Error> {
        if !self.files.contains_key(path) {
            let file = find(path, probe)?;
            let functions = read(&file, probe)?;
            self.files.insert(path.to_owned(), (file, functions));
        }
        Ok(&self.files[path])
    }
}

fn find(path: &str, probe: &RawProbe) -> Result<PathBuf, Error> {
    host::find_file(path).map_err(|source| Error::File {
        probe: written(probe),
        source,
    })
}

fn read(file: &Path, probe: &RawProbe) -> Result<Functions, Error> {
    Functions::read(file).map_err(|source| Error::Symbols {
        probe: written(probe),
        source,
    })
}

/// glibc 2.34 took these libraries into libc; what is left of them is empty.
fn is_part_of_libc(path: &str) -> bool {
    let name = path.strip_prefix("lib").unwrap_or(path);
    let name = name.split('.').next().unwrap_or(name);
    matches!(name, "pthread" | "dl" | "rt" | "util")
}

/// A probe as a script would have it.
fn written(probe: &RawProbe) -> String {
    match probe {
        RawProbe::Profile { period } => written_clock(*period),
        probe => probe.to_string(),
    }
}

/// A clock in the coarsest unit that says it exactly: `profile:hz:99` is not exact in nanoseconds.
fn written_clock(period: u64) -> String {
    const SECOND: u64 = 1_000_000_000;
    let rate = SECOND / period.max(1);
    if period.is_multiple_of(SECOND) {
        format!("profile:s:{}", period / SECOND)
    } else if rate > 0 && SECOND / rate == period {
        format!("profile:hz:{rate}")
    } else if period.is_multiple_of(1_000_000) {
        format!("profile:ms:{}", period / 1_000_000)
    } else {
        format!("profile:us:{}", period / 1000)
    }
}

#[cfg(test)]
mod tests {
    use ewapa_lang::plan::Clause;

    use super::*;

    fn sites(probes: Vec<RawProbe>) -> Result<(Vec<Site>, Vec<String>, Names), Error> {
        let clause = Clause {
            event: Event::Raw(probes),
            filter: None,
            variables: Vec::new(),
            actions: Vec::new(),
        };
        let plan = Plan {
            clauses: vec![clause],
            ..Plan::default()
        };
        let mut names = Names::default();
        let (sites, left_out) = resolve(&plan, &mut names)?;
        Ok((sites, left_out, names))
    }

    fn uprobe(path: &str, function: &str) -> RawProbe {
        RawProbe::Uprobe {
            path: path.to_owned(),
            function: function.to_owned(),
            offset: 0,
            returns: false,
        }
    }

    #[test]
    fn a_function_of_a_library_is_found_and_named() {
        let twice = vec![uprobe("libc", "getpid"), uprobe("libc", "getpid")];
        let (sites, left_out, names) = sites(twice).unwrap();
        assert_eq!(left_out, [] as [&str; 0]);
        assert_eq!(sites.len(), 1);
        assert_eq!(sites[0].cookie, 0);
        assert_eq!(names.attached[0].function, "getpid");
        assert!(names.attached[0].probe.starts_with("uprobe:/"));
        assert!(names.attached[0].probe.ends_with(":getpid"));
    }

    #[test]
    fn a_function_that_is_not_there_is_corrected() {
        let error = sites(vec![uprobe("libc", "getpdi")])
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.starts_with("cannot attach uprobe:libc:getpdi: "),
            "{error}"
        );
        assert!(error.contains("did you mean `getpid`?"), "{error}");
    }

    #[test]
    fn a_list_does_with_the_functions_that_are_there() {
        let list = vec![uprobe("libc", "getpdi"), uprobe("libc", "getpid")];
        let (sites, left_out, names) = sites(list).unwrap();
        assert_eq!((sites.len(), names.attached.len()), (1, 1));
        assert_eq!(left_out.len(), 1);
        assert!(left_out[0].starts_with("cannot attach uprobe:libc:getpdi: "));
    }

    #[test]
    fn threads_are_in_libc_if_their_own_library_is_empty() {
        let (sites, _, names) = sites(vec![uprobe("libpthread", "pthread_create")]).unwrap();
        assert!(!sites.is_empty());
        assert_eq!(names.attached[0].function, "pthread_create");
    }

    #[test]
    fn a_file_that_is_not_there_is_told() {
        let error = sites(vec![uprobe("no-such-file", "f")]).err().unwrap();
        assert!(matches!(error, Error::File { .. }), "{error}");
    }

    #[test]
    fn a_clock_is_written_as_a_script_would() {
        assert_eq!(written_clock(1_000_000_000 / 99), "profile:hz:99");
        assert_eq!(written_clock(2_000_000_000), "profile:s:2");
        assert_eq!(written_clock(10_000_000), "profile:hz:100");
        assert_eq!(written_clock(150_000_000), "profile:ms:150");
        assert_eq!(written_clock(1_500_000), "profile:us:1500");
    }
}
