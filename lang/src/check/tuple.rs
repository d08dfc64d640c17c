//! Tuples: values side by side. The plan has none of them: each part is a value of its own.

use crate::ast::{self, Amount, BinaryOp, ExprKind, Number};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan;
use crate::span::Span;
use crate::types::Type;

use super::Checker;
use super::param::Constant;
use super::value::{Position, Value, binary, planned};

/// A value, or several side by side.
#[derive(Debug, Clone)]
pub(super) enum Compound {
    /// One value.
    One(Value),
    /// A tuple, and where it is.
    Tuple(Vec<Compound>, Span),
}

/// How values belong together, whatever they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// One value.
    One,
    /// A tuple.
    Tuple(Vec<Form>),
}

impl Form {
    /// The form with the types of its values.
    pub(super) fn shape(&self, types: &mut impl Iterator<Item = Type>) -> plan::Shape {
        match self {
            Form::One => plan::Shape::One(types.next().unwrap_or(Type::Int)),
            Form::Tuple(parts) => {
                plan::Shape::Tuple(parts.iter().map(|part| part.shape(types)).collect())
            }
        }
    }

    /// The values in this form.
    pub(super) fn of(
        &self,
        values: &mut impl Iterator<Item = Value>,
        place: Span,
    ) -> Option<Compound> {
        Some(match self {
            Form::One => Compound::One(values.next()?),
            Form::Tuple(parts) => {
                let parts: Option<Vec<Compound>> =
                    parts.iter().map(|part| part.of(values, place)).collect();
                Compound::Tuple(parts?, place)
            }
        })
    }
}

impl Compound {
    pub(super) fn form(&self) -> Form {
        match self {
            Compound::One(_) => Form::One,
            Compound::Tuple(parts, _) => Form::Tuple(parts.iter().map(Compound::form).collect()),
        }
    }

    /// The values from left to right.
    pub(super) fn values(self) -> Vec<Value> {
        match self {
            Compound::One(value) => vec![value],
            Compound::Tuple(parts, _) => parts.into_iter().flat_map(Compound::values).collect(),
        }
    }
}

impl Checker<'_> {
    /// A value or a tuple.
    pub(super) fn compound(&mut self, expr: &ast::Expr, position: Position) -> Option<Compound> {
        let place = expr.span;
        match &expr.kind {
            ExprKind::Tuple(parts) if self.scope.is_some() => {
                let parts: Vec<Option<Compound>> = parts
                    .iter()
                    .map(|part| self.compound(part, position))
                    .collect();
                let parts: Option<Vec<Compound>> = parts.into_iter().collect();
                Some(Compound::Tuple(parts?, place))
            }
            ExprKind::Variable(name) if self.scope.is_some() => self.whole_variable(name, place),
            ExprKind::Map(_) | ExprKind::Index(..)
                if self.scope.is_some() && Self::place(expr).is_some() =>
            {
                let (name, keys) = Self::place(expr)?;
                self.map_value(name, keys, place)
            }
            ExprKind::Field(of, field)
                if !super::value::is_args(of) && field.text.chars().all(|c| c.is_ascii_digit()) =>
            {
                let of = self.compound(of, position)?;
                self.part(of, &field.text, place)
            }
            ExprKind::Index(of, keys) if self.scope.is_some() => {
                let tuple = self.compound(of, position)?;
                let index = match (&tuple, &keys[..]) {
                    (Compound::Tuple(..), [index]) => self.constant(index)?,
                    _ => return self.refuse_expr(expr),
                };
                match index {
                    Some(Constant::Number(Number {
                        amount: Amount::Whole(index),
                        ty: Type::Int,
                    })) => self.part(tuple, &index.to_string(), place),
                    _ => {
                        let message =
                            "which part of a tuple is meant has to be known before the script runs";
                        self.errors.push(
                            Diagnostic::new(Code::NotConstant, place, message)
                                .help("such as `$t.0`"),
                        );
                        None
                    }
                }
            }
            _ => self.value(expr, position).map(Compound::One),
        }
    }

    /// `left == right` and `left != right`, of which either may be a tuple.
    pub(super) fn equal(
        &mut self,
        op: BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
        position: Position,
    ) -> Option<Value> {
        let (left, right) = (
            self.compound(left, position),
            self.compound(right, position),
        );
        match (left?, right?) {
            (Compound::One(left), Compound::One(right)) => {
                self.compare(op, planned(op), left, right, span)
            }
            (left, right) if left.form() == right.form() => {
                let mut all: Option<Value> = None;
                for (left, right) in left.values().into_iter().zip(right.values()) {
                    let same = self.compare(BinaryOp::Eq, plan::BinaryOp::Eq, left, right, span)?;
                    all = Some(match all {
                        Some(all) => {
                            Value::new(binary(plan::BinaryOp::And, all, same), Type::Bool, span)
                        }
                        None => same,
                    });
                }
                let all = all?;
                Some(match op {
                    BinaryOp::Ne => {
                        let kind = plan::ExprKind::Not(Box::new(all.expr));
                        Value::new(kind, Type::Bool, span)
                    }
                    _ => all,
                })
            }
            _ => {
                let message = "only tuples with the same parts can be compared";
                self.errors
                    .push(Diagnostic::new(Code::NotSingle, span, message));
                None
            }
        }
    }

    /// A part of a tuple.
    fn part(&mut self, of: Compound, index: &str, place: Span) -> Option<Compound> {
        let (message, label) = match of {
            Compound::Tuple(mut parts, _) => {
                let count = parts.len();
                match index.parse::<usize>() {
                    Ok(index) if index < count => return Some(parts.swap_remove(index)),
                    _ => (
                        format!("this tuple has {count} parts, and there is no `.{index}`"),
                        format!("the parts are .0 to .{}", count.saturating_sub(1)),
                    ),
                }
            }
            Compound::One(value) => (
                format!("`.{index}` is a part of a tuple, and this is a single value"),
                format!("this is {}", super::typing::a(value.expr.ty)),
            ),
        };
        self.errors
            .push(Diagnostic::new(Code::NotSingle, place, message).label(label));
        None
    }

    /// A value that is no tuple.
    pub(super) fn single(&mut self, expr: &ast::Expr) -> Option<Value> {
        match self.compound(expr, Position::Statement)? {
            Compound::One(value) => Some(value),
            Compound::Tuple(_, place) => {
                let message = "a single value is needed, and this is a tuple";
                self.errors.push(
                    Diagnostic::new(Code::NotSingle, place, message)
                        .help("its parts are `.0`, `.1` and so on; `print()` shows all of it"),
                );
                None
            }
        }
    }
}
