//! Maps as tables: `tabulate`, and the formats that know nothing but tables.

use std::collections::BTreeMap;

use ewapa_lang::plan::{Column, ColumnExpr, Unit};
use ewapa_lang::types::Type;

use super::cells::{KeyCell, escape, escape_lines};
use super::map::Shown;
use super::map::content::Content;
use super::number;
use super::quantity::Quantity;
use super::sheet::{Sheet, Side};

/// A table of what maps hold.
#[derive(Debug)]
pub struct Grid {
    /// What stands above it; empty for nothing.
    pub title: String,
    /// The types of the keys, which are the first columns.
    pub keys: Vec<Type>,
    /// How the script calls the keys, where it does.
    pub called: Vec<Option<String>>,
    /// The names of the other columns.
    pub columns: Vec<String>,
    /// The rows in order.
    pub rows: Vec<Row>,
    /// Rows that the limit leaves out.
    pub left_out: usize,
}

/// A row of such a table.
#[derive(Debug, Clone)]
pub struct Row {
    /// What the key is.
    pub keys: Vec<KeyCell>,
    /// One for each column; none where a map does not have the key.
    pub values: Vec<Content>,
}

impl Grid {
    /// Maps with the same keys, joined on them: by the column `sort`, the largest value first, else by the
    /// keys.
    pub fn joined(title: &str, maps: &[Shown], sort: Option<usize>, limit: Option<usize>) -> Grid {
        let mut joined: BTreeMap<&[KeyCell], Vec<Content>> = BTreeMap::new();
        for (index, map) in maps.iter().enumerate() {
            for entry in &map.entries {
                let row = joined
                    .entry(&entry.keys)
                    .or_insert_with(|| vec![Content::None; maps.len()]);
                row[index] = entry.content.clone();
            }
        }
        let rows = joined.into_iter().map(|(keys, values)| Row {
            keys: keys.to_vec(),
            values,
        });
        let mut rows: Vec<Row> = rows.collect();
        if let Some(sort) = sort {
            rows.sort_by(|left, right| right.values[sort].order(&left.values[sort]));
        }
        let left_out = limit.map_or(0, |limit| rows.len().saturating_sub(limit));
        rows.truncate(rows.len() - left_out);
        let name = |map: &Shown| match map.map.name.as_str() {
            "" => "value".to_owned(),
            name => name.to_owned(),
        };
        Grid {
            title: title.to_owned(),
            keys: maps.first().map_or(Vec::new(), |map| map.types.to_vec()),
            called: maps.first().map_or(Vec::new(), |map| map.map.keys.clone()),
            columns: maps.iter().map(name).collect(),
            rows,
            left_out,
        }
    }

    /// One map. A histogram has a row for each range, stats a column for each of their parts.
    pub fn of(map: &Shown) -> Grid {
        let mut grid = Grid::joined(&format!("@{}", map.map.name), &[], None, None);
        grid.keys = map.types.to_vec();
        grid.called.clone_from(&map.map.keys);
        let content = map.entries.first().map(|entry| &entry.content);
        let names: &[&str] = match content {
            Some(Content::Histogram(..)) => &["from", "to", "count"],
            Some(Content::Stats { .. }) => &["count", "average", "total"],
            _ => &["value"],
        };
        grid.columns = names.iter().map(|name| (*name).to_owned()).collect();
        // The largest value first, as in tables.
        for entry in map.entries.iter().rev() {
            let rows = match &entry.content {
                Content::Histogram(buckets, counts, ty) => counts
                    .iter()
                    .map(|(index, count)| {
                        let (low, high) =
                            ewapa_codegen::histogram::bounds(*buckets, usize::from(*index));
                        let bound = |bound: i64, open: i64| match bound == open {
                            true => Content::None,
                            false => Content::Cell(KeyCell::Number(bound), *ty),
                        };
                        vec![
                            bound(low, i64::MIN),
                            bound(high, i64::MAX),
                            Content::Cell(KeyCell::Unsigned(*count), Type::Unsigned),
                        ]
                    })
                    .collect(),
                Content::Stats {
                    count,
                    average,
                    total,
                } => vec![vec![
                    Content::Cell(KeyCell::Number(*count), Type::Int),
                    (**average).clone(),
                    (**total).clone(),
                ]],
                content => {
                    let mut row = vec![content.clone()];
                    row.resize(grid.columns.len(), Content::None);
                    vec![row]
                }
            };
            grid.rows.extend(rows.into_iter().map(|values| Row {
                keys: entry.keys.clone(),
                values,
            }));
        }
        grid
    }

