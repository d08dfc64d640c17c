//! What is compared: each tool's command.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;
use crate::counts::{self, Counted};
use crate::run::{self, Run};
use crate::runtimes::{FUNCTIONS, Runtime};
use crate::session;

/// A way to run the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// No tool.
    Bare,
    /// No tool, with an empty session on fd_write.
    SessionPair,
    /// ewapa with latency.ewq.
    Ewapa,
    /// ewapa with the bundled fd_write_latency.
    EwapaBundled,
    /// bpftrace with a histogram of the same latencies.
    Bpftrace,
    /// bpftrace with empty entry and return probes on fd_write.
    BpftracePair,
    /// ewapa with the bundled wasi_summary.
    EwapaSummary,
    /// bpftrace with entry and return probes on all functions.
    BpftraceSummary,
    /// No tool; a function whose probe is single-stepped is called.
    SteppedBare,
    /// The same with an empty session on it.
    SteppedPair,
    /// The same with latencies by ewapa.
    SteppedEwapa,
    /// The same with latencies by bpftrace.
    SteppedBpftrace,
    /// ewapa with count and time of each system call.
    EwapaSyscalls,
    /// bpftrace with the same.
    BpftraceSyscalls,
    /// `strace -f -c`.
    Strace,
    /// `perf trace -s`.
    Perf,
    /// ewapa with a line for each call.
    EwapaPrintf,
    /// bpftrace with a line for each call.
    BpftracePrintf,
    /// ewapa with a group for each call.
    EwapaGroups,
    /// bpftrace with a group for each call.
    BpftraceGroups,
}

/// What the guest does between its signs: by how much the calls are multiplied or how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guest {
    /// All calls of fd_write.
    Writes,
    /// So many times fewer, for tools that do much at each.
    Few,
    /// As many calls of environ_sizes_get.
    Steps,
    /// A call for each group.
    Groups,
}

/// The groups of the tools that make one for each call.
pub const GROUPS: u32 = 65_536;

/// How many times fewer calls are made under strace and perf.
const FEWER: u32 = 20;

/// The writes of a guest beside its calls: its signs to the harness.
const SIGNS: u32 = 2;

impl Tool {
    /// Its name in the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Bare => "bare",
            Tool::SessionPair => "empty session pair",
            Tool::Ewapa => "ewapa latency",
            Tool::EwapaBundled => "ewapa fd_write_latency",
            Tool::Bpftrace => "bpftrace latency",
            Tool::BpftracePair => "bpftrace empty pair",
            Tool::EwapaSummary => "ewapa wasi_summary",
            Tool::BpftraceSummary => "bpftrace 46 functions",
            Tool::SteppedBare => "bare, single-stepped",
            Tool::SteppedPair => "empty session pair, single-stepped",
            Tool::SteppedEwapa => "ewapa latency, single-stepped",
            Tool::SteppedBpftrace => "bpftrace latency, single-stepped",
            Tool::EwapaSyscalls => "ewapa system calls",
            Tool::BpftraceSyscalls => "bpftrace system calls",
            Tool::Strace => "strace -c",
            Tool::Perf => "perf trace -s",
            Tool::EwapaPrintf => "ewapa printf",
            Tool::BpftracePrintf => "bpftrace printf",
            Tool::EwapaGroups => "ewapa 65,536 groups",
            Tool::BpftraceGroups => "bpftrace 65,536 groups",
        }
    }

    /// The program behind it that this project does not bring, with its Debian package and arguments by which it shows
    /// that it works.
    fn program(self) -> Option<(&'static str, &'static str, &'static [&'static str])> {
        match self {
            Tool::Bpftrace
            | Tool::BpftracePair
            | Tool::BpftraceSummary
            | Tool::SteppedBpftrace
            | Tool::BpftraceSyscalls
            | Tool::BpftracePrintf
            | Tool::BpftraceGroups => Some(("bpftrace", "bpftrace", &["--version"])),
            Tool::Strace => Some(("strace", "strace", &["-c", "true"])),
            Tool::Perf => Some(("perf", "linux-perf", &["trace", "-s", "true"])),
            _ => None,
        }
    }

    fn guest(self) -> Guest {
        match self {
            Tool::Strace | Tool::Perf => Guest::Few,
            Tool::SteppedBare | Tool::SteppedPair | Tool::SteppedEwapa | Tool::SteppedBpftrace => {
                Guest::Steps
            }
            Tool::EwapaGroups | Tool::BpftraceGroups => Guest::Groups,
            _ => Guest::Writes,
        }
    }

    /// The calls that its guest makes between the signs, where `calls` were asked for.
    pub fn calls(self, calls: u32) -> u32 {
        match self.guest() {
            Guest::Writes | Guest::Steps => calls,
            Guest::Few => (calls / FEWER).max(1),
            Guest::Groups => GROUPS - SIGNS,
        }
    }
}

