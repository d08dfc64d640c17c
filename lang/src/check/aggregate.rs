//! Aggregates: their names and their arguments.

use crate::ast::{Arg, Name};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Aggregate, Buckets, MapValue, SlotId, SlotKind};
use crate::span::Span;
use crate::types::Type;

use super::Checker;
use super::call;
use super::function;
use super::typing::{a, is_numeric};
use super::value::{Position, Value};

/// Finds or makes the slot of a kind over the aggregate's argument.
pub(super) type GetSlot<'a> = dyn FnMut(SlotKind) -> SlotId + 'a;

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
    /// A value of each call; only in maps.
    Stats,
    /// A value of each call, and the steps of each power of two; only in maps.
    Histogram,
    /// A value of each call, and where the steps begin, end and how large they are; only in maps.
    LinearHistogram,
    /// A value of each call, how long a step is, how many there are, and what the values of one come to.
    Series,
}

/// An aggregate whose arguments are known.
pub(super) struct Summary {
    /// What it makes of the values.
    pub(super) shape: Shape,
    /// What it is over; none if it counts.
    pub(super) value: Option<Value>,
}

/// What an aggregate makes of its values.
pub(super) enum Shape {
    /// Their number.
    Count,
    /// One number.
    Over(fn(&mut GetSlot) -> Aggregate),
    /// The value below which a share of them lies.
    Quantile(f64),
    /// Number, average and total.
    Stats,
    /// How many are in which range.
    Histogram(Buckets),
    /// What those of each step come to.
    Series(SlotKind),
}

impl Summary {
    /// The type of what it shows.
    pub(super) fn ty(&self) -> Type {
        self.value.as_ref().map_or(Type::Int, |value| value.expr.ty)
    }
}

impl Shape {
    /// What a map of this aggregate shows.
    pub(super) fn in_map(&self, slot: &mut GetSlot) -> MapValue {
        match self {
            Shape::Count => MapValue::Aggregate(Aggregate::Count {
                count: slot(SlotKind::Count),
            }),
            Shape::Over(make) => MapValue::Aggregate(make(slot)),
            Shape::Quantile(share) => MapValue::Aggregate(quantile(slot, *share)),
            Shape::Stats => MapValue::Stats {
                sum: slot(SlotKind::Sum),
                values: slot(SlotKind::Values),
            },
            Shape::Histogram(buckets) => MapValue::Histogram(slot(SlotKind::Histogram(*buckets))),
            Shape::Series(kind) => MapValue::Series(slot(*kind)),
        }
    }
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
    ("stats", Kind::Stats),
    ("hist", Kind::Histogram),
    ("lhist", Kind::LinearHistogram),
    ("tseries", Kind::Series),
];

pub(super) fn quantile(slot: &mut GetSlot, q: f64) -> Aggregate {
    Aggregate::Quantile {
        histogram: slot(SlotKind::Histogram(Buckets::LogLinear)),
        min: slot(SlotKind::Min),
        max: slot(SlotKind::Max),
        q,
    }
}

/// The function of columns that is over all rows.
pub(super) const SHARE: &str = "share";

/// The names of all functions.
pub(crate) fn function_names() -> impl Iterator<Item = &'static str> {
    AGGREGATES
        .iter()
        .map(|(name, _)| *name)
        .chain([SHARE])
        .chain(function::names())
        .chain(call::names())
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
        Kind::Histogram => (
            "one or two arguments",
            "such as `hist(duration)`, or `hist(duration, 2)` with 4 steps for each power of two"
                .to_owned(),
        ),
        Kind::Series => (
            "three or four arguments",
            "such as `tseries(duration, 1s, 60, \"avg\")`: how long a step is, how many there are, and what its values come to"
                .to_owned(),
        ),
        Kind::LinearHistogram => (
            "four arguments",
            "such as `lhist(duration, 0, 100us, 10us)`: from, to, and the size of a step"
                .to_owned(),
        ),
        _ => (
            "one argument",
            format!("such as `{}(duration)`", function.text),
        ),
    }
}

/// Whether it is an aggregate that tables do not have.
pub(super) fn only_in_maps(name: &str) -> bool {
    AGGREGATES
        .iter()
        .any(|(known, kind)| *known == name && matches!(kind, Kind::Stats))
}

/// Whether it is an aggregate that maps do not have.
pub(super) fn only_in_tables(name: &str) -> bool {
    name == "rate" || name == SHARE
}

impl Checker<'_> {
    /// An aggregate over values of an event.
    pub(super) fn summary(
        &mut self,
        function: &Name,
        args: &[Arg],
        place: Span,
    ) -> Option<Summary> {
        let Some((_, kind)) = AGGREGATES.iter().find(|(name, _)| *name == function.text) else {
            self.no_aggregate(function);
            return None;
        };
        let named = self.refuse_named(function, args);
        let (shape, value) = match (kind, args) {
            (Kind::Count, []) => (Shape::Count, None),
            (Kind::Over(make), [value]) => {
                (Shape::Over(*make), Some(self.argument(function, value)))
            }
            (Kind::Percentile(share), [value]) => (
                Shape::Quantile(*share),
                Some(self.argument(function, value)),
            ),
            (Kind::Quantile, [value, share]) => {
                let value = self.argument(function, value);
                (Shape::Quantile(self.share(share)?), Some(value))
            }
            (Kind::Stats, [value]) => (Shape::Stats, Some(self.argument(function, value))),
            (Kind::Histogram, [value]) => (
                Shape::Histogram(Buckets::Log2 { bits: 0 }),
                Some(self.argument(function, value)),
            ),
            (Kind::Histogram, [value, bits]) => {
                let value = self.argument(function, value);
                (Shape::Histogram(self.bits(bits)?), Some(value))
            }
            (Kind::Series, [value, step, steps, rest @ ..]) if rest.len() < 2 => {
                let value = self.argument(function, value);
                let kind = self.series_of(step, steps, rest.first())?;
                (Shape::Series(kind), Some(value))
            }
            (Kind::LinearHistogram, [value, min, max, step]) => {
                let value = self.argument(function, value)?;
                let buckets = self.steps(&value, [min, max, step])?;
                (Shape::Histogram(buckets), Some(Some(value)))
            }
            _ => {
                let (takes, help) = takes(function, kind);
                self.wrong_count(function, takes, &help, args.len(), place);
                return None;
            }
        };
        let value = match value {
            Some(value) => Some(value?),
            None => None,
        };
        (!named).then_some(Summary { shape, value })
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
    fn argument(&mut self, function: &Name, arg: &Arg) -> Option<Value> {
        let value = self.value(&arg.value, Position::Argument)?;
        let ty = value.expr.ty;
        if is_numeric(ty) {
            return Some(value);
        }
        let message = format!("`{}()` needs a number, a time or a size", function.text);
        let error = Diagnostic::new(Code::BadArgument, arg.value.span, message)
            .label(format!("this is {}", a(ty)));
        self.errors.push(match ty {
            Type::Bool if self.scope.is_some() => {
                error.help("to count calls for which it holds write `if (…) { @x = count(); }`")
            }
            Type::Bool => error.help("to count calls for which it holds write `count() if …`"),
            _ if self.scope.is_some() => error
                .help("to have one row for each of its values make it a key: `@x[func] = count()`"),
            _ => error.help("to have one row for each of its values put it into `by`"),
        });
        None
    }
}
