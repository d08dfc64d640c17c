//! Expressions that the kernel evaluates.

use crate::builtin::Builtin;
use crate::types::Type;

use super::{StoreId, VariableId};

/// A typed expression over the builtins of one call, evaluated in the kernel.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it computes.
    pub kind: ExprKind,
    /// The type of its value.
    pub ty: Type,
}

/// The kinds of expressions. A builtin that has no value makes the expression have none; a comparison
/// of a value that is none is false. A condition that has no value, such as `ok`, is false, and so is its
/// negation.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A literal, a parameter's value, a named value's number; for [`Type::Bool`] 0 or 1.
    Const(i64),
    /// A text to compare with, or a key. At most [`crate::builtin::TEXT_LEN`] - 1 bytes, none of them 0.
    Text(String),
    /// A field of the call.
    Builtin(&'static Builtin),
    /// A `$variable`; none before it is assigned.
    Variable(VariableId),
    /// The number that a map holds for a key; 0 if it has none.
    Map {
        /// A store whose only slot is [`super::SlotKind::Last`] or [`super::SlotKind::Tally`].
        store: StoreId,
        /// The key.
        keys: Vec<Expr>,
    },
    /// One or the other; the side that is not taken is not evaluated.
    Choose {
        /// Of type [`Type::Bool`].
        condition: Box<Expr>,
        /// If it holds.
        then: Box<Expr>,
        /// If it does not.
        otherwise: Box<Expr>,
    },
    /// Minus.
    Negate(Box<Expr>),
    /// Not.
    Not(Box<Expr>),
    /// Arithmetic, comparison or logic.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
}

/// The binary operators. Division by zero gives 0 and the remainder of a division by zero the
/// dividend, as the eBPF instruction set defines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`, signed
    Div,
    /// `%`, signed
    Rem,
    /// `==`. For [`crate::types::Enumeration::Runtime`]: the low byte of both.
    Eq,
    /// `!=`
    Ne,
    /// `<`, signed
    Lt,
    /// `<=`, signed
    Le,
    /// `>`, signed
    Gt,
    /// `>=`, signed
    Ge,
    /// `&&`; the right side is not evaluated when the left one is false.
    And,
    /// `||`; the right side is not evaluated when the left one is true.
    Or,
}

impl Expr {
    /// The expressions that it is made of.
    pub fn parts(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Const(_)
            | ExprKind::Text(_)
            | ExprKind::Variable(_)
            | ExprKind::Builtin(_) => Vec::new(),
            ExprKind::Negate(inner) | ExprKind::Not(inner) => vec![inner],
            ExprKind::Binary(_, left, right) => vec![left, right],
            ExprKind::Map { keys, .. } => keys.iter().collect(),
            ExprKind::Choose {
                condition,
                then,
                otherwise,
            } => vec![condition, then, otherwise],
        }
    }

    /// Whether any builtin that the expression reads satisfies the predicate.
    pub fn reads(&self, predicate: &mut dyn FnMut(&'static Builtin) -> bool) -> bool {
        match &self.kind {
            ExprKind::Builtin(builtin) => predicate(builtin),
            _ => self.parts().into_iter().any(|part| part.reads(predicate)),
        }
    }
}
