//! Tables: where their groups are kept and how they are printed.

use std::collections::HashMap;

use crate::ast::{self, ClauseKind};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Action, Event, Expr, Plan, Record, Store, StoreId};
use crate::span::Span;
use crate::types::Type;

use super::block::likely;
use super::context::Context;
use super::event::Occasion;
use super::reads::Reads;
use super::shape::Shape;
use super::slots::Slots;
use super::typing::a;
use super::value::Position;
use super::{Checker, MAX_CLAUSES, MAX_COLUMNS, MAX_KEYS, MAX_SLOTS};

impl Checker<'_> {
    /// Adds a table to the plan, unless it has errors.
    pub(super) fn table(&mut self, table: &ast::Table, plan: &mut Plan) {
        self.check_size(table);
        self.check_headings(table);
        let occasions = self.events(&table.probes, &Reads::of_table(table), true);
        let written = all_keys(table);
        self.next_counted_calls(plan.stores.len());
        let errors_before = self.errors.len();
        let mut rows = Vec::new();
        let mut clauses = Vec::new();
        let places = places(table, occasions);
        if places.len() > MAX_CLAUSES {
            let message = format!(
                "the probes of `{}` are {} different kinds of events; at most {MAX_CLAUSES} are accepted",
                table.name.text,
                places.len()
            );
            let error = Diagnostic::new(Code::TooLarge, table.name.span, message);
            self.errors
                .push(error.help("tracepoints whose `args` are read have an event each"));
            return;
        }
        for (event, context) in places {
            self.context = context;
            if let Some(event) = &event {
                self.stand_at(event);
            }
            let (filter, row) = self.row(table, &written);
            clauses.push((event, filter));
            rows.push(row);
        }
        self.report_once(errors_before);
        let (keys, columns) = self.same_rows(table, &written, &rows);
        let mut shape = shape(table, &written, &keys, &columns);
        let after = self.clauses(table, &shape);
        let wasi_calls = self.wasi_calls_of(table, &written);
        self.context = Context::default();
        let is_whole = !rows.is_empty()
            && rows.iter().all(Row::is_whole)
            && clauses
                .iter()
                .all(|(event, filter)| event.is_some() && filter.is_some())
            && shape.has_types();
        shape.index = is_whole.then_some(plan.tables.len());
        self.shapes.push(shape);
        let (Some(keys), Some(columns), Some(kinds)) = (
            keys.into_iter().collect::<Option<Vec<Type>>>(),
            columns.into_iter().collect::<Option<Vec<plan::Column>>>(),
            rows.first().map(|row| row.slots.kinds.clone()),
        ) else {
            return;
        };
        let store = StoreId(plan.stores.len());
        for ((event, filter), row) in clauses.into_iter().zip(rows) {
            let (Some(event), Some(filter), Some(keys)) = (event, filter, row.keys()) else {
                return;
            };
            let clause = plan::Clause {
                event,
                filter,
                variables: Vec::new(),
                actions: vec![Action::Record(Record {
                    store,
                    keys,
                    updates: row.slots.updates,
                })],
            };
            self.check_room(&clause, table.name.span);
            plan.clauses.push(clause);
        }
        let name = table.name.text.clone();
        plan.stores.push(Store {
            name: name.clone(),
            keys,
            slots: kinds,
        });
        if let Some((store, clause)) = wasi_calls {
            plan.stores.push(store);
            plan.clauses.push(clause);
        }
        let keys = written.iter().map(|key| key.text.clone()).collect();
        plan.tables.push(plan::Table {
            name,
            store,
            keys,
            columns,
            title: after.title,
            having: after.having,
            sort: after.sort,
            limit: after.limit,
            pivot: after.pivot,
            every: after.every,
        });
    }

    /// What a table keeps and shows of the events of the current context, and which of them.
    fn row(&mut self, table: &ast::Table, written: &[&ast::Key]) -> (Option<Option<Expr>>, Row) {
        let filter = match &table.filter {
            Some(filter) => self.condition(filter, Position::Filter).map(Some),
            None => Some(None),
        };
        let keys = written
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
        let columns = columns
            .map(|column| self.column(column, table, &mut slots))
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
        (
            filter,
            Row {
                keys,
                columns,
                slots,
            },
        )
    }

    /// The types of the keys and the columns that a table has at all of its events. They keep and show the same.
    fn same_rows(
        &mut self,
        table: &ast::Table,
        written: &[&ast::Key],
        rows: &[Row],
    ) -> (Vec<Option<Type>>, Vec<Option<plan::Column>>) {
        let Some(first) = rows.first() else {
            return (vec![None; written.len()], vec![None; table.columns.len()]);
        };
        let mut keys: Vec<Option<Type>> = first
            .keys
            .iter()
            .map(|key| key.as_ref().map(|key| key.ty))
            .collect();
        for row in &rows[1..] {
            for (index, key) in row.keys.iter().enumerate() {
                let (Some(known), Some(key)) = (keys[index], key) else {
                    keys[index] = None;
                    continue;
                };
                keys[index] = match (known, key.ty) {
                    (Type::Text(one), Type::Text(other)) => Some(Type::Text(one.max(other))),
                    (known, ty) if known == ty => Some(known),
                    (known, ty) => {
                        let place = written[index].value.span;
                        self.other_types(place, &written[index].text, known, ty)
                    }
                };
            }
            for (index, column) in row.columns.iter().enumerate() {
                if let (Some(known), Some(column)) = (&first.columns[index], column)
                    && known != column
                {
                    let name = &table.columns[index].name;
                    self.other_types::<()>(name.span, &name.text, known.ty, column.ty);
                }
            }
        }
        (keys, first.columns.clone())
    }

    fn other_types<T>(&mut self, place: Span, name: &str, one: Type, other: Type) -> Option<T> {
        let message = if one == other {
            format!("`{name}` is made differently at the different events of this table")
        } else {
            format!(
                "`{name}` is {} at some events of this table, and {} at others",
                a(one),
                a(other)
            )
        };
        self.errors.push(
            Diagnostic::new(Code::OtherTypes, place, message)
                .help("write a table for each kind of event"),
        );
        None
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
        if !varies(&value.expr) {
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

/// What a table keeps and shows of one kind of event.
struct Row {
    keys: Vec<Option<Expr>>,
    columns: Vec<Option<plan::Column>>,
    slots: Slots,
}

impl Row {
    fn is_whole(&self) -> bool {
        self.keys.iter().all(Option::is_some) && self.columns.iter().all(Option::is_some)
    }

    fn keys(&self) -> Option<Vec<Expr>> {
        self.keys.iter().cloned().collect()
    }
}

/// The events of a table and their contexts. One whose probes have a slip is checked as if they were right.
fn places(table: &ast::Table, occasions: Option<Vec<Occasion>>) -> Vec<(Option<Event>, Context)> {
    match occasions {
        Some(occasions) => occasions
            .into_iter()
            .map(|occasion| (Some(occasion.event), occasion.context))
            .collect(),
        None => match likely(&table.probes) {
            Some(Context::Other(_)) | None => vec![(None, Context::Call)],
            Some(context) => vec![(None, context)],
        },
    }
}

/// Whether a value can differ from event to event.
fn varies(expr: &Expr) -> bool {
    let parts = expr.parts();
    match expr.kind {
        plan::ExprKind::Const(_) | plan::ExprKind::Text(_) => false,
        _ => parts.is_empty() || parts.into_iter().any(varies),
    }
}

/// The keys of the `by`, and that of the `pivot` if it is none of them.
pub(super) fn all_keys(table: &ast::Table) -> Vec<&ast::Key> {
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
    keys: &[Option<Type>],
    columns: &[Option<plan::Column>],
) -> Shape {
    let keys = written.iter().zip(keys);
    let columns = table.columns.iter().zip(columns);
    Shape {
        name: table.name.text.clone(),
        index: None,
        keys: keys.map(|(key, ty)| (key.text.clone(), *ty)).collect(),
        columns: columns
            .map(|(column, checked)| {
                let ty = checked.as_ref().map(|checked| checked.ty);
                (column.name.text.clone(), ty)
            })
            .collect(),
    }
}
