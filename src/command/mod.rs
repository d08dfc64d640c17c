//! The subcommands.

pub mod bench;
pub mod check;
pub mod completions;
pub mod demo;
pub mod doctor;
pub mod dry_run;
pub mod explain;
pub mod fmt;
pub mod functions;
pub mod guest;
pub mod line;
pub mod list;
pub mod man;
pub mod script;
pub mod seconds;
pub mod symbols;
