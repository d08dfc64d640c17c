//! Conditions over results: what `having` says of a row and `check` of tables.

use crate::ast::{self, Amount, BinaryOp, ExprKind, Number, UnaryOp};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{KeyValue, ResultExpr, ResultKind};
use crate::span::Span;
use crate::types::{Enumeration, Type};

use super::Checker;
use super::aggregate;
use super::name::{Meaning, looks_like_errno};
use super::param::Constant;
use super::shape::{Part, Shape};
use super::typing::{Operand, a, arithmetic, comparison, numeric};
use super::value::operator;

/// What the names in a condition over results stand for.
pub(super) enum Scope<'a> {
    /// The columns and keys of one row of a table.
    Row(&'a Shape),
    /// All tables, and what is known of the run.
    Run {
        /// The tables.
        tables: &'a [Shape],
        /// The one that the condition looks at row by row, once it does, and where.
        rows_of: Option<(usize, Span)>,
    },
}

/// An expression over results whose type is known.
pub(super) struct Found {
    pub(super) expr: ResultExpr,
    pub(super) span: Span,
    literal: Option<Amount>,
}

impl Found {
    pub(super) fn new(kind: ResultKind, ty: Type, span: Span) -> Found {
        Found {
            expr: ResultExpr { kind, ty },
            span,
            literal: None,
        }
    }

    fn operand(&self) -> Operand {
        Operand {
            ty: self.expr.ty,
            span: self.span,
            literal: self.literal,
        }
    }
}

