//! From text to syntax tree.
//!
//! The tokens are looked at first ([`tokens`]): brackets have to close and nesting is bounded. Then the
//! grammar reads the text, and what it found becomes the tree. After a syntax error it goes on behind the
//! statement or column, or at the next line that begins an item ([`recover`]), so that one run shows all.

mod expected;
mod expression;
mod item;
pub(crate) mod literal;
mod recover;
mod statement;
pub(crate) mod tokens;

use std::cell::RefCell;

use pest::Parser;
use pest::iterators::Pair;

use crate::ast::{Name, Script, Text};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::span::Span;

#[derive(pest_derive::Parser)]
#[grammar = "ewq.pest"]
#[allow(missing_docs, reason = "the rules are explained in the grammar")]
pub(crate) struct EwqParser;

/// A script may have so many bytes.
const MAX_TEXT: usize = 4 << 20;

/// The words that begin an item.
const ITEMS: &[&str] = &[
    "param", "config", "import", "macro", "alias", "table", "check",
];

/// The syntax tree of a script, or all of its syntax errors.
pub fn parse(text: &str) -> Result<Script, Vec<Diagnostic>> {
    if text.len() > MAX_TEXT {
        let message = format!(
            "the script has {} bytes; at most {MAX_TEXT} are accepted",
            text.len()
        );
        return Err(vec![Diagnostic::without_place(Code::TooLarge, message)]);
    }
    let unsafe_to_parse = tokens::check(text);
    if !unsafe_to_parse.is_empty() {
        return Err(unsafe_to_parse);
    }
    let builder = Builder {
        errors: RefCell::new(Vec::new()),
    };
    match EwqParser::parse(Rule::script, text) {
        Ok(pairs) => {
            let script = builder.script(pairs);
            let errors = builder.errors.into_inner();
            if errors.is_empty() {
                Ok(script)
            } else {
                Err(errors)
            }
        }
        Err(error) => Err(recover::syntax_errors(text, error)),
    }
}

/// Whether a name cannot be used in an expression because the grammar needs it.
pub(crate) fn is_reserved(name: &str) -> bool {
    EwqParser::parse(Rule::name, name).is_err()
}

/// Makes the tree. Errors in literals are collected here; the tree is thrown away then.
struct Builder {
    errors: RefCell<Vec<Diagnostic>>,
}

impl Builder {
    fn error(&self, diagnostic: Diagnostic) {
        self.errors.borrow_mut().push(diagnostic);
    }

    fn string(&self, pair: &Pair<Rule>) -> Text {
        let span = span(pair);
        let value = literal::string(pair.as_str()).unwrap_or_else(|(start, end)| {
            let escape = &pair.as_str()[start..end];
            let place = Span::new(span.start + start, span.start + end);
            let error = Diagnostic::new(
                Code::BadEscape,
                place,
                format!("`{escape}` is no escape of a string"),
            );
            self.error(error.help(
                "the escapes are \\n \\t \\r \\e \\\\ \\\" \\x41 and \\101, the last two up to 127",
            ));
            String::new()
        });
        Text { value, span }
    }
}

/// Where a rule is. Pest counts the white space and comments after it in when an optional part is missing
/// at its end, so the end is that of its last part.
pub(crate) fn span(pair: &Pair<Rule>) -> Span {
    let mut last = pair.clone();
    while let Some(inner) = last.clone().into_inner().next_back() {
        last = inner;
    }
    Span::new(pair.as_span().start(), last.as_span().end())
}

/// What a rule was written as, on one line.
fn written(pair: &Pair<Rule>) -> String {
    let place = span(pair);
    let text = pair
        .as_str()
        .get(..place.end - place.start)
        .unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn name(pair: &Pair<Rule>) -> Name {
    Name {
        text: pair.as_str().to_owned(),
        span: span(pair),
    }
}

/// The parts of a rule that mean something: no keywords, no punctuation.
fn parts(pair: Pair<Rule>) -> impl Iterator<Item = Pair<Rule>> {
    pair.into_inner()
        .filter(|part| !is_punctuation(part.as_rule()))
}

fn is_punctuation(rule: Rule) -> bool {
    use Rule::*;
    matches!(
        rule,
        kw_alias
            | kw_as
            | kw_by
            | kw_check
            | kw_config
            | kw_every
            | kw_for
            | kw_from
            | kw_having
            | kw_if
            | kw_import
            | kw_let
            | kw_limit
            | kw_macro
            | kw_param
            | kw_pivot
            | kw_sort
            | kw_table
            | kw_title
            | kw_unroll
            | kw_vs
            | kw_where
            | kw_while
            | param_eq
            | param_end
            | config_eq
            | config_open
            | config_sep
            | config_close
            | import_end
            | macro_open
            | macro_close
            | alias_eq
            | alias_end
            | check_end
            | predicate_open
            | predicate_close
            | table_open
            | table_close
            | key_comma
            | column_eq
            | column_comma
            | probe_comma
            | block_open
            | block_close
            | for_open
            | for_colon
            | for_dots
            | for_close
            | let_colon
            | let_eq
            | statement_end
            | ternary_colon
            | index_open
            | index_close
            | call_open
            | call_close
            | arg_eq
            | comma
            | group_open
            | group_close
            | shebang
            | EOI
    )
}
