//! Plots with a row for each runtime: where the time goes, and how single runs are spread.

use maud::{Markup, html};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::output::words::count;
use crate::report::metric::{GUEST, Metric, OWN, STARTUP, SYSCALL_TIME};
use crate::report::show::{self, Unit};
use crate::report::stats::sample::Sample;
use crate::report::study::Study;

use super::palette;
use super::plot::{self, Drawn, WIDTH};

/// The parts of the total, from its begin on.
const PARTS: [Metric; 4] = [STARTUP, GUEST, OWN, SYSCALL_TIME];
const NAMES: [&str; 4] = [
    "startup",
    "guest",
    "the runtime's own time in WASI",
    "system calls in WASI",
];
const LETTERS: [&str; 4] = ["S", "G", "O", "C"];

/// Of a row: the name's line and the bar.
const NAME: i32 = 42;
const BAR: i32 = 46;
const ROW: i32 = NAME + BAR + 14;
/// The labels below.
const AXIS: i32 = 56;
/// Left and right of the bars, so that labels at the ends have room.
const SIDE: i32 = 56;

/// Where the observed total goes, at one scale.
pub fn breakdown(study: &Study, workload: usize, scale: u64) -> Markup {
    let rows: Vec<(usize, [f64; 4])> = (0..study.runtimes.len())
        .filter_map(|runtime| {
            let cell = study.cell(workload, scale, runtime)?;
            let parts = PARTS.map(|metric| cell.sample(&metric).median());
            parts
                .iter()
                .all(Option::is_some)
                .then(|| (runtime, parts.map(Option::unwrap_or_default)))
        })
        .collect();
    let longest = rows
        .iter()
        .map(|(_, parts)| parts.iter().sum::<f64>())
        .fold(0.0, f64::max);
    if longest <= 0.0 {
        return html! {};
    }
    let svg = plot::drawing(height(rows.len()), |area| {
        draw_parts(area, study, &rows, longest)
    });
    let words: Vec<String> = rows
        .iter()
        .map(|(runtime, parts)| {
            let parts: Vec<String> = parts
                .iter()
                .zip(NAMES)
                .map(|(part, name)| format!("{name} {}", show::value(*part, Unit::Time)))
                .collect();
            format!("{}: {}", study.runtimes[*runtime], parts.join(", "))
        })
        .collect();
    let id = format!("w{workload}-parts");
    let title = format!("where the time goes at scale {scale}");
    plot::figure(&id, &title, &words.join("; "), &svg)
}

/// What the letters and colours of the parts are.
pub fn legend() -> Markup {
    html! {
        ul.legend {
            @for (index, name) in NAMES.iter().enumerate() {
                li { (swatch(index)) (LETTERS[index]) ": " (name) }
            }
        }
    }
}

fn swatch(part: usize) -> Markup {
    let svg = plot::drawing(36, |area| {
        let fill = palette::PARTS[part].filled();
        area.draw(&Rectangle::new([(0, 2), (36, 34)], fill))?;
        Ok(())
    });
    plot::ornament(&svg, "0 0 36 36")
}

fn height(rows: usize) -> u32 {
    (rows as i32 * ROW + AXIS) as u32
}

fn draw_parts(
    area: &DrawingArea<SVGBackend, plotters::coord::Shift>,
    study: &Study,
    rows: &[(usize, [f64; 4])],
    longest: f64,
) -> Drawn<()> {
    let place = |time: f64| SIDE + (time / longest * f64::from(WIDTH as i32 - 2 * SIDE)) as i32;
    let ticks = linear_ticks(longest);
    let labels = ticks
        .iter()
        .map(|tick| (place(*tick), plot::time_label(tick)));
    draw_axis(area, rows.len(), labels)?;
    let inside = plot::text()
        .color(&palette::ON_PART)
        .pos(Pos::new(HPos::Center, VPos::Center));
    for (index, (runtime, parts)) in rows.iter().enumerate() {
        let top = index as i32 * ROW + NAME;
        let total = show::value(parts.iter().sum(), Unit::Time);
        draw_name(
            area,
            index,
            &format!("{}: {total}", study.runtimes[*runtime]),
        )?;
        let mut begin = 0.0;
        for (part, time) in parts.iter().enumerate() {
            let (left, right) = (place(begin), place(begin + time));
            begin += time;
            if right == left {
                continue;
            }
            // A gap between two parts, unless one is no wider than that.
            let end = if right - left > 4 { right - 2 } else { right };
            let fill = palette::PARTS[part].filled();
            area.draw(&Rectangle::new([(left, top), (end, top + BAR)], fill))?;
            if right - left > 34 {
                let middle = (i32::midpoint(left, right), top + BAR / 2 + 2);
                area.draw_text(LETTERS[part], &inside, middle)?;
            }
        }
    }
    Ok(())
}

