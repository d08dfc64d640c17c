//! The rows of a table: computed from its groups, filtered, ordered and cut off.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use ewapa_lang::plan::{
    BinaryOp, Buckets, ColumnExpr, KeyValue, Plan, SlotId, SlotKind, Sort, SortBy, Table, Unit,
};
use ewapa_lang::types::Type;
use ewapa_templates::Counter;

use crate::engine::groups::{Group, Key};
use crate::engine::names::Names;
use crate::engine::reading::Reading;

use super::cells::{self, KeyCell};
use super::column;
use super::column::Basis;
use super::condition::Sight;
use super::elsewhere::Elsewhere;
use super::histogram;
use super::map::content::Content;
use super::quantity::Quantity;
use super::series::Seen;

/// One group of calls.
#[derive(Debug, Clone)]
pub struct Row {
    /// One for each of [`Table::keys`].
    pub keys: Vec<RowKey>,
    /// One for each of [`Table::columns`].
    pub values: Vec<Option<Quantity>>,
    /// For each column that is a series its steps, for each that is a histogram the counts of the ranges that any row
    /// has, so that they stand below each other; none for other columns.
    pub series: Vec<Option<Steps>>,
    /// For each column that is a histogram, its ranges; none for other columns.
    pub histograms: Vec<Option<Content>>,
}

/// What each step of a series came to.
pub type Steps = Vec<Option<Quantity>>;

/// A key of a row.
#[derive(Debug, Clone)]
pub struct RowKey {
    /// As the kernel kept it.
    pub raw: Key,
    /// What it means.
    pub cell: KeyCell,
    /// Its type.
    pub ty: Type,
}

impl RowKey {
    /// Whether it has a value that a script names; none if it has none.
    pub fn is(&self, value: &KeyValue) -> Option<bool> {
        let is = || cells::is(&self.raw, &self.cell, self.ty, value);
        (self.cell != KeyCell::None).then(is)
    }
}

impl Row {
    /// What the keys mean.
    pub fn cells(&self) -> impl Iterator<Item = &KeyCell> {
        self.keys.iter().map(|key| &key.cell)
    }
}

/// A line of a table: without a pivot one row, else a row for each value of the pivoted key.
#[derive(Debug)]
pub struct Line(pub Vec<Option<Row>>);

/// What is shown of one table at one moment.
#[derive(Debug)]
pub struct Rows<'a> {
    /// The table.
    pub table: &'a Table,
    /// The values of the pivoted key, the baseline first. Without a pivot there are none.
    pub pivoted: Vec<RowKey>,
    /// Whether the first of them is the baseline.
    pub has_baseline: bool,
    /// In the order in which they are shown.
    pub lines: Vec<Line>,
    /// How many lines the limit leaves out.
    pub left_out: usize,
    /// The columns that are estimates.
    pub estimates: Vec<&'a str>,
    /// What the characters of columns that are histograms stand for.
    pub legends: Vec<String>,
}

impl<'a> Rows<'a> {
    /// The rows of a table.
    pub fn new(plan: &Plan, table: &'a Table, reading: &Reading, names: &Names) -> Rows<'a> {
        let rows = all(plan, table, reading, names);
        let (pivoted, has_baseline) = pivoted(table, &rows);
        let mut lines = lines(table, &pivoted, rows);
        // The order of lines that are equal is that of their keys.
        lines.sort_by(|left, right| order(table.sort, left, right));
        let left_out = table
            .limit
            .map_or(0, |limit| lines.len().saturating_sub(limit));
        lines.truncate(lines.len() - left_out);
        let any_handed = reading.losses.count(Counter::Handed) > 0;
        let estimates = plan.estimates(table, any_handed);
        Rows {
            legends: legends(plan, table, reading),
            estimates: estimates
                .into_iter()
                .map(|index| table.columns[index].name.as_str())
                .collect(),
            table,
            pivoted,
            has_baseline,
            lines,
            left_out,
        }
    }

    /// All rows, line by line.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.lines.iter().flat_map(|line| line.0.iter().flatten())
    }
}

