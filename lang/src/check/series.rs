//! `tseries`: what the values of each of the last steps come to.

use crate::ast::{Amount, Arg, Name, Number};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Fold, SlotId, SlotKind};
use crate::span::Span;
use crate::types::Type;

use super::Checker;
use super::aggregate::Shape;
use super::name::did_you_mean;
use super::param::Constant;
use super::slots::Slots;

/// A series keeps at most so many steps.
const MAX_STEPS: i64 = 4096;

/// The shortest step, in nanoseconds.
const MIN_STEP: i64 = 1_000;

/// What the values of a step come to, by name.
const FOLDS: &[(&str, Fold)] = &[
    ("sum", Fold::Sum),
    ("avg", Fold::Avg),
    ("min", Fold::Min),
    ("max", Fold::Max),
    ("last", Fold::Last),
];

impl Checker<'_> {
    /// The arguments of `tseries` after the first one.
    pub(super) fn series_of(
        &mut self,
        step: &Arg,
        steps: &Arg,
        fold: Option<&Arg>,
    ) -> Option<SlotKind> {
        let step_length = match self.constant(&step.value)? {
            Some(Constant::Number(Number {
                amount: Amount::Whole(step @ MIN_STEP..),
                ty: Type::Time,
            })) => u64::try_from(step).ok(),
            _ => None,
        };
        if step_length.is_none() {
            let message = "a step of `tseries()` is a time that is known before the script runs: `1us` or more";
            self.errors.push(
                Diagnostic::new(Code::NotConstant, step.value.span, message)
                    .help("such as `tseries(duration, 1s, 60)`"),
            );
        }
        let count = match self.constant(&steps.value)? {
            Some(Constant::Number(Number {
                amount: Amount::Whole(steps @ 1..=MAX_STEPS),
                ty: Type::Int,
            })) => u16::try_from(steps).ok(),
            _ => None,
        };
        if count.is_none() {
            let message = format!(
                "how many steps `tseries()` keeps is a number from 1 to {MAX_STEPS} that is known before the script runs"
            );
            self.errors.push(
                Diagnostic::new(Code::NotConstant, steps.value.span, message)
                    .help("such as `tseries(duration, 1s, 60)`"),
            );
        }
        let fold = match fold {
            Some(fold) => self.fold(fold)?,
            None => Fold::Last,
        };
        Some(SlotKind::Series {
            step: step_length?,
            steps: count?,
            fold,
        })
    }

    fn fold(&mut self, arg: &Arg) -> Option<Fold> {
        let name = self.text_of(&arg.value).unwrap_or_default();
        if let Some((_, fold)) = FOLDS.iter().find(|(known, _)| *known == name) {
            return Some(*fold);
        }
        let message =
            "what the values of a step come to is \"sum\", \"avg\", \"min\", \"max\" or \"last\"";
        let error = Diagnostic::new(Code::BadArgument, arg.value.span, message);
        let names = FOLDS.iter().map(|(known, _)| *known);
        self.errors.push(did_you_mean(error, &name, names));
        None
    }

    /// `tseries()` in a column: its slot, and the type of its values. None if it is another function.
    pub(super) fn series(
        &mut self,
        function: &Name,
        args: &[Arg],
        place: Span,
        slots: &mut Slots,
    ) -> Option<Option<(SlotId, Type)>> {
        if function.text != "tseries" {
            return None;
        }
        let summary = self.summary(function, args, place);
        Some(summary.and_then(|summary| {
            let ty = summary.ty();
            let Shape::Series(kind) = summary.shape else {
                return None;
            };
            let value = summary.value.map(|value| value.expr);
            Some((self.slot(slots, kind, value, place), ty))
        }))
    }
}
