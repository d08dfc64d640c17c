//! From a syntax tree to a simpler one, before names and types are looked at: imports are read, macros and
//! aliases are replaced by what they stand for. What follows knows nothing of them.

mod alias;
mod import;
mod macros;
mod place;
mod source;
mod substitute;

use crate::ast::{Item, Script};
use crate::check::Environment;
use crate::code::Code;
use crate::diagnostic::Diagnostic;

pub(crate) use macros::as_written;
pub use source::SourceFile;
pub(crate) use source::Sources;

/// A script that has no imports, macros and aliases any more.
pub(crate) struct Expanded {
    /// The script.
    pub(crate) script: Script,
    /// What was wrong; what had errors is left away.
    pub(crate) errors: Vec<Diagnostic>,
    /// The texts that places in the tree and in errors are in.
    pub(crate) sources: Sources,
    /// The macros and aliases that there were, as they are written: others may import them.
    pub(crate) names: Vec<String>,
}

/// Replaces what stands for something else.
pub(crate) fn expanded(script: &Script, environment: &Environment) -> Expanded {
    let mut script = script.clone();
    let mut sources = Sources::default();
    let mut errors = Vec::new();
    import::read(&mut script, environment, &mut sources, &mut errors);
    let mut aliases = Vec::new();
    let mut macros = Vec::new();
    let mut items = Vec::new();
    for item in script.items {
        match item {
            Item::Alias(alias) => aliases.push(alias),
            Item::Macro(item) => macros.push(item),
            Item::Import(_) => {}
            item => items.push(item),
        }
    }
    check_twice(&aliases, &macros, &mut errors);
    let names = macros.iter().map(|item| item.name.text.clone());
    let aliased = aliases
        .iter()
        .map(|alias| crate::check::probe::written(&alias.probe));
    let names = names.chain(aliased).collect();
    let items = alias::replaced(items, &aliases, &mut errors);
    script.items = macros::replaced(items, &macros, &mut errors);
    Expanded {
        script,
        errors,
        sources,
        names,
    }
}

/// No two aliases and no two macros have the same name.
fn check_twice(
    aliases: &[crate::ast::Alias],
    macros: &[crate::ast::Macro],
    errors: &mut Vec<Diagnostic>,
) {
    let aliases = aliases.iter().map(|alias| {
        let name = crate::check::probe::written(&alias.probe);
        (format!("the alias `{name}`"), alias.probe.span)
    });
    let macros = macros
        .iter()
        .map(|item| (format!("the macro `{}`", item.name.text), item.name.span));
    let mut seen: Vec<(String, crate::Span)> = Vec::new();
    for (what, place) in aliases.chain(macros) {
        match seen.iter().find(|(known, _)| *known == what) {
            Some((_, first)) => errors.push(
                Diagnostic::new(Code::Duplicate, place, format!("{what} is defined twice"))
                    .also(*first, "first here"),
            ),
            None => seen.push((what, place)),
        }
    }
}
