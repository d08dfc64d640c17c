//! The engine: loads what the compiler made, attaches it to the runtimes of the traced processes, and
//! reads what the kernel has kept.

pub mod abi;
pub mod attach;
pub mod batch;
pub mod calibrate;
pub mod clauses;
pub mod command;
pub mod ending;
pub mod feature;
pub mod gate;
pub mod grace_period;
pub mod groups;
pub mod keeper;
pub mod kernel;
pub mod known;
pub mod load;
pub mod maps;
pub mod messages;
pub mod names;
pub mod needs;
pub mod prepared;
pub mod probes;
pub mod processes;
pub mod raw;
pub mod reading;
pub mod rows;
pub mod said;
pub mod schedule;
pub mod script;
pub mod signals;
pub mod stacks;
pub mod test_run;
pub mod trace;
