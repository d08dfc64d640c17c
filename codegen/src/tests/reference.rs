//! What a plan means, in plain Rust: the second implementation that generated code is held against.

mod expressions;

use std::collections::BTreeMap;

use ewapa_lang::builtin::{Known, NONE};
use ewapa_lang::plan::{
    Action, BinaryOp, Clause, Event, Expr, ExprKind, Nones, Plan, Record, SlotKind, StoreId,
};
use ewapa_lang::types::Type;
use ewapa_lang::wasi::Function;

use super::terms::Call;
use crate::action::shares;
use crate::expr::any;
use crate::histogram;
use expressions::Context;
pub use expressions::{compare, holds, value};

/// One key of a group, or one value of a message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A number, [`NONE`] for a key that has no value.
    Number(i64),
    /// Without the zeros behind it.
    Text(Vec<u8>),
}

impl Key {
    pub fn text(text: &str) -> Key {
        Key::Text(text.as_bytes().to_vec())
    }
}

/// What a slot has accumulated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    Number(i64),
    Squares(u128),
    Text(Vec<u8>),
    /// Only the buckets that are not empty.
    Histogram(BTreeMap<usize, u64>),
}

/// The groups of one store, by CPU and keys. The CPU is 0 if all share the store.
pub type Groups = BTreeMap<(u64, Vec<Key>), Vec<Kept>>;

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
        _ => {
            let changes = any(filter, &mut |part| match part.kind {
                ExprKind::Builtin(builtin) => builtin.known == Known::End,
                ExprKind::Map { .. }
                | ExprKind::HasKey { .. }
                | ExprKind::Rows(_)
                | ExprKind::Read { .. } => true,
                ExprKind::ReadText { .. } => true,
                _ => false,
            });
            changes || holds(filter, call)
        }
    }
}

/// What a plan keeps and tells of a sequence of events.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference<'a> {
    plan: &'a Plan,
    /// The groups of each store.
    pub stores: Vec<Groups>,
    /// What user space was told: the index of the message, and its values.
    pub messages: Vec<(usize, Vec<Key>)>,
    /// How many calls found no place.
    pub lost: u64,
    /// How many messages found no place.
    pub untold: u64,
    max_rows: usize,
    max_messages: usize,
    nones: Nones,
}

/// One event as a clause sees it.
struct Scope<'a> {
    cpu: u64,
    call: &'a Call,
    /// [`NONE`] if it has no value and may have none.
    variables: Vec<Key>,
    optional: Vec<bool>,
}

