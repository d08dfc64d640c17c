//! What a run of an experiment found: one JSON object a line, in the order in which runs end. Times are in
//! nanoseconds, sizes in bytes. The first line says what was planned; the others are runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of this format.
pub const SCHEMA: u32 = 1;

/// One line of a results file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line {
    /// What was planned. Always the first line; one more for each time the experiment was resumed.
    Experiment(Experiment),
    /// A run that has ended, however it did.
    Run(Box<Run>),
    /// A run with a script of the plan.
    Script(Box<ScriptRun>),
}

/// What was planned, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// [`SCHEMA`]
    pub schema: u32,
    /// The version of ewapa.
    pub ewapa: String,
    /// When it began: seconds since 1970.
    pub began: u64,
    /// The kernel's release, the processor's model, how many of them there are.
    pub machine: String,
    /// What the order of runs was shuffled by.
    pub seed: u64,
    /// The plan's text, to tell whether a file can be resumed.
    pub plan: String,
    /// How many runs there are in all.
    pub runs: usize,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should.
    Ok,
    /// With an exit code other than 0, or by a signal.
    Failed,
    /// It was ended for taking too long.
    Timeout,
    /// With other output than the workload has, or with another number of calls than it states.
    Wrong,
}

/// One run of a workload by a runtime.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The runtime's name in the plan, with its mode: `wasmtime`, `wasmtime-aot`.
    pub runtime: String,
    /// Its version; empty if it does not tell.
    pub version: String,
    /// The file name of its program: runtimes of one program and version are modes of it. Empty in results of
    /// versions before this was written down.
    #[serde(default)]
    pub program: String,
    /// The workload's name.
    pub workload: String,
    /// What `{scale}` was replaced with.
    pub scale: u64,
    /// From 0. Runs for warming up are not recorded.
    pub repetition: u32,
    /// When it ran among all runs, from 0.
    pub order: usize,
    /// With probes; without, only `total` and `peak_memory` are known.
    pub observed: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// What went wrong, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// From exec to the end of the process.
    pub total: Option<u64>,
    /// From exec to the guest's entry.
    #[serde(default)]
    pub startup: Option<u64>,
    /// The most memory that was resident; none if it was less than the kernel lets see.
    pub peak_memory: Option<u64>,
    /// What each WASI function did. Empty without probes.
    #[serde(default)]
    pub functions: Vec<Function>,
    /// Calls that were lost, unmatched, abandoned or still open: of such a run no number is exact.
    #[serde(default)]
    pub lost: u64,
    /// What ewapa measured a probe to cost a call, if it did.
    #[serde(default)]
    pub probe_cost: Option<u64>,
}

/// One run of a workload by a runtime with a script of the plan. Its times are in no metric: what the script costs
/// is in them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScriptRun {
    /// The script, as the plan names it.
    pub script: String,
    /// As in [`Run`].
    pub runtime: String,
    /// As in [`Run`].
    pub version: String,
    /// As in [`Run`].
    pub workload: String,
    /// As in [`Run`].
    pub scale: u64,
    /// As in [`Run`].
    pub repetition: u32,
    /// As in [`Run`].
    pub order: usize,
    /// As in [`Run`].
    pub outcome: Outcome,
    /// As in [`Run`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What `ewapa script -f json` wrote, line by line.
    pub lines: Vec<serde_json::Value>,
}

/// What the calls of one WASI function came to in one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// Its name.
    pub func: String,
    /// How many calls completed.
    pub calls: u64,
    /// How many of them with an errno other than 0.
    pub errors: u64,
    /// The time in them.
    pub duration: u64,
    /// Of that, the time in system calls of the calling thread.
    pub syscall_time: u64,
    /// How many system calls those were.
    pub syscalls: u64,
    /// Bytes that the calls moved; none if that cannot be seen in the runtime.
    pub bytes: Option<u64>,
    /// Bytes that the system calls moved.
    pub syscall_bytes: u64,
    /// How often other threads of the process were woken within the calls; none if it was not watched.
    #[serde(default)]
    pub thread_hops: Option<u64>,
    /// Writes of nothing: calls that succeeded and moved no byte.
    #[serde(default)]
    pub empty: u64,
    /// The system calls of those.
    #[serde(default)]
    pub for_empty: u64,
    /// How often each system call was made by the calling thread within the calls.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inside: BTreeMap<String, u64>,
    /// Half of the calls took at most so long.
    pub p50: Option<u64>,
    /// 99 % of the calls took at most so long.
    pub p99: Option<u64>,
    /// The longest one.
    pub max: Option<u64>,
}

impl Run {
    /// The time in WASI calls.
    pub fn wasi(&self) -> u64 {
        self.functions
            .iter()
            .map(|function| function.duration)
            .sum()
    }

    /// The time in system calls within WASI calls.
    pub fn syscall_time(&self) -> u64 {
        self.functions
            .iter()
            .map(|function| function.syscall_time)
            .sum()
    }

    /// How many WASI calls completed.
    pub fn calls(&self) -> u64 {
        self.functions.iter().map(|function| function.calls).sum()
    }

    /// How many system calls they made.
    pub fn syscalls(&self) -> u64 {
        self.functions
            .iter()
            .map(|function| function.syscalls)
            .sum()
    }

    /// How many bytes they moved; none if no function tells.
    pub fn bytes(&self) -> Option<u64> {
        let known = self.functions.iter().filter_map(|function| function.bytes);
        known.reduce(|sum, bytes| sum + bytes)
    }
}
