//! The runs of a plan, one after the other, and their results as they come.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::directory::Directory;
use super::file::{self, Earlier, Results};
use super::files::Files;
use super::order::{Combinations, Job, Kind, Modes};
use super::plan::Plan;
use super::progress::Progress;
use super::result::{Line, Outcome, Run, ScriptRun};
use super::runtime::Runtime;
use super::schedule::{self, Schedule};
use super::trial::{self, Findings, Observer, Trial};
use super::workload::Workload;
use crate::engine::privileges::user;
use crate::engine::signals::Signals;

/// Everything that an experiment needs.
#[derive(Debug)]
pub struct Experiment {
    /// What is planned.
    pub plan: Plan,
    /// Its runtimes.
    pub runtimes: Vec<Runtime>,
    /// Its workloads.
    pub workloads: Vec<Workload>,
    /// What the order is shuffled by.
    pub seed: u64,
    /// This program.
    pub ewapa: PathBuf,
}

/// What an experiment came to.
#[derive(Debug)]
pub struct Ending {
    /// How many runs were made now.
    pub runs: usize,
    /// How many of those that were planned are not done.
    pub left: usize,
    /// What went wrong how often, the most frequent first: runtime and workload, how it ended, why.
    pub troubles: Vec<(String, usize)>,
    /// Why it ended before its end.
    pub stopped: Option<Stop>,
}

/// Why an experiment ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The user wanted it, by this signal.
    Signal(i32),
    /// The plan's budget.
    Budget,
}

/// Why an experiment cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A run.
    #[error(transparent)]
    Trial(#[from] trial::Error),
    /// The results.
    #[error(transparent)]
    Results(#[from] file::Error),
    /// The files that all runs need.
    #[error("cannot prepare the experiment: {0}")]
    Prepare(io::Error),
}

/// A run by what makes it one of its own: runtime, workload, scale, repetition, what is looked at.
type Key = (String, String, u64, u32, Kind);

impl Experiment {
    /// All its runs in their order.
    pub fn jobs(&self) -> Vec<Job> {
        let modes: Vec<Modes> = self
            .runtimes
            .iter()
            .map(|runtime| Modes {
                observed: self.plan.observed && runtime.observed,
                bare: self.plan.bare,
                scripts: if runtime.observed {
                    self.plan.scripts.len()
                } else {
                    0
                },
            })
            .collect();
        let workloads: Vec<bool> = self.workloads.iter().map(Workload::has_scale).collect();
        Combinations {
            runtimes: &modes,
            workloads: &workloads,
            scales: &self.plan.scales,
            repetitions: self.plan.repetitions,
        }
        .shuffled(self.seed)
    }

    /// Makes the runs that are not done.
    ///
    /// # Errors
    /// There is no place for results or runs, or probes cannot be had at all.
    pub fn run(&self, earlier: Option<&Earlier>, results: &mut Results) -> Result<Ending, Error> {
        let signals = Signals::take().map_err(Error::Prepare)?;
        let jobs = self.jobs();
        let done: HashSet<Key> = earlier.into_iter().flat_map(|it| self.done(it)).collect();
        let jobs: Vec<Job> = jobs
            .into_iter()
            .filter(|job| !done.contains(&self.key(job)))
            .collect();
        let progress = Progress::new(jobs.len() + done.len(), done.len());
        let folder = Directory::new().map_err(Error::Prepare)?;
        let files = Files::prepare(self, folder, &signals, &progress);
        let ending = match files {
            Err(Error::Trial(trial::Error::Interrupted(signal))) => Ok(Ending {
                runs: 0,
                left: jobs.len(),
                troubles: Vec::new(),
                stopped: Some(Stop::Signal(signal)),
            }),
            Err(error) => Err(error),
            Ok(files) => Session {
                experiment: self,
                signals: &signals,
                progress: &progress,
                files,
                outputs: HashMap::new(),
                prepared: HashMap::new(),
            }
            .run(&jobs, results),
        };
        progress.end();
        ending
    }

    /// Runs nothing: makes a folder for each combination with what the guest finds in `guest`, its standard input
    /// in `stdin`, and the command that runs it in `command`. Gives the names of the folders.
    ///
    /// # Errors
    /// There is no place, or the folder is there already.
    pub fn lay_out(&self, folder: &Path) -> Result<Vec<String>, Error> {
        let signals = Signals::take().map_err(Error::Prepare)?;
        let progress = Progress::new(0, 0);
        let folders = user::as_caller(|| {
            let folder = Directory::lasting(std::path::absolute(folder)?)?;
            let shared = Directory::lasting(folder.join("shared"))?;
            Ok((folder, shared))
        });
        let (folder, shared) = folders.map_err(Error::Prepare)?;
        let files = Files::prepare(self, shared, &signals, &progress);
        progress.end();
        files?.lay_out(self, &folder).map_err(Error::Prepare)
    }

    fn key(&self, job: &Job) -> Key {
        (
            self.runtimes[job.runtime].name.clone(),
            self.workloads[job.workload].name.clone(),
            job.scale,
            job.repetition,
            job.kind,
        )
    }

    /// The runs that a file of results has.
    fn done(&self, earlier: &Earlier) -> Vec<Key> {
        let runs = earlier.runs.iter().map(|run| {
            let kind = if run.observed {
                Kind::Observed
            } else {
                Kind::Bare
            };
            let (runtime, workload) = (run.runtime.clone(), run.workload.clone());
            (runtime, workload, run.scale, run.repetition, kind)
        });
        let scripts = earlier.scripts.iter().filter_map(|run| {
            let mut scripts = self.plan.scripts.iter();
            let kind = Kind::Script(scripts.position(|script| *script == run.script)?);
            let (runtime, workload) = (run.runtime.clone(), run.workload.clone());
            Some((runtime, workload, run.scale, run.repetition, kind))
        });
        runs.chain(scripts).collect()
    }
}

/// An experiment that goes on.
struct Session<'a> {
    experiment: &'a Experiment,
    signals: &'a Signals,
    progress: &'a Progress,
    files: Files,
    /// What stands for the first right output, by runtime, workload and scale.
    outputs: HashMap<(usize, usize, u64), u64>,
    /// What guests find that only read, by workload and scale: to make it anew for each run would take longer than the run.
    prepared: HashMap<(usize, u64), Directory>,
}

