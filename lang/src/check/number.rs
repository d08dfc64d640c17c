//! Numbers: signed and unsigned ones, casts, and conditions that are counted.

use crate::ast::{self, BinaryOp, ExprKind, Name};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Expr};
use crate::span::Span;
use crate::types::{Enumeration, Space, Type};

use super::Checker;
use super::condition::{compared_with_0, widen};
use super::param::negated;
use super::typing::{a, arithmetic, is_numeric, is_plain, numeric};
use super::value::{Position, Value, binary, planned};

/// The bytes of the type that a cast names, and whether it is signed; none for types that are no numbers.
pub(super) fn cast(name: &str) -> Option<(u8, bool)> {
    Some(match name {
        "uint8" => (1, false),
        "uint16" => (2, false),
        "uint32" => (4, false),
        "uint64" => (8, false),
        "int8" => (1, true),
        "int16" => (2, true),
        "int32" => (4, true),
        "int64" => (8, true),
        _ => return None,
    })
}

/// A condition as the number 1 or 0.
pub(super) fn counted(value: Value) -> Value {
    if value.expr.ty != Type::Bool {
        return value;
    }
    let span = value.span;
    let number = |number| {
        Box::new(Expr {
            kind: plan::ExprKind::Const(number),
            ty: Type::Int,
        })
    };
    let kind = plan::ExprKind::Choose {
        condition: Box::new(value.expr),
        then: number(1),
        otherwise: number(0),
    };
    Value::new(kind, Type::Int, span)
}

/// Next to an unsigned number a constant is one, too, also a time or size: `nsecs > 1s`.
pub(super) fn reconcile(left: &mut Value, right: &mut Value) {
    // What does not fit into a signed number makes the other side unsigned, as in C.
    let is_large = |value: &Value| {
        value.expr.ty == Type::Unsigned && matches!(value.expr.kind, plan::ExprKind::Const(..0))
    };
    if is_large(left) && right.expr.ty == Type::Int {
        widen(right, Type::Unsigned);
    } else if is_large(right) && left.expr.ty == Type::Int {
        widen(left, Type::Unsigned);
    }
    let (left_type, right_type) = (left.expr.ty, right.expr.ty);
    for (one, other) in [(left, right_type), (right, left_type)] {
        let is_signed = is_numeric(one.expr.ty) && one.expr.ty != Type::Unsigned;
        if other != Type::Unsigned || !is_signed {
            continue;
        }
        if let plan::ExprKind::Const(value) = one.expr.kind {
            one.expr.ty = if value >= 0 {
                Type::Unsigned
            } else {
                Type::Int
            };
        }
    }
}

/// A number as one of another type, so that what it is made of is computed as before.
pub(super) fn taken_as(expr: Expr, ty: Type) -> Expr {
    if expr.ty == ty {
        return expr;
    }
    let kind = match expr.kind {
        kind @ plan::ExprKind::Const(_) => kind,
        kind => plan::ExprKind::Cast {
            value: Box::new(Expr { kind, ty: expr.ty }),
            bytes: 8,
            signed: ty != Type::Unsigned,
        },
    };
    Expr { kind, ty }
}

