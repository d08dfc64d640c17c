//! What became of the script's checks.

use std::fmt;

use ewapa_lang::plan::{Check, Plan};

use crate::engine::trace::Outcome;

use super::cells::escape;
use super::condition::Sight;
use super::rows::{self, Row};

/// Whether a check holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// What it needs has no value: there is no such row, or nothing in it.
    Unknown,
}

/// What became of a check.
#[derive(Debug)]
pub struct Verdict<'a> {
    /// The check.
    pub check: &'a Check,
    /// Whether it holds.
    pub holds: Holds,
    /// The condition with its values; of a check over rows that of the first row that decides.
    pub values: String,
    /// Of a check over rows: in how many of how many rows it is as it is.
    pub rows: Option<(usize, usize)>,
}

impl<'a> Verdict<'a> {
    /// Holds all checks against the results.
    pub fn all(plan: &'a Plan, outcome: &Outcome) -> Vec<Verdict<'a>> {
        if plan.checks.is_empty() {
            return Vec::new();
        }
        let tables: Vec<Vec<Row>> = plan
            .tables
            .iter()
            .map(|table| {
                let mut rows = rows::all(plan, table, &outcome.reading, &outcome.names);
                rows.sort_by(|left, right| left.cells().cmp(right.cells()));
                rows
            })
            .collect();
        let sight = Sight {
            row: None,
            tables: &tables,
            plan: Some(plan),
            run: Some(outcome),
            none_is_false: false,
        };
        let checks = plan.checks.iter();
        checks
            .map(|check| match check.rows_of {
                Some(table) => over_rows(check, sight, &plan.tables[table].keys, &tables[table]),
                None => Verdict {
                    check,
                    holds: Holds::from(sight.holds(&check.condition)),
                    values: sight.shown(&check.condition),
                    rows: None,
                },
            })
            .collect()
    }
}

/// It has to hold for every row. One for which it does not decides, else one for which it has no value.
fn over_rows<'a>(check: &'a Check, sight: Sight, keys: &[String], rows: &[Row]) -> Verdict<'a> {
    let verdict = |row: &Row| {
        let sight = Sight {
            row: Some(row),
            ..sight
        };
        Holds::from(sight.holds(&check.condition))
    };
    let verdicts: Vec<Holds> = rows.iter().map(verdict).collect();
    let has = |wanted| verdicts.contains(&wanted);
    let holds = [Holds::No, Holds::Unknown]
        .into_iter()
        .find(|wanted| has(*wanted));
    let holds = holds.unwrap_or(Holds::Yes);
    let decides = rows
        .iter()
        .zip(&verdicts)
        .find(|(_, verdict)| **verdict == holds);
    let values = decides.map_or_else(String::new, |(row, _)| {
        let named = keys.iter().zip(&row.keys);
        let named: Vec<String> = named
            .map(|(name, key)| format!("{name} {}", key.cell.text(key.ty)))
            .collect();
        let sight = Sight {
            row: Some(row),
            ..sight
        };
        format!("{}: {}", named.join(", "), sight.shown(&check.condition))
    });
    let count = verdicts.iter().filter(|verdict| **verdict == holds).count();
    Verdict {
        check,
        holds,
        values,
        rows: Some((count, rows.len())),
    }
}

impl From<Option<bool>> for Holds {
    fn from(value: Option<bool>) -> Holds {
        match value {
            Some(true) => Holds::Yes,
            Some(false) => Holds::No,
            None => Holds::Unknown,
        }
    }
}

impl fmt::Display for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict {
            check,
            holds,
            values,
            rows,
        } = self;
        let what = match holds {
            Holds::Yes => "check holds",
            Holds::No => "check failed",
            Holds::Unknown => "check has no value",
        };
        write!(
            f,
            "{what}: {}: {}",
            escape(&check.text),
            escape(&check.written)
        )?;
        let is = match holds {
            Holds::Yes => "holds",
            Holds::No => "is false",
            Holds::Unknown => "has no value",
        };
        match rows {
            Some((count, all)) => write!(f, " {is} in {count} of {all} rows, such as {values}"),
            None => write!(f, " ({values})"),
        }
    }
}
