//! `$i++` within an expression: it becomes a statement before the one that it stands in.

use crate::ast::{
    Amount, BinaryOp, Block, Expr, ExprKind, Item, Number, ProbeBlock, Script, Statement,
    StatementKind,
};
use crate::span::Span;
use crate::types::Type;

use super::Checker;

/// Functions whose arguments are maps, not their values.
const OF_MAPS: &[&str] = &["print", "clear", "zero", "delete", "has_key", "tabulate"];

/// The script with every `++` and `--` within an expression as a statement of its own. What is evaluated before
/// it is kept in a variable. One that may not be evaluated, right of a `&&`, stands under an `if`.
pub(super) fn lowered(script: &Script) -> Script {
    let mut script = script.clone();
    for item in &mut script.items {
        if let Item::ProbeBlock(block) = item {
            probe_block(block);
        }
    }
    script
}

/// What a variable is called in messages: one that only this module names is what a choice has decided.
pub(super) fn called(name: &str) -> String {
    if name.starts_with("$.") {
        return "the value of this `? :`".to_owned();
    }
    format!("`{name}`")
}

fn probe_block(probe_block: &mut ProbeBlock) {
    if let Some(predicate) = probe_block
        .predicate
        .take_if(|predicate| has_step(predicate))
    {
        let span = predicate.span;
        let body = Block {
            statements: std::mem::take(&mut probe_block.body.statements),
            span: probe_block.body.span,
        };
        probe_block.body.statements = vec![condition(predicate, body, None, span)];
    }
    block(&mut probe_block.body);
}

fn block(block: &mut Block) {
    let mut lowered = Vec::new();
    for statement in std::mem::take(&mut block.statements) {
        self::statement(statement, &mut lowered);
    }
    block.statements = lowered;
}

/// A statement, behind what has to be done before it.
fn statement(mut statement: Statement, out: &mut Vec<Statement>) {
    rearrange(&mut statement);
    let mut before = Vec::new();
    match &mut statement.kind {
        StatementKind::Expr(expr) => {
            let parts = match &mut expr.kind {
                ExprKind::Step { target, .. } => keys_mut(target),
                _ => vec![expr],
            };
            before = lifted(parts);
        }
        StatementKind::Assign { target, op, value } => {
            let mut parts = keys_mut(target);
            if op.is_some() {
                parts.push(value);
            } else {
                // As in bpftrace, the value comes first.
                parts.insert(0, value);
            }
            before = lifted(parts);
        }
        StatementKind::If {
            branches,
            otherwise,
        } => {
            // Those behind the first one have no steps.
            if let Some((condition, _)) = branches.first_mut() {
                before = lifted(vec![condition]);
            }
            for (_, body) in branches {
                block(body);
            }
            otherwise.iter_mut().for_each(block);
        }
        StatementKind::For {
            over, until, body, ..
        } => {
            if let Some(until) = until {
                before = lifted(vec![over, until]);
            }
            block(body);
        }
        StatementKind::While { body, .. } | StatementKind::Unroll { body, .. } => block(body),
        StatementKind::Let { value, .. } => before = lifted(value.iter_mut().collect()),
        StatementKind::Block(body) => block(body),
        StatementKind::Return(_) | StatementKind::Break | StatementKind::Continue => {}
    }
    out.append(&mut before);
    out.push(statement);
}

/// Gives steps that are evaluated again, or perhaps, a statement of their own that they can stand before.
fn rearrange(statement: &mut Statement) {
    let span = statement.span;
    match &mut statement.kind {
        StatementKind::If {
            branches,
            otherwise,
        } if branches[1..]
            .iter()
            .any(|(condition, _)| has_step(condition)) =>
        {
            let rest = Statement {
                kind: StatementKind::If {
                    branches: branches.split_off(1),
                    otherwise: otherwise.take(),
                },
                span,
            };
            *otherwise = Some(braces(vec![rest], span));
        }
        StatementKind::While {
            condition: until,
            body,
        } if has_step(until) => {
            let place = until.span;
            let leave = Statement {
                kind: StatementKind::Break,
                span: place,
            };
            let holds = std::mem::replace(until, one(place));
            // What is none ends the loop, too: that `!` holds of it would not be true.
            let goes_on = braces(Vec::new(), place);
            let end = condition(holds, goes_on, Some(braces(vec![leave], place)), place);
            body.statements.insert(0, end);
        }
        StatementKind::Expr(expr) => {
            if let ExprKind::Ternary(holds, then, otherwise) = &expr.kind
                && (has_step(then) || has_step(otherwise))
            {
                let side = |expr: &Expr| {
                    let span = expr.span;
                    let kind = StatementKind::Expr(expr.clone());
                    braces(vec![Statement { kind, span }], span)
                };
                let (then, otherwise) = (side(then), side(otherwise));
                *statement = condition((**holds).clone(), then, Some(otherwise), span);
            }
        }
        StatementKind::Assign { target, op, value } => {
            if let Some(operator) = *op
                && let Some((name, _)) = target_name(target)
                && steps_of(value, name)
            {
                // What is changed is read before the value changes it.
                let old = Box::new(target.clone());
                let place = value.span;
                let new = std::mem::replace(value, one(place));
                value.kind = ExprKind::Binary(operator, old, Box::new(new));
                *op = None;
            }
        }
        _ => {}
    }
}

