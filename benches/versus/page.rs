//! The figures of a run as tables: for the terminal, and for docs/PERFORMANCE.md.

use serde_json::Value;
use tabled::builder::Builder;
use tabled::settings::object::{Columns, Object, Rows};
use tabled::settings::{Alignment, Style};

/// What stands around the tables in the page.
const BEGIN: &str = "<!-- figures: cargo bench --bench versus -- --write-docs -->\n";
const END: &str = "<!-- end of the figures -->\n";

/// The columns with figures, and the name of each in the JSON.
const TOOLS: [(&str, &str); 5] = [
    ("BARE", "bare"),
    ("EWAPA", "ewapa"),
    ("BPFTRACE", "bpftrace"),
    ("STRACE -C", "strace"),
    ("PERF TRACE -S", "perf"),
];

/// For the terminal.
pub fn for_terminal(figures: &Value) -> String {
    let mut table = builder(rows(figures), true).build();
    table
        .with(Style::blank())
        .modify(Columns::new(3..).not(Rows::first()), Alignment::right());
    let mut text = format!("{table}\n{}\n", about(figures));
    for note in left_out(figures) {
        text += &format!("left out: {note}\n");
    }
    text
}

/// The page with the tables of these figures in the place of those that it has.
///
/// # Errors
/// The page has no place for them.
pub fn write_into(page: &str, figures: &Value) -> Result<String, String> {
    let place = || {
        let (before, rest) = page.split_once(BEGIN)?;
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    };
    let (before, after) = place().ok_or("the page has no place for figures")?;
    Ok(format!(
        "{before}{BEGIN}\n{}\n{END}{after}",
        markdown(figures)
    ))
}

fn markdown(figures: &Value) -> String {
    let mut text = format!("{}\n", about(figures));
    let mut runtimes: Vec<&str> = rows(figures).map(|row| text_of(row, "runtime")).collect();
    runtimes.dedup();
    for runtime in runtimes {
        let own = || rows(figures).filter(|row| text_of(row, "runtime") == runtime);
        text += &format!("\n### {runtime}\n\n");
        let mut table = builder(own(), false).build();
        table
            .with(Style::markdown())
            .modify(Columns::new(2..).not(Rows::first()), Alignment::right());
        text += &format!("{table}\n");
    }
    for note in left_out(figures) {
        text += &format!("\nLeft out: {note}\n");
    }
    text
}

/// How the figures came about.
fn about(figures: &Value) -> String {
    let versions: Vec<&str> = figures["versions"]
        .as_object()
        .into_iter()
        .flat_map(|versions| versions.values())
        .filter_map(Value::as_str)
        .collect();
    format!(
        "Medians of {} rounds, with the smallest and the largest in brackets; {} calls of the guest. {}; load average {} before, {} after. {}.",
        figures["rounds"],
        figures["calls"],
        text_of(figures, "machine"),
        text_of(&figures["load"], "before"),
        text_of(&figures["load"], "after"),
        versions.join(", ")
    )
}

fn builder<'f>(rows: impl Iterator<Item = &'f Value> + Clone, with_runtime: bool) -> Builder {
    let used: Vec<(&str, &str)> = TOOLS
        .into_iter()
        .filter(|(_, tool)| rows.clone().any(|row| !row[tool].is_null()))
        .collect();
    let mut builder = Builder::new();
    let mut header = vec!["FIGURE", "UNIT"];
    if with_runtime {
        header.insert(0, "RUNTIME");
    }
    header.extend(used.iter().map(|(title, _)| *title));
    header.extend(["EWAPA/BPFTRACE", "EWAPA/BARE"]);
    builder.push_record(header);
    for row in rows {
        let mut cells = vec![
            text_of(row, "figure").to_owned(),
            text_of(row, "unit").to_owned(),
        ];
        if with_runtime {
            cells.insert(0, text_of(row, "runtime").to_owned());
        }
        cells.extend(used.iter().map(|(_, tool)| samples(&row[tool])));
        cells.extend(["ewapa_by_bpftrace", "ewapa_by_bare"].map(|name| ratio(&row[name])));
        builder.push_record(cells);
    }
    builder
}

/// `48.2 (45.1..60.3)`, empty if there is nothing.
fn samples(samples: &Value) -> String {
    let [Some(median), Some(min), Some(max)] =
        ["median", "min", "max"].map(|name| samples[name].as_f64())
    else {
        return String::new();
    };
    let digits = match median.abs() {
        small if small < 10.0 => 2,
        middle if middle < 1000.0 => 1,
        _ => 0,
    };
    format!("{median:.digits$} ({min:.digits$}..{max:.digits$})")
}

fn ratio(ratio: &Value) -> String {
    match ratio.as_f64() {
        None => String::new(),
        Some(small) if small < 0.1 => format!("{small:.3}"),
        Some(ratio) => format!("{ratio:.2}"),
    }
}

fn rows(figures: &Value) -> impl Iterator<Item = &Value> + Clone {
    figures["rows"].as_array().into_iter().flatten()
}

fn left_out(figures: &Value) -> impl Iterator<Item = &str> {
    let notes = figures["left_out"].as_array().into_iter().flatten();
    notes.filter_map(Value::as_str)
}

fn text_of<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}