impl Checker<'_> {
    /// `left op right` for arithmetic and operators on bits.
    pub(super) fn computed(
        &mut self,
        op: BinaryOp,
        mut left: Value,
        mut right: Value,
        span: Span,
    ) -> Option<Value> {
        if self.scope.is_some() {
            (left, right) = (counted(left), counted(right));
        }
        if !matches!(op, BinaryOp::Shl | BinaryOp::Shr) {
            reconcile(&mut left, &mut right);
        }
        let ty = self.report(arithmetic(op, left.operand(), right.operand()))?;
        Some(Value::new(binary(planned(op), left, right), ty, span))
    }

    /// `-x`
    pub(super) fn negate(
        &mut self,
        inner: &ast::Expr,
        span: Span,
        position: Position,
    ) -> Option<Value> {
        if let ExprKind::Number(number) = inner.kind {
            return self.number(negated(number), span);
        }
        let mut inner = self.value(inner, position)?;
        if inner.expr.ty == Type::Enum(Enumeration::LinuxErrno)
            && let plan::ExprKind::Const(number) = inner.expr.kind
        {
            let kind = plan::ExprKind::Const(-number);
            return Some(Value::new(kind, Type::Int, span));
        }
        if self.scope.is_some() {
            inner = counted(inner);
        }
        self.report(numeric(inner.operand()))?;
        let ty = match inner.expr.ty {
            Type::Unsigned => Type::Int,
            ty => ty,
        };
        let kind = plan::ExprKind::Negate(Box::new(inner.expr));
        Some(Value::new(kind, ty, span))
    }

    /// `~x`
    pub(super) fn bit_not(
        &mut self,
        inner: &ast::Expr,
        span: Span,
        position: Position,
    ) -> Option<Value> {
        let inner = self.value(inner, position)?;
        if !is_plain(inner.expr.ty) {
            let ty = a(inner.expr.ty);
            let message = format!("`~` needs a plain number, and this is {ty}");
            self.errors.push(
                Diagnostic::new(Code::NotANumber, inner.span, message)
                    .label(format!("this is {ty}")),
            );
            return None;
        }
        let ty = inner.expr.ty;
        let kind = plan::ExprKind::BitNot(Box::new(inner.expr));
        Some(Value::new(kind, ty, span))
    }

    /// `!x`
    pub(super) fn opposite(&mut self, inner: Value, span: Span) -> Option<Value> {
        if self.scope.is_some() && is_numeric(inner.expr.ty) {
            return Some(compared_with_0(plan::BinaryOp::Eq, inner, span));
        }
        let inner = self.truth(inner)?;
        let kind = plan::ExprKind::Not(Box::new(inner.expr));
        Some(Value::new(kind, Type::Bool, span))
    }

    /// `(uint8)x`
    pub(super) fn cast(
        &mut self,
        inner: &ast::Expr,
        bytes: u8,
        signed: bool,
        span: Span,
        position: Position,
    ) -> Option<Value> {
        let inner = counted(self.value(inner, position)?);
        if !is_numeric(inner.expr.ty) && !matches!(inner.expr.ty, Type::Enum(_)) {
            let ty = a(inner.expr.ty);
            let message = format!("only a number can be cast, and this is {ty}");
            self.errors.push(
                Diagnostic::new(Code::NotANumber, inner.span, message)
                    .label(format!("this is {ty}")),
            );
            return None;
        }
        let kind = plan::ExprKind::Cast {
            value: Box::new(inner.expr),
            bytes,
            signed,
        };
        let ty = if signed { Type::Int } else { Type::Unsigned };
        Some(Value::new(kind, ty, span))
    }

    /// A cast to something that is no number.
    pub(super) fn refuse_cast(
        &mut self,
        expr: &ast::Expr,
        ty: &Name,
        inner: &ast::Expr,
        position: Position,
    ) -> Option<Value> {
        match ty.text.as_str() {
            "bool" => {
                let inner = self.value(inner, position)?;
                self.truth(inner)
            }
            "string" => {
                let inner = self.value(inner, position)?;
                if inner.expr.ty.is_text() {
                    return Some(inner);
                }
                self.not_in_language(expr.span, "a cast to `string` is", "use `str(address)`");
                None
            }
            _ => self.refuse_expr(expr),
        }
    }

    /// `*(uint32 *)address`
    pub(super) fn pointed_to(
        &mut self,
        ty: &Name,
        address: &ast::Expr,
        span: Span,
        position: Position,
    ) -> Option<Value> {
        let name = ty.text.trim_end_matches('*').trim_end();
        let Some((size, signed)) = cast(name) else {
            self.not_in_language(
                span,
                &format!("reading a `{name}` in memory is"),
                "a number is read with `*(uint64 *)address`, a text with `str(address)`",
            );
            return None;
        };
        let (address, space) = self.address(address, position)?;
        let kind = plan::ExprKind::Read {
            address: Box::new(address),
            size,
            signed,
            space,
        };
        let ty = if signed { Type::Int } else { Type::Unsigned };
        Some(Value::new(kind, ty, span))
    }

    /// An address, and whose memory it is in.
    pub(super) fn address(
        &mut self,
        expr: &ast::Expr,
        position: Position,
    ) -> Option<(Expr, Space)> {
        let value = self.value(expr, position)?;
        if !is_plain(value.expr.ty) {
            let ty = a(value.expr.ty);
            let message = format!("an address is a plain number, and this is {ty}");
            let error = Diagnostic::new(Code::BadArgument, value.span, message)
                .label(format!("this is {ty}"));
            self.errors.push(if value.expr.ty.is_text() {
                error.help("what is a text already is not read from memory: use it as it is")
            } else {
                error
            });
            return None;
        }
        let space = value.space.unwrap_or_else(|| self.space());
        Some((value.expr, space))
    }
}
