//! The tree as text, for `--emit ast`: each place stands before what is there, on its line.

use std::fmt;

use super::{Amount, Check, Expr, ExprKind, Name, Number, Script, Statement, Text};
use crate::types::Type;

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#?}")
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} `{}`", self.span, self.text)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}", self.span, self.value)
    }
}

/// Without how the condition was written: it is there as a tree.
impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("text", &self.text)
            .field("condition", &self.condition)
            .field("span", &self.span)
            .finish()
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ", self.span)?;
        self.kind.fmt(f)
    }
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ", self.span)?;
        match &self.kind {
            ExprKind::Name(name) => write!(f, "Name `{name}`"),
            ExprKind::Variable(name) | ExprKind::Map(name) | ExprKind::Positional(name) => {
                write!(f, "{name}")
            }
            ExprKind::Text(text) => write!(f, "{text:?}"),
            ExprKind::Number(number) => number.fmt(f),
            kind => kind.fmt(f),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.amount {
            Amount::Whole(value) if self.ty == Type::Unsigned => {
                write!(f, "{} ({})", value.cast_unsigned(), self.ty)
            }
            Amount::Whole(value) => write!(f, "{value} ({})", self.ty),
            Amount::Fraction(value) => write!(f, "{value} ({})", self.ty),
        }
    }
}
