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
/// it is kept in a variable. One that may not be evaluated, right of a `&&`, stays where it is.
pub(super) fn lowered(script: &Script) -> Script {
    let mut script = script.clone();
    for item in &mut script.items {
        if let Item::ProbeBlock(block) = item {
            probe_block(block);
        }
    }
    script
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
    name: String,
    steps: bool,
}

/// Takes the steps out of expressions, which are evaluated in this order.
fn lifted(mut exprs: Vec<&mut Expr>) -> Vec<Statement> {
    if !exprs.iter().any(|expr| has_step(expr)) {
        return Vec::new();
    }
    let mut atoms = Vec::new();
    for expr in &mut exprs {
        walk(expr, false, &mut |expr| {
            let steps = matches!(expr.kind, ExprKind::Step { .. });
            if let Some((name, _)) = target_name(expr) {
                let name = name.to_owned();
                atoms.push(Atom { name, steps });
            }
        });
    }
    let mut before = Vec::new();
    let mut index = 0;
    for expr in &mut exprs {
        walk(expr, false, &mut |expr| {
            if target_name(expr).is_some() {
                let changes_later = atoms[index + 1..]
                    .iter()
                    .any(|atom| atom.steps && atom.name == atoms[index].name);
                let earlier = &atoms[..index];
                let known = earlier.iter().filter(|atom| atom.name == atoms[index].name);
                let kept = format!("$.{}{}", known.count(), atoms[index].name);
                index += 1;
                lift(expr, changes_later, kept, &mut before);
            }
        });
    }
    before
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

/// Goes over the steps that are always evaluated, and over what variables and maps are read, in the order of evaluation.
fn walk(expr: &mut Expr, perhaps: bool, atom: &mut dyn FnMut(&mut Expr)) {
    match &mut expr.kind {
        ExprKind::Step { target, .. } => {
            for key in keys_mut(target) {
                walk(key, perhaps, atom);
            }
            if perhaps {
                return;
            }
        }
        ExprKind::Binary(BinaryOp::And | BinaryOp::Or, left, right) => {
            walk(left, perhaps, atom);
            walk(right, true, atom);
        }
        ExprKind::Ternary(condition, then, otherwise) => {
            walk(condition, perhaps, atom);
            walk(then, true, atom);
            walk(otherwise, true, atom);
        }
        ExprKind::Call { function, args } if OF_MAPS.contains(&function.text.as_str()) => {
            for arg in args {
                if target_name(&arg.value)
                    .is_some_and(|(name, step)| !step && name.starts_with('@'))
                {
                    for key in keys_mut(&mut arg.value) {
                        walk(key, perhaps, atom);
                    }
                } else {
                    walk(&mut arg.value, perhaps, atom);
                }
            }
        }
        ExprKind::Index(of, keys) if matches!(of.kind, ExprKind::Map(_)) => {
            for key in keys {
                walk(key, perhaps, atom);
            }
        }
        _ => {
            for part in expr.parts_mut() {
                walk(part, perhaps, atom);
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
    Expr {
        kind: ExprKind::Number(Number {
            amount: Amount::Whole(1),
            ty: Type::Int,
        }),
        span,
    }
}