/// What is evaluated of expressions that follow each other.
struct Atom {
    /// The variable or map that is read.
    reads: Option<String>,
    /// Those that change.
    steps: Vec<String>,
}

/// Takes the steps out of expressions, which are evaluated in this order.
fn lifted(mut exprs: Vec<&mut Expr>) -> Vec<Statement> {
    if !exprs.iter().any(|expr| has_step(expr)) {
        return Vec::new();
    }
    let mut atoms = Vec::new();
    for expr in &mut exprs {
        walk(expr, &mut |expr| atoms.extend(atom(expr)));
    }
    let mut before = Vec::new();
    let mut index = 0;
    for expr in &mut exprs {
        walk(expr, &mut |expr| {
            if atom(expr).is_none() {
                return;
            }
            let Atom { reads, .. } = &atoms[index];
            let changes_later = reads.as_ref().is_some_and(|name| {
                let mut later = atoms[index + 1..].iter();
                later.any(|atom| atom.steps.contains(name))
            });
            let earlier = atoms[..index].iter();
            let known = earlier.filter(|atom| atom.reads == *reads).count();
            index += 1;
            match reads {
                Some(name) => lift(expr, changes_later, format!("$.{known}{name}"), &mut before),
                None => {
                    // One within another may begin at the same place.
                    let Span { start, end } = expr.span;
                    decide(expr, format!("$.{known}.{start}.{end}"), &mut before);
                }
            }
        });
    }
    before
}

/// What an expression by itself is to the order of evaluation.
fn atom(expr: &Expr) -> Option<Atom> {
    if is_perhaps(expr) {
        let (reads, mut steps) = (None, Vec::new());
        names_of_steps(expr, &mut steps);
        return Some(Atom { reads, steps });
    }
    let (name, steps) = target_name(expr)?;
    Some(Atom {
        reads: Some(name.to_owned()),
        steps: if steps {
            vec![name.to_owned()]
        } else {
            Vec::new()
        },
    })
}

/// Whether a step in it may not be evaluated.
fn is_perhaps(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Binary(BinaryOp::And | BinaryOp::Or, _, right) => has_step(right),
        ExprKind::Ternary(_, then, otherwise) => has_step(then) || has_step(otherwise),
        _ => false,
    }
}

/// Evaluates what has steps that may not be evaluated by an `if`, into a variable.
fn decide(expr: &mut Expr, kept: String, before: &mut Vec<Statement>) {
    let span = expr.span;
    let variable = Expr {
        kind: ExprKind::Variable(kept),
        span,
    };
    let assign = |value: Expr| Statement {
        kind: StatementKind::Assign {
            target: variable.clone(),
            op: None,
            value,
        },
        span,
    };
    let becomes = |value: Expr| braces(vec![assign(value)], span);
    let decision = match &expr.kind {
        ExprKind::Ternary(holds, then, otherwise) => {
            let (then, otherwise) = (becomes((**then).clone()), becomes((**otherwise).clone()));
            let decision = condition((**holds).clone(), then, Some(otherwise), span);
            *expr = variable;
            decision
        }
        ExprKind::Binary(op, left, right) => {
            before.push(assign(number(0, span)));
            let (left, right) = ((**left).clone(), (**right).clone());
            let last = braces(
                vec![condition(right, becomes(number(1, span)), None, span)],
                span,
            );
            let decision = match op {
                BinaryOp::And => condition(left, last, None, span),
                _ => condition(left, becomes(number(1, span)), Some(last), span),
            };
            let zero = Box::new(number(0, span));
            expr.kind = ExprKind::Binary(BinaryOp::Ne, Box::new(variable), zero);
            decision
        }
        _ => unreachable!("only these have sides that may not be evaluated"),
    };
    statement(decision, before);
}

