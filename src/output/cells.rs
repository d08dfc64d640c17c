//! The keys of a group as what people and programs read.

use std::fmt::Write as _;

use ewapa_lang::builtin::NONE;
use ewapa_lang::errno;
use ewapa_lang::plan::KeyValue;
use ewapa_lang::types::{Enumeration, Type};
use ewapa_lang::wasi::Function;

use crate::engine::groups::Key;
use crate::engine::names::Names;

/// The value of a key. The order is that of rows: names as in the alphabet, whatever their numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyCell {
    /// The call had none.
    None,
    /// True or false.
    Bool(bool),
    /// A number, a time in nanoseconds, a size in bytes.
    Number(i64),
    /// A name, or a text of a traced process as it came.
    Name(String),
}

impl KeyCell {
    /// The value of a key of this type.
    pub fn new(key: &Key, ty: Type, names: &Names) -> KeyCell {
        let number = match key {
            Key::Text(bytes) => {
                return KeyCell::Name(String::from_utf8_lossy(bytes).into_owned());
            }
            Key::Bytes(_) | Key::Address { .. } => unreachable!("the checker refuses it"),
            Key::Number(NONE) => return KeyCell::None,
            Key::Number(number) => *number,
        };
        KeyCell::Name(match ty {
            Type::Bool => return KeyCell::Bool(number != 0),
            Type::Int | Type::Unsigned | Type::Time | Type::Size => return KeyCell::Number(number),
            Type::Enum(Enumeration::Func) => usize::try_from(number)
                .ok()
                .and_then(Function::from_index)
                .map_or_else(|| number.to_string(), |function| function.to_string()),
            Type::Enum(Enumeration::Errno) => {
                errno::name(number).map_or_else(|| number.to_string(), str::to_owned)
            }
            Type::Enum(Enumeration::Runtime) => names.runtime_name(number).to_owned(),
            Type::Enum(Enumeration::Module) => names.module_name(number).to_owned(),
            _ => unreachable!("the checker refuses it"),
        })
    }

    /// As it stands in a table; `-` for none.
    pub fn text(&self, ty: Type) -> String {
        match self {
            KeyCell::None => "-".to_owned(),
            KeyCell::Bool(value) => if *value { "yes" } else { "no" }.to_owned(),
            KeyCell::Number(number) if ty == Type::Time => format!("{number} ns"),
            KeyCell::Number(number) => number.to_string(),
            KeyCell::Name(name) => escape(name),
        }
    }
}

/// Whether a key has a value that a script names. A runtime is named with or without its version.
pub fn is(key: &Key, cell: &KeyCell, ty: Type, value: &KeyValue) -> bool {
    match (value, cell) {
        (KeyValue::Number(number), _) => *key == Key::Number(*number),
        (KeyValue::Text(text), KeyCell::Name(name)) => {
            let version = || name.strip_prefix(text.as_str());
            name == text
                || ty == Type::Enum(Enumeration::Runtime)
                    && version().is_some_and(|rest| rest.starts_with(' '))
        }
        (KeyValue::Text(_), _) => false,
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
        let shown = |number, ty| KeyCell::new(&Key::Number(number), ty, &names).text(ty);
        assert_eq!(shown(8, Type::Enum(Enumeration::Errno)), "BADF");
        assert_eq!(shown(26, Type::Enum(Enumeration::Func)), "fd_write");
        assert_eq!(shown(NONE, Type::Int), "-");
    }

    #[test]
    fn a_runtime_is_named_with_or_without_its_version() {
        let mut names = Names::default();
        let key = Key::Number(i64::from(names.runtime(0, "wasm3", Some("0.5.0"))));
        let ty = Type::Enum(Enumeration::Runtime);
        let named = |text: &str| {
            let cell = KeyCell::new(&key, ty, &names);
            is(&key, &cell, ty, &KeyValue::Text(text.to_owned()))
        };
        assert!(named("wasm3") && named("wasm3 0.5.0"));
        assert!(!named("wasm") && !named("wasm3 0.5"));
    }
}
