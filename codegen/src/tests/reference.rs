//! What a plan means, in plain Rust: the second implementation that generated code is held against.

use std::collections::BTreeMap;

use ewapa_lang::builtin::{Known, NONE, TEXT_LEN};
use ewapa_lang::plan::{Action, BinaryOp, Clause, Expr, ExprKind, Plan, Record, SlotKind, Update};
use ewapa_lang::types::{Enumeration, Type};
use ewapa_lang::wasi::Function;

use super::terms::{Call, padded};
use crate::histogram;

/// One key of a group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A number, [`NONE`] for a key that has no value.
    Number(i64),
    Text([u8; TEXT_LEN]),
}

/// What a slot has accumulated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    Number(i64),
    Squares(u128),
    /// Only the buckets that are not empty.
    Histogram(BTreeMap<usize, u64>),
}

/// The groups of one store, by CPU and keys.
pub type Groups = BTreeMap<(u64, Vec<Key>), Vec<Kept>>;

/// The value of an expression, none if it has none.
pub fn value(expr: &Expr, call: &Call) -> Option<i64> {
    match &expr.kind {
        ExprKind::Const(value) => Some(*value),
        ExprKind::Builtin(builtin) => {
            let value = call.get(builtin);
            (!builtin.nullable || value != NONE).then_some(value)
        }
        ExprKind::Not(inner) if matches!(inner.kind, ExprKind::Builtin(_)) => {
            Some(1 - value(inner, call)?)
        }
        _ if expr.ty == Type::Bool => Some(i64::from(holds(expr, call))),
        ExprKind::Negate(inner) => Some(value(inner, call)?.wrapping_neg()),
        ExprKind::Binary(op, left, right) => {
            let (left, right) = (value(left, call)?, value(right, call)?);
            Some(match op {
                BinaryOp::Add => left.wrapping_add(right),
                BinaryOp::Sub => left.wrapping_sub(right),
                BinaryOp::Mul => left.wrapping_mul(right),
                BinaryOp::Div if right == 0 => 0,
                BinaryOp::Div => left.wrapping_div(right),
                BinaryOp::Rem if right == 0 => left,
                BinaryOp::Rem => left.wrapping_rem(right),
                _ => unreachable!("a condition"),
            })
        }
        _ => unreachable!("no number"),
    }
}

/// Whether a condition holds.
pub fn holds(expr: &Expr, call: &Call) -> bool {
    match &expr.kind {
        ExprKind::Not(inner) => match &inner.kind {
            ExprKind::Builtin(_) => value(inner, call) == Some(0),
            ExprKind::Not(twice) => holds(twice, call),
            _ => !holds(inner, call),
        },
        ExprKind::Binary(BinaryOp::And, left, right) => holds(left, call) && holds(right, call),
        ExprKind::Binary(BinaryOp::Or, left, right) => holds(left, call) || holds(right, call),
        ExprKind::Binary(op, left, right) if left.ty == Type::Text => {
            (text(left, call) == text(right, call)) == (*op == BinaryOp::Eq)
        }
        ExprKind::Binary(op, left, right) => {
            let is_runtime = left.ty == Type::Enum(Enumeration::Runtime);
            let compared = |value: i64| if is_runtime { value & 0xff } else { value };
            match (value(left, call), value(right, call)) {
                (Some(left), Some(right)) => compare(*op, compared(left), compared(right)),
                _ => false,
            }
        }
        _ => value(expr, call) == Some(1),
    }
}

/// Whether a comparison of two numbers is true.
pub fn compare(op: BinaryOp, left: i64, right: i64) -> bool {
    match op {
        BinaryOp::Eq => left == right,
        BinaryOp::Ne => left != right,
        BinaryOp::Lt => left < right,
        BinaryOp::Le => left <= right,
        BinaryOp::Gt => left > right,
        BinaryOp::Ge => left >= right,
        _ => unreachable!("no comparison"),
    }
}

fn text(expr: &Expr, call: &Call) -> [u8; TEXT_LEN] {
    match &expr.kind {
        ExprKind::Text(literal) => padded(literal),
        _ => call.thread(),
    }
}

fn probes_match(clause: &Clause, call: &Call) -> bool {
    let field = |name| call.get(ewapa_lang::builtin::builtin(name).expect("a builtin"));
    let function = Function::from_index(field("func") as usize).expect("a WASI function");
    clause.probes().iter().any(|probe| {
        let runtime = probe
            .runtime
            .is_none_or(|runtime| field("runtime") & 0xff == i64::from(runtime));
        runtime && probe.functions.contains(function)
    })
}

