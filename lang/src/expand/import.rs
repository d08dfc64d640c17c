//! `import`: macros, aliases and parameters of other scripts.

use crate::ast::{Import, Item, Script};
use crate::check::Environment;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::host::Host;
use crate::parse::parse;
use crate::span::Span;

use super::place::shift;
use super::source::Sources;

/// Imports may nest so deep.
const MAX_DEPTH: usize = 16;

/// A script imports at most so many others, those that they import counted.
const MAX_FILES: usize = 64;

/// The imported scripts have at most so many bytes together.
const MAX_BYTES: usize = 4 << 20;

/// Puts the items of imported scripts before those of the script.
pub(super) fn read(
    script: &mut Script,
    environment: &Environment,
    sources: &mut Sources,
    errors: &mut Vec<Diagnostic>,
) {
    // Without a machine there are no files: a script's own parameters can still be described.
    let Some(host) = environment.host else {
        for item in &script.items {
            if let Item::Import(import) = item {
                let message =
                    "the script is compiled for no machine, so that nothing can be imported";
                errors.push(Diagnostic::new(Code::BadImport, import.span, message));
            }
        }
        return;
    };
    let mut reader = Reader {
        host,
        sources,
        errors,
        items: Vec::new(),
        open: environment.name.map(str::to_owned).into_iter().collect(),
    };
    for item in &script.items {
        if let Item::Import(import) = item {
            reader.import(import, environment.name);
        }
    }
    let items = std::mem::take(&mut reader.items);
    script.items.splice(0..0, items);
}

struct Reader<'r> {
    host: &'r dyn Host,
    sources: &'r mut Sources,
    errors: &'r mut Vec<Diagnostic>,
    /// What was imported so far.
    items: Vec<Item>,
    /// The scripts that are being read, the outermost first.
    open: Vec<String>,
}

impl Reader<'_> {
    fn import(&mut self, import: &Import, from: Option<&str>) {
        let path = &import.path;
        let (text, name) = match self.host.import(&path.value, from) {
            Ok(found) => found,
            Err(reason) => {
                let message = format!("cannot import `{}`: {reason}", path.value);
                return self.error(path.span, message);
            }
        };
        if self.open.contains(&name) {
            let message = format!("`{}` imports itself", path.value);
            return self.error(path.span, message);
        }
        if self.sources.contains(&name) {
            return;
        }
        if self.open.len() > MAX_DEPTH || self.sources.len() == MAX_FILES {
            let message = format!(
                "a script imports at most {MAX_FILES} others, and imports nest at most {MAX_DEPTH} deep"
            );
            return self.error(path.span, message);
        }
        if self.sources.bytes() + text.len() > MAX_BYTES {
            let message = format!("imported scripts have at most {MAX_BYTES} bytes together");
            return self.error(path.span, message);
        }
        let base = self.sources.add(&name, &text);
        match parse(&text) {
            Ok(mut script) => {
                shift(&mut script, base);
                self.open.push(name.clone());
                for item in script.items {
                    self.item(item, &name);
                }
                self.open.pop();
            }
            Err(errors) => self
                .errors
                .extend(errors.into_iter().map(|error| error.shifted(base))),
        }
    }

    fn item(&mut self, item: Item, file: &str) {
        let (what, place) = match &item {
            Item::Import(import) => return self.import(import, Some(file)),
            Item::Param(_) | Item::Macro(_) | Item::Alias(_) | Item::Foreign(_) => {
                return self.items.push(item);
            }
            Item::Config(config) => ("`config`", config.span),
            Item::Table(table) => ("a table", table.name.span),
            Item::Check(check) => ("a check", check.span),
            Item::ProbeBlock(block) => ("a probe block", block.body.span),
        };
        let message = format!("a script that is imported cannot have {what}");
        self.errors.push(
            Diagnostic::new(Code::NotImported, place, message)
                .help("imported are macros, aliases and parameters; move the rest into the script that is run"),
        );
    }

    fn error(&mut self, place: Span, message: String) {
        self.errors
            .push(Diagnostic::new(Code::BadImport, place, message));
    }
}
