//! How series and parts are told apart: by colour, and by marker and dashes as well.
//!
//! The plots have a colour of its own for each thing, and the style sheet, which can tell a dark screen
//! from a light one, says for each of these colours what is really drawn.

use std::fmt::Write;

use plotters::style::RGBColor;

/// Text and axes.
pub const INK: RGBColor = RGBColor(0x1a, 0x1a, 0x1b);
/// Lines of the grid.
pub const GRID: RGBColor = RGBColor(0xd8, 0xd8, 0xd9);
/// Text on a part of a bar.
pub const ON_PART: RGBColor = RGBColor(0xff, 0xff, 0xfd);
/// The parts of a bar: startup, guest, own time, system calls.
pub const PARTS: [RGBColor; 4] = [
    RGBColor(0x5f, 0x6b, 0x78),
    RGBColor(0x1f, 0x66, 0xa6),
    RGBColor(0xb3, 0x56, 0x00),
    RGBColor(0x7b, 0x2d, 0x8b),
];

/// Light and dark colours of series.
const SERIES: [(RGBColor, &str); 8] = [
    (RGBColor(0x00, 0x72, 0xb0), "#5cb3e8"),
    (RGBColor(0xc4, 0x4e, 0x00), "#ff8f4d"),
    (RGBColor(0x00, 0x80, 0x60), "#3fcb9f"),
    (RGBColor(0xa8, 0x32, 0x80), "#ec86c4"),
    (RGBColor(0x8a, 0x6a, 0x00), "#d9b44a"),
    (RGBColor(0x4b, 0x3f, 0xb0), "#a79cff"),
    (RGBColor(0x5b, 0x64, 0x70), "#aeb8c4"),
    (RGBColor(0x0e, 0x7c, 0x90), "#4fc6d0"),
];

/// Dashes of lines, in units of a plot.
const DASHES: [&str; 6] = ["none", "14 7", "3 6", "20 6 3 6", "8 4", "14 5 3 5 3 5"];

/// The colour of the line of a series.
pub fn line(series: usize) -> RGBColor {
    let (RGBColor(red, green, blue), _) = SERIES[series % SERIES.len()];
    // Series beyond the colours take one again, with other dashes and another marker. In the plot even
    // they have a colour of their own: the style sheet tells them apart by it.
    let turn = (series / SERIES.len()) as u8;
    RGBColor(red, green, blue.wrapping_add(2 * turn))
}

/// The colour of the marks of a series, which have no dashes.
pub fn mark(series: usize) -> RGBColor {
    let RGBColor(red, green, blue) = line(series);
    RGBColor(red, green, blue.wrapping_add(1))
}

/// The corners of the marker of a series around its point.
pub fn marker(series: usize, radius: i32) -> Vec<(i32, i32)> {
    let (r, thin) = (radius, radius / 3);
    let corners = match (series + series / SERIES.len()) % 7 {
        0 => circle(r),
        1 => vec![(-r, -r), (r, -r), (r, r), (-r, r)],
        2 => vec![(0, -r - 1), (r + 1, r), (-r - 1, r)],
        3 => vec![(0, -r - 2), (r + 2, 0), (0, r + 2), (-r - 2, 0)],
        4 => plus(r + 1, thin),
        5 => vec![(0, r + 1), (r + 1, -r), (-r - 1, -r)],
        _ => plus(r + 2, thin)
            .into_iter()
            // A plus that is turned by 45 degrees.
            .map(|(x, y)| ((x - y) * 7 / 10, (x + y) * 7 / 10))
            .collect(),
    };
    let mut closed = corners;
    closed.extend(closed.first().copied());
    closed
}

fn circle(radius: i32) -> Vec<(i32, i32)> {
    let corner = |step: i32| {
        let angle = f64::from(step) * std::f64::consts::TAU / 16.0;
        let at = |part: f64| (part * f64::from(radius)).round() as i32;
        (at(angle.cos()), at(angle.sin()))
    };
    (0..16).map(corner).collect()
}

fn plus(r: i32, thin: i32) -> Vec<(i32, i32)> {
    let t = thin;
    vec![
        (-t, -r),
        (t, -r),
        (t, -t),
        (r, -t),
        (r, t),
        (t, t),
        (t, r),
        (-t, r),
        (-t, t),
        (-r, t),
        (-r, -t),
        (-t, -t),
    ]
}

/// The rules of the style sheet for so many series.
pub fn rules(series: usize) -> String {
    let mut light = String::new();
    let mut dark = String::new();
    let mut rules = String::new();
    let mut rule = |color: RGBColor, name: &str| {
        let code = code(color);
        let _ = writeln!(rules, "[fill=\"{code}\"]{{fill:var(--{name})}}");
        let _ = writeln!(rules, "[stroke=\"{code}\"]{{stroke:var(--{name})}}");
    };
    for index in 0..series {
        let (bright, dim) = SERIES[index % SERIES.len()];
        let name = format!("s{index}");
        let _ = write!(light, "--{name}:{};", code(bright));
        let _ = write!(dark, "--{name}:{dim};");
        rule(line(index), &name);
        rule(mark(index), &name);
    }
    for (index, part) in PARTS.iter().enumerate() {
        rule(*part, &format!("part{index}"));
    }
    rule(INK, "ink");
    rule(GRID, "grid");
    rule(ON_PART, "on-part");
    for index in 0..series {
        let dashes = DASHES[(index + index / SERIES.len()) % DASHES.len()];
        let code = code(line(index));
        let _ = writeln!(
            rules,
            "polyline[stroke=\"{code}\"]{{stroke-dasharray:{dashes}}}"
        );
    }
    format!(
        ":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n{rules}"
    )
}

fn code(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_things_have_the_same_colour_in_a_plot() {
        let mut codes: Vec<String> = (0..24)
            .flat_map(|series| [line(series), mark(series)])
            .map(code)
            .collect();
        codes.extend(PARTS.map(code));
        codes.extend([INK, GRID, ON_PART].map(code));
        let different: BTreeSet<&String> = codes.iter().collect();
        assert_eq!(different.len(), codes.len());
    }

    #[test]
    fn the_first_series_differ_in_marker_and_all_of_one_colour_in_dashes() {
        let markers: BTreeSet<_> = (0..7).map(|series| marker(series, 8)).collect();
        assert_eq!(markers.len(), 7);
        for series in 0..8 {
            assert_ne!(marker(series, 8), marker(series + 8, 8));
        }
    }
}
