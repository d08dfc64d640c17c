//! The runtimes of an experiment: which are there, and how each is told to run a module.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::directory::Directory;
use super::plan::{Plan, RuntimeEntry};
use crate::engine::privileges::user;

/// The runtimes that ewapa knows how to call.
const TABLE: &str = include_str!("runtimes.toml");

/// A runtime that is there.
#[derive(Debug, Clone)]
pub struct Runtime {
    /// Its name in results.
    pub name: String,
    /// Its version; empty if it does not tell.
    pub version: String,
    /// Whether it can have probes.
    pub observed: bool,
    program: Program,
    compile: Vec<String>,
    run: Vec<String>,
}

/// Where a runtime's program is.
#[derive(Debug, Clone)]
enum Program {
    /// In a file.
    File(PathBuf),
    /// In a copy of this program.
    Copy,
}

/// What stands for the words in braces.
#[derive(Debug)]
pub struct Call<'a> {
    /// The module.
    pub module: &'a Path,
    /// What has been made of it, or where that goes.
    pub compiled: &'a Path,
    /// What runs a module on Node.js.
    pub loader: &'a Path,
    /// A copy of this program.
    pub copy: &'a Path,
    /// The guest's arguments.
    pub args: &'a [String],
}

/// A runtime of a plan that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such name.
    #[error(
        "no runtime is called `{name}`; known are {known}; a [[runtime]] in the plan describes others"
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// It is not installed.
    #[error(
        "the runtime {name} is not there: no program `{program}` was found; add it to PATH, or give its path as `program` of a [[runtime]]"
    )]
    Missing {
        /// The runtime.
        name: String,
        /// Its program.
        program: String,
    },
    /// It is installed, but was built without this.
    #[error("the program {} cannot do what the runtime {name} needs: `{command}` failed", program.display())]
    Unable {
        /// The runtime.
        name: String,
        /// Its program.
        program: PathBuf,
        /// What it was asked to do.
        command: String,
    },
    /// An entry without commands.
    #[error("the runtime {name} has no `{what}`; give it, or a runtime to be `like`")]
    Incomplete {
        /// The runtime.
        name: String,
        /// What it lacks.
        what: &'static str,
    },
    /// The bundled table.
    #[error("the table of runtimes cannot be read: {0}")]
    Table(#[from] toml::de::Error),
}

#[derive(Deserialize)]
struct Table {
    runtime: Vec<RuntimeEntry>,
}

/// The runtimes of a plan, in its order; all that are found if it names none.
///
/// # Errors
/// A runtime that the plan names is not known or not there.
pub fn of_plan(plan: &Plan) -> Result<Vec<Runtime>, Error> {
    let table: Table = toml::from_str(TABLE)?;
    let entries = joined(table.runtime, &plan.runtime)?;
    if plan.runtimes.is_empty() {
        let found = entries
            .iter()
            .map(Runtime::find)
            .filter(|found| !matches!(found, Err(Error::Missing { .. } | Error::Unable { .. })));
        return found.collect();
    }
    let named = |name: &String| {
        let entry = entries.iter().find(|entry| &entry.name == name);
        let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        let unknown = || Error::Unknown {
            name: name.clone(),
            known: names.join(", "),
        };
        Runtime::find(entry.ok_or_else(unknown)?)
    };
    plan.runtimes.iter().map(named).collect()
}

/// The table with a plan's entries: each takes what it does not say from the one that it is like, or from the
/// one whose name it has.
fn joined(table: Vec<RuntimeEntry>, own: &[RuntimeEntry]) -> Result<Vec<RuntimeEntry>, Error> {
    let mut entries = table.clone();
    for entry in own {
        let mut entry = entry.clone();
        let name = entry.like.as_ref().unwrap_or(&entry.name);
        let model = table.iter().find(|known| &known.name == name);
        match (model, &entry.like) {
            (Some(model), _) => {
                if entry.run.is_empty() {
                    entry.run.clone_from(&model.run);
                    entry.check.clone_from(&model.check);
                    entry.compile.clone_from(&model.compile);
                }
                entry.program = entry.program.or_else(|| model.program.clone());
                entry.observed &= model.observed;
            }
            (None, Some(like)) => {
                let names: Vec<&str> = table.iter().map(|known| known.name.as_str()).collect();
                return Err(Error::Unknown {
                    name: like.clone(),
                    known: names.join(", "),
                });
            }
            (None, None) => {}
        }
        match entries.iter_mut().find(|known| known.name == entry.name) {
            Some(known) => *known = entry,
            None => entries.push(entry),
        }
    }
    Ok(entries)
}

