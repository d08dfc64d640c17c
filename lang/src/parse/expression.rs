//! Expressions: precedence and associativity.

use std::sync::LazyLock;

use pest::iterators::Pair;
use pest::pratt_parser::{Assoc, Op, PrattParser};

use super::literal;
use super::{Builder, Rule, name, parts, span};
use crate::ast::{Amount, Arg, BinaryOp, Expr, ExprKind, Name, Number, UnaryOp};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use crate::types::Type;

/// So many operators and operands may be on one way from an expression down to a literal, those beside
/// the way included. It bounds the recursion here and of everything that walks the tree.
const MAX_PARTS: usize = 256;

/// C's and bpftrace's precedence, from weak to strong.
static PRECEDENCE: LazyLock<PrattParser<Rule>> = LazyLock::new(|| {
    let left = |rule| Op::infix(rule, Assoc::Left);
    PrattParser::new()
        .op(Op::infix(Rule::ternary, Assoc::Right))
        .op(left(Rule::or))
        .op(left(Rule::and))
        .op(left(Rule::bit_or))
        .op(left(Rule::bit_xor))
        .op(left(Rule::bit_and))
        .op(left(Rule::eq) | left(Rule::ne))
        .op(left(Rule::lt) | left(Rule::le) | left(Rule::gt) | left(Rule::ge))
        .op(left(Rule::shl) | left(Rule::shr))
        .op(left(Rule::add) | left(Rule::sub))
        .op(left(Rule::mul) | left(Rule::div) | left(Rule::rem))
        .op(Op::prefix(Rule::neg)
            | Op::prefix(Rule::not)
            | Op::prefix(Rule::bit_not)
            | Op::prefix(Rule::deref)
            | Op::prefix(Rule::address)
            | Op::prefix(Rule::cast)
            | Op::prefix(Rule::pre_inc)
            | Op::prefix(Rule::pre_dec))
        .op(Op::postfix(Rule::index)
            | Op::postfix(Rule::field)
            | Op::postfix(Rule::arrow)
            | Op::postfix(Rule::post_inc)
            | Op::postfix(Rule::post_dec))
});

impl Builder {
    /// A whole expression.
    pub(super) fn expr(&self, pair: Pair<Rule>) -> Expr {
        self.nested(pair, MAX_PARTS)
    }

    /// An expression within another one that leaves it so many parts.
    fn nested(&self, pair: Pair<Rule>, budget: usize) -> Expr {
        let place = span(&pair);
        let Some(budget) = budget.checked_sub(pair.clone().into_inner().count()) else {
            self.error(too_deep(place));
            return placeholder(place);
        };
        PRECEDENCE
            .map_primary(|pair| self.primary(pair, budget))
            .map_prefix(|op, operand| prefix(&op, operand))
            .map_postfix(|operand, op| self.postfix(operand, op, budget))
            .map_infix(|left, op, right| self.infix(left, op, right, budget))
            .parse(pair.into_inner())
    }

    fn primary(&self, pair: Pair<Rule>, budget: usize) -> Expr {
        let place = span(&pair);
        let Some(pair) = pair.into_inner().next() else {
            return placeholder(place);
        };
        let text = pair.as_str();
        let kind = match pair.as_rule() {
            Rule::number => ExprKind::Number(self.number(text, place)),
            Rule::string => ExprKind::Text(self.string(&pair).value),
            Rule::positional => ExprKind::Positional(text.to_owned()),
            Rule::variable => ExprKind::Variable(text.to_owned()),
            Rule::map => ExprKind::Map(text.to_owned()),
            Rule::call => self.call(pair, budget),
            Rule::c_call => c_call(pair),
            Rule::group => self.group(pair, budget),
            _ => ExprKind::Name(text.to_owned()),
        };
        Expr { kind, span: place }
    }

    /// The value of a number; an error is remembered.
    pub(super) fn number(&self, text: &str, place: Span) -> Number {
        literal::number(text).unwrap_or_else(|bad| {
            let mut error = Diagnostic::new(Code::BadNumber, place, bad.message);
            error.help.extend(bad.help);
            self.error(error);
            Number {
                amount: Amount::Whole(0),
                ty: Type::Int,
            }
        })
    }

    fn call(&self, pair: Pair<Rule>, budget: usize) -> ExprKind {
        let place = span(&pair);
        let mut function = Name {
            text: String::new(),
            span: place,
        };
        let mut args = Vec::new();
        for part in parts(pair) {
            match part.as_rule() {
                Rule::arg => args.push(self.arg(part, budget)),
                _ => function = name(&part),
            }
        }
        ExprKind::Call { function, args }
    }

    fn arg(&self, pair: Pair<Rule>, budget: usize) -> Arg {
        let place = span(&pair);
        let mut arg = Arg {
            name: None,
            value: placeholder(place),
        };
        for part in parts(pair) {
            match part.as_rule() {
                Rule::arg_name => arg.name = Some(name(&part)),
                _ => arg.value = self.nested(part, budget),
            }
        }
        arg
    }

    /// Parentheses around one expression mean nothing; around several, or with a comma, a tuple.
    fn group(&self, pair: Pair<Rule>, budget: usize) -> ExprKind {
        let mut tuple = false;
        let mut values = Vec::new();
        for part in parts(pair) {
            match part.as_rule() {
                Rule::trailing_comma => tuple = true,
                _ => values.push(self.nested(part, budget)),
            }
        }
        match values.pop() {
            Some(value) if values.is_empty() && !tuple => value.kind,
            last => {
                values.extend(last);
                ExprKind::Tuple(values)
            }
        }
    }

