//! The formatter: the same script with the white space of the bundled ones.
//!
//! It walks the parser's tokens, not the tree, so that everything that was written is written again: the
//! spelling of numbers, parentheses that mean nothing, comments. Only white space changes, and commas and
//! semicolons that may be left away.
//!
//! - `tokens` finds the comments, which are not part of the grammar, between the tokens;
//! - `item`, `table`, `statement` and `expression` turn the parts of a script into a `doc`: text with
//!   places where a line may break;
//! - `doc` breaks lines where they would be too long;
//! - `list` puts things below each other, with the comments and blank lines between them.
//!
//! Comments are kept where things stand below each other. A comment anywhere else, such as within an
//! expression, keeps what it is in as it was written.

mod doc;
mod expression;
mod item;
mod list;
mod statement;
mod table;
mod tokens;

use pest::Parser;

use crate::diagnostic::Diagnostic;
use crate::parse::{EwqParser, Rule, parse};
use tokens::Tokens;

/// A line has at most so many columns where it can be broken.
const WIDTH: usize = 100;

/// The script in the usual form. Formatting what is formatted changes nothing.
///
/// # Errors
/// All syntax errors of the script: what is broken is not formatted.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let lines: Vec<&str> = text
        .split('\n')
        .map(|line| line.trim_end_matches('\r'))
        .collect();
    let text = lines.join("\n");
    let text = text.trim_start_matches('\u{feff}');
    parse(text)?;
    let Ok(mut pairs) = EwqParser::parse(Rule::script, text) else {
        return Ok(text.to_owned());
    };
    let Some(script) = pairs.next() else {
        return Ok(text.to_owned());
    };
    let before = Tokens::of(text, script.clone());
    let formatted = before.script(script);
    // Whatever goes wrong here, nobody may lose a word of a script.
    let same = EwqParser::parse(Rule::script, &formatted)
        .ok()
        .and_then(|mut pairs| pairs.next())
        .is_some_and(|script| Tokens::of(&formatted, script).content() == before.content());
    debug_assert!(
        same,
        "formatting changes this script:\n{text}\n---\n{formatted}"
    );
    Ok(if same { formatted } else { text.to_owned() })
}
