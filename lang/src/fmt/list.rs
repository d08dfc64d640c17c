//! Things below each other: what is between them is kept, comments and one blank line.

use crate::span::Span;

use super::doc::{Doc, text};
use super::tokens::Tokens;

/// One of the things, and where it was.
pub(super) struct Entry {
    pub(super) span: Span,
    pub(super) doc: Doc,
}

/// What was printed last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// What is before the list.
    Opening,
    /// An entry, or a comment on the line of one.
    Entry,
    /// A comment with a line of its own, that ends with the line or not.
    Comment { to_end_of_line: bool },
}

impl Tokens<'_> {
    /// The entries, each after a line break. `within` is what is between the brackets.
    pub(super) fn list(&self, within: Span, entries: Vec<Entry>) -> Doc {
        let mut list = Vec::new();
        let mut last = Last::Opening;
        let mut at = within.start;
        for Entry { span, doc } in entries {
            self.between(Span::new(at, span.start), &mut at, &mut last, &mut list);
            let breaks = self.line_breaks(Span::new(at, span.start));
            let same_line = breaks == 0
                && last
                    == Last::Comment {
                        to_end_of_line: false,
                    };
            if same_line {
                list.push(text(" "));
            } else {
                new_line(breaks, last, &mut list);
            }
            list.push(doc);
            last = Last::Entry;
            at = span.end;
        }
        self.between(Span::new(at, within.end), &mut at, &mut last, &mut list);
        Doc::All(list)
    }

    /// The comments in a place. One on the line of what is before it stays there.
    fn between(&self, place: Span, at: &mut usize, last: &mut Last, list: &mut Vec<Doc>) {
        for comment in self.comments(place) {
            let breaks = self.line_breaks(Span::new(*at, comment.span.start));
            if breaks == 0 && *at > 0 {
                list.push(text(" "));
            } else {
                new_line(breaks, *last, list);
                *last = Last::Comment {
                    to_end_of_line: comment.to_end_of_line,
                };
            }
            list.push(text(self.at(comment.span)));
            if *last == Last::Opening {
                *last = Last::Entry;
            }
            *at = comment.span.end;
        }
    }
}

fn new_line(breaks: usize, last: Last, list: &mut Vec<Doc>) {
    if breaks > 1 && last != Last::Opening {
        list.push(Doc::HardLine);
    }
    list.push(Doc::HardLine);
}