    fn postfix(&self, operand: Expr, op: Pair<Rule>, budget: usize) -> Expr {
        let place = operand.span.to(span(&op));
        let operand = Box::new(operand);
        let kind = match op.as_rule() {
            Rule::index => self.index(operand, op, budget),
            Rule::post_inc => ExprKind::Step {
                target: operand,
                up: true,
                after: true,
            },
            Rule::post_dec => ExprKind::Step {
                target: operand,
                up: false,
                after: true,
            },
            rule => {
                let field_place = span(&op);
                let field = parts(op).next().map_or_else(
                    || Name {
                        text: String::new(),
                        span: field_place,
                    },
                    |part| name(&part),
                );
                if rule == Rule::arrow {
                    ExprKind::Arrow(operand, field)
                } else {
                    ExprKind::Field(operand, field)
                }
            }
        };
        Expr { kind, span: place }
    }

    fn index(&self, operand: Box<Expr>, op: Pair<Rule>, budget: usize) -> ExprKind {
        let mut slice = false;
        let mut before = Vec::new();
        let mut after = None;
        for part in parts(op) {
            match part.as_rule() {
                Rule::slice_colon => slice = true,
                _ if slice => after = Some(Box::new(self.nested(part, budget))),
                _ => before.push(self.nested(part, budget)),
            }
        }
        if slice {
            ExprKind::Slice(operand, before.pop().map(Box::new), after)
        } else {
            ExprKind::Index(operand, before)
        }
    }

    fn infix(&self, left: Expr, op: Pair<Rule>, right: Expr, budget: usize) -> Expr {
        let place = left.span.to(right.span);
        let (left, right) = (Box::new(left), Box::new(right));
        let kind = match binary(op.as_rule()) {
            Some(operator) => ExprKind::Binary(operator, left, right),
            None => {
                let op_place = span(&op);
                let middle = parts(op)
                    .next()
                    .map_or_else(|| placeholder(op_place), |part| self.nested(part, budget));
                ExprKind::Ternary(left, Box::new(middle), right)
            }
        };
        Expr { kind, span: place }
    }
}

fn prefix(op: &Pair<Rule>, operand: Expr) -> Expr {
    let place = span(op).to(operand.span);
    let operand = Box::new(operand);
    let kind = match op.as_rule() {
        Rule::neg => ExprKind::Unary(UnaryOp::Negate, operand),
        Rule::not => ExprKind::Unary(UnaryOp::Not, operand),
        Rule::bit_not => ExprKind::Unary(UnaryOp::BitNot, operand),
        Rule::deref => ExprKind::Unary(UnaryOp::Deref, operand),
        Rule::address => ExprKind::Unary(UnaryOp::Address, operand),
        Rule::pre_inc => ExprKind::Step {
            target: operand,
            up: true,
            after: false,
        },
        Rule::pre_dec => ExprKind::Step {
            target: operand,
            up: false,
            after: false,
        },
        _ => ExprKind::Cast(
            parts(op.clone())
                .next()
                .map_or_else(|| name(op), |part| name(&part)),
            operand,
        ),
    };
    Expr { kind, span: place }
}

/// The operator of a rule; none for `? :`.
fn binary(rule: Rule) -> Option<BinaryOp> {
    Some(match rule {
        Rule::or => BinaryOp::Or,
        Rule::and => BinaryOp::And,
        Rule::bit_or => BinaryOp::BitOr,
        Rule::bit_xor => BinaryOp::BitXor,
        Rule::bit_and => BinaryOp::BitAnd,
        Rule::eq => BinaryOp::Eq,
        Rule::ne => BinaryOp::Ne,
        Rule::lt => BinaryOp::Lt,
        Rule::le => BinaryOp::Le,
        Rule::gt => BinaryOp::Gt,
        Rule::ge => BinaryOp::Ge,
        Rule::shl => BinaryOp::Shl,
        Rule::shr => BinaryOp::Shr,
        Rule::add => BinaryOp::Add,
        Rule::sub => BinaryOp::Sub,
        Rule::mul => BinaryOp::Mul,
        Rule::div => BinaryOp::Div,
        Rule::rem => BinaryOp::Rem,
        _ => return None,
    })
}

/// Stands where an error was remembered.
pub(super) fn placeholder(span: Span) -> Expr {
    Expr {
        kind: ExprKind::Number(Number {
            amount: Amount::Whole(0),
            ty: Type::Int,
        }),
        span,
    }
}

fn too_deep(place: Span) -> Diagnostic {
    Diagnostic::new(Code::TooDeep, place, "this expression is too large")
        .label(format!(
            "more than {MAX_PARTS} operators and operands, counted with those around it"
        ))
        .help("split it, or leave some of it away")
}

/// A call whose argument is a type of C.
fn c_call(pair: Pair<Rule>) -> ExprKind {
    let place = span(&pair);
    let mut parts = parts(pair).map(|part| name(&part));
    let function = parts.next().unwrap_or(Name {
        text: String::new(),
        span: place,
    });
    let argument = |ty: Name| Arg {
        name: None,
        value: Expr {
            kind: ExprKind::Name(ty.text),
            span: ty.span,
        },
    };
    ExprKind::Call {
        function,
        args: parts.map(argument).collect(),
    }
}
