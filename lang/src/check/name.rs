//! What a name stands for.

use crate::ast::{self, Arg, Name};
use crate::builtin::{self, BUILTINS, Builtin, Events, OTHER_VALUES};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::errno;
use crate::linux;
use crate::nearest::nearest;
use crate::plan::{Expr, ExprKind};
use crate::span::Span;
use crate::types::{Enumeration, Type};

use super::Checker;
use super::aggregate;
use super::function;
use super::param::Constant;
use super::value::{Position, Value};

/// What a name stands for.
pub(super) enum Meaning {
    /// A value of each call.
    Builtin(&'static Builtin),
    /// A parameter's value.
    Constant(Constant),
    /// A WASI error number.
    Errno(i64),
    /// A value that is no field of the event's record.
    Value(Expr),
}

impl Checker<'_> {
    /// What a name in an expression stands for.
    pub(super) fn resolve(&mut self, name: &str, place: Span) -> Option<Meaning> {
        if let Some(value) = self.params.value(name) {
            return Some(Meaning::Constant(value.clone()));
        }
        let name = if name == "runtime_version" {
            "runtime"
        } else {
            name
        };
        if let Some(builtin) = builtin::builtin_at(name, self.here()) {
            return Some(Meaning::Builtin(builtin));
        }
        if let Some(value) = self.around(name, place) {
            return value.map(Meaning::Value);
        }
        if let Some(meaning) = self.error_number(name) {
            return Some(meaning);
        }
        if BUILTINS.iter().any(|builtin| builtin.name == name) || is_argument(name) {
            self.not_here(name, place);
            return None;
        }
        let error = if is_other(name) {
            let hint = match name {
                "args" => "name one of them: `args.fd`, `args.filename`",
                _ => "it stands in checks: `check \"nothing lost\" lost == 0;`",
            };
            self.not_yet_but(place, &format!("`{name}` here is"), hint);
            return None;
        } else if let Some(hint) = super::refuse::left_out(name) {
            self.not_in_language(place, &format!("`{name}` is"), hint);
            return None;
        } else if aggregate::is_function(name) {
            Diagnostic::new(Code::UnknownName, place, format!("`{name}` is a function"))
                .help(format!("write `{name}(…)`"))
        } else if looks_like_errno(name) {
            let names: Vec<String> = errno::ERRNO
                .iter()
                .map(|known| format!("E{known}"))
                .collect();
            let error = Diagnostic::new(
                Code::UnknownErrno,
                place,
                format!("no WASI error number is called `{name}`"),
            );
            did_you_mean(error, name, names.iter().map(String::as_str))
        } else {
            let error = Diagnostic::new(
                Code::UnknownName,
                place,
                format!("nothing is called `{name}`"),
            );
            let known = self
                .params
                .names()
                .chain(BUILTINS.iter().map(|builtin| builtin.name))
                .chain(OTHER_VALUES.iter().copied())
                .filter(|known| !known.is_empty());
            let error = did_you_mean(error, name, known);
            if is_constant_of_c(name) {
                error.help("constants of C headers are not known: write the number")
            } else {
                error
            }
        };
        self.errors.push(error);
        None
    }

    /// A value that is written like a function: `pid()`, and `pid(init)` as the first name space of processes has it.
    /// None if it is none.
    pub(super) fn called_value(
        &mut self,
        called: &Name,
        args: &[Arg],
        place: Span,
    ) -> Option<Option<Value>> {
        let name = called.text.as_str();
        if !BUILTINS.iter().any(|builtin| builtin.name == name) && !is_other(name) {
            return None;
        }
        let space = match args {
            [] => "",
            [Arg { name: None, value }] => match &value.kind {
                ast::ExprKind::Name(space) if matches!(name, "pid" | "tid") => space.as_str(),
                _ => return None,
            },
            _ => return None,
        };
        match space {
            "" | "init" => {
                let value = ast::Expr {
                    kind: ast::ExprKind::Name(name.to_owned()),
                    span: place,
                };
                Some(self.value(&value, Position::Statement))
            }
            "curr_ns" => {
                let hint = format!("`{name}` is the number in the first name space of processes");
                self.not_in_language(place, &format!("`{name}(curr_ns)` is"), &hint);
                Some(None)
            }
            _ => None,
        }
    }

    /// The error number of this name: that of Linux where there is a system call or a raw probe.
    fn error_number(&self, name: &str) -> Option<Meaning> {
        let events = self.here();
        if events != Events::SYSCALL && events != Events::RAW {
            return errno::number(name).map(Meaning::Errno);
        }
        let number = linux::errno_number(name)?;
        Some(Meaning::Value(Expr {
            kind: ExprKind::Const(number),
            ty: Type::Enum(Enumeration::LinuxErrno),
        }))
    }

    /// The error of a call that is no aggregate where only aggregates are of use.
    pub(super) fn no_aggregate(&mut self, called: &Name) {
        let name = &called.text;
        if function::names().any(|known| known == name) {
            self.no_value(called);
        } else if let Some(hint) = super::refuse::left_out(name) {
            self.not_in_language(called.span, &format!("`{name}()` is"), hint);
        } else if BUILTINS.iter().any(|builtin| builtin.name == name) || is_other(name) {
            let message = format!("`{name}` is a value, not a function");
            self.errors.push(
                Diagnostic::new(Code::UnknownFunction, called.span, message)
                    .help(format!("write `{name}`")),
            );
        } else {
            let error = Diagnostic::new(
                Code::UnknownFunction,
                called.span,
                format!("no function is called `{name}`"),
            );
            let mut known: Vec<&str> = aggregate::function_names().collect();
            known.extend(self.defined.iter().map(String::as_str));
            self.errors.push(did_you_mean(error, name, known));
        }
    }
}

/// Whether it is an argument by its number: `arg0`, and `sarg0` on the stack.
pub(super) fn is_argument(name: &str) -> bool {
    argument(name, "arg")
        .or_else(|| argument(name, "sarg"))
        .is_some()
}

/// The number of an argument whose name begins like this.
pub(super) fn argument(name: &str, kind: &str) -> Option<u16> {
    let digits = name.strip_prefix(kind)?;
    let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// Whether it names a value that is no field of a record.
fn is_other(name: &str) -> bool {
    OTHER_VALUES.contains(&name)
}

/// Whether a name looks like a constant of a C header: `AF_INET`, `TASK_RUNNING`.
fn is_constant_of_c(name: &str) -> bool {
    name.contains('_')
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// Whether a name can only be meant as a WASI error number.
pub(super) fn looks_like_errno(name: &str) -> bool {
    name.len() > 2
        && name.starts_with('E')
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// Adds the closest of the known names.
pub(super) fn did_you_mean<'a>(
    error: Diagnostic,
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    match nearest(name, known) {
        Some(near) => error.label(format!("did you mean `{near}`?")),
        None => error,
    }
}
