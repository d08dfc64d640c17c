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
];

/// Units of the language that this version does not have yet.
const PLANNED_UNITS: &[&str] = &["rate", "bar", "spark"];

/// The names of all units.
pub(crate) fn unit_names() -> impl Iterator<Item = &'static str> {
    UNITS
        .iter()
        .map(|(name, ..)| *name)
        .chain(PLANNED_UNITS.iter().copied())
}

impl Checker<'_> {
    /// The unit of a column of this type; the type is none if the column has errors.
    pub(super) fn unit(
        &mut self,
        unit: Option<&Name>,
        ty: Option<Type>,
        value: Span,
    ) -> Option<Unit> {
        let Some(name) = unit else {
            return Some(Unit::Auto);
        };
        let text = name.text.as_str();
        if PLANNED_UNITS.contains(&text) {
            return self.refused(name.span, &format!("the unit `{text}` is"));
        }
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
        .filter(|(name, _, known)| *name != "auto" && known.is_none_or(|known| known == ty))
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
