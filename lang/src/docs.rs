//! What a script says about itself.

use crate::ast::Script;

/// The `//!` lines of a script.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Docs {
    /// The name: what is before the ` - ` of the first line; empty without one.
    pub name: String,
    /// What it does, in one line: the rest of the first line.
    pub summary: String,
    /// All other lines.
    pub body: String,
}

impl Docs {
    pub(crate) fn of(script: &Script) -> Docs {
        let mut lines = script.docs.iter().map(|line| line.value.as_str());
        let first = lines.next().unwrap_or_default().trim();
        let (name, summary) = first.split_once(" - ").unwrap_or(("", first));
        let body = lines.collect::<Vec<_>>().join("\n");
        Docs {
            name: name.trim().to_owned(),
            summary: summary.trim().to_owned(),
            body: body.trim().to_owned(),
        }
    }
}
