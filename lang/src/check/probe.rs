//! Probes: which calls of which runtimes they stand for.

use crate::ast::{Name, Probe};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;
use crate::plan;
use crate::span::Span;
use crate::wasi::{Function, FunctionSet};

use super::Checker;
use super::glob;
use super::name::did_you_mean;

/// The kinds of probes that have no call.
pub(crate) const WITHOUT_CALL: &[&str] = &["begin", "end", "BEGIN", "END", "interval"];

/// The kinds of probes outside of WASI.
pub(crate) const RAW_KINDS: &[&str] = &[
    "profile",
    "uprobe",
    "uretprobe",
    "usdt",
    "tracepoint",
    "rawtracepoint",
    "kprobe",
    "kretprobe",
    "fentry",
    "fexit",
];

/// The kinds of probes of bpftrace that this language leaves out, and what does instead.
const LEFT_OUT: &[(&str, &str)] = &[
    (
        "software",
        "what happens now and then is seen with `profile:hz:99`, page faults with `tracepoint:exceptions:page_fault_user`",
    ),
    (
        "hardware",
        "what happens now and then is seen with `profile:hz:99`",
    ),
    ("watchpoint", "a script does not watch memory"),
    ("asyncwatchpoint", "a script does not watch memory"),
    (
        "iter",
        "what the kernel holds is not listed; a script sees what happens",
    ),
    ("self", "signals to ewapa itself are no events"),
    ("test", "write `begin`"),
    ("bench", "write `begin`"),
];

/// The short and the old names of kinds of probes, as bpftrace has them.
const SHORT: &[(&str, &str)] = &[
    ("t", "tracepoint"),
    ("rt", "rawtracepoint"),
    ("u", "uprobe"),
    ("ur", "uretprobe"),
    ("U", "usdt"),
    ("k", "kprobe"),
    ("kr", "kretprobe"),
    ("p", "profile"),
    ("i", "interval"),
    ("f", "fentry"),
    ("fr", "fexit"),
    ("kfunc", "fentry"),
    ("kretfunc", "fexit"),
    ("s", "software"),
    ("h", "hardware"),
    ("w", "watchpoint"),
    ("aw", "asyncwatchpoint"),
    ("it", "iter"),
];

/// The kind of a probe, by its long name.
pub(super) fn kind(probe: &Probe) -> &str {
    long(&probe.kind.text)
}

fn long(kind: &str) -> &str {
    let short = SHORT.iter().find(|(short, _)| *short == kind);
    short.map_or(kind, |(_, long)| long)
}

/// All kinds of probes.
pub(crate) fn kinds() -> impl Iterator<Item = &'static str> {
    ["wasi", "syscall", "phase"]
        .into_iter()
        .chain(WITHOUT_CALL.iter().copied())
        .chain(RAW_KINDS.iter().copied())
}

/// The name of a kind that this language leaves out, and what does instead.
pub(super) fn left_out(kind: &str) -> Option<(&'static str, &'static str)> {
    let kind = long(kind);
    LEFT_OUT.iter().find(|(name, _)| *name == kind).copied()
}

/// When in a call a probe fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    /// When it has completed.
    End,
    /// When it begins.
    Enter,
}

