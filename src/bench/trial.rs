//! One run: its folder, its process, and what came of it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use super::child::{self, Ended, Measured, Program};
use super::directory::Directory;
use super::observation::{self, Observation};
use super::result::Outcome;
use super::statement;
use super::workload::Workload;
use crate::engine::privileges::user;
use crate::engine::signals::Signals;
use crate::failure::Kind;
use crate::output::cells;

/// A run to be made.
#[derive(Debug)]
pub struct Trial<'a> {
    /// What the guest does.
    pub workload: &'a Workload,
    /// At which scale.
    pub scale: u64,
    /// The runtime's program and its arguments.
    pub words: Vec<OsString>,
    /// With which probes; none is a bare run.
    pub observer: Option<&'a Observer<'a>>,
    /// It is ended after this time.
    pub timeout: Duration,
}

/// What observes a run.
#[derive(Debug)]
pub struct Observer<'a> {
    /// A copy of this program.
    pub ewapa: &'a Path,
    /// The script: its file or its name.
    pub script: &'a Path,
    /// Whether this is the measuring script and not one of the plan.
    pub measures: bool,
}

/// What came of a run.
#[derive(Debug)]
pub struct Findings {
    /// How it ended.
    pub outcome: Outcome,
    /// What went wrong.
    pub detail: Option<String>,
    /// From exec to the end of the process.
    pub total: Option<u64>,
    /// The most memory that was resident.
    pub peak_memory: Option<u64>,
    /// What probes saw.
    pub observation: Observation,
    /// What a script of the plan wrote.
    pub lines: Vec<serde_json::Value>,
    /// What stands for its standard output, to compare it with another one.
    pub output: u64,
}

/// Why there is no result at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The run's folder or process.
    #[error("cannot run {workload}: {source}")]
    Io {
        /// The workload.
        workload: String,
        /// Why.
        source: io::Error,
    },
    /// ewapa itself cannot put probes on anything here.
    #[error("{text}")]
    Probes {
        /// What ewapa said.
        text: String,
        /// What kind of failure that is.
        kind: Kind,
    },
    /// The user wants an end, by this signal.
    #[error("interrupted")]
    Interrupted(i32),
}

/// Bytes of standard error that are looked at.
const STDERR: usize = 64 * 1024;

