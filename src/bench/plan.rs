//! What an experiment is made of, as a TOML file says it: runtimes, workloads, scales, repetitions.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::bundled;
use crate::command::seconds;

/// The plan if there is none.
const DEFAULT: &str = include_str!("default.toml");

/// The largest scale: that of the bundled workloads.
const LARGEST_SCALE: u64 = 10_000_000;

/// A plan. What is not in the file is as in the default plan; `runtimes` is then all that are found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The names of the runtimes: those of the table, and of [`Plan::runtime`].
    #[serde(default)]
    pub runtimes: Vec<String>,
    /// The names of the workloads: bundled ones, and those of [`Plan::workload`].
    #[serde(default)]
    pub workloads: Vec<String>,
    /// What `{scale}` is replaced with.
    #[serde(default)]
    pub scales: Vec<u64>,
    /// How often each combination runs.
    #[serde(default = "repetitions")]
    pub repetitions: u32,
    /// How often each runtime runs each workload at its smallest scale before anything is recorded.
    #[serde(default = "warmup")]
    pub warmup: u32,
    /// A run that takes longer is ended.
    #[serde(default = "timeout")]
    pub timeout: Time,
    /// So long runs are made. What takes little time runs as often as it should, what takes much less often, but
    /// three times if there is time for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Time>,
    /// What the order of runs is shuffled by; a new one each time if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Whether there are runs with probes.
    #[serde(default = "yes")]
    pub observed: bool,
    /// Whether there are runs without probes.
    #[serde(default = "yes")]
    pub bare: bool,
    /// Scripts that are run on every combination as well: files, or names of bundled ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scripts: Vec<String>,
    /// Runtimes that are in no table, or differ from it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runtime: Vec<RuntimeEntry>,
    /// Workloads that are not bundled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workload: Vec<WorkloadEntry>,
}

/// How a runtime is called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeEntry {
    /// Its name in results.
    pub name: String,
    /// A runtime of the table whose commands this one takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<String>,
    /// The program: a name that is looked up in `PATH`, or a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// What has to succeed on an empty module, or the program cannot do this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub check: Vec<String>,
    /// What makes `{compiled}` of a module, once for each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compile: Vec<String>,
    /// What runs a module.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub run: Vec<String>,
    /// Whether ewapa can put probes on it.
    #[serde(default = "yes")]
    pub observed: bool,
}

/// A workload of one's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadEntry {
    /// Its name in results.
    pub name: String,
    /// The module's file.
    pub module: PathBuf,
    /// Its arguments; `{scale}` in them is replaced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// The file that is its standard input; none otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<PathBuf>,
    /// The folder whose contents are copied to the guest's directory before each run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
    /// The standard output that it has to have; `{scale}` in it is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
    /// Whether a runtime has to print the same each time at the same scale.
    #[serde(default, skip_serializing_if = "is_false")]
    pub same_output: bool,
    /// Whether it writes lines `calls FUNCTION NUMBER` to standard error, for each function it called.
    #[serde(default, skip_serializing_if = "is_false")]
    pub states_calls: bool,
}

/// A time as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Time {
    text: String,
    /// How long it is.
    pub duration: Duration,
}

/// Why a plan cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file.
    #[error("cannot read the plan {}: {source}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What it says.
    #[error("the plan {name} cannot be used: {source}")]
    Format {
        /// Where it is.
        name: String,
        /// Why, and where in the text.
        source: Box<toml::de::Error>,
    },
    /// What it means.
    #[error("the plan {name} cannot be used: {text}")]
    Meaning {
        /// Where it is.
        name: String,
        /// Why.
        text: String,
    },
}

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Time, String> {
        let duration = seconds::parse(&text)?;
        Ok(Time { text, duration })
    }
}

impl From<Time> for String {
    fn from(time: Time) -> String {
        time.text
    }
}

/// How the text of a plan begins whose paths are not UTF-8.
pub const NOT_TEXT: &str = "# paths of this plan are not UTF-8";

