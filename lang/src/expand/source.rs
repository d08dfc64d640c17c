//! Which text a place is in. The places of each imported script are moved behind those of all others.

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::span::Span;

/// The places of the text with this number begin at its multiple. No script is nearly as long.
const STRIDE: usize = 1 << 32;

/// A script that another one imports.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// What it is known as.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// The imported scripts, in the order in which they were read.
#[derive(Debug, Default)]
pub(crate) struct Sources(Vec<Arc<SourceFile>>);

impl Sources {
    /// Adds a script; what has to be added to its places.
    pub(super) fn add(&mut self, name: &str, text: &str) -> usize {
        self.0.push(Arc::new(SourceFile {
            name: name.to_owned(),
            text: text.to_owned(),
        }));
        self.0.len() * STRIDE
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many bytes they have.
    pub(super) fn bytes(&self) -> usize {
        self.0.iter().map(|file| file.text.len()).sum()
    }

    /// Whether a script of this name was read.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|file| file.name == name)
    }

    /// Puts an error into the script that it is in.
    pub(crate) fn place(&self, mut error: Diagnostic) -> Diagnostic {
        let Some(span) = error.span else {
            return error;
        };
        let number = span.start / STRIDE;
        error.span = Some(within(span));
        error.file = number
            .checked_sub(1)
            .and_then(|index| self.0.get(index))
            .cloned();
        let mut here = Vec::new();
        for (place, label) in std::mem::take(&mut error.extra) {
            if place.start / STRIDE == number {
                here.push((within(place), label));
            } else {
                error.help.push(self.elsewhere(place, &label));
            }
        }
        error.extra = here;
        error
    }

    /// A place in another script, in words.
    fn elsewhere(&self, place: Span, label: &str) -> String {
        let index = (place.start / STRIDE).checked_sub(1);
        match index.and_then(|index| self.0.get(index)) {
            Some(file) => {
                let before = file.text.get(..place.start % STRIDE).unwrap_or_default();
                let line = before.matches('\n').count() + 1;
                format!("{label}: {}:{line}", file.name)
            }
            None => format!("{label}: in the script that imports this one"),
        }
    }
}

/// A place in its own text.
fn within(span: Span) -> Span {
    let start = span.start % STRIDE;
    let end = if span.end / STRIDE == span.start / STRIDE {
        (span.end % STRIDE).max(start)
    } else {
        start
    };
    Span::new(start, end)
}
