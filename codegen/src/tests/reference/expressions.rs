//! What expressions mean.

use ewapa_lang::builtin::NONE;
use ewapa_lang::plan::{BinaryOp, Expr, ExprKind, StoreId};
use ewapa_lang::types::{Enumeration, Type};

use super::{Groups, Kept, Key};
use crate::tests::terms::{Call, MEMORY};

/// What an expression may read.
pub struct Context<'a> {
    pub call: &'a Call,
    /// [`NONE`] if it has no value.
    pub variables: &'a [Key],
    /// Which of them may have none.
    pub optional: &'a [bool],
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
            optional: &[],
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
            ExprKind::Variable(variable) => match self.variables[variable.0] {
                Key::Number(number) => {
                    let is_none = number == NONE && self.optional[variable.0];
                    (!is_none).then_some(number)
                }
                Key::Text(_) => unreachable!("a text"),
            },
            ExprKind::Map { store, slot, keys } => match self.row(*store, keys) {
                None => Some(0),
                Some(row) => match row[slot.0] {
                    Kept::Number(number) => Some(number),
                    _ => unreachable!("not a map of numbers"),
                },
            },
            ExprKind::Length(text) => Some(self.text(text).len() as i64),
            ExprKind::Rows(store) => Some(self.stores[store.0].len() as i64),
            ExprKind::BitNot(inner) => Some(!self.value(inner)?),
            ExprKind::Cast {
                value,
                bytes,
                signed,
            } => Some(cut(self.value(value)?, usize::from(*bytes), *signed)),
            ExprKind::Read {
                address,
                size,
                signed,
                ..
            } => {
                let found = memory(self.value(address)?)?;
                let word = found[..8].try_into().expect("eight bytes");
                Some(cut(i64::from_ne_bytes(word), usize::from(*size), *signed))
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
                let unsigned = expr.ty == Type::Unsigned;
                let (high, low) = (left as u64, right as u64);
                Some(match op {
                    BinaryOp::Div if unsigned => high.checked_div(low).unwrap_or(0) as i64,
                    BinaryOp::Rem if unsigned => high.checked_rem(low).unwrap_or(high) as i64,
                    BinaryOp::BitAnd => left & right,
                    BinaryOp::BitOr => left | right,
                    BinaryOp::BitXor => left ^ right,
                    BinaryOp::Shl => left.wrapping_shl(right as u32),
                    BinaryOp::Shr if unsigned => high.wrapping_shr(right as u32) as i64,
                    BinaryOp::Shr => left.wrapping_shr(right as u32),
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
            ExprKind::SamePrefix { left, right, bytes } => {
                let first =
                    |text: Vec<u8>| text.into_iter().take((*bytes).into()).collect::<Vec<u8>>();
                first(self.text(left)) == first(self.text(right))
            }
            ExprKind::Contains { text, part } => {
                let text = self.text(text);
                part.is_empty() || text.windows(part.len()).any(|at| at == part.as_bytes())
            }
            ExprKind::IsNone(inner) if inner.ty.is_text() => self.text(inner).is_empty(),
            ExprKind::IsNone(inner) => self.value(inner).is_none(),
            ExprKind::Named { .. } => unreachable!("no plan of the tests asks about names"),
            ExprKind::HasKey { store, keys } => self.row(*store, keys).is_some(),
            ExprKind::Binary(op, left, right) if is_unsigned(left) && is_unsigned(right) => {
                match (self.value(left), self.value(right)) {
                    // The order of unsigned numbers is that of signed ones with the sign turned around.
                    (Some(left), Some(right)) => compare(*op, left ^ i64::MIN, right ^ i64::MIN),
                    _ => false,
                }
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
            ExprKind::Variable(variable) => match &self.variables[variable.0] {
                Key::Text(text) => text.clone(),
                Key::Number(_) => unreachable!("a number"),
            },
            ExprKind::Map { store, slot, keys } => match self.row(*store, keys) {
                None => Vec::new(),
                Some(row) => match &row[slot.0] {
                    Kept::Text(text) => text.clone(),
                    _ => unreachable!("not a map of texts"),
                },
            },
            ExprKind::ReadText {
                address, length, ..
            } => {
                let length = length.as_ref().map(|length| self.value(length));
                let found = self.value(address).and_then(memory);
                let (Some(found), false) = (found, length == Some(None)) else {
                    return Vec::new();
                };
                let room = expr.ty.size() as u64;
                let room = length
                    .flatten()
                    .map_or(room, |length| room.min(length as u64));
                let text = found.split(|byte| *byte == 0).next().unwrap_or_default();
                let most = (room as usize).saturating_sub(1);
                text[..text.len().min(most)].to_vec()
            }
            _ => unreachable!("no text"),
        }
    }

    /// The values of keys or of a message.
    pub fn keys(&self, keys: &[Expr]) -> Vec<Key> {
        keys.iter().map(|key| self.key(key)).collect()
    }

    /// A value of any type.
    pub fn key(&self, expr: &Expr) -> Key {
        match expr.ty {
            Type::Text(_) => Key::Text(self.text(expr)),
            _ => Key::Number(self.value(expr).unwrap_or(NONE)),
        }
    }

    fn row(&self, store: StoreId, keys: &[Expr]) -> Option<&'a [Kept]> {
        let group = (0, self.keys(keys));
        self.stores[store.0].get(&group).map(Vec::as_slice)
    }
}

fn is_unsigned(expr: &Expr) -> bool {
    expr.ty == Type::Unsigned
}

/// What is at an address of the process, if it can be read.
fn memory(address: i64) -> Option<&'static [u8]> {
    let start = usize::try_from(address.wrapping_sub(MEMORY.as_ptr() as i64)).ok()?;
    MEMORY.get(start..)
}

/// The low bytes of a number.
fn cut(value: i64, bytes: usize, signed: bool) -> i64 {
    let rest = 64 - 8 * bytes as u32;
    if rest == 0 {
        value
    } else if signed {
        value << rest >> rest
    } else {
        ((value as u64) << rest >> rest) as i64
    }
}