impl Plan {
    /// The plan if there is none.
    ///
    /// # Errors
    /// None: a test holds that it can be used.
    pub fn standard() -> Result<Plan, Error> {
        Plan::parse("by default", DEFAULT, Path::new("."))
    }

    /// Reads a plan. Paths in it are relative to it.
    ///
    /// # Errors
    /// The file cannot be read, or what it says cannot be done.
    pub fn read(path: &Path) -> Result<Plan, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let whole = std::path::absolute(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let folder = whole.parent().unwrap_or(Path::new("/"));
        Plan::parse(&path.display().to_string(), &text, folder)
    }

    /// Reads a plan's text, whose paths are relative to a folder.
    ///
    /// # Errors
    /// What it says cannot be done. `name` says in the message which plan it is.
    pub fn parse(name: &str, text: &str, folder: &Path) -> Result<Plan, Error> {
        let format = |source| Error::Format {
            name: name.to_owned(),
            source: Box::new(source),
        };
        let mut plan: Plan = toml::from_str(text).map_err(format)?;
        if plan.workloads.is_empty() || plan.scales.is_empty() {
            let standard: Plan = toml::from_str(DEFAULT).map_err(format)?;
            if plan.workloads.is_empty() {
                let own = plan.workload.iter().map(|entry| entry.name.clone());
                plan.workloads = own.collect();
            }
            if plan.workloads.is_empty() {
                plan.workloads = standard.workloads;
            }
            if plan.scales.is_empty() {
                plan.scales = standard.scales;
            }
        }
        plan.anchor(folder);
        plan.check().map_err(|text| Error::Meaning {
            name: name.to_owned(),
            text,
        })?;
        Ok(plan)
    }

    /// The plan as a text that [`Plan::parse`] reads wherever it is. One with paths that are no text begins with
    /// [`NOT_TEXT`], and only tells whether another plan is the same.
    pub fn text(&self) -> String {
        // What was read from TOML can be written as TOML, but for the folder that it was in.
        toml::to_string(self).unwrap_or_else(|_| format!("{NOT_TEXT}\n# {self:?}\n"))
    }

    /// Makes paths independent of where the plan is.
    fn anchor(&mut self, folder: &Path) {
        for entry in &mut self.workload {
            entry.module = folder.join(&entry.module);
            for path in [&mut entry.stdin, &mut entry.directory]
                .into_iter()
                .flatten()
            {
                *path = folder.join(&*path);
            }
        }
        for script in &mut self.scripts {
            if bundled::script(script).is_none() {
                *script = folder.join(&*script).display().to_string();
            }
        }
        for program in self
            .runtime
            .iter_mut()
            .filter_map(|entry| entry.program.as_mut())
        {
            if program.contains('/') {
                *program = folder.join(&*program).display().to_string();
            }
        }
    }

    fn check(&self) -> Result<(), String> {
        if self.repetitions == 0 {
            return Err("`repetitions` has to be at least 1".to_owned());
        }
        if !self.observed && !self.bare && self.scripts.is_empty() {
            return Err("with `observed = false` and `bare = false` nothing is run".to_owned());
        }
        if let Some(scale) = self
            .scales
            .iter()
            .find(|scale| !(1..=LARGEST_SCALE).contains(*scale))
        {
            return Err(format!(
                "a scale is a number from 1 to {LARGEST_SCALE}, and not {scale}"
            ));
        }
        no_double("scale", self.scales.iter().map(u64::to_string))?;
        no_double("runtime", self.runtimes.iter().cloned())?;
        no_double("script", self.scripts.iter().cloned())?;
        no_double("workload", self.workloads.iter().cloned())?;
        no_double(
            "[[runtime]]",
            self.runtime.iter().map(|entry| entry.name.clone()),
        )?;
        no_double(
            "[[workload]]",
            self.workload.iter().map(|entry| entry.name.clone()),
        )
    }
}

