//! Two sides of the same experiment, before and after: what has become more, what less.

mod compare;
mod side;
mod table;

pub use compare::{Difference, Differences, compare};
pub use side::Side;
pub use table::{document, write_csv};

/// The chance that a comparison of equal sides calls any difference real.
pub const FALSE_ALARM: f64 = 0.05;