/// The guests and the tools' files, in a folder that goes with this.
pub struct Bench {
    folder: PathBuf,
    calls: u32,
    /// Programs that cannot be run, with why.
    absent: Vec<(&'static str, String)>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        // Nothing depends on it: a temporary folder may stay.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

const SCRIPTS: [(&str, &str); 5] = [
    ("latency.ewq", include_str!("latency.ewq")),
    (
        "stepped.ewq",
        "table calls from wasi:environ_sizes_get by runtime {\n  calls = count(),\n  p50 = p50(duration) as us,\n  p99 = p99(duration) as us,\n}\n",
    ),
    (
        "syscalls.ewq",
        "table calls from syscall:* by syscall { calls = count(), time = sum(duration) as us }\n",
    ),
    (
        "printf.ewq",
        "wasi:fd_write { printf(\"wrote %d\\n\", fd); }\n",
    ),
    ("groups.ewq", "wasi:fd_write { @[nsecs] = count(); }\n"),
];

impl Bench {
    /// Translates the guests, and looks for the other tools.
    ///
    /// # Errors
    /// Files cannot be written.
    pub fn new(calls: u32) -> Result<Bench> {
        let folder = std::env::temp_dir().join(format!("ewapa-versus-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let mut bench = Bench {
            folder,
            calls,
            absent: Vec::new(),
        };
        for tool in [
            Tool::Bare,
            Tool::SteppedBare,
            Tool::Strace,
            Tool::EwapaGroups,
        ] {
            let stepped = u32::from(tool.guest() == Guest::Steps);
            let text = include_str!("guest.wat")
                .replace(
                    "i32.const 1000",
                    &format!("i32.const {}", tool.calls(calls)),
                )
                .replace(
                    "$stepped i32 (i32.const 0)",
                    &format!("$stepped i32 (i32.const {stepped})"),
                );
            std::fs::write(bench.guest(tool), wat::parse_str(text)?)?;
        }
        for (name, text) in SCRIPTS {
            std::fs::write(bench.folder.join(name), text)?;
        }
        for tool in [Tool::Bpftrace, Tool::Strace, Tool::Perf] {
            let Some((program, package, arguments)) = tool.program() else {
                continue;
            };
            let output = Command::new(program)
                .args(arguments)
                .stdin(Stdio::null())
                .output();
            let why = match output {
                Ok(output) if output.status.success() => continue,
                Ok(output) => {
                    let said = String::from_utf8_lossy(&output.stderr);
                    let line = said.lines().next().unwrap_or("it says nothing").to_owned();
                    format!("`{program} {}` fails: {line}", arguments.join(" "))
                }
                Err(error) => {
                    format!("{program} cannot be run ({error}); its Debian package is {package}")
                }
            };
            bench.absent.push((program, why));
        }
        Ok(bench)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn guest(&self, tool: Tool) -> PathBuf {
        self.folder.join(match tool.guest() {
            Guest::Writes => "guest.wasm",
            Guest::Few => "few.wasm",
            Guest::Steps => "stepped.wasm",
            Guest::Groups => "groups.wasm",
        })
    }

    /// Those of the tools that can run on this runtime. Why others cannot is noted.
    pub fn possible(
        &self,
        tools: &[Tool],
        runtime: &Runtime,
        notes: &mut Vec<String>,
    ) -> Vec<Tool> {
        let mut possible = Vec::new();
        for tool in tools {
            match self.obstacle(*tool, runtime) {
                None => possible.push(*tool),
                Some(obstacle) => {
                    notes.push(format!("{} on {}: {obstacle}", tool.name(), runtime.name));
                }
            }
        }
        possible
    }

    fn obstacle(&self, tool: Tool, runtime: &Runtime) -> Option<String> {
        if let Some((program, _, _)) = tool.program()
            && let Some((_, why)) = self.absent.iter().find(|(absent, _)| *absent == program)
        {
            return Some(why.clone());
        }
        let pair = |offset: Option<u64>| {
            let Some(offset) = offset else {
                return Some("ewapa finds no place for it".to_owned());
            };
            let error = session::attach(&runtime.path, offset).err()?;
            Some(format!("the kernel refuses an empty session: {error}"))
        };
        let without = |function: &str| {
            (!runtime.symbols.contains_key(function))
                .then(|| format!("no symbol of {function} was found"))
        };
        match tool {
            Tool::Bpftrace | Tool::BpftracePair | Tool::BpftracePrintf | Tool::BpftraceGroups => {
                without("fd_write")
            }
            Tool::SteppedBpftrace => without("environ_sizes_get"),
            Tool::BpftraceSummary if runtime.symbols.len() != FUNCTIONS => Some(format!(
                "symbols of {} functions were found, not of {FUNCTIONS}",
                runtime.symbols.len()
            )),
            Tool::SessionPair => pair(runtime.fd_write),
            Tool::SteppedPair => pair(runtime.stepped),
            _ => None,
        }
    }

    /// Runs the guest under a tool. A run that fails, as on a machine that is too busy, is noted and has no figures.
    ///
    /// # Errors
    /// The tool's count is wrong.
    pub fn run(
        &self,
        tool: Tool,
        runtime: &Runtime,
        notes: &mut Vec<String>,
    ) -> Result<Option<Run>> {
        let output = self.folder.join("output");
        // The output of the last run must not pass for this one's.
        std::fs::write(&output, "")?;
        let offset = match tool {
            Tool::SessionPair => runtime.fd_write,
            Tool::SteppedPair => runtime.stepped,
            _ => None,
        };
        let session = offset
            .map(|offset| session::attach(&runtime.path, offset))
            .transpose()?;
        let run = run::run(&mut self.command(tool, runtime, &output)?, &runtime.path);
        drop(session);
        let mut run = match run {
            Ok(run) => run,
            Err(error) => {
                let note = format!("a run of {} on {}, which failed", tool.name(), runtime.name);
                eprintln!("versus: {note}: {error}");
                notes.push(note);
                return Ok(None);
            }
        };
        let text = std::fs::read_to_string(&output)?;
        let calls = u64::from(tool.calls(self.calls));
        let expected = match tool.guest() {
            Guest::Steps => calls,
            _ => calls + u64::from(SIGNS),
        };
        let counted = counts::counted(tool, runtime, &text);
        let is_right = match counted {
            Counted::Nothing => true,
            Counted::Exactly(counted) => counted == expected,
            Counted::AtLeast(counted) => counted >= expected,
            Counted::Lines { arrived, lost } => {
                run.lines = Some(arrived);
                arrived + lost == expected
            }
        };
        if !is_right {
            let shown: String = text.chars().take(4000).collect();
            return Err(format!(
                "{} on {} has {counted:?} of {expected} calls; it printed:\n{shown}",
                tool.name(),
                runtime.name,
            )
            .into());
        }
        run.told = counts::told_cost(&text);
        Ok(Some(run))
    }

    fn command(&self, tool: Tool, runtime: &Runtime, output: &Path) -> Result<Command> {
        let guest = self.guest(tool);
        let bare = |program: &mut Command| {
            program.args(runtime.arguments).arg(&guest);
        };
        let ewapa = |script: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_ewapa"));
            let own = self.folder.join(script);
            let script = if own.exists() {
                own
            } else {
                PathBuf::from(script)
            };
            command.arg("script").arg(script).arg("-o").arg(output);
            command.arg("--").arg(&runtime.path);
            bare(&mut command);
            command
        };
        let bpftrace = |script: String| -> Result<Command> {
            let file = self.folder.join("script.bt");
            std::fs::write(&file, script)?;
            let mut words = vec![runtime.path.display().to_string()];
            words.extend(runtime.arguments.iter().map(|word| (*word).to_owned()));
            words.push(guest.display().to_string());
            let mut command = Command::new("bpftrace");
            command.env("BPFTRACE_MAP_KEYS_MAX", GROUPS.to_string());
            command.arg("-o").arg(output);
            command.arg("-c").arg(words.join(" ")).arg(file);
            Ok(command)
        };
        let around = |program: &str, arguments: &[&str]| {
            let mut command = Command::new(program);
            command.args(arguments).arg("-o").arg(output);
            command.arg(&runtime.path);
            bare(&mut command);
            command
        };
        const TIMED: &str = "@start[tid] = nsecs;";
        const HISTOGRAM: &str =
            "/@start[tid]/ { @ns = hist(nsecs - @start[tid]); delete(@start[tid]); }";
        let pair = |functions: &[&str], entry, returns| {
            bpftrace(counts::probes(runtime, functions, entry, Some(returns)))
        };
        match tool {
            Tool::Bare | Tool::SessionPair | Tool::SteppedBare | Tool::SteppedPair => {
                let mut command = Command::new(&runtime.path);
                bare(&mut command);
                Ok(command)
            }
            Tool::Ewapa => Ok(ewapa("latency.ewq")),
            Tool::EwapaBundled => Ok(ewapa("fd_write_latency")),
            Tool::EwapaSummary => Ok(ewapa("wasi_summary")),
            Tool::SteppedEwapa => Ok(ewapa("stepped.ewq")),
            Tool::EwapaSyscalls => Ok(ewapa("syscalls.ewq")),
            Tool::EwapaPrintf => Ok(ewapa("printf.ewq")),
            Tool::EwapaGroups => Ok(ewapa("groups.ewq")),
            Tool::Bpftrace => pair(&["fd_write"], TIMED, HISTOGRAM),
            Tool::BpftracePair => pair(&["fd_write"], "", "{ }"),
            Tool::SteppedBpftrace => pair(&["environ_sizes_get"], TIMED, HISTOGRAM),
            Tool::BpftraceSummary => pair(
                &runtime
                    .symbols
                    .keys()
                    .map(String::as_str)
                    .collect::<Vec<_>>(),
                TIMED,
                "/@start[tid]/ { @calls[probe] = count(); @ns[probe] = sum(nsecs - @start[tid]); delete(@start[tid]); }",
            ),
            Tool::BpftraceSyscalls => bpftrace(format!(
                "tracepoint:raw_syscalls:sys_enter /pid == cpid/ {{ {TIMED} }}\n\
                 tracepoint:raw_syscalls:sys_exit /@start[tid]/ {{ @calls[args->id] = count(); @ns[args->id] = sum(nsecs - @start[tid]); delete(@start[tid]); }}\n"
            )),
            Tool::BpftracePrintf => bpftrace(counts::probes(
                runtime,
                &["fd_write"],
                "printf(\"wrote %d\\n\", arg0);",
                None,
            )),
            Tool::BpftraceGroups => bpftrace(counts::probes(
                runtime,
                &["fd_write"],
                "@[nsecs] = count();",
                None,
            )),
            Tool::Strace => Ok(around("strace", &["-f", "-c"])),
            Tool::Perf => Ok(around("perf", &["trace", "-s"])),
        }
    }
}
