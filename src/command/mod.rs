//! The subcommands.

pub mod check;
pub mod demo;
pub mod doctor;
pub mod explain;
pub mod fmt;
pub mod functions;
pub mod guest;
pub mod line;
pub mod list;
pub mod script;
pub mod symbols;