impl Runtime {
    fn find(entry: &RuntimeEntry) -> Result<Runtime, Error> {
        let incomplete = |what| Error::Incomplete {
            name: entry.name.clone(),
            what,
        };
        let program = entry
            .program
            .as_ref()
            .ok_or_else(|| incomplete("program"))?;
        if entry.run.is_empty() {
            return Err(incomplete("run"));
        }
        let (version, program) = if program == "{ewapa}" {
            (env!("CARGO_PKG_VERSION").to_owned(), Program::Copy)
        } else {
            let path = in_path(program).ok_or_else(|| Error::Missing {
                name: entry.name.clone(),
                program: program.clone(),
            })?;
            if !can(&path, &entry.check) {
                return Err(Error::Unable {
                    name: entry.name.clone(),
                    program: path,
                    command: entry.check.join(" "),
                });
            }
            (version(&path), Program::File(path))
        };
        Ok(Runtime {
            name: entry.name.clone(),
            version,
            observed: entry.observed,
            program,
            compile: entry.compile.clone(),
            run: entry.run.clone(),
        })
    }

    /// Whether it is the one that is built in.
    pub fn is_this_program(&self) -> bool {
        matches!(self.program, Program::Copy)
    }

    /// The file name of its program.
    pub fn program_name(&self) -> String {
        match &self.program {
            Program::File(path) => path
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            Program::Copy => "ewapa".to_owned(),
        }
    }

    /// The words that compile a module, if the runtime does that in advance.
    pub fn compile(&self, call: &Call<'_>) -> Option<Vec<OsString>> {
        (!self.compile.is_empty()).then(|| self.words(&self.compile, call))
    }

    /// The words that run a module.
    pub fn run(&self, call: &Call<'_>) -> Vec<OsString> {
        self.words(&self.run, call)
    }

    fn words(&self, template: &[String], call: &Call<'_>) -> Vec<OsString> {
        let program = match &self.program {
            Program::File(path) => path,
            Program::Copy => call.copy,
        };
        let mut words = Vec::new();
        for word in template {
            if word == "{args}" {
                words.extend(call.args.iter().map(OsString::from));
                continue;
            }
            words.push(filled(
                word,
                &[
                    ("{program}", program),
                    ("{module}", call.module),
                    ("{compiled}", call.compiled),
                    ("{loader}", call.loader),
                ],
            ));
        }
        words
    }
}

/// A word with paths in the place of the names in braces.
fn filled(word: &str, places: &[(&str, &Path)]) -> OsString {
    let mut filled = OsString::new();
    let mut rest = word;
    while !rest.is_empty() {
        match places.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, path)) => {
                filled.push(path);
                rest = &rest[name.len()..];
            }
            None => {
                let end = rest[1..].find('{').map_or(rest.len(), |at| at + 1);
                let end = (end..=rest.len())
                    .find(|end| rest.is_char_boundary(*end))
                    .unwrap_or(rest.len());
                filled.push(&rest[..end]);
                rest = &rest[end..];
            }
        }
    }
    filled
}

/// A program by its path, or by its name in `PATH`, as an absolute path.
fn in_path(name: &str) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(path)
            .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
    };
    let found = if name.contains('/') {
        Some(PathBuf::from(name)).filter(is_program)
    } else {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(is_program)
    }?;
    std::path::absolute(found).ok()
}

