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
