//! The functions that do something: each is a statement of its own.

use crate::ast::{Amount, Arg, Name, Number};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Action, Expr, Message, MessageId, MessageKind};
use crate::span::Span;
use crate::types::Type;

use super::param::Constant;
use super::value::Position;
use super::{Checker, MAX_MESSAGE, MAX_MESSAGES};

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
    ("tabulate", |checker, call, actions| {
        checker.tabulate(call, actions)
    }),
    ("join", |checker, call, actions| checker.join(call, actions)),
    ("cat", |checker, call, actions| checker.cat(call, actions)),
    ("system", |checker, call, actions| {
        checker.system(call, actions)
    }),
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
            if function.text != "tabulate"
                && let Some(name) = args.iter().find_map(|arg| arg.name.as_ref())
            {
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
        } else if self
            .function_value(function, args, place, Position::Statement)
            .is_some()
        {
            let message = format!("`{name}()` has a value, and nothing is done with it");
            self.errors.push(
                Diagnostic::new(Code::NoEffect, place, message)
                    .help("keep it, `$x = …`, or print it: `print(…)`"),
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
        let error = Diagnostic::new(Code::NoValue, function.span, message)
            .help("make it a statement of its own, in a probe block");
        self.errors.push(match name.as_str() {
            "delete" => error.help("whether there is such a key says `has_key(@x, key)`, before"),
            _ => error,
        });
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

    /// `exit()`: as in bpftrace nothing more happens in the block then.
    fn exit(&mut self, call: &Call, actions: &mut Vec<Action>) -> Option<()> {
        let code = match call.args {
            [] => 0,
            [code] => match self.constant(&code.value)? {
                Some(Constant::Number(Number {
                    amount: Amount::Whole(code),
                    ty: Type::Int,
                })) if u8::try_from(code).is_ok() => u8::try_from(code).unwrap_or_default(),
                _ => {
                    let message = "an exit code is a number from 0 to 255 that is known before the script runs";
                    self.errors
                        .push(Diagnostic::new(Code::NotConstant, code.value.span, message));
                    return None;
                }
            },
            _ => return self.takes(call, "at most an exit code", "`exit()` or `exit(1)`"),
        };
        self.tell(call.place, MessageKind::Exit(code), Vec::new(), actions)?;
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
        let types = values.iter().map(|value| value.ty).collect();
        self.tell_as(place, kind, values, types, actions)
    }

    /// Tells user space values as ones of these types: texts may have more room there.
    pub(super) fn tell_as(
        &mut self,
        place: Span,
        kind: MessageKind,
        values: Vec<Expr>,
        types: Vec<Type>,
        actions: &mut Vec<Action>,
    ) -> Option<()> {
        for value in &values {
            self.spend(value, place);
        }
        let is_join = matches!(kind, MessageKind::Join(_));
        if !is_join && types.iter().map(|ty| ty.size()).sum::<usize>() > MAX_MESSAGE {
            let message = format!("at most {MAX_MESSAGE} bytes are printed at once");
            let error = Diagnostic::new(Code::TooLarge, place, message);
            self.errors.push(error.help("use two statements"));
            return None;
        }
        let message = Message {
            kind,
            values: types,
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
            Diagnostic::new(Code::NotConstant, arg.value.span, message).help(match name.as_str() {
                "time" => "write it in quotes: `time(\"%H:%M:%S\\n\")`",
                "cat" => "write it in quotes: `cat(\"/proc/%d/maps\", pid)`",
                "system" => "write it in quotes: `system(\"ps -p %d\", pid)`",
                "join" => "write it in quotes: `join(args.argv, \",\")`",
                _ => "write it in quotes: `printf(\"%s %d\\n\", func, bytes)`",
            }),
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
