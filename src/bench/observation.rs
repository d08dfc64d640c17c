//! What the run of the measuring script found, out of its JSON lines.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::result::Function;

/// The script that measures a run.
pub const SCRIPT: &str = include_str!("observe.ewq");

/// What a run with probes came to.
#[derive(Debug, Default, PartialEq)]
pub struct Observation {
    /// From exec to the end of the process, without the time for which ewapa had it stopped.
    pub total: Option<u64>,
    /// From exec to the guest's entry, likewise.
    pub startup: Option<u64>,
    /// What each function did.
    pub functions: Vec<Function>,
    /// Calls that were lost, unmatched, abandoned or still open.
    pub lost: u64,
    /// What a probe costs a call.
    pub probe_cost: Option<u64>,
    /// Functions that cannot be seen in the runtime.
    pub hidden: Vec<String>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Line {
    Row {
        table: String,
        keys: BTreeMap<String, serde_json::Value>,
        columns: BTreeMap<String, Option<f64>>,
    },
    Summary(Summary),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Summary {
    lost: u64,
    unmatched: u64,
    abandoned: u64,
    open: u64,
    probe_cost_ns: Option<u64>,
    runtimes: Vec<Runtime>,
}

#[derive(Deserialize)]
struct Runtime {
    missing: Vec<String>,
}

/// Reads what `ewapa script -f json` wrote with the measuring script. None if it did not come to its end.
///
/// # Errors
/// A line is not what this version writes.
pub fn read(text: &str) -> Result<Option<Observation>, serde_json::Error> {
    let mut observation = Observation::default();
    let mut inside: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    let mut is_whole = false;
    for line in text.lines() {
        match serde_json::from_str(line)? {
            Line::Row {
                table,
                keys,
                columns,
            } => {
                let key = |name: &str| keys.get(name).and_then(|key| key.as_str());
                match table.as_str() {
                    "calls" => observation
                        .functions
                        .extend(key("func").map(|func| function(func, &columns))),
                    "inside" => {
                        if let (Some(func), Some(syscall)) = (key("wasi_func"), key("syscall")) {
                            let calls = whole(&columns, "calls").unwrap_or(0);
                            let of_function = inside.entry(func.to_owned()).or_default();
                            of_function.insert(syscall.to_owned(), calls);
                        }
                    }
                    "phases" => observation.phase(key("phase"), whole(&columns, "since_exec")),
                    _ => {}
                }
            }
            Line::Summary(summary) => {
                is_whole = true;
                observation.lost =
                    summary.lost + summary.unmatched + summary.abandoned + summary.open;
                observation.probe_cost = summary.probe_cost_ns;
                let runtimes = summary.runtimes.into_iter();
                observation.hidden = runtimes.flat_map(|runtime| runtime.missing).collect();
            }
            Line::Other => {}
        }
    }
    for function in &mut observation.functions {
        function.inside = inside.remove(&function.func).unwrap_or_default();
    }
    observation
        .functions
        .sort_by(|left, right| left.func.cmp(&right.func));
    Ok(is_whole.then_some(observation))
}

impl Observation {
    fn phase(&mut self, phase: Option<&str>, at: Option<u64>) {
        match phase {
            Some("start") => self.startup = at,
            Some("exit") => self.total = at,
            _ => {}
        }
    }
}

fn function(func: &str, columns: &BTreeMap<String, Option<f64>>) -> Function {
    let sum = |name| whole(columns, name).unwrap_or(0);
    Function {
        func: func.to_owned(),
        calls: sum("calls"),
        errors: sum("errors"),
        duration: sum("duration"),
        syscall_time: sum("syscall_time"),
        syscalls: sum("syscalls"),
        bytes: whole(columns, "bytes"),
        syscall_bytes: sum("syscall_bytes"),
        thread_hops: whole(columns, "thread_hops"),
        empty: sum("empty"),
        for_empty: sum("for_empty"),
        inside: BTreeMap::new(),
        p50: whole(columns, "p50"),
        p99: whole(columns, "p99"),
        max: whole(columns, "longest"),
    }
}

/// A column's value. It is exact up to 2^53: 104 days in nanoseconds.
fn whole(columns: &BTreeMap<String, Option<f64>>, name: &str) -> Option<u64> {
    let value = columns.get(name).copied().flatten()?;
    (value >= 0.0).then_some(value.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = r#"{"type":"row","table":"calls","elapsed_ns":9,"keys":{"func":"fd_write"},"columns":{"calls":31,"errors":0,"duration":9000,"syscall_time":5000,"syscalls":31,"bytes":122880,"syscall_bytes":122880,"empty":2,"for_empty":1,"p50":200.5,"p99":900,"longest":901}}
{"type":"row","table":"calls","elapsed_ns":9,"keys":{"func":"args_get"},"columns":{"calls":1,"errors":0,"duration":90,"syscall_time":0,"syscalls":0,"bytes":null,"syscall_bytes":0,"p50":90,"p99":90,"longest":90}}
{"type":"row","table":"inside","elapsed_ns":9,"keys":{"wasi_func":"fd_write","syscall":"write"},"columns":{"calls":31}}
{"type":"row","table":"phases","elapsed_ns":9,"keys":{"phase":"start"},"columns":{"since_exec":700}}
{"type":"row","table":"phases","elapsed_ns":9,"keys":{"phase":"exit"},"columns":{"since_exec":9900}}
"#;
    const SUMMARY: &str = r#"{"type":"summary","elapsed_ns":9,"processes":1,"lost":1,"unmatched":2,"abandoned":3,"open":4,"unfinished":{"proc_exit":1},"probe_cost_ns":1000,"runtimes":[{"name":"wasm3","probe_cost_ns":1000,"single_stepped":0,"missing":["fd_readdir"]}]}"#;

    #[test]
    fn functions_phases_and_losses_are_read() {
        let seen = read(&format!("{LINES}{SUMMARY}\n")).unwrap().unwrap();
        let functions: Vec<_> = seen
            .functions
            .iter()
            .map(|function| (function.func.as_str(), function.calls, function.bytes))
            .collect();
        assert_eq!(
            functions,
            [("args_get", 1, None), ("fd_write", 31, Some(122_880))]
        );
        assert_eq!(seen.functions[1].p50, Some(201));
        let write = &seen.functions[1];
        assert_eq!((write.empty, write.for_empty), (2, 1));
        assert_eq!(write.inside, BTreeMap::from([("write".to_owned(), 31)]));
        assert_eq!((seen.startup, seen.total), (Some(700), Some(9900)));
        assert_eq!((seen.lost, seen.probe_cost), (10, Some(1000)));
        assert_eq!(seen.hidden, ["fd_readdir"]);
    }

    #[test]
    fn a_run_without_its_summary_found_nothing() {
        assert_eq!(read(LINES).unwrap(), None);
        assert_eq!(read("").unwrap(), None);
    }
}
