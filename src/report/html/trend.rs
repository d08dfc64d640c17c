//! Times against the scale: a line for each runtime.

use maud::{Markup, html};
use plotters::prelude::*;

use crate::report::metric::Metric;
use crate::report::show::{self, Unit};
use crate::report::stats::sample::Estimate;
use crate::report::study::Study;

use super::palette;
use super::plot::{self, Drawn};

const HEIGHT: u32 = 600;
const RADIUS: i32 = 9;

/// A runtime's numbers at each scale.
struct Series {
    runtime: usize,
    points: Vec<(f64, Estimate)>,
}

/// The plot of a metric of a workload; nothing if it was not measured.
pub fn figure(study: &Study, workload: usize, metric: &Metric) -> Markup {
    let series: Vec<Series> = (0..study.runtimes.len())
        .map(|runtime| series(study, workload, runtime, metric))
        .filter(|series| !series.points.is_empty())
        .collect();
    let all = || series.iter().flat_map(|series| &series.points);
    let scales = plot::scale_axis(all().map(|(scale, _)| *scale));
    let times = plot::axis(all().flat_map(|(_, time)| [time.low, time.median, time.high]));
    let (Some(scales), Some(times)) = (scales, times) else {
        return html! {};
    };
    let svg = plot::drawing(HEIGHT, |area| draw(area, &series, &scales, &times));
    let words: Vec<String> = series.iter().map(|series| words(study, series)).collect();
    let title = format!("{} against scale", metric.title);
    let id = format!("w{workload}-{}", metric.name);
    plot::figure(&id, &title, &words.join("; "), &svg)
}

fn series(study: &Study, workload: usize, runtime: usize, metric: &Metric) -> Series {
    let points = study.scales(workload).iter().filter_map(|&scale| {
        let cell = study.cell(workload, scale, runtime)?;
        let estimate = cell.sample(metric).estimate()?;
        (estimate.median > 0.0 && scale > 0).then_some((scale as f64, estimate))
    });
    Series {
        runtime,
        points: points.collect(),
    }
}

fn words(study: &Study, series: &Series) -> String {
    let at = |(scale, time): &(f64, Estimate)| {
        format!("{} at {scale}", show::value(time.median, Unit::Time))
    };
    let name = &study.runtimes[series.runtime];
    match (series.points.first(), series.points.last()) {
        (Some(first), Some(last)) if series.points.len() > 1 => {
            format!("{name}: from {} to {}", at(first), at(last))
        }
        (Some(first), _) => format!("{name}: {}", at(first)),
        _ => name.clone(),
    }
}

fn draw(
    area: &DrawingArea<SVGBackend, plotters::coord::Shift>,
    series: &[Series],
    scales: &plot::Axis,
    times: &plot::Axis,
) -> Drawn<()> {
    let of = |axis: &plot::Axis| {
        (axis.low..axis.high)
            .log_scale()
            .with_key_points(axis.ticks.clone())
    };
    let mut chart = ChartBuilder::on(area)
        .margin(8)
        .margin_right(24)
        .x_label_area_size(52)
        .y_label_area_size(124)
        .build_cartesian_2d(of(scales), of(times))?;
    chart
        .configure_mesh()
        .max_light_lines(0)
        .bold_line_style(plot::grid())
        .axis_style(palette::INK.stroke_width(2))
        .label_style(plot::text())
        .x_label_formatter(&plot::scale_label)
        .y_label_formatter(&plot::time_label)
        .draw()?;
    for series in series {
        let line = palette::line(series.runtime).stroke_width(4);
        let mark = palette::mark(series.runtime);
        let points = series.points.iter();
        chart.draw_series(LineSeries::new(
            points.clone().map(|(scale, time)| (*scale, time.median)),
            line,
        ))?;
        // What is no wider than a marker would not be seen.
        let wide = points
            .clone()
            .filter(|(_, time)| time.low > 0.0 && time.high / time.low > 1.1);
        chart.draw_series(wide.map(|(scale, time)| {
            PathElement::new(
                vec![(*scale, time.low), (*scale, time.high)],
                mark.stroke_width(3),
            )
        }))?;
        chart.draw_series(points.map(|(scale, time)| {
            EmptyElement::at((*scale, time.median))
                + Polygon::new(palette::marker(series.runtime, RADIUS), mark.filled())
        }))?;
    }
    Ok(())
}

/// Which line is which runtime's.
pub fn legend(study: &Study) -> Markup {
    html! {
        ul.legend {
            @for (runtime, name) in study.runtimes.iter().enumerate() {
                li { (sample(runtime)) (name) }
            }
        }
    }
}

/// A piece of a runtime's line with its marker.
fn sample(runtime: usize) -> Markup {
    let line = palette::line(runtime).stroke_width(4);
    let mark = palette::mark(runtime);
    let svg = plot::drawing(36, |area| {
        let piece = area.clone().shrink((0, 0), (96, 36));
        piece.draw(&PathElement::new(vec![(2, 18), (94, 18)], line))?;
        let marker = Polygon::new(palette::marker(runtime, RADIUS), mark.filled());
        piece.draw(&(EmptyElement::at((48, 18)) + marker))?;
        Ok(())
    });
    plot::ornament(&svg, "0 0 96 36")
}
