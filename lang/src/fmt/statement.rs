//! Blocks and statements. What stands on one line stays there if it fits.

use pest::iterators::Pair;

use crate::parse::{Rule, span};
use crate::span::Span;

use super::doc::{Doc, text};
use super::list::Entry;
use super::tokens::Tokens;

impl Tokens<'_> {
    /// A block that stands for itself.
    pub(super) fn block(&self, pair: Pair<Rule>) -> Doc {
        let within = inside(&pair);
        Doc::group(vec![self.braced(within, self.statements(pair))])
    }

    /// The rest of a block whose brace has been printed.
    pub(super) fn after_brace(&self, pair: Pair<Rule>) -> Doc {
        let within = inside(&pair);
        self.lines(within, self.statements(pair))
    }

    /// What follows a brace: one a line, and the other brace.
    fn lines(&self, within: Span, entries: Vec<Entry>) -> Doc {
        Doc::All(vec![
            Doc::nest(2, vec![self.list(within, entries)]),
            Doc::HardLine,
            text("}"),
        ])
    }

    /// Things in braces: on one line, with what is in the same group, if they were and fit; else one a line.
    pub(super) fn braced(&self, within: Span, entries: Vec<Entry>) -> Doc {
        let broken = self.line_breaks(within) > 0;
        if self.has_comment(within) || broken && !entries.is_empty() {
            return Doc::All(vec![text("{"), self.lines(within, entries)]);
        }
        if entries.is_empty() {
            return text("{}");
        }
        let entries = Doc::join(entries.into_iter().map(|entry| entry.doc), &[Doc::Line]);
        Doc::All(vec![
            text("{"),
            Doc::nest(2, vec![Doc::Line, entries]),
            Doc::Line,
            text("}"),
        ])
    }

    fn statements(&self, block: Pair<Rule>) -> Vec<Entry> {
        use Rule::{block_close, block_open, statement_end};
        block
            .into_inner()
            .filter(|part| !matches!(part.as_rule(), block_open | block_close | statement_end))
            .map(|statement| Entry {
                span: span(&statement),
                doc: self.statement(statement),
            })
            .collect()
    }

    fn statement(&self, pair: Pair<Rule>) -> Doc {
        if self.has_comment_outside_of_blocks(&pair) {
            return text(self.at(span(&pair)));
        }
        match pair.as_rule() {
            Rule::block => self.block(pair),
            Rule::if_stmt | Rule::for_stmt | Rule::while_stmt | Rule::unroll_stmt => {
                self.compound(pair)
            }
            _ => self.simple(pair),
        }
    }

    /// Such a comment may stand anywhere between the words of the statement.
    fn has_comment_outside_of_blocks(&self, pair: &Pair<Rule>) -> bool {
        let blocks: Vec<Span> = match pair.as_rule() {
            Rule::block => vec![span(pair)],
            _ => pair
                .clone()
                .into_inner()
                .filter(|part| part.as_rule() == Rule::block)
                .map(|block| span(&block))
                .collect(),
        };
        let all = self.comments(span(pair)).len();
        let in_blocks = blocks.iter().map(|block| self.comments(*block).len());
        all > in_blocks.sum()
    }

    /// Words, conditions and blocks, such as `if x { } else { }`. Its blocks are all on one line or none.
    fn compound(&self, pair: Pair<Rule>) -> Doc {
        let broken = self.line_breaks(span(&pair)) > 0;
        let mut all = Vec::new();
        let mut apart = false;
        for part in pair.into_inner() {
            let rule = part.as_rule();
            if apart && rule != Rule::for_close {
                all.push(text(" "));
            }
            apart = !matches!(rule, Rule::for_open);
            all.push(match rule {
                Rule::block if broken => self.broken_block(part),
                Rule::block => self.braced(inside(&part), self.statements(part)),
                Rule::for_over => self.range(part),
                Rule::expr => self.expr(part),
                _ => text(part.as_str()),
            });
        }
        Doc::group(all)
    }

    fn broken_block(&self, block: Pair<Rule>) -> Doc {
        let within = inside(&block);
        let entries = self.statements(block);
        if entries.is_empty() && !self.has_comment(within) {
            return text("{}");
        }
        Doc::All(vec![text("{"), self.lines(within, entries)])
    }

    fn range(&self, pair: Pair<Rule>) -> Doc {
        let part = |part: Pair<Rule>| match part.as_rule() {
            Rule::expr => self.expr(part),
            _ => text(part.as_str()),
        };
        Doc::All(pair.into_inner().map(part).collect())
    }

    /// A statement that ends in a semicolon.
    fn simple(&self, pair: Pair<Rule>) -> Doc {
        let mut all = Vec::new();
        for part in pair.into_inner() {
            let rule = part.as_rule();
            if rule == Rule::statement_end {
                continue;
            }
            if !all.is_empty() && rule != Rule::let_colon {
                all.push(text(" "));
            }
            all.push(match rule {
                Rule::expr => self.expr(part),
                _ => text(part.as_str()),
            });
        }
        all.push(text(";"));
        Doc::All(all)
    }
}

/// What is between the braces of a block.
fn inside(block: &Pair<Rule>) -> Span {
    let place = span(block);
    Span::new(place.start + 1, place.end.saturating_sub(1))
}
