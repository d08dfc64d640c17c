//! From groups to what people and programs read.

pub mod blocks;
pub mod cells;
pub mod clock;
pub mod column;
pub mod condition;
pub mod elsewhere;
pub mod format;
pub mod grid;
pub mod histogram;
pub mod map;
pub mod measure;
pub mod number;
pub mod outside;
pub mod printf;
pub mod quantity;
pub mod report;
pub mod rows;
pub mod series;
pub mod sheet;
pub mod stack;
pub mod summary;
pub mod terminal;
pub mod verdict;

#[cfg(test)]
mod tests;
pub mod words;
