//! Macros: statements and expressions that stand for a call.

use std::collections::HashMap;

use crate::ast::{
    BinaryOp, Block, ClauseKind, Expr, ExprKind, Item, Macro, Name, Statement, StatementKind,
};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::span::Span;

use super::substitute::Binding;

/// Macros stand for at most so many expressions and statements together.
const MAX_MADE: usize = 20_000;

/// What macros stand for nests at most so deep, as the tree is walked by recursion.
const MAX_DEPTH: usize = 256;

/// What comes before the number behind the name of a macro's own variable.
const OWN: char = '#';

/// Replaces the calls of macros.
pub(super) fn replaced(
    mut items: Vec<Item>,
    macros: &[Macro],
    errors: &mut Vec<Diagnostic>,
) -> Vec<Item> {
    if macros.is_empty() {
        return items;
    }
    let mut replacer = Replacer {
        macros: macros
            .iter()
            .map(|item| (item.name.text.as_str(), item))
            .collect(),
        errors,
        open: Vec::new(),
        depth: 0,
        made: 0,
        calls: 0,
        stopped: false,
    };
    for item in &mut items {
        replacer.item(item);
    }
    items
}

/// A text in which the own variables of macros are called as the macros call them.
pub(crate) fn as_written(text: &str) -> String {
    let mut parts = text.split(OWN);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let word = out.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        if digits > 0 && word.is_some_and(|at| out[at..].starts_with(['$', '@'])) {
            out.push_str(&part[digits..]);
        } else {
            out.push(OWN);
            out.push_str(part);
        }
    }
    out
}

struct Replacer<'r> {
    macros: HashMap<&'r str, &'r Macro>,
    errors: &'r mut Vec<Diagnostic>,
    /// The macros that are being replaced, the outermost first.
    open: Vec<&'r str>,
    /// How deep the tree is at this place.
    depth: usize,
    made: usize,
    calls: usize,
    /// Too much was found: nothing more is replaced.
    stopped: bool,
}

/// Where the statements of a macro go that is called in an expression.
enum Before<'b> {
    /// Before the statement of the expression.
    Here(&'b mut Vec<Statement>),
    /// There is no such place.
    Nowhere,
}

impl Before<'_> {
    fn again(&mut self) -> Before<'_> {
        match self {
            Before::Here(statements) => Before::Here(statements),
            Before::Nowhere => Before::Nowhere,
        }
    }
}

impl<'r> Replacer<'r> {
    fn item(&mut self, item: &mut Item) {
        match item {
            Item::ProbeBlock(block) => {
                if let Some(predicate) = &mut block.predicate {
                    self.expr(predicate, Before::Nowhere);
                }
                self.block(&mut block.body);
            }
            Item::Table(table) => {
                let keys = table.keys.iter_mut().map(|key| &mut key.value);
                let columns = table.columns.iter_mut().flat_map(|column| {
                    std::iter::once(&mut column.value).chain(&mut column.condition)
                });
                let clauses =
                    table
                        .clauses
                        .iter_mut()
                        .filter_map(|clause| match &mut clause.kind {
                            ClauseKind::Having(expr)
                            | ClauseKind::Limit(expr)
                            | ClauseKind::Every(expr) => Some(expr),
                            ClauseKind::Pivot { key, .. } => Some(&mut key.value),
                            ClauseKind::Sort { .. } | ClauseKind::Title(_) => None,
                        });
                let exprs = table.filter.iter_mut().chain(keys).chain(columns);
                for expr in exprs.chain(clauses) {
                    self.expr(expr, Before::Nowhere);
                }
            }
            Item::Check(check) => self.expr(&mut check.condition, Before::Nowhere),
            _ => {}
        }
    }

    fn block(&mut self, block: &mut Block) {
        let mut all = Vec::new();
        for statement in std::mem::take(&mut block.statements) {
            self.statement(statement, &mut all);
        }
        block.statements = all;
    }

