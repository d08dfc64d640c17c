//! The keys of a group as text.

use std::fmt::Write as _;

use ewapa_lang::builtin::NONE;
use ewapa_lang::errno;
use ewapa_lang::types::{Enumeration, Type};
use ewapa_lang::wasi::Function;

use crate::engine::groups::Key;
use crate::engine::names::Names;

/// One key as text; `-` for none.
pub fn key(key: &Key, ty: Type, names: &Names) -> String {
    match key {
        Key::Number(NONE) => "-".to_owned(),
        Key::Number(number) => value(*number, ty, names),
        Key::Text(bytes) => escape(&String::from_utf8_lossy(bytes)),
    }
}

fn value(number: i64, ty: Type, names: &Names) -> String {
    match ty {
        Type::Bool => if number == 0 { "no" } else { "yes" }.to_owned(),
        Type::Time => format!("{number} ns"),
        Type::Enum(Enumeration::Func) => usize::try_from(number)
            .ok()
            .and_then(Function::from_index)
            .map_or_else(|| number.to_string(), |function| function.to_string()),
        Type::Enum(Enumeration::Errno) => {
            errno::name(number).map_or_else(|| number.to_string(), str::to_owned)
        }
        Type::Enum(Enumeration::Runtime) => names.runtime_name(number).to_owned(),
        Type::Enum(Enumeration::Module) => escape(names.module_name(number)),
        Type::Int | Type::Size | Type::Text => number.to_string(),
    }
}

/// Text of a traced process, harmless for a terminal: what is not printable is shown as an escape.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_format(character) {
            write!(out, "{}", character.escape_default()).expect("write to a string");
        } else {
            out.push(character);
        }
    }
    out
}

/// Characters that change the direction or the look of those around them.
fn is_format(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_traced_process_calls_itself_cannot_move_the_cursor() {
        assert_eq!(escape("evil\u{1b}[2Jname\n"), "evil\\u{1b}[2Jname\\n");
        assert_eq!(escape("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(escape("naïve"), "naïve");
    }

    #[test]
    fn enums_are_shown_by_name() {
        let names = Names::default();
        assert_eq!(
            key(&Key::Number(8), Type::Enum(Enumeration::Errno), &names),
            "BADF"
        );
        assert_eq!(
            key(&Key::Number(26), Type::Enum(Enumeration::Func), &names),
            "fd_write"
        );
        assert_eq!(key(&Key::Number(NONE), Type::Int, &names), "-");
    }
}
