//! Values that have to be known before the script runs.

use crate::ast::{self, Amount, Arg, Number};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::types::Type;

use super::Checker;
use super::name::Meaning;
use super::param::Constant;

impl Checker<'_> {
    /// The second argument of `quantile`.
    pub(super) fn share(&mut self, arg: &Arg) -> Option<f64> {
        let constant = self.constant(&arg.value)?;
        let share = match constant {
            Some(Constant::Number(Number {
                amount: Amount::Whole(value),
                ty: Type::Int,
            })) => Some(value as f64),
            Some(Constant::Number(Number {
                amount: Amount::Fraction(value),
                ..
            })) => Some(value),
            _ => None,
        };
        match share {
            Some(share) if (0.0..=1.0).contains(&share) => Some(share),
            Some(_) => {
                let error = Diagnostic::new(
                    Code::BadArgument,
                    arg.value.span,
                    "a quantile is a share from 0 to 1",
                );
                self.errors.push(error.help("three quarters are `0.75`"));
                None
            }
            None => {
                let error = Diagnostic::new(
                    Code::NotConstant,
                    arg.value.span,
                    "the share of a quantile has to be a number",
                );
                self.errors
                    .push(error.help("write it out, such as `0.75`, or use a `param`"));
                None
            }
        }
    }

    /// A value that is known before the script runs; none inside if it is not.
    pub(super) fn constant(&mut self, expr: &ast::Expr) -> Option<Option<Constant>> {
        Some(match &expr.kind {
            ast::ExprKind::Name(name) => match self.resolve(name, expr.span)? {
                Meaning::Constant(constant) => Some(constant),
                Meaning::Builtin(_) | Meaning::Errno(_) | Meaning::Value(_) => None,
            },
            ast::ExprKind::Positional(name) => Some(self.positional(name)),
            ast::ExprKind::Call { .. } => self.text_of(expr).map(Constant::Text),
            _ => Constant::literal(expr),
        })
    }
}
