//! A report as comma-separated values (RFC 4180): a record for each number, in base units.

use std::io::{self, Write};

use super::metric::{METRICS, TIME_PER_CALL, time_per_call};
use super::overview::cost;
use super::stats::sample::Estimate;
use super::study::{Cell, Key, Study};

/// The headings.
pub const HEADINGS: [&str; 10] = [
    "workload", "scale", "runtime", "function", "metric", "runs", "median", "low", "high", "mad",
];

/// Writes all cells: the metrics of runs have an empty function.
///
/// # Errors
/// It cannot be written.
pub fn write(out: &mut dyn Write, study: &Study) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(HEADINGS)?;
    for (key, cell) in &study.cells {
        let mut record = |function: &str, metric: &str, estimate: Option<Estimate>| {
            estimate.map_or(Ok(()), |estimate| {
                writer.write_record(fields(study, *key, function, metric, &estimate))
            })
        };
        for metric in &METRICS {
            record("", metric.name, cell.sample(metric).estimate())?;
        }
        record("", "cost", cost_estimate(cell))?;
        for func in functions(cell) {
            let estimate = cell.function(func, time_per_call).estimate();
            record(func, TIME_PER_CALL, estimate)?;
        }
    }
    writer.flush()
}

fn fields(
    study: &Study,
    key: Key,
    function: &str,
    metric: &str,
    estimate: &Estimate,
) -> [String; 10] {
    [
        study.workloads[key.workload].clone(),
        key.scale.to_string(),
        study.runtimes[key.runtime].clone(),
        function.to_owned(),
        metric.to_owned(),
        estimate.n.to_string(),
        estimate.median.to_string(),
        estimate.low.to_string(),
        estimate.high.to_string(),
        Some(estimate.mad)
            .filter(|mad| mad.is_finite())
            .map_or_else(String::new, |mad| mad.to_string()),
    ]
}

/// The cost of observing as a number with an interval. It is no median: it has no deviation.
fn cost_estimate(cell: &Cell) -> Option<Estimate> {
    let cost = cost(cell)?;
    Some(Estimate {
        n: cell.bare.len().min(cell.observed.len()),
        median: cost.ratio,
        low: cost.low,
        high: cost.high,
        mad: f64::NAN,
    })
}

fn functions(cell: &Cell) -> Vec<&str> {
    let functions = cell.observed.iter().flat_map(|run| &run.functions);
    let mut names: Vec<&str> = functions.map(|function| function.func.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}