    fn statement(&mut self, mut statement: Statement, all: &mut Vec<Statement>) {
        if self.is_too_deep(statement.span) {
            return;
        }
        self.depth += 1;
        let mut before = Vec::new();
        if let StatementKind::Expr(expr) = &mut statement.kind {
            self.called(expr);
        }
        if let StatementKind::Expr(expr) = &mut statement.kind
            && let ExprKind::Call { function, args } = &mut expr.kind
            && let Some(item) = self.macros.get(function.text.as_str()).copied()
        {
            for arg in args.iter_mut() {
                self.expr(&mut arg.value, Before::Here(&mut before));
            }
            if let Some(mut body) = self.body(item, expr) {
                // The value that nobody asks for.
                body.statements.pop_if(|last| has_no_effect(last));
                before.push(Statement {
                    kind: StatementKind::Block(body),
                    span: statement.span,
                });
            }
            all.append(&mut before);
            self.depth -= 1;
            return;
        }
        // The conditions behind `else if` and of loops are evaluated after other statements.
        let here = match &statement.kind {
            StatementKind::While { .. } => 0,
            StatementKind::If { .. } => 1,
            _ => usize::MAX,
        };
        for (index, expr) in statement.exprs_mut().into_iter().enumerate() {
            let before = if index < here {
                Before::Here(&mut before)
            } else {
                Before::Nowhere
            };
            self.expr(expr, before);
        }
        for block in statement.blocks_mut() {
            self.block(block);
        }
        all.append(&mut before);
        all.push(statement);
        self.depth -= 1;
    }

    /// A macro without parameters may be called without parentheses.
    fn called(&self, expr: &mut Expr) {
        if let ExprKind::Name(name) = &expr.kind
            && let Some(item) = self.macros.get(name.as_str())
            && item.params.is_empty()
        {
            let function = Name {
                text: name.clone(),
                span: expr.span,
            };
            let args = Vec::new();
            expr.kind = ExprKind::Call { function, args };
        }
    }

    fn expr(&mut self, expr: &mut Expr, mut before: Before) {
        if self.is_too_deep(expr.span) {
            return;
        }
        self.called(expr);
        self.depth += 1;
        match &mut expr.kind {
            ExprKind::Binary(BinaryOp::And | BinaryOp::Or, left, right) => {
                self.expr(left, before.again());
                self.expr(right, Before::Nowhere);
            }
            ExprKind::Ternary(condition, then, otherwise) => {
                self.expr(condition, before.again());
                self.expr(then, Before::Nowhere);
                self.expr(otherwise, Before::Nowhere);
            }
            _ => {
                for part in expr.parts_mut() {
                    self.expr(part, before.again());
                }
            }
        }
        if let ExprKind::Call { function, .. } = &expr.kind
            && let Some(item) = self.macros.get(function.text.as_str()).copied()
            && let Some(value) = self.value(item, expr, before)
        {
            *expr = value;
        }
        self.depth -= 1;
    }

    /// What a call of a macro in an expression stands for.
    fn value(&mut self, item: &'r Macro, call: &Expr, before: Before) -> Option<Expr> {
        let mut body = self.body(item, call)?;
        let Some(Statement {
            kind: StatementKind::Expr(value),
            ..
        }) = body.statements.pop()
        else {
            let message = format!("the macro `{}` has no value", item.name.text);
            self.errors.push(
                Diagnostic::new(Code::MacroValue, call.span, message)
                    .also(item.name.span, "defined here")
                    .help("the last statement of a macro that has a value is an expression"),
            );
            return None;
        };
        match before {
            Before::Here(statements) => statements.append(&mut body.statements),
            Before::Nowhere if body.statements.is_empty() => {}
            Before::Nowhere => {
                let message = format!(
                    "the macro `{}` does more than give a value, and cannot stand here",
                    item.name.text
                );
                self.errors.push(
                    Diagnostic::new(Code::MacroValue, call.span, message)
                        .also(item.name.span, "defined here")
                        .help("call it before, and keep its value in a variable: `$x = …`"),
                );
                return None;
            }
        }
        Some(value)
    }

