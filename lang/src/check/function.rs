//! The functions that do something: each is a statement of its own.

use crate::ast::{self, Amount, Arg, ExprKind, Name, Number};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Action, Expr, Message, MessageId, MessageKind};
use crate::span::Span;
use crate::types::Type;

use super::map::MapId;
use super::param::Constant;
use super::{Checker, MAX_MESSAGE_VALUES, MAX_MESSAGES};

/// What to do with an aggregate that stands elsewhere.
pub(super) fn into_a_map(aggregate: &str) -> String {
    let arguments = if aggregate == "count" { "" } else { "…" };
    format!("put it into a map: `@x[func] = {aggregate}({arguments})`")
}

/// A call of a function.
pub(super) struct Call<'c> {
    /// The name.
    pub(super) function: &'c Name,
    /// Its arguments.
    pub(super) args: &'c [Arg],
    /// All of it.
    pub(super) place: Span,
}

/// Checks the arguments of a call and appends what it does; none means that an error was reported.
type Check = fn(&mut Checker<'_>, &Call, &mut Vec<Action>) -> Option<()>;

/// All functions that do something.
const FUNCTIONS: &[(&str, Check)] = &[
    ("printf", |checker, call, actions| {
        checker.printf(call, actions)
    }),
    ("time", |checker, call, actions| checker.time(call, actions)),
    ("print", |checker, call, actions| {
        checker.print(call, actions)
    }),
    ("clear", |checker, call, actions| {
        checker.clear(call, actions)
    }),
    ("zero", |checker, call, actions| checker.zero(call, actions)),
    ("delete", |checker, call, actions| {
        checker.delete(call, actions)
    }),
    ("exit", |checker, call, actions| checker.exit(call, actions)),
];

/// The names of the functions that do something.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|(name, _)| *name)
}

