//! A report as one page: plots, tables, and nothing that has to be loaded from elsewhere.

mod bars;
mod budget;
mod palette;
mod plot;
mod table;
mod trend;

use std::io::{self, Write};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::anomaly::{self, Found};
use super::metric::{Metric, OBSERVED, STARTUP, SYSCALL_TIME, TOTAL, WASI};
use super::overview;
use super::read::Results;
use super::study::Study;
use budget::Budget;
use table::HeatMap;

const STYLE: &str = include_str!("style.css");

/// Writes the page.
///
/// # Errors
/// It cannot be written.
pub fn write(
    out: &mut dyn Write,
    results: &Results,
    study: &Study,
    found: &Found,
) -> io::Result<()> {
    out.write_all(page(results, study, found).into_string().as_bytes())
}

/// The page. It is less than 2 MB: what does not fit is left out, plots first, and said.
fn page(results: &Results, study: &Study, found: &Found) -> Markup {
    let mut budget = Budget::default();
    let totals = totals(study, &mut budget);
    let anomalies = anomalies(study, found, &mut budget);
    let functions = functions(study, &mut budget);
    let left_out = left_out(study, &mut budget);
    // All tables come before the first plot, so that plots take only what is left.
    let numbers: Vec<Markup> = (0..study.workloads.len())
        .map(|workload| numbers(study, workload, &mut budget))
        .collect();
    let plots: Vec<Markup> = (0..study.workloads.len())
        .map(|workload| budget.spend(plots(study, workload), "These plots are left out"))
        .collect();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "WASI report: " (study.runtimes.join(", ")) }
                style { (PreEscaped(STYLE)) (PreEscaped(palette::rules(study.runtimes.len()))) }
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header {
                    h1 { "WASI report" }
                    ul { @for fact in overview::facts(results, study) { li { (fact) } } }
                    nav aria-label="Sections" { (contents(study)) }
                }
                main id="main" {
                    section aria-labelledby="totals" { (totals) }
                    section aria-labelledby="anomalies" { (anomalies) }
                    section aria-labelledby="functions" { (functions) }
                    section aria-labelledby="workloads" {
                        h2 id="workloads" { "Workloads" }
                        @for (workload, (plots, numbers)) in plots.iter().zip(&numbers).enumerate() {
                            (self::workload(study, workload, plots, numbers))
                        }
                    }
                    section aria-labelledby="left-out" { (left_out) }
                }
                footer { p { "Written by ewapa " (env!("CARGO_PKG_VERSION")) "." } }
            }
        }
    }
}

fn contents(study: &Study) -> Markup {
    html! {
        ul {
            li { a href="#totals" { "Totals" } }
            li { a href="#anomalies" { "Anomalies" } }
            li { a href="#functions" { "Functions" } }
            @for (index, name) in study.workloads.iter().enumerate() {
                li { a href={ "#w" (index) } { (name) } }
            }
            li { a href="#left-out" { "Runs in no number" } }
        }
    }
}

fn anomalies(study: &Study, found: &Found, budget: &mut Budget) -> Markup {
    let sheet = budget.sheet(anomaly::sheet(study, found));
    html! {
        h2 id="anomalies" { "Anomalies" }
        @for note in anomaly::notes(found) { p { (note) } }
        @if !found.anomalies.is_empty() {
            (table::table(&sheet, "what single runtimes do otherwise than the others", 3))
        }
    }
}

fn totals(study: &Study, budget: &mut Budget) -> Markup {
    let map = HeatMap {
        caption: "total, and how many times the best runtime's",
        heading: "workload",
        rows: &overview::totals(study, &total(study)),
        notes: &[],
    };
    html! {
        h2 id="totals" { "Totals" }
        p { "From exec to the end of the process, at the largest scale at which most runtimes have runs." }
        (budget.spend(table::heat_map(study, &map), "The table is left out"))
    }
}

/// The total without probes, or with them if there are no other runs.
fn total(study: &Study) -> Metric {
    let has_bare = study.cells.values().any(|cell| !cell.bare.is_empty());
    if has_bare { TOTAL } else { OBSERVED }
}

fn functions(study: &Study, budget: &mut Budget) -> Markup {
    let functions = overview::functions(study);
    html! {
        h2 id="functions" { "Functions" }
        @if functions.rows.is_empty() {
            p { "No run was observed." }
        } @else {
            p { "At the largest scale of each workload at which most runtimes have runs." }
            (budget.spend(
                table::heat_map(study, &HeatMap {
                    caption: "time per call, and how many times the best runtime's",
                    heading: "function",
                    rows: &functions.rows,
                    notes: &functions.notes(),
                }),
                "The table is left out"
            ))
        }
    }
}

fn left_out(study: &Study, budget: &mut Budget) -> Markup {
    html! {
        h2 id="left-out" { "Runs in no number" }
        @if study.left_out.is_empty() {
            p { "All runs ended as they should." }
        } @else {
            p { "These runs failed, or lost more than 1 % of their calls." }
            (table::table(&budget.sheet(overview::left_out(study)), "runs in no number", 3))
        }
    }
}

fn numbers(study: &Study, workload: usize, budget: &mut Budget) -> Markup {
    let sheet = budget.sheet(overview::workload(study, workload));
    let caption = format!("{}: all numbers", study.workloads[workload]);
    table::table(&sheet, &caption, 2)
}

fn workload(study: &Study, workload: usize, plots: &Markup, numbers: &Markup) -> Markup {
    html! {
        article aria-labelledby={ "w" (workload) } {
            h3 id={ "w" (workload) } { (study.workloads[workload]) }
            (plots)
            details {
                summary { "All numbers of " (study.workloads[workload]) " as a table" }
                (numbers)
            }
        }
    }
}

fn plots(study: &Study, workload: usize) -> Markup {
    let Some(scale) = study.fullest_scale(workload) else {
        return html! { p { "No run ended as it should." } };
    };
    let mut cells = study.cells.iter();
    let has_bare = cells.any(|(key, cell)| key.workload == workload && !cell.bare.is_empty());
    let total = if has_bare { TOTAL } else { OBSERVED };
    html! {
        (trend::legend(study))
        div.plots {
            @for metric in &[total, STARTUP, WASI, SYSCALL_TIME] {
                (trend::figure(study, workload, metric))
            }
        }
        (bars::legend())
        div.plots {
            (bars::breakdown(study, workload, scale))
            (bars::distribution(study, workload, scale, &total))
        }
    }
}

#[cfg(test)]
mod tests;
