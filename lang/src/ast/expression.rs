//! Expressions.

use super::Name;
use crate::span::Span;
use crate::types::Type;

/// An expression and its place, with the parentheses around it.
#[derive(Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it is.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A number, a time or a size.
    Number(Number),
    /// A text.
    Text(String),
    /// A builtin, a parameter, a named value, a table.
    Name(String),
    /// `$x`
    Variable(String),
    /// `@x`
    Map(String),
    /// `$1` or `$#`
    Positional(String),
    /// `f(a, name = b)`
    Call {
        /// The function.
        function: Name,
        /// The arguments in order.
        args: Vec<Arg>,
    },
    /// An operator before its operand.
    Unary(UnaryOp, Box<Expr>),
    /// An operator between its operands.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `a ? b : c`
    Ternary(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `a[b, c]`
    Index(Box<Expr>, Vec<Expr>),
    /// `a[b:c]`
    Slice(Box<Expr>, Option<Box<Expr>>, Option<Box<Expr>>),
    /// `a.b`
    Field(Box<Expr>, Name),
    /// `a->b`
    Arrow(Box<Expr>, Name),
    /// `++a`, `a--`
    Step {
        /// What changes.
        target: Box<Expr>,
        /// By one up or down.
        up: bool,
        /// Whether the value is that before the change.
        after: bool,
    },
    /// `(int8)a`
    Cast(Name, Box<Expr>),
    /// `(a, b)`
    Tuple(Vec<Expr>),
}

impl Expr {
    /// The expressions that it is made of.
    pub fn parts(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Number(_)
            | ExprKind::Text(_)
            | ExprKind::Name(_)
            | ExprKind::Variable(_)
            | ExprKind::Map(_)
            | ExprKind::Positional(_) => Vec::new(),
            ExprKind::Call { args, .. } => args.iter().map(|arg| &arg.value).collect(),
            ExprKind::Unary(_, inner)
            | ExprKind::Field(inner, _)
            | ExprKind::Arrow(inner, _)
            | ExprKind::Step { target: inner, .. }
            | ExprKind::Cast(_, inner) => vec![inner],
            ExprKind::Binary(_, left, right) => vec![left, right],
            ExprKind::Ternary(condition, then, otherwise) => vec![condition, then, otherwise],
            ExprKind::Index(of, keys) => std::iter::once(&**of).chain(keys).collect(),
            ExprKind::Slice(of, from, to) => std::iter::once(&**of)
                .chain(from.as_deref())
                .chain(to.as_deref())
                .collect(),
            ExprKind::Tuple(parts) => parts.iter().collect(),
        }
    }

    /// The same, to be changed.
    pub fn parts_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            ExprKind::Number(_)
            | ExprKind::Text(_)
            | ExprKind::Name(_)
            | ExprKind::Variable(_)
            | ExprKind::Map(_)
            | ExprKind::Positional(_) => Vec::new(),
            ExprKind::Call { args, .. } => args.iter_mut().map(|arg| &mut arg.value).collect(),
            ExprKind::Unary(_, inner)
            | ExprKind::Field(inner, _)
            | ExprKind::Arrow(inner, _)
            | ExprKind::Step { target: inner, .. }
            | ExprKind::Cast(_, inner) => vec![inner],
            ExprKind::Binary(_, left, right) => vec![left, right],
            ExprKind::Ternary(condition, then, otherwise) => vec![condition, then, otherwise],
            ExprKind::Index(of, keys) => std::iter::once(&mut **of).chain(keys).collect(),
            ExprKind::Slice(of, from, to) => std::iter::once(&mut **of)
                .chain(from.as_deref_mut())
                .chain(to.as_deref_mut())
                .collect(),
            ExprKind::Tuple(parts) => parts.iter_mut().collect(),
        }
    }
}

/// An argument of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Arg {
    /// The name, where the argument has one.
    pub name: Option<Name>,
    /// The value.
    pub value: Expr,
}

/// A number in the base unit of its type: nanoseconds or bytes.
#[derive(Clone, Copy, PartialEq)]
pub struct Number {
    /// How much.
    pub amount: Amount,
    /// [`Type::Int`], [`Type::Time`], [`Type::Size`], or [`Type::Unsigned`] of what does not fit into 63 bits.
    pub ty: Type,
}

/// How much a number is. Only plain numbers can be fractions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Amount {
    /// A whole number; of an unsigned one its bits.
    Whole(i64),
    /// A number that is not whole.
    Fraction(f64),
}

/// The operators with one operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Negate,
    /// `!`
    Not,
    /// `~`
    BitNot,
    /// `*`
    Deref,
    /// `&`
    Address,
}

/// The operators with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the text of each is in BinaryOp::text")]
pub enum BinaryOp {
    Or,
    And,
    BitOr,
    BitXor,
    BitAnd,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Shl,
    Shr,
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

impl BinaryOp {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            BinaryOp::Or => "||",
            BinaryOp::And => "&&",
            BinaryOp::BitOr => "|",
            BinaryOp::BitXor => "^",
            BinaryOp::BitAnd => "&",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::Shl => "<<",
            BinaryOp::Shr => ">>",
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Rem => "%",
        }
    }
}
