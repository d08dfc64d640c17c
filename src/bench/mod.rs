//! Experiments: runtimes, workloads and scales, run again and again.

pub mod child;
pub mod directory;
pub mod experiment;
pub mod file;
pub mod files;
pub mod inheritance;
pub mod machine;
pub mod observation;
pub mod order;
pub mod plan;
pub mod progress;
pub mod result;
pub mod runtime;
pub mod schedule;
pub mod statement;
pub mod trial;
pub mod workload;
