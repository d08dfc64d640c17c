//! What expressions mean.

use ewapa_lang::builtin::NONE;
use ewapa_lang::plan::{BinaryOp, Expr, ExprKind};
use ewapa_lang::types::{Enumeration, Type};

use super::{Groups, Kept, Key};
use crate::tests::terms::Call;

/// What an expression may read.
pub struct Context<'a> {
    pub call: &'a Call,
    /// None if it has no value.
    pub variables: &'a [Option<i64>],
    /// The groups of each store; a store that is read has no CPUs.
    pub stores: &'a [Groups],
}

/// The value of an expression over a call alone, none if it has none.
pub fn value(expr: &Expr, call: &Call) -> Option<i64> {
    Context::of(call).value(expr)
}

/// Whether a condition over a call alone holds.
pub fn holds(condition: &Expr, call: &Call) -> bool {
    Context::of(call).holds(condition)
}

/// Whether a comparison of two numbers is true.
pub fn compare(op: BinaryOp, left: i64, right: i64) -> bool {
    match op {
        BinaryOp::Eq => left == right,
        BinaryOp::Ne => left != right,
        BinaryOp::Lt => left < right,
        BinaryOp::Le => left <= right,
        BinaryOp::Gt => left > right,
        BinaryOp::Ge => left >= right,
        _ => unreachable!("no comparison"),
    }
}

impl<'a> Context<'a> {
    fn of(call: &'a Call) -> Context<'a> {
        Context {
            call,
            variables: &[],
            stores: &[],
        }
    }

    pub fn value(&self, expr: &Expr) -> Option<i64> {
        match &expr.kind {
            ExprKind::Const(value) => Some(*value),
            ExprKind::Builtin(builtin) => {
                let value = self.call.get(builtin);
                (!builtin.nullable || value != NONE).then_some(value)
            }
            ExprKind::Variable(variable) => self.variables[variable.0],
            ExprKind::Map { store, keys, .. } => {
                let group = (0, self.keys(keys));
                match self.stores[store.0].get(&group).map(Vec::as_slice) {
                    None => Some(0),
                    Some([Kept::Number(number)]) => Some(*number),
                    Some(other) => unreachable!("not a map of numbers: {other:?}"),
                }
            }
            ExprKind::Choose {
                condition,
                then,
                otherwise,
            } => self.value(if self.holds(condition) {
                then
            } else {
                otherwise
            }),
            _ if expr.ty == Type::Bool => self.truth(expr).map(i64::from),
            ExprKind::Negate(inner) => Some(self.value(inner)?.wrapping_neg()),
            ExprKind::Binary(op, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                Some(match op {
                    BinaryOp::Add => left.wrapping_add(right),
                    BinaryOp::Sub => left.wrapping_sub(right),
                    BinaryOp::Mul => left.wrapping_mul(right),
                    BinaryOp::Div if right == 0 => 0,
                    BinaryOp::Div => left.wrapping_div(right),
                    BinaryOp::Rem if right == 0 => left,
                    BinaryOp::Rem => left.wrapping_rem(right),
                    _ => unreachable!("a condition"),
                })
            }
            _ => unreachable!("no number"),
        }
    }

    pub fn holds(&self, condition: &Expr) -> bool {
        self.truth(condition) == Some(true)
    }

    /// None if the condition is, in the end, a value that is none.
    fn truth(&self, condition: &Expr) -> Option<bool> {
        let holds = match &condition.kind {
            ExprKind::Not(inner) => !self.truth(inner)?,
            ExprKind::Choose {
                condition,
                then,
                otherwise,
            } => self.truth(if self.holds(condition) {
                then
            } else {
                otherwise
            })?,
            ExprKind::Binary(BinaryOp::And, left, right) => self.holds(left) && self.holds(right),
            ExprKind::Binary(BinaryOp::Or, left, right) => self.holds(left) || self.holds(right),
            ExprKind::Binary(op, left, right) if left.ty.is_text() => {
                (self.text(left) == self.text(right)) == (*op == BinaryOp::Eq)
            }
            ExprKind::Binary(op, left, right) => {
                let is_runtime = left.ty == Type::Enum(Enumeration::Runtime);
                let compared = |value: i64| if is_runtime { value & 0xff } else { value };
                match (self.value(left), self.value(right)) {
                    (Some(left), Some(right)) => compare(*op, compared(left), compared(right)),
                    _ => false,
                }
            }
            _ => self.value(condition)? == 1,
        };
        Some(holds)
    }

    fn text(&self, expr: &Expr) -> Vec<u8> {
        match &expr.kind {
            ExprKind::Text(literal) => literal.as_bytes().to_vec(),
            ExprKind::Builtin(builtin) => self.call.text(builtin).to_vec(),
            ExprKind::Choose {
                condition,
                then,
                otherwise,
            } => self.text(if self.holds(condition) {
                then
            } else {
                otherwise
            }),
            _ => unreachable!("no text"),
        }
    }

    /// The values of keys or of a message.
    pub fn keys(&self, keys: &[Expr]) -> Vec<Key> {
        let key = |expr: &Expr| match expr.ty {
            Type::Text(_) => Key::Text(self.text(expr)),
            _ => Key::Number(self.value(expr).unwrap_or(NONE)),
        };
        keys.iter().map(key).collect()
    }
}