impl Session<'_> {
    fn run(&mut self, jobs: &[Job], results: &mut Results) -> Result<Ending, Error> {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        let mut troubles: HashMap<String, usize> = HashMap::new();
        let mut runs = 0;
        let mut stopped = self.warm_up(jobs)?;
        let mut behind = 0;
        'experiment: for repetition in jobs.chunk_by(|one, next| one.repetition == next.repetition)
        {
            // The first repetition tells what runs take: of the others there are as many as there is time for.
            let ahead = &jobs[behind..];
            let time = match behind {
                0 => None,
                _ => self.time_left(start),
            };
            let mut shares = schedule.shares(ahead, time);
            behind += repetition.len();
            for job in repetition {
                let share = shares.entry(schedule::combination(job)).or_default();
                if *share == 0 {
                    continue;
                }
                *share -= 1;
                if self.time_left(start).is_some_and(|left| left.is_zero()) {
                    stopped = stopped.or(Some(Stop::Budget));
                }
                if stopped.is_some() {
                    break 'experiment;
                }
                self.progress.doing(&self.name(job));
                let began = Instant::now();
                match self.trial(job) {
                    Ok(findings) => {
                        let findings = self.compare(job, findings);
                        let trouble = self.trouble(job, &findings);
                        let found = found(&findings, trouble.is_some());
                        self.progress
                            .ran(job, &self.name(job), &found, trouble.as_deref());
                        if let Some(trouble) = trouble {
                            *troubles.entry(trouble).or_default() += 1;
                        }
                        results.add(&self.line(job, findings))?;
                        runs += 1;
                        schedule.ran(job, began.elapsed());
                    }
                    Err(trial::Error::Interrupted(signal)) => stopped = Some(Stop::Signal(signal)),
                    Err(error) => return Err(error.into()),
                }
                let left = shares.iter().map(|(combination, runs)| {
                    (*runs as usize, schedule.expected(combination) * *runs)
                });
                let (left, time) = left.fold((0, Duration::ZERO), |sum, next| {
                    (sum.0 + next.0, sum.1 + next.1)
                });
                let most = self.time_left(start).unwrap_or(Duration::MAX);
                self.progress.expects(left, time.min(most));
            }
        }
        let mut troubles: Vec<_> = troubles.into_iter().collect();
        troubles.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
        let left = jobs.len() - runs;
        if left > 0 {
            stopped = stopped.or(Some(Stop::Budget));
        }
        Ok(Ending {
            runs,
            left,
            troubles,
            stopped,
        })
    }

    /// What is left of the plan's time; none if it has no limit.
    fn time_left(&self, start: Instant) -> Option<Duration> {
        let budget = self.experiment.plan.budget.as_ref()?;
        Some(budget.duration.saturating_sub(start.elapsed()))
    }

    /// Runs each runtime with each workload at its smallest scale, without probes if there are such runs, and does not keep what came
    /// of it.
    fn warm_up(&mut self, jobs: &[Job]) -> Result<Option<Stop>, Error> {
        let Some(&scale) = self.experiment.plan.scales.iter().min() else {
            return Ok(None);
        };
        let mut seen = HashSet::new();
        for job in jobs {
            if !seen.insert((job.runtime, job.workload)) {
                continue;
            }
            for _ in 0..self.experiment.plan.warmup {
                let kind = match self.experiment.plan.bare {
                    true => Kind::Bare,
                    false => job.kind,
                };
                let job = Job {
                    scale,
                    kind,
                    ..*job
                };
                self.progress
                    .doing(&format!("warming up: {}", self.name(&job)));
                match self.trial(&job) {
                    Ok(_) => {}
                    Err(trial::Error::Interrupted(signal)) => {
                        return Ok(Some(Stop::Signal(signal)));
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(None)
    }

    fn name(&self, job: &Job) -> String {
        let probes = match job.kind {
            Kind::Bare => String::new(),
            Kind::Observed => ", with probes".to_owned(),
            Kind::Script(at) => format!(", with {}", self.experiment.plan.scripts[at]),
        };
        format!(
            "{} {} {}{probes}",
            self.experiment.runtimes[job.runtime].name,
            self.experiment.workloads[job.workload].name,
            job.scale
        )
    }

    fn trial(&mut self, job: &Job) -> Result<Findings, trial::Error> {
        let workload = &self.experiment.workloads[job.workload];
        let compiled = match self.files.compiled(job.runtime, job.workload) {
            Ok(path) => path,
            Err(text) => return Ok(Findings::of(Outcome::Failed, text.to_owned())),
        };
        let args = workload.arguments(job.scale);
        let script = match job.kind {
            Kind::Bare => None,
            Kind::Observed => Some(self.files.script.as_path()),
            Kind::Script(at) => Some(Path::new(&self.experiment.plan.scripts[at])),
        };
        let observer = script.map(|script| Observer {
            ewapa: &self.files.copy,
            script,
            measures: job.kind == Kind::Observed,
        });
        let call = self.files.call(job.workload, compiled, &args);
        let trial = Trial {
            workload,
            scale: job.scale,
            words: self.experiment.runtimes[job.runtime].run(&call),
            observer: observer.as_ref(),
            timeout: self.experiment.plan.timeout.duration,
        };
        let place = (job.workload, job.scale);
        let directory = match self.prepared.remove(&place) {
            Some(directory) => directory,
            None => trial.prepare()?,
        };
        let findings = trial.run(&directory, self.signals)?;
        if workload.only_reads && findings.outcome == Outcome::Ok {
            self.prepared.insert(place, directory);
        }
        Ok(findings)
    }

    /// Compares what a run printed with what the first one did, if that has to be the same.
    fn compare(&mut self, job: &Job, mut findings: Findings) -> Findings {
        let same_output = self.experiment.workloads[job.workload].same_output;
        if same_output && findings.outcome == Outcome::Ok {
            let key = (job.runtime, job.workload, job.scale);
            if *self.outputs.entry(key).or_insert(findings.output) != findings.output {
                findings.outcome = Outcome::Wrong;
                findings.detail =
                    Some("standard output differs from that of a run before".to_owned());
            }
        }
        findings
    }

    /// What went wrong with a run, at whatever scale.
    fn trouble(&self, job: &Job, findings: &Findings) -> Option<String> {
        let how = match findings.outcome {
            Outcome::Ok => return None,
            Outcome::Failed => "failed",
            Outcome::Timeout => "took too long",
            Outcome::Wrong => "was wrong",
        };
        let runtime = &self.experiment.runtimes[job.runtime].name;
        let workload = &self.experiment.workloads[job.workload].name;
        let detail = findings.detail.as_deref().unwrap_or_default();
        Some(format!("{runtime} {workload} {how}: {detail}"))
    }

    /// The line of a run in the results.
    fn line(&self, job: &Job, findings: Findings) -> Line {
        let runtime = &self.experiment.runtimes[job.runtime];
        let workload = &self.experiment.workloads[job.workload];
        if let Kind::Script(at) = job.kind {
            return Line::Script(Box::new(ScriptRun {
                script: self.experiment.plan.scripts[at].clone(),
                runtime: runtime.name.clone(),
                version: runtime.version.clone(),
                workload: workload.name.clone(),
                scale: job.scale,
                repetition: job.repetition,
                order: job.order,
                outcome: findings.outcome,
                detail: findings.detail,
                lines: findings.lines,
            }));
        }
        let observation = findings.observation;
        Line::Run(Box::new(Run {
            runtime: runtime.name.clone(),
            version: runtime.version.clone(),
            program: runtime.program_name(),
            workload: workload.name.clone(),
            scale: job.scale,
            repetition: job.repetition,
            order: job.order,
            observed: job.kind == Kind::Observed,
            outcome: findings.outcome,
            detail: findings.detail,
            total: findings.total,
            startup: observation.startup,
            peak_memory: findings.peak_memory,
            functions: observation.functions,
            lost: observation.lost,
            probe_cost: observation.probe_cost,
        }))
    }
}

/// What came of a run, in few words.
fn found(findings: &Findings, is_trouble: bool) -> String {
    let detail = findings.detail.as_deref().unwrap_or_default();
    match (findings.outcome, findings.total) {
        (Outcome::Ok, Some(total)) => format!("{:.1} ms", total as f64 / 1e6),
        (Outcome::Timeout, _) => format!("took too long: {detail}"),
        (Outcome::Wrong, _) => format!("was wrong: {detail}"),
        _ if is_trouble => format!("failed: {detail}"),
        _ => "ran".to_owned(),
    }
}
