//! `alias`: a probe that stands for others, and what runs first there.

use crate::ast::{
    Alias, Block, Expr, ExprKind, Item, Probe, ProbeBlock, Statement, StatementKind, Table, UnaryOp,
};
use crate::check::probe::written;
use crate::code::Code;
use crate::diagnostic::Diagnostic;

use super::substitute;

/// Replaces the aliases in the probes of items.
pub(super) fn replaced(
    items: Vec<Item>,
    aliases: &[Alias],
    errors: &mut Vec<Diagnostic>,
) -> Vec<Item> {
    if aliases.is_empty() {
        return items;
    }
    let mut replacer = Replacer { aliases, errors };
    items
        .into_iter()
        .flat_map(|item| match item {
            Item::ProbeBlock(block) => replacer.block(block),
            Item::Table(table) => vec![Item::Table(replacer.table(table))],
            item => vec![item],
        })
        .collect()
}

struct Replacer<'r> {
    aliases: &'r [Alias],
    errors: &'r mut Vec<Diagnostic>,
}

/// A probe, and the aliases whose prologues run first there, the first one first.
type Resolved = (Probe, Vec<usize>);

impl Replacer<'_> {
    /// Blocks whose probes are no aliases: one for each prologue.
    fn block(&mut self, block: ProbeBlock) -> Vec<Item> {
        let mut groups: Vec<(Vec<Probe>, Vec<usize>)> = Vec::new();
        for (probe, aliases) in self.all(&block.probes) {
            match groups.iter_mut().find(|(_, known)| *known == aliases) {
                Some((probes, _)) => probes.push(probe),
                None => groups.push((vec![probe], aliases)),
            }
        }
        groups
            .into_iter()
            .map(|(probes, aliases)| {
                let prologue = self.prologue(&aliases);
                Item::ProbeBlock(behind(
                    prologue,
                    ProbeBlock {
                        probes,
                        ..block.clone()
                    },
                ))
            })
            .collect()
    }

    /// A table cannot run statements: the names that prologues give to values are replaced by the values.
    fn table(&mut self, mut table: Table) -> Table {
        let resolved = self.all(&table.probes);
        let mut prologues: Vec<Vec<usize>> = resolved
            .iter()
            .map(|(_, aliases)| aliases.clone())
            .collect();
        prologues.dedup();
        table.probes = resolved.into_iter().map(|(probe, _)| probe).collect();
        let Some(first) = prologues.first().filter(|first| !first.is_empty()) else {
            return table;
        };
        let statements = self.prologue(first);
        if prologues.len() > 1 {
            let place = table
                .probes
                .first()
                .map_or(table.name.span, |probe| probe.span);
            let message = "the probes of a table have the same prologue or none";
            self.errors.push(
                Diagnostic::new(Code::AliasPrologue, place, message)
                    .help("write a table for each alias"),
            );
            return table;
        }
        let mut values: Vec<(String, Expr)> = Vec::new();
        for statement in statements {
            let StatementKind::Assign {
                target:
                    Expr {
                        kind: ExprKind::Variable(name),
                        ..
                    },
                op: None,
                mut value,
            } = statement.kind
            else {
                let message =
                    "this prologue does more than give names to values, and a table cannot run it";
                self.errors.push(
                    Diagnostic::new(Code::AliasPrologue, statement.span, message).help(
                        "use the alias in a probe block, or leave only `$name = value;` in it",
                    ),
                );
                return table;
            };
            substitute::variables(&mut value, &values);
            values.retain(|(known, _)| *known != name);
            values.push((name, value));
        }
        let keys = table.keys.iter_mut().map(|key| &mut key.value);
        let columns = table
            .columns
            .iter_mut()
            .flat_map(|column| std::iter::once(&mut column.value).chain(&mut column.condition));
        for expr in table.filter.iter_mut().chain(keys).chain(columns) {
            substitute::variables(expr, &values);
        }
        table
    }

    fn all(&mut self, probes: &[Probe]) -> Vec<Resolved> {
        let mut all = Vec::new();
        for probe in probes {
            self.resolve(probe, &mut Vec::new(), &mut all);
        }
        all
    }

    fn resolve(&mut self, probe: &Probe, within: &mut Vec<usize>, all: &mut Vec<Resolved>) {
        let name = written(probe);
        let found = self
            .aliases
            .iter()
            .position(|alias| written(&alias.probe) == name);
        let Some(index) = found else {
            let with_prologue = within.iter().rev().copied();
            let with_prologue =
                with_prologue.filter(|index| self.aliases[*index].prologue.is_some());
            all.push((probe.clone(), with_prologue.collect()));
            return;
        };
        if within.contains(&index) {
            let message = format!("the alias `{name}` stands for itself");
            self.errors
                .push(Diagnostic::new(Code::MacroCycle, probe.span, message));
            return;
        }
        let alias = &self.aliases[index];
        within.push(index);
        for probe in &alias.probes {
            self.resolve(probe, within, all);
        }
        within.pop();
    }

    fn prologue(&self, aliases: &[usize]) -> Vec<Statement> {
        let blocks = aliases
            .iter()
            .filter_map(|index| self.aliases[*index].prologue.as_ref());
        blocks.flat_map(|block| block.statements.clone()).collect()
    }
}

/// A block with statements before its own. A predicate that reads variables is looked at behind them.
fn behind(prologue: Vec<Statement>, mut block: ProbeBlock) -> ProbeBlock {
    if prologue.is_empty() {
        return block;
    }
    let mut statements = prologue;
    if let Some(predicate) = block.predicate.take_if(|predicate| has_variable(predicate)) {
        let span = predicate.span;
        let fails = Expr {
            kind: ExprKind::Unary(UnaryOp::Not, Box::new(predicate)),
            span,
        };
        let leave = Statement {
            kind: StatementKind::Return(None),
            span,
        };
        let leave = Block {
            statements: vec![leave],
            span,
        };
        statements.push(Statement {
            kind: StatementKind::If {
                branches: vec![(fails, leave)],
                otherwise: None,
            },
            span,
        });
    }
    statements.append(&mut block.body.statements);
    block.body.statements = statements;
    block
}

fn has_variable(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Variable(_)) || expr.parts().into_iter().any(has_variable)
}
