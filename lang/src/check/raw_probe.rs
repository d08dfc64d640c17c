//! Probes outside of WASI: functions, static probes, tracepoints and clocks.

use crate::ast::{Name, Probe};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::host::{Field, Host, RETURNED, UsdtArgument};
use crate::plan::RawProbe;
use crate::types::Type;

use super::Checker;
use super::context::RawContext;
use super::event::{period, whole};
use super::glob;
use super::reads::Reads;

/// The shortest time between two ticks of a profile, in nanoseconds.
const MIN_TICK: i64 = 10_000;

/// A raw probe and what it gives.
pub(super) type Raw = (RawProbe, RawContext);

impl Checker<'_> {
    /// The raw probes that a probe of such a kind stands for.
    pub(super) fn raw_probes(
        &mut self,
        probe: &Probe,
        kind: &str,
        reads: &Reads,
    ) -> Option<Vec<Raw>> {
        match kind {
            "tracepoint" => self.tracepoints(probe, reads),
            "rawtracepoint" => self.raw_tracepoints(probe),
            "profile" => self.profile(probe).map(|raw| vec![raw]),
            "usdt" => self.usdt(probe, reads).map(|raw| vec![raw]),
            "kprobe" | "kretprobe" => self.kprobe(probe, kind).map(|raw| vec![raw]),
            "fentry" | "fexit" => self.fentry(probe, kind, reads).map(|raw| vec![raw]),
            _ => self.uprobe(probe, kind).map(|raw| vec![raw]),
        }
    }

    fn uprobe(&mut self, probe: &Probe, kind: &str) -> Option<Raw> {
        let (path, function) = match probe.segments.as_slice() {
            [path, function] => (path, function),
            // As in bpftrace: `uprobe:FILE:cpp:FUNCTION`. Names of all languages are looked for anyway.
            [path, language, function] if matches!(&*language.text, "cpp" | "rust") => {
                (path, function)
            }
            _ => {
                return self.bad_probe(
                    probe,
                    "a function of a file has two parts",
                    &format!("write `{kind}:/bin/bash:readline` or `{kind}:./app:\"app::run\"`"),
                );
            }
        };
        let returns = kind == "uretprobe";
        let (function, offset) = self.function_at(probe, function, returns)?;
        let raw = RawProbe::Uprobe {
            path: unquoted(path),
            function,
            offset,
            returns,
        };
        let context = RawContext {
            returns,
            ..context(probe, &raw)
        };
        Some((raw, context))
    }

    fn kprobe(&mut self, probe: &Probe, kind: &str) -> Option<Raw> {
        let [function] = probe.segments.as_slice() else {
            return self.bad_probe(
                probe,
                "a function of the kernel is its name alone",
                &format!("write `{kind}:vfs_read`"),
            );
        };
        let returns = kind == "kretprobe";
        let (function, offset) = self.function_at(probe, function, returns)?;
        let raw = RawProbe::Kprobe {
            function,
            offset,
            returns,
        };
        let context = RawContext {
            returns,
            in_kernel: true,
            ..context(probe, &raw)
        };
        Some((raw, context))
    }

    fn fentry(&mut self, probe: &Probe, kind: &str, reads: &Reads) -> Option<Raw> {
        let function = match probe.segments.as_slice() {
            [function] => unquoted(function),
            [module, function] if matches!(&*unquoted(module), "vmlinux" | "*") => {
                unquoted(function)
            }
            [_, function] => {
                let hint = format!(
                    "a function of a module is watched with `{}:{}`",
                    if kind == "fexit" {
                        "kretprobe"
                    } else {
                        "kprobe"
                    },
                    unquoted(function)
                );
                self.not_yet_but(probe.span, &format!("a module at `{kind}` is"), &hint);
                return None;
            }
            _ => {
                return self.bad_probe(
                    probe,
                    "a function of the kernel is its name",
                    &format!("write `{kind}:vfs_read`"),
                );
            }
        };
        if function.is_empty() {
            return self.bad_probe(probe, "this probe names no function", "write its name");
        }
        let returns = kind == "fexit";
        let mut fields = if reads.any() {
            self.parameters(probe, &function)?
        } else {
            Vec::new()
        };
        fields.retain(|field| returns || field.name != RETURNED);
        let raw = RawProbe::Fentry { function, returns };
        let context = RawContext {
            returns,
            in_kernel: true,
            fields,
            ..context(probe, &raw)
        };
        Some((raw, context))
    }

    fn parameters(&mut self, probe: &Probe, function: &str) -> Option<Vec<Field>> {
        if glob::is_glob(function) {
            return self.bad_probe(
                probe,
                "each function has arguments and a result of its own",
                "write one block for each function, with its name written out, or do not read them",
            );
        }
        let host = self.host(probe, "what arguments its functions have")?;
        match host.parameters(function) {
            Ok(fields) => Some(fields),
            Err(reason) => {
                let message = format!("cannot find out the arguments of `{function}`: {reason}");
                self.machine_says(probe, message);
                None
            }
        }
    }

    /// A function, and the bytes behind its start: `main+8`. An address is a function like any other.
    fn function_at(
        &mut self,
        probe: &Probe,
        written: &Name,
        returns: bool,
    ) -> Option<(String, u64)> {
        let text = unquoted(written);
        let (function, offset) = match text.rsplit_once('+') {
            Some((function, offset)) => match address(offset) {
                Some(offset) => (function.to_owned(), offset),
                None => (text, 0),
            },
            None => match address(&text) {
                Some(address) => (format!("{address:#x}"), 0),
                None => (text, 0),
            },
        };
        if function.is_empty() {
            return self.bad_probe(probe, "this probe names no function", "write its name");
        }
        if returns && offset > 0 {
            return self.bad_probe(
                probe,
                "a function returns as a whole",
                "leave away the `+` and what follows it",
            );
        }
        Some((function, offset))
    }

    fn usdt(&mut self, probe: &Probe, reads: &Reads) -> Option<Raw> {
        let (path, provider, name) = match probe.segments.as_slice() {
            [path, name] => (unquoted(path), String::new(), unquoted(name)),
            [path, provider, name] => (unquoted(path), unquoted(provider), unquoted(name)),
            _ => {
                return self.bad_probe(
                    probe,
                    "a static probe has two or three parts",
                    "write `usdt:FILE:NAME` or `usdt:FILE:PROVIDER:NAME`",
                );
            }
        };
        let arguments = if reads.any() {
            self.usdt_arguments(probe, &path, &provider, &name)?
        } else {
            Vec::new()
        };
        let raw = RawProbe::Usdt {
            path,
            provider,
            name,
        };
        let context = RawContext {
            usdt: Some(arguments),
            ..context(probe, &raw)
        };
        Some((raw, context))
    }

    fn usdt_arguments(
        &mut self,
        probe: &Probe,
        path: &str,
        provider: &str,
        name: &str,
    ) -> Option<Vec<UsdtArgument>> {
        let provider_or_any = if provider == "*" { "" } else { provider };
        if glob::is_glob(provider_or_any) || glob::is_glob(name) {
            return self.bad_probe(
                probe,
                "each static probe has arguments of its own",
                "write one block for each probe, with its name written out, or do not read arguments",
            );
        }
        let host = self.host(probe, "where the arguments of static probes are")?;
        match host.usdt_arguments(path, provider_or_any, name) {
            Ok(arguments) => Some(arguments),
            Err(reason) => {
                self.machine_says(
                    probe,
                    format!("cannot find out where the arguments of `{name}` are: {reason}"),
                );
                None
            }
        }
    }

    fn profile(&mut self, probe: &Probe) -> Option<Raw> {
        let period = match probe.segments.as_slice() {
            [unit, count] => period(&unit.text, &count.text),
            [period] => match whole(&period.text) {
                Some((period, Type::Time)) => Some(period),
                Some((hertz @ 1.., Type::Int)) => Some(1_000_000_000 / hertz),
                _ => None,
            },
            _ => None,
        };
        let Some(period) = period else {
            return self.bad_probe(
                probe,
                "a profile is so many ticks a second, or a time",
                "write `profile:hz:99`, `profile:ms:10` or `profile:10ms`",
            );
        };
        match u64::try_from(period) {
            Ok(nanoseconds) if period >= MIN_TICK => {
                let raw = RawProbe::Profile {
                    period: nanoseconds,
                };
                let context = context(probe, &raw);
                Some((raw, context))
            }
            _ => self.bad_probe(
                probe,
                "two ticks of a profile are at least 10us apart",
                "write `profile:hz:99`",
            ),
        }
    }

    /// Reports a probe that is not written as it has to be.
    pub(super) fn bad_probe<T>(&mut self, probe: &Probe, message: &str, help: &str) -> Option<T> {
        self.errors
            .push(Diagnostic::new(Code::BadProbe, probe.span, message).help(help));
        None
    }

    /// The machine that the script is compiled for. Without one it is reported `what` is not known.
    pub(super) fn host(&mut self, probe: &Probe, what: &str) -> Option<&dyn Host> {
        if self.environment.host.is_none() {
            self.machine_says(
                probe,
                format!("the script is compiled for no machine, so that it is not known {what}"),
            );
        }
        self.environment.host
    }

    /// Reports that the machine does not have or say what is needed.
    pub(super) fn machine_says(&mut self, probe: &Probe, message: String) {
        self.errors
            .push(Diagnostic::new(Code::NotOnMachine, probe.span, message));
    }
}

/// What a probe gives if nothing else is known of it.
pub(super) fn context(probe: &Probe, raw: &RawProbe) -> RawContext {
    RawContext {
        written: super::probe::written(probe),
        kind: raw.kind(),
        returns: false,
        in_kernel: false,
        fields: Vec::new(),
        usdt: None,
    }
}

/// A part of a probe without its quotes.
pub(super) fn unquoted(name: &Name) -> String {
    name.text.replace('"', "")
}

fn address(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None if text.starts_with(|c: char| c.is_ascii_digit()) => text.parse().ok(),
        None => None,
    }
}
