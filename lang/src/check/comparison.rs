//! Comparisons: what a text or a plain number stands for next to the value that it is compared with.

use crate::ast::BinaryOp;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::linux;
use crate::plan::{self, Phase, Wanted};
use crate::span::Span;
use crate::types::{Enumeration, Type};
use crate::wasi::Function;

use super::name::did_you_mean;
use super::name_test::named_later;
use super::number::{counted, reconcile};
use super::probe::no_function;
use super::text;
use super::typing::{a, comparison, is_errno, is_plain};
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
            (Some(one), Some(other)) if matches!(op, BinaryOp::Eq | BinaryOp::Ne) => {
                let holds = (one == other) == (op == BinaryOp::Eq);
                return Some(constant(i64::from(holds), Type::Bool, span));
            }
            (Some(_), Some(_)) => (left, right),
            (Some(text), None) => {
                if let Some(value) = none(op, &text, &right, span) {
                    return Some(value);
                }
                if named_later(right.expr.ty).is_some() && is_equality(op) {
                    return self.compared_name(op, right, Wanted::Whole(text), span);
                }
                let named = self.compared_text(&text, left, &right)?;
                (named, right)
            }
            (None, Some(text)) => {
                if let Some(value) = none(op, &text, &left, span) {
                    return Some(value);
                }
                if named_later(left.expr.ty).is_some() && is_equality(op) {
                    return self.compared_name(op, left, Wanted::Whole(text), span);
                }
                let named = self.compared_text(&text, right, &left)?;
                (left, named)
            }
            (None, None) => adapted(left, right),
        };
        let (left, right) = self.alike(left, right);
        if let Some(value) = same_or_not(op, &left, &right, span) {
            return Some(value);
        }
        self.report(comparison(op, left.operand(), right.operand()))?;
        Some(Value::new(binary(planned, left, right), Type::Bool, span))
    }

    /// A text that is compared with a value. What the kernel keeps whole may be shorter than the text; what
    /// a script keeps has the room that it needs.
    fn compared_text(&mut self, text: &str, value: Value, with: &Value) -> Option<Value> {
        let is_kept = !matches!(
            with.expr.kind,
            plan::ExprKind::Builtin(_) | plan::ExprKind::Kernel(_)
        );
        if is_kept && with.expr.ty.is_text() {
            return Some(value);
        }
        self.named(text, value.span, with.expr.ty, with.span)
    }

    /// In a block conditions are compared as the numbers that they are in bpftrace.
    fn alike(&self, left: Value, right: Value) -> (Value, Value) {
        let (mut left, mut right) = if self.scope.is_some() {
            (counted(left), counted(right))
        } else {
            (left, right)
        };
        reconcile(&mut left, &mut right);
        (left, right)
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
            Type::Enum(Enumeration::Module | Enumeration::Probe | Enumeration::ProbeFunction) => {
                let message = format!("{} is not less or more than another", a(with));
                Diagnostic::new(Code::NotANumber, with_span.to(span), message)
                    .help("compare with `==` or `!=`")
            }
            Type::Enum(Enumeration::Syscall) => match linux::syscall_number(text) {
                Some(number) => return Some(constant(i64::from(number), with, span)),
                None => {
                    let error = Diagnostic::new(
                        Code::BadText,
                        span,
                        format!("no system call is called `{text}`"),
                    );
                    did_you_mean(error, text, linux::nearest_syscall(text))
                }
            },
            Type::Enum(Enumeration::Phase) => {
                match Phase::ALL.iter().position(|phase| phase.name() == text) {
                    Some(index) => return Some(constant(index as i64, with, span)),
                    None => {
                        let names = Phase::ALL.iter().map(|phase| phase.name());
                        let error = Diagnostic::new(
                            Code::BadText,
                            span,
                            format!("no phase is called `{text}`"),
                        );
                        did_you_mean(error, text, names)
                            .help("the phases are exec, start, first_wasi and exit")
                    }
                }
            }
            Type::Enum(Enumeration::LinuxErrno) => Diagnostic::new(
                Code::BadText,
                span,
                "an error number is compared by its name without quotes",
            )
            .help("such as `errno == ENOENT`"),
            Type::Text(room) => match unfit_text(text, room, span) {
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

fn is_equality(op: BinaryOp) -> bool {
    matches!(op, BinaryOp::Eq | BinaryOp::Ne)
}

/// Why what has so much room cannot be this text, if so.
pub(super) fn unfit_text(text: &str, room: u16, span: Span) -> Option<Diagnostic> {
    let most = usize::from(room).saturating_sub(1);
    if text.len() > most {
        let message = format!(
            "this text has {} bytes, and the kernel keeps {most} of a text",
            text.len()
        );
        let error = Diagnostic::new(Code::BadText, span, message);
        return Some(error.help(format!("use its first {most} bytes")));
    }
    text.contains('\0')
        .then(|| Diagnostic::new(Code::BadText, span, "a text contains no `\\0` here"))
}

/// `wasi_func != ""`: whether there is a value.
fn none(op: BinaryOp, text: &str, value: &Value, span: Span) -> Option<Value> {
    if !text.is_empty() || !matches!(value.expr.ty, Type::Enum(_)) {
        return None;
    }
    let is_none = plan::Expr {
        kind: plan::ExprKind::IsNone(Box::new(value.expr.clone())),
        ty: Type::Bool,
    };
    let kind = match op {
        BinaryOp::Eq => is_none.kind,
        BinaryOp::Ne => plan::ExprKind::Not(Box::new(is_none)),
        _ => return None,
    };
    Some(Value::new(kind, Type::Bool, span))
}

/// `strncmp(…) == 0` and `!= 0`: whether the texts are the same.
fn same_or_not(op: BinaryOp, left: &Value, right: &Value, span: Span) -> Option<Value> {
    let (same, number) = match (text::same(left), text::same(right)) {
        (Some(same), None) => (same, right),
        (None, Some(same)) => (same, left),
        _ => return None,
    };
    if !matches!(number.expr.kind, plan::ExprKind::Const(0)) {
        return None;
    }
    let kind = match op {
        BinaryOp::Eq => same.kind,
        BinaryOp::Ne => plan::ExprKind::Not(Box::new(same)),
        _ => return None,
    };
    Some(Value::new(kind, Type::Bool, span))
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
    if !value.is_constant() {
        return;
    }
    let zero = matches!(with, Type::Time | Type::Size) && value.operand().is_zero();
    if value.expr.ty == Type::Int && (is_errno(with) || zero) {
        value.expr.ty = with;
    }
    // An error number is a number like any other next to what is no error number.
    if value.expr.ty == Type::Enum(Enumeration::LinuxErrno) && is_plain(with) {
        value.expr.ty = with;
    }
}
