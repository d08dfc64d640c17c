//! Tables with what stands above and below them.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::time::Duration;

use ewapa_lang::plan::{Plan, SortBy, Table};
use ewapa_templates::Counter;
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Padding, Style};

use crate::engine::groups::{Group, Key};
use crate::engine::names::Names;
use crate::engine::trace::{Losses, Outcome};

use super::{cells, column, map, number};

/// All tables and maps of a run, as text.
pub fn render(plan: &Plan, outcome: &Outcome) -> String {
    let mut out = String::new();
    for table in &plan.tables {
        writeln!(out, "{}", headline(table, outcome)).expect("write to a string");
        out.push_str(&body(
            table,
            &plan.stores[table.store.0].keys,
            &outcome.groups[table.store.0],
            &outcome.names,
        ));
    }
    let maps = map::render_all(plan, outcome);
    if !plan.tables.is_empty() && !maps.is_empty() {
        out.push('\n');
    }
    out.push_str(&maps);
    if plan.tables.is_empty() && !outcome.losses.is_complete() {
        writeln!(out, "not complete: {}", losses(&outcome.losses)).expect("write to a string");
    }
    for line in footer(plan, outcome) {
        writeln!(out, "{line}").expect("write to a string");
    }
    out
}

fn headline(table: &Table, outcome: &Outcome) -> String {
    let processes = match outcome.processes {
        1 => "1 process".to_owned(),
        count => format!("{count} processes"),
    };
    format!(
        "{} · {processes} · {} · {}",
        table.name,
        duration(outcome.elapsed),
        losses(&outcome.losses)
    )
}

fn duration(elapsed: Duration) -> String {
    match elapsed.as_secs_f64() {
        seconds if seconds < 1.0 => format!("{:.1} ms", seconds * 1e3),
        seconds if seconds < 600.0 => format!("{seconds:.1} s"),
        seconds => format!("{:.1} min", seconds / 60.0),
    }
}

/// What is missing from the tables, in a few words.
fn losses(losses: &Losses) -> String {
    let mut parts = Vec::new();
    let mut say = |count: u64, what: &str| {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    };
    say(losses.lost(), "lost");
    say(losses.unmatched(), "unmatched");
    say(losses.count(Counter::Abandoned), "abandoned");
    say(losses.open(), "still open");
    say(losses.count(Counter::NoMessage), "messages lost");
    if parts.is_empty() {
        parts.push("nothing lost".to_owned());
    }
    if !losses.unfinished.is_empty() {
        let total: u64 = losses.unfinished.iter().map(|(_, count)| count).sum();
        let names: Vec<&str> = losses
            .unfinished
            .iter()
            .map(|(function, _)| function.name())
            .collect();
        parts.push(format!("{total} unfinished ({})", names.join(", ")));
    }
    parts.join(", ")
}

/// The lines below the tables.
fn footer(plan: &Plan, outcome: &Outcome) -> Vec<String> {
    let mut lines = Vec::new();
    if let (Some(cost), false) = (outcome.probe_cost, plan.tables.is_empty()) {
        let mut line = format!(
            "probe cost about {:.1} us a call, not subtracted",
            cost.as_secs_f64() * 1e6
        );
        for found in outcome
            .found
            .iter()
            .filter(|found| found.single_stepped > 0)
        {
            write!(
                line,
                "; {}: {} of {} sites are single-stepped and cost more",
                found.name, found.single_stepped, found.sites
            )
            .expect("write to a string");
        }
        lines.push(line);
    }
    for found in outcome
        .found
        .iter()
        .filter(|found| !found.missing.is_empty())
    {
        let names: Vec<&str> = found
            .missing
            .iter()
            .map(|function| function.name())
            .take(4)
            .collect();
        let more = if found.missing.len() > names.len() {
            " …"
        } else {
            ""
        };
        lines.push(format!(
            "{}: {} of the functions cannot be seen ({}{more}); `ewapa symbols` says why",
            found.name,
            found.missing.len(),
            names.join(", ")
        ));
    }
    let mut say = |counter, what: &str| {
        let count = outcome.losses.count(counter);
        if count > 0 {
            lines.push(format!("{count} {what}"));
        }
    };
    say(
        Counter::GroupsFull,
        "calls found no place in a table: it has more groups than it can hold",
    );
    say(
        Counter::NoThread,
        "calls were not seen: no memory for the record of their thread",
    );
    say(
        Counter::Deep,
        "calls were not seen: they were nested too deep",
    );
    say(
        Counter::NoMemory,
        "values could not be read from the memory of a process: they count as none",
    );
    say(
        Counter::NoEvent,
        "new programs or libraries were not looked into: their calls were not seen",
    );
    say(
        Counter::NoMessage,
        "messages of the script found no room: what it printed or did to its maps is not all",
    );
    say(
        Counter::Processes,
        "child processes were not traced: there were too many",
    );
    lines
}