/// Whether any clause could still want the call when no more of it is known than at its entry.
pub fn wanted_at_entry(plan: &Plan, call: &Call) -> bool {
    plan.clauses.iter().any(|clause| {
        probes_match(clause, call)
            && clause
                .filter
                .as_ref()
                .is_none_or(|filter| not_refuted_at_entry(filter, call))
    })
}

fn not_refuted_at_entry(filter: &Expr, call: &Call) -> bool {
    match &filter.kind {
        ExprKind::Binary(BinaryOp::And, left, right) => {
            not_refuted_at_entry(left, call) && not_refuted_at_entry(right, call)
        }
        _ => filter.reads(&mut |builtin| builtin.known == Known::End) || holds(filter, call),
    }
}

/// What a plan keeps of a sequence of calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// The groups of each store.
    pub stores: Vec<Groups>,
    /// How many calls found no place.
    pub lost: u64,
    max_rows: usize,
}

impl Reference {
    /// Nothing yet. No store with keys takes more rows than these.
    pub fn new(plan: &Plan, max_rows: usize) -> Reference {
        Reference {
            stores: vec![Groups::new(); plan.stores.len()],
            lost: 0,
            max_rows,
        }
    }

    /// Takes one completed call on this CPU.
    pub fn take(&mut self, plan: &Plan, cpu: u64, call: &Call) {
        for clause in &plan.clauses {
            if probes_match(clause, call)
                && clause
                    .filter
                    .as_ref()
                    .is_none_or(|filter| holds(filter, call))
            {
                for action in &clause.actions {
                    match action {
                        Action::Record(record) => self.record(plan, record, cpu, call),
                        _ => unreachable!("the checker makes no other actions yet"),
                    }
                }
            }
        }
    }

    fn record(&mut self, plan: &Plan, record: &Record, cpu: u64, call: &Call) {
        let store = &plan.stores[record.store.0];
        let key = |expr: &Expr| match expr.ty {
            Type::Text => Key::Text(text(expr, call)),
            _ => Key::Number(value(expr, call).unwrap_or(NONE)),
        };
        let groups = &mut self.stores[record.store.0];
        let group = (cpu, record.keys.iter().map(key).collect());
        if !store.keys.is_empty() && groups.len() >= self.max_rows && !groups.contains_key(&group) {
            self.lost += 1;
            return;
        }
        let row = groups
            .entry(group)
            .or_insert_with(|| store.slots.iter().copied().map(empty).collect());
        for it in &record.updates {
            if it
                .condition
                .as_ref()
                .is_none_or(|condition| holds(condition, call))
            {
                let slot = it.slot.0;
                update(store.slots[slot], it, &mut row[slot], call);
            }
        }
    }
}

fn empty(kind: SlotKind) -> Kept {
    match kind {
        SlotKind::Count | SlotKind::Values | SlotKind::Sum | SlotKind::Last | SlotKind::Tally => {
            Kept::Number(0)
        }
        SlotKind::SumOfSquares => Kept::Squares(0),
        SlotKind::Min => Kept::Number(i64::MAX),
        SlotKind::Max => Kept::Number(i64::MIN),
        SlotKind::Histogram(_) => Kept::Histogram(BTreeMap::new()),
    }
}

fn update(kind: SlotKind, update: &Update, kept: &mut Kept, call: &Call) {
    let Some(new) = update
        .value
        .as_ref()
        .map_or(Some(0), |expr| value(expr, call))
    else {
        return;
    };
    match (kind, kept) {
        (SlotKind::Count | SlotKind::Values, Kept::Number(count)) => *count += 1,
        (SlotKind::Sum | SlotKind::Tally, Kept::Number(sum)) => *sum = sum.wrapping_add(new),
        (SlotKind::Last, Kept::Number(last)) => *last = new,
        (SlotKind::Min, Kept::Number(min)) => *min = new.min(*min),
        (SlotKind::Max, Kept::Number(max)) => *max = new.max(*max),
        (SlotKind::SumOfSquares, Kept::Squares(sum)) => {
            *sum = sum.wrapping_add(u128::from(new.unsigned_abs()).pow(2));
        }
        (SlotKind::Histogram(buckets), Kept::Histogram(kept)) => {
            let bucket = histogram::bucket(buckets, new);
            assert!(bucket < histogram::count(buckets));
            *kept.entry(bucket).or_default() += 1;
        }
        _ => unreachable!("made by `empty`"),
    }
}
