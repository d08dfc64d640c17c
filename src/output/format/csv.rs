//! Comma-separated values (RFC 4180): a record of headings, then a record for each row. Numbers are in
//! base units, as in JSON. Tables are parted by an empty line. What stands above and below tables
//! elsewhere is written to the standard error.

use std::io::{self, Write};

use crate::engine::reading::Reading;
use crate::engine::trace::Outcome;
use crate::output::cells::KeyCell;
use crate::output::quantity::Quantity;
use crate::output::rows::Rows;
use crate::output::summary;
use crate::output::verdict::Verdict;

use super::Exporter;

/// Writes comma-separated values.
pub struct Csv {
    quiet: bool,
    is_first: bool,
}

impl Csv {
    /// If `quiet`, nothing is written to the standard error.
    pub fn new(quiet: bool) -> Csv {
        Csv {
            quiet,
            is_first: true,
        }
    }
}

impl Exporter for Csv {
    fn table(&mut self, out: &mut dyn Write, rows: &Rows, reading: &Reading) -> io::Result<()> {
        if !self.is_first {
            writeln!(out)?;
        }
        self.is_first = false;
        if !self.quiet {
            eprintln!("{}", summary::headline(rows.table, reading));
        }
        let table = rows.table;
        let mut writer = csv::Writer::from_writer(out);
        let columns = table.columns.iter().map(|column| &column.name);
        writer.write_record(table.keys.iter().chain(columns))?;
        for row in rows.rows() {
            let keys = row.keys.iter().map(|key| key_field(&key.cell));
            writer.write_record(keys.chain(row.values.iter().map(|value| number_field(*value))))?;
        }
        writer.flush()
    }

    fn end(&mut self, _: &mut dyn Write, outcome: &Outcome, _: &[Verdict]) -> io::Result<()> {
        if !self.quiet {
            for line in summary::footer(outcome, true) {
                eprintln!("{line}");
            }
        }
        Ok(())
    }
}

fn key_field(cell: &KeyCell) -> String {
    match cell {
        KeyCell::None => String::new(),
        KeyCell::Bool(value) => value.to_string(),
        KeyCell::Number(value) => value.to_string(),
        KeyCell::Name(name) => name.clone(),
    }
}

fn number_field(value: Option<Quantity>) -> String {
    match value {
        None => String::new(),
        Some(Quantity::Whole(value)) => value.to_string(),
        Some(Quantity::Real(value)) => value.to_string(),
    }
}
