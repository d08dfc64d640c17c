//! The arguments of `hist` and `lhist`: the ranges of a histogram.

use crate::ast::{Amount, Arg, Name, Number};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Buckets, SlotId, SlotKind};
use crate::span::Span;
use crate::types::Type;

use super::Checker;
use super::aggregate::Shape;
use super::param::Constant;
use super::slots::Slots;
use super::typing::{a, is_numeric, is_plain};
use super::value::Value;

/// `lhist()` has at most so many steps, as in bpftrace.
const MAX_STEPS: i64 = 1000;

impl Checker<'_> {
    /// The second argument of `hist`: how many steps a power of two has, as a power of two.
    pub(super) fn bits(&mut self, arg: &Arg) -> Option<Buckets> {
        match self.constant(&arg.value)? {
            Some(Constant::Number(Number {
                amount: Amount::Whole(bits),
                ty: Type::Int,
            })) => {
                let accepted = u8::try_from(bits).ok();
                let accepted = accepted.filter(|bits| *bits <= Buckets::MAX_BITS);
                if accepted.is_none() {
                    let message = format!(
                        "the second argument of `hist()` is from 0 to {}, not {bits}",
                        Buckets::MAX_BITS
                    );
                    let error = Diagnostic::new(Code::BadArgument, arg.value.span, message);
                    self.errors.push(error.help(
                        "each power of two has 2 to this power of steps: 1, 2, 4, 8, 16 or 32",
                    ));
                }
                accepted.map(|bits| Buckets::Log2 { bits })
            }
            _ => {
                let error = Diagnostic::new(
                    Code::NotConstant,
                    arg.value.span,
                    "the second argument of `hist()` has to be a number",
                );
                self.errors.push(error.help(
                    "`hist(duration, 2)` has 4 steps for each power of two, `hist(duration)` has one",
                ));
                None
            }
        }
    }

    /// `hist()` or `lhist()` in a column: its slot, and the type of its values. None if it is another function.
    pub(super) fn histogram(
        &mut self,
        function: &Name,
        args: &[Arg],
        place: Span,
        slots: &mut Slots,
    ) -> Option<Option<(SlotId, Type)>> {
        if !matches!(function.text.as_str(), "hist" | "lhist") {
            return None;
        }
        let summary = self.summary(function, args, place);
        Some(summary.and_then(|summary| {
            let ty = summary.ty();
            let Shape::Histogram(buckets) = summary.shape else {
                return None;
            };
            let value = summary.value.map(|value| value.expr);
            let kind = SlotKind::Histogram(buckets);
            Some((self.slot(slots, kind, value, place), ty))
        }))
    }

    /// The other arguments of `lhist`.
    pub(super) fn steps(&mut self, value: &Value, args: [&Arg; 3]) -> Option<Buckets> {
        let [min, max, step] = args.map(|arg| self.bound(value, arg));
        let (min, max, step) = (min?, max?, step?);
        let place = args[0].value.span.to(args[2].value.span);
        let width = max.saturating_sub(min);
        let (message, help) = if step < 1 {
            ("the step of `lhist()` has to be above 0".to_owned(), None)
        } else if width < 1 {
            (
                "`lhist()` begins at or after its end".to_owned(),
                Some("the smaller one comes first: `lhist(bytes, 0, 4KiB, 512B)`".to_owned()),
            )
        } else if width % step != 0 {
            (
                format!("from {min} to {max} there is no whole number of steps of {step}"),
                Some(format!(
                    "let it end at {}",
                    min.saturating_add((width / step + 1).saturating_mul(step))
                )),
            )
        } else if width / step > MAX_STEPS {
            (
                format!(
                    "`lhist()` has {} steps; at most {MAX_STEPS} are kept",
                    width / step
                ),
                Some("use larger steps, or `hist()`".to_owned()),
            )
        } else {
            return Some(Buckets::Linear { min, max, step });
        };
        let mut error = Diagnostic::new(Code::BadArgument, place, message);
        error.help.extend(help);
        self.errors.push(error);
        None
    }

    /// A number of the type of a value, known before the script runs.
    fn bound(&mut self, value: &Value, arg: &Arg) -> Option<i64> {
        let constant = self.constant(&arg.value)?;
        let Some(Constant::Number(Number {
            amount: Amount::Whole(number),
            ty,
        })) = constant
        else {
            let error = Diagnostic::new(
                Code::NotConstant,
                arg.value.span,
                "the steps of `lhist()` have to be numbers that are known before the script runs",
            );
            self.errors
                .push(error.help("write them out, or use a `param`"));
            return None;
        };
        // Plain numbers go together, and `nsecs` is one of nanoseconds.
        let plain = is_plain(value.expr.ty) && is_plain(ty);
        let suits = plain || value.expr.ty == Type::Unsigned && is_numeric(ty);
        if ty == value.expr.ty || suits || number == 0 && ty == Type::Int {
            return Some(number);
        }
        let message = format!(
            "the steps of `lhist()` are {} and its values are {}",
            a(ty),
            a(value.expr.ty)
        );
        let error = Diagnostic::new(Code::MixedTypes, arg.value.span, message)
            .label(format!("this is {}", a(ty)))
            .also(value.span, format!("this is {}", a(value.expr.ty)));
        self.errors.push(match value.expr.ty {
            Type::Time => error.help(format!("a time has a unit: `{number}us`")),
            Type::Size => error.help(format!("a size has a unit: `{number}B`")),
            _ => error,
        });
        None
    }
}
