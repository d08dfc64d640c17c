//! Aggregates: their names, their arguments, and the slots that they need.

use crate::ast::{Amount, Arg, Name, Number};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Aggregate, Buckets, Expr, SlotId, SlotKind, Update};
use crate::span::Span;
use crate::types::Type;

use super::Checker;
use super::name::Meaning;
use super::param::Constant;
use super::typing::{a, is_numeric};
use super::value::Position;

/// Finds or makes the slot of a kind over the aggregate's argument.
type GetSlot<'a> = dyn FnMut(SlotKind) -> SlotId + 'a;

/// What an aggregate takes and how it is made.
enum Kind {
    /// No argument.
    Count,
    /// A value of each call.
    Over(fn(&mut GetSlot) -> Aggregate),
    /// A value of each call; the share is part of the name.
    Percentile(f64),
    /// A value of each call, and the share.
    Quantile,
}

/// All aggregates of this version.
const AGGREGATES: &[(&str, Kind)] = &[
    ("count", Kind::Count),
    (
        "sum",
        Kind::Over(|slot| Aggregate::Sum {
            sum: slot(SlotKind::Sum),
            values: slot(SlotKind::Values),
        }),
    ),
    (
        "avg",
        Kind::Over(|slot| Aggregate::Avg {
            sum: slot(SlotKind::Sum),
            values: slot(SlotKind::Values),
        }),
    ),
    (
        "min",
        Kind::Over(|slot| Aggregate::Min {
            min: slot(SlotKind::Min),
            values: slot(SlotKind::Values),
        }),
    ),
    (
        "max",
        Kind::Over(|slot| Aggregate::Max {
            max: slot(SlotKind::Max),
            values: slot(SlotKind::Values),
        }),
    ),
    (
        "stddev",
        Kind::Over(|slot| Aggregate::Stddev {
            sum: slot(SlotKind::Sum),
            squares: slot(SlotKind::SumOfSquares),
            values: slot(SlotKind::Values),
        }),
    ),
    ("p50", Kind::Percentile(0.5)),
    ("p90", Kind::Percentile(0.9)),
    ("p95", Kind::Percentile(0.95)),
    ("p99", Kind::Percentile(0.99)),
    ("p999", Kind::Percentile(0.999)),
    ("quantile", Kind::Quantile),
];

fn quantile(slot: &mut GetSlot, q: f64) -> Aggregate {
    Aggregate::Quantile {
        histogram: slot(SlotKind::Histogram(Buckets::LogLinear)),
        min: slot(SlotKind::Min),
        max: slot(SlotKind::Max),
        q,
    }
}

/// Aggregates and functions of the language that this version does not have yet.
pub(super) const PLANNED_FUNCTIONS: &[&str] = &[
    "stats",
    "hist",
    "lhist",
    "rate",
    "tseries",
    "syscalls",
    "printf",
    "print",
    "clear",
    "zero",
    "delete",
    "exit",
    "time",
    "strftime",
    "str",
    "buf",
    "join",
    "strerror",
    "ksym",
    "usym",
    "kstack",
    "ustack",
    "len",
    "has_key",
    "cat",
    "system",
    "tabulate",
    "strncmp",
    "strcontains",
];

/// The names of all functions.
pub(super) fn function_names() -> impl Iterator<Item = &'static str> {
    AGGREGATES
        .iter()
        .map(|(name, _)| *name)
        .chain(PLANNED_FUNCTIONS.iter().copied())
}

pub(super) fn is_function(name: &str) -> bool {
    function_names().any(|known| known == name)
}

pub(super) fn is_aggregate(name: &str) -> bool {
    AGGREGATES.iter().any(|(known, _)| *known == name)
}

/// The slots of a table's store, each kept once, and the `if` of the column that is being checked.
pub(super) struct Slots {
    /// The slots so far.
    pub(super) kinds: Vec<SlotKind>,
    /// What updates each of them, in the same order.
    pub(super) updates: Vec<Update>,
    /// What holds for the calls that the current column counts.
    pub(super) condition: Option<Expr>,
}

