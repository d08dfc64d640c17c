//! `$1`, `$2` and `$#`: what the command line gives without names.

use crate::ast::{Amount, Number};
use crate::parse::literal;
use crate::types::Type;

use super::Checker;
use super::param::Constant;

impl Checker<'_> {
    /// `$1`: a number if it looks like one, else a text; 0 if it is not given. `$#`: how many there are.
    pub(super) fn positional(&self, name: &str) -> Constant {
        let arguments = self.environment.arguments;
        if name == "$#" {
            return number(i64::try_from(arguments.len()).unwrap_or(i64::MAX));
        }
        match self.given(name) {
            None => number(0),
            Some(text) => written(text).unwrap_or_else(|| Constant::Text(text.to_owned())),
        }
    }

    /// `str($1)`: the text, empty if it is not given.
    pub(super) fn positional_text(&self, name: &str) -> String {
        match (name, self.given(name)) {
            ("$#", _) => self.environment.arguments.len().to_string(),
            (_, text) => text.unwrap_or_default().to_owned(),
        }
    }

    fn given(&self, name: &str) -> Option<&str> {
        let index: usize = name.strip_prefix('$')?.parse().ok()?;
        self.environment
            .arguments
            .get(index.checked_sub(1)?)
            .copied()
    }
}

fn number(value: i64) -> Constant {
    Constant::Number(Number {
        amount: Amount::Whole(value),
        ty: Type::Int,
    })
}

/// The number that a text is, with its unit.
fn written(text: &str) -> Option<Constant> {
    let digits = text.strip_prefix('-');
    let number = literal::number(digits.unwrap_or(text)).ok()?;
    Some(Constant::Number(match digits {
        Some(_) => super::param::negated(number),
        None => number,
    }))
}
