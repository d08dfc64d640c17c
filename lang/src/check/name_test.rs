//! Questions about names that are known only while the script runs: those of modules, probes and the functions
//! that probes are in. User space answers them for each name, and the kernel looks the answer up.

use crate::ast::BinaryOp;
use crate::plan::{self, Expr, NameTest, Wanted};
use crate::span::Span;
use crate::types::{Enumeration, Type};

use super::Checker;
use super::value::Value;

/// What has such a name, if values of a type have one.
pub(super) fn named_later(ty: Type) -> Option<Enumeration> {
    match ty {
        Type::Enum(
            of @ (Enumeration::Module | Enumeration::Probe | Enumeration::ProbeFunction),
        ) => Some(of),
        _ => None,
    }
}

impl Checker<'_> {
    /// Whether the name of a value is what is wanted.
    pub(super) fn name_test(&mut self, value: Expr, wanted: Wanted, span: Span) -> Option<Expr> {
        let of = named_later(value.ty)?;
        let test = NameTest { of, wanted };
        let known = self.tests.iter().position(|known| *known == test);
        let index = known.unwrap_or(self.tests.len());
        if index == NameTest::MOST {
            let message = format!(
                "a script compares modules and probes with at most {} texts",
                NameTest::MOST
            );
            self.too_many(span, message);
            return None;
        }
        if known.is_none() {
            self.tests.push(test);
        }
        let kind = plan::ExprKind::Named {
            value: Box::new(value),
            test: index,
        };
        let ty = Type::Bool;
        Some(Expr { kind, ty })
    }

    /// `module == "app.wasm"`
    pub(super) fn compared_name(
        &mut self,
        op: BinaryOp,
        value: Value,
        wanted: Wanted,
        span: Span,
    ) -> Option<Value> {
        let test = self.name_test(value.expr.clone(), wanted, span)?;
        let kind = match op {
            BinaryOp::Eq => test.kind,
            BinaryOp::Ne => other_name(value.expr, test),
            _ => return None,
        };
        Some(Value::new(kind, Type::Bool, span))
    }
}

/// That there is a name, and it is another one: what is none is not different.
fn other_name(value: Expr, test: Expr) -> plan::ExprKind {
    let ty = Type::Bool;
    let not = |inner: Expr| {
        let kind = plan::ExprKind::Not(Box::new(inner));
        Box::new(Expr { kind, ty })
    };
    let kind = plan::ExprKind::IsNone(Box::new(value));
    let is_none = Expr { kind, ty };
    plan::ExprKind::Binary(plan::BinaryOp::And, not(is_none), not(test))
}