    /// The names of the columns of keys for programs, whatever the script calls them: `k1` and on.
    pub fn key_names(&self) -> impl Iterator<Item = String> {
        (1..=self.keys.len()).map(|index| format!("k{index}"))
    }

    /// What it looks like.
    pub fn sheet(&self) -> Sheet {
        let columns: Vec<(String, Side, Vec<String>)> = (0..self.columns.len())
            .map(|index| self.column(index))
            .collect();
        let keys = self.key_names().enumerate().map(|(index, name)| {
            let called = self.called.get(index).cloned().flatten();
            called.unwrap_or(name).to_uppercase()
        });
        let headings = columns.iter().map(|(heading, ..)| heading.clone());
        let lines = self.rows.iter().enumerate().map(|(index, row)| {
            let keys = row.keys.iter().zip(&self.keys);
            let keys = keys.map(|(key, ty)| key.text(*ty));
            let values = columns.iter().map(|(_, _, cells)| cells[index].clone());
            keys.chain(values).collect()
        });
        let mut notes = Vec::new();
        match self.left_out {
            0 => {}
            1 => notes.push("1 more row is left out by the limit".to_owned()),
            count => notes.push(format!("{count} more rows are left out by the limit")),
        }
        Sheet {
            groups: Vec::new(),
            headings: keys.chain(headings).collect(),
            sides: std::iter::repeat_n(Side::Left, self.keys.len())
                .chain(columns.iter().map(|(_, side, _)| *side))
                .collect(),
            lines: lines.collect(),
            notes,
        }
    }

    /// Heading, side and cells of a column. Numbers have one unit for the whole column.
    fn column(&self, index: usize) -> (String, Side, Vec<String>) {
        let name = self.columns[index].to_uppercase();
        let cells = || self.rows.iter().map(|row| &row.values[index]);
        let numbers: Option<Vec<(Option<Quantity>, Type)>> = cells().map(number_of).collect();
        let ty = numbers
            .iter()
            .flatten()
            .find_map(|(number, ty)| number.map(|_| *ty));
        let (Some(numbers), Some(ty)) = (numbers, ty) else {
            let line = |content: &Content| match content {
                Content::Cell(cell @ KeyCell::Stack(_), ty) => cell.text(*ty),
                content => content.text(),
            };
            return (name, Side::Left, cells().map(line).collect());
        };
        let column = Column {
            name: String::new(),
            value: ColumnExpr::Number(0.0),
            ty,
            unit: Unit::Auto,
        };
        let values = numbers.iter().filter_map(|(number, _)| *number);
        let (format, unit) = number::choose(&column, values);
        let heading = unit.map_or_else(|| name.clone(), |unit| format!("{name}({unit})"));
        let cells = numbers
            .iter()
            .map(|(number, _)| number::text(*number, format));
        (heading, Side::Right, cells.collect())
    }
}

/// A number with its type; none for what is no number. What has no value may be one.
fn number_of(content: &Content) -> Option<(Option<Quantity>, Type)> {
    match content {
        Content::None => Some((None, Type::Int)),
        Content::Cell(KeyCell::Number(_) | KeyCell::Unsigned(_), ty) | Content::Real(_, ty) => {
            Some((content.quantity(), *ty))
        }
        // How many values they hold.
        Content::Histogram(..) => Some((content.quantity(), Type::Int)),
        Content::Stats { count, .. } => Some((Some(Quantity::Whole(*count)), Type::Int)),
        Content::Cell(..) | Content::Tuple(_) | Content::Series(_) => None,
    }
}

impl Content {
    /// For programs that read tables: without a unit, nothing for none, and harmless for a terminal.
    pub fn field(&self) -> String {
        match self {
            Content::None => String::new(),
            Content::Cell(cell @ KeyCell::Stack(_), _) => escape_lines(&cell.plain()),
            Content::Cell(cell, _) => escape(&cell.plain()),
            Content::Tuple(parts) => {
                let parts: Vec<String> = parts.iter().map(Content::field).collect();
                format!("({})", parts.join(", "))
            }
            Content::Series(series) => {
                let values = series.values.iter();
                let values =
                    values.map(|value| value.map_or(String::new(), |value| value.to_string()));
                values.collect::<Vec<_>>().join(";")
            }
            Content::Real(..) | Content::Histogram(..) | Content::Stats { .. } => self
                .quantity()
                .map_or(String::new(), |value| value.to_string()),
        }
    }
}