impl<'a> Reference<'a> {
    /// Nothing yet. No store with keys takes more rows than these, and user space takes so many messages.
    pub fn new(plan: &'a Plan, max_rows: usize, max_messages: usize) -> Reference<'a> {
        Reference {
            plan,
            stores: vec![Groups::new(); plan.stores.len()],
            messages: Vec::new(),
            lost: 0,
            untold: 0,
            max_rows,
            max_messages,
            nones: Nones::of(plan),
        }
    }

    /// Takes one completed call on this CPU.
    pub fn take(&mut self, cpu: u64, call: &Call) {
        let plan = self.plan;
        for (index, clause) in plan.clauses.iter().enumerate() {
            if probes_match(clause, call) {
                self.clause(index, cpu, call);
            }
        }
    }

    /// An event that is no call: the clause with this index, if it waits for one.
    pub fn event(&mut self, cpu: u64, clause: usize) {
        if !matches!(self.plan.clauses[clause].event, Event::Wasi(_)) {
            self.clause(clause, cpu, &Call::blank());
        }
    }

    fn clause(&mut self, index: usize, cpu: u64, call: &Call) {
        let clause = &self.plan.clauses[index];
        let optional = self.nones.variables[index].clone();
        let start = |(ty, optional): (&Type, &bool)| match ty {
            Type::Text(_) => Key::Text(Vec::new()),
            _ => Key::Number(if *optional { NONE } else { 0 }),
        };
        let scope = &mut Scope {
            cpu,
            call,
            variables: clause.variables.iter().zip(&optional).map(start).collect(),
            optional,
        };
        let filter = clause.filter.as_ref();
        if filter.is_none_or(|filter| self.context(scope).holds(filter)) {
            self.actions(&clause.actions, scope);
        }
    }

    fn context<'s>(&'s self, scope: &'s Scope<'_>) -> Context<'s> {
        Context {
            call: scope.call,
            variables: &scope.variables,
            optional: &scope.optional,
            stores: &self.stores,
        }
    }

    fn actions(&mut self, actions: &[Action], scope: &mut Scope<'_>) -> Flow {
        for action in actions {
            let flow = self.action(action, scope);
            if flow != Flow::On {
                return flow;
            }
        }
        Flow::On
    }

    fn action(&mut self, action: &Action, scope: &mut Scope<'_>) -> Flow {
        match action {
            Action::Record(record) => self.record(record, scope),
            Action::Delete { store, keys } => {
                let group = (0, self.context(scope).keys(keys));
                self.stores[store.0].remove(&group);
            }
            Action::Assign { variable, value } => {
                scope.variables[variable.0] = self.context(scope).key(value);
            }
            Action::If {
                condition,
                then,
                otherwise,
            } => {
                let holds = self.context(scope).holds(condition);
                return self.actions(if holds { then } else { otherwise }, scope);
            }
            Action::Loop {
                condition,
                body,
                step,
            } => loop {
                let condition = condition.as_ref();
                if !condition.is_none_or(|condition| self.context(scope).holds(condition)) {
                    break;
                }
                match self.actions(body, scope) {
                    Flow::Over => break,
                    Flow::Ended => return Flow::Ended,
                    Flow::On | Flow::NextRound => {}
                }
                self.actions(step, scope);
            },
            Action::ForEach {
                store,
                keys,
                slots,
                body,
            } => {
                for ((_, key), row) in self.stores[store.0].clone() {
                    let row = row.iter().map(Kept::as_key);
                    let parts = key.into_iter().zip(keys).chain(row.zip(slots));
                    for (part, variable) in parts {
                        if let Some(variable) = variable {
                            scope.variables[variable.0] = part;
                        }
                    }
                    match self.actions(body, scope) {
                        Flow::Over => break,
                        Flow::Ended => return Flow::Ended,
                        Flow::On | Flow::NextRound => {}
                    }
                }
            }
            Action::Tell { message, values } => {
                let values = self.context(scope).keys(values);
                if self.messages.len() < self.max_messages {
                    self.messages.push((message.0, values));
                } else {
                    self.untold += 1;
                }
            }
            Action::Break => return Flow::Over,
            Action::Continue => return Flow::NextRound,
            Action::Return => return Flow::Ended,
        }
        Flow::On
    }

    fn record(&mut self, record: &Record, scope: &Scope<'_>) {
        let store = &self.plan.stores[record.store.0];
        let cpu = if shared(self.plan, record.store) {
            0
        } else {
            scope.cpu
        };
        let group = (cpu, self.context(scope).keys(&record.keys));
        let groups = &mut self.stores[record.store.0];
        if !store.keys.is_empty() && groups.len() >= self.max_rows && !groups.contains_key(&group) {
            self.lost += 1;
            return;
        }
        groups
            .entry(group.clone())
            .or_insert_with(|| store.slots.iter().copied().map(empty).collect());
        for it in &record.updates {
            let context = self.context(scope);
            let wanted = it
                .condition
                .as_ref()
                .is_none_or(|condition| context.holds(condition));
            let value = match &it.value {
                None => Some(Key::Number(0)),
                Some(expr) if expr.ty.is_text() => Some(context.key(expr)),
                Some(expr) => context.value(expr).map(Key::Number),
            };
            if let (true, Some(value)) = (wanted, value) {
                let row = self.stores[record.store.0].get_mut(&group);
                let kept = &mut row.expect("made above")[it.slot.0];
                update(store.slots[it.slot.0], kept, value);
            }
        }
    }
}

/// What follows an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// The next one.
    On,
    /// The next round of the loop.
    NextRound,
    /// What is behind the loop.
    Over,
    /// Nothing.
    Ended,
}

/// Whether all CPUs share the groups of a store.
fn shared(plan: &Plan, store: StoreId) -> bool {
    let read =
        |slot: &SlotKind| matches!(slot, SlotKind::Last | SlotKind::Tally | SlotKind::Text(_));
    plan.stores[store.0].slots.iter().any(read)
        || plan.clauses.iter().any(|clause| shares(clause, store))
}

impl Kept {
    /// What an expression reads.
    pub fn as_key(&self) -> Key {
        match self {
            Kept::Number(number) => Key::Number(*number),
            Kept::Text(text) => Key::Text(text.clone()),
            other => unreachable!("not read: {other:?}"),
        }
    }
}

/// What a slot holds before the first update.
pub fn empty(kind: SlotKind) -> Kept {
    match kind {
        SlotKind::Count | SlotKind::Values | SlotKind::Sum | SlotKind::Last | SlotKind::Tally => {
            Kept::Number(0)
        }
        SlotKind::Text(_) => Kept::Text(Vec::new()),
        SlotKind::SumOfSquares => Kept::Squares(0),
        SlotKind::Min => Kept::Number(i64::MAX),
        SlotKind::Max => Kept::Number(i64::MIN),
        SlotKind::Histogram(_) => Kept::Histogram(BTreeMap::new()),
        SlotKind::Series { .. } => unreachable!("what time it is decides"),
    }
}

fn update(kind: SlotKind, kept: &mut Kept, new: Key) {
    let new = match (new, &mut *kept) {
        (Key::Text(new), Kept::Text(text)) => {
            *text = new;
            return;
        }
        (Key::Number(new), _) => new,
        other => unreachable!("a value of another kind: {other:?}"),
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
