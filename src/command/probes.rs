//! `ewapa list` for probes outside of WASI: tracepoints, functions of the kernel and of files, static probes, system
//! calls, phases and times.

use std::fmt::Write;

use ewapa_lang::glob;
use ewapa_lang::host::{Host, RETURNED};
use ewapa_lang::linux;
use ewapa_lang::plan::Phase;
use ewapa_symbols::Functions;

use crate::failure::{Failure, Kind};
use crate::host::{self, KernelFunctions, Machine};
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
        "syscall" => match system_calls(rest, verbose) {
            text if text.is_empty() && !glob::is_glob(rest) => Err(unknown_system_call(rest)),
            text => Ok(text),
        },
        "phase" => Ok(phases(rest)),
        "kprobe" | "k" => kprobes("kprobe", rest),
        "kretprobe" | "kr" => kprobes("kretprobe", rest),
        "fentry" | "kfunc" | "f" => fentries("fentry", rest, verbose),
        "fexit" | "kretfunc" | "fr" => fentries("fexit", rest, verbose),
        "begin" | "BEGIN" | "end" | "END" | "interval" | "i" | "profile" | "p" => {
            Ok(times(kind, rest))
        }
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

/// Those of raw tracepoints may have the name of the kernel's image before them.
fn raw_tracepoints(wanted: &str) -> Result<String, Failure> {
    let wanted = wanted.strip_prefix("vmlinux:").unwrap_or(wanted);
    let names = host::raw_tracepoints(wanted).map_err(missing)?;
    if names.is_empty() && !glob::is_glob(wanted) {
        let known = host::raw_tracepoints("*").map_err(missing)?;
        let hint = host::did_you_mean(wanted, &known, "rawtracepoint:*");
        return Err(missing(format!(
            "this kernel has no raw tracepoint `{}`; {hint}",
            escape(wanted)
        )));
    }
    Ok(lines("rawtracepoint", &names))
}

fn lines(kind: &str, names: &[String]) -> String {
    let lines = names.iter().map(|name| format!("{kind}:{name}\n"));
    lines.collect()
}

/// Functions of the kernel, as `kprobe` takes them.
fn kprobes(kind: &str, wanted: &str) -> Result<String, Failure> {
    let names = host::traceable(wanted).map_err(missing)?;
    if names.is_empty() && !glob::is_glob(wanted) {
        let known = host::traceable("*").map_err(missing)?;
        let hint = host::did_you_mean(wanted, &known, "kprobe:*");
        return Err(missing(format!(
            "this kernel has no function `{}`; {hint}",
            escape(wanted)
        )));
    }
    Ok(lines(kind, &names))
}

/// Functions of the kernel that it describes; verbosely with what they take and return.
fn fentries(kind: &str, rest: &str, verbose: bool) -> Result<String, Failure> {
    let wanted = rest.strip_prefix("vmlinux:").unwrap_or(rest);
    let functions = KernelFunctions::read().map_err(missing)?;
    let mut text = String::new();
    for name in functions.names() {
        if !glob::matches_any(wanted, &name) {
            continue;
        }
        let Ok(function) = functions.find(&name) else {
            // What `fentry` does not take.
            continue;
        };
        let _ = writeln!(text, "{kind}:{name}");
        if verbose {
            for field in function.fields {
                let name = match field.name.as_str() {
                    RETURNED => "retval",
                    name => name,
                };
                let _ = writeln!(text, "    {} {name}", field.ty.trim_end());
            }
        }
    }
    if text.is_empty() && !glob::is_glob(wanted) {
        // Says why.
        functions.find(wanted).map_err(missing)?;
    }
    Ok(text)
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

/// The probes of times, which are no names: how they are written.
fn times(kind: &str, wanted: &str) -> String {
    const UNITS: [&str; 4] = ["us", "ms", "s", "hz"];
    let kind = match kind {
        "i" => "interval",
        "p" => "profile",
        "begin" | "BEGIN" => return "begin\n".to_owned(),
        "end" | "END" => return "end\n".to_owned(),
        kind => kind,
    };
    let unit = wanted.split(':').next().unwrap_or_default();
    let units = UNITS
        .into_iter()
        .filter(|known| glob::matches_any(unit, known));
    units.map(|unit| format!("{kind}:{unit}:N\n")).collect()
}

/// A name that no system call has is near to another one.
fn unknown_system_call(wanted: &str) -> Failure {
    let near = ewapa_lang::nearest(wanted, linux::syscalls().map(|(_, name)| name));
    let hint = near.map_or_else(
        || "`ewapa list 'syscall:*'` shows all".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    missing(format!(
        "no system call is called `{}`; {hint}",
        escape(wanted)
    ))
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
        let failure = list("syscall:wirte", false).unwrap().unwrap_err();
        assert!(
            failure.text.contains("did you mean `write`?"),
            "{}",
            failure.text
        );
    }

    #[test]
    fn functions_of_the_kernel_are_listed_as_both_kinds_of_probes() {
        assert_eq!(
            listed("k:vfs_rea{d,dv}"),
            "kprobe:vfs_read\nkprobe:vfs_readv\n"
        );
        assert_eq!(listed("fentry:vmlinux:vfs_read"), "fentry:vfs_read\n");
        let verbose = list("fexit:vfs_read", true).unwrap().unwrap();
        assert!(verbose.contains("    size_t count\n"), "{verbose}");
        assert!(verbose.contains(" retval\n"), "{verbose}");
        for probe in ["kprobe:vfs_raed", "fentry:vfs_raed"] {
            let failure = list(probe, false).unwrap().unwrap_err();
            assert!(
                failure.text.contains("did you mean `vfs_read`?"),
                "{}",
                failure.text
            );
        }
    }

    #[test]
    fn times_are_listed_as_they_are_written() {
        assert_eq!(listed("profile:hz:*"), "profile:hz:N\n");
        assert_eq!(listed("interval").lines().count(), 4);
        assert_eq!(listed("BEGIN"), "begin\n");
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
