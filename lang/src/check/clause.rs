//! What follows the columns of a table.

use crate::ast::{self, Amount, Clause, ClauseKind, Name, Number};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Pivot, ResultExpr, Sort, SortBy};
use crate::types::Type;

use super::Checker;
use super::param::Constant;
use super::result::Scope;
use super::shape::{Part, Shape};

/// The clauses of a table.
#[derive(Default)]
pub(super) struct Clauses {
    pub(super) title: Option<String>,
    pub(super) having: Option<ResultExpr>,
    pub(super) sort: Option<Sort>,
    pub(super) limit: Option<usize>,
    pub(super) pivot: Option<Pivot>,
    pub(super) every: Option<u64>,
}

impl Checker<'_> {
    /// The clauses of a table whose rows have this shape.
    pub(super) fn clauses(&mut self, table: &ast::Table, shape: &Shape) -> Clauses {
        let mut clauses = Clauses::default();
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
                ClauseKind::Title(title) => clauses.title = Some(title.value.clone()),
                ClauseKind::Having(condition) => {
                    clauses.having = self.result_condition(condition, &mut Scope::Row(shape));
                }
                ClauseKind::Sort { by, descending } => {
                    clauses.sort = self.sort_by(shape, by).map(|by| Sort {
                        by,
                        descending: *descending,
                    });
                }
                ClauseKind::Limit(rows) => clauses.limit = self.limit(rows),
                // What is compared depends on the sort, which may follow.
                ClauseKind::Pivot { .. } => {}
                ClauseKind::Every(period) => clauses.every = self.period(period),
            }
        }
        for clause in &table.clauses {
            if let ClauseKind::Pivot { key, baseline } = &clause.kind {
                clauses.pivot = self.pivot(key, baseline.as_ref(), shape, &clauses);
                self.check_sort(table, shape, &clauses);
            }
        }
        clauses
    }

    fn sort_by(&mut self, shape: &Shape, name: &Name) -> Option<SortBy> {
        match shape.part(&name.text) {
            Some(Part::Column(index, _)) => Some(SortBy::Column(index)),
            Some(Part::Key(index, _)) => Some(SortBy::Key(index)),
            None => {
                self.no_such_part(shape, &name.text, name.span);
                None
            }
        }
    }

    fn limit(&mut self, rows: &ast::Expr) -> Option<usize> {
        if let Some(Number {
            amount: Amount::Whole(rows),
            ty: Type::Int,
        }) = self.constant_number(rows)?
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

    fn period(&mut self, period: &ast::Expr) -> Option<u64> {
        if let Some(Number {
            amount: Amount::Whole(nanoseconds),
            ty: Type::Time,
        }) = self.constant_number(period)?
            && let Ok(nanoseconds @ SHORTEST_PERIOD..) = u64::try_from(nanoseconds)
        {
            return Some(nanoseconds);
        }
        let message = "`every` needs a time that is known before the script runs: 100ms or longer";
        self.errors.push(
            Diagnostic::new(Code::NotConstant, period.span, message)
                .help("such as `every 10s`, or a `param`"),
        );
        None
    }

    /// The number that is known before the script runs; the inner option is none if there is none.
    fn constant_number(&mut self, expr: &ast::Expr) -> Option<Option<Number>> {
        Some(match self.constant(expr)? {
            Some(Constant::Number(number)) => Some(number),
            Some(Constant::Text(_)) | None => None,
        })
    }
}

/// A table is printed at most ten times a second.
const SHORTEST_PERIOD: u64 = 100_000_000;

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
