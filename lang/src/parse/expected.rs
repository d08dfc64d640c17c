//! Syntax errors in human words: what the grammar hoped for, and what was there instead.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::Rule;
use super::tokens::{Token, TokenKind, Tokens};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::nearest::nearest;
use crate::span::Span;

/// The error of a text of which `text[offset..]` was parsed.
pub fn syntax_error(text: &str, offset: usize, error: &Error<Rule>) -> Diagnostic {
    let at = offset
        + match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
        };
    let hoped: &[Rule] = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => positives,
        ErrorVariant::CustomError { .. } => &[],
    };
    let (before, found) = around(text, at);
    let quoted = found.map_or_else(
        || "the end of the script".to_owned(),
        |token| quote(text, token.span),
    );
    let expected = phrases(hoped);
    if let (Some(before), Some(found)) = (before, found)
        && is_block_as_value(before, found, &expected)
    {
        let message = "a block as a value is bpftrace's, and this language leaves it out";
        return Diagnostic::new(Code::NotInLanguage, found.span, message)
            .help("do what it does in statements before, and keep the value: `$x = …`");
    }
    let message = if expected.is_empty() {
        format!("{quoted} makes no sense here")
    } else {
        format!("expected {}, found {quoted}", or_list(&expected))
    };
    let diagnostic = Diagnostic::new(Code::Unexpected, place(text, before, found), message);
    match found {
        Some(token) => with_hint(diagnostic, text, token, hoped, &expected),
        None => diagnostic,
    }
}

/// Whether a `{` stands where a value is needed.
fn is_block_as_value(before: Token, found: Token, expected: &[&str]) -> bool {
    matches!(found.kind, TokenKind::Sign('{'))
        && matches!(before.kind, TokenKind::Sign('=' | '(' | ','))
        && (expected.iter())
            .any(|phrase| phrase.contains("expression") || phrase.contains("argument"))
}

/// The tokens before and at a place.
fn around(text: &str, at: usize) -> (Option<Token>, Option<Token>) {
    let mut before = None;
    for token in Tokens::new(text) {
        if token.span.end > at {
            return (before, Some(token));
        }
        before = Some(token);
    }
    (before, None)
}

/// What is missing at the end of a line is shown there, not at the beginning of a later one.
fn place(text: &str, before: Option<Token>, found: Option<Token>) -> Span {
    match (before, found) {
        (Some(before), Some(found)) if !text[before.span.end..found.span.start].contains('\n') => {
            found.span
        }
        (Some(before), _) => Span::new(before.span.end, before.span.end),
        (None, Some(found)) => found.span,
        (None, None) => Span::new(text.len(), text.len()),
    }
}

fn quote(text: &str, span: Span) -> String {
    let token = &text[span.start..span.end];
    let mut short: String = token.chars().take(40).collect();
    if short.len() < token.len() {
        short.push('…');
    }
    format!("`{short}`")
}

fn with_hint(
    diagnostic: Diagnostic,
    text: &str,
    found: Token,
    hoped: &[Rule],
    expected: &[&str],
) -> Diagnostic {
    let word = &text[found.span.start..found.span.end];
    match found.kind {
        TokenKind::Doc => diagnostic.help(
            "a `//!` line describes the script and stands between its items; here write `//`",
        ),
        TokenKind::Word => {
            let keywords: Vec<String> = hoped.iter().flat_map(|rule| keywords(*rule)).collect();
            match nearest(word, keywords.iter().map(String::as_str)) {
                Some(near) if near != word => diagnostic.label(format!("did you mean `{near}`?")),
                _ if expected == [AN_EXPRESSION] && super::is_reserved(word) => {
                    diagnostic.help(format!(
                        "`{word}` is a word of the language and cannot be a name in an expression"
                    ))
                }
                _ => diagnostic,
            }
        }
        TokenKind::Sign('=') if hoped.contains(&Rule::eq) => {
            diagnostic.help("to compare, write `==`")
        }
        TokenKind::Sign('\'') => diagnostic.help("strings are in double quotes: `\"text\"`"),
        _ => diagnostic,
    }
}