/// What stands twice in a list.
fn no_double(what: &str, names: impl Iterator<Item = String>) -> Result<(), String> {
    let mut names: Vec<String> = names.collect();
    names.sort();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("the {what} `{}` is there twice", pair[0])),
        None => Ok(()),
    }
}

fn repetitions() -> u32 {
    5
}

fn warmup() -> u32 {
    1
}

fn timeout() -> Time {
    Time {
        text: "60s".to_owned(),
        duration: Duration::from_secs(60),
    }
}

fn yes() -> bool {
    true
}

fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Plan, String> {
        Plan::parse("p.toml", text, Path::new("/plans")).map_err(|error| error.to_string())
    }

    #[test]
    fn the_default_plan_has_seven_workloads_and_four_scales() {
        let plan = Plan::standard().unwrap();
        assert_eq!((plan.workloads.len(), plan.scales.len()), (7, 4));
        assert!(plan.observed && plan.bare);
    }

    #[test]
    fn an_empty_plan_is_the_default_plan_without_its_limit() {
        let (plan, standard) = (parse("").unwrap(), Plan::standard().unwrap());
        assert_eq!(plan.workloads, standard.workloads);
        assert_eq!(plan.scales, standard.scales);
        assert_eq!(plan.budget, None);
    }

    #[test]
    fn a_plan_that_describes_workloads_runs_these() {
        let plan = parse("[[workload]]\nname = \"mine\"\nmodule = \"a.wasm\"").unwrap();
        assert_eq!(plan.workloads, ["mine"]);
        assert_eq!(plan.workload[0].module, Path::new("/plans/a.wasm"));
    }

    #[test]
    fn the_text_of_a_plan_is_the_same_plan_elsewhere() {
        let plan = parse(
            "runtimes = [\"old\"]\ntimeout = \"1.5s\"\nbudget = \"2m\"\nseed = 7\nbare = false\nscripts = [\"errors\", \"s.ewq\"]\n\
             [[runtime]]\nname = \"old\"\nlike = \"wasmtime\"\nprogram = \"bin/wasmtime\"\n\
             [[workload]]\nname = \"mine\"\nmodule = \"a.wasm\"\nargs = [\"{scale}\"]\nstdin = \"in\"\nexpect = \"ok\\n\"",
        )
        .unwrap();
        let again = Plan::parse("results", &plan.text(), Path::new("/elsewhere")).unwrap();
        assert_eq!(again, plan);
        assert_eq!(again.scripts, ["errors", "/plans/s.ewq"]);
        assert_eq!(again.timeout.duration, Duration::from_millis(1500));
    }

    /// `fuzz/` tries more.
    #[test]
    fn a_plan_that_is_damaged_is_an_error_or_another_plan() {
        let signs = [
            "", "\"", "=", "[", "]", "\n", "-", "9", "\0", "é", "{scale}",
        ];
        for at in (0..DEFAULT.len()).filter(|at| DEFAULT.is_char_boundary(*at)) {
            let _ = parse(&DEFAULT[..at]);
            let (before, rest) = DEFAULT.split_at(at);
            let behind = rest.chars().next().map_or(0, char::len_utf8);
            let text = format!("{before}{}{}", signs[at % signs.len()], &rest[behind..]);
            if let Ok(plan) = parse(&text) {
                let again = Plan::parse("again", &plan.text(), Path::new("/elsewhere")).unwrap();
                assert_eq!(again, plan, "{text}");
            }
        }
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        for (text, part) in [
            ("repetitions = 0", "at least 1"),
            ("scales = [0]", "from 1 to"),
            ("scales = [1, 1]", "the scale `1` is there twice"),
            ("runtimes = [\"a\", \"a\"]", "twice"),
            ("observed = false\nbare = false", "nothing is run"),
            ("timeout = \"soon\"", "write seconds"),
            ("repetition = 5", "unknown field `repetition`"),
            ("[[workload]]\nname = \"a\"", "missing field `module`"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
            assert!(
                error.starts_with("the plan p.toml cannot be used"),
                "{error}"
            );
        }
    }
}
