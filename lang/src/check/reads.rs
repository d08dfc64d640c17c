//! What a block or table reads of what its raw probes give: probes that give the same can share a clause.

use std::collections::BTreeSet;

use crate::ast::{Block, Expr, ExprKind, Statement, StatementKind, Table};
use crate::host::{Field, RETURNED};

use super::context::RawContext;

/// What is read of a raw probe's own values.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// Arguments by number, or all at once.
    pub(super) arguments: bool,
    /// The names of the fields that are read, [`RETURNED`] among them.
    pub(super) fields: BTreeSet<String>,
}

impl Reads {
    /// What a block reads.
    pub(super) fn of_block(predicate: Option<&Expr>, body: &Block) -> Reads {
        let mut reads = Reads::default();
        predicate.iter().for_each(|expr| reads.expr(expr));
        reads.block(body);
        reads
    }

    /// What a table reads.
    pub(super) fn of_table(table: &Table) -> Reads {
        let mut reads = Reads::default();
        let columns = table
            .columns
            .iter()
            .flat_map(|column| std::iter::once(&column.value).chain(&column.condition));
        let keys = table.keys.iter().map(|key| &key.value);
        for expr in table.filter.iter().chain(keys).chain(columns) {
            reads.expr(expr);
        }
        reads
    }

    /// Whether anything is.
    pub(super) fn any(&self) -> bool {
        self.arguments || !self.fields.is_empty()
    }

    /// Whether two raw probes give the same of what is read.
    pub(super) fn are_same(&self, one: &RawContext, other: &RawContext) -> bool {
        let place = |context: &RawContext| (context.kind, context.returns, context.in_kernel);
        place(one) == place(other)
            && one.usdt == other.usdt
            && (self.arguments && one.fields == other.fields
                || !self.arguments
                    && self.fields.iter().all(|name| {
                        field(&one.fields, name).map(layout)
                            == field(&other.fields, name).map(layout)
                    }))
    }

    fn block(&mut self, block: &Block) {
        for statement in &block.statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Expr(expr) => self.expr(expr),
            StatementKind::Assign { target, value, .. } => {
                self.expr(target);
                self.expr(value);
            }
            StatementKind::If {
                branches,
                otherwise,
            } => {
                for (condition, body) in branches {
                    self.expr(condition);
                    self.block(body);
                }
                otherwise.iter().for_each(|body| self.block(body));
            }
            StatementKind::For {
                over, until, body, ..
            } => {
                self.expr(over);
                until.iter().for_each(|until| self.expr(until));
                self.block(body);
            }
            StatementKind::While {
                condition: expr,
                body,
            }
            | StatementKind::Unroll { times: expr, body } => {
                self.expr(expr);
                self.block(body);
            }
            StatementKind::Let { value, .. } | StatementKind::Return(value) => {
                value.iter().for_each(|value| self.expr(value));
            }
            StatementKind::Break | StatementKind::Continue => {}
            StatementKind::Block(body) => self.block(body),
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Field(of, name) | ExprKind::Arrow(of, name) if is_args(of) => {
                self.fields.insert(name.text.clone());
            }
            ExprKind::Name(name) if name == "retval" => {
                self.fields.insert(RETURNED.to_owned());
            }
            ExprKind::Name(name) => self.arguments |= is_argument(name),
            _ => {}
        }
        if !matches!(&expr.kind, ExprKind::Field(of, _) | ExprKind::Arrow(of, _) if is_args(of)) {
            for part in expr.parts() {
                self.expr(part);
            }
        }
    }
}

fn is_args(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Name(name) if name == "args")
}

/// `args`, `arg0`, `sarg0`.
fn is_argument(name: &str) -> bool {
    let number = name.strip_prefix('s').unwrap_or(name).strip_prefix("arg");
    name == "args" || number.is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()))
}

fn field<'f>(fields: &'f [Field], name: &str) -> Option<&'f Field> {
    fields.iter().find(|field| field.name == name)
}

/// What generated code depends on.
fn layout(field: &Field) -> (&str, u16, u16, bool) {
    (&field.ty, field.offset, field.size, field.signed)
}
