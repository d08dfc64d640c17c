//! Experiments: runtimes, workloads and scales, run again and again.

pub mod result;
