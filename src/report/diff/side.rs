//! One side: a results file, or one runtime of it.

use std::path::{Path, PathBuf};

use crate::bench::result::Run;
use crate::failure::{Failure, Kind};
use crate::report::read;
use crate::report::study::Study;

/// The runs of one side.
#[derive(Debug, Clone)]
pub struct Side {
    /// As it was given.
    pub name: String,
    /// Whether it is one runtime, which is compared whatever the other side's name is.
    pub is_one: bool,
    /// The runs.
    pub study: Study,
    /// What is to be said about the file.
    pub notes: Vec<String>,
}

impl Side {
    /// Reads `FILE` or `FILE@RUNTIME`, where the runtime is one by its name, or by its name and version.
    ///
    /// # Errors
    /// The file cannot be read, or has no such runtime.
    pub fn read(text: &str) -> Result<Side, Failure> {
        let (file, runtime) = match text.rsplit_once('@') {
            Some((file, runtime)) if !Path::new(text).exists() => (file, Some(runtime)),
            _ => (text, None),
        };
        let mut results = read::read(&[PathBuf::from(file)])?;
        if let Some(name) = runtime {
            let mut known: Vec<String> = results.runs.iter().flat_map(names).collect();
            results
                .runs
                .retain(|run| names(run).iter().any(|known| known == name));
            if results.runs.is_empty() {
                known.sort();
                known.dedup();
                let text = format!(
                    "{file} has no runs of the runtime {name}: it has those of {}",
                    known.join(", ")
                );
                return Err(Failure::new(Kind::Usage, text));
            }
        }
        Ok(Side {
            name: text.to_owned(),
            is_one: runtime.is_some(),
            study: Study::new(results.runs),
            notes: results.notes,
        })
    }

    /// A side of runs that are at hand.
    #[cfg(test)]
    pub fn of(name: &str, runs: Vec<Run>) -> Side {
        Side {
            name: name.to_owned(),
            is_one: false,
            study: Study::new(runs),
            notes: Vec::new(),
        }
    }
}

/// What a run's runtime can be called.
fn names(run: &Run) -> [String; 2] {
    let full = format!("{} {}", run.runtime, run.version);
    [run.runtime.clone(), full.trim_end().to_owned()]
}
