//! `check`: what has to hold for the tables and the run at the end.

use crate::ast::{self, ExprKind, Name};
use crate::builtin;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Cell, Check, Entry, KeyValue, MapValue, Plan, ResultKind, RunValue};
use crate::span::Span;
use crate::types::{Enumeration, Type};

use super::Checker;
use super::map::Holds;
use super::name::did_you_mean;
use super::result::{Found, Scope};
use super::shape::{Part, Shape};
use super::typing::{a, is_numeric, is_plain};

impl Checker<'_> {
    /// Adds a check to the plan, unless it has errors.
    pub(super) fn check(&mut self, check: &ast::Check, plan: &mut Plan) {
        let tables = std::mem::take(&mut self.shapes);
        let mut scope = Scope::Run {
            tables: &tables,
            rows_of: None,
        };
        let condition = self.result_condition(&check.condition, &mut scope);
        let rows_of = match scope {
            Scope::Run { rows_of, .. } => rows_of.map(|(table, _)| table),
            Scope::Row(_) => None,
        };
        self.shapes = tables;
        plan.checks.extend(condition.map(|condition| Check {
            text: check.text.value.clone(),
            written: check.written.clone(),
            condition,
            rows_of,
        }));
    }

    /// A name that stands alone in a check.
    pub(super) fn run_name(&mut self, name: &str, span: Span, tables: &[Shape]) -> Option<Found> {
        if let Some((_, value, ty)) = RunValue::ALL.iter().find(|(known, ..)| *known == name) {
            return Some(Found::new(ResultKind::Run(*value), *ty, span));
        }
        if self.is_constant(name) {
            return self.result_constant(name, span);
        }
        let names = tables.iter().map(|table| table.name.as_str());
        let error = if let Some(table) = tables.iter().find(|table| table.name == name) {
            let column = table.columns.first().map_or("calls", |(column, _)| column);
            Diagnostic::new(Code::NotANumber, span, format!("`{name}` is a table"))
                .help(format!("name a column of it, such as `{name}.{column}`"))
        } else if let Some(builtin) = builtin::builtin(name) {
            let message = format!(
                "`{name}` is {} of one call, and a check is about tables and the whole run",
                a(builtin.ty)
            );
            Diagnostic::new(Code::BareBuiltin, span, message)
                .help("make it a column of a table, and check that: `table.column`")
        } else {
            let message = format!("nothing is called `{name}`");
            let run = RunValue::ALL.iter().map(|(known, ..)| *known);
            let error = Diagnostic::new(Code::UnknownName, span, message);
            did_you_mean(error, name, names.chain(run).chain(self.params.names())).help(
                "a check is about `table.column`, `lost`, `unmatched`, `probe_cost` and `elapsed`",
            )
        };
        self.errors.push(error);
        None
    }

    /// `table.column` or `table[keys].column`.
    pub(super) fn field(
        &mut self,
        whole: &ast::Expr,
        of: &ast::Expr,
        column: &Name,
        scope: &mut Scope,
    ) -> Option<Found> {
        let (table, keys) = match &of.kind {
            ExprKind::Name(table) => (table, None),
            ExprKind::Index(indexed, keys) => match &indexed.kind {
                ExprKind::Name(table) => (table, Some(keys.as_slice())),
                _ => return self.refuse_expr(whole),
            },
            _ => return self.refuse_expr(whole),
        };
        let (tables, rows_of) = match scope {
            Scope::Run { tables, rows_of } => (*tables, rows_of),
            Scope::Row(shape) => {
                let message = "a `having` looks at the columns of its own row only";
                let error = Diagnostic::new(Code::UnknownColumn, whole.span, message);
                self.errors.push(if shape.part(&column.text).is_some() {
                    error.help(format!("write `{}`", column.text))
                } else {
                    error.help("write the name of the column alone")
                });
                return None;
            }
        };
        let Some(shape) = tables.iter().find(|shape| shape.name == *table) else {
            let error = Diagnostic::new(
                Code::UnknownTable,
                of.span,
                format!("no table is called `{table}`"),
            );
            let names = tables.iter().map(|table| table.name.as_str());
            self.errors.push(did_you_mean(error, table, names));
            return None;
        };
        let keys = match keys {
            None if shape.keys.is_empty() => Some(Vec::new()),
            None => None,
            Some(keys) => Some(self.row_keys(shape, keys, of.span)?),
        };
        let Some(part) = shape.part(&column.text) else {
            self.no_such_part(shape, &column.text, column.span);
            return None;
        };
        let table = shape.index?;
        let (kind, ty) = match (part, keys) {
            (Part::Column(column, ty), Some(keys)) => {
                let cell = Cell {
                    table,
                    keys,
                    column,
                };
                (ResultKind::Cell(cell), ty)
            }
            (Part::Key(..), Some(_)) => {
                let message = format!("`{}` is a key: the brackets say its value", column.text);
                let error = Diagnostic::new(Code::UnknownColumn, column.span, message);
                let columns: Vec<&str> = shape
                    .columns
                    .iter()
                    .map(|(name, _)| name.as_str())
                    .collect();
                self.errors
                    .push(error.help(format!("the columns are {}", columns.join(", "))));
                return None;
            }
            (part, None) => {
                let (known, first) = *rows_of.get_or_insert((table, of.span));
                if known != table {
                    self.two_tables(of.span, first);
                    return None;
                }
                match part {
                    Part::Column(index, ty) => (ResultKind::Column(index), ty),
                    Part::Key(index, ty) => (ResultKind::Key(index), ty),
                }
            }
        };
        Some(Found::new(kind, ty?, whole.span))
    }

    /// `@x[key]`: what a map holds at the end.
    pub(super) fn entry(&mut self, name: &str, keys: &[ast::Expr], place: Span) -> Option<Found> {
        let map = self.map(name, place)?;
        self.filled(map, place)?;
        let types = self.key_types(map)?;
        if types.len() != keys.len() {
            let message = format!("`{name}` has {}, not {}", plural(types.len()), keys.len());
            let example = match types.as_slice() {
                [] => format!("write `{name}` without brackets"),
                _ => format!("name one, such as `{name}[\"fd_read\"]`"),
            };
            self.errors
                .push(Diagnostic::new(Code::KeyCount, place, message).help(example));
            return None;
        }
        let typed = keys.iter().zip(types);
        let keys: Vec<Option<KeyValue>> = typed.map(|(key, ty)| self.row_key(key, ty)).collect();
        let keys: Option<Vec<KeyValue>> = keys.into_iter().collect();
        let ty = self.map_type(map);
        let is_number = match &self.maps[map.0].holds {
            Some((Holds::Number { .. }, _)) => true,
            Some((Holds::Aggregate { value, .. }, _)) => matches!(value, MapValue::Aggregate(_)),
            _ => false,
        };
        let Some(ty) = ty.filter(|ty| is_number && is_numeric(*ty)) else {
            let message = format!("`{name}` does not hold a number, and a check is about numbers");
            self.errors
                .push(Diagnostic::new(Code::NotANumber, place, message));
            return None;
        };
        let entry = Entry {
            map: map.0,
            keys: keys?,
        };
        Some(Found::new(ResultKind::Entry(entry), ty, place))
    }

    fn two_tables(&mut self, place: Span, first: Span) {
        let message = "a check can be over all rows of one table only";
        let error = Diagnostic::new(Code::SeveralTables, place, message);
        self.errors.push(
            error
                .label("this is a second one")
                .also(first, "over all rows of this one")
                .help("name the keys of a row, such as `table[\"fd_read\"].calls`, or write two checks"),
        );
    }

    /// The keys of a row that is looked up.
    fn row_keys(
        &mut self,
        shape: &Shape,
        keys: &[ast::Expr],
        place: Span,
    ) -> Option<Vec<KeyValue>> {
        if keys.len() != shape.keys.len() {
            let known: Vec<&str> = shape.keys.iter().map(|(key, _)| key.as_str()).collect();
            let message = match known.as_slice() {
                [] => format!("the table `{}` has no keys: it is one row", shape.name),
                known => format!(
                    "a row of `{}` has {} ({}), not {}",
                    shape.name,
                    plural(known.len()),
                    known.join(", "),
                    keys.len()
                ),
            };
            let error = Diagnostic::new(Code::KeyCount, place, message);
            self.errors.push(if known.is_empty() {
                error.help(format!("write `{}` without brackets", shape.name))
            } else {
                error.help("without brackets a check is over all rows")
            });
            return None;
        }
        let typed = keys.iter().zip(&shape.keys);
        let keys: Vec<Option<KeyValue>> = typed
            .map(|(key, (_, ty))| self.row_key(key, (*ty)?))
            .collect();
        keys.into_iter().collect()
    }

    fn row_key(&mut self, key: &ast::Expr, ty: Type) -> Option<KeyValue> {
        if let Some(text) = self.text_of(key) {
            return self.key_named(&text, ty, key.span);
        }
        let number = match &key.kind {
            ExprKind::Name(name)
                if ty == Type::Bool && matches!(name.as_str(), "true" | "false") =>
            {
                return Some(KeyValue::Number(i64::from(name == "true")));
            }
            ExprKind::Name(name) if self.is_constant(name) => {
                self.result_constant(name, key.span)?
            }
            _ => match super::param::Constant::literal(key) {
                Some(super::param::Constant::Number(number)) => {
                    Found::new(ResultKind::Number(number.amount), number.ty, key.span)
                }
                _ => {
                    let message =
                        "a row is looked up by values that are known before the script runs";
                    let error = Diagnostic::new(Code::NotConstant, key.span, message);
                    self.errors
                        .push(error.help("such as `\"fd_read\"`, `EBADF` or `3`"));
                    return None;
                }
            },
        };
        let fits = number.expr.ty == ty
            || is_plain(number.expr.ty) && is_plain(ty)
            || number.expr.ty == Type::Int && ty == Type::Enum(Enumeration::Errno);
        match number.expr.kind {
            ResultKind::Number(ast::Amount::Whole(number)) if fits => {
                Some(KeyValue::Number(number))
            }
            _ => {
                let message = format!("this key is {}, and not {}", a(ty), a(number.expr.ty));
                self.errors
                    .push(Diagnostic::new(Code::MixedTypes, key.span, message));
                None
            }
        }
    }
}

fn plural(keys: usize) -> String {
    match keys {
        0 => "no keys".to_owned(),
        1 => "one key".to_owned(),
        count => format!("{count} keys"),
    }
}
