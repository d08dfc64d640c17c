//! Expressions over the values of one call: they are evaluated in the kernel.

use crate::ast::{self, Amount, BinaryOp, ExprKind, Number, UnaryOp};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Expr};
use crate::span::Span;
use crate::types::{Enumeration, Space, Type};

use super::Checker;
use super::aggregate;
use super::function;
use super::map::may_be_tuple;
use super::name::Meaning;
use super::number::cast;
use super::param::Constant;
use super::typing::{Checked, Operand};

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
    /// Whose memory it is an address in, if the script says so.
    pub(super) space: Option<Space>,
}

impl Value {
    pub(super) fn new(kind: plan::ExprKind, ty: Type, span: Span) -> Value {
        Value {
            expr: Expr { kind, ty },
            span,
            literal: None,
            space: None,
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
    /// A value of an event. A tuple is none: see [`Checker::compound`].
    pub(super) fn value(&mut self, expr: &ast::Expr, position: Position) -> Option<Value> {
        let span = expr.span;
        let in_block = self.scope.is_some();
        match &expr.kind {
            ExprKind::Number(number) => self.number(*number, span),
            ExprKind::Text(text) => Some(text_value(text.clone(), span)),
            ExprKind::Name(name) => self.name(name, span),
            ExprKind::Positional(name) => {
                let constant = self.positional(name);
                self.known(constant, span)
            }
            ExprKind::Call { function, args } => self.call(function, args, span, position),
            ExprKind::Unary(UnaryOp::Negate, inner) => self.negate(inner, span, position),
            ExprKind::Unary(UnaryOp::Not, inner) => {
                let inner = self.value(inner, position)?;
                self.opposite(inner, span)
            }
            ExprKind::Unary(UnaryOp::BitNot, inner) => self.bit_not(inner, span, position),
            ExprKind::Unary(UnaryOp::Deref, inner) => match &inner.kind {
                ExprKind::Cast(ty, address) if ty.text.ends_with('*') => {
                    self.pointed_to(ty, address, span, position)
                }
                _ => self.refuse_expr(expr),
            },
            ExprKind::Cast(ty, inner) => match cast(&ty.text) {
                Some((bytes, signed)) => self.cast(inner, bytes, signed, span, position),
                None => self.refuse_cast(expr, ty, inner, position),
            },
            ExprKind::Tuple(_) if in_block => self.single(expr),
            ExprKind::Field(of, field) => self.field_value(expr, of, field),
            ExprKind::Arrow(of, field) if is_args(of) => self.argument_named(field, span),
            ExprKind::Variable(_) if in_block => self.single(expr),
            ExprKind::Map(_) | ExprKind::Index(..) if in_block => self.single(expr),
            ExprKind::Ternary(condition, then, otherwise) => {
                self.choice(condition, then, otherwise, span, position)
            }
            ExprKind::Binary(op @ (BinaryOp::Eq | BinaryOp::Ne), left, right)
                if is_slice(left) || is_slice(right) =>
            {
                self.same_start(*op, left, right, span, position)
            }
            ExprKind::Binary(op @ (BinaryOp::Eq | BinaryOp::Ne), left, right)
                if in_block && (may_be_tuple(left) || may_be_tuple(right)) =>
            {
                self.equal(*op, left, right, span, position)
            }
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right, span, position),
            _ => self.refuse_expr(expr),
        }
    }

    fn name(&mut self, name: &str, span: Span) -> Option<Value> {
        match self.resolve(name, span)? {
            Meaning::Builtin(builtin) => Some(Value::new(
                plan::ExprKind::Builtin(builtin),
                builtin.ty,
                span,
            )),
            Meaning::Errno(number) => Some(Value::new(
                plan::ExprKind::Const(number),
                Type::Enum(Enumeration::Errno),
                span,
            )),
            Meaning::Value(expr) => Some(Value::new(expr.kind, expr.ty, span)),
            Meaning::Constant(constant) => self.known(constant, span),
        }
    }

    /// A value that is known before the script runs, but not written out where it stands.
    fn known(&mut self, constant: Constant, span: Span) -> Option<Value> {
        match constant {
            Constant::Text(text) => Some(text_value(text, span)),
            Constant::Number(number) => self.number(number, span).map(|value| Value {
                literal: None,
                ..value
            }),
        }
    }

    fn binary(
        &mut self,
        op: BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
        position: Position,
    ) -> Option<Value> {
        // Both sides are checked before either can end the check: each may have errors.
        let (mut left, mut right) = (self.value(left, position), self.value(right, position));
        if matches!(op, BinaryOp::And | BinaryOp::Or) {
            left = left.and_then(|left| self.truth(left));
            right = right.and_then(|right| self.truth(right));
        }
        if let Some(known) = self.known_side(op, left.as_ref(), right.as_ref()) {
            return Some(known);
        }
        let (left, right) = (left?, right?);
        let planned = planned(op);
        match op {
            BinaryOp::And | BinaryOp::Or => {
                Some(Value::new(binary(planned, left, right), Type::Bool, span))
            }
            _ if is_comparison(op) => self.compare(op, planned, left, right, span),
            _ => self.computed(op, left, right, span),
        }
    }

    /// The result, or none after its error has been reported.
    pub(super) fn report<T>(&mut self, result: Checked<T>) -> Option<T> {
        result.map_err(|error| self.errors.push(*error)).ok()
    }

    pub(super) fn number(&mut self, number: Number, span: Span) -> Option<Value> {
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

    fn call(
        &mut self,
        called: &ast::Name,
        args: &[ast::Arg],
        place: Span,
        position: Position,
    ) -> Option<Value> {
        if let Some(result) = self.function_value(called, args, place, position) {
            return result;
        }
        if !aggregate::is_aggregate(&called.text) {
            if let Some(value) = self.called_value(called, args, place) {
                return value;
            }
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

/// The plan's operator; none for those that user space does not compute with.
pub(super) fn operator(op: BinaryOp) -> Option<plan::BinaryOp> {
    match planned(op) {
        plan::BinaryOp::BitOr
        | plan::BinaryOp::BitXor
        | plan::BinaryOp::BitAnd
        | plan::BinaryOp::Shl
        | plan::BinaryOp::Shr => None,
        planned => Some(planned),
    }
}

/// The plan's operator.
pub(super) fn planned(op: BinaryOp) -> plan::BinaryOp {
    match op {
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
        BinaryOp::BitOr => plan::BinaryOp::BitOr,
        BinaryOp::BitXor => plan::BinaryOp::BitXor,
        BinaryOp::BitAnd => plan::BinaryOp::BitAnd,
        BinaryOp::Shl => plan::BinaryOp::Shl,
        BinaryOp::Shr => plan::BinaryOp::Shr,
    }
}

/// Whether it compares.
pub(super) fn is_comparison(op: BinaryOp) -> bool {
    matches!(
        op,
        BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge
    )
}

pub(super) fn text_value(text: String, span: Span) -> Value {
    let ty = Type::of_text(&text);
    Value::new(plan::ExprKind::Text(text), ty, span)
}

fn is_slice(expr: &ast::Expr) -> bool {
    matches!(expr.kind, ExprKind::Slice(..))
}

/// Whether it is `args`, whose fields are the arguments.
pub(super) fn is_args(expr: &ast::Expr) -> bool {
    matches!(&expr.kind, ExprKind::Name(name) if name == "args")
}
