//! Evaluates conditions over results.

use ewapa_lang::builtin::NONE;
use ewapa_lang::plan::{BinaryOp, ResultExpr, ResultKind};

use crate::engine::groups::Key;

use super::cells;
use super::quantity::Quantity;
use super::rows::Row;

/// Whether a condition over a row holds; none if what it needs has no value.
pub fn holds(expr: &ResultExpr, row: &Row) -> Option<bool> {
    match &expr.kind {
        ResultKind::Not(inner) => Some(!holds(inner, row)?),
        ResultKind::KeyIs(index, value) => {
            let key = &row.keys[*index];
            Some(cells::is(&key.raw, &key.cell, key.ty, value))
        }
        ResultKind::Binary(BinaryOp::And, left, right) => {
            match (holds(left, row), holds(right, row)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (left, right) => Some(left? && right?),
            }
        }
        ResultKind::Binary(BinaryOp::Or, left, right) => {
            match (holds(left, row), holds(right, row)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (left, right) => Some(left? || right?),
            }
        }
        ResultKind::Binary(op, left, right) => {
            let ordering = value(left, row)?.order(value(right, row)?);
            Some(match op {
                BinaryOp::Eq => ordering.is_eq(),
                BinaryOp::Ne => ordering.is_ne(),
                BinaryOp::Lt => ordering.is_lt(),
                BinaryOp::Le => ordering.is_le(),
                BinaryOp::Gt => ordering.is_gt(),
                BinaryOp::Ge => ordering.is_ge(),
                _ => unreachable!("the checker makes this a number"),
            })
        }
        // A key such as `ok`.
        _ => Some(value(expr, row)? != Quantity::Whole(0)),
    }
}

fn value(expr: &ResultExpr, row: &Row) -> Option<Quantity> {
    match &expr.kind {
        ResultKind::Number(amount) => Some(Quantity::from(*amount)),
        ResultKind::Column(index) => row.values[*index],
        ResultKind::Key(index) => match row.keys[*index].raw {
            Key::Number(NONE) | Key::Text(_) => None,
            Key::Number(number) => Some(Quantity::Whole(number)),
        },
        ResultKind::Negate(inner) => Some(-value(inner, row)?),
        ResultKind::Binary(op, left, right) => value(left, row)?.combine(*op, value(right, row)?),
        ResultKind::KeyIs(..) | ResultKind::Not(_) => {
            unreachable!("the checker makes this a condition")
        }
    }
}
