//! Conditions over results as text.

use std::fmt;

use crate::ast::Amount;
use crate::plan::{KeyValue, ResultExpr, ResultKind};
use crate::types::Type;

impl fmt::Display for ResultExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ResultKind::Number(Amount::Whole(value)) => super::constant(f, *value, self.ty),
            ResultKind::Number(Amount::Fraction(value)) => write!(f, "{value}"),
            ResultKind::Column(index) => write!(f, "column {index}"),
            ResultKind::Key(index) => write!(f, "key {index}"),
            ResultKind::KeyIs(index, value) => write!(f, "key {index} is {value}"),
            ResultKind::Negate(inner) => write!(f, "-{inner}"),
            ResultKind::Not(inner) => write!(f, "!({inner})"),
            ResultKind::Binary(op, left, right) => write!(f, "({left} {op} {right})"),
        }
    }
}

impl fmt::Display for KeyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyValue::Number(number) => super::constant(f, *number, Type::Int),
            KeyValue::Text(text) => write!(f, "{text:?}"),
        }
    }
}