/// All rows that the table's `having` lets pass, in no particular order.
pub fn all(plan: &Plan, table: &Table, reading: &Reading, names: &Names) -> Vec<Row> {
    let types = &plan.stores[table.store.0].keys;
    let keys = |group: &Group| {
        let keys = group.keys.iter().zip(types).map(|(key, ty)| RowKey {
            raw: key.clone(),
            cell: KeyCell::of_row(key, *ty, names),
            ty: *ty,
        });
        keys.collect()
    };
    let groups = &reading.groups[table.store.0];
    let ground = Ground {
        elapsed: reading.elapsed,
        elsewhere: Elsewhere::new(table, reading),
        seen: Seen::new(&plan.stores[table.store.0].slots, groups),
    };
    let totals = totals(table, groups, &ground);
    let row = |group: &Group| {
        let basis = Basis {
            totals: &totals[&pivot_key(table, group)],
            ..ground.basis(group)
        };
        let columns = table.columns.iter();
        Row {
            keys: keys(group),
            values: columns
                .map(|column| column::evaluate(&column.value, basis))
                .collect(),
            series: (table.columns.iter())
                .map(|column| match column.value {
                    ColumnExpr::Series(slot) => ground.seen.values(slot, &group.values),
                    ColumnExpr::Histogram(slot, _) => {
                        let counts = group.values[slot.0].histogram();
                        Some(counts_of(counts, extent(groups, slot)))
                    }
                    _ => None,
                })
                .collect(),
            histograms: (table.columns.iter())
                .map(|column| match column.value {
                    ColumnExpr::Histogram(slot, ty) => {
                        let buckets = buckets(plan, table, slot)?;
                        let counts = group.values[slot.0].histogram();
                        Some(Content::Histogram(buckets, counts.to_vec(), ty))
                    }
                    _ => None,
                })
                .collect(),
        }
    };
    let having = |row: &Row| {
        let sight = Sight {
            row: Some(row),
            none_is_false: true,
            ..Sight::default()
        };
        let condition = table.having.as_ref();
        condition.is_none_or(|condition| sight.holds(condition) == Some(true))
    };
    groups.iter().map(row).filter(having).collect()
}

/// The ranges of a histogram.
fn buckets(plan: &Plan, table: &Table, slot: SlotId) -> Option<Buckets> {
    match plan.stores[table.store.0].slots[slot.0] {
        SlotKind::Histogram(buckets) => Some(buckets),
        _ => None,
    }
}

/// The first and the last range that any group has something in.
fn extent(groups: &[Group], slot: SlotId) -> Option<(u16, u16)> {
    let counts = || groups.iter().map(|group| group.values[slot.0].histogram());
    let first = counts()
        .filter_map(|counts| counts.first())
        .map(|(index, _)| *index)
        .min()?;
    let last = counts()
        .filter_map(|counts| counts.last())
        .map(|(index, _)| *index)
        .max()?;
    Some((first, last))
}

/// How many values are in each of these ranges; none where there is none.
fn counts_of(counts: &[(u16, u64)], extent: Option<(u16, u16)>) -> Steps {
    let Some((first, last)) = extent else {
        return Steps::new();
    };
    let mut counts = counts.iter().peekable();
    let count = |index| {
        let (_, count) = counts.next_if(|(at, _)| *at == index)?;
        Some(Quantity::Whole(i64::try_from(*count).unwrap_or(i64::MAX)))
    };
    (first..=last).map(count).collect()
}

/// What the characters of a histogram stand for, for each column that is one.
fn legends(plan: &Plan, table: &Table, reading: &Reading) -> Vec<String> {
    let groups = &reading.groups[table.store.0];
    let columns = table
        .columns
        .iter()
        .filter(|column| column.unit == Unit::Spark);
    columns
        .filter_map(|column| {
            let ColumnExpr::Histogram(slot, ty) = column.value else {
                return None;
            };
            let (buckets, (first, last)) = (buckets(plan, table, slot)?, extent(groups, slot)?);
            let range = |index| histogram::range(buckets, usize::from(index), ty);
            let unit = match histogram::unit(buckets, ty) {
                (Some(unit), _) => format!(" {unit}"),
                (None, _) => String::new(),
            };
            let name = column.name.to_uppercase();
            Some(if first == last {
                format!("{name}: {}{unit}", range(first))
            } else {
                format!(
                    "{name}: a character for each range from {} to {}{unit}",
                    range(first),
                    range(last)
                )
            })
        })
        .collect()
}

/// What is the same for all groups of a table.
struct Ground {
    elapsed: Duration,
    elsewhere: Elsewhere,
    seen: Seen,
}

impl Ground {
    fn basis<'a>(&'a self, group: &'a Group) -> Basis<'a> {
        Basis {
            keys: &group.keys,
            slots: &group.values,
            elapsed: self.elapsed,
            totals: &[],
            elsewhere: &self.elsewhere,
            seen: &self.seen,
        }
    }
}

