//! Tables: one column a line, with the `=` below each other.

use pest::iterators::Pair;

use crate::parse::{Rule, span};
use crate::span::Span;

use super::doc::{Doc, text};
use super::expression::{CONTINUED, name_in};
use super::list::Entry;
use super::tokens::Tokens;

impl Tokens<'_> {
    pub(super) fn table(&self, pair: Pair<Rule>) -> Doc {
        let mut header = Vec::new();
        let mut columns = Vec::new();
        let mut clauses = Vec::new();
        let start = span(&pair).start;
        let (mut open, mut close) = (Span::new(start, start), Span::new(start, start));
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::table_open => open = span(&part),
                Rule::table_close => close = span(&part),
                Rule::column => columns.push(part),
                Rule::column_comma => {}
                Rule::having
                | Rule::sort
                | Rule::limit
                | Rule::pivot
                | Rule::every
                | Rule::title => clauses.push(part),
                _ => header.push(part),
            }
        }
        let head = Span::new(start, open.end);
        let mut all = vec![if self.has_comment(head) {
            text(self.at(head))
        } else {
            self.table_header(header)
        }];
        let within = Span::new(open.end, close.start);
        if !columns.is_empty() || self.has_comment(within) {
            all.push(Doc::nest(2, vec![self.columns(within, columns)]));
            all.push(Doc::HardLine);
        }
        all.push(self.clauses(close, clauses));
        Doc::All(all)
    }

    /// `table NAME from PROBES where EXPR by KEYS {`; what does not fit is broken before each word.
    fn table_header(&self, parts: Vec<Pair<Rule>>) -> Doc {
        let mut name = String::new();
        let mut probes = Vec::new();
        let mut clauses = Vec::new();
        for part in parts {
            match part.as_rule() {
                Rule::table_name => name = part.as_str().to_owned(),
                Rule::probe => probes.push(part),
                Rule::where_clause => {
                    clauses.extend([Doc::Line, self.words(part)]);
                }
                Rule::by_clause => {
                    let keys = part
                        .into_inner()
                        .filter(|key| key.as_rule() == Rule::expr)
                        .map(|key| self.spelled(&key));
                    let keys = Doc::join(keys, &[text(","), Doc::Line]);
                    let by = vec![text("by "), Doc::nest(CONTINUED, vec![keys])];
                    clauses.extend([Doc::Line, Doc::group(by)]);
                }
                _ => {}
            }
        }
        let probes = Doc::group(vec![Doc::nest(CONTINUED, vec![self.probes(probes)])]);
        clauses.insert(0, probes);
        clauses.insert(0, text(format!("table {name} from ")));
        Doc::group(vec![Doc::nest(CONTINUED, clauses), Doc::Line, text("{")])
    }

    fn columns(&self, within: Span, columns: Vec<Pair<Rule>>) -> Doc {
        let width = columns
            .iter()
            .filter(|column| !self.has_comment(span(column)))
            .map(|column| name_in(column.clone()).len())
            .max()
            .unwrap_or(0);
        let entries = columns.into_iter().map(|column| {
            let place = span(&column);
            let doc = if self.has_comment(place) {
                text(self.at(place))
            } else {
                self.column(column, width)
            };
            Entry {
                span: place,
                doc: Doc::All(vec![doc, text(",")]),
            }
        });
        self.list(within, entries.collect())
    }

    fn column(&self, pair: Pair<Rule>, width: usize) -> Doc {
        let mut parts = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::column_name => {
                    parts.push(text(format!("{:width$} = ", part.as_str())));
                }
                Rule::expr => parts.push(self.expr(part)),
                Rule::column_if | Rule::column_as => {
                    parts.push(Doc::nest(CONTINUED, vec![Doc::Line, self.words(part)]));
                }
                _ => {}
            }
        }
        Doc::group(parts)
    }

    /// What follows the columns, on the line of the `}`. Who has broken it into lines keeps them.
    fn clauses(&self, close: Span, clauses: Vec<Pair<Rule>>) -> Doc {
        let places: Vec<Span> = clauses.iter().map(span).collect();
        let (Some(first), Some(last)) = (places.first(), places.last()) else {
            return text("}");
        };
        let tail = Span::new(close.start, last.end);
        if self.has_comment(tail) {
            return text(self.at(tail));
        }
        let broken = self.line_breaks(Span::new(first.start, last.end)) > 0;
        let between = if broken { Doc::HardLine } else { Doc::Line };
        let clauses = clauses.into_iter().map(|clause| match clause.as_rule() {
            Rule::pivot => self.pivot(clause),
            _ => self.words(clause),
        });
        let clauses = Doc::join(clauses, &[between]);
        Doc::group(vec![text("} "), Doc::nest(2, vec![clauses])])
    }

    /// The key keeps its spelling: it may be a heading.
    fn pivot(&self, pair: Pair<Rule>) -> Doc {
        let word = |part: Pair<Rule>| match part.as_rule() {
            Rule::expr => self.spelled(&part),
            _ => text(part.as_str()),
        };
        Doc::join(pair.into_inner().map(word), &[text(" ")])
    }

    /// Keywords, names, texts and expressions with spaces between them.
    pub(super) fn words(&self, pair: Pair<Rule>) -> Doc {
        let word = |part: Pair<Rule>| match part.as_rule() {
            Rule::expr => self.expr(part),
            _ => text(part.as_str()),
        };
        Doc::join(pair.into_inner().map(word), &[text(" ")])
    }

    /// Probes with commas between them.
    pub(super) fn probes(&self, probes: Vec<Pair<Rule>>) -> Doc {
        let probes = probes.iter().map(|probe| text(self.at(span(probe))));
        Doc::join(probes, &[text(","), Doc::Line])
    }
}
