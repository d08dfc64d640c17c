//! Columns: arithmetic over aggregates, evaluated in user space in floating point.

use crate::ast::{self, Amount, Arg, BinaryOp, ExprKind, Name, Number, UnaryOp};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Aggregate, Column, ColumnCondition, ColumnExpr};
use crate::span::Span;
use crate::types::Type;

use super::Checker;
use super::aggregate::SHARE;
use super::elsewhere::WASI_CALLS;
use super::name::Meaning;
use super::param::Constant;
use super::slots::Slots;
use super::typing::{Operand, a, arithmetic, comparison, numeric};
use super::unit::Has;
use super::value::{Position, is_comparison, operator, planned};

/// A part of a column whose type is known.
struct Part {
    value: ColumnExpr,
    operand: Operand,
}

fn part(value: ColumnExpr, ty: Type, span: Span) -> Part {
    Part {
        value,
        operand: Operand {
            ty,
            span,
            literal: None,
        },
    }
}

impl Checker<'_> {
    /// One column of a table.
    pub(super) fn column(
        &mut self,
        column: &ast::Column,
        table: &ast::Table,
        slots: &mut Slots,
    ) -> Option<Column> {
        let condition = match &column.condition {
            Some(condition) => self.condition(condition, Position::Condition).map(Some),
            None => Some(None),
        };
        slots.condition = condition.clone().flatten();
        let value = self.column_part(&column.value, table, slots);
        if let (Some(condition), Some(part)) = (&column.condition, &value)
            && !has_aggregate(&part.value)
        {
            let message = "this `if` selects nothing: the column has no aggregate";
            self.errors.push(Diagnostic::new(
                Code::NothingToSelect,
                condition.span,
                message,
            ));
        }
        let ty = value.as_ref().map(|part| part.operand.ty);
        let has = Has::of(value.as_ref().map(|part| &part.value));
        let unit = self.unit(column.unit.as_ref(), ty, has, column.value.span);
        condition?;
        let (Part { value, operand }, unit) = (value?, unit?);
        Some(Column {
            name: column.name.text.clone(),
            value,
            ty: operand.ty,
            unit,
        })
    }

    fn column_part(
        &mut self,
        expr: &ast::Expr,
        table: &ast::Table,
        slots: &mut Slots,
    ) -> Option<Part> {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Number(number) => Some(number_part(*number, span)),
            ExprKind::Text(_) => {
                let error = Diagnostic::new(
                    Code::BadText,
                    span,
                    "a column is a number, and this is a text",
                );
                self.errors.push(
                    error.help("a column is made of aggregates: `sum(bytes)`, `p99(duration)`"),
                );
                None
            }
            ExprKind::Name(name) => self.column_name(name, span, table),
            ExprKind::Call { function, args } if function.text == SHARE => {
                self.share_of_all(function, args, span, table, slots)
            }
            ExprKind::Call { function, args } => {
                if let Some(series) = self.series(function, args, span, slots) {
                    let (slot, ty) = series?;
                    return Some(part(ColumnExpr::Series(slot), ty, span));
                }
                if let Some(histogram) = self.histogram(function, args, span, slots) {
                    let (slot, ty) = histogram?;
                    return Some(part(ColumnExpr::Histogram(slot, ty), Type::Int, span));
                }
                let (aggregate, ty) = self.aggregate(function, args, span, slots)?;
                let value = ColumnExpr::Aggregate(aggregate);
                Some(match (aggregate, ty) {
                    (Aggregate::Rate { .. }, Type::Time) => {
                        part(time_in_time(value), Type::Int, span)
                    }
                    _ => part(value, ty, span),
                })
            }
            ExprKind::Unary(UnaryOp::Negate, inner) => {
                let inner = self.column_part(inner, table, slots)?;
                self.report(numeric(inner.operand))?;
                Some(part(
                    ColumnExpr::Negate(Box::new(inner.value)),
                    inner.operand.ty,
                    span,
                ))
            }
            ExprKind::Unary(UnaryOp::Not, _) => self.condition_in_column(span),
            ExprKind::Binary(op, left, right) => match op {
                BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem => {
                    let left = self.column_part(left, table, slots);
                    let right = self.column_part(right, table, slots);
                    let (left, right, op_planned) = (left?, right?, operator(*op)?);
                    let ty = self.report(arithmetic(*op, left.operand, right.operand))?;
                    let value =
                        ColumnExpr::Binary(op_planned, Box::new(left.value), Box::new(right.value));
                    Some(part(value, ty, span))
                }
                _ if operator(*op).is_some() => self.condition_in_column(span),
                _ => self.refuse_expr(expr),
            },
            ExprKind::Ternary(condition, then, otherwise) => {
                let condition = self.column_condition(condition, table, slots);
                let then = self.column_part(then, table, slots);
                let otherwise = self.column_part(otherwise, table, slots);
                self.column_choice(condition?, then?, otherwise?, span)
            }
            _ => self.refuse_expr(expr),
        }
    }

    /// What decides between two values of a column.
    fn column_condition(
        &mut self,
        expr: &ast::Expr,
        table: &ast::Table,
        slots: &mut Slots,
    ) -> Option<ColumnCondition> {
        match &expr.kind {
            ExprKind::Unary(UnaryOp::Not, inner) => {
                let inner = self.column_condition(inner, table, slots)?;
                Some(ColumnCondition::Not(Box::new(inner)))
            }
            ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), left, right) => {
                let left = self.column_condition(left, table, slots);
                let right = self.column_condition(right, table, slots);
                let (left, right) = (Box::new(left?), Box::new(right?));
                Some(ColumnCondition::Logic(planned(*op), left, right))
            }
            ExprKind::Binary(op, left, right) if is_comparison(*op) => {
                let left = self.column_part(left, table, slots);
                let right = self.column_part(right, table, slots);
                let (left, right) = (left?, right?);
                self.report(comparison(*op, left.operand, right.operand))?;
                Some(ColumnCondition::Compare(
                    planned(*op),
                    left.value,
                    right.value,
                ))
            }
            _ => {
                let part = self.column_part(expr, table, slots)?;
                let message = format!("this is {}, not a condition", a(part.operand.ty));
                let error = Diagnostic::new(Code::NotACondition, expr.span, message);
                self.errors
                    .push(error.help("compare it, such as with `> 0`"));
                None
            }
        }
    }

    fn column_choice(
        &mut self,
        condition: ColumnCondition,
        then: Part,
        otherwise: Part,
        span: Span,
    ) -> Option<Part> {
        let (one, other) = (then.operand, otherwise.operand);
        let ty = match (one.ty, other.ty) {
            (one, other) if one == other => one,
            (ty, _) if other.is_zero() => ty,
            (_, ty) if one.is_zero() => ty,
            _ => {
                let (one_type, other_type) = (a(one.ty), a(other.ty));
                let message = format!("`? :` gives {one_type} or {other_type}");
                let error = Diagnostic::new(Code::MixedTypes, other.span, message)
                    .label(format!("this is {other_type}"))
                    .also(one.span, format!("this is {one_type}"));
                self.errors
                    .push(error.help("both sides have the same type"));
                return None;
            }
        };
        let value = ColumnExpr::Choose {
            condition: Box::new(condition),
            then: Box::new(then.value),
            otherwise: Box::new(otherwise.value),
        };
        Some(part(value, ty, span))
    }

    /// `share(x)`: the part that a row has in the sum of all rows.
    fn share_of_all(
        &mut self,
        function: &Name,
        args: &[Arg],
        span: Span,
        table: &ast::Table,
        slots: &mut Slots,
    ) -> Option<Part> {
        let named = self.refuse_named(function, args);
        let [Arg { value, .. }] = args else {
            let help = "such as `share(sum(duration))`";
            self.wrong_count(function, "one argument", help, args.len(), span);
            return None;
        };
        let of = self.column_part(value, table, slots).filter(|_| !named)?;
        self.report(numeric(of.operand))?;
        if !adds_up(&of.value) {
            let message = "`share()` needs what adds up over rows, and this does not";
            let error = Diagnostic::new(Code::BadArgument, value.span, message);
            self.errors.push(
                error.help(
                    "counts, sums and rates add up: `share(count())`, `share(sum(duration))`",
                ),
            );
            return None;
        }
        Some(part(ColumnExpr::Share(Box::new(of.value)), Type::Int, span))
    }

    fn column_name(&mut self, name: &str, span: Span, table: &ast::Table) -> Option<Part> {
        let is_column = table.columns.iter().any(|column| column.name.text == name);
        let is_value = crate::builtin::builtin(name).is_some() || self.params.value(name).is_some();
        if is_column && !is_value {
            let error = Diagnostic::new(
                Code::UnknownName,
                span,
                format!("a column cannot use the column `{name}`"),
            );
            self.errors
                .push(error.help("repeat its expression; what is the same is computed once"));
            return None;
        }
        if name == WASI_CALLS && self.params.value(name).is_none() {
            let value = self.wasi_calls(span, table)?;
            return Some(part(value, Type::Int, span));
        }
        let error = match self.resolve(name, span)? {
            Meaning::Constant(Constant::Number(number)) => {
                let Part { value, operand } = number_part(number, span);
                return Some(Part {
                    value,
                    operand: Operand {
                        literal: None,
                        ..operand
                    },
                });
            }
            Meaning::Constant(Constant::Text(_)) => Diagnostic::new(
                Code::BadText,
                span,
                "a column is a number, and this parameter is a text",
            ),
            Meaning::Errno(_) => Diagnostic::new(
                Code::BadArgument,
                span,
                format!("a column is a number, and `{name}` is an errno"),
            ),
            Meaning::Value(_) => {
                let message =
                    format!("`{name}` is a value of one event, and a column is over many");
                Diagnostic::new(Code::BareBuiltin, span, message).help(format!(
                    "wrap it, such as `sum({name})`, or put it into `by`"
                ))
            }
            Meaning::Builtin(builtin) => {
                let message = format!(
                    "`{name}` is {} of one call, and a column is over many",
                    a(builtin.ty)
                );
                let error = Diagnostic::new(Code::BareBuiltin, span, message);
                if super::typing::is_numeric(builtin.ty) {
                    error.help(format!("wrap it, such as `sum({name})`, `avg({name})` or `p99({name})`, or put it into `by`"))
                } else {
                    error.help("put it into `by` to have one row for each of its values")
                }
            }
        };
        self.errors.push(error);
        None
    }

    fn condition_in_column(&mut self, span: Span) -> Option<Part> {
        let error = Diagnostic::new(
            Code::NotACondition,
            span,
            "a column is a number, and this is a condition",
        );
        self.errors.push(error.help(
            "to count calls for which it holds write `count() if …`; to choose between two numbers `… ? … : …`",
        ));
        None
    }
}

