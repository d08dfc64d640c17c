//! What the rows of a table are made of.

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::types::Type;

use super::Checker;
use super::name::did_you_mean;

/// A table's keys and columns. The type is none for those that have errors.
pub(super) struct Shape {
    /// The name of the table.
    pub(super) name: String,
    /// The index of the table in the plan; none if it has errors.
    pub(super) index: Option<usize>,
    /// Headings and types of the keys.
    pub(super) keys: Vec<(String, Option<Type>)>,
    /// Names and types of the columns.
    pub(super) columns: Vec<(String, Option<Type>)>,
}

/// A part of a row: its index and type.
pub(super) enum Part {
    /// A column.
    Column(usize, Option<Type>),
    /// A key.
    Key(usize, Option<Type>),
}

impl Shape {
    /// The column, else the key of this name.
    pub(super) fn part(&self, name: &str) -> Option<Part> {
        let find = |parts: &[(String, Option<Type>)]| {
            let index = parts.iter().position(|(known, _)| known == name)?;
            Some((index, parts[index].1))
        };
        find(&self.columns)
            .map(|(index, ty)| Part::Column(index, ty))
            .or_else(|| find(&self.keys).map(|(index, ty)| Part::Key(index, ty)))
    }

    /// Whether all of it is known.
    pub(super) fn has_types(&self) -> bool {
        self.columns
            .iter()
            .chain(&self.keys)
            .all(|(_, ty)| ty.is_some())
    }

    /// The names of all columns, then those of the keys.
    pub(super) fn parts(&self) -> impl Iterator<Item = &str> {
        let parts = self.columns.iter().chain(&self.keys);
        parts.map(|(name, _)| name.as_str())
    }
}

impl Checker<'_> {
    /// Reports that a table has neither column nor key of this name.
    pub(super) fn no_such_part(&mut self, shape: &Shape, name: &str, place: Span) {
        let message = format!("the table `{}` has no column `{name}`", shape.name);
        let error = Diagnostic::new(Code::UnknownColumn, place, message);
        let error = did_you_mean(error, name, shape.parts());
        let known: Vec<&str> = shape.parts().collect();
        self.errors
            .push(error.help(format!("it has {}", known.join(", "))));
    }
}