impl Trial<'_> {
    /// A folder with what the guest finds.
    ///
    /// # Errors
    /// There is no place, or what is copied cannot be read.
    pub fn prepare(&self) -> Result<Directory, Error> {
        let prepared = user::as_caller(|| {
            let directory = Directory::new()?;
            self.workload.prepare(self.scale, &directory)?;
            Ok(directory)
        });
        prepared.map_err(|source| Error::Io {
            workload: self.workload.name.clone(),
            source,
        })
    }

    /// Makes the run in a folder that is prepared.
    ///
    /// # Errors
    /// It could not be made; that the guest failed is a finding.
    pub fn run(&self, directory: &Directory, signals: &Signals) -> Result<Findings, Error> {
        let failed = |source| Error::Io {
            workload: self.workload.name.clone(),
            source,
        };
        let ended = self.start(directory, signals).map_err(failed)?;
        match ended {
            Ended::Interrupted(signal) => Err(Error::Interrupted(signal)),
            Ended::Timeout => Ok(Findings::of(
                Outcome::Timeout,
                format!("ended after {} s", self.timeout.as_secs_f64()),
            )),
            Ended::Itself(measured) => {
                let stderr = stderr(directory).map_err(failed)?;
                match self.observer {
                    Some(observer) => self.observed(observer, directory, &measured, &stderr),
                    None => {
                        let mut findings = self
                            .judge(directory, measured.status, &stderr)
                            .map_err(failed)?;
                        findings.total = Some(measured.total);
                        findings.peak_memory = measured.peak_memory;
                        Ok(findings)
                    }
                }
            }
        }
    }

    fn start(&self, directory: &Directory, signals: &Signals) -> io::Result<Ended> {
        let table = directory.join("observation");
        let (stdin, stdout, stderr) = user::as_caller(|| {
            // The run before in this folder has left its own.
            for path in [&table, &directory.join("stdout"), &directory.join("stderr")] {
                match fs::remove_file(path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            Ok((
                File::open(self.workload.stdin(directory))?,
                File::create(directory.join("stdout"))?,
                File::create(directory.join("stderr"))?,
            ))
        })?;
        let mut words = Vec::new();
        if let Some(observer) = self.observer {
            words.extend([observer.ewapa.into(), "script".into()]);
            words.extend(["-f", "json", "-o"].map(OsString::from));
            words.extend([table.into(), observer.script.into(), "--".into()]);
        }
        words.extend(self.words.iter().cloned());
        let guest = directory.join("guest");
        let program = Program {
            words: &words,
            directory: &guest,
            streams: [&stdin, &stdout, &stderr],
            // An ewapa needs its rights, and gives the command the caller's itself.
            as_caller: self.observer.is_none(),
        };
        child::run(&program, self.timeout, signals)
    }

    /// A run with probes: its process is ewapa, whose exit code is that of the runtime.
    fn observed(
        &self,
        observer: &Observer<'_>,
        directory: &Directory,
        measured: &Measured,
        stderr: &str,
    ) -> Result<Findings, Error> {
        let failed = |source: io::Error| Error::Io {
            workload: self.workload.name.clone(),
            source,
        };
        let text = match fs::read_to_string(directory.join("observation")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text.map_err(failed)?,
        };
        if !observer.measures {
            let lines = text.lines().map(serde_json::from_str);
            let lines: Result<Vec<_>, _> = lines.collect();
            let mut findings = self
                .judge(directory, measured.status, stderr)
                .map_err(failed)?;
            findings.lines = lines.map_err(|error| failed(error.into()))?;
            return Ok(findings);
        }
        let observation = observation::read(&text).map_err(|error| failed(error.into()))?;
        let Some(observation) = observation else {
            let text = said_by_ewapa(stderr);
            return match (measured.status.code(), text) {
                (Some(code), Some(text)) if code == Kind::NoRights as i32 => Err(Error::Probes {
                    text,
                    kind: Kind::NoRights,
                }),
                (Some(code), Some(text)) if code == Kind::Kernel as i32 => Err(Error::Probes {
                    text,
                    kind: Kind::Kernel,
                }),
                (_, text) => Ok(Findings::of(
                    Outcome::Failed,
                    text.unwrap_or_else(|| failure(measured.status, stderr)),
                )),
            };
        };
        let mut findings = self
            .judge(directory, measured.status, stderr)
            .map_err(failed)?;
        if findings.outcome == Outcome::Ok
            && self.workload.states_calls
            && let Some(difference) = statement::difference(
                &statement::read(stderr),
                &observation.functions,
                &observation.hidden,
            )
        {
            findings.outcome = Outcome::Wrong;
            findings.detail = Some(difference);
        }
        findings.total = observation.total;
        findings.observation = observation;
        Ok(findings)
    }

    /// Whether a run that has ended is as it should be.
    fn judge(
        &self,
        directory: &Directory,
        status: ExitStatus,
        stderr: &str,
    ) -> io::Result<Findings> {
        if !status.success() {
            return Ok(Findings::of(Outcome::Failed, failure(status, stderr)));
        }
        let output = if self.workload.same_output {
            fs::read(directory.join("stdout"))?
        } else {
            Vec::new()
        };
        // A guest that says nothing where it has to, or leaves no file, is as wrong as one that lies.
        let mut wrong = match self.workload.judge(self.scale, directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Some("the file that was to be written is not there".to_owned())
            }
            judged => judged?,
        };
        if self.workload.states_calls && statement::read(stderr).is_empty() {
            wrong = wrong.or(Some("the guest did not state its calls".to_owned()));
        }
        let mut findings = Findings {
            outcome: Outcome::Ok,
            detail: None,
            total: None,
            peak_memory: None,
            observation: Observation::default(),
            lines: Vec::new(),
            output: hash(&output),
        };
        if let Some(wrong) = wrong {
            findings.outcome = Outcome::Wrong;
            findings.detail = Some(wrong);
        }
        Ok(findings)
    }
}

