//! Expressions over the values of one call: they are evaluated in the kernel.

use crate::ast::{self, Amount, BinaryOp, ExprKind, Number, UnaryOp};
use crate::builtin::Builtin;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Expr};
use crate::span::Span;
use crate::types::{Enumeration, Type};

use super::Checker;
use super::aggregate;
use super::condition::compared_with_0;
use super::function;
use super::name::Meaning;
use super::param::{Constant, negated};
use super::typing::{Checked, Operand, arithmetic, is_numeric, numeric};

/// Where an expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// In a `where`.
    Filter,
    /// In a `by`.
    Key,
    /// After the `if` of a column.
    Condition,
    /// Within the parentheses of an aggregate.
    Argument,
    /// Elsewhere in a statement.
    Statement,
}

/// An expression whose type is known.
#[derive(Debug, Clone)]
pub(super) struct Value {
    /// The expression.
    pub(super) expr: Expr,
    /// Where it is.
    pub(super) span: Span,
    /// Its value, if it is a plain number that was written out.
    literal: Option<Amount>,
}

impl Value {
    pub(super) fn new(kind: plan::ExprKind, ty: Type, span: Span) -> Value {
        Value {
            expr: Expr { kind, ty },
            span,
            literal: None,
        }
    }

    pub(super) fn operand(&self) -> Operand {
        Operand {
            ty: self.expr.ty,
            span: self.span,
            literal: self.literal,
        }
    }

    /// The text, if the value is one that was written out and has not become something else yet.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.expr.kind {
            plan::ExprKind::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_constant(&self) -> bool {
        matches!(self.expr.kind, plan::ExprKind::Const(_))
    }
}