    /// The body of a macro for a call, in which nothing is to be replaced any more.
    fn body(&mut self, item: &'r Macro, call: &Expr) -> Option<Block> {
        let ExprKind::Call { args, .. } = &call.kind else {
            return None;
        };
        if self.stopped {
            return None;
        }
        let name = item.name.text.as_str();
        if self.open.contains(&name) {
            let message = format!("the macro `{name}` stands for itself");
            self.errors.push(
                Diagnostic::new(Code::MacroCycle, call.span, message)
                    .also(item.name.span, "defined here"),
            );
            return None;
        }
        if args.len() != item.params.len() {
            let message = format!(
                "the macro `{name}` takes {} arguments, not {}",
                item.params.len(),
                args.len()
            );
            self.errors.push(
                Diagnostic::new(Code::MacroArguments, call.span, message)
                    .also(item.name.span, "defined here"),
            );
            return None;
        }
        let mut arguments = HashMap::new();
        for (param, arg) in item.params.iter().zip(args) {
            self.check_argument(param, &arg.value)?;
            arguments.insert(param.text.as_str(), &arg.value);
        }
        self.calls += 1;
        let mut binding = Binding {
            arguments: &arguments,
            suffix: format!("{OWN}{}", self.calls),
            made: 0,
        };
        let mut body = item.body.clone();
        binding.block(&mut body);
        self.made += binding.made;
        if self.made > MAX_MADE {
            let message = format!(
                "the macros of this script stand for more than {MAX_MADE} expressions and statements"
            );
            self.errors
                .push(Diagnostic::new(Code::MacroSize, call.span, message));
            self.stopped = true;
            return None;
        }
        self.open.push(name);
        self.block(&mut body);
        self.open.pop();
        (!self.stopped).then_some(body)
    }

    fn check_argument(&mut self, param: &Name, value: &Expr) -> Option<()> {
        let (fits, takes) = match param.text.chars().next() {
            Some('$') => (
                matches!(value.kind, ExprKind::Variable(_)),
                "a variable such as `$x`",
            ),
            Some('@') => (matches!(value.kind, ExprKind::Map(_)), "a map such as `@x`"),
            _ => (true, ""),
        };
        if fits {
            return Some(());
        }
        let message = format!("the parameter `{}` of this macro takes {takes}", param.text);
        self.errors.push(
            Diagnostic::new(Code::MacroArguments, value.span, message)
                .also(param.span, "declared here")
                .help(format!(
                    "a parameter without `{}` takes any value",
                    &param.text[..1]
                )),
        );
        None
    }

    /// Whether nothing is replaced here any more.
    fn is_too_deep(&mut self, place: Span) -> bool {
        if !self.stopped && self.depth > MAX_DEPTH {
            let message = format!("what macros stand for nests deeper than {MAX_DEPTH}");
            self.errors
                .push(Diagnostic::new(Code::TooDeep, place, message));
            self.stopped = true;
        }
        self.stopped
    }
}

/// Whether a statement is a value that nobody asks for.
fn has_no_effect(statement: &Statement) -> bool {
    fn acts(expr: &Expr) -> bool {
        matches!(expr.kind, ExprKind::Call { .. } | ExprKind::Step { .. })
            || expr.parts().into_iter().any(acts)
    }
    matches!(&statement.kind, StatementKind::Expr(expr) if !acts(expr))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_variables_are_shown_as_the_macro_calls_them() {
        assert_eq!(as_written("`$x#12` and $y_1#3"), "`$x` and $y_1");
        assert_eq!(as_written("a#1, $#, $ #1"), "a#1, $#, $ #1");
    }
}
