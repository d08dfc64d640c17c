//! Conditions over results as text.

use std::fmt;

use crate::ast::Amount;
use crate::plan::{Cell, Check, Entry, KeyValue, ResultExpr, ResultKind, RunValue};
use crate::types::Type;

impl fmt::Display for ResultExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ResultKind::Number(Amount::Whole(value)) => {
                super::expression::constant(f, *value, self.ty)
            }
            ResultKind::Number(Amount::Fraction(value)) => write!(f, "{value}"),
            ResultKind::Column(index) => write!(f, "column {index}"),
            ResultKind::Key(index) => write!(f, "key {index}"),
            ResultKind::KeyIs { key, value, equal } => {
                let op = if *equal { "is" } else { "is not" };
                write!(f, "key {key} {op} {value}")
            }
            ResultKind::Cell(Cell {
                table,
                keys,
                column,
            }) => {
                let keys: Vec<String> = keys.iter().map(KeyValue::to_string).collect();
                write!(f, "column {column} of table {table}[{}]", keys.join(", "))
            }
            ResultKind::Entry(Entry { map, keys }) => {
                let keys: Vec<String> = keys.iter().map(KeyValue::to_string).collect();
                write!(f, "map {map}[{}]", keys.join(", "))
            }
            ResultKind::Run(value) => {
                match RunValue::ALL.iter().find(|(_, known, _)| known == value) {
                    Some((name, ..)) => f.write_str(name),
                    None => write!(f, "{value:?}"),
                }
            }
            ResultKind::Negate(inner) => write!(f, "-{inner}"),
            ResultKind::Not(inner) => write!(f, "!({inner})"),
            ResultKind::Binary(op, left, right) => write!(f, "({left} {op} {right})"),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "check {:?} {}", self.text, self.condition)?;
        self.rows_of
            .map_or(Ok(()), |table| write!(f, " for each row of table {table}"))
    }
}

impl fmt::Display for KeyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyValue::Number(number) => super::expression::constant(f, *number, Type::Int),
            KeyValue::Text(text) => write!(f, "{text:?}"),
        }
    }
}
