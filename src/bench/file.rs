//! The file that results go to, line by line as runs end.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::engine::privileges::user;

use super::result::{Experiment, Line, Run, SCHEMA, ScriptRun};

/// A results file that is written.
#[derive(Debug)]
pub struct Results {
    path: PathBuf,
    file: File,
}

/// What a results file held when it was opened again.
#[derive(Debug)]
pub struct Earlier {
    /// What was planned, by its first line.
    pub experiment: Experiment,
    /// The runs that are done.
    pub runs: Vec<Run>,
    /// The runs with scripts that are done.
    pub scripts: Vec<ScriptRun>,
}

/// Why results cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is such a file.
    #[error(
        "{} is there already; go on with it by `--resume {}`, or give another name with `-o`",
        path.display(),
        path.display()
    )]
    Exists {
        /// Its name.
        path: PathBuf,
    },
    /// The file system.
    #[error("cannot write the results to {}: {source}", path.display())]
    Write {
        /// Its name.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file system.
    #[error("cannot read the results in {}: {source}", path.display())]
    Read {
        /// Its name.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is something else.
    #[error("line {line} of {} is not a line of results: {text}", path.display())]
    Format {
        /// Its name.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// Why.
        text: String,
    },
}

impl Results {
    /// Makes the file, whose first line says what is planned.
    ///
    /// # Errors
    /// There is such a file already, or it cannot be written.
    pub fn create(path: &Path, experiment: &Experiment) -> Result<Results, Error> {
        let file = user::as_caller(|| OpenOptions::new().write(true).create_new(true).open(path));
        let file = file.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => Error::Exists {
                path: path.to_owned(),
            },
            _ => Error::Write {
                path: path.to_owned(),
                source,
            },
        })?;
        let mut results = Results {
            path: path.to_owned(),
            file,
        };
        results.add(&Line::Experiment(experiment.clone()))?;
        Ok(results)
    }

    /// Opens a file to go on with it. A last line that was not finished is cut off.
    ///
    /// # Errors
    /// It cannot be read or written, or it is no file of results.
    pub fn resume(path: &Path) -> Result<(Results, Earlier), Error> {
        let read = |source| Error::Read {
            path: path.to_owned(),
            source,
        };
        let text = user::as_caller(|| std::fs::read_to_string(path)).map_err(read)?;
        let end = text.rfind('\n').map_or(0, |at| at + 1);
        let earlier = parse(&text[..end]).map_err(|(line, text)| Error::Format {
            path: path.to_owned(),
            line,
            text,
        })?;
        let write = |source| Error::Write {
            path: path.to_owned(),
            source,
        };
        let file = user::as_caller(|| OpenOptions::new().append(true).open(path)).map_err(write)?;
        file.set_len(end as u64).map_err(write)?;
        let results = Results {
            path: path.to_owned(),
            file,
        };
        Ok((results, earlier))
    }

    /// Adds a line. It is in the file when this returns.
    ///
    /// # Errors
    /// There is no place.
    pub fn add(&mut self, line: &Line) -> Result<(), Error> {
        let text = serde_json::to_string(line).map_err(io::Error::from);
        text.and_then(|text| self.file.write_all(format!("{text}\n").as_bytes()))
            .map_err(|source| Error::Write {
                path: self.path.clone(),
                source,
            })
    }

    /// Its name.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Reads whole lines. An error is the number of its line, and why.
fn parse(text: &str) -> Result<Earlier, (usize, String)> {
    let mut experiment = None;
    let mut runs = Vec::new();
    let mut scripts = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line: Line = serde_json::from_str(line).map_err(|error| (number, error.to_string()))?;
        match line {
            Line::Experiment(found) if found.schema != SCHEMA => {
                let text = format!(
                    "its format is version {}, and this ewapa writes version {SCHEMA}",
                    found.schema
                );
                return Err((number, text));
            }
            Line::Experiment(found) => {
                experiment.get_or_insert(found);
            }
            Line::Run(run) => runs.push(*run),
            Line::Script(run) => scripts.push(*run),
        }
    }
    let experiment = experiment.ok_or((1, "nothing says what was planned".to_owned()))?;
    Ok(Earlier {
        experiment,
        runs,
        scripts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::directory::Directory;
    use crate::bench::result::Outcome;

    fn experiment() -> Experiment {
        Experiment {
            schema: SCHEMA,
            ewapa: "0".to_owned(),
            began: 1,
            machine: "m".to_owned(),
            seed: 2,
            plan: String::new(),
            runs: 3,
        }
    }

    fn run(order: usize) -> Line {
        Line::Run(Box::new(Run {
            runtime: "r".to_owned(),
            version: String::new(),
            program: "wasmtime".to_owned(),
            workload: "w".to_owned(),
            scale: 1,
            repetition: 0,
            order,
            observed: false,
            outcome: Outcome::Ok,
            detail: None,
            total: Some(1),
            startup: None,
            peak_memory: None,
            functions: Vec::new(),
            lost: 0,
            probe_cost: None,
        }))
    }

    #[test]
    fn a_file_that_was_cut_off_goes_on_behind_its_last_whole_line() {
        let directory = Directory::new().unwrap();
        let path = directory.join("results");
        let mut results = Results::create(&path, &experiment()).unwrap();
        results.add(&run(0)).unwrap();
        results.add(&run(1)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 5]).unwrap();
        let (mut results, earlier) = Results::resume(&path).unwrap();
        assert_eq!((earlier.experiment.seed, earlier.runs.len()), (2, 1));
        results.add(&run(1)).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn results_are_never_written_over() {
        let directory = Directory::new().unwrap();
        let path = directory.join("results");
        Results::create(&path, &experiment()).unwrap();
        let error = Results::create(&path, &experiment()).unwrap_err();
        assert!(error.to_string().contains("--resume"), "{error}");
    }

    #[test]
    fn what_is_no_file_of_results_is_refused() {
        let directory = Directory::new().unwrap();
        let path = directory.join("results");
        let mut later = experiment();
        later.schema += 1;
        for (text, part) in [
            (String::new(), "nothing says what was planned"),
            ("text\n".to_owned(), "line 1 of"),
            (
                serde_json::to_string(&Line::Experiment(later)).unwrap() + "\n",
                "this ewapa writes version",
            ),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Results::resume(&path).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
