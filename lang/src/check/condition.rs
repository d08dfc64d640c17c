//! Conditions: what is true, and what depends on it.

use crate::ast::{self, BinaryOp};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Expr};
use crate::span::Span;
use crate::types::{Enumeration, Type};

use super::Checker;
use super::comparison::adapted;
use super::number::taken_as;
use super::text;
use super::typing::{a, is_numeric, is_plain};
use super::value::{Position, Value, binary};

impl Checker<'_> {
    /// A condition on a call, bounded.
    pub(super) fn condition(&mut self, expr: &ast::Expr, position: Position) -> Option<Expr> {
        let value = self.value(expr, position)?;
        let value = self.truth(value)?;
        self.spend(&value.expr, expr.span);
        Some(value.expr)
    }

    /// `condition ? then : otherwise`
    pub(super) fn choice(
        &mut self,
        condition: &ast::Expr,
        then: &ast::Expr,
        otherwise: &ast::Expr,
        span: Span,
        position: Position,
    ) -> Option<Value> {
        let condition = self.value(condition, position);
        let condition = condition.and_then(|condition| self.truth(condition));
        let (then, otherwise) = (self.value(then, position), self.value(otherwise, position));
        if let Some(known) = self.known_side(BinaryOp::Add, then.as_ref(), otherwise.as_ref()) {
            return Some(known);
        }
        if self.learning && condition.is_none() {
            return then;
        }
        let (condition, then, otherwise) = (condition?, then?, otherwise?);
        let (mut then, mut otherwise) = adapted(then, otherwise);
        let ty = match (then.expr.ty, otherwise.expr.ty) {
            (Type::Text(one), Type::Text(other)) => Some(Type::Text(one.max(other))),
            (one, other) if is_plain(one) && is_plain(other) && one != other => Some(Type::Int),
            _ => None,
        };
        if let Some(ty) = ty {
            for side in [&mut then, &mut otherwise] {
                widen(side, ty);
            }
            let kind = chosen(condition, then, otherwise);
            return Some(Value::new(kind, ty, span));
        }
        let ty = then.expr.ty;
        if ty != otherwise.expr.ty {
            let (one, other) = (a(ty), a(otherwise.expr.ty));
            let message = format!("`? :` gives {one} or {other}");
            let error = Diagnostic::new(Code::MixedTypes, otherwise.span, message)
                .label(format!("this is {other}"))
                .also(then.span, format!("this is {one}"));
            self.errors
                .push(error.help("both sides have the same type"));
            return None;
        }
        Some(Value::new(chosen(condition, then, otherwise), ty, span))
    }

    pub(super) fn truth(&mut self, value: Value) -> Option<Value> {
        let ty = value.expr.ty;
        if ty == Type::Bool {
            return Some(value);
        }
        // As in bpftrace, a number is true in a probe block unless it is 0.
        if self.scope.is_some() && is_numeric(ty) {
            let span = value.span;
            return Some(compared_with_0(plan::BinaryOp::Ne, value, span));
        }
        let example = match ty {
            Type::Int | Type::Unsigned | Type::Time | Type::Size => {
                "compare it, such as with `> 0`"
            }
            Type::Enum(Enumeration::Errno) => {
                "compare it: `errno != 0` holds for calls that failed"
            }
            Type::Enum(Enumeration::Func) => "compare it, such as with `== \"fd_write\"`",
            _ => "compare it with `==` or `!=`",
        };
        let error = Diagnostic::new(
            Code::NotACondition,
            value.span,
            format!("this is {}, not a condition", a(ty)),
        );
        self.errors.push(error.help(example));
        None
    }
}

fn chosen(condition: Value, then: Value, otherwise: Value) -> plan::ExprKind {
    plan::ExprKind::Choose {
        condition: Box::new(condition.expr),
        then: Box::new(then.expr),
        otherwise: Box::new(otherwise.expr),
    }
}

/// A text that was written out, or a number, as one of a type that has room for it. Other texts stay: they may be
/// smaller than the place that they go to.
pub(super) fn widen(value: &mut Value, ty: Type) {
    if is_plain(ty) {
        let expr = std::mem::replace(
            &mut value.expr,
            Expr {
                kind: plan::ExprKind::Const(0),
                ty,
            },
        );
        value.expr = taken_as(expr, ty);
    } else if value.text().is_some() {
        value.expr.ty = ty;
    }
}

/// Whether a number is 0, or is not.
pub(super) fn compared_with_0(op: plan::BinaryOp, value: Value, span: Span) -> Value {
    if let plan::ExprKind::Const(number) = value.expr.kind {
        let holds = (number == 0) == (op == plan::BinaryOp::Eq);
        return Value::new(plan::ExprKind::Const(i64::from(holds)), Type::Bool, span);
    }
    if let Some(same) = text::same(&value) {
        // `strncmp()` is 0 for texts that are the same.
        let kind = match op {
            plan::BinaryOp::Eq => same.kind,
            _ => plan::ExprKind::Not(Box::new(same)),
        };
        return Value::new(kind, Type::Bool, span);
    }
    let zero = Value::new(plan::ExprKind::Const(0), value.expr.ty, span);
    Value::new(binary(op, value, zero), Type::Bool, span)
}
