//! Differences as tables.

use std::io::{self, Write};

use crate::output::sheet::{self, Sheet};
use crate::output::words::count;
use crate::report::document::{self, Document};
use crate::report::show;

use super::{Difference, Differences, Side};

/// The differences as a text with a table: those that are real, or all of them.
pub fn document(before: &Side, after: &Side, found: &Differences, all: bool) -> Document {
    let mut document = Document::default();
    document.heading(format!("{} against {}", after.name, before.name));
    document.text(notes(before, after, found));
    let rows: Vec<&Difference> = found
        .rows
        .iter()
        .filter(|row| all || row.is_real())
        .collect();
    if !rows.is_empty() {
        document.table(sheet(&rows));
    }
    document
}

fn notes(before: &Side, after: &Side, found: &Differences) -> Vec<String> {
    let real = found.rows.iter().filter(|row| row.is_real()).count();
    let compared = count(found.rows.len(), "comparison");
    let mut notes = vec![match real {
        0 => format!("no real difference in {compared}"),
        _ => format!("{} in {compared}", count(real, "real difference")),
    }];
    for (cells, lacks, has) in [
        (&found.missing, after, before),
        (&found.added, before, after),
    ] {
        if !cells.is_empty() {
            notes.push(format!(
                "{} has no good run of what {} has: {}",
                lacks.name,
                has.name,
                cells.join(", ")
            ));
        }
    }
    for side in [before, after] {
        notes.extend(side.notes.iter().cloned());
        let left_out: usize = side
            .study
            .left_out
            .iter()
            .map(|left_out| left_out.runs)
            .sum();
        if left_out > 0 {
            notes.push(format!(
                "{}: {} in no number, for it failed or lost calls",
                side.name,
                match left_out {
                    1 => "1 run is".to_owned(),
                    many => format!("{many} runs are"),
                }
            ));
        }
    }
    notes
}

fn sheet(rows: &[&Difference]) -> Sheet {
    let mut table = document::sheet(&[
        ("RUNTIME", sheet::Side::Left),
        ("WORKLOAD", sheet::Side::Left),
        ("WHAT", sheet::Side::Left),
        ("RATIO", sheet::Side::Right),
        ("95 % INTERVAL", sheet::Side::Right),
        ("RUNS", sheet::Side::Right),
        ("DIFFERS", sheet::Side::Left),
    ]);
    for row in rows {
        table.lines.push(vec![
            row.runtime.clone(),
            row.workload.clone(),
            match &row.func {
                Some(func) => format!("{func}: {}", row.title),
                None => row.title.to_owned(),
            },
            show::times(row.ratio.map(|ratio| ratio.ratio)),
            row.ratio
                .map_or_else(|| "-".to_owned(), |ratio| show::interval(&ratio)),
            format!("{}:{}", row.before, row.after),
            differs(row).to_owned(),
        ]);
    }
    table.notes = vec![
        "RATIO is the second side to the first, over all scales; RUNS are the first side's and the second's."
            .to_owned(),
    ];
    table
}

fn differs(row: &Difference) -> &'static str {
    match row.ratio {
        _ if !row.is_real() => "no",
        Some(ratio) if ratio.ratio > 1.0 => "more",
        Some(ratio) if ratio.ratio < 1.0 => "less",
        _ => "yes",
    }
}

/// Writes all comparisons as comma-separated values.
///
/// # Errors
/// It cannot be written.
pub fn write_csv(out: &mut dyn Write, found: &Differences) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record([
        "runtime",
        "workload",
        "function",
        "metric",
        "ratio",
        "low",
        "high",
        "runs_before",
        "runs_after",
        "chance",
        "real",
    ])?;
    for row in &found.rows {
        let ratio = |part: fn(&crate::report::stats::ratio::Ratio) -> f64| {
            row.ratio
                .map_or_else(String::new, |ratio| part(&ratio).to_string())
        };
        writer.write_record([
            row.runtime.clone(),
            row.workload.clone(),
            row.func.clone().unwrap_or_default(),
            row.metric.to_owned(),
            ratio(|ratio| ratio.ratio),
            ratio(|ratio| ratio.low),
            ratio(|ratio| ratio.high),
            row.before.to_string(),
            row.after.to_string(),
            row.chance.to_string(),
            row.is_real().to_string(),
        ])?;
    }
    writer.flush()
}
