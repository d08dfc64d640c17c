//! Evaluates conditions over results.

use ewapa_lang::plan::{
    Aggregate, BinaryOp, Cell, Entry, KeyValue, MapValue, Plan, ResultExpr, ResultKind, RunValue,
};
use ewapa_lang::types::Type;

use crate::engine::groups::{Group, Key};
use crate::engine::names::Names;
use crate::engine::trace::Outcome;

use super::cells::{self, KeyCell};
use super::map::content::Content;
use super::number;
use super::quantity::Quantity;
use super::rows::Row;

/// What a condition looks at.
#[derive(Clone, Copy, Default)]
pub struct Sight<'a> {
    /// The row that it is about.
    pub row: Option<&'a Row>,
    /// The rows of all tables of the plan.
    pub tables: &'a [Vec<Row>],
    /// The plan of the run.
    pub plan: Option<&'a Plan>,
    /// The run, once it has ended.
    pub run: Option<&'a Outcome>,
    /// A comparison that has no value is false.
    pub none_is_false: bool,
}

impl Sight<'_> {
    /// Whether a condition holds; none if what it needs has no value.
    pub fn holds(self, expr: &ResultExpr) -> Option<bool> {
        match &expr.kind {
            ResultKind::Not(inner) => Some(!self.holds(inner)?),
            ResultKind::KeyIs { key, value, equal } => {
                let is = self.row.and_then(|row| row.keys[*key].is(value));
                self.compared(is.map(|is| is == *equal))
            }
            ResultKind::Binary(BinaryOp::And, left, right) => {
                match (self.holds(left), self.holds(right)) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (left, right) => Some(left? && right?),
                }
            }
            ResultKind::Binary(BinaryOp::Or, left, right) => {
                match (self.holds(left), self.holds(right)) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (left, right) => Some(left? || right?),
                }
            }
            ResultKind::Binary(op, left, right) => self.compared(self.compare(*op, left, right)),
            // A key such as `ok`.
            _ => Some(self.value(expr)? != Quantity::Whole(0)),
        }
    }

    /// What a comparison says where it has no value.
    fn compared(self, result: Option<bool>) -> Option<bool> {
        if self.none_is_false {
            Some(result.unwrap_or(false))
        } else {
            result
        }
    }

    fn compare(self, op: BinaryOp, left: &ResultExpr, right: &ResultExpr) -> Option<bool> {
        Some(self.value(left)?.compares(op, self.value(right)?))
    }

    fn value(self, expr: &ResultExpr) -> Option<Quantity> {
        match &expr.kind {
            ResultKind::Number(amount) => Some(Quantity::from(*amount)),
            ResultKind::Column(index) => self.row?.values[*index],
            ResultKind::Key(index) => match self.row?.keys[*index].raw {
                Key::None | Key::Text(_) | Key::Bytes(_) | Key::Address { .. } => None,
                Key::Number(number) => Some(Quantity::Whole(number)),
            },
            ResultKind::Cell(cell) => self.cell(cell),
            ResultKind::Entry(entry) => self.entry(entry),
            ResultKind::Run(value) => run_value(*value, self.run?),
            ResultKind::Negate(inner) => Some(-self.value(inner)?),
            ResultKind::Binary(op, left, right) => {
                self.value(left)?.combine(*op, self.value(right)?)
            }
            ResultKind::KeyIs { .. } | ResultKind::Not(_) => {
                unreachable!("the checker makes this a condition")
            }
        }
    }

    /// The value in the first row whose keys are those: a runtime without its version may name several.
    fn cell(self, cell: &Cell) -> Option<Quantity> {
        let is_row = |row: &&Row| {
            let mut keys = row.keys.iter().zip(&cell.keys);
            keys.all(|(key, value)| key.is(value) == Some(true))
        };
        let row = self.tables.get(cell.table)?.iter().find(is_row)?;
        row.values[cell.column]
    }

    /// What a map holds for a key at the end of the run.
    fn entry(self, entry: &Entry) -> Option<Quantity> {
        let (plan, run) = (self.plan?, self.run?);
        let map = &plan.maps[entry.map];
        let store = &plan.stores[map.store.0];
        let is_entry = |group: &&Group| {
            let keys = group.keys.iter().zip(&store.keys).zip(&entry.keys);
            keys.into_iter().all(|((key, ty), value)| {
                cells::is(key, &KeyCell::new(key, *ty, &run.names), *ty, value)
            })
        };
        match run.reading.groups[map.store.0].iter().find(is_entry) {
            Some(group) => {
                Content::of_group(map, &store.slots, &group.values, None, &run.names).quantity()
            }
            None => matches!(
                map.value,
                MapValue::Number(_)
                    | MapValue::Aggregate(Aggregate::Count { .. } | Aggregate::Sum { .. })
            )
            .then_some(Quantity::Whole(0)),
        }
    }

    /// A condition with values in the place of what it looks at, such as `112.6 us < 50 us`.
    pub fn shown(self, expr: &ResultExpr) -> String {
        match &expr.kind {
            ResultKind::KeyIs { key, value, equal } => {
                let Some(key) = self.row.map(|row| &row.keys[*key]) else {
                    return "-".to_owned();
                };
                let value = match value {
                    // Numbers stand for names only where these are known without the run.
                    KeyValue::Number(number) => {
                        KeyCell::new(&Key::Number(*number), key.ty, &Names::default()).text(key.ty)
                    }
                    KeyValue::Text(text) => cells::escape(text),
                };
                let op = if *equal { "==" } else { "!=" };
                format!("{} {op} {value}", key.cell.text(key.ty))
            }
            ResultKind::Key(index) if expr.ty != Type::Int => {
                let key = self.row.map(|row| &row.keys[*index]);
                key.map_or_else(|| "-".to_owned(), |key| key.cell.text(key.ty))
            }
            ResultKind::Not(inner) => format!("!({})", self.shown(inner)),
            ResultKind::Binary(op, left, right) if expr.ty == Type::Bool => {
                format!(
                    "{} {op} {}",
                    self.operand(*op, left),
                    self.operand(*op, right)
                )
            }
            _ => number::alone(self.value(expr), expr.ty),
        }
    }

    /// One side of an operator, in parentheses where it needs them.
    fn operand(self, op: BinaryOp, expr: &ResultExpr) -> String {
        let text = self.shown(expr);
        match expr.kind {
            ResultKind::Binary(BinaryOp::Or, ..) if op == BinaryOp::And => format!("({text})"),
            _ => text,
        }
    }
}

fn run_value(value: RunValue, run: &Outcome) -> Option<Quantity> {
    let count = |count: u64| i64::try_from(count).ok().map(Quantity::Whole);
    let time = |time: std::time::Duration| {
        let nanoseconds = i64::try_from(time.as_nanos()).ok()?;
        Some(Quantity::Whole(nanoseconds))
    };
    match value {
        RunValue::Lost => count(run.reading.losses.lost()),
        RunValue::Unmatched => count(run.reading.losses.unmatched()),
        RunValue::ProbeCost => time(run.largest_probe_cost()?),
        RunValue::Elapsed => time(run.reading.elapsed),
    }
}
