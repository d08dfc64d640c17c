//! The figures as a table of docs/PERFORMANCE.md.

use serde_json::Value;

/// What stands around the table in the page.
const BEGIN: &str =
    "<!-- resolver: cargo bench -p ewapa-symbols --bench cold -- --write-docs BINARY… -->\n";
const END: &str = "<!-- end of the resolver's figures -->\n";

/// The page with the table of these figures in the place of the one that it has.
///
/// # Errors
/// The page has no place for it.
pub fn write_into(page: &str, figures: &Value) -> Result<String, String> {
    let place = || {
        let (before, rest) = page.split_once(BEGIN)?;
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    };
    let (before, after) = place().ok_or("the page has no place for the resolver's figures")?;
    Ok(format!("{before}{BEGIN}\n{}\n{END}{after}", table(figures)))
}

/// All binaries in one table, in Markdown.
pub fn table(figures: &Value) -> String {
    let mut text = format!(
        "Medians of {} rounds, with the smallest and the largest in brackets; load average {} before, {} after.\n\n\
         | BINARY | WHAT | MS | X READING | MEMORY, MiB |\n|---|---|---:|---:|---:|\n",
        figures["rounds"],
        figures["load"]["before"].as_str().unwrap_or_default(),
        figures["load"]["after"].as_str().unwrap_or_default(),
    );
    for binary in list(&figures["binaries"]) {
        let reading = list(&binary["rows"]).first().map_or(1.0, median);
        for row in list(&binary["rows"]) {
            let (time, samples) = (median(row), sorted(row));
            text += &format!(
                "| {}, {:.1} MB | {} | {time:.1} ({:.1}..{:.1}) | {:.2} | {} |\n",
                binary["name"].as_str().unwrap_or_default(),
                binary["bytes"].as_f64().unwrap_or_default() / 1e6,
                row["what"].as_str().unwrap_or_default(),
                samples.first().unwrap_or(&0.0),
                samples.last().unwrap_or(&0.0),
                time / reading,
                match row["kib"].as_f64() {
                    Some(kib) if kib > 0.0 => format!("{:.1}", kib / 1024.0),
                    _ => String::new(),
                },
            );
        }
    }
    text
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn sorted(row: &Value) -> Vec<f64> {
    let mut samples: Vec<f64> = list(&row["ms"]).iter().filter_map(Value::as_f64).collect();
    samples.sort_by(f64::total_cmp);
    samples
}

fn median(row: &Value) -> f64 {
    let samples = sorted(row);
    samples.get(samples.len() / 2).copied().unwrap_or_default()
}
