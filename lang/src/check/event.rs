//! What a probe block waits for.

use crate::ast::{Amount, Number, Probe};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::parse::literal;
use crate::plan::Event;
use crate::types::Type;

use super::Checker;

/// The shortest interval, in nanoseconds.
const MIN_INTERVAL: i64 = 1_000_000;

/// The units of `interval:UNIT:COUNT`, as bpftrace has them, in nanoseconds.
const UNITS: &[(&str, i64)] = &[
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Whether the probe is one that a block can have and that no call belongs to.
pub(super) fn is_without_call(probe: &Probe) -> bool {
    matches!(
        probe.kind.text.as_str(),
        "begin" | "BEGIN" | "end" | "END" | "interval"
    )
}

impl Checker<'_> {
    /// The events of a block's probes, with the probe of those that have no call; the WASI probes are one event.
    pub(super) fn events(&mut self, probes: &[Probe]) -> Option<Vec<(Event, Option<String>)>> {
        let (others, calls): (Vec<Probe>, Vec<Probe>) =
            probes.iter().cloned().partition(is_without_call);
        let mut events = Vec::new();
        let mut complete = true;
        if !calls.is_empty() {
            match self.probes(&calls) {
                Some(probes) => events.push((Event::Wasi(probes), None)),
                None => complete = false,
            }
        }
        for probe in &others {
            match self.event(probe) {
                Some(event) if events.iter().any(|(known, _)| *known == event) => {}
                Some(event) => events.push((event, Some(probe.kind.text.clone()))),
                None => complete = false,
            }
        }
        complete.then_some(events)
    }

    fn event(&mut self, probe: &Probe) -> Option<Event> {
        let kind = probe.kind.text.as_str();
        if kind == "interval" {
            return self.interval(probe);
        }
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
            [unit, count] => whole(&count.text)
                .filter(|(count, ty)| *ty == Type::Int && *count > 0)
                .and_then(|(count, _)| match unit.text.as_str() {
                    "hz" => Some(1_000_000_000 / count),
                    unit => UNITS
                        .iter()
                        .find(|(known, _)| *known == unit)
                        .and_then(|(_, factor)| factor.checked_mul(count)),
                }),
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
                    "an interval is at least a millisecond",
                );
                self.errors
                    .push(error.help("what happens more often is counted in a `wasi:` block"));
                None
            }
        }
    }
}

/// A number that is written as in a script, and its type.
fn whole(text: &str) -> Option<(i64, Type)> {
    match literal::number(text) {
        Ok(Number {
            amount: Amount::Whole(value),
            ty,
        }) => Some((value, ty)),
        _ => None,
    }
}
