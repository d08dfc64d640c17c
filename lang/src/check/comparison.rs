//! Comparisons: what a text or a plain number stands for next to the value that it is compared with.

use crate::ast::BinaryOp;
use crate::builtin::TEXT_LEN;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan;
use crate::span::Span;
use crate::types::{Enumeration, Type};
use crate::wasi::Function;

use super::probe::no_function;
use super::typing::{a, comparison};
use super::value::{Value, binary};
use super::{Checker, glob};

impl Checker<'_> {
    /// `left op right` for a comparison.
    pub(super) fn compare(
        &mut self,
        op: BinaryOp,
        planned: plan::BinaryOp,
        left: Value,
        right: Value,
        span: Span,
    ) -> Option<Value> {
        let (left, right) = match (
            left.text().map(str::to_owned),
            right.text().map(str::to_owned),
        ) {
            (Some(_), Some(_)) => {
                let error = Diagnostic::new(
                    Code::BadText,
                    span,
                    "two texts that are known already are compared",
                );
                self.errors
                    .push(error.help("compare a builtin with a text: `func == \"fd_write\"`"));
                return None;
            }
            (Some(text), None) => {
                let named = self.named(&text, left.span, right.expr.ty, right.span)?;
                (named, right)
            }
            (None, Some(text)) => {
                let named = self.named(&text, right.span, left.expr.ty, left.span)?;
                (left, named)
            }
            (None, None) => adapted(left, right),
        };
        self.report(comparison(op, left.operand(), right.operand()))?;
        Some(Value::new(binary(planned, left, right), Type::Bool, span))
    }

    /// What a text stands for next to a value of a type.
    pub(super) fn named(
        &mut self,
        text: &str,
        span: Span,
        with: Type,
        with_span: Span,
    ) -> Option<Value> {
        let error = match with {
            Type::Enum(Enumeration::Func) => match Function::named(text) {
                Some(function) => {
                    return Some(constant(function.index() as i64, with, span));
                }
                None if glob::is_glob(text) => {
                    Diagnostic::new(Code::BadText, span, "a glob cannot be compared with").help(
                        format!("choose the functions by the probe: `from wasi:{text}`"),
                    )
                }
                None => no_function(span, text, ""),
            },
            Type::Enum(Enumeration::Runtime) => {
                let known = self
                    .environment
                    .runtimes
                    .iter()
                    .position(|name| *name == text);
                match known.and_then(|index| i64::try_from(index).ok()) {
                    Some(index) => return Some(constant(index, with, span)),
                    None => self.no_runtime(span, text),
                }
            }
            Type::Enum(Enumeration::Module) => {
                return self.refused(span, "comparing `module` with a text is");
            }
            Type::Text(_) => match unfit_text(text, span) {
                Some(error) => error,
                None => {
                    let text = plan::ExprKind::Text(text.to_owned());
                    return Some(Value::new(text, with, span));
                }
            },
            Type::Enum(Enumeration::Errno) => Diagnostic::new(
                Code::BadText,
                span,
                "a WASI error number is compared by its name without quotes",
            )
            .help("such as `errno == EBADF`"),
            ty => Diagnostic::new(
                Code::MixedTypes,
                span,
                format!("{} and a text cannot be compared", a(ty)),
            )
            .label("this is a text")
            .also(with_span, format!("this is {}", a(ty))),
        };
        self.errors.push(error);
        None
    }
}

/// Why the kernel cannot keep this text, if so: it keeps names of threads.
pub(super) fn unfit_text(text: &str, span: Span) -> Option<Diagnostic> {
    if text.len() >= TEXT_LEN {
        let message = format!(
            "this text has {} bytes, and the kernel keeps {} of a text",
            text.len(),
            TEXT_LEN - 1
        );
        let error = Diagnostic::new(Code::BadText, span, message);
        return Some(error.help(format!("use its first {} bytes", TEXT_LEN - 1)));
    }
    text.contains('\0')
        .then(|| Diagnostic::new(Code::BadText, span, "a text contains no `\\0` here"))
}

fn constant(value: i64, ty: Type, span: Span) -> Value {
    Value::new(plan::ExprKind::Const(value), ty, span)
}

/// A plain number that is compared with an errno is an errno; a 0 that is compared with anything has its unit.
pub(super) fn adapted(mut left: Value, mut right: Value) -> (Value, Value) {
    adapt(&mut left, right.expr.ty);
    adapt(&mut right, left.expr.ty);
    (left, right)
}

pub(super) fn adapt(value: &mut Value, with: Type) {
    let errno = with == Type::Enum(Enumeration::Errno) && value.is_constant();
    let zero = matches!(with, Type::Time | Type::Size) && value.operand().is_zero();
    if value.expr.ty == Type::Int && (errno || zero) {
        value.expr.ty = with;
    }
}
