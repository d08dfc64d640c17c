//! The stack of the eBPF program: what a block keeps there at a time.

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Action, BinaryOp, Clause, Event, Expr, ExprKind, KernelValue};
use crate::span::Span;

use super::Checker;

/// The bytes that are left for values on their way and for what the code generator needs.
const SPARE: usize = 72;

/// The bytes of a number.
const WORD: usize = 8;

/// What a clause with a loop over a map keeps for the functions that are called for each key.
const FOR_EACH: usize = 24;

/// The most bytes for variables, and the key that is being put together. The stack has 512; the rest is for
/// those who call the clause. Messages are put together in the ring buffer.
fn limit(event: &Event) -> usize {
    let frame = match event {
        Event::Wasi(_) | Event::WasiEnter(_) | Event::Syscall(_) | Event::Phase(_) => 352,
        Event::Raw(_) => 432,
        Event::Begin | Event::End | Event::Interval(_) => 416,
    };
    frame - SPARE
}

impl Checker<'_> {
    /// Reports a clause that keeps more at a time than there is room for.
    pub(super) fn check_room(&mut self, clause: &Clause, place: Span) {
        let variables: usize = clause.variables.iter().map(|ty| ty.size()).sum();
        let filter = clause.filter.as_ref().map_or(0, passing);
        let needed = variables + filter.max(room(&clause.actions));
        if needed <= limit(&clause.event) {
            return;
        }
        let message = "this block keeps more at a time than the kernel has room for";
        self.errors.push(
            Diagnostic::new(Code::TooLarge, place, message)
                .help("use fewer variables, shorter keys and shorter texts"),
        );
    }
}

/// The bytes that these actions need at a time, besides variables. What is done for each key of a map is a
/// function of its own, whose frame comes on top.
fn room(actions: &[Action]) -> usize {
    let own = actions.iter().map(action).max().unwrap_or(0);
    let called = for_each(actions);
    own + called.map_or(0, |called| called + FOR_EACH)
}

/// The bytes that the bodies of loops over maps need; none if there is no such loop.
fn for_each(actions: &[Action]) -> Option<usize> {
    let within = |action: &Action| match action {
        Action::ForEach { body, .. } => Some(room(body)),
        Action::If {
            then, otherwise, ..
        } => for_each(then).max(for_each(otherwise)),
        Action::Loop { body, .. } => for_each(body),
        _ => None,
    };
    actions.iter().filter_map(within).max()
}

/// The bytes that actions need in the frame that they are in.
fn framed(actions: &[Action]) -> usize {
    actions.iter().map(action).max().unwrap_or(0)
}

fn action(action: &Action) -> usize {
    match action {
        Action::Record(record) => {
            let values = record.updates.iter().flat_map(|update| {
                update
                    .value
                    .iter()
                    .map(placed)
                    .chain(update.condition.iter().map(passing))
            });
            key(&record.keys) + values.max().unwrap_or(0)
        }
        Action::Delete { keys, .. } => key(keys),
        Action::Assign { value, .. } => placed(value),
        Action::If {
            condition,
            then,
            otherwise,
        } => passing(condition).max(framed(then)).max(framed(otherwise)),
        Action::Loop {
            condition,
            body,
            step,
        } => condition
            .as_ref()
            .map_or(0, passing)
            .max(framed(body))
            .max(framed(step)),
        Action::ForEach { .. } => 8,
        Action::Tell { values, .. } => values.iter().map(placed).max().unwrap_or(0),
        Action::Return | Action::Break | Action::Continue => 0,
    }
}

/// A key: all its values wait for the last one, for which maps may be read.
fn key(values: &[Expr]) -> usize {
    let own: usize = values.iter().map(|value| value.ty.size()).sum();
    own + 8 + values.iter().map(placed).max().unwrap_or(0)
}

/// What a value needs on its way to a place that has room for it.
fn placed(expr: &Expr) -> usize {
    match &expr.kind {
        ExprKind::Choose {
            condition,
            then,
            otherwise,
        } => passing(condition).max(placed(then)).max(placed(otherwise)),
        ExprKind::Kernel(_) => 0,
        ExprKind::ReadText { .. } | ExprKind::ReadBytes { .. } => read(expr),
        ExprKind::Map { keys, .. } => key_of_map(keys),
        _ => passing(expr),
    }
}

/// What a value needs that is looked at and goes nowhere: a text that is read then waits on the stack, and so
/// do the keys of maps that are read.
fn passing(expr: &Expr) -> usize {
    let parts = expr.parts().into_iter();
    match &expr.kind {
        // Both texts wait for each other.
        ExprKind::Binary(_, left, right) if left.ty.is_text() => passing(left) + passing(right),
        ExprKind::SamePrefix { left, right, .. } => passing(left) + passing(right),
        // Each is decided in turn.
        ExprKind::Binary(BinaryOp::And | BinaryOp::Or, left, right) => {
            passing(left).max(passing(right))
        }
        ExprKind::Binary(_, left, right) => {
            // The larger one waits for the other.
            let (first, then) = if size(left) >= size(right) {
                (left, right)
            } else {
                (right, left)
            };
            let waits = if size(then) > 1 { WORD } else { 0 };
            passing(first).max(passing(then) + waits)
        }
        ExprKind::Map { keys, .. } if expr.ty.is_text() => key_of_map(keys) + expr.ty.size(),
        ExprKind::Map { keys, .. } | ExprKind::HasKey { keys, .. } => key_of_map(keys),
        ExprKind::ReadText { .. } | ExprKind::ReadBytes { .. } => read(expr) + expr.ty.size(),
        ExprKind::Kernel(KernelValue::Comm) => expr.ty.size(),
        ExprKind::TextBytes { text, .. } => passing(text) + text.ty.size() + WORD,
        ExprKind::Depth(_) | ExprKind::Rows(_) => WORD,
        ExprKind::Choose { .. } if expr.ty.is_text() => placed(expr) + expr.ty.size(),
        // What is read, or where it is looked for.
        ExprKind::Read { .. } | ExprKind::Contains { .. } | ExprKind::Named { .. } => {
            parts.map(passing).max().unwrap_or(0) + WORD
        }
        _ => parts.map(passing).max().unwrap_or(0),
    }
}

/// What waits while a text or buffer is read to a place: its length, or its address.
fn read(expr: &Expr) -> usize {
    expr.parts().into_iter().map(passing).max().unwrap_or(0) + 2 * WORD
}

/// The key of a map that is read: all its values wait for the last one.
fn key_of_map(keys: &[Expr]) -> usize {
    let own: usize = keys.iter().map(|key| key.ty.size()).sum();
    own.max(WORD) + keys.iter().map(placed).max().unwrap_or(0)
}

/// How many operators and operands an expression has.
fn size(expr: &Expr) -> usize {
    1 + expr.parts().into_iter().map(size).sum::<usize>()
}

/// The bytes of the keys that wait for each other while an expression is evaluated: those of a map that
/// is read, and of the maps that are read for its keys.
pub(super) fn read_keys(expr: &Expr) -> usize {
    let inner = expr.parts().into_iter().map(read_keys).max().unwrap_or(0);
    let own = match &expr.kind {
        ExprKind::Map { keys, .. } | ExprKind::HasKey { keys, .. } => {
            keys.iter().map(|key| key.ty.size()).sum()
        }
        _ => 0,
    };
    own + inner
}
