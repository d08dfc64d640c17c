//! What the results of experiments say: tables, plots, departures of single runtimes, differences.

pub mod anomaly;
pub mod csv;
pub mod diff;
pub mod document;
pub mod html;
pub mod metric;
pub mod overview;
pub mod read;
pub mod show;
pub mod stats;
pub mod study;
pub mod target;

#[cfg(test)]
#[path = "../../tests/support/synthetic.rs"]
mod synthetic;
#[cfg(test)]
mod tests;
