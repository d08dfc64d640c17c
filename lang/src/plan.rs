//! The plan of a script: everything that can be decided before the kernel. It is the contract between
//! this crate and the rest: what to probe, what to do at each call, what to keep, what to print.

mod action;
mod estimate;
mod event;
mod expression;
mod message;
mod name_test;
mod none;
mod result;
mod settings;
mod store;
mod table;

pub use action::{Action, Record, Update};
pub use event::{Clause, Event, Phase, Probe, RawKind, RawProbe, Syscalls};
pub use expression::{BinaryOp, Expr, ExprKind, KernelValue};
pub use message::{Conversion, Message, MessageKind, Piece, Shape, Show};
pub use name_test::{NameTest, Wanted};
pub use none::Nones;
pub use result::{Baseline, Cell, Check, Entry, KeyValue, Pivot, ResultExpr, ResultKind, RunValue};
pub use settings::{OutputFormat, Settings};
pub use store::{Buckets, Fold, Map, MapValue, SlotKind, Store};
pub use table::{Aggregate, Column, ColumnCondition, ColumnExpr, Sort, SortBy, Table, Unit};

use crate::builtin::Builtin;
use crate::wasi::FunctionSet;

/// What a script is, ready to be turned into eBPF and tables.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// What each probe does, in the order of the script.
    pub clauses: Vec<Clause>,
    /// What the kernel keeps.
    pub stores: Vec<Store>,
    /// What is printed at the end, in the order of the script.
    pub tables: Vec<Table>,
    /// The maps of the script, in the order in which it names them.
    pub maps: Vec<Map>,
    /// What user space is told of, and what it does then.
    pub messages: Vec<Message>,
    /// What has to hold at the end, in the order of the script.
    pub checks: Vec<Check>,
    /// The formats of [`crate::types::Type::Moment`].
    pub formats: Vec<String>,
    /// The numbers of the system calls that are counted within each call: the builtins `watched_0` and on.
    pub watched: Vec<u16>,
    /// What is asked about names that are known only while the script runs.
    pub tests: Vec<NameTest>,
    /// What `config` says.
    pub settings: Settings,
}

/// Index into [`Plan::stores`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StoreId(pub usize);

/// Index into [`Store::slots`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotId(pub usize);

/// Index into [`Plan::messages`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub usize);

/// A `$variable` of a clause: 0 up to [`Clause::variables`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VariableId(pub usize);

impl Plan {
    /// The WASI functions that any clause listens to.
    pub fn functions(&self) -> FunctionSet {
        self.clauses
            .iter()
            .flat_map(Clause::probes)
            .fold(FunctionSet::EMPTY, |set, probe| set.union(probe.functions))
    }

    /// Whether any expression reads this builtin.
    pub fn reads(&self, builtin: &Builtin) -> bool {
        let mut read = |expr: &Expr| expr.reads(&mut |known| known == builtin);
        self.clauses.iter().any(|clause| {
            clause.filter.as_ref().is_some_and(&mut read)
                || clause
                    .actions
                    .iter()
                    .any(|action| action.any_expression(&mut read))
        })
    }
}
