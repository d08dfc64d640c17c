//! The stack of the eBPF program: what a block keeps there at a time.

use crate::plan::{Action, Expr, ExprKind, KernelValue};

/// The most bytes for variables, and the key that is being put together. The stack has 512; the rest is for
/// those who call the block, and for values on their way. Messages are put together in the ring buffer.
pub(super) const MAX_ROOM: usize = 280;

/// The bytes that these actions need at a time, besides variables.
pub(super) fn room(actions: &[Action]) -> usize {
    actions.iter().map(action).max().unwrap_or(0)
}

fn action(action: &Action) -> usize {
    match action {
        Action::Record(record) => {
            let values = record.updates.iter().flat_map(|update| {
                update
                    .value
                    .iter()
                    .map(placed)
                    .chain(update.condition.iter().map(passing))
            });
            key(&record.keys) + values.max().unwrap_or(0)
        }
        Action::Delete { keys, .. } => key(keys),
        Action::Assign { value, .. } => placed(value),
        Action::If {
            condition,
            then,
            otherwise,
        } => passing(condition).max(room(then)).max(room(otherwise)),
        Action::Loop {
            condition,
            body,
            step,
        } => condition
            .as_ref()
            .map_or(0, passing)
            .max(room(body))
            .max(room(step)),
        Action::ForEach { body, .. } => room(body),
        Action::Tell { values, .. } => values.iter().map(placed).max().unwrap_or(0),
        Action::Return | Action::Break | Action::Continue => 0,
    }
}

/// A key: all its values wait for the last one, for which maps may be read.
fn key(values: &[Expr]) -> usize {
    let own: usize = values.iter().map(|value| value.ty.size()).sum();
    own + 8 + values.iter().map(placed).max().unwrap_or(0)
}

/// What a value needs on its way to a place that has room for it.
fn placed(expr: &Expr) -> usize {
    match &expr.kind {
        ExprKind::Choose {
            condition,
            then,
            otherwise,
        } => passing(condition).max(placed(then)).max(placed(otherwise)),
        ExprKind::Kernel(_) => 0,
        ExprKind::ReadText { .. } | ExprKind::ReadBytes { .. } => {
            expr.parts().into_iter().map(passing).max().unwrap_or(0)
        }
        _ => passing(expr),
    }
}

/// What a value needs that is looked at and goes nowhere: a text that is read then waits on the stack, and so
/// do the keys of maps that are read.
fn passing(expr: &Expr) -> usize {
    let parts = expr.parts().into_iter().map(passing);
    let inner = match &expr.kind {
        // Both texts wait for each other.
        ExprKind::Binary(..) | ExprKind::SamePrefix { .. } => parts.sum(),
        _ => parts.max().unwrap_or(0),
    };
    let own = match &expr.kind {
        ExprKind::Map { keys, .. } | ExprKind::HasKey { keys, .. } => {
            keys.iter().map(|key| key.ty.size()).sum()
        }
        ExprKind::ReadText { .. }
        | ExprKind::ReadBytes { .. }
        | ExprKind::Kernel(KernelValue::Comm) => expr.ty.size(),
        ExprKind::Choose { .. } if expr.ty.is_text() => expr.ty.size(),
        _ => 0,
    };
    own + inner
}

/// The bytes of the keys that wait for each other while an expression is evaluated: those of a map that
/// is read, and of the maps that are read for its keys.
pub(super) fn read_keys(expr: &Expr) -> usize {
    let inner = expr.parts().into_iter().map(read_keys).max().unwrap_or(0);
    let own = match &expr.kind {
        ExprKind::Map { keys, .. } | ExprKind::HasKey { keys, .. } => {
            keys.iter().map(|key| key.ty.size()).sum()
        }
        _ => 0,
    };
    own + inner
}
