//! Which columns are estimates: what they are made of was told from which thread wakes which.

use crate::builtin::{Builtin, HANDED, SERVED};

use super::{
    Action, Aggregate, BinaryOp, Clause, ColumnExpr, Event, Expr, ExprKind, Plan, SlotId, Table,
};

/// How much of a table an estimate is in.
struct Estimated {
    /// All of it: which events are in the table, or in which row, is one.
    all: bool,
    slots: Vec<SlotId>,
}

impl Plan {
    /// The columns of a table that are estimates, by index. That of system calls is one only if any was booked
    /// to the call of another thread: `any_handed`.
    pub fn estimates(&self, table: &Table, any_handed: bool) -> Vec<usize> {
        let mut estimated = Estimated {
            all: false,
            slots: Vec::new(),
        };
        for clause in &self.clauses {
            let names: &[&str] = match clause.event {
                Event::Wasi(_) => &HANDED,
                Event::Syscall(_) if any_handed && !is_of_own_thread(clause) => &SERVED,
                _ => continue,
            };
            estimated.add(clause, table, names);
        }
        let columns = table.columns.iter().enumerate();
        columns
            .filter(|(_, column)| estimated.has(&column.value))
            .map(|(index, _)| index)
            .collect()
    }
}

impl Estimated {
    fn add(&mut self, clause: &Clause, table: &Table, names: &[&str]) {
        let mut is_one =
            |expr: &Expr| expr.reads(&mut |builtin: &Builtin| names.contains(&builtin.name));
        let of_table = |action: &Action| matches!(action, Action::Record(record) if record.store == table.store);
        if !clause.actions.iter().any(of_table) {
            return;
        }
        self.all |= clause.filter.as_ref().is_some_and(&mut is_one);
        for action in &clause.actions {
            match action {
                Action::Record(record) if record.store == table.store => {
                    self.all |= record.keys.iter().any(&mut is_one);
                    for update in &record.updates {
                        if update
                            .value
                            .iter()
                            .chain(&update.condition)
                            .any(&mut is_one)
                        {
                            self.slots.push(update.slot);
                        }
                    }
                }
                // A variable may go into the table.
                other => self.all |= other.any_expression(&mut is_one),
            }
        }
    }

    fn has(&self, column: &ColumnExpr) -> bool {
        let among =
            |slots: &[SlotId]| self.all || slots.iter().any(|slot| self.slots.contains(slot));
        match column {
            ColumnExpr::Aggregate(aggregate) => among(&aggregate.slots()),
            ColumnExpr::Series(slot) | ColumnExpr::Histogram(slot, _) => among(&[*slot]),
            other => other.parts().into_iter().any(|part| self.has(part)),
        }
    }
}

/// Whether a filter lets only those system calls pass that a thread made for its own call: `!handed`.
fn is_of_own_thread(clause: &Clause) -> bool {
    fn excludes(expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Binary(BinaryOp::And, left, right) => excludes(left) || excludes(right),
            ExprKind::Not(inner) => {
                matches!(inner.kind, ExprKind::Builtin(builtin) if builtin.name == "handed")
            }
            _ => false,
        }
    }
    clause.filter.as_ref().is_some_and(excludes)
}

impl Aggregate {
    /// The slots that it is computed from.
    fn slots(&self) -> Vec<SlotId> {
        match *self {
            Aggregate::Count { count } => vec![count],
            Aggregate::Sum { sum, values }
            | Aggregate::Rate { sum, values }
            | Aggregate::Avg { sum, values } => vec![sum, values],
            Aggregate::Min { min, values } => vec![min, values],
            Aggregate::Max { max, values } => vec![max, values],
            Aggregate::Stddev {
                sum,
                squares,
                values,
            } => vec![sum, squares, values],
            Aggregate::Quantile {
                histogram,
                min,
                max,
                ..
            } => vec![histogram, min, max],
        }
    }
}