impl Checker<'_> {
    /// The calls that a `wasi:` probe stands for, and when in them it fires.
    pub(super) fn calls_of(&mut self, probe: &Probe) -> Option<(Point, Vec<plan::Probe>)> {
        let (point, segments) = match probe.segments.as_slice() {
            [segments @ .., point] if is_point(point) && !segments.is_empty() => {
                (Point::Enter, segments)
            }
            segments => (Point::End, segments),
        };
        let calls = match segments {
            [functions] => self.calls(probe, None, functions),
            [runtime, functions] => self.calls(probe, Some(runtime), functions),
            _ => {
                let message = if segments.is_empty() {
                    "this probe names no function"
                } else {
                    "this probe has too many parts"
                };
                let error = Diagnostic::new(Code::BadProbe, probe.span, message);
                self.errors.push(error.help("write `wasi:fd_write`, `wasi:fd_*` or, of one runtime, `wasi:wasmtime:fd_write`"));
                None
            }
        };
        Some((point, calls?))
    }

    fn calls(
        &mut self,
        probe: &Probe,
        runtime: Option<&Name>,
        functions: &Name,
    ) -> Option<Vec<plan::Probe>> {
        let runtimes = match runtime {
            Some(name) if name.text != "*" => self.runtimes(name),
            _ => Some(vec![None]),
        };
        let functions = self.functions(probe.span, functions);
        let (runtimes, functions) = (runtimes?, functions?);
        Some(
            runtimes
                .into_iter()
                .map(|runtime| plan::Probe { functions, runtime })
                .collect(),
        )
    }

    /// The functions that a glob stands for. Each part of it has to match something.
    fn functions(&mut self, place: Span, glob: &Name) -> Option<FunctionSet> {
        let mut set = FunctionSet::EMPTY;
        let mut all_match = true;
        for part in self.parts(glob)? {
            let matching: FunctionSet = Function::all()
                .filter(|function| glob::matches(&part, function.name()))
                .collect();
            if matching.is_empty() {
                all_match = false;
                let error = no_function(place, &part, "wasi:");
                let alias = nearest(
                    &format!("wasi:{part}"),
                    self.defined.iter().map(String::as_str),
                );
                let error = match alias {
                    Some(alias) if error.label.is_none() => {
                        error.label(format!("did you mean `{alias}`?"))
                    }
                    _ => error,
                };
                let names_runtime = self.environment.runtimes.contains(&part.as_str());
                self.errors.push(if names_runtime {
                    error.help(format!(
                        "for all calls of that runtime write `wasi:{part}:*`"
                    ))
                } else {
                    error
                });
            }
            set = set.union(matching);
        }
        all_match.then_some(set)
    }

    /// The catalogue's numbers of the runtimes that a glob stands for.
    fn runtimes(&mut self, glob: &Name) -> Option<Vec<Option<u8>>> {
        let mut numbers = Vec::new();
        let mut all_match = true;
        for part in self.parts(glob)? {
            let known = self.environment.runtimes.iter().enumerate();
            let matching: Vec<Option<u8>> = known
                .filter(|(_, name)| glob::matches(&part, name))
                .filter_map(|(index, _)| u8::try_from(index).ok().map(Some))
                .collect();
            if matching.is_empty() {
                all_match = false;
                let error = self.no_runtime(glob.span, &part);
                self.errors.push(error);
            }
            numbers.extend(matching);
        }
        all_match.then_some(numbers)
    }

    pub(super) fn parts(&mut self, glob: &Name) -> Option<Vec<String>> {
        let parts = glob::alternatives(&glob.text);
        if parts.is_none() {
            let message = format!(
                "the braces stand for more than {} names",
                glob::MAX_ALTERNATIVES
            );
            self.errors.push(
                Diagnostic::new(Code::TooLarge, glob.span, message).help("`*` stands for any text"),
            );
        }
        parts
    }

    /// The error that no runtime has this name.
    pub(super) fn no_runtime(&self, place: Span, name: &str) -> Diagnostic {
        let error = Diagnostic::new(
            Code::UnknownRuntime,
            place,
            format!("no runtime is called `{name}`"),
        );
        let error = did_you_mean(error, name, self.environment.runtimes.iter().copied());
        let known: Vec<String> = self
            .environment
            .runtimes
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        if known.is_empty() {
            error
        } else {
            error.help(format!("the runtimes are {}", known.join(", ")))
        }
    }
}

/// A probe as it is written.
pub(crate) fn written(probe: &Probe) -> String {
    let mut text = probe.kind.text.clone();
    for segment in &probe.segments {
        text.push(':');
        text.push_str(&segment.text);
    }
    text
}

/// A probe as it would be written with the whole name of its kind.
pub(super) fn spelled_out(probe: &Probe) -> String {
    let written = written(probe);
    let parts = &written[probe.kind.text.len()..];
    format!("{}{parts}", kind(probe))
}

pub(super) fn is_point(name: &Name) -> bool {
    name.text == "enter"
}

/// The error that no function has this name, or that a glob matches none. Suggestions begin with `prefix`.
pub(super) fn no_function(place: Span, name: &str, prefix: &str) -> Diagnostic {
    if glob::is_glob(name) {
        return Diagnostic::new(
            Code::EmptyGlob,
            place,
            format!("no WASI function matches `{name}`"),
        )
        .help("`ewapa list 'wasi:*'` shows all functions; `ewapa explain E0204` says more");
    }
    let error = Diagnostic::new(
        Code::UnknownWasiFunction,
        place,
        format!("no WASI function is called `{name}`"),
    );
    let error = match nearest(name, Function::all().map(Function::name)) {
        Some(near) => error.label(format!("did you mean `{prefix}{near}`?")),
        None => error,
    };
    let glob = name
        .split_once('_')
        .map_or("*".to_owned(), |(family, _)| format!("{family}_*"));
    let known = Function::all().any(|function| glob::matches(&glob, function.name()));
    let glob = if known { glob } else { "*".to_owned() };
    error.help(format!(
        "`ewapa list 'wasi:{glob}'` shows them; `ewapa explain E0203` says more"
    ))
}