fn number_part(number: Number, span: Span) -> Part {
    let value = match number.amount {
        Amount::Whole(value) if number.ty == Type::Unsigned => value.cast_unsigned() as f64,
        Amount::Whole(value) => value as f64,
        Amount::Fraction(value) => value,
    };
    let literal = (number.ty == Type::Int).then_some(number.amount);
    Part {
        value: ColumnExpr::Number(value),
        operand: Operand {
            ty: number.ty,
            span,
            literal,
        },
    }
}

fn has_aggregate(value: &ColumnExpr) -> bool {
    let is_one = matches!(
        value,
        ColumnExpr::Aggregate(_)
            | ColumnExpr::Series(_)
            | ColumnExpr::Histogram(..)
            | ColumnExpr::Elsewhere { .. }
    );
    is_one || value.parts().into_iter().any(has_aggregate)
}

/// Nanoseconds a second as a plain number: how many of it went on at a time.
fn time_in_time(rate: ColumnExpr) -> ColumnExpr {
    let second = ColumnExpr::Number(1e9);
    ColumnExpr::Binary(plan::BinaryOp::Div, Box::new(rate), Box::new(second))
}

impl Has {
    fn of(value: Option<&ColumnExpr>) -> Has {
        match value {
            Some(ColumnExpr::Aggregate(Aggregate::Rate { .. })) => Has::Rate,
            Some(ColumnExpr::Series(_) | ColumnExpr::Histogram(..)) => Has::Series,
            _ => Has::Number,
        }
    }
}

/// Whether the sum of the values of several rows is the value of all their calls together.
fn adds_up(value: &ColumnExpr) -> bool {
    use plan::BinaryOp::{Add, Div, Mul, Sub};
    match value {
        ColumnExpr::Aggregate(aggregate) => matches!(
            aggregate,
            Aggregate::Count { .. } | Aggregate::Sum { .. } | Aggregate::Rate { .. }
        ),
        ColumnExpr::Negate(inner) => adds_up(inner),
        ColumnExpr::Binary(Add | Sub, left, right) => adds_up(left) && adds_up(right),
        ColumnExpr::Binary(Mul | Div, left, right) if !has_aggregate(right) => adds_up(left),
        ColumnExpr::Binary(Mul, left, right) if !has_aggregate(left) => adds_up(right),
        ColumnExpr::Number(_)
        | ColumnExpr::Binary(..)
        | ColumnExpr::Choose { .. }
        | ColumnExpr::Share(_)
        | ColumnExpr::Series(_)
        | ColumnExpr::Histogram(..)
        | ColumnExpr::Elsewhere { .. } => false,
    }
}
