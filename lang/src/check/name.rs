//! What a name stands for.

use crate::ast::Name;
use crate::builtin::{self, BUILTINS, Builtin, PLANNED};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::errno;
use crate::nearest::nearest;
use crate::span::Span;

use super::Checker;
use super::aggregate;
use super::function;
use super::param::Constant;

/// What a name stands for.
pub(super) enum Meaning {
    /// A value of each call.
    Builtin(&'static Builtin),
    /// A parameter's value.
    Constant(Constant),
    /// A WASI error number.
    Errno(i64),
}

impl Checker<'_> {
    /// What a name in an expression stands for.
    pub(super) fn resolve(&mut self, name: &str, place: Span) -> Option<Meaning> {
        if let Some(value) = self.params.value(name) {
            return Some(Meaning::Constant(value.clone()));
        }
        if let Some(builtin) = builtin::builtin(name) {
            return Some(Meaning::Builtin(builtin));
        }
        if let Some(number) = errno::number(name) {
            return Some(Meaning::Errno(number));
        }
        let error = if is_planned(name) {
            return self.refused(place, &format!("`{name}` is"));
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
                .chain(PLANNED.iter().copied());
            did_you_mean(error, name, known)
        };
        self.errors.push(error);
        None
    }

    /// The error of a call that is no aggregate where only aggregates are of use.
    pub(super) fn no_aggregate(&mut self, called: &Name) {
        let name = &called.text;
        if function::names().any(|known| known == name) {
            self.no_value(called);
        } else if aggregate::PLANNED_FUNCTIONS.contains(&name.as_str()) {
            self.not_yet(called.span, &format!("`{name}()` is"));
        } else if let Some(hint) = super::refuse::left_out(name) {
            self.not_in_language(called.span, &format!("`{name}()` is"), hint);
        } else if builtin::builtin(name).is_some() || is_planned(name) {
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
            self.errors
                .push(did_you_mean(error, name, aggregate::function_names()));
        }
    }
}

fn is_planned(name: &str) -> bool {
    let raw_argument = name
        .strip_prefix("arg")
        .is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()));
    PLANNED.contains(&name) || raw_argument
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
