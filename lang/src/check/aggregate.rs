//! Aggregates: their names, their arguments, and the slots that they need.

use crate::ast::{Amount, Arg, Name, Number};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Aggregate, Expr, Slot, SlotId, SlotKind};
use crate::span::Span;
use crate::types::Type;

use super::Checker;
use super::name::Meaning;
use super::param::Constant;
use super::typing::{a, is_numeric};
use super::value::Position;

/// Finds or makes the slot of a kind over the aggregate's argument.
type GetSlot<'a> = dyn FnMut(fn(Expr) -> SlotKind) -> SlotId + 'a;

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
        "rate",
        Kind::Over(|slot| Aggregate::Rate {
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
        histogram: slot(SlotKind::Histogram),
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

/// The function of columns that is over all rows.
pub(super) const SHARE: &str = "share";

/// The names of all functions.
pub(crate) fn function_names() -> impl Iterator<Item = &'static str> {
    AGGREGATES
        .iter()
        .map(|(name, _)| *name)
        .chain([SHARE])
        .chain(PLANNED_FUNCTIONS.iter().copied())
}

pub(super) fn is_function(name: &str) -> bool {
    function_names().any(|known| known == name)
}

/// Whether a function is over many calls.
pub(super) fn is_aggregate(name: &str) -> bool {
    name == SHARE || AGGREGATES.iter().any(|(known, _)| *known == name)
}

/// What an aggregate takes, and an example.
fn takes(function: &Name, kind: &Kind) -> (&'static str, String) {
    match kind {
        Kind::Count => (
            "no argument",
            "it counts calls; to count some of them write `count() if errno != 0`".to_owned(),
        ),
        Kind::Quantile => (
            "two arguments",
            "such as `quantile(duration, 0.75)`".to_owned(),
        ),
        _ => (
            "one argument",
            format!("such as `{}(duration)`", function.text),
        ),
    }
}

/// The slots of a table's store, each kept once, and the `if` of the column that is being checked.
pub(super) struct Slots {
    /// The slots so far.
    pub(super) slots: Vec<Slot>,
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
        let named = self.refuse_named(function, args);
        let (value, share) = match (kind, args) {
            (Kind::Count, []) => {
                let count = self.slot(slots, SlotKind::Count, place);
                return Some((Aggregate::Count { count }, Type::Int));
            }
            (Kind::Over(_), [value]) => (self.argument(function, value), None),
            (Kind::Percentile(share), [value]) => (self.argument(function, value), Some(*share)),
            (Kind::Quantile, [value, share]) => {
                let value = self.argument(function, value);
                (value, Some(self.share(share)?))
            }
            _ => {
                let (takes, help) = takes(function, kind);
                self.wrong_count(function, takes, &help, args.len(), place);
                return None;
            }
        };
        let value = value.filter(|_| !named)?;
        let ty = value.ty;
        let mut slot = |kind: fn(Expr) -> SlotKind| self.slot(slots, kind(value.clone()), place);
        let aggregate = match (kind, share) {
            (Kind::Over(make), _) => make(&mut slot),
            (_, share) => quantile(&mut slot, share?),
        };
        Some((aggregate, ty))
    }

    /// Refuses arguments with names; whether there were any.
    pub(super) fn refuse_named(&mut self, function: &Name, args: &[Arg]) -> bool {
        let before = self.errors.len();
        for name in args.iter().filter_map(|arg| arg.name.as_ref()) {
            let message = format!(
                "`{}()` has no argument called `{}`",
                function.text, name.text
            );
            self.errors
                .push(Diagnostic::new(Code::BadArgument, name.span, message));
        }
        self.errors.len() > before
    }

    /// Reports that a function has too few or too many arguments.
    pub(super) fn wrong_count(
        &mut self,
        function: &Name,
        takes: &str,
        help: &str,
        given: usize,
        place: Span,
    ) {
        let message = format!("`{}()` takes {takes}, not {given}", function.text);
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

    /// The slot of this kind under the column's condition; a new one only if there is none yet.
    fn slot(&mut self, slots: &mut Slots, kind: SlotKind, place: Span) -> SlotId {
        let slot = Slot {
            kind,
            condition: slots.condition.clone(),
        };
        if let Some(index) = slots.slots.iter().position(|known| *known == slot) {
            return SlotId(index);
        }
        for expr in slot.kind.value().into_iter().chain(&slot.condition) {
            self.spend(expr, place);
        }
        slots.slots.push(slot);
        SlotId(slots.slots.len() - 1)
    }
}
