//! The tokens of a script, cut before the grammar sees it: what must hold for the parser to be safe
//! (every bracket closes, and none nests too deep) is checked on them, and errors quote them.

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::span::Span;

/// So deep may brackets and `?` nest. The parser recurses this far at most.
pub const MAX_NESTING: usize = 100;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A name or keyword; with its `$` or `@`.
    Word,
    /// A number with its unit.
    Number,
    /// A string with its quotes.
    Text,
    /// A `//!` line.
    Doc,
    /// A probe whose second part is the path of a file, in which `/` is no operator.
    PathProbe,
    /// An operator or any other character; of several characters the first one.
    Sign(char),
    /// A string or comment that never ends.
    Unterminated,
}

/// A token and its place.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it is.
    pub span: Span,
}

/// Cuts a text into tokens; white space and comments are skipped.
pub struct Tokens<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Tokens<'t> {
    /// The tokens of a script.
    pub fn new(text: &'t str) -> Tokens<'t> {
        let body = text.trim_start();
        let shebang = if body.starts_with("#!") {
            line_len(body)
        } else {
            0
        };
        Tokens {
            text,
            at: text.len() - body.len() + shebang,
        }
    }

    fn take(&mut self, kind: TokenKind, len: usize) -> Option<Token> {
        let span = Span::new(self.at, self.at + len);
        self.at = span.end;
        Some(Token { kind, span })
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let rest = self.text[self.at..].trim_start_matches([' ', '\t', '\r', '\n', '\u{feff}']);
            self.at = self.text.len() - rest.len();
            let first = rest.chars().next()?;
            if rest.starts_with("//!") {
                return self.take(TokenKind::Doc, line_len(rest));
            } else if rest.starts_with("//") {
                self.at += line_len(rest);
            } else if let Some(comment) = rest.strip_prefix("/*") {
                match comment.find("*/") {
                    Some(end) => self.at += end + 4,
                    None => return self.take(TokenKind::Unterminated, 2),
                }
            } else if first == '"' {
                return match text_len(rest) {
                    Some(len) => self.take(TokenKind::Text, len),
                    None => self.take(TokenKind::Unterminated, line_len(rest).max(1)),
                };
            } else if is_word_start(first) {
                let word = first.len_utf8() + word_len(&rest[first.len_utf8()..]);
                let takes_path = matches!(
                    &rest[..word],
                    "uprobe" | "uretprobe" | "usdt" | "u" | "ur" | "U"
                );
                return if takes_path && rest[word..].starts_with(':') {
                    self.take(TokenKind::PathProbe, path_probe_len(rest))
                } else {
                    self.take(TokenKind::Word, word)
                };
            } else if first.is_ascii_digit() {
                return self.take(TokenKind::Number, number_len(rest));
            } else {
                let len = if OPERATORS.iter().any(|operator| rest.starts_with(operator)) {
                    2
                } else {
                    first.len_utf8()
                };
                return self.take(TokenKind::Sign(first), len);
            }
        }
    }
}

/// Operators of two characters.
const OPERATORS: &[&str] = &[
    "==", "!=", "<=", ">=", "&&", "||", "<<", ">>", "->", "++", "--", "..",
];

fn line_len(text: &str) -> usize {
    text.find('\n').unwrap_or(text.len())
}

fn is_word_start(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '$' | '@')
}

fn word_len(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len())
}

fn number_len(text: &str) -> usize {
    let whole = word_len(text);
    let fraction = text[whole..]
        .strip_prefix('.')
        .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    whole + fraction.map_or(0, |rest| 1 + word_len(rest))
}

fn text_len(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some(at + 1),
            '\n' => return None,
            '\\' => drop(chars.next()),
            _ => {}
        }
    }
    None
}

