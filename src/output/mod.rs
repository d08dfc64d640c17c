//! From groups to what people read.

pub mod cells;
pub mod clock;
pub mod column;
pub mod console;
pub mod histogram;
pub mod map;
pub mod measure;
pub mod number;
pub mod printf;
pub mod table;
