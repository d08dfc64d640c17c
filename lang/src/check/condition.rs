//! Conditions: what is true, and what depends on it.

use crate::ast::{self, BinaryOp};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Expr};
use crate::span::Span;
use crate::types::{Enumeration, Type};

use super::Checker;
use super::comparison::adapted;
use super::typing::{a, is_numeric};
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
        if then.expr.ty.is_text() && otherwise.expr.ty.is_text() {
            return self.refused(span, "`? :` between texts is");
        }
        let (then, otherwise) = adapted(then, otherwise);
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
        let kind = plan::ExprKind::Choose {
            condition: Box::new(condition.expr),
            then: Box::new(then.expr),
            otherwise: Box::new(otherwise.expr),
        };
        Some(Value::new(kind, ty, span))
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
            Type::Int | Type::Time | Type::Size => "compare it, such as with `> 0`",
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

/// Whether a number is 0, or is not.
pub(super) fn compared_with_0(op: plan::BinaryOp, value: Value, span: Span) -> Value {
    let zero = Value::new(plan::ExprKind::Const(0), value.expr.ty, span);
    Value::new(binary(op, value, zero), Type::Bool, span)
}
