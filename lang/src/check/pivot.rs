//! `pivot`: the values of a key side by side.

use crate::ast::{self, ClauseKind, Text};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::parse::literal;
use crate::plan::{Baseline, KeyValue, Pivot, SortBy};
use crate::types::Type;

use super::Checker;
use super::clause::Clauses;
use super::shape::Shape;

impl Checker<'_> {
    /// What a table is pivoted by.
    pub(super) fn pivot(
        &mut self,
        key: &ast::Key,
        baseline: Option<&Text>,
        shape: &Shape,
        clauses: &Clauses,
    ) -> Option<Pivot> {
        let index = shape.keys.iter().position(|(text, _)| *text == key.text)?;
        let baseline = match baseline {
            Some(text) => Some(self.baseline(text, shape.keys[index].1?, shape, clauses)?),
            None => None,
        };
        Some(Pivot {
            key: index,
            baseline,
        })
    }

    fn baseline(
        &mut self,
        text: &Text,
        ty: Type,
        shape: &Shape,
        clauses: &Clauses,
    ) -> Option<Baseline> {
        let number = literal::number(&text.value)
            .ok()
            .filter(|number| number.ty == ty);
        let value = match number.map(|number| number.amount) {
            Some(ast::Amount::Whole(number)) => KeyValue::Number(number),
            _ => self.key_named(&text.value, ty, text.span)?,
        };
        let sorted = clauses.sort.and_then(|sort| match sort.by {
            SortBy::Column(column) => Some(column),
            SortBy::Key(_) => None,
        });
        let mut types = shape.columns.iter().map(|(_, ty)| *ty);
        let time = types.position(|ty| ty == Some(Type::Time));
        Some(Baseline {
            name: text.value.clone(),
            value,
            ratio_of: sorted.or(time).unwrap_or(0),
        })
    }

    /// Lines have no value of the pivoted key to be sorted by.
    pub(super) fn check_sort(&mut self, table: &ast::Table, shape: &Shape, clauses: &Clauses) {
        let (Some(pivot), Some(sort)) = (&clauses.pivot, clauses.sort) else {
            return;
        };
        if sort.by != SortBy::Key(pivot.key) {
            return;
        }
        for clause in &table.clauses {
            if let ClauseKind::Sort { by, .. } = &clause.kind {
                let message = format!("the rows have no `{}`: it is pivoted", by.text);
                let error = Diagnostic::new(Code::UnknownColumn, by.span, message);
                let others = shape.parts().filter(|part| *part != by.text);
                let others: Vec<&str> = others.collect();
                self.errors.push(error.help(format!(
                    "they can be sorted by {}; the groups of columns are in the order of their names",
                    others.join(", ")
                )));
            }
        }
    }
}
