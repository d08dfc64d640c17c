//! From groups to what people read.

pub mod cells;
pub mod column;
pub mod number;
pub mod table;
