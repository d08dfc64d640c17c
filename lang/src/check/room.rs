//! The stack of the eBPF program: what a block keeps there at a time.

use crate::plan::{Action, Expr, ExprKind};
use crate::types::Type;

/// The most bytes for variables, and the key or message that is being put together. The stack has 512;
/// the rest is for those who call the block, and for values on their way.
pub(super) const MAX_ROOM: usize = 280;

/// The bytes that these actions need at a time, besides variables.
pub(super) fn room(actions: &[Action]) -> usize {
    actions.iter().map(action).max().unwrap_or(0)
}

fn action(action: &Action) -> usize {
    match action {
        Action::Record(record) => {
            let values = record
                .updates
                .iter()
                .filter_map(|update| update.value.as_ref());
            side_by_side(&record.keys) + values.map(read_keys).max().unwrap_or(0)
        }
        Action::Delete { keys, .. } => side_by_side(keys),
        Action::Assign { value, .. } => read_keys(value),
        Action::If {
            condition,
            then,
            otherwise,
        } => read_keys(condition).max(room(then)).max(room(otherwise)),
        Action::Loop {
            condition,
            body,
            step,
        } => condition
            .as_ref()
            .map_or(0, read_keys)
            .max(room(body))
            .max(room(step)),
        Action::ForEach { body, .. } => room(body),
        Action::Tell { values, .. } => side_by_side(values),
        Action::Return | Action::Break | Action::Continue => 0,
    }
}

/// A key or message: all its values wait for the last one, for which maps may be read.
fn side_by_side(values: &[Expr]) -> usize {
    let own: usize = values.iter().map(|value| bytes(value.ty)).sum();
    own + 8 + values.iter().map(read_keys).max().unwrap_or(0)
}

/// The bytes of the keys that wait for each other while an expression is evaluated: those of a map that
/// is read, and of the maps that are read for its keys.
pub(super) fn read_keys(expr: &Expr) -> usize {
    let inner = expr.parts().into_iter().map(read_keys).max().unwrap_or(0);
    let own = match &expr.kind {
        ExprKind::Map { keys, .. } | ExprKind::HasKey { keys, .. } => {
            keys.iter().map(|key| bytes(key.ty)).sum()
        }
        _ => 0,
    };
    own + inner
}

fn bytes(ty: Type) -> usize {
    ty.size()
}
