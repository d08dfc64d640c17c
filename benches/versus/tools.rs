//! What is compared: each tool's command, and where its count of calls is.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::Result;
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
}

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
        }
    }

    fn is_bpftrace(self) -> bool {
        matches!(
            self,
            Tool::Bpftrace | Tool::BpftracePair | Tool::BpftraceSummary
        )
    }
}

/// The guest and the tools' files, in a folder that goes with this.
pub struct Bench {
    folder: PathBuf,
    guest: PathBuf,
    /// How often the guest calls fd_write, its signs to the harness included.
    fd_writes: u64,
    has_bpftrace: bool,
}

impl Drop for Bench {
    fn drop(&mut self) {
        // Nothing depends on it: a temporary folder may stay.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Bench {
    /// Translates the guest.
    ///
    /// # Errors
    /// Files cannot be written.
    pub fn new(calls: u32) -> Result<Bench> {
        let folder = std::env::temp_dir().join(format!("ewapa-versus-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let guest = folder.join("guest.wasm");
        let text =
            include_str!("guest.wat").replace("i32.const 1000", &format!("i32.const {calls}"));
        std::fs::write(&guest, wat::parse_str(text)?)?;
        std::fs::write(folder.join("latency.ewq"), include_str!("latency.ewq"))?;
        let has_bpftrace = Command::new("bpftrace")
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        Ok(Bench {
            folder,
            guest,
            fd_writes: u64::from(calls) + 2,
            has_bpftrace,
        })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
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
        if tool.is_bpftrace() && !self.has_bpftrace {
            return Some("bpftrace cannot be run; its Debian package is bpftrace".to_owned());
        }
        match tool {
            Tool::Bpftrace | Tool::BpftracePair if !runtime.symbols.contains_key("fd_write") => {
                Some("no symbol of fd_write was found".to_owned())
            }
            Tool::BpftraceSummary if runtime.symbols.len() != FUNCTIONS => Some(format!(
                "symbols of {} functions were found, not of {FUNCTIONS}",
                runtime.symbols.len()
            )),
            Tool::SessionPair => {
                let Some(offset) = runtime.fd_write else {
                    return Some("ewapa finds no fd_write".to_owned());
                };
                let error = session::attach(&runtime.path, offset).err()?;
                Some(format!("the kernel refuses an empty session: {error}"))
            }
            _ => None,
        }
    }

    /// Runs the guest under a tool.
    ///
    /// # Errors
    /// The run fails, or the tool's count is wrong.
    pub fn run(&self, tool: Tool, runtime: &Runtime) -> Result<Run> {
        let output = self.folder.join("output");
        // The output of the last run must not pass for this one's.
        std::fs::write(&output, "")?;
        let session = match (tool, runtime.fd_write) {
            (Tool::SessionPair, Some(offset)) => Some(session::attach(&runtime.path, offset)?),
            _ => None,
        };
        let mut run = run::run(&mut self.command(tool, runtime, &output)?, &runtime.path)?;
        drop(session);
        let text = std::fs::read_to_string(&output)?;
        if let Some(counted) = self.counted(tool, runtime, &text)
            && counted != self.fd_writes
        {
            return Err(format!(
                "{} on {} counted {counted} calls of fd_write, and there were {}; it printed:\n{text}",
                tool.name(),
                runtime.name,
                self.fd_writes
            )
            .into());
        }
        run.told = told_cost(&text);
        Ok(run)
    }

    fn command(&self, tool: Tool, runtime: &Runtime, output: &Path) -> Result<Command> {
        let latency = self.folder.join("latency.ewq");
        let ewapa = |script: &Path| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_ewapa"));
            command.arg("script").arg(script).arg("-o").arg(output);
            command.arg("--").arg(&runtime.path);
            command.args(runtime.arguments).arg(&self.guest);
            command
        };
        let bpftrace = |script: String| -> Result<Command> {
            let file = self.folder.join("script.bt");
            std::fs::write(&file, script)?;
            let mut words = vec![runtime.path.display().to_string()];
            words.extend(runtime.arguments.iter().map(|word| (*word).to_owned()));
            words.push(self.guest.display().to_string());
            let mut command = Command::new("bpftrace");
            command.arg("-o").arg(output);
            command.arg("-c").arg(words.join(" ")).arg(file);
            Ok(command)
        };
        match tool {
            Tool::Bare | Tool::SessionPair => {
                let mut command = Command::new(&runtime.path);
                command.args(runtime.arguments).arg(&self.guest);
                Ok(command)
            }
            Tool::Ewapa => Ok(ewapa(&latency)),
            Tool::EwapaBundled => Ok(ewapa(Path::new("fd_write_latency"))),
            Tool::EwapaSummary => Ok(ewapa(Path::new("wasi_summary"))),
            Tool::Bpftrace => bpftrace(bpftrace_script(
                runtime,
                &["fd_write"],
                "@start[tid] = nsecs;",
                "/@start[tid]/ { @ns = hist(nsecs - @start[tid]); delete(@start[tid]); }",
            )),
            Tool::BpftracePair => bpftrace(bpftrace_script(runtime, &["fd_write"], "", "{ }")),
            Tool::BpftraceSummary => bpftrace(bpftrace_script(
                runtime,
                &runtime
                    .symbols
                    .keys()
                    .map(String::as_str)
                    .collect::<Vec<_>>(),
                "@start[tid] = nsecs;",
                "/@start[tid]/ { @calls[probe] = count(); @ns[probe] = sum(nsecs - @start[tid]); delete(@start[tid]); }",
            )),
        }
    }

    /// The calls of fd_write that a tool printed; none if it does not count.
    fn counted(&self, tool: Tool, runtime: &Runtime, text: &str) -> Option<u64> {
        match tool {
            Tool::Bare | Tool::SessionPair | Tool::BpftracePair => None,
            Tool::Ewapa | Tool::EwapaBundled | Tool::EwapaSummary => Some(calls_in_table(text)),
            Tool::Bpftrace => Some(text.lines().filter_map(bucket).sum()),
            Tool::BpftraceSummary => {
                let symbol = runtime.symbols.get("fd_write")?;
                let line = text
                    .lines()
                    .find(|line| line.starts_with("@calls[") && line.contains(symbol.as_str()));
                let count = line.and_then(|line| line.rsplit_once(' ')?.1.parse().ok());
                Some(count.unwrap_or(0))
            }
        }
    }
}

fn bpftrace_script(runtime: &Runtime, functions: &[&str], entry: &str, returns: &str) -> String {
    let points = |kind: &str| {
        let mut points = String::new();
        for symbol in functions
            .iter()
            .filter_map(|function| runtime.symbols.get(*function))
        {
            let comma = if points.is_empty() { "" } else { ",\n" };
            write!(
                points,
                "{comma}{kind}:{}:\"{symbol}\"",
                runtime.path.display()
            )
            .expect("write to a string");
        }
        points
    };
    format!(
        "{} {{ {entry} }}\n{} {returns}\n",
        points("uprobe"),
        points("uretprobe")
    )
}

/// The sum of the column CALLS over the rows of fd_write; rows are split by two spaces or more.
fn calls_in_table(text: &str) -> u64 {
    let cells = |line: &str| -> Vec<String> {
        line.split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let mut lines = text
        .lines()
        .map(cells)
        .skip_while(|cells| !cells.iter().any(|cell| cell == "CALLS"));
    let header = lines.next().unwrap_or_default();
    let column = |name: &str| header.iter().position(|cell| cell == name);
    let (Some(calls), func) = (column("CALLS"), column("FUNC")) else {
        return 0;
    };
    lines
        .take_while(|cells| cells.len() == header.len())
        .filter(|cells| func.is_none_or(|func| cells[func] == "fd_write"))
        .filter_map(|cells| cells[calls].replace(',', "").parse::<u64>().ok())
        .sum()
}

/// The count of a line of bpftrace's histogram: `[1K, 2K)   996 |@@@@ |`.
fn bucket(line: &str) -> Option<u64> {
    let (bucket, _) = line.split_once('|')?;
    if !bucket.starts_with(['[', '(']) {
        return None;
    }
    bucket.split_whitespace().next_back()?.parse().ok()
}

/// From the line `probe cost about 1.3 us a call` below ewapa's table.
fn told_cost(text: &str) -> Option<Duration> {
    let (_, rest) = text.split_once("probe cost about ")?;
    let us: f64 = rest.split(' ').next()?.parse().ok()?;
    Some(Duration::from_secs_f64(us / 1e6))
}