impl Checker<'_> {
    /// A value of a call.
    pub(super) fn value(&mut self, expr: &ast::Expr, position: Position) -> Option<Value> {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Number(number) => self.number(*number, span),
            ExprKind::Text(text) => Some(Value::new(
                plan::ExprKind::Text(text.clone()),
                Type::of_text(text),
                span,
            )),
            ExprKind::Name(name) => match self.resolve(name, span)? {
                Meaning::Builtin(builtin) => self.builtin(builtin, span),
                Meaning::Errno(number) => Some(Value::new(
                    plan::ExprKind::Const(number),
                    Type::Enum(Enumeration::Errno),
                    span,
                )),
                Meaning::Constant(Constant::Text(text)) => {
                    let ty = Type::of_text(&text);
                    Some(Value::new(plan::ExprKind::Text(text), ty, span))
                }
                Meaning::Constant(Constant::Number(number)) => {
                    self.number(number, span).map(|value| Value {
                        literal: None,
                        ..value
                    })
                }
            },
            ExprKind::Call { function, .. } => self.call(function, span, position),
            ExprKind::Unary(UnaryOp::Negate, inner) => self.negate(inner, span, position),
            ExprKind::Variable(name) if self.scope.is_some() => self.variable(name, span),
            ExprKind::Map(_) | ExprKind::Index(..)
                if self.scope.is_some() && Self::place(expr).is_some() =>
            {
                let (name, keys) = Self::place(expr)?;
                self.map_value(name, keys, span)
            }
            ExprKind::Ternary(condition, then, otherwise) => {
                self.choice(condition, then, otherwise, span, position)
            }
            ExprKind::Unary(UnaryOp::Not, inner) => {
                let inner = self.value(inner, position)?;
                if self.scope.is_some() && is_numeric(inner.expr.ty) {
                    return Some(compared_with_0(plan::BinaryOp::Eq, inner, span));
                }
                let inner = self.truth(inner)?;
                Some(Value::new(
                    plan::ExprKind::Not(Box::new(inner.expr)),
                    Type::Bool,
                    span,
                ))
            }
            ExprKind::Binary(op, left, right) => {
                let Some(planned) = operator(*op) else {
                    return self.refuse_expr(expr);
                };
                // Both sides are checked before either can end the check: each may have errors.
                let (mut left, mut right) =
                    (self.value(left, position), self.value(right, position));
                if matches!(op, BinaryOp::And | BinaryOp::Or) {
                    left = left.and_then(|left| self.truth(left));
                    right = right.and_then(|right| self.truth(right));
                }
                if let Some(known) = self.known_side(*op, left.as_ref(), right.as_ref()) {
                    return Some(known);
                }
                let (left, right) = (left?, right?);
                match op {
                    BinaryOp::And | BinaryOp::Or => {
                        Some(Value::new(binary(planned, left, right), Type::Bool, span))
                    }
                    BinaryOp::Add
                    | BinaryOp::Sub
                    | BinaryOp::Mul
                    | BinaryOp::Div
                    | BinaryOp::Rem => {
                        let ty = self.report(arithmetic(*op, left.operand(), right.operand()))?;
                        Some(Value::new(binary(planned, left, right), ty, span))
                    }
                    _ => self.compare(*op, planned, left, right, span),
                }
            }
            _ => self.refuse_expr(expr),
        }
    }

    /// The result, or none after its error has been reported.
    pub(super) fn report<T>(&mut self, result: Checked<T>) -> Option<T> {
        result.map_err(|error| self.errors.push(*error)).ok()
    }

    fn number(&mut self, number: Number, span: Span) -> Option<Value> {
        match number.amount {
            Amount::Whole(value) => {
                let literal = (number.ty == Type::Int).then_some(number.amount);
                Some(Value {
                    literal,
                    ..Value::new(plan::ExprKind::Const(value), number.ty, span)
                })
            }
            Amount::Fraction(value) => {
                let error = Diagnostic::new(
                    Code::Fraction,
                    span,
                    format!("`{value}` is not a whole number"),
                );
                self.errors
                    .push(error.help(
                        "the kernel computes with whole numbers; columns may have fractions",
                    ));
                None
            }
        }
    }

    fn builtin(&mut self, builtin: &'static Builtin, span: Span) -> Option<Value> {
        if let Some(probe) = self
            .scope
            .as_ref()
            .and_then(|scope| scope.without_call.as_ref())
        {
            let message = format!("there is no call at `{probe}`");
            let error = Diagnostic::new(Code::NoCall, span, message)
                .label(format!("`{}` is a value of a call", builtin.name));
            self.errors.push(error.help(format!(
                "keep it in a map in a `wasi:` block, such as `@{} = {}`",
                builtin.name, builtin.name
            )));
            return None;
        }
        let kind = plan::ExprKind::Builtin(builtin);
        Some(Value::new(kind, builtin.ty, span))
    }

    fn negate(&mut self, inner: &ast::Expr, span: Span, position: Position) -> Option<Value> {
        if let ExprKind::Number(number) = inner.kind {
            return self.number(negated(number), span);
        }
        let inner = self.value(inner, position)?;
        self.report(numeric(inner.operand()))?;
        let ty = inner.expr.ty;
        Some(Value::new(
            plan::ExprKind::Negate(Box::new(inner.expr)),
            ty,
            span,
        ))
    }

    fn call(&mut self, called: &ast::Name, place: Span, position: Position) -> Option<Value> {
        if !aggregate::is_aggregate(&called.text) {
            self.no_aggregate(called);
            return None;
        }
        let name = &called.text;
        self.errors.push(if position == Position::Argument {
            Diagnostic::new(
                Code::NestedAggregate,
                place,
                format!("`{name}()` inside of an aggregate"),
            )
            .label("an aggregate is over values of calls")
        } else {
            let place_name = match position {
                Position::Filter => "a `where` decides about one call",
                Position::Key => "a key is a value of one call",
                Position::Statement => "this is a value of one event",
                _ => "an `if` decides about one call",
            };
            let help = if self.scope.is_some() {
                function::into_a_map(name)
            } else {
                "aggregates stand in columns: `calls = count()`".to_owned()
            };
            Diagnostic::new(
                Code::MisplacedAggregate,
                place,
                format!("`{name}()` is over many calls, and {place_name}"),
            )
            .help(help)
        });
        None
    }
}

/// An operator between two values.
pub(super) fn binary(op: plan::BinaryOp, left: Value, right: Value) -> plan::ExprKind {
    plan::ExprKind::Binary(op, Box::new(left.expr), Box::new(right.expr))
}

/// The plan's operator; none for those that are still to come.
pub(super) fn operator(op: BinaryOp) -> Option<plan::BinaryOp> {
    Some(match op {
        BinaryOp::Or => plan::BinaryOp::Or,
        BinaryOp::And => plan::BinaryOp::And,
        BinaryOp::Eq => plan::BinaryOp::Eq,
        BinaryOp::Ne => plan::BinaryOp::Ne,
        BinaryOp::Lt => plan::BinaryOp::Lt,
        BinaryOp::Le => plan::BinaryOp::Le,
        BinaryOp::Gt => plan::BinaryOp::Gt,
        BinaryOp::Ge => plan::BinaryOp::Ge,
        BinaryOp::Add => plan::BinaryOp::Add,
        BinaryOp::Sub => plan::BinaryOp::Sub,
        BinaryOp::Mul => plan::BinaryOp::Mul,
        BinaryOp::Div => plan::BinaryOp::Div,
        BinaryOp::Rem => plan::BinaryOp::Rem,
        BinaryOp::BitOr | BinaryOp::BitXor | BinaryOp::BitAnd | BinaryOp::Shl | BinaryOp::Shr => {
            return None;
        }
    })
}
