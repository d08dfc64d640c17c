//! Expressions: spaces around operators with two operands, none after those with one.

use pest::iterators::Pair;

use crate::parse::{Rule, span};

use super::doc::{Doc, text};
use super::tokens::Tokens;

/// How far the rest of something is to the right when it does not fit on one line.
pub(super) const CONTINUED: usize = 4;

impl Tokens<'_> {
    /// An expression, on one line if it fits. One with comments is left as it is.
    pub(super) fn expr(&self, pair: Pair<Rule>) -> Doc {
        let place = span(&pair);
        if self.has_comment(place) {
            return text(self.at(place));
        }
        Doc::group(vec![self.operators(pair, CONTINUED)])
    }

    /// An expression that has brackets to itself: they show already what belongs together.
    fn alone(&self, pair: Pair<Rule>) -> Doc {
        let place = span(&pair);
        if self.has_comment(place) {
            return text(self.at(place));
        }
        Doc::group(vec![self.operators(pair, 0)])
    }

    /// As it was written, on one line: what is also a heading has to stay the same.
    pub(super) fn spelled(&self, pair: &Pair<Rule>) -> Doc {
        let written = self.at(span(pair));
        if self.has_comment(span(pair)) || written.contains('"') {
            return text(written);
        }
        text(written.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Operands and operators in order. A line breaks before `? :`, `||` and `&&`, the weakest of them
    /// that there is first.
    fn operators(&self, pair: Pair<Rule>, nest: usize) -> Doc {
        let has = |rule| {
            let mut parts = pair.clone().into_inner();
            parts.any(|part| part.as_rule() == rule)
        };
        let weakest = [Rule::ternary, Rule::or, Rule::and]
            .into_iter()
            .find(|rule| has(*rule));
        let line = || Doc::nest(nest, vec![Doc::Line]);
        let mut all = Vec::new();
        let mut parts: Vec<Doc> = Vec::new();
        let mut prefixes: Vec<String> = Vec::new();
        for part in pair.into_inner() {
            let rule = part.as_rule();
            let written = part.as_str().trim_end();
            if Some(rule) == weakest {
                all.push(Doc::group(std::mem::take(&mut parts)));
            }
            match rule {
                Rule::cast => prefixes.push(format!("({})", name_in(part))),
                Rule::pre_inc
                | Rule::pre_dec
                | Rule::neg
                | Rule::not
                | Rule::bit_not
                | Rule::deref
                | Rule::address => prefixes.push(written.to_owned()),
                Rule::primary => {
                    let operand = self.primary(part);
                    parts.push(prefixed(&std::mem::take(&mut prefixes), &operand));
                    parts.push(operand);
                }
                Rule::index | Rule::field | Rule::arrow | Rule::post_inc | Rule::post_dec => {
                    let after_number = parts.last().is_some_and(ends_in_digit);
                    parts.push(self.postfix(part, after_number));
                }
                Rule::ternary => {
                    let middle = part
                        .into_inner()
                        .filter(|part| part.as_rule() == Rule::expr);
                    parts.extend([line(), text("? ")]);
                    parts.extend(middle.map(|middle| self.expr(middle)));
                    parts.extend([line(), text(": ")]);
                    all.append(&mut parts);
                }
                Rule::and | Rule::or => {
                    parts.extend([line(), text(format!("{written} "))]);
                    if Some(rule) == weakest {
                        all.append(&mut parts);
                    }
                }
                Rule::div => parts.push(text(" / ")),
                _ => parts.push(text(format!(" {written} "))),
            }
        }
        all.push(Doc::group(parts));
        Doc::All(all)
    }

    fn primary(&self, pair: Pair<Rule>) -> Doc {
        let place = span(&pair);
        match pair.into_inner().next() {
            Some(part) if part.as_rule() == Rule::call => self.bracketed(part),
            Some(part) if part.as_rule() == Rule::group => self.group(part),
            _ => text(self.at(place)),
        }
    }

    /// `f(…)` and `[…]`: a line takes as much of what is between the brackets as fits.
    fn bracketed(&self, pair: Pair<Rule>) -> Doc {
        let mut all = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::comma => all.extend([text(","), Doc::group(vec![Doc::Line])]),
                Rule::arg => all.push(self.arg(part)),
                Rule::expr => all.push(self.expr(part)),
                _ => all.push(text(part.as_str())),
            }
        }
        Doc::nest(CONTINUED, all)
    }

    /// `(…)`: what is between the parentheses on lines of its own if it does not fit.
    fn group(&self, pair: Pair<Rule>) -> Doc {
        let mut inside = vec![Doc::SoftLine];
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::expr => inside.push(self.alone(part)),
                Rule::comma => inside.extend([text(","), Doc::Line]),
                Rule::trailing_comma => inside.push(text(",")),
                _ => {}
            }
        }
        Doc::group(vec![
            text("("),
            Doc::nest(2, inside),
            Doc::SoftLine,
            text(")"),
        ])
    }

    fn arg(&self, pair: Pair<Rule>) -> Doc {
        let part = |part: Pair<Rule>| match part.as_rule() {
            Rule::expr => self.expr(part),
            _ => text(part.as_str()),
        };
        Doc::All(pair.into_inner().map(part).collect())
    }

    fn postfix(&self, pair: Pair<Rule>, after_number: bool) -> Doc {
        match pair.as_rule() {
            Rule::index => self.bracketed(pair),
            // `1 .5` is not the number 1.5.
            Rule::field if after_number => text(format!(" .{}", name_in(pair))),
            Rule::field => text(format!(".{}", name_in(pair))),
            Rule::arrow => text(format!("->{}", name_in(pair))),
            _ => text(pair.as_str()),
        }
    }
}

/// The name in a rule that has one.
pub(super) fn name_in(pair: Pair<'_, Rule>) -> &str {
    pair.into_inner().next().map_or("", |name| name.as_str())
}

/// Operators before their operand, with a space where two signs would become another operator.
fn prefixed(prefixes: &[String], operand: &Doc) -> Doc {
    let mut written = String::new();
    for prefix in prefixes {
        separate(&mut written, prefix.chars().next());
        written.push_str(prefix);
    }
    separate(&mut written, first_char(operand));
    text(written)
}

fn separate(written: &mut String, next: Option<char>) {
    let last = written.chars().next_back();
    if last.is_some() && last == next && matches!(next, Some('-' | '+' | '&')) {
        written.push(' ');
    }
}

/// The first character of what is printed.
pub(super) fn first_char(doc: &Doc) -> Option<char> {
    match doc {
        Doc::Text(text) => text.chars().next(),
        Doc::All(parts) => parts.iter().find_map(first_char),
        Doc::Nest(_, doc) | Doc::Group(doc) => first_char(doc),
        _ => None,
    }
}

fn ends_in_digit(doc: &Doc) -> bool {
    matches!(doc, Doc::Text(text) if text.starts_with(|c: char| c.is_ascii_digit())
        && text.ends_with(|c: char| c.is_ascii_digit()))
}
