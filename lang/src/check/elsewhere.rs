//! `wasi_calls`: how many WASI calls there were for a row of a table of system calls. They are counted by a
//! clause and a store of their own.

use crate::ast::{self, BinaryOp, ExprKind, UnaryOp};
use crate::builtin::{self, Events};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{
    self, Action, Clause, ColumnExpr, Event, Expr, Probe, Record, SlotId, SlotKind, Store, StoreId,
    Update,
};
use crate::span::Span;
use crate::wasi::Function;

use super::Checker;
use super::context::Context;
use super::table::all_keys;
use super::value::Position;

/// The name of the number of WASI calls.
pub(crate) const WASI_CALLS: &str = "wasi_calls";

/// What system calls and WASI calls have in common: the names at either.
const IN_COMMON: &[(&str, &str)] = &[
    ("wasi_func", "func"),
    ("runtime", "runtime"),
    ("module", "module"),
    ("pid", "pid"),
    ("tid", "tid"),
    ("comm", "comm"),
];

/// Whether a table has a column with the number of WASI calls.
pub(super) fn counts_calls(table: &ast::Table) -> bool {
    table
        .columns
        .iter()
        .any(|column| mentions(&column.value, &|name| name == WASI_CALLS))
}

impl Checker<'_> {
    /// The number of WASI calls for a row, within a column.
    pub(super) fn wasi_calls(&mut self, place: Span, table: &ast::Table) -> Option<ColumnExpr> {
        if !matches!(self.context, Context::Syscall) {
            let message = "`wasi_calls` is for tables of system calls";
            self.errors.push(
                Diagnostic::new(Code::UnknownName, place, message)
                    .help("a table of WASI calls counts them with `count()`"),
            );
            return None;
        }
        let keys = all_keys(table);
        let index = |key: &&ast::Key| keys.iter().position(|known| known.text == key.text);
        Some(ColumnExpr::Elsewhere {
            store: self.counted_calls,
            keys: common_keys(&keys)
                .iter()
                .filter_map(|(key, _)| index(key))
                .collect(),
        })
    }

    /// The store and the clause that count the WASI calls for a table, if it asks for them.
    pub(super) fn wasi_calls_of(
        &mut self,
        table: &ast::Table,
        written: &[&ast::Key],
    ) -> Option<(Store, Clause)> {
        if !counts_calls(table) {
            return None;
        }
        self.context = Context::Call;
        let keys: Vec<Expr> = common_keys(written)
            .into_iter()
            .filter_map(|(_, name)| builtin::builtin_at(name, Events::CALL))
            .map(|builtin| Expr {
                kind: plan::ExprKind::Builtin(builtin),
                ty: builtin.ty,
            })
            .collect();
        let filter = table
            .filter
            .as_ref()
            .and_then(|filter| self.in_common(filter));
        let filter = match filter {
            Some(filter) => Some(self.condition(&filter, Position::Filter)?),
            None => None,
        };
        let probe = Probe {
            functions: Function::all().collect(),
            runtime: None,
        };
        let store = Store {
            name: format!("{} {WASI_CALLS}", table.name.text),
            keys: keys.iter().map(|key| key.ty).collect(),
            slots: vec![SlotKind::Count],
        };
        let record = Record {
            store: self.counted_calls,
            keys,
            updates: vec![Update {
                slot: SlotId(0),
                value: None,
                condition: None,
            }],
        };
        let clause = Clause {
            event: Event::Wasi(vec![probe]),
            filter,
            variables: Vec::new(),
            actions: vec![Action::Record(record)],
        };
        Some((store, clause))
    }

    /// What of a condition on system calls can be said of WASI calls as well.
    fn in_common(&self, filter: &ast::Expr) -> Option<ast::Expr> {
        if let ExprKind::Binary(BinaryOp::And, left, right) = &filter.kind {
            return match (self.in_common(left), self.in_common(right)) {
                (Some(left), Some(right)) => Some(ast::Expr {
                    kind: ExprKind::Binary(BinaryOp::And, Box::new(left), Box::new(right)),
                    span: filter.span,
                }),
                (one, other) => one.or(other),
            };
        }
        let is_other = |name: &str| {
            !self.is_constant(name) && !IN_COMMON.iter().any(|(known, _)| *known == name)
        };
        let reads_more = mentions(filter, &is_other) || !is_plain(filter);
        (!reads_more).then(|| {
            let mut filter = filter.clone();
            rename(&mut filter);
            filter
        })
    }

    /// Where the calls for the table that comes next are counted.
    pub(super) fn next_counted_calls(&mut self, stores: usize) {
        self.counted_calls = StoreId(stores + 1);
    }
}

/// The keys that WASI calls have, too, and what they are called there.
fn common_keys<'k>(keys: &[&'k ast::Key]) -> Vec<(&'k ast::Key, &'static str)> {
    let name = |key: &&'k ast::Key| {
        let ExprKind::Name(name) = &key.value.kind else {
            return None;
        };
        let (_, at_calls) = IN_COMMON.iter().find(|(known, _)| known == name)?;
        Some((*key, *at_calls))
    };
    keys.iter().filter_map(name).collect()
}

fn mentions(expr: &ast::Expr, wanted: &dyn Fn(&str) -> bool) -> bool {
    matches!(&expr.kind, ExprKind::Name(name) if wanted(name))
        || expr.parts().into_iter().any(|part| mentions(part, wanted))
}

/// Whether an expression is made of names, constants and operators only, and of no empty text: whether there
/// is a call around a system call is nothing that can be asked of a call.
fn is_plain(expr: &ast::Expr) -> bool {
    let plain = match &expr.kind {
        ExprKind::Text(text) => !text.is_empty(),
        ExprKind::Number(_) | ExprKind::Name(_) | ExprKind::Binary(..) => true,
        ExprKind::Unary(op, _) => matches!(op, UnaryOp::Not | UnaryOp::Negate),
        _ => false,
    };
    plain && expr.parts().into_iter().all(is_plain)
}

fn rename(expr: &mut ast::Expr) {
    if let ExprKind::Name(name) = &mut expr.kind
        && let Some((_, at_calls)) = IN_COMMON.iter().find(|(known, _)| known == name)
    {
        *name = (*at_calls).to_owned();
    }
    for part in expr.parts_mut() {
        rename(part);
    }
}
