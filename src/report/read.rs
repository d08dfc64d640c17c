//! Results files: one JSON object a line.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::bench::result::{Experiment, Line, Run, SCHEMA};
use crate::failure::{Failure, Kind};
use crate::output::cells::is_active;
use crate::output::words::count;

/// What the files hold.
#[derive(Debug, Clone, Default)]
pub struct Results {
    /// What was planned, in the order of the files.
    pub experiments: Vec<Experiment>,
    /// The runs.
    pub runs: Vec<Run>,
    /// How many runs with scripts of a plan there are.
    pub scripts: usize,
    /// What is to be said about the files.
    pub notes: Vec<String>,
}

/// Reads results files.
///
/// # Errors
/// A file cannot be read, or a line of it is no result of a version that is known. That the last line was
/// not written to its end is none: it is left out and said.
pub fn read(paths: &[PathBuf]) -> Result<Results, Failure> {
    let mut results = Results::default();
    for path in paths {
        read_one(path, &mut results)?;
    }
    if results.runs.is_empty() {
        let names: Vec<String> = paths
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let text = format!("there is no run in {}", names.join(", "));
        return Err(Failure::new(Kind::NoInput, text));
    }
    Ok(results)
}

fn read_one(path: &Path, results: &mut Results) -> Result<(), Failure> {
    let shown = path.display();
    let cannot = |error| Failure::new(Kind::NoInput, format!("cannot read {shown}: {error}"));
    let mut reader = BufReader::new(File::open(path).map_err(cannot)?);
    let mut line = String::new();
    let mut number = 0;
    let mut scripts = 0;
    loop {
        line.clear();
        if reader.read_line(&mut line).map_err(cannot)? == 0 {
            break;
        }
        number += 1;
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(&line) {
            Ok(Line::Experiment(mut experiment)) => {
                clean(&mut experiment.machine);
                if experiment.schema != SCHEMA {
                    let text = format!(
                        "{shown}, line {number}: the results are of version {}, and this ewapa reads \
                         version {SCHEMA}: use the ewapa {} that wrote them",
                        experiment.schema, experiment.ewapa
                    );
                    return Err(Failure::new(Kind::NoInput, text));
                }
                results.experiments.push(experiment);
            }
            Ok(Line::Run(mut run)) => {
                for text in texts(&mut run) {
                    clean(text);
                }
                results.runs.push(*run);
            }
            // What scripts of the plan say is for those who wrote them.
            Ok(Line::Script(_)) => scripts += 1,
            Err(_) if !line.ends_with('\n') => {
                let note =
                    format!("the last line of {shown} was not written to its end: it is left out");
                results.notes.push(note);
            }
            Err(error) => {
                let text =
                    format!("{shown}, line {number}: this is no result of `ewapa bench`: {error}");
                return Err(Failure::new(Kind::NoInput, text));
            }
        }
    }
    results.scripts += scripts;
    if scripts > 0 {
        results.notes.push(format!(
            "{shown} has {} with scripts of its plan: what they say is not in a report",
            count(scripts, "run")
        ));
    }
    Ok(())
}

/// The texts of a run that come to be shown.
fn texts(run: &mut Run) -> impl Iterator<Item = &mut String> {
    let names = [&mut run.runtime, &mut run.version, &mut run.workload];
    let functions = run.functions.iter_mut().map(|function| &mut function.func);
    names.into_iter().chain(&mut run.detail).chain(functions)
}

/// Results may come from elsewhere: what would move a terminal's cursor, or change the colour or the direction of
/// its text, is shown as a sign of its own.
fn clean(text: &mut String) {
    let is_harmful = |character: char| is_active(character) && character != '\n';
    if text.contains(is_harmful) {
        *text = text.replace(is_harmful, "\u{fffd}");
    }
}
