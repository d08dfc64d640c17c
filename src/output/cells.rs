//! Values as what people and programs read.

use std::fmt::Write as _;

use ewapa_lang::builtin::NONE;
use ewapa_lang::plan::{KeyValue, Phase};
use ewapa_lang::types::{Enumeration, Type};
use ewapa_lang::wasi::Function;
use ewapa_lang::{errno, linux};

use crate::engine::groups::Key;
use crate::engine::names::Names;

use super::clock;
use super::stack::{self, Stack};

/// A value. The order is that of rows: names as in the alphabet, whatever their numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyCell {
    /// The call had none.
    None,
    /// True or false.
    Bool(bool),
    /// A number, a time in nanoseconds, a size in bytes.
    Number(i64),
    /// A number without a sign.
    Unsigned(u64),
    /// A name, or a text of a traced process as it came.
    Name(String),
    /// A text that stands in the script.
    Written(String),
    /// What a process has reached: in the order in which that happens.
    Phase(Phase),
    /// Functions, the innermost first.
    Stack(Stack),
}

impl KeyCell {
    /// The value of this type.
    pub fn new(key: &Key, ty: Type, names: &Names) -> KeyCell {
        let number = match key {
            Key::Text(bytes) => {
                let text = String::from_utf8_lossy(bytes).into_owned();
                return match names.is_written(bytes) {
                    true => KeyCell::Written(text),
                    false => KeyCell::Name(text),
                };
            }
            Key::Bytes(bytes) => return KeyCell::Name(printable(bytes)),
            Key::Address { address, .. } if *address == NONE as u64 => return KeyCell::None,
            Key::Address { address, pid } => {
                return KeyCell::Name(stack::function(*address, *pid, ty, names));
            }
            Key::None => return KeyCell::None,
            Key::Number(number) => *number,
        };
        let or_number = |name: Option<&str>| name.map_or_else(|| number.to_string(), str::to_owned);
        let index = usize::try_from(number).ok();
        let attached = || index.and_then(|index| names.attached.get(index));
        KeyCell::Name(match ty {
            Type::Bool => return KeyCell::Bool(number != 0),
            Type::Int | Type::Time | Type::Size => return KeyCell::Number(number),
            Type::Unsigned => return KeyCell::Unsigned(number as u64),
            Type::Enum(Enumeration::Func) => index
                .and_then(Function::from_index)
                .map_or_else(|| number.to_string(), |function| function.to_string()),
            Type::Enum(Enumeration::Errno) => or_number(errno::name(number)),
            Type::Enum(Enumeration::LinuxErrno) => match linux::errno_name(number) {
                Some(name) if number != 0 => format!("E{name}"),
                name => or_number(name),
            },
            Type::Enum(Enumeration::ErrorText) => error_text(number),
            Type::Enum(Enumeration::Runtime) => names.runtime_name(number).to_owned(),
            Type::Enum(Enumeration::Module) => names.module_name(number).to_owned(),
            Type::Enum(Enumeration::Syscall) => or_number(linux::syscall_name(number)),
            Type::Enum(Enumeration::Phase) => match index.and_then(|index| Phase::ALL.get(index)) {
                Some(phase) => return KeyCell::Phase(*phase),
                None => number.to_string(),
            },
            Type::Enum(Enumeration::Probe) => {
                or_number(attached().map(|attached| attached.probe.as_str()))
            }
            Type::Enum(Enumeration::ProbeFunction) => {
                or_number(attached().map(|attached| attached.function.as_str()))
            }
            Type::Moment(format) => {
                let format = names.formats.get(usize::from(format));
                let format = format.map_or("%s", String::as_str);
                clock::format(clock::since_start(number as u64), format)
            }
            Type::Stack(stack) => {
                return Stack::new(number as u64, stack, names)
                    .map_or(KeyCell::None, KeyCell::Stack);
            }
            Type::Text(_) | Type::Bytes(_) | Type::Address(_) => number.to_string(),
        })
    }

    /// The same in a row of a table, where an empty text is none: a path that is not known.
    pub fn of_row(key: &Key, ty: Type, names: &Names) -> KeyCell {
        match key {
            Key::Text(bytes) if bytes.is_empty() => KeyCell::None,
            _ => KeyCell::new(key, ty, names),
        }
    }

    /// As it stands in a table; `-` for none.
    pub fn text(&self, ty: Type) -> String {
        match self {
            KeyCell::Number(number) if ty == Type::Time => format!("{number} ns"),
            KeyCell::Bool(value) => if *value { "yes" } else { "no" }.to_owned(),
            KeyCell::Stack(stack) => escape(&stack.line()),
            KeyCell::Name(name) => escape(name),
            KeyCell::Written(text) => text.clone(),
            KeyCell::None | KeyCell::Number(_) | KeyCell::Unsigned(_) | KeyCell::Phase(_) => {
                self.plain()
            }
        }
    }

    /// As bpftrace prints it: a stack takes several lines, which begin with so many spaces.
    pub fn block(&self, ty: Type, indent: usize) -> String {
        match self {
            KeyCell::Bool(_) => self.plain(),
            KeyCell::Stack(stack) => {
                let frames = stack.frames.iter().map(|frame| escape(frame)).collect();
                let perf = stack.perf;
                Stack { frames, perf }.block(indent)
            }
            _ => self.text(ty),
        }
    }

