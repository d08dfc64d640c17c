//! Tables: where their groups are kept and how they are printed.

use std::collections::HashMap;

use crate::ast::{self, Amount, Clause, ClauseKind, Name, Number};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Action, Event, Expr, Plan, Record, Sort, SortBy, Store, StoreId};
use crate::span::Span;
use crate::types::Type;

use super::name::did_you_mean;
use super::param::Constant;
use super::slots::Slots;
use super::value::Position;
use super::{Checker, MAX_COLUMNS, MAX_KEYS, MAX_SLOTS};

impl Checker<'_> {
    /// Adds a table to the plan, unless it has errors.
    pub(super) fn table(&mut self, table: &ast::Table, plan: &mut Plan) {
        self.check_size(table);
        self.check_headings(table);
        let probes = self.probes(&table.probes);
        let filter = match &table.filter {
            Some(filter) => self.condition(filter, Position::Filter).map(Some),
            None => Some(None),
        };
        let keys: Vec<Option<Expr>> = table
            .keys
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
        let (sort, limit) = self.clauses(table);
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
            variables: 0,
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
        let keys = table.keys.iter().map(|key| key.text.clone()).collect();
        plan.tables.push(plan::Table {
            name,
            store,
            keys,
            columns,
            sort,
            limit,
        });
    }

    fn check_size(&mut self, table: &ast::Table) {
        if table.columns.is_empty() {
            let message = format!("the table `{}` has no columns", table.name.text);
            let error = Diagnostic::new(Code::EmptyTable, table.name.span, message);
            self.errors
                .push(error.help("a column is a name and an aggregate: `calls = count()`"));
        }
        if let Some(key) = table.keys.get(MAX_KEYS) {
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

    /// What follows the columns.
    fn clauses(&mut self, table: &ast::Table) -> (Option<Sort>, Option<usize>) {
        let (mut sort, mut limit) = (None, None);
        for (index, clause) in table.clauses.iter().enumerate() {
            let word = word(&clause.kind);
            let same = |other: &&Clause| {
                std::mem::discriminant(&other.kind) == std::mem::discriminant(&clause.kind)
            };
            if let Some(first) = table.clauses[..index].iter().find(same) {
                let error = Diagnostic::new(
                    Code::Duplicate,
                    clause.span,
                    format!("`{word}` is given twice"),
                );
                self.errors.push(error.also(first.span, "first here"));
            }
            match &clause.kind {
                ClauseKind::Sort { by, descending } => {
                    sort = self.sort_by(table, by).map(|by| Sort {
                        by,
                        descending: *descending,
                    });
                }
                ClauseKind::Limit(rows) => limit = self.limit(rows),
                _ => self.not_yet(clause.span, &format!("`{word}` is")),
            }
        }
        (sort, limit)
    }

    fn sort_by(&mut self, table: &ast::Table, name: &Name) -> Option<SortBy> {
        if let Some(index) = table
            .columns
            .iter()
            .position(|column| column.name.text == name.text)
        {
            return Some(SortBy::Column(index));
        }
        if let Some(index) = table.keys.iter().position(|key| key.text == name.text) {
            return Some(SortBy::Key(index));
        }
        let message = format!(
            "the table `{}` has no column `{}`",
            table.name.text, name.text
        );
        let columns = table.columns.iter().map(|column| column.name.text.as_str());
        let headings: Vec<&str> = columns
            .chain(table.keys.iter().map(|key| key.text.as_str()))
            .collect();
        let error = Diagnostic::new(Code::UnknownColumn, name.span, message);
        let error = did_you_mean(error, &name.text, headings.iter().copied());
        self.errors
            .push(error.help(format!("it can be sorted by {}", headings.join(", "))));
        None
    }

    fn limit(&mut self, rows: &ast::Expr) -> Option<usize> {
        let constant = self.constant(rows)?;
        if let Some(Constant::Number(Number {
            amount: Amount::Whole(rows),
            ty: Type::Int,
        })) = constant
            && let Ok(rows @ 1..) = usize::try_from(rows)
        {
            return Some(rows);
        }
        let message =
            "`limit` needs a number of rows that is known before the script runs: 1 or more";
        self.errors.push(
            Diagnostic::new(Code::NotConstant, rows.span, message)
                .help("such as `limit 20`, or a `param`"),
        );
        None
    }
}

fn word(clause: &ClauseKind) -> &'static str {
    match clause {
        ClauseKind::Having(_) => "having",
        ClauseKind::Sort { .. } => "sort",
        ClauseKind::Limit(_) => "limit",
        ClauseKind::Pivot { .. } => "pivot",
        ClauseKind::Every(_) => "every",
        ClauseKind::Title(_) => "title",
    }
}
