//! What stands above the keys of maps: the text of their expressions.

use crate::ast::{Amount, Expr, ExprKind, UnaryOp};

/// The text of a key; none for one key that is written out, and for what is too long to be a heading.
pub(super) fn heading(expr: &Expr) -> Option<String> {
    const ROOM: usize = 32;
    if matches!(expr.kind, ExprKind::Number(_)) {
        return None;
    }
    text(expr)
        .map(|text| crate::expand::as_written(&text))
        .filter(|text| text.len() <= ROOM)
}

fn text(expr: &Expr) -> Option<String> {
    Some(match &expr.kind {
        ExprKind::Name(name) | ExprKind::Variable(name) | ExprKind::Positional(name) => {
            name.clone()
        }
        ExprKind::Field(of, field) => format!("{}.{}", text(of)?, field.text),
        ExprKind::Arrow(of, field) => format!("{}->{}", text(of)?, field.text),
        ExprKind::Cast(_, inner) => text(inner)?,
        ExprKind::Unary(UnaryOp::Not, inner) => format!("!{}", text(inner)?),
        ExprKind::Binary(op, left, right) => {
            format!("{} {} {}", text(left)?, op.text(), text(right)?)
        }
        // What is read in memory is called as the address is.
        ExprKind::Call { function, args } => match args.as_slice() {
            [address, ..] if matches!(function.text.as_str(), "str" | "kstr") => {
                text(&address.value)?
            }
            args => {
                let args: Option<Vec<String>> = args.iter().map(|arg| text(&arg.value)).collect();
                format!("{}({})", function.text, args?.join(", "))
            }
        },
        ExprKind::Number(number) => match number.amount {
            Amount::Whole(value) => value.to_string(),
            Amount::Fraction(_) => return None,
        },
        _ => return None,
    })
}