/// The value of a group's key that the table is pivoted by.
fn pivot_key<'a>(table: &Table, group: &'a Group) -> Option<&'a Key> {
    table.pivot.as_ref().map(|pivot| &group.keys[pivot.key])
}

/// What shares are parts of: the sums over all groups, for each value of a pivoted key by itself.
fn totals<'a>(
    table: &'a Table,
    groups: &'a [Group],
    ground: &Ground,
) -> HashMap<Option<&'a Key>, Vec<(&'a ColumnExpr, Quantity)>> {
    let columns = table.columns.iter();
    let summed: Vec<&ColumnExpr> = columns
        .flat_map(|column| column::shared(&column.value))
        .collect();
    let mut totals = HashMap::new();
    for group in groups {
        let sums = totals.entry(pivot_key(table, group)).or_insert_with(|| {
            let zero = |expr: &&'a ColumnExpr| (*expr, Quantity::Whole(0));
            summed.iter().map(zero).collect::<Vec<_>>()
        });
        for (expr, sum) in sums {
            let value = column::evaluate(expr, ground.basis(group));
            if let Some(more) = value.and_then(|value| sum.combine(BinaryOp::Add, value)) {
                *sum = more;
            }
        }
    }
    totals
}

/// The values that the pivoted key has, in order; and whether the first is the baseline.
fn pivoted(table: &Table, rows: &[Row]) -> (Vec<RowKey>, bool) {
    let Some(pivot) = &table.pivot else {
        return (Vec::new(), false);
    };
    let values: BTreeMap<&KeyCell, &RowKey> = rows
        .iter()
        .map(|row| &row.keys[pivot.key])
        .map(|key| (&key.cell, key))
        .collect();
    let mut values: Vec<RowKey> = values.into_values().cloned().collect();
    let baseline = pivot.baseline.as_ref().and_then(|baseline| {
        values
            .iter()
            .position(|key| key.is(&baseline.value) == Some(true))
    });
    if let Some(index) = baseline {
        values[..=index].rotate_right(1);
    }
    (values, baseline.is_some())
}

/// Rows whose keys are the same but for the pivoted one stand in one line.
fn lines(table: &Table, pivoted: &[RowKey], rows: Vec<Row>) -> Vec<Line> {
    let mut lines: BTreeMap<Vec<KeyCell>, Line> = BTreeMap::new();
    for row in rows {
        let pivot = table.pivot.as_ref().map(|pivot| pivot.key);
        let keys = row.keys.iter().enumerate();
        let others = keys
            .filter(|(index, _)| Some(*index) != pivot)
            .map(|(_, key)| key.cell.clone())
            .collect();
        let place = pivot.map_or(0, |pivot| {
            let cell = &row.keys[pivot].cell;
            let place = pivoted.iter().position(|value| value.cell == *cell);
            place.expect("every value of the pivoted key is known")
        });
        let line = lines
            .entry(others)
            .or_insert_with(|| Line(vec![None; pivoted.len().max(1)]));
        line.0[place] = Some(row);
    }
    lines.into_values().collect()
}

impl Line {
    /// A row of the line: its keys but for the pivoted one are those of all.
    pub fn any(&self) -> &Row {
        let row = self.0.iter().flatten().next();
        row.expect("a line is made of at least one row")
    }

    /// What a line is ordered by: its largest value, or its smallest if those come first.
    fn value(&self, column: usize, descending: bool) -> Option<Quantity> {
        let values = self.0.iter().flatten().filter_map(|row| row.values[column]);
        if descending {
            values.max_by(|left, right| left.order(*right))
        } else {
            values.min_by(|left, right| left.order(*right))
        }
    }
}

fn order(sort: Option<Sort>, left: &Line, right: &Line) -> Ordering {
    let Some(Sort { by, descending }) = sort else {
        return Ordering::Equal;
    };
    let ordering = match by {
        SortBy::Key(index) => left.any().keys[index]
            .cell
            .cmp(&right.any().keys[index].cell),
        SortBy::Column(column) => {
            match (
                left.value(column, descending),
                right.value(column, descending),
            ) {
                (Some(left), Some(right)) => left.order(right),
                // Lines without a value come last in either direction.
                (left, right) => return right.is_some().cmp(&left.is_some()),
            }
        }
    };
    if descending {
        ordering.reverse()
    } else {
        ordering
    }
}
