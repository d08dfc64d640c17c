//! Where a value may be none. What cannot be is never taken for it, whatever number it is.

use super::{Action, Clause, Event, Expr, ExprKind, Plan, VariableId};
use crate::types::Type;

/// Which values of a plan may be none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Nones {
    /// The variables of each clause. One that cannot be is 0 before it is assigned, as in bpftrace.
    pub variables: Vec<Vec<bool>>,
    /// The keys of each store.
    pub keys: Vec<Vec<bool>>,
    /// The values of each message.
    pub messages: Vec<Vec<bool>>,
}

impl Nones {
    /// Those of a plan.
    pub fn of(plan: &Plan) -> Nones {
        let variables = |clause: &Clause| {
            let types = clause.variables.iter();
            types.map(|ty| !is_plain(*ty)).collect()
        };
        let mut nones = Nones {
            variables: plan.clauses.iter().map(variables).collect(),
            keys: plan
                .stores
                .iter()
                .map(|store| vec![false; store.keys.len()])
                .collect(),
            messages: plan
                .messages
                .iter()
                .map(|message| vec![false; message.values.len()])
                .collect(),
        };
        // What is assigned from each other, and goes through maps, is found round by round.
        loop {
            let before = nones.clone();
            for (index, clause) in plan.clauses.iter().enumerate() {
                nones.note(
                    &clause.actions,
                    index,
                    matches!(clause.event, Event::Raw(_)),
                );
            }
            if nones == before {
                return nones;
            }
        }
    }

    fn note(&mut self, actions: &[Action], clause: usize, raw: bool) {
        for action in actions {
            match action {
                Action::Record(record) => {
                    for (index, key) in record.keys.iter().enumerate() {
                        if self.may_be(key, clause, raw) {
                            self.keys[record.store.0][index] = true;
                        }
                    }
                }
                Action::Assign { variable, value } => {
                    if self.may_be(value, clause, raw) {
                        self.variables[clause][variable.0] = true;
                    }
                }
                Action::ForEach {
                    store, keys, body, ..
                } => {
                    for (index, variable) in keys.iter().enumerate() {
                        if let Some(VariableId(variable)) = variable
                            && self.keys[store.0][index]
                        {
                            self.variables[clause][*variable] = true;
                        }
                    }
                    self.note(body, clause, raw);
                }
                Action::Tell { message, values } => {
                    for (index, value) in values.iter().enumerate() {
                        if self.may_be(value, clause, raw) {
                            self.messages[message.0][index] = true;
                        }
                    }
                }
                Action::If {
                    then, otherwise, ..
                } => {
                    self.note(then, clause, raw);
                    self.note(otherwise, clause, raw);
                }
                Action::Loop { body, step, .. } => {
                    self.note(body, clause, raw);
                    self.note(step, clause, raw);
                }
                Action::Delete { .. } | Action::Return | Action::Break | Action::Continue => {}
            }
        }
    }

    fn may_be(&self, expr: &Expr, clause: usize, raw: bool) -> bool {
        let may_be = |part: &Expr| self.may_be(part, clause, raw);
        match &expr.kind {
            // At a raw event there may be no call.
            ExprKind::Builtin(builtin) => builtin.nullable || raw,
            ExprKind::Variable(variable) => self.variables[clause][variable.0],
            ExprKind::Read { .. } | ExprKind::Stack | ExprKind::Depth(_) | ExprKind::Symbol(_) => {
                true
            }
            ExprKind::Cast { value: inner, .. }
            | ExprKind::BitNot(inner)
            | ExprKind::Negate(inner)
            | ExprKind::Not(inner) => may_be(inner),
            ExprKind::Choose {
                then, otherwise, ..
            } => may_be(then) || may_be(otherwise),
            // A comparison with what is none is false.
            ExprKind::Binary(..) if expr.ty == Type::Bool => false,
            ExprKind::Binary(_, left, right) => may_be(left) || may_be(right),
            // What is none is not put into a map, and what a map does not hold is 0.
            ExprKind::Map { .. }
            | ExprKind::Const(_)
            | ExprKind::Text(_)
            | ExprKind::Kernel(_)
            | ExprKind::Context { .. }
            | ExprKind::ContextAddress { .. }
            | ExprKind::ReadText { .. }
            | ExprKind::ReadBytes { .. }
            | ExprKind::SamePrefix { .. }
            | ExprKind::Contains { .. }
            | ExprKind::Length(_)
            | ExprKind::TextBytes { .. }
            | ExprKind::Rows(_)
            | ExprKind::IsNone(_)
            | ExprKind::HasKey { .. }
            | ExprKind::Named { .. } => false,
        }
    }
}

/// Whether values of the type are numbers that mean nothing but themselves.
fn is_plain(ty: Type) -> bool {
    matches!(ty, Type::Int | Type::Unsigned)
}