fn body(
    table: &Table,
    key_types: &[ewapa_lang::types::Type],
    groups: &[Group],
    names: &Names,
) -> String {
    let mut rows: Vec<Row> = groups
        .iter()
        .map(|group| Row {
            keys: &group.keys,
            key_texts: group
                .keys
                .iter()
                .zip(key_types)
                .map(|(key, ty)| cells::key(key, *ty, names))
                .collect(),
            values: table
                .columns
                .iter()
                .map(|column| column::evaluate(&column.value, &group.values))
                .collect(),
        })
        .collect();
    rows.sort_by(|left, right| order(table, key_types, left, right));
    let left_out = table
        .limit
        .map_or(0, |limit| rows.len().saturating_sub(limit));
    rows.truncate(rows.len() - left_out);

    let mut builder = Builder::default();
    let formats: Vec<_> = table
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            number::choose(
                column,
                &rows.iter().map(|row| row.values[index]).collect::<Vec<_>>(),
            )
        })
        .collect();
    let heading = |name: &str, unit: Option<&str>| match unit {
        Some(unit) => format!("{}({unit})", name.to_uppercase()),
        None => name.to_uppercase(),
    };
    let keys = table.keys.iter().map(|name| name.to_uppercase());
    builder.push_record(
        keys.chain(
            table
                .columns
                .iter()
                .zip(&formats)
                .map(|(column, (_, unit))| heading(&column.name, *unit)),
        ),
    );
    for row in &rows {
        let values = row
            .values
            .iter()
            .zip(&formats)
            .map(|(value, (format, _))| number::text(*value, *format));
        builder.push_record(row.key_texts.iter().cloned().chain(values));
    }
    let mut drawn = builder.build();
    drawn.with(Style::empty()).with(Padding::new(0, 2, 0, 0));
    drawn.modify(Columns::new(table.keys.len()..), Alignment::right());
    let mut out = String::new();
    for line in drawn.to_string().lines() {
        writeln!(out, "{}", line.trim_end()).expect("write to a string");
    }
    if rows.is_empty() {
        out.push_str("no call\n");
    }
    if left_out > 0 {
        writeln!(out, "{left_out} more rows are left out by the limit").expect("write to a string");
    }
    out
}

struct Row<'a> {
    keys: &'a [Key],
    key_texts: Vec<String>,
    values: Vec<Option<f64>>,
}

/// By what the script says, then by the keys: the order never depends on that of the kernel's map.
fn order(
    table: &Table,
    key_types: &[ewapa_lang::types::Type],
    left: &Row<'_>,
    right: &Row<'_>,
) -> Ordering {
    let by_key = |index: usize| match key_types[index] {
        // Names are in the order of the alphabet, whatever their numbers.
        ewapa_lang::types::Type::Enum(_) => left.key_texts[index].cmp(&right.key_texts[index]),
        _ => left.keys[index].cmp(&right.keys[index]),
    };
    let primary = match table.sort {
        None => Ordering::Equal,
        Some(sort) => match sort.by {
            SortBy::Key(index) => {
                let ordering = by_key(index);
                if sort.descending {
                    ordering.reverse()
                } else {
                    ordering
                }
            }
            // Rows without a value come last in either direction.
            SortBy::Column(index) => match (left.values[index], right.values[index]) {
                (Some(left), Some(right)) if sort.descending => right.total_cmp(&left),
                (Some(left), Some(right)) => left.total_cmp(&right),
                (left, right) => right.is_some().cmp(&left.is_some()),
            },
        },
    };
    (0..key_types.len()).fold(primary, |ordering, index| {
        ordering.then_with(|| by_key(index))
    })
}