/// Round numbers from zero on, at most five.
fn linear_ticks(longest: f64) -> Vec<f64> {
    let decade = 10f64.powf(longest.log10().floor());
    let steps = [0.2, 0.5, 1.0, 2.0, 5.0].map(|step| step * decade);
    let step = steps.into_iter().find(|step| longest / step <= 4.5);
    let step = step.unwrap_or(longest);
    (0..)
        .map(|index| f64::from(index) * step)
        .take_while(|tick| *tick <= longest)
        .collect()
}

fn draw_axis(
    area: &DrawingArea<SVGBackend, plotters::coord::Shift>,
    rows: usize,
    labels: impl Iterator<Item = (i32, String)>,
) -> Drawn<()> {
    let bottom = rows as i32 * ROW;
    let below = plot::text().pos(Pos::new(HPos::Center, VPos::Top));
    for (place, label) in labels {
        let line = vec![(place, 0), (place, bottom + 6)];
        area.draw(&PathElement::new(line, plot::grid()))?;
        area.draw_text(&label, &below, (place, bottom + 14))?;
    }
    Ok(())
}

fn draw_name(
    area: &DrawingArea<SVGBackend, plotters::coord::Shift>,
    row: usize,
    name: &str,
) -> Drawn<()> {
    let above = plot::text().pos(Pos::new(HPos::Left, VPos::Bottom));
    area.draw_text(name, &above, (SIDE, row as i32 * ROW + NAME - 2))?;
    Ok(())
}

/// How many bars a histogram has.
const BINS: usize = 48;

/// How the totals of single runs are spread, at one scale.
pub fn distribution(study: &Study, workload: usize, scale: u64, metric: &Metric) -> Markup {
    let rows: Vec<(usize, Sample)> = (0..study.runtimes.len())
        .filter_map(|runtime| {
            Some((
                runtime,
                study.cell(workload, scale, runtime)?.sample(metric),
            ))
        })
        .filter(|(_, sample)| sample.len() > 0)
        .collect();
    let all = rows.iter().flat_map(|(_, sample)| sample.values());
    let Some(axis) = plot::axis(all.copied()) else {
        return html! {};
    };
    let svg = plot::drawing(height(rows.len()), |area| {
        draw_spread(area, study, &rows, &axis)
    });
    let words: Vec<String> = rows
        .iter()
        .filter_map(|(runtime, sample)| {
            let time = |value: &f64| show::value(*value, Unit::Time);
            let (first, last) = (sample.values().first()?, sample.values().last()?);
            Some(format!(
                "{}: {} from {} to {}, median {}",
                study.runtimes[*runtime],
                count(sample.len(), "run"),
                time(first),
                time(last),
                time(&sample.median()?)
            ))
        })
        .collect();
    let id = format!("w{workload}-spread");
    let title = format!(
        "{} of single runs at scale {scale} (tick: median)",
        metric.title
    );
    plot::figure(&id, &title, &words.join("; "), &svg)
}

fn draw_spread(
    area: &DrawingArea<SVGBackend, plotters::coord::Shift>,
    study: &Study,
    rows: &[(usize, Sample)],
    axis: &plot::Axis,
) -> Drawn<()> {
    let width = WIDTH as i32 - 2 * SIDE;
    let part = |value: f64| (value / axis.low).ln() / (axis.high / axis.low).ln();
    let place = |value: f64| SIDE + (part(value) * f64::from(width)) as i32;
    let ticks = axis.ticks.iter();
    let labels = ticks.map(|tick| (place(*tick), plot::time_label(tick)));
    draw_axis(area, rows.len(), labels)?;
    for (index, (runtime, sample)) in rows.iter().enumerate() {
        let bottom = index as i32 * ROW + NAME + BAR;
        draw_name(
            area,
            index,
            &format!(
                "{}: {}",
                study.runtimes[*runtime],
                count(sample.len(), "run")
            ),
        )?;
        let mut bins = [0u32; BINS];
        for value in sample.values().iter().filter(|value| **value > 0.0) {
            let bin = (part(*value) * BINS as f64) as usize;
            bins[bin.min(BINS - 1)] += 1;
        }
        let most = bins.iter().copied().max().unwrap_or(1).max(1);
        let edge = |bin: usize| SIDE + (bin as i32 * width) / BINS as i32;
        let fill = palette::mark(*runtime).filled();
        for (bin, count) in bins.iter().enumerate().filter(|(_, count)| **count > 0) {
            let high = (BAR * *count as i32 / most as i32).max(4);
            let corners = [(edge(bin) + 1, bottom - high), (edge(bin + 1) - 1, bottom)];
            area.draw(&Rectangle::new(corners, fill))?;
        }
        if let Some(median) = sample.median() {
            let line = vec![(place(median), bottom), (place(median), bottom + 10)];
            area.draw(&PathElement::new(line, palette::INK.stroke_width(5)))?;
        }
    }
    Ok(())
}
