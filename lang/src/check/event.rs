//! What probes wait for: each kind of event of a block or table becomes a clause.

use crate::ast::{Amount, Number, Probe};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::parse::literal;
use crate::plan::{self, Event, RawProbe};
use crate::types::Type;

use super::Checker;
use super::context::{Context, RawContext};
use super::name::did_you_mean;
use super::probe::{self, Point};
use super::reads::Reads;

/// The shortest interval, in nanoseconds.
const MIN_INTERVAL: i64 = 1_000;

/// The units of `interval:UNIT:COUNT`, as bpftrace has them, in nanoseconds.
const UNITS: &[(&str, i64)] = &[
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// An event, and what values there are at it.
pub(super) struct Occasion {
    /// What is waited for.
    pub(super) event: Event,
    /// What an expression can read there.
    pub(super) context: Context,
}

/// What the probes of one block or table stand for, so far.
#[derive(Default)]
struct Found {
    calls: Vec<plan::Probe>,
    enters: Vec<plan::Probe>,
    syscalls: Option<plan::Syscalls>,
    phases: Vec<plan::Phase>,
    raw: Vec<(Vec<RawProbe>, RawContext)>,
    others: Vec<(Event, String)>,
}

impl Checker<'_> {
    /// The events of probes. Those of one kind are one event; raw probes are one where they give the same of
    /// what is read. `is_table`: the probes are those of a table, which only sees what happens in processes.
    pub(super) fn events(
        &mut self,
        probes: &[Probe],
        reads: &Reads,
        is_table: bool,
    ) -> Option<Vec<Occasion>> {
        let mut found = Found::default();
        let mut complete = true;
        for probe in probes {
            complete &= self.event(probe, reads, is_table, &mut found).is_some();
        }
        complete.then(|| found.occasions())
    }

    fn event(
        &mut self,
        probe: &Probe,
        reads: &Reads,
        is_table: bool,
        found: &mut Found,
    ) -> Option<()> {
        let probe = &self.with_arguments(probe)?;
        let kind = probe::kind(probe);
        match kind {
            "wasi" => match self.calls_of(probe)? {
                (Point::End, calls) => merge(&mut found.calls, calls),
                (Point::Enter, calls) => merge(&mut found.enters, calls),
            },
            "syscall" => {
                let syscalls = self.syscalls(probe)?;
                found.syscalls = Some(match found.syscalls.take() {
                    Some(known) => both(known, syscalls),
                    None => syscalls,
                });
            }
            "phase" => {
                for phase in self.phases(probe)? {
                    if !found.phases.contains(&phase) {
                        found.phases.push(phase);
                    }
                }
                found.phases.sort_unstable();
            }
            _ if probe::WITHOUT_CALL.contains(&kind) => {
                if is_table {
                    self.no_table_of(probe, kind);
                    return None;
                }
                let event = if kind == "interval" {
                    self.interval(probe)?
                } else {
                    self.begin_or_end(probe, kind)?
                };
                if !found.others.iter().any(|(known, _)| *known == event) {
                    found.others.push((event, probe::spelled_out(probe)));
                }
            }
            _ if probe::RAW_KINDS.contains(&kind) => {
                for (raw, context) in self.raw_probes(probe, kind, reads)? {
                    found.add_raw(raw, context, reads);
                }
            }
            _ => {
                self.no_kind(probe);
                return None;
            }
        }
        Some(())
    }

    /// A probe with the script's arguments instead of `$1` and so on.
    fn with_arguments(&mut self, probe: &Probe) -> Option<Probe> {
        let mut probe = probe.clone();
        for segment in &mut probe.segments {
            while let Some((start, end, number)) = positional(&segment.text) {
                let Some(argument) = self.environment.arguments.get(number.wrapping_sub(1)) else {
                    let message = format!("the script is given no `${number}`");
                    let error = Diagnostic::new(Code::NotConstant, segment.span, message);
                    self.errors.push(
                        error.help(
                            "arguments follow the script's name: `ewapa script x.ewq ARGUMENT`",
                        ),
                    );
                    return None;
                };
                let has_more = argument.contains('$');
                segment.text.replace_range(start..end, argument);
                if has_more {
                    break;
                }
            }
        }
        Some(probe)
    }

    fn no_table_of(&mut self, probe: &Probe, kind: &str) {
        let message = format!("a table is over calls, and there is none at `{kind}`");
        self.errors.push(
            Diagnostic::new(Code::BadProbe, probe.span, message).help(format!(
                "write `from wasi:*`; what happens at `{kind}` is a probe block: `{kind} {{ … }}`"
            )),
        );
    }

    /// Reports a kind of probe that does not exist, or that this language does not have.
    fn no_kind(&mut self, probe: &Probe) {
        let kind = probe.kind.text.as_str();
        if let Some((name, hint)) = probe::left_out(kind) {
            self.not_in_language(probe.span, &format!("the probe `{name}` is"), hint);
            return;
        }
        let error = Diagnostic::new(
            Code::UnknownProbe,
            probe.kind.span,
            format!("no kind of probe is called `{kind}`"),
        );
        self.errors.push(did_you_mean(error, kind, probe::kinds()));
    }

    fn begin_or_end(&mut self, probe: &Probe, kind: &str) -> Option<Event> {
        if let [first, ..] = probe.segments.as_slice() {
            let message = format!("`{kind}` has no parts");
            self.errors.push(
                Diagnostic::new(Code::BadProbe, first.span, message)
                    .help(format!("write `{kind} {{ … }}`")),
            );
            return None;
        }
        Some(match kind {
            "begin" | "BEGIN" => Event::Begin,
            _ => Event::End,
        })
    }

    /// `interval:1s`, or as in bpftrace `interval:s:1`.
    fn interval(&mut self, probe: &Probe) -> Option<Event> {
        let period = match probe.segments.as_slice() {
            [period] => whole(&period.text)
                .filter(|(_, ty)| *ty == Type::Time)
                .map(|(period, _)| period),
            [unit, count] => period(&unit.text, &count.text),
            _ => None,
        };
        let Some(period) = period else {
            let error = Diagnostic::new(
                Code::BadProbe,
                probe.span,
                "an interval is a time that is known before the script runs",
            );
            self.errors.push(
                error.help(
                    "write `interval:1s`, `interval:100ms` or, as in bpftrace, `interval:s:1`",
                ),
            );
            return None;
        };
        match u64::try_from(period) {
            Ok(nanoseconds) if period >= MIN_INTERVAL => Some(Event::Interval(nanoseconds)),
            _ => {
                let error = Diagnostic::new(
                    Code::BadProbe,
                    probe.span,
                    "an interval is at least a microsecond",
                );
                self.errors
                    .push(error.help("what happens more often is counted in a `wasi:` block"));
                None
            }
        }
    }
}

