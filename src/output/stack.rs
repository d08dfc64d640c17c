//! The functions that a thread was in, and single addresses of functions.

use std::fmt::Write as _;

use ewapa_lang::types::{Space, StackMode, StackType, Type};

use crate::engine::names::Names;
use crate::symbolize::Function;

/// The spaces before a function where a stack is a key, as in bpftrace.
pub const IN_KEY: usize = 4;

/// The spaces before a function elsewhere.
pub const ALONE: usize = 8;

/// A stack as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stack {
    /// The functions, the innermost first. They come from traced processes: not harmless for a terminal.
    pub frames: Vec<String>,
    /// Whether it is shown as perf(1) does.
    pub perf: bool,
}

impl Stack {
    /// The stack of a value of the kernel; none if the kernel does not know it.
    pub fn new(value: u64, ty: StackType, names: &Names) -> Option<Stack> {
        let (id, pid) = (value as u32, (value >> 32) as u32);
        let addresses = names.stacks.addresses(ty.depth, id)?;
        let frames = addresses.iter().enumerate();
        Some(Stack {
            frames: frames
                .map(|(index, address)| frame(*address, index > 0, pid, ty, names))
                .collect(),
            perf: ty.mode == StackMode::Perf,
        })
    }

    /// In several lines, as bpftrace prints it: a line's end before the first one and after the last.
    pub fn block(&self, indent: usize) -> String {
        let indent = if self.perf {
            "\t".to_owned()
        } else {
            " ".repeat(indent)
        };
        let mut out = "\n".to_owned();
        for frame in &self.frames {
            writeln!(out, "{indent}{frame}").expect("write to a string");
        }
        out
    }

    /// In one line, for tables.
    pub fn line(&self) -> String {
        self.frames.join(" < ")
    }
}

fn look_up(address: u64, pid: u32, space: Space, names: &Names) -> Option<Function> {
    match space {
        Space::Kernel => names.symbols.in_kernel(address),
        Space::User => names.symbols.in_process(pid, address),
    }
}

/// One function of a stack. The address of one that has called another is that after the call: if it never
/// returns, that of the function that lies behind it.
fn frame(address: u64, has_called: bool, pid: u32, ty: StackType, names: &Names) -> String {
    if ty.mode == StackMode::Raw {
        return format!("{address:x}");
    }
    let back = u64::from(has_called);
    let found = look_up(address - back, pid, ty.space, names);
    let shown = found.as_ref().map_or_else(
        || format!("{address:#x}"),
        |function| format!("{}+{}", function.name, function.offset + back),
    );
    match (ty.mode, ty.space) {
        (StackMode::Perf, Space::User) => {
            let file = found.and_then(|function| function.file);
            let file = file.unwrap_or_else(|| "[unknown]".to_owned());
            format!("{address:x} {shown} ({file})")
        }
        (StackMode::Perf, Space::Kernel) => format!("{address:x} {shown}"),
        (StackMode::Plain | StackMode::Raw, _) => shown,
    }
}

/// The function at an address, without how far behind its start that is.
pub fn function(address: u64, pid: u32, ty: Type, names: &Names) -> String {
    let space = match ty {
        Type::Address(space) => space,
        _ => Space::User,
    };
    look_up(address, pid, space, names)
        .map_or_else(|| format!("{address:#x}"), |function| function.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: StackType = StackType {
        space: Space::User,
        depth: 3,
        mode: StackMode::Plain,
    };

    #[test]
    fn a_stack_is_shown_as_by_bpftrace() {
        let stack = Stack {
            frames: vec!["write+5".to_owned(), "main+20".to_owned()],
            perf: false,
        };
        assert_eq!(stack.block(ALONE), "\n        write+5\n        main+20\n");
        assert_eq!(stack.block(IN_KEY), "\n    write+5\n    main+20\n");
        assert_eq!(stack.line(), "write+5 < main+20");
        let perf = Stack {
            perf: true,
            ..stack
        };
        assert_eq!(perf.block(ALONE), "\n\twrite+5\n\tmain+20\n");
    }

    #[test]
    fn functions_of_this_process_are_named_in_each_mode() {
        let (names, pid) = (Names::default(), std::process::id());
        let address = function as *const () as u64;
        let shown = |mode, has_called| {
            let ty = StackType { mode, ..PLAIN };
            frame(address + 1, has_called, pid, ty, &names)
        };
        assert!(shown(StackMode::Plain, false).ends_with("output::stack::function+1"));
        assert!(shown(StackMode::Plain, true).ends_with("output::stack::function+1"));
        assert_eq!(shown(StackMode::Raw, false), format!("{:x}", address + 1));
        let perf = shown(StackMode::Perf, false);
        assert!(perf.starts_with(&format!("{:x} ", address + 1)), "{perf}");
        assert!(perf.ends_with(')') && perf.contains("(/"), "{perf}");
    }

    #[test]
    fn what_is_not_known_is_an_address() {
        let names = Names::default();
        assert_eq!(frame(0x1000, false, u32::MAX, PLAIN, &names), "0x1000");
        let perf = StackType {
            mode: StackMode::Perf,
            ..PLAIN
        };
        assert_eq!(
            frame(0x1000, false, u32::MAX, perf, &names),
            "1000 0x1000 ([unknown])"
        );
        assert_eq!(Stack::new(7, PLAIN, &names), None);
    }
}