impl Checker<'_> {
    /// An aggregate in a column, and the type of its value.
    pub(super) fn aggregate(
        &mut self,
        function: &Name,
        args: &[Arg],
        place: Span,
        slots: &mut Slots,
    ) -> Option<(Aggregate, Type)> {
        let Some((_, kind)) = AGGREGATES.iter().find(|(name, _)| *name == function.text) else {
            self.no_aggregate(function);
            return None;
        };
        let named: Vec<&Name> = args.iter().filter_map(|arg| arg.name.as_ref()).collect();
        for name in &named {
            let message = format!(
                "`{}()` has no argument called `{}`",
                function.text, name.text
            );
            self.errors
                .push(Diagnostic::new(Code::BadArgument, name.span, message));
        }
        let (value, share) = match (kind, args) {
            (Kind::Count, []) => {
                let count = self.slot(slots, SlotKind::Count, None, place);
                return Some((Aggregate::Count { count }, Type::Int));
            }
            (Kind::Over(_), [value]) => (self.argument(function, value), None),
            (Kind::Percentile(share), [value]) => (self.argument(function, value), Some(*share)),
            (Kind::Quantile, [value, share]) => {
                let value = self.argument(function, value);
                (value, Some(self.share(share)?))
            }
            _ => {
                self.wrong_count(function, kind, args.len(), place);
                return None;
            }
        };
        let value = value.filter(|_| named.is_empty())?;
        let ty = value.ty;
        let mut slot = |kind| self.slot(slots, kind, Some(value.clone()), place);
        let aggregate = match (kind, share) {
            (Kind::Over(make), _) => make(&mut slot),
            (_, share) => quantile(&mut slot, share?),
        };
        Some((aggregate, ty))
    }

    fn wrong_count(&mut self, function: &Name, kind: &Kind, given: usize, place: Span) {
        let name = &function.text;
        let (takes, help) = match kind {
            Kind::Count => (
                "no argument",
                "it counts calls; to count some of them write `count() if errno != 0`".to_owned(),
            ),
            Kind::Quantile => (
                "two arguments",
                "such as `quantile(duration, 0.75)`".to_owned(),
            ),
            _ => ("one argument", format!("such as `{name}(duration)`")),
        };
        let message = format!("`{name}()` takes {takes}, not {given}");
        self.errors
            .push(Diagnostic::new(Code::ArgumentCount, place, message).help(help));
    }

    /// What an aggregate is over: a number of each call.
    fn argument(&mut self, function: &Name, arg: &Arg) -> Option<Expr> {
        let value = self.value(&arg.value, Position::Argument)?;
        let ty = value.expr.ty;
        if is_numeric(ty) {
            return Some(value.expr);
        }
        let message = format!("`{}()` needs a number, a time or a size", function.text);
        let error = Diagnostic::new(Code::BadArgument, arg.value.span, message)
            .label(format!("this is {}", a(ty)));
        self.errors.push(match ty {
            Type::Bool => error.help("to count calls for which it holds write `count() if …`"),
            _ => error.help("to have one row for each of its values put it into `by`"),
        });
        None
    }

    /// The second argument of `quantile`.
    fn share(&mut self, arg: &Arg) -> Option<f64> {
        let constant = match &arg.value.kind {
            crate::ast::ExprKind::Name(name) => match self.resolve(name, arg.value.span)? {
                Meaning::Constant(constant) => Some(constant),
                Meaning::Builtin(_) | Meaning::Errno(_) => None,
            },
            _ => Constant::literal(&arg.value),
        };
        let share = match constant {
            Some(Constant::Number(Number {
                amount: Amount::Whole(value),
                ty: Type::Int,
            })) => Some(value as f64),
            Some(Constant::Number(Number {
                amount: Amount::Fraction(value),
                ..
            })) => Some(value),
            _ => None,
        };
        match share {
            Some(share) if (0.0..=1.0).contains(&share) => Some(share),
            Some(_) => {
                let error = Diagnostic::new(
                    Code::BadArgument,
                    arg.value.span,
                    "a quantile is a share from 0 to 1",
                );
                self.errors.push(error.help("three quarters are `0.75`"));
                None
            }
            None => {
                let error = Diagnostic::new(
                    Code::NotConstant,
                    arg.value.span,
                    "the share of a quantile has to be a number",
                );
                self.errors
                    .push(error.help("write it out, such as `0.75`, or use a `param`"));
                None
            }
        }
    }

    /// The slot of this kind over this value under the column's condition; a new one only if there is
    /// none yet.
    fn slot(
        &mut self,
        slots: &mut Slots,
        kind: SlotKind,
        value: Option<Expr>,
        place: Span,
    ) -> SlotId {
        let known = slots
            .kinds
            .iter()
            .zip(&slots.updates)
            .position(|(known, update)| {
                *known == kind && update.value == value && update.condition == slots.condition
            });
        if let Some(index) = known {
            return SlotId(index);
        }
        for expr in value.iter().chain(&slots.condition) {
            self.spend(expr, place);
        }
        let slot = SlotId(slots.kinds.len());
        slots.kinds.push(kind);
        slots.updates.push(Update {
            slot,
            value,
            condition: slots.condition.clone(),
        });
        slot
    }
}
