//! Tables of the page.

use maud::{Markup, html};

use crate::output::sheet::{Sheet, Side};
use crate::report::overview::FunctionRow;
use crate::report::show::{self, Unit};
use crate::report::study::Study;

/// A table that scrolls by itself where it is wider than the screen. The first `names` cells of a line say
/// what the line is about.
pub fn table(sheet: &Sheet, caption: &str, names: usize) -> Markup {
    framed(
        caption,
        html! {
            thead {
                @if sheet.groups.iter().any(|(name, _)| !name.is_empty()) {
                    tr {
                        @for (name, width) in &sheet.groups {
                            @if name.is_empty() {
                                td colspan=(width) {}
                            } @else {
                                th.group scope="colgroup" colspan=(width) { (name) }
                            }
                        }
                    }
                }
                tr {
                    @for (heading, side) in sheet.headings.iter().zip(&sheet.sides) {
                        th scope="col" class=[right(*side)] { (heading.to_lowercase()) }
                    }
                }
            }
            tbody {
                @for line in &sheet.lines {
                    tr {
                        @for (index, cell) in line.iter().enumerate() {
                            @if index < names {
                                th scope="row" class=[right(sheet.sides[index])] { (cell) }
                            } @else {
                                td class=[right(sheet.sides[index])] { (cell) }
                            }
                        }
                    }
                }
            }
        },
        &sheet.notes,
    )
}

fn framed(caption: &str, content: Markup, notes: &[String]) -> Markup {
    html! {
        div.scroll role="region" tabindex="0" aria-label=(caption) {
            table {
                caption { span { (caption) } }
                (content)
            }
        }
        @for note in notes { p.note { (note) } }
    }
}

fn right(side: Side) -> Option<&'static str> {
    (side == Side::Right).then_some("n")
}

/// What the rows of a heat map are.
pub struct HeatMap<'a> {
    /// What the table shows.
    pub caption: &'a str,
    /// What a row is.
    pub heading: &'a str,
    /// The rows.
    pub rows: &'a [FunctionRow],
    /// What stands below the table.
    pub notes: &'a [String],
}

/// A time in each runtime: the darker, the more above the best.
pub fn heat_map(study: &Study, map: &HeatMap<'_>) -> Markup {
    framed(
        map.caption,
        html! {
            thead {
                tr {
                    th scope="col" { (map.heading) }
                    @for runtime in &study.runtimes { th.n.name scope="col" { (runtime) } }
                }
            }
            tbody {
                @for row in map.rows {
                    tr {
                        th scope="row" {
                            @if row.func.is_empty() {
                                (study.workloads[row.workload]) " " (row.scale)
                            } @else {
                                (row.func) br;
                                small { (study.workloads[row.workload]) " " (row.scale) }
                            }
                        }
                        @for (runtime, time) in row.times.iter().enumerate() {
                            @match (time, row.ratio_to_best(runtime)) {
                                (Some(time), Some(ratio)) => {
                                    td class={ "n h" (heat(ratio)) } {
                                        (show::value(time.median, Unit::Time))
                                        " " small { (share_of_best(ratio)) }
                                    }
                                }
                                (Some(time), None) => td.n { (show::value(time.median, Unit::Time)) },
                                (None, _) => td.n { "-" },
                            }
                        }
                    }
                }
            }
        },
        map.notes,
    )
}

/// From 0 for the best to 6 for more than ten times as much.
fn heat(ratio: f64) -> usize {
    let steps = [1.05, 1.3, 1.8, 3.0, 5.0, 10.0];
    steps.iter().filter(|step| ratio > **step).count()
}

fn share_of_best(ratio: f64) -> String {
    if ratio <= 1.0 {
        "best".to_owned()
    } else {
        show::times(Some(ratio))
    }
}
