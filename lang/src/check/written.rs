//! The maps that a script puts something into, also in parts that this version refuses: nothing else
//! is said to be empty.

use std::collections::BTreeSet;

use crate::ast::{Block, Expr, ExprKind, Item, Script, Statement, StatementKind};

/// The names of the maps, with their `@`.
pub(super) fn written(script: &Script) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for item in &script.items {
        let body = match item {
            Item::ProbeBlock(block) => Some(&block.body),
            Item::Macro(item) => Some(&item.body),
            Item::Alias(alias) => alias.prologue.as_ref(),
            _ => None,
        };
        if let Some(body) = body {
            block(body, &mut names);
        }
    }
    names
}

fn block(block: &Block, names: &mut BTreeSet<String>) {
    for each in &block.statements {
        statement(each, names);
    }
}

fn statement(statement: &Statement, names: &mut BTreeSet<String>) {
    match &statement.kind {
        StatementKind::Expr(expr) => step(expr, names),
        StatementKind::Assign {
            target: to, value, ..
        } => {
            target(to, names);
            step(value, names);
        }
        StatementKind::Let { name, value, .. } => {
            names.insert(name.text.clone());
            value.iter().for_each(|value| step(value, names));
        }
        StatementKind::If {
            branches,
            otherwise,
        } => {
            branches
                .iter()
                .map(|(_, body)| body)
                .chain(otherwise)
                .for_each(|body| block(body, names));
        }
        StatementKind::For { body, .. }
        | StatementKind::While { body, .. }
        | StatementKind::Unroll { body, .. }
        | StatementKind::Block(body) => block(body, names),
        StatementKind::Return(_) | StatementKind::Break | StatementKind::Continue => {}
    }
}

fn step(expr: &Expr, names: &mut BTreeSet<String>) {
    if let ExprKind::Step { target: to, .. } = &expr.kind {
        target(to, names);
    }
}

fn target(expr: &Expr, names: &mut BTreeSet<String>) {
    match &expr.kind {
        ExprKind::Map(name) => {
            names.insert(name.clone());
        }
        ExprKind::Index(of, _) => target(of, names),
        _ => {}
    }
}