fn path_probe_len(text: &str) -> usize {
    let mut quoted = false;
    let end = text.find(|c: char| {
        quoted ^= c == '"';
        // What could be brackets of an expression counts as such.
        c == '\n' || !quoted && (c.is_whitespace() || ",;{}()[]?".contains(c))
    });
    end.unwrap_or(text.len())
}

/// What must hold before the grammar may look at a text.
pub fn check(text: &str) -> Vec<Diagnostic> {
    let mut open: Vec<(char, Span)> = Vec::new();
    for Token { kind, span } in Tokens::new(text) {
        match kind {
            TokenKind::Unterminated => return vec![unterminated(text, span)],
            TokenKind::Sign(sign @ ('(' | '[' | '{' | '?')) => {
                if sign == '{' {
                    drop_questions(&mut open);
                }
                open.push((sign, span));
                if open.len() > MAX_NESTING {
                    return vec![too_deep(span)];
                }
            }
            TokenKind::Sign(':') => {
                open.pop_if(|(sign, _)| *sign == '?');
            }
            TokenKind::Sign(';' | ',') => drop_questions(&mut open),
            TokenKind::Sign(sign @ (')' | ']' | '}')) => {
                drop_questions(&mut open);
                match open.pop() {
                    Some((opening, _)) if closing(opening) == sign => {}
                    Some((opening, place)) => return vec![mismatch(opening, place, sign, span)],
                    None => return vec![closes_nothing(sign, span)],
                }
            }
            _ => {}
        }
    }
    drop_questions(&mut open);
    open.last()
        .map(|(opening, span)| never_closed(*opening, *span))
        .into_iter()
        .collect()
}

/// A `?` whose `:` never comes ends with what is around it: it is part of a glob, or the grammar says
/// what is wrong.
fn drop_questions(open: &mut Vec<(char, Span)>) {
    while open.pop_if(|(sign, _)| *sign == '?').is_some() {}
}

fn closing(opening: char) -> char {
    match opening {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

fn unterminated(text: &str, span: Span) -> Diagnostic {
    if text[span.start..].starts_with('"') {
        Diagnostic::new(Code::Unterminated, span, "this string is never closed")
            .label("no `\"` follows on this line")
            .help("a line break inside a string is written `\\n`")
    } else {
        Diagnostic::new(Code::Unterminated, span, "this comment is never closed")
            .label("no `*/` follows")
    }
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::TooDeep,
        span,
        format!("brackets nest more than {MAX_NESTING} deep"),
    )
    .label("this one is too deep")
}

fn mismatch(opening: char, place: Span, found: char, span: Span) -> Diagnostic {
    let message = format!("`{opening}` is closed by `{found}`");
    Diagnostic::new(Code::Unbalanced, span, message)
        .label(format!("expected `{}`", closing(opening)))
        .also(place, "opened here")
}

fn closes_nothing(found: char, span: Span) -> Diagnostic {
    Diagnostic::new(Code::Unbalanced, span, format!("`{found}` closes nothing"))
        .label("nothing is open here")
}

fn never_closed(opening: char, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::Unbalanced,
        span,
        format!("this `{opening}` is never closed"),
    )
    .label(format!("no `{}` follows", closing(opening)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        Tokens::new(text).map(|token| token.kind).collect()
    }

    #[test]
    fn comments_and_the_first_line_are_no_tokens() {
        assert_eq!(
            kinds("#!/usr/bin/env x\n// a (\n/* { */ y"),
            [TokenKind::Word]
        );
    }

    #[test]
    fn brackets_in_strings_do_not_count() {
        assert!(check(r#"f("((", "\")")"#).is_empty());
    }

    #[test]
    fn a_path_in_a_probe_opens_no_comment() {
        assert_eq!(
            kinds("uprobe:/opt/*/x:f,"),
            [TokenKind::PathProbe, TokenKind::Sign(',')]
        );
    }

    #[test]
    fn a_text_that_ends_in_a_backslash_is_unterminated() {
        assert_eq!(kinds("\"a\\"), [TokenKind::Unterminated]);
    }
}
