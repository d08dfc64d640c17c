//! From the plan of a script to eBPF.
//!
//! ```text
//! Plan --program--> functions and maps --elf, btf--> object --link, with a template--> linked object
//! ```
//! [`program::generate`] is the compiler: [`expr`] compiles expressions, [`slot`] the update of what a
//! table keeps, [`layout`] says where that is in a map. Nothing here talks to the kernel.

pub mod btf;
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
    /// A jump does not fit its 16 bits.
    #[error("{what} is too large for one eBPF function: split it into several tables")]
    TooLarge {
        /// The part of the script.
        what: String,
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
