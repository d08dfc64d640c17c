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
use crate::plan;
use crate::span::Span;
use crate::types::{Enumeration, Type};

use super::Checker;
use super::comparison::adapt;
use super::condition::widen;
use super::number::{counted, taken_as};
use super::typing::{a, is_plain};
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

    /// Decides for a type, or for more room of a text. Whether that is news.
    pub(super) fn learn(&mut self, ty: Type, place: Span) -> bool {
        let news = match (self.ty(), ty) {
            (None, _) => true,
            (Some(Type::Text(known)), Type::Text(room)) => room > known,
            _ => false,
        };
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
                let open = learnt.open.get_or_insert(own);
                if let (Type::Text(known), Type::Text(room)) = (open.0, own.0)
                    && room > known
                {
                    *open = own;
                }
                return None;
            }
            learnt.decided = Some(own);
            self.news = true;
            return Some(value);
        };
        if let (Type::Text(known), Type::Text(room)) = (ty, value.expr.ty) {
            // What holds texts has room for the longest.
            if room > known {
                learnt.decided = Some((value.expr.ty, value.span));
                self.news = true;
            } else {
                widen(&mut value, ty);
            }
            return Some(value);
        }
        if let Some(text) = value.text().map(str::to_owned) {
            match ty {
                Type::Enum(Enumeration::Func | Enumeration::Syscall | Enumeration::Phase) => {
                    return self.named(&text, value.span, ty, place);
                }
                Type::Enum(Enumeration::Runtime) => {
                    return self.refused(value.span, "a runtime written as a text here is");
                }
                _ => {}
            }
        }
        adapt(&mut value, ty);
        let is_written = value.is_constant();
        if value.expr.ty == Type::Bool && is_plain(ty) {
            value = counted(value);
        }
        // Of signed and unsigned numbers the first one decides.
        let plain = is_plain(ty) && is_plain(value.expr.ty);
        let unit =
            ty == Type::Unsigned && is_written && matches!(value.expr.ty, Type::Time | Type::Size);
        let truth = ty == Type::Bool
            && matches!(value.expr.kind, plan::ExprKind::Const(0 | 1))
            && value.expr.ty == Type::Int;
        if plain || unit || truth {
            value.expr = taken_as(value.expr, ty);
        }
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