impl Findings {
    /// A run of which nothing is known but that it went wrong.
    pub fn of(outcome: Outcome, detail: String) -> Findings {
        Findings {
            outcome,
            detail: Some(detail),
            total: None,
            peak_memory: None,
            observation: Observation::default(),
            lines: Vec::new(),
            output: 0,
        }
    }
}

fn stderr(directory: &Directory) -> io::Result<String> {
    use std::io::Read;
    let mut bytes = Vec::new();
    File::open(directory.join("stderr"))?
        .take(STDERR as u64)
        .read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// How a process ended, and the line that tells most about it: the first that says it is an error, or the first that is
/// neither a warning nor what ewapa or a workload says of itself.
fn failure(status: ExitStatus, stderr: &str) -> String {
    let ended = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (_, Some(signal)) => format!("signal {signal}"),
        _ => "ended".to_owned(),
    };
    let lines = || {
        let lines = stderr.lines().map(str::trim);
        lines.filter(|line| !line.is_empty() && !line.starts_with("ewapa: the command "))
    };
    let begins = |line: &str, word: &str| {
        let start = line.get(..word.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    // `error: …`, and in JavaScript `LinkError: …`.
    let is_error = |line: &str| {
        let first = line.split_whitespace().next().unwrap_or_default();
        begins(line, "error") || first.ends_with("Error:")
    };
    let error = lines().find(|line| is_error(line));
    let other = lines().find(|line| !begins(line, "warning") && !begins(line, "calls "));
    let line = error.or(other).or_else(|| lines().next());
    // Some tell what was the matter only in the last of its causes, which have numbers if they are several.
    let causes = lines().skip_while(|line| *line != "Caused by:").skip(1);
    let numbered = causes.clone().zip(0..);
    let numbered = numbered.map_while(|(line, number)| line.strip_prefix(&format!("{number}: ")));
    let cause = numbered.last().or_else(|| causes.clone().next());
    let whole = line.map(|line| match cause {
        Some(cause) => format!("{line}: {cause}"),
        None => line.to_owned(),
    });
    match whole {
        // It may have been the guest: what it wrote must not reach a terminal as it is.
        Some(line) => format!("{ended}: {}", cells::escape(&line)),
        None => ended,
    }
}

/// The last thing that ewapa said itself.
fn said_by_ewapa(stderr: &str) -> Option<String> {
    let mut lines = stderr.lines().rev();
    lines
        .find_map(|line| line.strip_prefix("ewapa: "))
        .map(cells::escape)
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_by_the_first_line_about_it() {
        let status = ExitStatus::from_raw(1 << 8);
        let stderr = "ewapa: the command ended with exit code 1\n\ncannot seek\nmore\n";
        assert_eq!(failure(status, stderr), "exit code 1: cannot seek");
        assert_eq!(failure(ExitStatus::from_raw(9), ""), "signal 9");
        let stderr = "Error: failed to run\n\nCaused by:\n    0: no instance\n    1: unknown import\n\nStack backtrace:\n   0: main\n";
        assert_eq!(
            failure(status, stderr),
            "exit code 1: Error: failed to run: unknown import"
        );
        let stderr = "warning: deprecated\ncalls fd_read 1\nit broke\nError: no such file\n";
        assert_eq!(failure(status, stderr), "exit code 1: Error: no such file");
        assert_eq!(
            failure(status, &stderr[..stderr.len() - 21]),
            "exit code 1: it broke"
        );
        assert_eq!(
            failure(status, "warning: old\n"),
            "exit code 1: warning: old"
        );
        let red = failure(status, "\u{1b}[31mred\n");
        assert!(!red.contains('\u{1b}') && red.contains("[31mred"), "{red}");
    }

    #[test]
    fn what_ewapa_said_itself_is_told_apart() {
        let stderr = "thread panicked\newapa: root is needed\n";
        assert_eq!(said_by_ewapa(stderr).as_deref(), Some("root is needed"));
        assert_eq!(said_by_ewapa("something else\n"), None);
    }
}
