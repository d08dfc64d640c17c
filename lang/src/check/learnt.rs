//! Types that a script does not declare: of keys, of what maps and variables hold. The first value
//! whose type is certain decides. A number or text that is written out takes the type of the others, so
//! that `@longest = 0` and `@longest = duration` go together.
//!
//! While types are learnt, what is known of a value stands for all of it: `@sum = @sum + duration` makes
//! `@sum` a time, though nothing is known of `@sum` on the right.
//!
//! A map may be read above the place that decides its type, so probe blocks are checked again until
//! nothing more is learnt; only the errors of the last time count.

use crate::ast::BinaryOp;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::types::{Enumeration, Type};

use super::Checker;
use super::comparison::adapt;
use super::typing::a;
use super::value::Value;

/// What is known of a type.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Learnt {
    /// The type and what decided it.
    decided: Option<(Type, Span)>,
    /// The type that a written value has on its own, if nothing decides otherwise.
    open: Option<(Type, Span)>,
}

impl Learnt {
    pub(super) fn ty(&self) -> Option<Type> {
        self.decided.map(|(ty, _)| ty)
    }

    /// Takes what is open for decided. Whether that is news.
    pub(super) fn settle(&mut self) -> bool {
        let news = self.decided.is_none() && self.open.is_some();
        if news {
            self.decided = self.open;
        }
        news
    }

    /// Decides for a type. Whether that is news.
    pub(super) fn learn(&mut self, ty: Type, place: Span) -> bool {
        let news = self.decided.is_none();
        if news {
            self.decided = Some((ty, place));
        }
        news
    }
}

impl Checker<'_> {
    /// What stands for `left op right` while types are learnt and only one side is known.
    pub(super) fn known_side(
        &self,
        op: BinaryOp,
        left: Option<&Value>,
        right: Option<&Value>,
    ) -> Option<Value> {
        let known = match (left, right) {
            (Some(known), None) | (None, Some(known)) if self.learning => known,
            _ => return None,
        };
        let suits = match op {
            BinaryOp::Add | BinaryOp::Sub => true,
            // A time divided by a number is a time, and one divided by a time a number.
            BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem => {
                known.is_constant() && known.expr.ty == Type::Int
            }
            _ => false,
        };
        suits.then(|| known.clone())
    }

    /// A value as one of the type that is known, which it may decide. `what` names what holds it. None
    /// also if the type is not known yet.
    pub(super) fn fit(
        &mut self,
        mut value: Value,
        learnt: &mut Learnt,
        what: &str,
    ) -> Option<Value> {
        let written = value.text().is_some() || value.is_constant();
        let Some((ty, place)) = learnt.decided else {
            let own = (value.expr.ty, value.span);
            if written && matches!(own.0, Type::Int | Type::Text(_)) {
                learnt.open.get_or_insert(own);
                return None;
            }
            learnt.decided = Some(own);
            self.news = true;
            return Some(value);
        };
        if let Some(text) = value.text().map(str::to_owned) {
            match ty {
                Type::Text(_) | Type::Enum(Enumeration::Func) => {
                    return self.named(&text, value.span, ty, place);
                }
                Type::Enum(Enumeration::Runtime) => {
                    return self.refused(value.span, "a runtime written as a text here is");
                }
                _ => {}
            }
        }
        adapt(&mut value, ty);
        if value.expr.ty == ty {
            return Some(value);
        }
        let message = format!(
            "{what} is {} here and {} elsewhere",
            a(value.expr.ty),
            a(ty)
        );
        let error = Diagnostic::new(Code::TwoWays, value.span, message)
            .label(format!("this is {}", a(value.expr.ty)))
            .also(place, format!("this is {}", a(ty)));
        self.errors.push(match ty {
            Type::Time if value.is_constant() => error.help("a time has a unit: `10us`, `1ms`"),
            Type::Size if value.is_constant() => error.help("a size has a unit: `10B`, `4KiB`"),
            _ => error,
        });
        None
    }
}