impl Found {
    /// Adds a raw probe to those that give the same, if there are any.
    fn add_raw(&mut self, raw: RawProbe, context: RawContext, reads: &Reads) {
        let known = self
            .raw
            .iter_mut()
            .find(|(_, known)| reads.are_same(known, &context));
        match known {
            Some((probes, _)) if probes.contains(&raw) => {}
            Some((probes, _)) => probes.push(raw),
            None => self.raw.push((vec![raw], context)),
        }
    }

    fn occasions(self) -> Vec<Occasion> {
        let mut occasions = Vec::new();
        let mut add = |event, context| occasions.push(Occasion { event, context });
        if !self.calls.is_empty() {
            add(Event::Wasi(self.calls), Context::Call);
        }
        if !self.enters.is_empty() {
            add(Event::WasiEnter(self.enters), Context::Enter);
        }
        if let Some(syscalls) = self.syscalls {
            add(Event::Syscall(syscalls), Context::Syscall);
        }
        if !self.phases.is_empty() {
            add(Event::Phase(self.phases), Context::Phase);
        }
        for (probes, context) in self.raw {
            add(Event::Raw(probes), Context::Raw(context));
        }
        for (event, written) in self.others {
            add(event, Context::Other(written));
        }
        occasions
    }
}

/// Adds probes; those of the same runtime become one.
fn merge(known: &mut Vec<plan::Probe>, more: Vec<plan::Probe>) {
    for probe in more {
        match known
            .iter_mut()
            .find(|known| known.runtime == probe.runtime)
        {
            Some(known) => known.functions = known.functions.union(probe.functions),
            None => known.push(probe),
        }
    }
}

fn both(one: plan::Syscalls, other: plan::Syscalls) -> plan::Syscalls {
    match (one, other) {
        (plan::Syscalls::Numbers(mut numbers), plan::Syscalls::Numbers(more)) => {
            numbers.extend(more);
            numbers.sort_unstable();
            numbers.dedup();
            plan::Syscalls::Numbers(numbers)
        }
        _ => plan::Syscalls::All,
    }
}

/// The nanoseconds that bpftrace's `UNIT:COUNT` stands for.
pub(super) fn period(unit: &str, count: &str) -> Option<i64> {
    let (count, ty) = whole(count)?;
    if ty != Type::Int || count <= 0 {
        return None;
    }
    match unit {
        "hz" => Some(1_000_000_000 / count),
        unit => UNITS
            .iter()
            .find(|(known, _)| *known == unit)
            .and_then(|(_, factor)| factor.checked_mul(count)),
    }
}

/// A number that is written as in a script, and its type.
pub(super) fn whole(text: &str) -> Option<(i64, Type)> {
    match literal::number(text) {
        Ok(Number {
            amount: Amount::Whole(value),
            ty,
        }) => Some((value, ty)),
        _ => None,
    }
}

/// Where in a part of a probe `$1` or the like stands, and its number.
fn positional(text: &str) -> Option<(usize, usize, usize)> {
    let start = text.find('$')?;
    let digits = text[start + 1..].bytes().take_while(u8::is_ascii_digit);
    let end = start + 1 + digits.count();
    Some((start, end, text[start + 1..end].parse().ok()?))
}
