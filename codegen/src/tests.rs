//! What generated code does, without a kernel: an interpreter runs it, and what it leaves in the maps is
//! held against expectations written out by hand, or against a second implementation in plain Rust.

mod blocks;
mod clauses;
mod expressions;
mod groups;
mod kernel;
mod machine;
#[path = "../../lang/tests/machine/mod.rs"]
mod machine_of_scripts;
mod maps;
mod messages;
mod objects;
mod random;
mod reference;
mod run;
mod scripts;
mod slots;
mod terms;