impl Checker<'_> {
    /// A condition over results.
    pub(super) fn result_condition(
        &mut self,
        expr: &ast::Expr,
        scope: &mut Scope,
    ) -> Option<ResultExpr> {
        let found = self.result(expr, scope)?;
        self.result_truth(found).map(|found| found.expr)
    }

    /// A map in a condition over results: a check can look at one.
    fn map_in_result(
        &mut self,
        name: &str,
        keys: &[ast::Expr],
        place: Span,
        scope: &Scope,
    ) -> Option<Found> {
        if let Scope::Run { .. } = scope {
            return self.entry(name, keys, place);
        }
        self.not_yet_but(
            place,
            &format!("the map `{name}` in a `having` is"),
            "a `having` looks at the columns of its own row",
        );
        None
    }

    fn result(&mut self, expr: &ast::Expr, scope: &mut Scope) -> Option<Found> {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Number(number) => {
                let literal = (number.ty == Type::Int).then_some(number.amount);
                Some(Found {
                    literal,
                    ..number_found(*number, span)
                })
            }
            ExprKind::Text(_) => {
                let message = "a text can only be compared with a key, by `==` or `!=`";
                let error = Diagnostic::new(Code::BadText, span, message);
                self.errors
                    .push(error.help("such as `func == \"fd_write\"`"));
                None
            }
            ExprKind::Name(name) => match scope {
                Scope::Row(shape) => self.row_name(name, span, shape),
                Scope::Run { tables, .. } => self.run_name(name, span, tables),
            },
            ExprKind::Field(of, field) => self.field(expr, of, field, scope),
            ExprKind::Map(name) => self.map_in_result(name, &[], span, scope),
            ExprKind::Index(of, keys) if let ExprKind::Map(name) = &of.kind => {
                self.map_in_result(name, keys, span, scope)
            }
            ExprKind::Index(of, _) if matches!(&of.kind, ExprKind::Name(_)) => {
                let message = "this is a row of a table, and not one of its columns";
                let error = Diagnostic::new(Code::NotANumber, span, message);
                self.errors
                    .push(error.help("name a column of it, such as `.calls`"));
                None
            }
            ExprKind::Call { function, .. } => {
                self.result_call(function, span);
                None
            }
            ExprKind::Unary(UnaryOp::Negate, inner) => {
                let inner = self.result(inner, scope)?;
                self.report(numeric(inner.operand()))?;
                let ty = inner.expr.ty;
                let kind = ResultKind::Negate(Box::new(inner.expr));
                Some(Found::new(kind, ty, span))
            }
            ExprKind::Unary(UnaryOp::Not, inner) => {
                let inner = self.result(inner, scope)?;
                let inner = self.result_truth(inner)?;
                let kind = ResultKind::Not(Box::new(inner.expr));
                Some(Found::new(kind, Type::Bool, span))
            }
            ExprKind::Binary(op, left, right) => self.result_binary(*op, left, right, expr, scope),
            _ => self.refuse_expr(expr),
        }
    }

    fn result_binary(
        &mut self,
        op: BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        whole: &ast::Expr,
        scope: &mut Scope,
    ) -> Option<Found> {
        let Some(planned) = operator(op) else {
            return self.refuse_expr(whole);
        };
        if matches!(op, BinaryOp::Eq | BinaryOp::Ne) {
            match (self.text_of(left), self.text_of(right)) {
                (None, Some(text)) => return self.key_is(op, left, &text, right.span, scope),
                (Some(text), None) => return self.key_is(op, right, &text, left.span, scope),
                _ => {}
            }
        }
        // Both sides are checked before either can end the check: each may have errors.
        let (mut left, mut right) = (self.result(left, scope), self.result(right, scope));
        if matches!(op, BinaryOp::And | BinaryOp::Or) {
            left = left.and_then(|left| self.result_truth(left));
            right = right.and_then(|right| self.result_truth(right));
        }
        let (mut left, mut right) = (left?, right?);
        let ty = match op {
            BinaryOp::And | BinaryOp::Or => Type::Bool,
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem => {
                self.report(arithmetic(op, left.operand(), right.operand()))?
            }
            _ => {
                adapt(&mut left, right.expr.ty);
                adapt(&mut right, left.expr.ty);
                self.report(comparison(op, left.operand(), right.operand()))?;
                Type::Bool
            }
        };
        let kind = ResultKind::Binary(planned, Box::new(left.expr), Box::new(right.expr));
        Some(Found::new(kind, ty, whole.span))
    }

    /// A key compared with a text.
    fn key_is(
        &mut self,
        op: BinaryOp,
        key: &ast::Expr,
        text: &str,
        place: Span,
        scope: &mut Scope,
    ) -> Option<Found> {
        let found = self.result(key, scope)?;
        let ty = found.expr.ty;
        let ResultKind::Key(index) = found.expr.kind else {
            let message = format!("{} and a text cannot be compared", a(ty));
            let error = Diagnostic::new(Code::MixedTypes, place, message).label("this is a text");
            self.errors
                .push(error.also(found.span, format!("this is {}", a(ty))));
            return None;
        };
        let value: KeyValue = self.key_named(text, ty, place)?;
        let span = found.span.to(place);
        let kind = ResultKind::KeyIs {
            key: index,
            value,
            equal: op == BinaryOp::Eq,
        };
        Some(Found::new(kind, Type::Bool, span))
    }

    /// A name in a `having`.
    fn row_name(&mut self, name: &str, span: Span, shape: &Shape) -> Option<Found> {
        if let Some(part) = shape.part(name) {
            let (kind, ty) = match part {
                Part::Column(index, ty) => (ResultKind::Column(index), ty),
                Part::Key(index, ty) => (ResultKind::Key(index), ty),
            };
            // A column with an error of its own has no type.
            return Some(Found::new(kind, ty?, span));
        }
        if self.is_constant(name) {
            return self.result_constant(name, span);
        }
        let Some(builtin) = crate::builtin::builtin(name) else {
            self.no_such_part(shape, name, span);
            return None;
        };
        let message = format!(
            "`{name}` is {} of one call, and `{}` has no column or key of this name",
            a(builtin.ty),
            shape.name
        );
        let error = Diagnostic::new(Code::BareBuiltin, span, message);
        self.errors.push(error.help(format!(
            "`having` decides about rows by their columns and keys: {}",
            shape.parts().collect::<Vec<_>>().join(", ")
        )));
        None
    }

    /// Whether a name can only mean something that is known before the script runs.
    pub(super) fn is_constant(&self, name: &str) -> bool {
        self.params.value(name).is_some() || looks_like_errno(name)
    }

    /// The value of a parameter or an error number.
    pub(super) fn result_constant(&mut self, name: &str, span: Span) -> Option<Found> {
        match self.resolve(name, span)? {
            Meaning::Constant(Constant::Number(number)) => Some(number_found(number, span)),
            Meaning::Constant(Constant::Text(_)) => {
                let message = "a text can only be compared with a key, by `==` or `!=`";
                self.errors
                    .push(Diagnostic::new(Code::BadText, span, message));
                None
            }
            Meaning::Errno(number) => Some(Found::new(
                ResultKind::Number(Amount::Whole(number)),
                Type::Enum(Enumeration::Errno),
                span,
            )),
            Meaning::Builtin(_) | Meaning::Value(_) => None,
        }
    }

    fn result_call(&mut self, function: &ast::Name, place: Span) {
        if !aggregate::is_aggregate(&function.text) {
            return self.no_aggregate(function);
        }
        let message = format!(
            "`{}()` is over calls, and this is a condition over columns",
            function.text
        );
        self.errors.push(
            Diagnostic::new(Code::MisplacedAggregate, place, message)
                .help("make it a column, and use its name here"),
        );
    }

    fn result_truth(&mut self, found: Found) -> Option<Found> {
        if found.expr.ty == Type::Bool {
            return Some(found);
        }
        let message = format!("this is {}, not a condition", a(found.expr.ty));
        let error = Diagnostic::new(Code::NotACondition, found.span, message);
        self.errors
            .push(error.help("compare it, such as with `> 0`"));
        None
    }
}

fn number_found(number: Number, span: Span) -> Found {
    let amount = match number.amount {
        Amount::Whole(value) if number.ty == Type::Unsigned => {
            Amount::Fraction(value.cast_unsigned() as f64)
        }
        amount => amount,
    };
    Found::new(ResultKind::Number(amount), number.ty, span)
}

/// A plain number that is compared with an errno is an errno; a 0 that is compared with anything has its unit.
fn adapt(found: &mut Found, with: Type) {
    let errno = with == Type::Enum(Enumeration::Errno)
        && matches!(found.expr.kind, ResultKind::Number(Amount::Whole(_)));
    let zero = matches!(with, Type::Time | Type::Size) && found.operand().is_zero();
    if found.expr.ty == Type::Int && (errno || zero) {
        found.expr.ty = with;
    }
}
