//! Expressions of the kernel as text.

use std::fmt;

use super::list;
use crate::errno;
use crate::plan::{BinaryOp, Expr, ExprKind};
use crate::types::{Enumeration, Space, Type};
use crate::wasi::Function;

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Const(value) => constant(f, *value, self.ty),
            ExprKind::Text(text) => write!(f, "{text:?}"),
            ExprKind::Builtin(builtin) => f.write_str(builtin.field),
            ExprKind::Kernel(value) => write!(f, "{value:?}"),
            ExprKind::Context {
                offset,
                size,
                signed,
            } => write!(f, "context[{offset}]{}", width(*size, *signed)),
            ExprKind::ContextAddress { offset, indirect } => {
                write!(f, "&context[{}{offset}]", if *indirect { "*" } else { "" })
            }
            ExprKind::Read {
                address,
                size,
                signed,
                space,
            } => write!(f, "*{space:?}({address}){}", width(*size, *signed)),
            ExprKind::ReadText {
                address,
                length,
                space,
            } => read(f, "text", address, length.as_deref(), *space),
            ExprKind::ReadBytes {
                address,
                length,
                space,
            } => read(f, "bytes", address, length.as_deref(), *space),
            ExprKind::Stack => write!(f, "{:?}", self.ty),
            ExprKind::Symbol(address) => write!(f, "symbol({address})"),
            ExprKind::Cast {
                value,
                bytes,
                signed,
            } => write!(f, "({value}){}", width(*bytes, *signed)),
            ExprKind::BitNot(inner) => write!(f, "~{inner}"),
            ExprKind::SamePrefix { left, right, bytes } => {
                write!(f, "({left} begins as {right} for {bytes}B)")
            }
            ExprKind::Contains { text, part } => write!(f, "({text} contains {part:?})"),
            ExprKind::Named { value, test } => write!(f, "({value} passes test {test})"),
            ExprKind::Length(inner) => write!(f, "length({inner})"),
            ExprKind::TextBytes { text, bytes } => write!(f, "bytes({text}, {bytes})"),
            ExprKind::Depth(stack) => write!(f, "depth({:?})", Type::Stack(*stack)),
            ExprKind::Rows(store) => write!(f, "rows(store {})", store.0),
            ExprKind::IsNone(inner) => write!(f, "({inner} is none)"),
            ExprKind::HasKey { store, keys } => {
                write!(f, "store {} has {}", store.0, list(keys))
            }
            ExprKind::Variable(variable) => write!(f, "${}", variable.0),
            ExprKind::Map { store, slot, keys } => {
                write!(f, "store {}{}", store.0, list(keys))?;
                match slot.0 {
                    0 => Ok(()),
                    slot => write!(f, ".{slot}"),
                }
            }
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

fn width(bytes: u8, signed: bool) -> String {
    format!(
        ":{}{}",
        if signed { "i" } else { "u" },
        u32::from(bytes) * 8
    )
}

fn read(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    address: &Expr,
    length: Option<&Expr>,
    space: Space,
) -> fmt::Result {
    write!(f, "{what} at {space:?}({address})")?;
    length.map_or(Ok(()), |length| write!(f, " of {length}"))
}

pub(super) fn constant(f: &mut fmt::Formatter<'_>, value: i64, ty: Type) -> fmt::Result {
    match ty {
        Type::Time => write!(f, "{value}ns"),
        Type::Size => write!(f, "{value}B"),
        Type::Unsigned => write!(f, "{}", value.cast_unsigned()),
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
            BinaryOp::BitAnd => "&",
            BinaryOp::BitOr => "|",
            BinaryOp::BitXor => "^",
            BinaryOp::Shl => "<<",
            BinaryOp::Shr => ">>",
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
