//! The rules of types: which may be combined, and what comes out. They hold for the values of a call
//! and for columns alike.

use crate::ast::{Amount, BinaryOp};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::types::{Enumeration, Type};

/// What a rule finds: a type, or what is wrong. The error is boxed because it is large.
pub(super) type Checked<T> = Result<T, Box<Diagnostic>>;

/// What is known of an operand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operand {
    /// Its type.
    pub(super) ty: Type,
    /// Where it is.
    pub(super) span: Span,
    /// Its value, if it is a plain number that was written out.
    pub(super) literal: Option<Amount>,
}

impl Operand {
    /// The 0 that goes with every unit: `duration > 0` needs none.
    pub(super) fn is_zero(&self) -> bool {
        self.literal == Some(Amount::Whole(0))
    }
}

/// The type with its article.
pub(super) fn a(ty: Type) -> String {
    let article = if is_errno(ty) { "an" } else { "a" };
    format!("{article} {ty}")
}

/// Whether values of the type can be added and compared by size.
pub(super) fn is_numeric(ty: Type) -> bool {
    is_plain(ty) || matches!(ty, Type::Time | Type::Size)
}

/// Whether values of the type are numbers without a unit.
pub(super) fn is_plain(ty: Type) -> bool {
    matches!(ty, Type::Int | Type::Unsigned)
}

/// Whether values of the type are the error numbers of WASI or of Linux.
pub(super) fn is_errno(ty: Type) -> bool {
    matches!(ty, Type::Enum(Enumeration::Errno | Enumeration::LinuxErrno))
}

/// The type of `left op right`, for arithmetic and operators on bits. Of two plain numbers it is unsigned if
/// both are; a shifted number keeps its type.
pub(super) fn arithmetic(op: BinaryOp, left: Operand, right: Operand) -> Checked<Type> {
    for operand in [left, right] {
        numeric(operand)?;
    }
    match (op, left.ty, right.ty) {
        (BinaryOp::Shl | BinaryOp::Shr, ty, other) if is_plain(other) => Ok(ty),
        (_, one, other) if is_plain(one) && is_plain(other) => {
            Ok(if one == other { one } else { Type::Int })
        }
        (BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor, ty, other) if is_plain(other) => {
            Ok(ty)
        }
        (
            BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor | BinaryOp::Shl | BinaryOp::Shr,
            ..,
        ) => Err(Box::new(mixed(op, left, right))),
        (BinaryOp::Mul, one, ty) if is_plain(one) => Ok(ty),
        (BinaryOp::Mul | BinaryOp::Div, ty, other) if is_plain(other) => Ok(ty),
        (BinaryOp::Mul, ..) => Err(Box::new(mixed(op, left, right))),
        (BinaryOp::Div, one, other) if one == other => Ok(Type::Int),
        (_, one, other) if one == other => Ok(one),
        (BinaryOp::Add | BinaryOp::Sub, ty, _) if right.is_zero() => Ok(ty),
        (BinaryOp::Add | BinaryOp::Sub, _, ty) if left.is_zero() => Ok(ty),
        _ => Err(Box::new(mixed(op, left, right))),
    }
}

/// Arithmetic is for numbers.
pub(super) fn numeric(operand: Operand) -> Checked<()> {
    if is_numeric(operand.ty) {
        return Ok(());
    }
    let message = format!("arithmetic needs numbers, and this is {}", a(operand.ty));
    let error = Diagnostic::new(Code::NotANumber, operand.span, message);
    Err(Box::new(error.label(format!("this is {}", a(operand.ty)))))
}

/// Whether `left op right` may be compared: same types, and an order only where there is one.
pub(super) fn comparison(op: BinaryOp, left: Operand, right: Operand) -> Checked<()> {
    let zero = is_numeric(left.ty) && right.is_zero() || is_numeric(right.ty) && left.is_zero();
    let alike = left.ty == right.ty
        || is_plain(left.ty) && is_plain(right.ty)
        || left.ty.is_text() && right.ty.is_text();
    if !alike && !zero {
        return Err(Box::new(mixed(op, left, right)));
    }
    let place = left.span.to(right.span);
    if left.ty == Type::Bool {
        let error = Diagnostic::new(Code::NotACondition, place, "conditions cannot be compared");
        return Err(Box::new(error.help(
            "write `x` for `x == true` and `!x` for `x == false`; combine conditions with `&&` and `||`",
        )));
    }
    let ordered = is_numeric(left.ty) || is_errno(left.ty);
    if !ordered && !matches!(op, BinaryOp::Eq | BinaryOp::Ne) {
        let message = format!("{} is not less or more than another", a(left.ty));
        let error = Diagnostic::new(Code::NotANumber, place, message);
        return Err(Box::new(error.help("compare with `==` or `!=`")));
    }
    Ok(())
}

/// Two types that do not go together, with the way out if one of them is a plain number.
fn mixed(op: BinaryOp, left: Operand, right: Operand) -> Diagnostic {
    let (one, other) = (a(left.ty), a(right.ty));
    let message = match op {
        BinaryOp::Add => format!("{one} and {other} cannot be added"),
        BinaryOp::Sub => format!("{other} cannot be subtracted from {one}"),
        BinaryOp::Mul => format!("{one} and {other} cannot be multiplied"),
        BinaryOp::Div => format!("{one} cannot be divided by {other}"),
        BinaryOp::Rem => format!("{one} has no remainder by {other}"),
        BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor => {
            format!("the bits of {one} and {other} do not go together")
        }
        BinaryOp::Shl | BinaryOp::Shr => format!("{one} cannot be shifted by {other}"),
        _ => format!("{one} and {other} cannot be compared"),
    };
    let error = Diagnostic::new(Code::MixedTypes, right.span, message)
        .label(format!("this is {other}"))
        .also(left.span, format!("this is {one}"));
    match hint(op, left, right) {
        Some(hint) => error.help(hint),
        None => error,
    }
}

fn hint(op: BinaryOp, left: Operand, right: Operand) -> Option<String> {
    if op == BinaryOp::Div {
        return (right.ty == Type::Time)
            .then(|| "what there is of it in a second of the run is `rate(x)`".to_owned());
    }
    match (left.ty, right.ty) {
        (Type::Bool, _) | (_, Type::Bool) => {
            Some("a condition stands for itself: write `ok` or `!ok`".to_owned())
        }
        (ty, _) | (_, ty) if is_errno(ty) => {
            Some("compare it with a name such as `EBADF` or a number such as `8`".to_owned())
        }
        (Type::Time, Type::Unsigned) | (Type::Unsigned, Type::Time) => Some(
            "`nsecs` and `elapsed` are plain numbers of nanoseconds, as in bpftrace: make the time one, too, with `(uint64)`".to_owned(),
        ),
        (ty, Type::Int) if op != BinaryOp::Mul => with_unit(ty, right),
        (Type::Int, ty) if op != BinaryOp::Mul => with_unit(ty, left),
        _ => None,
    }
}

fn with_unit(ty: Type, number: Operand) -> Option<String> {
    let value = match number.literal {
        Some(Amount::Whole(value)) => value.to_string(),
        Some(Amount::Fraction(value)) => value.to_string(),
        None => "10".to_owned(),
    };
    match ty {
        Type::Time => Some(format!(
            "a time has a unit: write `{value}us` or `{value}ms`"
        )),
        Type::Size => Some(format!(
            "a size has a unit: write `{value}B` or `{value}KiB`"
        )),
        _ => None,
    }
}
