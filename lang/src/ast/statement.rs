//! Blocks and statements.

use super::{BinaryOp, Expr, Name};
use crate::span::Span;

/// Statements in braces.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The statements in order.
    pub statements: Vec<Statement>,
    /// With its braces.
    pub span: Span,
}

/// One statement.
#[derive(Clone, PartialEq)]
pub struct Statement {
    /// What it does.
    pub kind: StatementKind,
    /// Where it is.
    pub span: Span,
}

/// The kinds of statements.
#[derive(Debug, Clone, PartialEq)]
pub enum StatementKind {
    /// An expression for its effect.
    Expr(Expr),
    /// `TARGET = VALUE` or, with an operator, `TARGET += VALUE`.
    Assign {
        /// A variable, a map or an entry of a map.
        target: Expr,
        /// The operator before the `=`.
        op: Option<BinaryOp>,
        /// The value.
        value: Expr,
    },
    /// `if … else if … else`
    If {
        /// Conditions and what runs under them.
        branches: Vec<(Expr, Block)>,
        /// What runs when none holds.
        otherwise: Option<Block>,
    },
    /// `for`
    For {
        /// `$i`
        variable: Name,
        /// The map, or where the range begins.
        over: Expr,
        /// Where the range ends.
        until: Option<Expr>,
        /// What is repeated.
        body: Block,
    },
    /// `while`
    While {
        /// As long as this holds.
        condition: Expr,
        /// What is repeated.
        body: Block,
    },
    /// `unroll`
    Unroll {
        /// How often.
        times: Expr,
        /// What is repeated.
        body: Block,
    },
    /// `let`
    Let {
        /// `$x` or `@x`
        name: Name,
        /// The type after the `:`.
        ty: Option<Name>,
        /// The first value.
        value: Option<Expr>,
    },
    /// `return`
    Return(Option<Expr>),
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// Statements in braces.
    Block(Block),
}

impl Statement {
    /// The expressions that stand in it, those within its blocks left out.
    pub fn exprs_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            StatementKind::Expr(expr) => vec![expr],
            StatementKind::Assign { target, value, .. } => vec![target, value],
            StatementKind::If { branches, .. } => branches
                .iter_mut()
                .map(|(condition, _)| condition)
                .collect(),
            StatementKind::For { over, until, .. } => std::iter::once(over).chain(until).collect(),
            StatementKind::While { condition, .. } => vec![condition],
            StatementKind::Unroll { times, .. } => vec![times],
            StatementKind::Let { value, .. } | StatementKind::Return(value) => {
                value.iter_mut().collect()
            }
            StatementKind::Break | StatementKind::Continue | StatementKind::Block(_) => Vec::new(),
        }
    }

    /// The blocks that stand in it.
    pub fn blocks_mut(&mut self) -> Vec<&mut Block> {
        match &mut self.kind {
            StatementKind::If {
                branches,
                otherwise,
            } => branches
                .iter_mut()
                .map(|(_, body)| body)
                .chain(otherwise)
                .collect(),
            StatementKind::For { body, .. }
            | StatementKind::While { body, .. }
            | StatementKind::Unroll { body, .. }
            | StatementKind::Block(body) => vec![body],
            _ => Vec::new(),
        }
    }
}
