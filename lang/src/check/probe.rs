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

/// The kinds of probes of the language that this version does not have yet.
pub(crate) const PLANNED_KINDS: &[&str] = &[
    "syscall",
    "phase",
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

impl Checker<'_> {
    /// The calls that some probes stand for; probes of the same runtime become one.
    pub(super) fn probes(&mut self, probes: &[Probe]) -> Option<Vec<plan::Probe>> {
        let checked: Vec<Option<Vec<plan::Probe>>> =
            probes.iter().map(|probe| self.probe(probe)).collect();
        let mut merged: Vec<plan::Probe> = Vec::new();
        for probe in checked
            .into_iter()
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .flatten()
        {
            match merged
                .iter_mut()
                .find(|known| known.runtime == probe.runtime)
            {
                Some(known) => known.functions = known.functions.union(probe.functions),
                None => merged.push(probe),
            }
        }
        Some(merged)
    }

    fn probe(&mut self, probe: &Probe) -> Option<Vec<plan::Probe>> {
        let kind = probe.kind.text.as_str();
        if self.is_alias(probe) {
            return self.refused(probe.span, &format!("the alias `{}` is", written(probe)));
        }
        if WITHOUT_CALL.contains(&kind) {
            let message = format!("a table is over calls, and there is none at `{kind}`");
            self.errors.push(
                Diagnostic::new(Code::BadProbe, probe.span, message)
                    .help(format!("write `from wasi:*`; what happens at `{kind}` is a probe block: `{kind} {{ … }}`")),
            );
            return None;
        }
        if PLANNED_KINDS.contains(&kind) {
            return self.refused(probe.span, &format!("the probe `{kind}` is"));
        }
        if kind != "wasi" {
            let error = Diagnostic::new(
                Code::UnknownProbe,
                probe.kind.span,
                format!("no kind of probe is called `{kind}`"),
            );
            let known = ["wasi"]
                .iter()
                .chain(WITHOUT_CALL)
                .chain(PLANNED_KINDS)
                .copied();
            self.errors.push(did_you_mean(error, kind, known));
            return None;
        }
        match probe.segments.as_slice() {
            [functions] => self.calls(probe, None, functions),
            [functions, point] if is_point(point) => {
                self.calls(probe, None, functions);
                self.refused(point.span, &format!("`:{}` is", point.text))
            }
            [runtime, functions] => self.calls(probe, Some(runtime), functions),
            [runtime, functions, point] if is_point(point) => {
                self.calls(probe, Some(runtime), functions);
                self.refused(point.span, &format!("`:{}` is", point.text))
            }
            segments => {
                let message = if segments.is_empty() {
                    "this probe names no function"
                } else {
                    "this probe has too many parts"
                };
                let error = Diagnostic::new(Code::BadProbe, probe.span, message);
                self.errors.push(error.help("write `wasi:fd_write`, `wasi:fd_*` or, of one runtime, `wasi:wasmtime:fd_write`"));
                None
            }
        }
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

    fn parts(&mut self, glob: &Name) -> Option<Vec<String>> {
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

    /// Whether the script declares the probe with `alias`.
    pub(super) fn is_alias(&self, probe: &Probe) -> bool {
        self.aliases.contains(&written(probe))
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
pub(super) fn written(probe: &Probe) -> String {
    let mut text = probe.kind.text.clone();
    for segment in &probe.segments {
        text.push(':');
        text.push_str(&segment.text);
    }
    text
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
