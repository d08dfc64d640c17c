//! Blocks and statements.

use pest::iterators::Pair;

use super::expression::placeholder;
use super::{Builder, Rule, name, parts, span};
use crate::ast::{BinaryOp, Block, Expr, Name, Statement, StatementKind};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::span::Span;

impl Builder {
    pub(super) fn block(&self, pair: Pair<Rule>) -> Block {
        let place = span(&pair);
        Block {
            statements: parts(pair).map(|part| self.statement(part)).collect(),
            span: place,
        }
    }

    fn statement(&self, pair: Pair<Rule>) -> Statement {
        let place = span(&pair);
        let kind = match pair.as_rule() {
            Rule::if_stmt => self.if_statement(pair),
            Rule::for_stmt => self.for_statement(pair),
            Rule::while_stmt => {
                let (condition, body) = self.expr_and_block(pair);
                StatementKind::While { condition, body }
            }
            Rule::unroll_stmt => {
                let (times, body) = self.expr_and_block(pair);
                StatementKind::Unroll { times, body }
            }
            Rule::let_stmt => self.let_statement(pair),
            Rule::jump_stmt => self.jump(pair),
            Rule::block => StatementKind::Block(self.block(pair)),
            _ => self.simple(pair),
        };
        Statement { kind, span: place }
    }

    fn if_statement(&self, pair: Pair<Rule>) -> StatementKind {
        let mut branches = Vec::new();
        let mut condition = None;
        let mut otherwise = None;
        for part in parts(pair) {
            match part.as_rule() {
                Rule::expr => condition = Some(self.expr(part)),
                Rule::block => match condition.take() {
                    Some(condition) => branches.push((condition, self.block(part))),
                    None => otherwise = Some(self.block(part)),
                },
                _ => {}
            }
        }
        StatementKind::If {
            branches,
            otherwise,
        }
    }

    fn for_statement(&self, pair: Pair<Rule>) -> StatementKind {
        let place = span(&pair);
        let mut variable = Name {
            text: String::new(),
            span: place,
        };
        let mut range = Vec::new();
        let mut body = empty(place);
        for part in parts(pair) {
            match part.as_rule() {
                Rule::variable => variable = name(&part),
                Rule::for_over => range.extend(parts(part).map(|part| self.expr(part))),
                _ => body = self.block(part),
            }
        }
        let mut range = range.into_iter();
        let over = range.next().unwrap_or_else(|| placeholder(place));
        StatementKind::For {
            variable,
            over,
            until: range.next(),
            body,
        }
    }

    fn expr_and_block(&self, pair: Pair<Rule>) -> (Expr, Block) {
        let place = span(&pair);
        let (mut expr, mut body) = (placeholder(place), empty(place));
        for part in parts(pair) {
            match part.as_rule() {
                Rule::expr => expr = self.expr(part),
                _ => body = self.block(part),
            }
        }
        (expr, body)
    }

    fn let_statement(&self, pair: Pair<Rule>) -> StatementKind {
        let mut variable = Name {
            text: String::new(),
            span: span(&pair),
        };
        let (mut ty, mut value) = (None, None);
        for part in parts(pair) {
            match part.as_rule() {
                Rule::type_name => ty = Some(name(&part)),
                Rule::expr => value = Some(self.expr(part)),
                _ => variable = name(&part),
            }
        }
        StatementKind::Let {
            name: variable,
            ty,
            value,
        }
    }

    fn jump(&self, pair: Pair<Rule>) -> StatementKind {
        let mut parts = parts(pair);
        match parts.next().map(|part| part.as_rule()) {
            Some(Rule::kw_break) => StatementKind::Break,
            Some(Rule::kw_continue) => StatementKind::Continue,
            _ => StatementKind::Return(parts.next().map(|part| self.expr(part))),
        }
    }

    fn simple(&self, pair: Pair<Rule>) -> StatementKind {
        let place = span(&pair);
        let mut exprs = Vec::new();
        let mut assignment = None;
        for part in parts(pair) {
            match part.as_rule() {
                Rule::assign => assignment = Some((part.as_str().to_owned(), span(&part))),
                _ => exprs.push(self.expr(part)),
            }
        }
        let mut exprs = exprs.into_iter();
        let first = exprs.next().unwrap_or_else(|| placeholder(place));
        match (assignment, exprs.next()) {
            (Some((op, op_place)), Some(value)) => {
                self.check_target(&first, op_place);
                StatementKind::Assign {
                    target: first,
                    op: compound(&op),
                    value,
                }
            }
            _ => StatementKind::Expr(first),
        }
    }

    fn check_target(&self, target: &Expr, op: Span) {
        use crate::ast::ExprKind::{Index, Map, Variable};
        let assignable = match &target.kind {
            Variable(_) | Map(_) => true,
            Index(of, _) => matches!(of.kind, Map(_)),
            _ => false,
        };
        if !assignable {
            let error = Diagnostic::new(
                Code::Unexpected,
                op,
                "only a variable or a map can be given a value",
            )
            .also(target.span, "this is neither")
            .help(match &target.kind {
                crate::ast::ExprKind::Name(name) if name == "_" => {
                    "a value that nobody needs is left out"
                }
                _ => "a variable is `$x`, a map `@x` or `@x[key]`; to compare, write `==`",
            });
            self.error(error);
        }
    }
}

fn empty(span: Span) -> Block {
    Block {
        statements: Vec::new(),
        span,
    }
}

/// The operator of a compound assignment such as `+=`.
fn compound(assign: &str) -> Option<BinaryOp> {
    use BinaryOp::*;
    let op = assign.strip_suffix('=')?;
    [Add, Sub, Mul, Div, Rem, BitAnd, BitOr, BitXor, Shl, Shr]
        .into_iter()
        .find(|known| known.text() == op)
}
