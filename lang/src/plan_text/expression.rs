//! Expressions of the kernel as text.

use std::fmt;

use super::list;
use crate::errno;
use crate::plan::{BinaryOp, Expr, ExprKind};
use crate::types::{Enumeration, Type};
use crate::wasi::Function;

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Const(value) => constant(f, *value, self.ty),
            ExprKind::Text(text) => write!(f, "{text:?}"),
            ExprKind::Builtin(builtin) => f.write_str(builtin.name),
            ExprKind::Variable(variable) => write!(f, "${}", variable.0),
            ExprKind::Map { store, keys } => write!(f, "store {}{}", store.0, list(keys)),
            ExprKind::Choose {
                condition,
                then,
                otherwise,
            } => write!(f, "({condition} ? {then} : {otherwise})"),
            ExprKind::Negate(inner) => write!(f, "-{inner}"),
            ExprKind::Not(inner) => write!(f, "!{inner}"),
            ExprKind::Binary(op, left, right) => write!(f, "({left} {op} {right})"),
        }
    }
}

pub(super) fn constant(f: &mut fmt::Formatter<'_>, value: i64, ty: Type) -> fmt::Result {
    match ty {
        Type::Time => write!(f, "{value}ns"),
        Type::Size => write!(f, "{value}B"),
        Type::Enum(Enumeration::Errno) => match errno::name(value) {
            Some(name) => write!(f, "E{name}"),
            None => write!(f, "errno {value}"),
        },
        Type::Enum(Enumeration::Func) => {
            match usize::try_from(value).ok().and_then(Function::from_index) {
                Some(function) => write!(f, "{function}"),
                None => write!(f, "function {value}"),
            }
        }
        Type::Enum(Enumeration::Runtime) => write!(f, "runtime {value}"),
        _ => write!(f, "{value}"),
    }
}

impl fmt::Display for BinaryOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Rem => "%",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::And => "&&",
            BinaryOp::Or => "||",
        })
    }
}
