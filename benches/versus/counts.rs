//! What the tools print of the calls that they have counted, and bpftrace's probes.

use std::fmt::Write as _;
use std::time::Duration;

use crate::runtimes::Runtime;
use crate::tools::Tool;

/// The calls that a tool printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// It does not count, or does not say what it has lost.
    Nothing,
    /// The guest's calls.
    Exactly(u64),
    /// The guest's calls, and some of the runtime.
    AtLeast(u64),
    /// A line for each call.
    Lines {
        /// Those that came.
        arrived: u64,
        /// Those that the tool says it has lost.
        lost: u64,
    },
}

/// The calls that a tool printed.
pub fn counted(tool: Tool, runtime: &Runtime, text: &str) -> Counted {
    match tool {
        Tool::Bare
        | Tool::SessionPair
        | Tool::BpftracePair
        | Tool::SteppedBare
        | Tool::SteppedPair
        | Tool::Perf => Counted::Nothing,
        Tool::Ewapa | Tool::EwapaBundled | Tool::EwapaSummary => {
            Counted::Exactly(in_table(text, "FUNC", "fd_write"))
        }
        Tool::SteppedEwapa => Counted::Exactly(in_table(text, "FUNC", "environ_sizes_get")),
        Tool::EwapaSyscalls => Counted::AtLeast(in_table(text, "SYSCALL", "write")),
        Tool::Bpftrace | Tool::SteppedBpftrace => {
            Counted::Exactly(text.lines().filter_map(bucket).sum())
        }
        Tool::BpftraceSummary => {
            let symbol = runtime.symbols.get("fd_write");
            Counted::Exactly(symbol.map_or(0, |symbol| {
                sum(text, |line| {
                    line.starts_with("@calls[") && line.contains(symbol.as_str())
                })
            }))
        }
        // 1 is write(2) on x86-64; wasm3 and wasmtime write by writev(2), 20.
        Tool::BpftraceSyscalls => Counted::AtLeast(sum(text, |line| {
            line.starts_with("@calls[1]") || line.starts_with("@calls[20]")
        })),
        Tool::Strace => Counted::AtLeast(in_strace(text)),
        Tool::EwapaPrintf | Tool::BpftracePrintf => Counted::Lines {
            arrived: text
                .lines()
                .filter(|line| line.starts_with("wrote "))
                .count() as u64,
            lost: lost(text),
        },
        Tool::EwapaGroups | Tool::BpftraceGroups => Counted::Exactly(
            text.lines()
                .filter(|line| line.starts_with("@[") && line.ends_with("]: 1"))
                .count() as u64,
        ),
    }
}

/// bpftrace's probes on functions of the runtime.
pub fn probes(runtime: &Runtime, functions: &[&str], entry: &str, returns: Option<&str>) -> String {
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
    let mut script = format!("{} {{ {entry} }}\n", points("uprobe"));
    if let Some(returns) = returns {
        script += &format!("{} {returns}\n", points("uretprobe"));
    }
    script
}

/// The sum of the column CALLS over the rows whose column `key` has this value, or over all where there is none;
/// rows are split by two spaces or more.
fn in_table(text: &str, key: &str, value: &str) -> u64 {
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
    let (Some(calls), key) = (column("CALLS"), column(key)) else {
        return 0;
    };
    lines
        .take_while(|cells| cells.len() == header.len())
        // A write of one vector may be either.
        .filter(|cells| {
            key.is_none_or(|key| cells[key] == value || cells[key] == format!("{value}v"))
        })
        .filter_map(|cells| cells[calls].replace(',', "").parse::<u64>().ok())
        .sum()
}

/// The calls of write and writev: the fourth column, whose fifth is empty without errors.
fn in_strace(text: &str) -> u64 {
    text.lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| matches!(words.last(), Some(&"write" | &"writev")))
        .filter_map(|words| words.get(3)?.parse::<u64>().ok())
        .sum()
}

/// The counts behind the last colon of these lines.
fn sum(text: &str, wanted: impl Fn(&str) -> bool) -> u64 {
    text.lines()
        .filter(|line| wanted(line))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok())
        .sum()
}

/// The numbers of the lines that say that something was lost.
fn lost(text: &str) -> u64 {
    text.lines()
        .filter(|line| line.to_lowercase().contains("lost") && !line.starts_with("wrote "))
        .filter_map(|line| {
            line.split(|char: char| !char.is_ascii_digit())
                .find_map(|word| word.parse::<u64>().ok())
        })
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
pub fn told_cost(text: &str) -> Option<Duration> {
    let (_, rest) = text.split_once("probe cost about ")?;
    let us: f64 = rest.split(' ').next()?.parse().ok()?;
    Some(Duration::from_secs_f64(us / 1e6))
}