/// Does a step, and keeps what has another value later on.
fn lift(expr: &mut Expr, changes_later: bool, kept: String, before: &mut Vec<Statement>) {
    let span = expr.span;
    let variable = Expr {
        kind: ExprKind::Variable(kept),
        span,
    };
    let keep = |value: Expr| Statement {
        kind: StatementKind::Assign {
            target: variable.clone(),
            op: None,
            value,
        },
        span,
    };
    let ExprKind::Step { target, after, .. } = &expr.kind else {
        if changes_later {
            before.push(keep(expr.clone()));
            *expr = variable;
        }
        return;
    };
    let (target, after) = ((**target).clone(), *after);
    let up = matches!(expr.kind, ExprKind::Step { up: true, .. });
    let step = Statement {
        kind: StatementKind::Expr(expr.clone()),
        span,
    };
    let is_variable = matches!(target.kind, ExprKind::Variable(_));
    if is_variable && !changes_later {
        before.push(step);
        expr.kind = if after {
            let op = if up { BinaryOp::Sub } else { BinaryOp::Add };
            ExprKind::Binary(op, Box::new(target), Box::new(one(span)))
        } else {
            target.kind
        };
        return;
    }
    let keep = keep(target);
    before.extend(if after { [keep, step] } else { [step, keep] });
    *expr = variable;
}

/// Goes over steps, and over what variables and maps are read, in the order of evaluation. What has steps that
/// may not be evaluated is one.
fn walk(expr: &mut Expr, atom: &mut dyn FnMut(&mut Expr)) {
    if is_perhaps(expr) {
        return atom(expr);
    }
    match &mut expr.kind {
        ExprKind::Step { target, .. } => {
            for key in keys_mut(target) {
                walk(key, atom);
            }
        }
        ExprKind::Call { function, args } if OF_MAPS.contains(&function.text.as_str()) => {
            for arg in args {
                if target_name(&arg.value)
                    .is_some_and(|(name, step)| !step && name.starts_with('@'))
                {
                    for key in keys_mut(&mut arg.value) {
                        walk(key, atom);
                    }
                } else {
                    walk(&mut arg.value, atom);
                }
            }
        }
        ExprKind::Index(of, keys) if matches!(of.kind, ExprKind::Map(_)) => {
            for key in keys {
                walk(key, atom);
            }
        }
        _ => {
            for part in expr.parts_mut() {
                walk(part, atom);
            }
        }
    }
    atom(expr);
}

/// The name of the variable or map that an expression reads or steps, and whether it steps.
fn target_name(expr: &Expr) -> Option<(&str, bool)> {
    match &expr.kind {
        ExprKind::Variable(name) => Some((name, false)),
        ExprKind::Step { target, .. } => target_name(target).map(|(name, _)| (name, true)),
        _ => Checker::place(expr).map(|(name, _)| (name, false)),
    }
}

/// The keys of a place in a map.
fn keys_mut(expr: &mut Expr) -> Vec<&mut Expr> {
    match &mut expr.kind {
        ExprKind::Index(_, keys) => keys.iter_mut().collect(),
        _ => Vec::new(),
    }
}

fn has_step(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Step { .. }) || expr.parts().into_iter().any(has_step)
}

/// The names of the variables and maps that an expression steps.
fn names_of_steps(expr: &Expr, names: &mut Vec<String>) {
    if let Some((name, true)) = target_name(expr) {
        names.push(name.to_owned());
    }
    for part in expr.parts() {
        names_of_steps(part, names);
    }
}

/// Whether an expression steps a variable or map of this name.
fn steps_of(expr: &Expr, name: &str) -> bool {
    target_name(expr) == Some((name, true))
        || expr.parts().into_iter().any(|part| steps_of(part, name))
}

fn condition(holds: Expr, then: Block, otherwise: Option<Block>, span: Span) -> Statement {
    Statement {
        kind: StatementKind::If {
            branches: vec![(holds, then)],
            otherwise,
        },
        span,
    }
}

fn braces(statements: Vec<Statement>, span: Span) -> Block {
    Block { statements, span }
}

fn one(span: Span) -> Expr {
    number(1, span)
}

fn number(number: i64, span: Span) -> Expr {
    Expr {
        kind: ExprKind::Number(Number {
            amount: Amount::Whole(number),
            ty: Type::Int,
        }),
        span,
    }
}
