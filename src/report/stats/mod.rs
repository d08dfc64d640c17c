//! The statistics of reports. All of it is computed from ranks or medians, so that single runs that went
//! astray move nothing, and all of it gives the same result each time.

pub mod holm;
pub mod ranks;
pub mod ratio;
pub mod sample;
pub mod slope;
