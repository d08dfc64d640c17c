//! Where the grammar goes on after a syntax error, so that one run shows the errors of a whole script.

use pest::Parser;
use pest::error::{Error, InputLocation};

use super::tokens::{Token, TokenKind, Tokens};
use super::{EwqParser, ITEMS, Rule, expected};
use crate::diagnostic::Diagnostic;
use crate::span::Span;

/// After so many syntax errors the rest of the script is not looked at.
const MAX_SYNTAX_ERRORS: usize = 20;

/// In a longer script each item has one syntax error at most: it is read again for each.
const MAX_TEXT: usize = 64 << 10;

/// The words that begin a block.
const BLOCKS: &[&str] = &["begin", "end", "BEGIN", "END"];

/// The first syntax error, and those that follow what is broken.
pub(super) fn syntax_errors(text: &str, first: Error<Rule>) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    // What is broken is blanked out in here.
    let mut left = text.to_owned();
    let (mut offset, mut error, mut reached) = (0, first, 0);
    while errors.len() < MAX_SYNTAX_ERRORS {
        let at = offset
            + match error.location {
                InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
            };
        errors.push(expected::syntax_error(text, offset, &error));
        let part = (left.len() <= MAX_TEXT && at >= reached)
            .then(|| part_around(&left, at))
            .flatten();
        reached = at;
        match part {
            Some(part) => blank(&mut left, part),
            None => {
                let broken = errors
                    .last()
                    .and_then(|error| error.span)
                    .map_or(offset, |span| span.end);
                match next_item(&left, broken.max(offset + 1)) {
                    Some(next) => (offset, reached) = (next, next),
                    None => break,
                }
            }
        }
        match EwqParser::parse(Rule::script, &left[offset..]) {
            Ok(_) => break,
            Err(next) => error = next,
        }
    }
    errors
}

/// The statement or column, between braces, that a place is in; none if there is nothing to be blanked out.
fn part_around(text: &str, at: usize) -> Option<Span> {
    let tokens: Vec<Token> = Tokens::new(text).collect();
    let found = tokens.iter().position(|token| token.span.end > at)?;
    let mut closed = 0usize;
    let open = tokens[..found].iter().rposition(|token| match token.kind {
        TokenKind::Sign('}') => {
            closed += 1;
            false
        }
        TokenKind::Sign('{') if closed > 0 => {
            closed -= 1;
            false
        }
        TokenKind::Sign('{') => true,
        _ => false,
    })?;
    let mut start = tokens[open].span.end;
    let mut depth = 0usize;
    for token in &tokens[open + 1..] {
        let ends = match token.kind {
            TokenKind::Sign('(' | '[' | '{') => {
                depth += 1;
                false
            }
            TokenKind::Sign('}') if depth == 0 => {
                let part = Span::new(start, token.span.start);
                return (!text[start..token.span.start].trim().is_empty()).then_some(part);
            }
            TokenKind::Sign(')' | ']') => {
                depth = depth.saturating_sub(1);
                false
            }
            TokenKind::Sign('}') => {
                depth -= 1;
                depth == 0
            }
            TokenKind::Sign(';' | ',') => depth == 0,
            _ => false,
        };
        if ends {
            if token.span.end > at {
                return Some(Span::new(start, token.span.end));
            }
            start = token.span.end;
        }
    }
    None
}

/// Writes spaces over a part of a text; lines stay.
fn blank(text: &mut String, part: Span) {
    let blank: String = text[part.start..part.end]
        .bytes()
        .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
        .collect();
    text.replace_range(part.start..part.end, &blank);
}

/// The first line from a place on that begins an item, outside of all brackets.
fn next_item(text: &str, from: usize) -> Option<usize> {
    let mut open = 0usize;
    for token in Tokens::new(text) {
        match token.kind {
            TokenKind::Sign('(' | '[' | '{') => open += 1,
            TokenKind::Sign(')' | ']' | '}') => open = open.saturating_sub(1),
            TokenKind::Word | TokenKind::PathProbe if open == 0 && token.span.start >= from => {
                let starts_line = text[..token.span.start].ends_with('\n');
                let word = &text[token.span.start..token.span.end];
                let is_probe =
                    token.kind == TokenKind::PathProbe || text[token.span.end..].starts_with(':');
                if starts_line && (is_probe || ITEMS.contains(&word) || BLOCKS.contains(&word)) {
                    return Some(token.span.start);
                }
            }
            _ => {}
        }
    }
    None
}