/// Whether a program does what it is asked to with an empty module.
fn can(program: &Path, check: &[String]) -> bool {
    if check.is_empty() {
        return true;
    }
    let run = || -> std::io::Result<bool> {
        let folder = user::as_caller(|| {
            let folder = Directory::new()?;
            std::fs::write(folder.join("empty.wasm"), b"\0asm\x01\0\0\0")?;
            Ok(folder)
        })?;
        let module = folder.join("empty.wasm");
        let places = [("{program}", program), ("{module}", module.as_path())];
        let words: Vec<OsString> = check.iter().map(|word| filled(word, &places)).collect();
        let mut command = Command::new(&words[0]);
        user::run_as_caller(&mut command);
        let status = command
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        Ok(status.success())
    };
    run().unwrap_or(false)
}

/// What a program says its version is: the first word of `--version` that begins with a digit.
fn version(program: &Path) -> String {
    let mut command = Command::new(program);
    user::run_as_caller(&mut command);
    let output = command
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            version_in(&String::from_utf8_lossy(&output.stdout))
        }
        _ => String::new(),
    }
}

fn version_in(text: &str) -> String {
    let words = text.lines().next().unwrap_or_default().split_whitespace();
    words
        .map(|word| word.strip_prefix('v').unwrap_or(word))
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Plan {
        Plan::parse("p", text, Path::new("/plans")).unwrap()
    }

    fn words(runtime: &Runtime) -> Vec<OsString> {
        runtime.run(&Call {
            module: Path::new("/m.wasm"),
            compiled: Path::new("/m.cwasm"),
            loader: Path::new("/loader.mjs"),
            copy: Path::new("/copy"),
            args: &["{module}".to_owned(), "10".to_owned()],
        })
    }

    #[test]
    fn the_runtime_that_is_built_in_is_always_found() {
        let found = of_plan(&plan("")).unwrap();
        let guest = found.iter().find(|found| found.name == "ewapa-guest");
        assert_eq!(
            words(guest.unwrap()),
            ["/copy", "guest", "--dir=.", "/m.wasm", "{module}", "10"]
        );
    }

    #[test]
    fn a_runtime_of_a_plan_is_called_like_another() {
        let text = "runtimes = [\"old\"]\n[[runtime]]\nname = \"old\"\nlike = \"wasmtime-aot\"\nprogram = \"/bin/true\"";
        let found = of_plan(&plan(text)).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(
            words(&found[0]),
            [
                "/bin/true",
                "run",
                "--allow-precompiled",
                "--dir=.",
                "/m.cwasm",
                "{module}",
                "10"
            ]
        );
    }

    #[test]
    fn what_is_not_known_or_not_there_is_refused() {
        for (text, part) in [
            ("runtimes = [\"wasmtme\"]", "no runtime is called `wasmtme`"),
            (
                "[[runtime]]\nname = \"a\"\nlike = \"b\"",
                "no runtime is called `b`",
            ),
            (
                "runtimes = [\"a\"]\n[[runtime]]\nname = \"a\"\nlike = \"wasm3\"\nprogram = \"bin/a\"",
                "no program `/plans/bin/a` was found",
            ),
            (
                "runtimes = [\"a\"]\n[[runtime]]\nname = \"a\"\nprogram = \"/bin/true\"",
                "has no `run`",
            ),
            (
                "runtimes = [\"a\"]\n[[runtime]]\nname = \"a\"\nlike = \"wasm3\"\nprogram = \"/bin/false\"\n\
                 run = [\"{program}\"]\ncheck = [\"{program}\", \"{module}\"]",
                "cannot do what the runtime a needs: `{program} {module}` failed",
            ),
        ] {
            let error = of_plan(&plan(text)).unwrap_err();
            assert!(error.to_string().contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn versions_are_found_in_what_programs_say() {
        assert_eq!(version_in("wasmtime 48.0.8 (abc 2026)\n"), "48.0.8");
        assert_eq!(version_in("v22.23.3\n"), "22.23.3");
        assert_eq!(version_in("Usage: iwasm [-options]\n 1"), "");
    }

    #[test]
    fn words_may_have_text_around_names_in_braces() {
        let at = Path::new("/ä");
        assert_eq!(
            filled("--x={module}:{y}ü", &[("{module}", at)]),
            "--x=/ä:{y}ü"
        );
    }
}