    /// For programs: without a unit, and as it came. A stack is as bpftrace prints it in a key.
    pub fn plain(&self) -> String {
        match self {
            KeyCell::None => "-".to_owned(),
            KeyCell::Bool(value) => value.to_string(),
            KeyCell::Number(number) => number.to_string(),
            KeyCell::Unsigned(number) => number.to_string(),
            KeyCell::Name(name) | KeyCell::Written(name) => name.clone(),
            KeyCell::Phase(phase) => phase.name().to_owned(),
            KeyCell::Stack(stack) => stack.block(stack::IN_KEY),
        }
    }
}

/// What the C library says of an error number.
fn error_text(number: i64) -> String {
    let mut buffer = [0u8; 256];
    let number = i32::try_from(number).unwrap_or(i32::MAX);
    // SAFETY: the buffer's length is told; the function ends what it writes with 0.
    unsafe { libc::strerror_r(number, buffer.as_mut_ptr().cast(), buffer.len()) };
    let end = buffer.iter().position(|byte| *byte == 0);
    String::from_utf8_lossy(&buffer[..end.unwrap_or(0)]).into_owned()
}

/// Bytes as text: those that are not printable as `\\x..`.
pub fn printable(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b' '..=b'~' => out.push(char::from(*byte)),
            _ => write!(out, "\\x{byte:02x}").expect("write to a string"),
        }
    }
    out
}

/// Whether a key has a value that a script names. A runtime is named with or without its version.
pub fn is(key: &Key, cell: &KeyCell, ty: Type, value: &KeyValue) -> bool {
    match (value, cell) {
        (KeyValue::Number(number), _) => *key == Key::Number(*number),
        (KeyValue::Text(text), KeyCell::Name(name) | KeyCell::Written(name)) => {
            let version = || name.strip_prefix(text.as_str());
            name == text
                || ty == Type::Enum(Enumeration::Runtime)
                    && version().is_some_and(|rest| rest.starts_with(' '))
        }
        (KeyValue::Text(text), KeyCell::Phase(phase)) => phase.name() == text,
        (KeyValue::Text(_), _) => false,
    }
}

/// Text of a traced process, harmless for a terminal: what is not printable is shown as an escape.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_active(character) {
            write!(out, "{}", character.escape_default()).expect("write to a string");
        } else {
            out.push(character);
        }
    }
    out
}

/// As [`escape`], but lines stay lines and tabs stay tabs.
pub fn escape_lines(text: &str) -> String {
    let pieces = text.split_inclusive(['\n', '\t']);
    pieces
        .map(|piece| {
            let inner = piece.trim_end_matches(['\n', '\t']);
            escape(inner) + &piece[inner.len()..]
        })
        .collect()
}

/// Whether a character does something to a terminal, or to the direction or the look of those around it.
pub fn is_active(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::names::Attached;
    use ewapa_lang::types::Space;

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
        assert_eq!(shown(2, Type::Enum(Enumeration::LinuxErrno)), "ENOENT");
        assert_eq!(shown(4000, Type::Enum(Enumeration::LinuxErrno)), "4000");
        assert_eq!(
            shown(2, Type::Enum(Enumeration::ErrorText)),
            "No such file or directory"
        );
        assert_eq!(shown(1, Type::Enum(Enumeration::Syscall)), "write");
        assert_eq!(shown(2, Type::Enum(Enumeration::Phase)), "first_wasi");
        assert_eq!(KeyCell::new(&Key::None, Type::Int, &names).plain(), "-");
    }

    #[test]
    fn what_probes_are_attached_to_is_shown_as_it_is_written() {
        let attached = vec![Attached {
            probe: "tracepoint:sched:sched_switch".to_owned(),
            function: "sched_switch".to_owned(),
        }];
        let mut names = Names::default();
        names.attached = attached;
        let shown = |ty| KeyCell::new(&Key::Number(0), Type::Enum(ty), &names).plain();
        assert_eq!(shown(Enumeration::Probe), "tracepoint:sched:sched_switch");
        assert_eq!(shown(Enumeration::ProbeFunction), "sched_switch");
    }

    #[test]
    fn a_number_without_a_sign_has_none() {
        let names = Names::default();
        let cell = KeyCell::new(&Key::Number(-1), Type::Unsigned, &names);
        assert_eq!(cell.text(Type::Unsigned), "18446744073709551615");
    }

    #[test]
    fn bytes_are_shown_as_by_bpftrace() {
        let cell = KeyCell::new(
            &Key::Bytes(b"ab\x01\"\\\xc3".to_vec()),
            Type::Bytes(8),
            &Names::default(),
        );
        assert_eq!(cell.text(Type::Bytes(8)), r#"ab\x01"\\xc3"#);
    }

    #[test]
    fn a_moment_is_shown_by_its_format() {
        let mut names = Names::default();
        names.formats = vec!["%Y".to_owned(), "at %s".to_owned()];
        let shown = KeyCell::new(&Key::Number(1), Type::Moment(1), &names).plain();
        assert!(shown.starts_with("at 1"), "{shown}");
    }

    #[test]
    fn a_function_that_is_not_known_is_its_address() {
        let key = Key::Address {
            address: 0x10,
            pid: u32::MAX,
        };
        let ty = Type::Address(Space::User);
        assert_eq!(KeyCell::new(&key, ty, &Names::default()).text(ty), "0x10");
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
