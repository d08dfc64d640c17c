//! Units: how a column is shown.

use crate::ast::Name;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::Unit;
use crate::span::Span;
use crate::types::Type;

use super::Checker;
use super::name::did_you_mean;
use super::typing::a;

/// The units of this version: name, unit, and the type that it is for; none is for all.
const UNITS: &[(&str, Unit, Option<Type>)] = &[
    ("ns", Unit::Ns, Some(Type::Time)),
    ("us", Unit::Us, Some(Type::Time)),
    ("ms", Unit::Ms, Some(Type::Time)),
    ("s", Unit::S, Some(Type::Time)),
    ("auto", Unit::Auto, None),
    ("bytes", Unit::Bytes, Some(Type::Size)),
    ("pct", Unit::Pct, Some(Type::Int)),
    ("int", Unit::Int, None),
    ("hex", Unit::Hex, Some(Type::Int)),
    ("rate", Unit::Rate, None),
    ("bar", Unit::Bar, None),
    ("spark", Unit::Spark, None),
];

/// What a column is and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Has {
    /// A number.
    Number,
    /// A rate.
    Rate,
    /// A series or a histogram.
    Series,
}

/// The names of all units.
pub(crate) fn unit_names() -> impl Iterator<Item = &'static str> {
    UNITS.iter().map(|(name, ..)| *name)
}

impl Checker<'_> {
    /// The unit of a column of this type; the type is none if the column has errors.
    pub(super) fn unit(
        &mut self,
        unit: Option<&Name>,
        ty: Option<Type>,
        has: Has,
        value: Span,
    ) -> Option<Unit> {
        let Some(name) = unit else {
            return Some(match has {
                Has::Number => Unit::Auto,
                Has::Rate => Unit::Rate,
                Has::Series => Unit::Spark,
            });
        };
        let text = name.text.as_str();
        let Some((_, unit, suits)) = UNITS.iter().find(|(known, ..)| *known == text) else {
            let error = Diagnostic::new(
                Code::UnknownUnit,
                name.span,
                format!("no unit is called `{text}`"),
            );
            let names: Vec<&str> = UNITS.iter().map(|(name, ..)| *name).collect();
            self.errors.push(
                did_you_mean(error, text, unit_names())
                    .help(format!("the units are {}", names.join(" "))),
            );
            return None;
        };
        match (suits, ty) {
            (Some(suits), Some(ty)) if *suits != ty => {
                self.errors.push(wrong_unit(name, *suits, ty, value));
                None
            }
            (_, Some(_)) if *unit == Unit::Rate && has != Has::Rate => {
                let message = "`rate` shows what there is of something in a second";
                let error = Diagnostic::new(Code::WrongUnit, name.span, message)
                    .label("this needs a `rate()`")
                    .also(value, "this has none");
                self.errors.push(
                    error.help(
                        "such as `rate(bytes)`; `rate(1)` is the number of calls in a second",
                    ),
                );
                None
            }
            (_, Some(_)) if *unit == Unit::Spark && has != Has::Series => {
                let message = "`spark` shows the steps of a series or the ranges of a histogram";
                let error = Diagnostic::new(Code::WrongUnit, name.span, message)
                    .label("this needs a `tseries()`, `hist()` or `lhist()`")
                    .also(value, "this has none");
                self.errors
                    .push(error.help("such as `tseries(duration, 1s, 60)`"));
                None
            }
            _ => Some(*unit),
        }
    }
}

fn wrong_unit(name: &Name, suits: Type, ty: Type, value: Span) -> Diagnostic {
    let message = format!(
        "`{}` shows {}, and this column is {}",
        name.text,
        a(suits),
        a(ty)
    );
    let suiting: Vec<&str> = UNITS
        .iter()
        .filter(|(_, unit, _)| !matches!(unit, Unit::Auto | Unit::Rate | Unit::Spark))
        .filter(|(_, _, known)| known.is_none_or(|known| known == ty))
        .map(|(name, ..)| *name)
        .collect();
    Diagnostic::new(Code::WrongUnit, name.span, message)
        .label(format!("this needs {}", a(suits)))
        .also(value, format!("this is {}", a(ty)))
        .help(format!(
            "{} is shown with `as {}`, or without `as` as it fits",
            a(ty),
            suiting.join("`, `as ")
        ))
}
