//! From the plan of a script to eBPF.
//!
//! ```text
//! Plan --program--> functions and maps --elf, btf--> object --link, with a template--> linked object
//! ```
//! [`program::generate`] is the compiler: [`action`] compiles what a clause does, [`expr`] expressions,
//! [`slot`] the update of what a group keeps, [`histogram`] the search for a value's range; [`layout`]
//! says where all that is in maps and messages. Nothing here talks to the kernel.

pub mod action;
pub mod btf;
pub mod compiler;
pub mod elf;
pub mod expr;
pub mod histogram;
pub mod insn;
pub mod layout;
pub mod link;
pub mod listing;
pub mod program;
pub mod slot;

#[cfg(test)]
mod interpreter;
#[cfg(test)]
mod tests;

/// What can go wrong between a plan and a linked object.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A part of the script does not fit an eBPF function.
    #[error("{what} is too large for one eBPF function: {why}")]
    TooLarge {
        /// The part of the script.
        what: String,
        /// What there is too much of, and what to do.
        why: String,
    },
    /// A histogram has no ranges, or too many.
    #[error(
        "a histogram in steps of {step} from {min} to {max} is not possible: it needs 1 to {} steps",
        histogram::LIMIT - 2
    )]
    Histogram {
        /// Where the first step begins.
        min: i64,
        /// Where the last one ends.
        max: i64,
        /// Their size.
        step: i64,
    },
    /// The generated object could not be written.
    #[error("cannot write the generated object: {0}")]
    Write(#[from] object::write::Error),
    /// libbpf could not link the generated object with the template.
    #[error("cannot link the generated code with the template: {step} failed: {source}")]
    Link {
        /// The step.
        step: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The linked object is not what was expected.
    #[error("the linked object is malformed: {0}")]
    Malformed(&'static str),
}
