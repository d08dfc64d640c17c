//! The files that all runs of an experiment share: modules, what has been compiled of them, a copy of this program.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::child::{self, Ended, Program};
use super::directory::Directory;
use super::experiment::{Error, Experiment};
use super::observation;
use super::progress::Progress;
use super::runtime::{Call, Runtime};
use super::trial;
use super::workload::Workload;
use crate::engine::privileges::user;
use crate::engine::signals::Signals;
use crate::output::cells;

/// What compiling a module may take.
const COMPILE: Duration = Duration::from_secs(300);

/// The files, in a folder of their own.
#[derive(Debug)]
pub struct Files {
    /// Removed with what is in it when this is dropped, if it is temporary.
    _folder: Directory,
    loader: PathBuf,
    /// The measuring script.
    pub script: PathBuf,
    /// This program. Probes on a file are in every process that has it mapped: on this one they would slow it,
    /// and the kernel would take its copied pages for memory of what it starts.
    pub copy: PathBuf,
    modules: Vec<PathBuf>,
    /// By runtime and workload, or why there is none.
    compiled: HashMap<(usize, usize), Result<PathBuf, String>>,
    /// Where compilers of runtimes write: a folder of the user who called.
    compiled_in: Directory,
}

impl Files {
    /// Writes them to a folder, and compiles modules for runtimes that do that in advance.
    ///
    /// # Errors
    /// There is no place, or the user wants an end.
    pub fn prepare(
        experiment: &Experiment,
        folder: Directory,
        signals: &Signals,
        progress: &Progress,
    ) -> Result<Files, Error> {
        let mut files = Files::write(experiment, folder).map_err(Error::Prepare)?;
        for (at, runtime) in experiment.runtimes.iter().enumerate() {
            for (workload, Workload { name, .. }) in experiment.workloads.iter().enumerate() {
                let target = files.compiled_in.join(&format!("{at}-{workload}"));
                let Some(words) = runtime.compile(&files.call(workload, &target, &[])) else {
                    continue;
                };
                progress.doing(&format!("compiling {name} for {}", runtime.name));
                let compiled = files.compile(&words, signals)?.map(|()| target);
                files.compiled.insert((at, workload), compiled);
            }
        }
        Ok(files)
    }

    fn write(experiment: &Experiment, folder: Directory) -> io::Result<Files> {
        // Whoever called runs what is in it, and may change none of it: the copy of this program runs as root.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).map(|()| path)
        };
        let loader = write("loader.mjs", include_str!("loader.mjs"))?;
        let script = write("observe.ewq", observation::SCRIPT)?;
        let copy = folder.join("ewapa");
        let needs_copy = |runtime: &Runtime| runtime.is_this_program();
        if experiment.plan.observed || experiment.runtimes.iter().any(needs_copy) {
            std::fs::copy(&experiment.ewapa, &copy)?;
        }
        let modules = experiment
            .workloads
            .iter()
            .map(|workload| workload.module_in(folder.path()));
        let compiled_in = user::as_caller(|| match folder.is_temporary() {
            true => Directory::new(),
            false => Directory::lasting(folder.join("compiled")),
        })?;
        Ok(Files {
            compiled_in,
            modules: modules.collect::<io::Result<Vec<_>>>()?,
            loader,
            script,
            copy,
            compiled: HashMap::new(),
            _folder: folder,
        })
    }

    /// Runs a command that compiles a module; within it, why it could not.
    fn compile(&self, words: &[OsString], signals: &Signals) -> Result<Result<(), String>, Error> {
        let log = self.compiled_in.join("log");
        let ended = (|| {
            let (null, out) = (File::open("/dev/null")?, File::create(&log)?);
            let program = Program {
                words,
                directory: self.compiled_in.path(),
                streams: [&null, &out, &out],
                as_caller: true,
            };
            child::run(&program, COMPILE, signals)
        })()
        .map_err(Error::Prepare)?;
        Ok(match ended {
            Ended::Interrupted(signal) => return Err(trial::Error::Interrupted(signal).into()),
            Ended::Itself(measured) if measured.status.success() => Ok(()),
            Ended::Itself(_) | Ended::Timeout => {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                let said = said.lines().next().unwrap_or("it says nothing");
                let said = cells::escape(said);
                Err(format!("the module cannot be compiled: {said}"))
            }
        })
    }

    /// What a runtime has made of a workload's module; an empty path if it makes nothing of it.
    ///
    /// # Errors
    /// It could not.
    pub fn compiled(&self, runtime: usize, workload: usize) -> Result<&Path, &str> {
        match self.compiled.get(&(runtime, workload)) {
            None => Ok(Path::new("")),
            Some(Ok(path)) => Ok(path),
            Some(Err(text)) => Err(text),
        }
    }

    /// What stands for the words in braces.
    pub fn call<'c>(&'c self, workload: usize, compiled: &'c Path, args: &'c [String]) -> Call<'c> {
        Call {
            module: &self.modules[workload],
            compiled,
            loader: &self.loader,
            copy: &self.copy,
            args,
        }
    }

    /// Makes a folder for each combination. Gives their names.
    ///
    /// # Errors
    /// There is no place.
    pub fn lay_out(&self, experiment: &Experiment, folder: &Directory) -> io::Result<Vec<String>> {
        let scales = &experiment.plan.scales;
        let mut names = Vec::new();
        for (at, runtime) in experiment.runtimes.iter().enumerate() {
            for (number, workload) in experiment.workloads.iter().enumerate() {
                // What cannot be compiled cannot be run.
                let Ok(compiled) = self.compiled(at, number) else {
                    continue;
                };
                for &scale in scales {
                    if !workload.has_scale() && Some(&scale) != scales.iter().min() {
                        continue;
                    }
                    let name = format!("{}-{}-{scale}", runtime.name, workload.name);
                    let args = workload.arguments(scale);
                    let words = runtime.run(&self.call(number, compiled, &args));
                    let path = folder.join(&name);
                    user::as_caller(|| fill(&path, workload, scale, &words))?;
                    names.push(name);
                }
            }
        }
        Ok(names)
    }
}

/// Makes a folder with what a run needs.
fn fill(path: &Path, workload: &Workload, scale: u64, words: &[OsString]) -> io::Result<()> {
    let folder = Directory::lasting(path.to_owned())?;
    workload.prepare(scale, &folder)?;
    let (stdin, path) = (workload.stdin(&folder), folder.join("stdin"));
    if stdin != path {
        std::os::unix::fs::symlink(std::path::absolute(stdin)?, path)?;
    }
    let quoted = |word: &OsString| format!("'{}'", word.to_string_lossy().replace('\'', "'\\''"));
    let words: Vec<String> = words.iter().map(quoted).collect();
    std::fs::write(folder.join("command"), words.join(" ") + "\n")
}
