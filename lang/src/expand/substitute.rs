//! What names are replaced by.

use std::collections::HashMap;

use crate::ast::{Block, Expr, ExprKind, Statement, StatementKind};

/// Replaces variables by values. The values themselves are left as they are.
pub(super) fn variables(expr: &mut Expr, values: &[(String, Expr)]) {
    if let ExprKind::Variable(name) = &expr.kind
        && let Some((_, value)) = values.iter().find(|(known, _)| known == name)
    {
        *expr = value.clone();
        return;
    }
    for part in expr.parts_mut() {
        variables(part, values);
    }
}

/// What a macro's body is rewritten by for one call.
pub(super) struct Binding<'b> {
    /// The parameters and what is given for them.
    pub(super) arguments: &'b HashMap<&'b str, &'b Expr>,
    /// What the body's own variables have behind their names, so that they are nobody else's.
    pub(super) suffix: String,
    /// How many expressions and statements there are so far.
    pub(super) made: usize,
}

impl Binding<'_> {
    /// Rewrites a block.
    pub(super) fn block(&mut self, block: &mut Block) {
        for statement in &mut block.statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &mut Statement) {
        self.made += 1;
        match &mut statement.kind {
            StatementKind::Let { name, .. } | StatementKind::For { variable: name, .. } => {
                name.text = self.renamed(&name.text);
            }
            _ => {}
        }
        for expr in statement.exprs_mut() {
            self.expr(expr);
        }
        for block in statement.blocks_mut() {
            self.block(block);
        }
    }

    fn expr(&mut self, expr: &mut Expr) {
        self.made += 1;
        if let ExprKind::Name(name) | ExprKind::Variable(name) | ExprKind::Map(name) =
            &mut expr.kind
        {
            if let Some(argument) = self.arguments.get(name.as_str()) {
                *expr = (*argument).clone();
                self.made += size(expr);
            } else if name.starts_with('$') {
                *name = self.renamed(name);
            }
            return;
        }
        for part in expr.parts_mut() {
            self.expr(part);
        }
    }

    /// The name of a variable outside of the macro.
    fn renamed(&self, name: &str) -> String {
        match self.arguments.get(name).map(|argument| &argument.kind) {
            Some(ExprKind::Variable(argument) | ExprKind::Map(argument)) => argument.clone(),
            _ if name.starts_with('$') => format!("{name}{}", self.suffix),
            _ => name.to_owned(),
        }
    }
}

fn size(expr: &Expr) -> usize {
    1 + expr.parts().into_iter().map(size).sum::<usize>()
}
