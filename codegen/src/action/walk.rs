//! What can be told of actions without compiling them.

use ewapa_lang::plan::{Action, Clause, Expr, ExprKind, StoreId, VariableId};

use crate::expr;

/// Whether an action, or one within, satisfies the predicate.
pub fn any(actions: &[Action], predicate: &mut dyn FnMut(&Action) -> bool) -> bool {
    actions.iter().any(|action| {
        predicate(action)
            || match action {
                Action::If {
                    then, otherwise, ..
                } => any(then, predicate) || any(otherwise, predicate),
                Action::Loop { body, step, .. } => any(body, predicate) || any(step, predicate),
                Action::ForEach { body, .. } => any(body, predicate),
                _ => false,
            }
    })
}

/// Whether there is a loop whose rounds are not those of a map.
pub fn has_loop(actions: &[Action]) -> bool {
    any(actions, &mut |action| matches!(action, Action::Loop { .. }))
}

/// Whether there is a loop over the rows of a map.
pub fn iterates(actions: &[Action]) -> bool {
    any(actions, &mut |action| {
        matches!(action, Action::ForEach { .. })
    })
}

/// Whether a clause does with the store what only rows that all CPUs share allow: deletes from it, goes
/// through it, reads it, asks whether it has a key, or how many.
pub fn shares(clause: &Clause, store: StoreId) -> bool {
    let mut asks = |part: &Expr| {
        expr::any(part, &mut |part| {
            matches!(
                part.kind,
                ExprKind::HasKey { store: of, .. }
                | ExprKind::Map { store: of, .. }
                | ExprKind::Rows(of) if of == store
            )
        })
    };
    let uses = any(&clause.actions, &mut |action| match action {
        Action::Delete { store: of, .. } | Action::ForEach { store: of, .. } => *of == store,
        _ => false,
    });
    uses || clause.filter.iter().any(&mut asks)
        || clause.actions.iter().any(|it| it.any_expression(&mut asks))
}

/// The variables that actions, or those within, assign.
pub(super) fn assigned(actions: &[Action]) -> Vec<VariableId> {
    let mut found = Vec::new();
    any(actions, &mut |action| {
        match action {
            Action::Assign { variable, .. } => found.push(*variable),
            Action::ForEach { keys, slots, .. } => found.extend(keys.iter().chain(slots).flatten()),
            _ => {}
        }
        false
    });
    found.sort_unstable();
    found.dedup();
    found
}
