//! Tracepoints: which ones the machine has, and what is in their records.

use crate::ast::{Name, Probe};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;
use crate::plan::RawProbe;

use super::Checker;
use super::context::RawContext;
use super::glob;
use super::raw_probe::{Raw, context, unquoted};
use super::reads::Reads;

/// A glob stands for at most so many tracepoints.
const MAX_TRACEPOINTS: usize = 1024;

impl Checker<'_> {
    /// The tracepoints that a probe stands for, with their fields if those are read.
    pub(super) fn tracepoints(&mut self, probe: &Probe, reads: &Reads) -> Option<Vec<Raw>> {
        let [category, name] = probe.segments.as_slice() else {
            return self.bad_probe(
                probe,
                "a tracepoint has two parts, its category and its name",
                "write `tracepoint:sched:sched_switch` or `tracepoint:syscalls:sys_enter_*`",
            );
        };
        let mut found = self.matching(probe, category, name)?;
        found.dedup();
        if found.len() > MAX_TRACEPOINTS {
            let message = format!(
                "this stands for {} tracepoints; at most {MAX_TRACEPOINTS} are accepted",
                found.len()
            );
            self.errors
                .push(Diagnostic::new(Code::TooLarge, probe.span, message));
            return None;
        }
        let mut all = Vec::new();
        for (category, name) in found {
            let fields = if reads.any() {
                let host = self.host(probe, "what tracepoints it has")?;
                match host.fields(&category, &name) {
                    Ok(fields) => fields,
                    Err(reason) => {
                        self.machine_says(
                            probe,
                            format!("cannot read the fields of `{category}:{name}`: {reason}"),
                        );
                        return None;
                    }
                }
            } else {
                Vec::new()
            };
            let written = format!("tracepoint:{category}:{name}");
            let raw = RawProbe::Tracepoint { category, name };
            let context = RawContext {
                written,
                in_kernel: true,
                fields,
                ..context(probe, &raw)
            };
            all.push((raw, context));
        }
        Some(all)
    }

    /// Category and name of the tracepoints that two globs stand for. Each part of them has to match something.
    fn matching(
        &mut self,
        probe: &Probe,
        category: &Name,
        name: &Name,
    ) -> Option<Vec<(String, String)>> {
        let (categories, names) = (self.parts(category)?, self.parts(name)?);
        let mut found = Vec::new();
        let mut all_match = true;
        for category in &categories {
            for name in &names {
                let matching = self.known_tracepoints(probe, category, name)?;
                if matching.is_empty() {
                    all_match = false;
                    self.no_tracepoint(probe, category, name);
                }
                found.extend(matching);
            }
        }
        found.sort();
        all_match.then_some(found)
    }

    fn known_tracepoints(
        &mut self,
        probe: &Probe,
        category: &str,
        name: &str,
    ) -> Option<Vec<(String, String)>> {
        let host = self.host(probe, "what tracepoints it has")?;
        match host.tracepoints(category, name) {
            Ok(found) => Some(found),
            Err(reason) => {
                self.machine_says(probe, format!("cannot list the tracepoints: {reason}"));
                None
            }
        }
    }

    fn no_tracepoint(&mut self, probe: &Probe, category: &str, name: &str) {
        let tracepoint = format!("{category}:{name}");
        if glob::is_glob(&tracepoint) {
            let message = format!("no tracepoint matches `{tracepoint}`");
            self.errors
                .push(Diagnostic::new(Code::EmptyGlob, probe.span, message));
            return;
        }
        let list = |category: &str, name: &str| {
            let host = self.environment.host;
            host.and_then(|host| host.tracepoints(category, name).ok())
                .unwrap_or_default()
        };
        let (in_category, named) = (list(category, "*"), list("*", name));
        let near = match named.first() {
            Some((category, name)) => Some(format!("{category}:{name}")),
            None => nearest(name, in_category.iter().map(|(_, name)| name.as_str()))
                .map(|name| format!("{category}:{name}")),
        };
        let message = format!("this machine has no tracepoint `{tracepoint}`");
        let error = Diagnostic::new(Code::UnknownTracepoint, probe.span, message);
        let error = match near {
            Some(near) => error.label(format!("did you mean `tracepoint:{near}`?")),
            None => error,
        };
        let all = list("*", "*");
        let mut categories: Vec<&str> = all.iter().map(|(known, _)| known.as_str()).collect();
        categories.dedup();
        self.errors.push(if in_category.is_empty() {
            match nearest(category, categories.iter().copied()) {
                Some(near) => error.help(format!("there is a category `{near}`")),
                None => error.help(format!("it has no category `{category}`")),
            }
        } else {
            error
        });
    }

    /// Tracepoints by their arguments. Not every one is in the kernel's list, so names are taken as they are.
    pub(super) fn raw_tracepoints(&mut self, probe: &Probe) -> Option<Vec<Raw>> {
        let (category, name) = match probe.segments.as_slice() {
            [name] => (None, name),
            [category, name] => (Some(category), name),
            _ => {
                return self.bad_probe(
                    probe,
                    "a raw tracepoint is its name",
                    "write `rawtracepoint:sched_switch`",
                );
            }
        };
        let mut names = Vec::new();
        for part in self.parts(name)? {
            if !glob::is_glob(&part) {
                names.push(part.replace('"', ""));
                continue;
            }
            let category = category.map_or("*".to_owned(), unquoted);
            let matching = self.known_tracepoints(probe, &category, &part)?;
            // Those of single system calls are made of two raw ones.
            let matching = matching
                .into_iter()
                .filter(|(category, _)| category != "syscalls");
            let before = names.len();
            names.extend(matching.map(|(_, name)| name));
            if names.len() == before {
                let message = format!("no tracepoint matches `{part}`");
                self.errors
                    .push(Diagnostic::new(Code::EmptyGlob, probe.span, message));
                return None;
            }
        }
        let raw = |name| {
            let raw = RawProbe::RawTracepoint(name);
            let context = RawContext {
                in_kernel: true,
                ..context(probe, &raw)
            };
            (raw, context)
        };
        Some(names.into_iter().map(raw).collect())
    }
}
