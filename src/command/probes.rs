//! `ewapa list` for probes outside of WASI: tracepoints, functions of files, static probes, system calls
//! and phases.

use std::fmt::Write;

use ewapa_lang::glob;
use ewapa_lang::host::Host;
use ewapa_lang::linux;
use ewapa_lang::plan::Phase;
use ewapa_symbols::Functions;

use crate::failure::{Failure, Kind};
use crate::host::{self, Machine};
use crate::output::cells::escape;

/// The probes that a text such as `tracepoint:sched:*` stands for, one a line; verbosely with their values.
/// None if it is of no kind that is listed here.
///
/// # Errors
/// It stands for nothing, or what it names cannot be read.
pub fn list(probe: &str, verbose: bool) -> Option<Result<String, Failure>> {
    let (kind, rest) = probe.split_once(':').unwrap_or((probe, "*"));
    let found = match kind {
        "tracepoint" | "t" => tracepoints(rest, verbose),
        "rawtracepoint" | "rt" => raw_tracepoints(rest),
        "uprobe" | "u" => functions("uprobe", rest),
        "uretprobe" | "ur" => functions("uretprobe", rest),
        "usdt" | "U" => static_probes(rest, verbose),
        "syscall" => Ok(system_calls(rest, verbose)),
        "phase" => Ok(phases(rest)),
        _ => return None,
    };
    Some(found.and_then(|text| {
        if text.is_empty() {
            let shown = escape(probe);
            return Err(Failure::new(
                Kind::NoProbe,
                format!("no probe matches `{shown}`"),
            ));
        }
        Ok(text)
    }))
}

fn missing(why: String) -> Failure {
    Failure::new(Kind::NoProbe, why)
}

fn tracepoints(rest: &str, verbose: bool) -> Result<String, Failure> {
    let (category, name) = rest.split_once(':').unwrap_or((rest, "*"));
    let mut text = String::new();
    for (category, name) in Machine.tracepoints(category, name).map_err(missing)? {
        let _ = writeln!(text, "tracepoint:{category}:{name}");
        if verbose {
            for field in Machine.fields(&category, &name).map_err(missing)? {
                let _ = writeln!(text, "    {} {}", field.ty, field.name);
            }
        }
    }
    if text.is_empty() && !glob::is_glob(rest) {
        // Says what it is near to.
        Machine.fields(category, name).map_err(missing)?;
    }
    Ok(text)
}

/// Raw tracepoints have the names of the others, but for system calls, where two serve all.
fn raw_tracepoints(wanted: &str) -> Result<String, Failure> {
    let known = Machine.tracepoints("*", "*").map_err(missing)?;
    let mut names: Vec<&str> = known
        .iter()
        .filter(|(category, _)| category != "syscalls")
        .map(|(_, name)| name.as_str())
        .filter(|name| glob::matches_any(wanted, name))
        .collect();
    names.sort_unstable();
    names.dedup();
    let lines = names.iter().map(|name| format!("rawtracepoint:{name}\n"));
    Ok(lines.collect())
}

fn functions(kind: &str, rest: &str) -> Result<String, Failure> {
    // A name in the source has colons of its own; a path has none.
    let (path, wanted) = rest.split_once(':').unwrap_or((rest, "*"));
    let file =
        host::find_file(path).map_err(|error| Failure::new(Kind::NoInput, error.to_string()))?;
    let functions =
        Functions::read(&file).map_err(|error| Failure::new(Kind::NoInput, error.to_string()))?;
    let file = file.display();
    let mut text = String::new();
    for name in functions.names() {
        if glob::matches_any(wanted, &name) {
            let _ = writeln!(text, "{kind}:{file}:{}", escape(&name));
        }
    }
    if text.is_empty() {
        // Says what it is near to.
        functions
            .places(wanted, 0)
            .map_err(|error| missing(error.to_string()))?;
    }
    Ok(text)
}

fn static_probes(rest: &str, verbose: bool) -> Result<String, Failure> {
    let mut parts = rest.splitn(3, ':');
    let path = parts.next().unwrap_or_default();
    let (provider, name) = match (parts.next(), parts.next()) {
        (Some(provider), Some(name)) => (provider, name),
        (Some(name), None) => ("", name),
        _ => ("", "*"),
    };
    let notes = host::static_probes(path, provider, name).map_err(missing)?;
    let mut lines: Vec<String> = notes
        .iter()
        .map(|note| {
            let probe = format!(
                "usdt:{path}:{}:{}\n",
                escape(&note.provider),
                escape(&note.name)
            );
            match (verbose, note.arguments.len()) {
                (true, 1) => format!("{probe}    1 argument\n"),
                (true, count) => format!("{probe}    {count} arguments\n"),
                (false, _) => probe,
            }
        })
        .collect();
    lines.sort_unstable();
    lines.dedup();
    Ok(lines.concat())
}

/// With their arguments, as the kernel's tracepoints tell them; where those cannot be read, without.
fn system_calls(wanted: &str, verbose: bool) -> String {
    let mut text = String::new();
    for (_, name) in linux::syscalls().filter(|(_, name)| glob::matches_any(wanted, name)) {
        let _ = writeln!(text, "syscall:{name}");
        if !verbose {
            continue;
        }
        let fields = Machine
            .fields("syscalls", &format!("sys_enter_{name}"))
            .unwrap_or_default();
        for field in fields.iter().filter(|field| field.name != "__syscall_nr") {
            let _ = writeln!(text, "    {} {}", field.ty, field.name);
        }
    }
    text
}

fn phases(wanted: &str) -> String {
    Phase::ALL
        .into_iter()
        .map(Phase::name)
        .filter(|name| glob::matches_any(wanted, name))
        .map(|name| format!("phase:{name}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(probe: &str) -> String {
        list(probe, false).unwrap().unwrap()
    }

    #[test]
    fn system_calls_and_phases_are_listed() {
        assert_eq!(
            listed("syscall:pread*"),
            "syscall:pread64\nsyscall:preadv\nsyscall:preadv2\n"
        );
        assert_eq!(listed("phase:e*"), "phase:exec\nphase:exit\n");
        assert!(listed("syscall").lines().count() > 300);
    }

    #[test]
    fn functions_of_a_file_are_listed_as_probes() {
        let text = listed("uprobe:libc:getpi{d,p}");
        assert!(
            text.lines().all(|line| line.starts_with("uprobe:/")),
            "{text}"
        );
        assert!(text.contains(":getpid\n"), "{text}");
        let failure = list("uprobe:libc:getpdi", false).unwrap().unwrap_err();
        assert!(
            failure.text.contains("did you mean `getpid`?"),
            "{}",
            failure.text
        );
        assert_eq!(failure.kind, Kind::NoProbe);
    }

    #[test]
    fn other_kinds_are_listed_elsewhere() {
        assert!(list("wasi:fd_*", false).is_none());
        assert!(list("fd_*", false).is_none());
    }
}
