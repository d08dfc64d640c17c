//! The tokens of a script as the grammar found them, and the comments between them.

use pest::iterators::Pair;

use crate::parse::{self, Rule};
use crate::span::Span;

/// A comment, with its marks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comment {
    /// Where it is; without white space at its end.
    pub(super) span: Span,
    /// Whether it ends with its line.
    pub(super) to_end_of_line: bool,
}

/// A script's text and what is in it.
pub(super) struct Tokens<'t> {
    /// The text.
    pub(super) text: &'t str,
    comments: Vec<Comment>,
    leaves: Vec<(Rule, Span)>,
}

impl<'t> Tokens<'t> {
    /// Finds the tokens, and the comments in what is between them.
    pub(super) fn of(text: &'t str, script: Pair<Rule>) -> Tokens<'t> {
        let mut leaves = Vec::new();
        collect(script, &mut leaves);
        let mut comments = Vec::new();
        let mut end = 0;
        for (_, span) in &leaves {
            find(text, Span::new(end, span.start), &mut comments);
            end = span.end;
        }
        find(text, Span::new(end, text.len()), &mut comments);
        Tokens {
            text,
            comments,
            leaves,
        }
    }

    /// What is written at a place.
    pub(super) fn at(&self, span: Span) -> &'t str {
        &self.text[span.start..span.end]
    }

    /// The comments that begin in a place.
    pub(super) fn comments(&self, place: Span) -> &[Comment] {
        let from = |at| {
            self.comments
                .partition_point(|comment| comment.span.start < at)
        };
        let (start, end) = (from(place.start), from(place.end));
        &self.comments[start..end.max(start)]
    }

    /// Whether a place has a comment.
    pub(super) fn has_comment(&self, place: Span) -> bool {
        !self.comments(place).is_empty()
    }

    /// The line breaks in a place.
    pub(super) fn line_breaks(&self, place: Span) -> usize {
        self.text
            .get(place.start..place.end)
            .map_or(0, |text| text.matches('\n').count())
    }

    /// Everything that formatting keeps, in order: tokens, without the separators that may be left away,
    /// and comments.
    pub(super) fn content(&self) -> (Vec<(Rule, &'t str)>, Vec<&'t str>) {
        use Rule::*;
        let optional = |rule| {
            matches!(
                rule,
                column_comma | config_sep | statement_end | import_end | EOI
            )
        };
        let kept = self
            .leaves
            .iter()
            .filter(|(rule, _)| !optional(*rule))
            .map(|(rule, span)| (*rule, self.at(*span).trim_end()));
        let comments = self.comments.iter().map(|comment| self.at(comment.span));
        (kept.collect(), comments.collect())
    }
}

/// Where a rule is. Of C code the grammar knows little; it ends where the rule does.
pub(super) fn place(pair: &Pair<Rule>) -> Span {
    if pair.as_rule() != Rule::foreign {
        return parse::span(pair);
    }
    let start = pair.as_span().start();
    Span::new(start, start + pair.as_str().trim_end().len())
}

/// The tokens of a rule. A probe is one token, and so is C code: what is in them has its own spelling.
fn collect(pair: Pair<Rule>, leaves: &mut Vec<(Rule, Span)>) {
    let (rule, span) = (pair.as_rule(), pair.as_span());
    if matches!(rule, Rule::probe | Rule::foreign) {
        leaves.push((rule, place(&pair)));
        return;
    }
    let before = leaves.len();
    for inner in pair.into_inner() {
        collect(inner, leaves);
    }
    if leaves.len() == before {
        // The grammar looks at what follows a `/`, and takes the white space before it along.
        let end = if rule == Rule::div {
            span.start() + 1
        } else {
            span.end()
        };
        leaves.push((rule, Span::new(span.start(), end)));
    }
}

/// The comments in what is between two tokens: white space, comments, and punctuation without a rule.
fn find(text: &str, gap: Span, comments: &mut Vec<Comment>) {
    let mut at = gap.start;
    while at < gap.end {
        let rest = &text[at..gap.end];
        let (len, to_end_of_line) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), true)
        } else if let Some(inside) = rest.strip_prefix("/*") {
            (inside.find("*/").map_or(rest.len(), |end| end + 4), false)
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        comments.push(Comment {
            span: Span::new(at, at + rest[..len].trim_end().len()),
            to_end_of_line,
        });
        at += len;
    }
}
