//! A table as text: headings and cells, for the formats that people read.

use ewapa_lang::plan::Table;

use super::map::text::largest;
use super::number::{self, Format};
use super::quantity::Quantity;
use super::rows::{Line, Row, Rows};

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Names and bars.
    Left,
    /// Numbers.
    Right,
}

/// Headings and cells of a table.
#[derive(Debug, PartialEq, Eq)]
pub struct Sheet {
    /// What stands above the headings: a text and over how many columns. Only with a pivot.
    pub groups: Vec<(String, usize)>,
    /// One for each column.
    pub headings: Vec<String>,
    /// One for each column.
    pub sides: Vec<Side>,
    /// The cells, line by line.
    pub lines: Vec<Vec<String>>,
    /// What is said below the table.
    pub notes: Vec<String>,
}

/// A column as it is shown, in each group of a pivot.
struct Shown {
    heading: String,
    format: Format,
    /// Whether the ratio to the baseline follows it.
    ratio: bool,
}

impl Sheet {
    /// What the rows look like.
    pub fn new(rows: &Rows) -> Sheet {
        let table = rows.table;
        let columns: Vec<Shown> = (0..table.columns.len())
            .map(|index| shown(rows, index))
            .collect();
        let keys: Vec<usize> = (0..table.keys.len())
            .filter(|index| table.pivot.as_ref().is_none_or(|pivot| pivot.key != *index))
            .collect();
        let mut sheet = Sheet {
            groups: Vec::new(),
            headings: keys
                .iter()
                .map(|key| table.keys[*key].to_uppercase())
                .collect(),
            sides: vec![Side::Left; keys.len()],
            lines: Vec::new(),
            notes: notes(rows),
        };
        if !rows.pivoted.is_empty() {
            sheet.groups.push((String::new(), keys.len()));
        }
        for group in 0..rows.pivoted.len().max(1) {
            let before = sheet.headings.len();
            for column in &columns {
                sheet.headings.push(column.heading.clone());
                sheet.sides.push(column.format.side());
                if column.ratio && is_compared(rows, group) {
                    sheet.headings.push("x".to_owned());
                    sheet.sides.push(Side::Right);
                }
            }
            if let Some(value) = rows.pivoted.get(group) {
                let width = sheet.headings.len() - before;
                sheet.groups.push((value.cell.text(value.ty), width));
            }
        }
        sheet.lines = rows
            .lines
            .iter()
            .map(|line| cells(rows, line, &keys, &columns))
            .collect();
        sheet
    }
}

fn shown(rows: &Rows, index: usize) -> Shown {
    let column = &rows.table.columns[index];
    let values = rows.rows().filter_map(|row| row.values[index]);
    let (mut format, unit) = number::choose(column, values);
    if let Format::Spark { largest: of_all } = &mut format {
        let steps = rows.rows().filter_map(|row| row.series[index].as_ref());
        *of_all = largest(steps.flatten().copied());
    }
    let name = column.name.to_uppercase();
    let baseline = rows
        .table
        .pivot
        .as_ref()
        .and_then(|pivot| pivot.baseline.as_ref());
    Shown {
        heading: unit.map_or_else(|| name.clone(), |unit| format!("{name}({unit})")),
        format,
        ratio: baseline.is_some_and(|baseline| baseline.ratio_of == index),
    }
}

/// Whether a group of columns stands beside the baseline's.
fn is_compared(rows: &Rows, group: usize) -> bool {
    rows.has_baseline && group > 0
}

fn cells(rows: &Rows, line: &Line, keys: &[usize], columns: &[Shown]) -> Vec<String> {
    let any = line.any();
    let mut cells: Vec<String> = keys
        .iter()
        .map(|key| &any.keys[*key])
        .map(|key| key.cell.text(key.ty))
        .collect();
    for (group, row) in line.0.iter().enumerate() {
        for (index, column) in columns.iter().enumerate() {
            let value = |row: &Option<Row>| row.as_ref().and_then(|row| row.values[index]);
            let steps = row.as_ref().and_then(|row| row.series[index].as_ref());
            cells.push(match (column.format, steps) {
                (Format::Spark { largest }, Some(steps)) => number::steps(steps, largest),
                _ => number::text(value(row), column.format),
            });
            if column.ratio && is_compared(rows, group) {
                cells.push(ratio(value(row), value(&line.0[0])));
            }
        }
    }
    cells
}

/// How many times the baseline's value a value is, with two or three digits that mean something.
fn ratio(value: Option<Quantity>, baseline: Option<Quantity>) -> String {
    let (Some(value), Some(baseline)) = (value, baseline) else {
        return "-".to_owned();
    };
    if baseline.real() == 0.0 {
        return "-".to_owned();
    }
    match value.real() / baseline.real() {
        ratio if ratio.abs() < 9.995 => format!("{ratio:.2}x"),
        ratio if ratio.abs() < 99.95 => format!("{ratio:.1}x"),
        ratio => format!("{ratio:.0}x"),
    }
}

fn notes(rows: &Rows) -> Vec<String> {
    let mut notes = Vec::new();
    if rows.lines.is_empty() {
        notes.push(if rows.table.having.is_some() {
            "no row".to_owned()
        } else {
            "no call".to_owned()
        });
    }
    match rows.left_out {
        0 => {}
        1 => notes.push("1 more row is left out by the limit".to_owned()),
        count => notes.push(format!("{count} more rows are left out by the limit")),
    }
    if !rows.lines.is_empty() {
        notes.extend(rows.legends.iter().cloned());
    }
    if let Some(name) = missing_baseline(rows.table)
        && !rows.has_baseline
        && !rows.lines.is_empty()
    {
        notes.push(format!("nothing to compare with: no row is of {name}"));
    }
    if !rows.estimates.is_empty() && !rows.lines.is_empty() {
        let names = rows.estimates.join(", ").to_uppercase();
        notes.push(format!("estimated from which thread wakes which: {names}"));
    }
    notes
}

fn missing_baseline(table: &Table) -> Option<&str> {
    let baseline = table.pivot.as_ref()?.baseline.as_ref()?;
    Some(&baseline.name)
}
