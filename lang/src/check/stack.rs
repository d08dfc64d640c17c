//! Stacks and the functions at addresses.

use crate::ast::{Arg, ExprKind};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan;
use crate::types::{Space, StackMode, StackType, Type};

use super::Checker;
use super::around::MAX_FRAMES;
use super::call::Asked;
use super::name::did_you_mean;
use super::value::Value;

/// How a stack can be shown.
const MODES: &[(&str, StackMode)] = &[
    ("bpftrace", StackMode::Plain),
    ("perf", StackMode::Perf),
    ("raw", StackMode::Raw),
];

impl Checker<'_> {
    /// `ustack()`, `ustack(5)`, `ustack(perf)` and `ustack(perf, 5)`
    pub(super) fn stack(&mut self, asked: &Asked, space: Space) -> Option<Value> {
        let (mode, depth): (Option<&Arg>, Option<&Arg>) = match asked.args {
            [] => (None, None),
            [one] if is_mode(one) => (Some(one), None),
            [depth] => (None, Some(depth)),
            [mode, depth] => (Some(mode), Some(depth)),
            _ => {
                let example = format!("{}(perf, 5)", asked.function.text);
                return self.asks(asked, "how it is shown, and how deep it is", &example);
            }
        };
        let mode = match mode {
            Some(mode) => self.stack_mode(mode)?,
            None => StackMode::Plain,
        };
        let depth = match depth {
            Some(depth) => {
                let bounds = 1..=i64::from(MAX_FRAMES);
                let depth = self.bounded(asked, &depth.value, bounds, "the depth")?;
                u8::try_from(depth).unwrap_or(MAX_FRAMES)
            }
            None => MAX_FRAMES,
        };
        let ty = Type::Stack(StackType { space, depth, mode });
        Some(Value::new(plan::ExprKind::Stack, ty, asked.place))
    }

    fn stack_mode(&mut self, arg: &Arg) -> Option<StackMode> {
        let name = match &arg.value.kind {
            ExprKind::Name(name) => name.as_str(),
            _ => "",
        };
        if let Some((_, mode)) = MODES.iter().find(|(known, _)| *known == name) {
            return Some(*mode);
        }
        let message = "a stack is shown as `bpftrace`, `perf` or `raw`";
        let error = Diagnostic::new(Code::BadArgument, arg.value.span, message);
        let names = MODES.iter().map(|(known, _)| *known);
        self.errors.push(did_you_mean(error, name, names));
        None
    }

    /// `usym(address)`
    pub(super) fn symbol(&mut self, asked: &Asked, space: Space) -> Option<Value> {
        let [address] = asked.args else {
            let example = format!("{}(arg0)", asked.function.text);
            return self.asks(asked, "one address", &example);
        };
        let address = self.plain(asked, address, "an address")?;
        let kind = plan::ExprKind::Symbol(Box::new(address.expr));
        Some(Value::new(kind, Type::Address(space), asked.place))
    }
}

fn is_mode(arg: &Arg) -> bool {
    matches!(&arg.value.kind, ExprKind::Name(name) if MODES.iter().any(|(known, _)| known == name))
}
