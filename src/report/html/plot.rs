//! What all plots share: the drawing's size, axes of powers of ten, and the words around a drawing.

use std::error::Error;

use maud::{Markup, PreEscaped, html};
use plotters::prelude::*;

use crate::report::show::{self, Unit};

use super::palette::{GRID, INK};

/// What can go wrong with drawing into memory: a defect.
pub type Drawn<T> = Result<T, Box<dyn Error>>;

/// The width of a drawing. It is drawn at twice the size in which it is seen.
pub const WIDTH: u32 = 880;
/// The size of letters.
pub const LETTERS: u32 = 32;

/// The range of an axis and where its lines are.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// The places with a line and a label.
    pub ticks: Vec<f64>,
}

/// An axis on which all these numbers fit; those that are not above zero have no place on it. None if none
/// is.
pub fn axis(values: impl Iterator<Item = f64>) -> Option<Axis> {
    let mut ends = None;
    for value in values.filter(|value| *value > 0.0 && value.is_finite()) {
        let (low, high) = ends.unwrap_or((value, value));
        ends = Some((f64::min(low, value), f64::max(high, value)));
    }
    let (low, high) = ends?;
    // Some room at both ends, more where all numbers are close to each other.
    let room = ((high / low).powf(0.06)).max(1.15);
    let (low, high) = (low / room, high * room);
    let ticks = [
        &[1.0][..],
        &[1.0, 3.0],
        &[1.0, 2.0, 5.0],
        &[1.0, 1.5, 2.0, 3.0, 5.0, 7.0],
    ]
    .iter()
    .map(|steps| ticks(low, high, steps))
    .find(|ticks| ticks.len() >= 3)
    .unwrap_or_else(|| vec![low * room, high / room]);
    Some(Axis { low, high, ticks })
}

/// An axis with lines at the numbers themselves, of which there are few.
pub fn scale_axis(values: impl Iterator<Item = f64>) -> Option<Axis> {
    let mut ticks: Vec<f64> = values.collect();
    ticks.sort_by(f64::total_cmp);
    ticks.dedup();
    let (low, high) = (*ticks.first()?, *ticks.last()?);
    let room = ((high / low).powf(0.06)).max(1.15);
    let every = ticks.len().div_ceil(7);
    Some(Axis {
        low: low / room,
        high: high * room,
        ticks: ticks.into_iter().step_by(every).collect(),
    })
}

fn ticks(low: f64, high: f64, steps: &[f64]) -> Vec<f64> {
    let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let ticks = decades.flat_map(|decade| steps.iter().map(move |step| step * 10f64.powi(decade)));
    let ticks: Vec<f64> = ticks.filter(|tick| low <= *tick && *tick <= high).collect();
    let every = ticks.len().div_ceil(7).max(1);
    ticks.into_iter().step_by(every).collect()
}

/// The label of a time on an axis: short, since axes have round numbers.
pub fn time_label(time: &f64) -> String {
    if *time == 0.0 {
        return "0".to_owned();
    }
    let text = show::value(*time, Unit::Time);
    match text.split_once(' ') {
        Some((number, unit)) if number.contains('.') => {
            let number = number.trim_end_matches('0').trim_end_matches('.');
            format!("{number} {unit}")
        }
        _ => text,
    }
}

/// The label of a scale on an axis.
pub fn scale_label(scale: &f64) -> String {
    match *scale {
        scale if scale >= 1e6 => format!("{}M", scale / 1e6),
        scale if scale >= 1e4 => format!("{}k", scale / 1e3),
        scale => format!("{scale}"),
    }
}

/// The style of text.
pub fn text() -> TextStyle<'static> {
    ("sans-serif", LETTERS).into_font().color(&INK)
}

/// The style of the lines of the grid.
pub fn grid() -> ShapeStyle {
    GRID.stroke_width(2)
}

/// Draws into a text. What is wrong with a drawing is shown in its place.
pub fn drawing(
    height: u32,
    draw: impl FnOnce(&DrawingArea<SVGBackend, plotters::coord::Shift>) -> Drawn<()>,
) -> String {
    let mut svg = String::new();
    let drawn = {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        draw(&area).and_then(|()| Ok(area.present()?))
    };
    match drawn {
        Ok(()) => svg,
        Err(error) => format!(
            "<svg><text y=\"20\">{}</text></svg>",
            html!((error)).into_string()
        ),
    }
}

/// A drawing that says nothing which the words beside it do not say. `view` is what is seen of it.
pub fn ornament(svg: &str, view: &str) -> Markup {
    let inner = inner(svg);
    html! { svg viewBox=(view) aria-hidden="true" { (PreEscaped(inner)) } }
}

/// What a drawing has within its first tag, which has a fixed size and a name space: a page needs neither.
fn inner(svg: &str) -> String {
    let (_, inner) = svg.split_once('>').unwrap_or_default();
    let inner = inner.replace(" opacity=\"1\"", "");
    inner.trim().trim_end_matches("</svg>").to_owned()
}

/// A drawing with what it is called and what it says, for those who do not see it as well.
pub fn figure(id: &str, title: &str, description: &str, svg: &str) -> Markup {
    let view = svg
        .split_once("viewBox=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("", |(view, _)| view);
    html! {
        figure {
            figcaption { (title) }
            svg viewBox=(view) role="img" aria-labelledby={ (id) "-t" } aria-describedby={ (id) "-d" } {
                title id={ (id) "-t" } { (title) }
                desc id={ (id) "-d" } { (description) }
                (PreEscaped(inner(svg)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_all_numbers_and_at_least_two_lines() {
        for values in [
            vec![1.0, 1000.0],
            vec![5.0],
            vec![3e6, 4e6],
            vec![1.0, 1e12],
        ] {
            let axis = axis(values.iter().copied()).unwrap();
            let all = values.iter().chain(&axis.ticks);
            assert!(
                all.clone()
                    .all(|value| axis.low <= *value && *value <= axis.high)
            );
            assert!((2..=8).contains(&axis.ticks.len()), "{axis:?}");
        }
        assert_eq!(axis([0.0, -1.0, f64::NAN].into_iter()), None);
    }

    #[test]
    fn scales_have_lines_where_they_are() {
        let axis = scale_axis([1000.0].into_iter()).unwrap();
        assert_eq!(axis.ticks, [1000.0]);
        assert!(axis.low < 1000.0 && axis.high > 1000.0);
        let axis = scale_axis([10.0, 1.0, 3.0, 1.0].into_iter()).unwrap();
        assert_eq!(axis.ticks, [1.0, 3.0, 10.0]);
    }

    #[test]
    fn labels_are_short() {
        assert_eq!(time_label(&0.0), "0");
        assert_eq!(time_label(&1e6), "1 ms");
        assert_eq!(time_label(&2e10), "20 s");
        assert_eq!(time_label(&1.5e3), "1.5 us");
        assert_eq!(scale_label(&1000.0), "1000");
        assert_eq!(scale_label(&20_000.0), "20k");
    }

    #[test]
    fn what_stands_in_a_drawing_cannot_leave_it() {
        let svg = drawing(100, |area| {
            area.draw_text("</svg><script>", &text(), (0, 0))?;
            Ok(())
        });
        let page = figure("x", "<b>", "\"&", &svg).into_string();
        assert!(
            !page.contains("<script>") && !page.contains("<b>"),
            "{page}"
        );
        assert!(!page.contains("http"), "{page}");
    }
}
