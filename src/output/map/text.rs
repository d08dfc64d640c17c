//! Maps as bpftrace prints them: `@name[key, key]: value`, the largest value last.
//!
//! Plain numbers are shown as they are. Times and sizes are shown with their unit, so that a number of
//! bytes is never taken for one of nanoseconds.

use std::fmt::Write as _;

use ewapa_lang::plan::{Buckets, Shape};
use ewapa_lang::types::Type;

use crate::output::clock;
use crate::output::quantity::Quantity;
use crate::output::{histogram, measure, series, stack, terminal};

use super::content::Series;
use super::{Entry, Shown};

/// The lines of a map. What is empty is not shown.
pub fn render(shown: &Shown) -> String {
    let mut out = String::new();
    for entry in &shown.entries {
        let value = entry.content.text();
        writeln!(out, "{}: {value}", heading(shown, entry)).expect("write to a string");
    }
    out
}

fn heading(shown: &Shown, entry: &Entry) -> String {
    if shown.types.is_empty() {
        return format!("@{}", shown.map.name);
    }
    let keys = entry.keys.iter().zip(shown.types);
    let mut keys = keys.map(|(key, ty)| key.block(*ty, stack::IN_KEY));
    let keys: Vec<String> = match &shown.map.key_shape {
        Some(Shape::Tuple(parts)) => parts.iter().map(|part| tuple(part, &mut keys)).collect(),
        _ => keys.collect(),
    };
    format!("@{}[{}]", shown.map.name, keys.join(", "))
}

/// A key, or several that are a tuple.
fn tuple(shape: &Shape, keys: &mut impl Iterator<Item = String>) -> String {
    match shape {
        Shape::One(_) => keys.next().unwrap_or_default(),
        Shape::Tuple(parts) => {
            let parts: Vec<String> = parts.iter().map(|part| tuple(part, keys)).collect();
            format!("({})", parts.join(", "))
        }
    }
}

/// A histogram, which begins behind its heading with what its bounds are numbers of.
pub fn below_heading(buckets: Buckets, counts: &[(u16, u64)], ty: Type) -> String {
    let unit = match histogram::unit(buckets, ty) {
        (Some(unit), _) => format!("({unit})"),
        (None, _) => String::new(),
    };
    format!("{unit}\n{}", histogram::draw(buckets, counts, ty))
}

/// A series: a character a step, and below a line a step with the time of day at which it begins.
pub fn steps(series: &Series) -> String {
    let largest = largest(series.values.iter().copied());
    let mut out = series::spark(&series.values, largest, terminal::knows_unicode());
    out.truncate(out.trim_end().len());
    out.push('\n');
    for (index, value) in (0..).zip(&series.values) {
        let start = (series.first + index).saturating_mul(series.step);
        let format = match series.step % 1_000_000_000 {
            0 => "%H:%M:%S",
            _ => "%H:%M:%S.%f",
        };
        let start = clock::format(clock::since_start(start), format);
        let bar = value.map_or(0.0, |value| value.real() / largest * f64::from(BAR));
        let bar = "@".repeat(if largest > 0.0 {
            bar.max(0.0) as usize
        } else {
            0
        });
        let value = value.map_or_else(
            || "-".to_owned(),
            |value| measure::text(value.real(), series.ty),
        );
        writeln!(
            out,
            "{start:<16}{value:>12} |{bar:<width$}|",
            width = BAR as usize
        )
        .expect("write to a string");
    }
    out
}

/// The characters of the longest bar.
const BAR: u16 = 52;

/// The largest of several values; 0 if there is none above.
pub fn largest(values: impl Iterator<Item = Option<Quantity>>) -> f64 {
    values.flatten().map(Quantity::real).fold(0.0, f64::max)
}
