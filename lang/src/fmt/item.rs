//! Items: what a script is made of, one below the other.

use pest::iterators::Pair;

use crate::parse::{Rule, span};
use crate::span::Span;

use super::doc::{self, Doc, text};
use super::expression::first_char;
use super::list::Entry;
use super::tokens::{Tokens, place};

impl Tokens<'_> {
    /// The whole script.
    pub(super) fn script(&self, pair: Pair<Rule>) -> String {
        let entries = pair
            .into_inner()
            .filter(|item| item.as_rule() != Rule::EOI)
            .map(|item| Entry {
                span: place(&item),
                doc: self.item(item),
            });
        let list = self.list(Span::new(0, self.text.len()), entries.collect());
        let text = doc::print(&list);
        let text = text.trim_start();
        if text.is_empty() {
            String::new()
        } else {
            format!("{text}\n")
        }
    }

    fn item(&self, pair: Pair<Rule>) -> Doc {
        let place = place(&pair);
        match pair.as_rule() {
            Rule::table => self.table(pair),
            Rule::config => self.config(pair),
            Rule::probe_block | Rule::alias | Rule::macro_item => self.with_block(pair),
            Rule::param | Rule::import | Rule::check if !self.has_comment(place) => {
                let end =
                    |rule| matches!(rule, Rule::param_end | Rule::import_end | Rule::check_end);
                let is_param = pair.as_rule() == Rule::param;
                let words = pair
                    .into_inner()
                    .filter(|part| !end(part.as_rule()))
                    .map(|part| match part.as_rule() {
                        Rule::expr if is_param => self.spelled(&part),
                        Rule::expr => self.expr(part),
                        _ => text(part.as_str()),
                    });
                Doc::All(vec![Doc::join(words, &[text(" ")]), text(";")])
            }
            _ => text(self.at(place).trim_end()),
        }
    }

    /// Something that ends in a block: what is before it on one line, if it fits.
    fn with_block(&self, pair: Pair<Rule>) -> Doc {
        let place = span(&pair);
        let block = pair
            .clone()
            .into_inner()
            .find(|part| part.as_rule() == Rule::block);
        let open = block.as_ref().map_or(place.end, |block| span(block).start);
        if self.has_comment(Span::new(place.start, open)) {
            return match block {
                // Up to the brace: a comment before it may end with its line.
                Some(block) => Doc::All(vec![
                    text(self.at(Span::new(place.start, open + 1))),
                    self.after_brace(block),
                ]),
                None => text(self.at(place)),
            };
        }
        let header = match pair.as_rule() {
            Rule::probe_block => self.probe_header(pair),
            Rule::alias => self.alias_header(pair),
            _ => self.macro_header(pair),
        };
        match block {
            Some(block) => Doc::All(vec![header, text(" "), self.block(block)]),
            None => Doc::All(vec![header, text(";")]),
        }
    }

    fn probe_header(&self, pair: Pair<Rule>) -> Doc {
        let mut probes = Vec::new();
        let mut predicate = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::probe => probes.push(part),
                Rule::predicate => predicate.extend(
                    part.into_inner()
                        .filter(|part| part.as_rule() == Rule::expr)
                        .map(|part| self.expr(part)),
                ),
                _ => {}
            }
        }
        let mut header = vec![Doc::group(vec![self.probes(probes)])];
        for predicate in predicate {
            // `/*` would begin a comment.
            let apart = matches!(first_char(&predicate), Some('*' | '/'));
            let open = if apart { " / " } else { " /" };
            header.extend([text(open), predicate, text("/")]);
        }
        Doc::All(header)
    }

    fn alias_header(&self, pair: Pair<Rule>) -> Doc {
        let probes = pair
            .into_inner()
            .filter(|part| part.as_rule() == Rule::probe);
        let mut probes: Vec<Pair<Rule>> = probes.collect();
        let name = probes.remove(0);
        Doc::All(vec![
            text(format!("alias {} = ", self.at(span(&name)))),
            Doc::group(vec![Doc::nest(4, vec![self.probes(probes)])]),
        ])
    }

    fn macro_header(&self, pair: Pair<Rule>) -> Doc {
        let mut name = "";
        let mut params = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::macro_name => name = part.as_str(),
                Rule::macro_param => params.push(part.as_str()),
                _ => {}
            }
        }
        text(format!("macro {name}({})", params.join(", ")))
    }

    fn config(&self, pair: Pair<Rule>) -> Doc {
        let place = span(&pair);
        let mut entries = Vec::new();
        let (mut open, mut close) = (place, place);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::config_open => open = span(&part),
                Rule::config_close => close = span(&part),
                Rule::config_entry => entries.push(part),
                _ => {}
            }
        }
        let before = Span::new(place.start, open.end);
        let in_entry = entries.iter().any(|entry| self.has_comment(span(entry)));
        if in_entry || self.has_comment(before) {
            return text(self.at(place));
        }
        let within = Span::new(open.end, close.start);
        let entries = entries.into_iter().map(|entry| Entry {
            span: span(&entry),
            doc: Doc::All(vec![self.words(entry), text(";")]),
        });
        Doc::All(vec![
            text("config = "),
            Doc::group(vec![self.braced(within, entries.collect())]),
        ])
    }
}
