//! Errors of a script, and how they are shown.

use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::code::Code;
use crate::expand::{SourceFile, as_written};
use crate::span::Span;

/// One error: what is wrong, where, and where there is one, the way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of error.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// The imported script that it is in; none for the script itself.
    pub file: Option<Arc<SourceFile>>,
    /// Where. None for what is not in the script, such as an option of the command line.
    pub span: Option<Span>,
    /// What is said at the place itself.
    pub label: Option<String>,
    /// Other places that matter, and what is said there.
    pub extra: Vec<(Span, String)>,
    /// What to do, one line each.
    pub help: Vec<String>,
}

/// So many errors are shown in full; the others are counted.
const SHOWN: usize = 50;

impl Diagnostic {
    /// An error at a place.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            span: Some(span),
            ..Diagnostic::without_place(code, message)
        }
    }

    /// An error that has no place in the script.
    pub fn without_place(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            message: message.into(),
            file: None,
            span: None,
            label: None,
            extra: Vec::new(),
            help: Vec::new(),
        }
    }

    /// Says something at the place itself.
    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = Some(label.into());
        self
    }

    /// Points at another place.
    pub fn also(mut self, span: Span, label: impl Into<String>) -> Diagnostic {
        self.extra.push((span, label.into()));
        self
    }

    /// Says what to do.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help.push(help.into());
        self
    }

    /// The same in a text whose places have this added.
    pub(crate) fn shifted(mut self, by: usize) -> Diagnostic {
        let shift = |span: Span| Span::new(span.start + by, span.end + by);
        self.span = self.span.map(shift).or(Some(Span::new(by, by)));
        for (span, _) in &mut self.extra {
            *span = shift(*span);
        }
        self
    }

    /// The same with the own variables of macros as the macros call them. Then two that differ in the call
    /// only are the same.
    pub(crate) fn with_names_as_written(mut self) -> Diagnostic {
        let texts = self.extra.iter_mut().map(|(_, text)| text);
        for text in texts.chain(&mut self.help).chain(&mut self.label) {
            *text = as_written(text);
        }
        self.message = as_written(&self.message);
        self
    }

    /// Where it is among all errors.
    pub(crate) fn order(&self) -> (Option<&str>, Option<Span>) {
        (self.file.as_ref().map(|file| file.name.as_str()), self.span)
    }

    fn group<'a>(&'a self, name: &str, text: &'a str) -> Group<'a> {
        let (name, text) = match &self.file {
            Some(file) => (file.name.as_str(), file.text.as_str()),
            None => (name, text),
        };
        let title = Level::ERROR
            .primary_title(printable(&self.message))
            .id(self.code.id());
        let mut group = Group::with_title(title);
        if let Some(span) = self.span {
            let primary = AnnotationKind::Primary
                .span(span.into())
                .label(self.label.as_deref().map(printable));
            // What lies between two places of one line is shown, however long it is.
            let is_near = |other: &Span| {
                let whole = span.start.min(other.start)..span.end.max(other.end);
                whole.len() <= LONGEST || text.get(whole).is_none_or(|text| text.contains('\n'))
            };
            let extra = self.extra.iter().filter(|(other, _)| is_near(other));
            let extra = extra.map(|(span, label)| {
                AnnotationKind::Context
                    .span((*span).into())
                    .label(Some(printable(label)))
            });
            group = group.element(
                Snippet::source(text)
                    .path(printable(name))
                    .annotation(primary)
                    .annotations(extra),
            );
        }
        group.elements(
            self.help
                .iter()
                .map(|help| Level::HELP.message(printable(help))),
        )
    }
}

/// What is longer is cut off in the middle.
const LONGEST: usize = 1000;

/// What an error quotes comes from a file or a command line: nothing in it may steer a terminal, or fill it.
fn printable(text: &str) -> String {
    if text.len() > LONGEST {
        let mut ends = [LONGEST / 2, text.len() - LONGEST / 2];
        for end in &mut ends {
            while !text.is_char_boundary(*end) {
                *end -= 1;
            }
        }
        return printable(&text[..ends[0]]) + "…" + &printable(&text[ends[1]..]);
    }
    let escape = |c: char| {
        if c.is_control() {
            c.escape_default().collect()
        } else {
            String::from(c)
        }
    };
    text.chars().map(escape).collect()
}

/// All errors as text, in the order of the script. `name` is what the script is called.
pub fn render(diagnostics: &[Diagnostic], name: &str, text: &str, color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut ordered: Vec<&Diagnostic> = diagnostics.iter().collect();
    ordered.sort_by_key(|diagnostic| diagnostic.order());
    let mut out = String::new();
    for diagnostic in ordered.iter().take(SHOWN) {
        out.push_str(&renderer.render(&[diagnostic.group(name, text)]));
        out.push_str("\n\n");
    }
    if ordered.len() > SHOWN {
        out.push_str(&format!("… and {} more errors\n", ordered.len() - SHOWN));
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}