impl Checker<'_> {
    /// A call as a statement.
    pub(super) fn call_statement(
        &mut self,
        function: &Name,
        args: &[Arg],
        place: Span,
        actions: &mut Vec<Action>,
    ) -> Option<()> {
        if let Some((_, check)) = FUNCTIONS.iter().find(|(name, _)| *name == function.text) {
            if let Some(name) = args.iter().find_map(|arg| arg.name.as_ref()) {
                let message = format!(
                    "`{}()` has no argument called `{}`",
                    function.text, name.text
                );
                self.errors
                    .push(Diagnostic::new(Code::BadArgument, name.span, message));
                return None;
            }
            let call = Call {
                function,
                args,
                place,
            };
            return check(self, &call, actions);
        }
        let name = &function.text;
        if super::aggregate::is_aggregate(name) {
            let message = format!("`{name}()` has nowhere to go");
            self.errors.push(
                Diagnostic::new(Code::MisplacedAggregate, place, message).help(into_a_map(name)),
            );
        } else {
            self.no_aggregate(function);
        }
        None
    }

    /// A function that does something stands where a value is needed.
    pub(super) fn no_value(&mut self, function: &Name) {
        let name = &function.text;
        let message = format!("`{name}()` does something and has no value");
        self.errors.push(
            Diagnostic::new(Code::NoValue, function.span, message)
                .help("make it a statement of its own, in a probe block"),
        );
    }

    /// `time("%H:%M:%S")`
    fn time(&mut self, call: &Call, actions: &mut Vec<Action>) -> Option<()> {
        let format = match call.args {
            [] => "%H:%M:%S\n".to_owned(),
            [format] => self.format(call, format)?,
            _ => return self.takes(call, "at most one format", "`time(\"%H:%M:%S \")`"),
        };
        self.tell(call.place, MessageKind::Time(format), Vec::new(), actions)
    }

    /// `print(@x)` and `print(@x, 10)`
    fn print(&mut self, call: &Call, actions: &mut Vec<Action>) -> Option<()> {
        let (map, top) = match call.args {
            [map] => (map, None),
            [map, top] => (map, Some(top)),
            [_, _, divisor] => {
                return self.refused(divisor.value.span, "a divisor in `print()` is");
            }
            _ => {
                return self.takes(
                    call,
                    "a map, and how many keys",
                    "`print(@x)` or `print(@x, 10)`",
                );
            }
        };
        if !matches!(&map.value.kind, ExprKind::Map(_)) {
            self.not_yet(map.value.span, "`print()` of anything but a whole map is");
            if let Some(error) = self.errors.last_mut() {
                error
                    .help
                    .push("use `printf(\"%d\\n\", …)`, or `print(@x)`".to_owned());
            }
            return None;
        }
        let map = self.whole(call, map);
        let top = match top {
            Some(top) => Some(self.top(top)?),
            None => None,
        };
        let kind = MessageKind::Print { map: map?.0, top };
        self.tell(call.place, kind, Vec::new(), actions)
    }

    fn top(&mut self, arg: &Arg) -> Option<usize> {
        if let Some(Constant::Number(Number {
            amount: Amount::Whole(top),
            ty: Type::Int,
        })) = self.constant(&arg.value)?
            && let Ok(top @ 1..) = usize::try_from(top)
        {
            return Some(top);
        }
        let message = "how many keys `print()` shows is a number that is known before the script runs: 1 or more";
        self.errors.push(
            Diagnostic::new(Code::NotConstant, arg.value.span, message)
                .help("such as `print(@x, 10)`, or a `param`"),
        );
        None
    }

    /// `clear(@x)`
    fn clear(&mut self, call: &Call, actions: &mut Vec<Action>) -> Option<()> {
        let map = self.only_map(call)?.0;
        self.tell(call.place, MessageKind::Clear { map }, Vec::new(), actions)
    }

    /// `zero(@x)`
    fn zero(&mut self, call: &Call, actions: &mut Vec<Action>) -> Option<()> {
        let map = self.only_map(call)?.0;
        self.tell(call.place, MessageKind::Zero { map }, Vec::new(), actions)
    }

    fn only_map(&mut self, call: &Call) -> Option<MapId> {
        let name = &call.function.text;
        match call.args {
            [map] => self.whole(call, map),
            _ => self.takes(call, "one map", &format!("`{name}(@x)`")),
        }
    }

    /// A map without keys, as an argument.
    fn whole(&mut self, call: &Call, arg: &Arg) -> Option<MapId> {
        let function = &call.function.text;
        if let ExprKind::Map(name) = &arg.value.kind {
            let map = self.map(name, arg.value.span)?;
            return self.filled(map, arg.value.span).map(|()| map);
        }
        let message = format!("`{function}()` takes a whole map");
        let error = Diagnostic::new(Code::BadArgument, arg.value.span, message);
        self.errors.push(match Self::place(&arg.value) {
            Some((name, _)) => error.help(format!(
                "write `{function}({name})`, or forget one key with `delete({name}[…])`"
            )),
            None => error.help(format!("such as `{function}(@x)`")),
        });
        None
    }

    /// `delete(@x[key])` and `delete(@x, key)`
    fn delete(&mut self, call: &Call, actions: &mut Vec<Action>) -> Option<()> {
        let (target, given): (&ast::Expr, &[ast::Expr]) = match call.args {
            [map] => (&map.value, &[]),
            [map, key] if matches!(map.value.kind, ExprKind::Map(_)) => {
                (&map.value, std::slice::from_ref(&key.value))
            }
            _ => {
                return self.takes(
                    call,
                    "one key of a map",
                    "`delete(@x[pid])` or `delete(@x, pid)`",
                );
            }
        };
        let Some((name, keys)) = Self::place(target) else {
            let error = Diagnostic::new(
                Code::BadArgument,
                target.span,
                "`delete()` takes a key of a map",
            );
            self.errors.push(error.help("such as `delete(@x[pid])`"));
            return None;
        };
        let map = self.map(name, target.span)?;
        let keys = if given.is_empty() { keys } else { given };
        let keys = self.keys(map, keys, target.span);
        self.filled(map, target.span)?;
        let keys = keys?;
        if self.is_aggregated(map) {
            return self.tell(
                call.place,
                MessageKind::Delete { map: map.0 },
                keys,
                actions,
            );
        }
        for key in &keys {
            self.spend(key, call.place);
        }
        let store = self.store(map);
        actions.push(Action::Delete { store, keys });
        Some(())
    }

    /// `exit()`: as in bpftrace nothing more happens in the block then.
    fn exit(&mut self, call: &Call, actions: &mut Vec<Action>) -> Option<()> {
        if !call.args.is_empty() {
            return self.takes(call, "no argument", "`exit()`");
        }
        self.tell(call.place, MessageKind::Exit, Vec::new(), actions)?;
        actions.push(Action::Return);
        Some(())
    }

    /// Tells user space.
    pub(super) fn tell(
        &mut self,
        place: Span,
        kind: MessageKind,
        values: Vec<Expr>,
        actions: &mut Vec<Action>,
    ) -> Option<()> {
        for value in &values {
            self.spend(value, place);
        }
        let room = |ty: Type| if ty == Type::Text { 2 } else { 1 };
        if values.iter().map(|value| room(value.ty)).sum::<usize>() > MAX_MESSAGE_VALUES {
            let message = format!("at most {MAX_MESSAGE_VALUES} values are printed at once");
            let error = Diagnostic::new(Code::TooLarge, place, message);
            self.errors
                .push(error.help("a text such as `comm` counts as two; use two statements"));
            return None;
        }
        let message = Message {
            kind,
            values: values.iter().map(|value| value.ty).collect(),
        };
        let known = self.messages.iter().position(|known| *known == message);
        let index = known.unwrap_or(self.messages.len());
        if index == MAX_MESSAGES {
            self.too_many(
                place,
                format!("a script prints at most {MAX_MESSAGES} different things"),
            );
        }
        if known.is_none() {
            self.messages.push(message);
        }
        actions.push(Action::Tell {
            message: MessageId(index),
            values,
        });
        Some(())
    }

    /// The text of a format.
    pub(super) fn format(&mut self, call: &Call, arg: &Arg) -> Option<String> {
        if let Some(Constant::Text(text)) = self.constant(&arg.value)? {
            return Some(text);
        }
        let name = &call.function.text;
        let message = format!(
            "the format of `{name}()` has to be a text that is known before the script runs"
        );
        self.errors.push(
            Diagnostic::new(Code::NotConstant, arg.value.span, message)
                .help("write it in quotes: `printf(\"%s %d\\n\", func, bytes)`"),
        );
        None
    }

    /// Reports that a function takes other arguments.
    pub(super) fn takes<T>(&mut self, call: &Call, takes: &str, example: &str) -> Option<T> {
        let message = format!("`{}()` takes {takes}", call.function.text);
        self.errors.push(
            Diagnostic::new(Code::ArgumentCount, call.place, message)
                .help(format!("write {example}")),
        );
        None
    }
}