const AN_EXPRESSION: &str = "an expression";

/// The keyword that a rule such as `kw_from` stands for; of a whole script, those that begin an item.
fn keywords(rule: Rule) -> Vec<String> {
    match rule {
        Rule::script => super::ITEMS.iter().map(|item| (*item).to_owned()).collect(),
        rule => format!("{rule:?}")
            .strip_prefix("kw_")
            .map(str::to_owned)
            .into_iter()
            .collect(),
    }
}

fn or_list(phrases: &[&str]) -> String {
    match phrases {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// At most three phrases, the most telling ones first.
fn phrases(hoped: &[Rule]) -> Vec<&'static str> {
    let mut phrases: Vec<(u8, &str)> = hoped.iter().filter_map(|rule| phrase(*rule)).collect();
    phrases.sort_unstable();
    phrases.dedup();
    phrases
        .into_iter()
        .map(|(_, phrase)| phrase)
        .take(3)
        .collect()
}

/// What the user calls a rule; the lower the number, the sooner it is said. Operators and optional
/// parts are never what is missing.
fn phrase(rule: Rule) -> Option<(u8, &'static str)> {
    let phrase = match rule {
        Rule::param_name => (0, "the parameter's name"),
        Rule::param_eq => (0, "`=` and the parameter's default"),
        Rule::param_end => (0, "`;` after the parameter"),
        Rule::config_eq => (0, "`=`"),
        Rule::config_open => (0, "`{` with the settings"),
        Rule::config_entry | Rule::config_name => (0, "a setting such as `format = json`"),
        Rule::config_value => (0, "the setting's value"),
        Rule::config_close => (1, "`}` after the settings"),
        Rule::macro_name => (0, "the macro's name"),
        Rule::macro_open => (0, "`(` with the macro's parameters"),
        Rule::macro_param => (0, "a parameter of the macro"),
        Rule::macro_close | Rule::for_close | Rule::group_close | Rule::call_close => (2, "`)`"),
        Rule::alias_eq => (0, "`=` after the alias"),
        Rule::alias_end => (1, "`;` after the alias"),
        Rule::check_end => (0, "`;` after the check"),
        Rule::predicate_close => (0, "`/` after the predicate"),
        Rule::table_name => (0, "the table's name"),
        Rule::kw_from => (0, "`from` and a probe"),
        Rule::table_open => (0, "`{` with the table's columns"),
        Rule::table_close => (1, "`}` after the columns"),
        Rule::column | Rule::column_name => (0, "a column such as `calls = count()`"),
        Rule::column_eq => (0, "`=` after the column's name"),
        Rule::column_comma => (0, "`,` before the next column"),
        Rule::unit => (0, "a unit such as `us`"),
        Rule::sort_name => (0, "the column to sort by"),
        Rule::probe => (0, "a probe such as `wasi:fd_write`"),
        Rule::path => (0, "the path of a file"),
        Rule::segment => (0, "the next part of the probe"),
        Rule::block | Rule::block_open => (1, "`{`"),
        Rule::block_close => (1, "`}`"),
        Rule::statement_end => (0, "`;` after the statement"),
        Rule::for_over | Rule::expr | Rule::primary => (0, AN_EXPRESSION),
        Rule::for_colon | Rule::ternary_colon => (1, "`:`"),
        Rule::variable => (0, "a variable such as `$x`"),
        Rule::map => (1, "a map such as `@x`"),
        Rule::type_name => (0, "a type such as `int64`"),
        Rule::index_close => (2, "`]`"),
        Rule::comma | Rule::key_comma | Rule::trailing_comma => (1, "`,`"),
        Rule::arg => (0, "an argument"),
        Rule::field_name => (0, "a name after the `.`"),
        Rule::string => (3, "a string"),
        Rule::number => (3, "a number"),
        Rule::EOI | Rule::script => (
            4,
            "an item: `table`, `param`, `check`, or a probe such as `wasi:fd_write`",
        ),
        _ => return None,
    };
    Some(phrase)
}
