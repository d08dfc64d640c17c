//! The .ewq language: from a script's text to its plan. Nothing here knows a kernel, a file or a process.
//!
//! ```text
//!  text ──parse──▶ ast::Script ──check──▶ plan::Plan ──▶ code generation, tables
//!            │                     │
//!            └──── Vec<Diagnostic> ┴──render──▶ what the user reads
//! ```
//!
//! - [`parse()`] looks at the tokens first, so that nothing in a text can make the parser recurse without
//!   end; then the grammar (`ewq.pest`) reads it, and precedence is sorted out. It covers the whole
//!   language. Syntax errors are said in words, one for each broken item.
//! - [`ast`] is what was written and where.
//! - Imports, macros and aliases are replaced by what they stand for.
//! - [`check()`] knows names, types and units. It collects every error, and refuses by name what the
//!   language has and this version does not run. Slots of a table are shared: what several columns need
//!   is kept once.
//!   Probe blocks are checked until nothing more is learnt of the types of maps, since a map may be read
//!   above the place that fills it. Limits keep what is accepted within what the kernel accepts.
//! - [`plan`] is the result and the contract with the rest of the project: which events, what is done at
//!   each, what is kept, what is printed. It prints itself, for `--emit plan`.
//! - [`builtin`], [`errno`] and [`wasi`] are the tables of what a script can name. A builtin, an aggregate,
//!   a unit or a literal's unit is one row of one table.
//! - [`format`] writes a script anew with the usual white space.
//! - [`probes`] are the calls that a probe stands for, for listings.
//! - [`words`] are all words that mean something, for editors.
//! - [`Diagnostic`] is an error with a stable [`Code`]; [`render`] shows errors with their places.
//!
//! [`compile`] does all of it.

pub mod ast;
pub mod builtin;
mod check;
mod code;
mod diagnostic;
mod docs;
pub mod errno;
mod expand;
mod fmt;
pub mod host;
pub mod linux;
mod listing;
mod nearest;
pub mod page;
mod parse;
pub mod plan;
mod plan_text;
mod span;
pub mod types;
pub mod wasi;
pub mod words;

pub use check::glob;
pub use check::param::Param;
pub use check::{Environment, check};
pub use code::Code;
pub use diagnostic::{Diagnostic, render};
pub use docs::Docs;
pub use expand::SourceFile;
pub use fmt::format;
pub use listing::probes;
pub use nearest::nearest;
pub use parse::parse;
pub use span::Span;

/// A script that has no errors.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    /// What it says about itself.
    pub docs: Docs,
    /// The options that it takes.
    pub params: Vec<Param>,
    /// What it does, with the values of its parameters put in.
    pub plan: plan::Plan,
}

/// Compiles a script. `args` are the names (without dashes) and values of parameters, as the command
/// line gives them.
pub fn compile(
    text: &str,
    environment: &Environment,
    args: &[(String, String)],
) -> Result<Compiled, Vec<Diagnostic>> {
    let script = expand::expanded(&parse(text)?, environment);
    let (plan, script) = check::check_expanded(script, environment, args)?;
    let (docs, params) = description(&script)?;
    Ok(Compiled { docs, params, plan })
}

/// What a script says about itself and which options it takes. Only its parameters are checked, and not
/// those of scripts that it imports.
pub fn describe(text: &str) -> Result<(Docs, Vec<Param>), Vec<Diagnostic>> {
    description(&parse(text)?)
}

/// The same on a machine from which scripts can be imported: their parameters are options, too.
pub fn describe_with(
    text: &str,
    environment: &Environment,
) -> Result<(Docs, Vec<Param>), Vec<Diagnostic>> {
    let expanded = expand::expanded(&parse(text)?, environment);
    if !expanded.errors.is_empty() {
        let errors = expanded.errors.into_iter();
        return Err(errors.map(|error| expanded.sources.place(error)).collect());
    }
    let described = description(&expanded.script);
    described.map_err(|errors| {
        let errors = errors.into_iter();
        errors.map(|error| expanded.sources.place(error)).collect()
    })
}

fn description(script: &ast::Script) -> Result<(Docs, Vec<Param>), Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let params = check::param::Params::declared(script, &mut errors);
    if errors.is_empty() {
        Ok((Docs::of(script), params.into_params()))
    } else {
        Err(errors)
    }
}
