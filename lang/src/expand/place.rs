//! All places in a syntax tree, to be moved.

use crate::ast::{
    Alias, Block, ClauseKind, Column, ConfigValue, Expr, ExprKind, Item, Name, Probe, Script,
    Statement, StatementKind, Table,
};
use crate::span::Span;

/// Moves all places of a script.
pub(super) fn shift(script: &mut Script, by: usize) {
    let shift = Shift(by);
    for text in &mut script.docs {
        shift.span(&mut text.span);
    }
    for item in &mut script.items {
        shift.item(item);
    }
}

struct Shift(usize);

impl Shift {
    fn span(&self, span: &mut Span) {
        *span = Span::new(span.start + self.0, span.end + self.0);
    }

    fn name(&self, name: &mut Name) {
        self.span(&mut name.span);
    }

    fn item(&self, item: &mut Item) {
        match item {
            Item::Param(param) => {
                self.name(&mut param.name);
                self.expr(&mut param.default);
                param
                    .doc
                    .iter_mut()
                    .for_each(|doc| self.span(&mut doc.span));
            }
            Item::Config(config) => {
                self.span(&mut config.span);
                for (name, value) in &mut config.entries {
                    self.name(name);
                    match value {
                        ConfigValue::Number(_) => {}
                        ConfigValue::Text(text) => self.span(&mut text.span),
                        ConfigValue::Word(word) => self.name(word),
                    }
                }
            }
            Item::Import(import) => {
                self.span(&mut import.span);
                self.span(&mut import.path.span);
            }
            Item::Macro(item) => {
                self.name(&mut item.name);
                item.params.iter_mut().for_each(|name| self.name(name));
                self.block(&mut item.body);
            }
            Item::Alias(alias) => self.alias(alias),
            Item::Table(table) => self.table(table),
            Item::Check(check) => {
                self.span(&mut check.span);
                self.span(&mut check.text.span);
                self.expr(&mut check.condition);
            }
            Item::ProbeBlock(block) => {
                block.probes.iter_mut().for_each(|probe| self.probe(probe));
                block.predicate.iter_mut().for_each(|expr| self.expr(expr));
                self.block(&mut block.body);
            }
            Item::Foreign(foreign) => self.span(&mut foreign.span),
        }
    }

    fn alias(&self, alias: &mut Alias) {
        self.span(&mut alias.span);
        self.probe(&mut alias.probe);
        alias.probes.iter_mut().for_each(|probe| self.probe(probe));
        alias.prologue.iter_mut().for_each(|body| self.block(body));
    }

    fn probe(&self, probe: &mut Probe) {
        self.span(&mut probe.span);
        self.name(&mut probe.kind);
        probe.segments.iter_mut().for_each(|name| self.name(name));
    }

    fn table(&self, table: &mut Table) {
        self.name(&mut table.name);
        table.probes.iter_mut().for_each(|probe| self.probe(probe));
        table.filter.iter_mut().for_each(|expr| self.expr(expr));
        table
            .keys
            .iter_mut()
            .for_each(|key| self.expr(&mut key.value));
        for column in &mut table.columns {
            self.column(column);
        }
        for clause in &mut table.clauses {
            self.span(&mut clause.span);
            match &mut clause.kind {
                ClauseKind::Having(expr) | ClauseKind::Limit(expr) | ClauseKind::Every(expr) => {
                    self.expr(expr);
                }
                ClauseKind::Sort { by, .. } => self.name(by),
                ClauseKind::Pivot { key, baseline } => {
                    self.expr(&mut key.value);
                    baseline
                        .iter_mut()
                        .for_each(|text| self.span(&mut text.span));
                }
                ClauseKind::Title(text) => self.span(&mut text.span),
            }
        }
    }

    fn column(&self, column: &mut Column) {
        self.name(&mut column.name);
        self.expr(&mut column.value);
        column.condition.iter_mut().for_each(|expr| self.expr(expr));
        column.unit.iter_mut().for_each(|unit| self.name(unit));
    }

    fn block(&self, block: &mut Block) {
        self.span(&mut block.span);
        for statement in &mut block.statements {
            self.statement(statement);
        }
    }

    fn statement(&self, statement: &mut Statement) {
        self.span(&mut statement.span);
        match &mut statement.kind {
            StatementKind::Let { name, ty, .. } => {
                self.name(name);
                ty.iter_mut().for_each(|ty| self.name(ty));
            }
            StatementKind::For { variable, .. } => self.name(variable),
            _ => {}
        }
        for expr in statement.exprs_mut() {
            self.expr(expr);
        }
        for block in statement.blocks_mut() {
            self.block(block);
        }
    }

    fn expr(&self, expr: &mut Expr) {
        self.span(&mut expr.span);
        match &mut expr.kind {
            ExprKind::Call { function, args } => {
                self.name(function);
                let names = args.iter_mut().filter_map(|arg| arg.name.as_mut());
                names.for_each(|name| self.name(name));
            }
            ExprKind::Field(_, name) | ExprKind::Arrow(_, name) | ExprKind::Cast(name, _) => {
                self.name(name);
            }
            _ => {}
        }
        for part in expr.parts_mut() {
            self.expr(part);
        }
    }
}
