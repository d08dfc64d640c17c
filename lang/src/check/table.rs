//! Tables: where their groups are kept and how they are printed.

use std::collections::HashMap;

use crate::ast::{self, ClauseKind};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Action, Event, Expr, Plan, Record, Store, StoreId};
use crate::span::Span;

use super::shape::Shape;
use super::slots::Slots;
use super::value::Position;
use super::{Checker, MAX_COLUMNS, MAX_KEYS, MAX_SLOTS};

impl Checker<'_> {
    /// Adds a table to the plan, unless it has errors.
    pub(super) fn table(&mut self, table: &ast::Table, plan: &mut Plan) {
        self.check_size(table);
        self.check_headings(table);
        let probes = self.probes(&table.probes);
        if let Some(probes) = &probes {
            self.stand_at(&Event::Wasi(probes.clone()));
        }
        let filter = match &table.filter {
            Some(filter) => self.condition(filter, Position::Filter).map(Some),
            None => Some(None),
        };
        let written = all_keys(table);
        let keys: Vec<Option<Expr>> = written
            .iter()
            .take(MAX_KEYS)
            .map(|key| self.key(key))
            .collect();
        let mut slots = Slots {
            kinds: Vec::new(),
            updates: Vec::new(),
            condition: None,
        };
        let columns = table.columns.iter().take(MAX_COLUMNS);
        let columns: Vec<_> = columns
            .map(|column| self.column(column, &table.columns, &mut slots))
            .collect();
        if slots.kinds.len() > MAX_SLOTS {
            let message = format!(
                "the columns of `{}` need {} slots; a table has {MAX_SLOTS}",
                table.name.text,
                slots.kinds.len()
            );
            let error = Diagnostic::new(Code::TooLarge, table.name.span, message);
            self.errors.push(
                error.help(
                    "a slot is one number or histogram that the kernel keeps; use two tables",
                ),
            );
        }
        let mut shape = shape(table, &written, &keys, &columns);
        let clauses = self.clauses(table, &shape);
        let is_whole = probes.is_some() && filter.is_some() && shape.has_types();
        shape.index = is_whole.then_some(plan.tables.len());
        self.shapes.push(shape);
        let (Some(probes), Some(filter), Some(keys), Some(columns)) = (
            probes,
            filter,
            keys.into_iter().collect::<Option<Vec<Expr>>>(),
            columns.into_iter().collect(),
        ) else {
            return;
        };
        let store = StoreId(plan.stores.len());
        let name = table.name.text.clone();
        plan.clauses.push(plan::Clause {
            event: Event::Wasi(probes),
            filter,
            variables: Vec::new(),
            actions: vec![Action::Record(Record {
                store,
                keys: keys.clone(),
                updates: slots.updates,
            })],
        });
        plan.stores.push(Store {
            name: name.clone(),
            keys: keys.iter().map(|key| key.ty).collect(),
            slots: slots.kinds,
        });
        let keys = written.iter().map(|key| key.text.clone()).collect();
        plan.tables.push(plan::Table {
            name,
            store,
            keys,
            columns,
            title: clauses.title,
            having: clauses.having,
            sort: clauses.sort,
            limit: clauses.limit,
            pivot: clauses.pivot,
            every: clauses.every,
        });
    }

    fn check_size(&mut self, table: &ast::Table) {
        if table.columns.is_empty() {
            let message = format!("the table `{}` has no columns", table.name.text);
            let error = Diagnostic::new(Code::EmptyTable, table.name.span, message);
            self.errors
                .push(error.help("a column is a name and an aggregate: `calls = count()`"));
        }
        if let Some(key) = all_keys(table).get(MAX_KEYS) {
            self.too_many(
                key.value.span,
                format!("a table has at most {MAX_KEYS} keys"),
            );
        }
        if let Some(column) = table.columns.get(MAX_COLUMNS) {
            self.too_many(
                column.name.span,
                format!("a table has at most {MAX_COLUMNS} columns"),
            );
        }
    }

    /// No two keys or columns have the same heading.
    fn check_headings(&mut self, table: &ast::Table) {
        let keys = table
            .keys
            .iter()
            .map(|key| (key.text.as_str(), key.value.span));
        let columns = table
            .columns
            .iter()
            .map(|column| (column.name.text.as_str(), column.name.span));
        let mut seen: HashMap<&str, Span> = HashMap::new();
        for (heading, place) in keys.chain(columns) {
            match seen.get(heading) {
                Some(first) => {
                    let message = format!(
                        "the table `{}` has two columns called `{heading}`",
                        table.name.text
                    );
                    self.errors.push(
                        Diagnostic::new(Code::Duplicate, place, message).also(*first, "first here"),
                    );
                }
                None => drop(seen.insert(heading, place)),
            }
        }
    }

    fn key(&mut self, key: &ast::Key) -> Option<Expr> {
        let value = self.value(&key.value, Position::Key)?;
        if !value.expr.reads(&mut |_| true) {
            let error = Diagnostic::new(
                Code::ConstantKey,
                value.span,
                "this key is the same for every call",
            );
            self.errors.push(
                error.help("group by a value of the call, such as `runtime`, `func` or `pid`"),
            );
            return None;
        }
        self.spend(&value.expr, value.span);
        Some(value.expr)
    }
}

/// The keys of the `by`, and that of the `pivot` if it is none of them.
fn all_keys(table: &ast::Table) -> Vec<&ast::Key> {
    let mut keys: Vec<&ast::Key> = table.keys.iter().collect();
    for clause in &table.clauses {
        if let ClauseKind::Pivot { key, .. } = &clause.kind
            && !keys.iter().any(|known| known.text == key.text)
        {
            keys.push(key);
        }
    }
    keys
}

fn shape(
    table: &ast::Table,
    written: &[&ast::Key],
    keys: &[Option<Expr>],
    columns: &[Option<plan::Column>],
) -> Shape {
    let keys = written.iter().zip(keys);
    let columns = table.columns.iter().zip(columns);
    Shape {
        name: table.name.text.clone(),
        index: None,
        keys: keys
            .map(|(key, checked)| (key.text.clone(), checked.as_ref().map(|checked| checked.ty)))
            .collect(),
        columns: columns
            .map(|(column, checked)| {
                let ty = checked.as_ref().map(|checked| checked.ty);
                (column.name.text.clone(), ty)
            })
            .collect(),
    }
}
