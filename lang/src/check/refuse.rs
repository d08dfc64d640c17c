//! What is refused by name: the parts of the language that are still to come, and what bpftrace has
//! and this language leaves out.

use crate::ast::{Expr, ExprKind, Foreign, UnaryOp};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::span::Span;

use super::Checker;

/// Why there are no types of C.
const NO_TYPES: &str = "a script needs no C types: values come as builtins with names and types";

/// Functions of bpftrace that this language leaves out, and what to do instead.
const LEFT_OUT: &[(&str, &str)] = &[
    ("cgroupid", "a script does not look at cgroups by path"),
    ("kaddr", "a script does not read the kernel's memory"),
    ("kptr", "a script does not read the kernel's memory"),
    ("macaddr", "a script does not see network packets"),
    ("ntop", "a script does not see network packets"),
    ("offsetof", NO_TYPES),
    ("sizeof", NO_TYPES),
    (
        "override",
        "a script only watches; it never changes what a program does",
    ),
    ("reg", "arguments have names: `args.fd`"),
    (
        "signal",
        "a script only watches; it never changes what a program does",
    ),
    ("uaddr", "a script does not read the program's memory"),
    ("uptr", "a script does not read the program's memory"),
];

/// What to do instead of a function of bpftrace that is left out.
pub(super) fn left_out(name: &str) -> Option<&'static str> {
    LEFT_OUT
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, hint)| *hint)
}

impl Checker<'_> {
    /// Refuses a part of the language that is still to come. `what` ends in its verb: "`having` is".
    pub(super) fn not_yet(&mut self, place: Span, what: &str) {
        let message = format!("{what} part of the language, but this version does not run it yet");
        self.errors
            .push(Diagnostic::new(Code::NotYet, place, message));
    }

    /// The same, with what does instead.
    pub(super) fn not_yet_but(&mut self, place: Span, what: &str, hint: &str) {
        self.not_yet(place, what);
        if let Some(error) = self.errors.last_mut() {
            error.help.push(hint.to_owned());
        }
    }

    /// The same, as the result of a check.
    pub(super) fn refused<T>(&mut self, place: Span, what: &str) -> Option<T> {
        self.not_yet(place, what);
        None
    }

    /// Refuses what bpftrace has and this language leaves out.
    pub(super) fn not_in_language(&mut self, place: Span, what: &str, hint: &str) {
        let message = format!("{what} bpftrace's, and this language leaves it out");
        self.errors
            .push(Diagnostic::new(Code::NotInLanguage, place, message).help(hint));
    }

    pub(super) fn foreign(&mut self, foreign: &Foreign) {
        let hint = match foreign.word.as_str() {
            "fn" => "statements that are used again are a `macro`",
            "let" => "a map needs no declaration: what is put into it decides what it is",
            word if word.starts_with('#') => {
                "there is no C preprocessor; another script's macros come with `import \"lib.ewq\"`"
            }
            _ => NO_TYPES,
        };
        self.not_in_language(foreign.span, &format!("`{}` is", foreign.word), hint);
    }

    /// Refuses an expression of a kind that no value of a call and no column can have yet.
    pub(super) fn refuse_expr<T>(&mut self, expr: &Expr) -> Option<T> {
        const NO_POINTERS: &str =
            "a script does not follow pointers: values come as builtins with names and types";
        let place = expr.span;
        match &expr.kind {
            ExprKind::Variable(name) => self.not_yet(place, &format!("the variable `{name}` is")),
            ExprKind::Map(name) => self.not_yet(place, &format!("the map `{name}` is")),
            ExprKind::Positional(name) => self.not_yet(place, &format!("`{name}` is")),
            ExprKind::Ternary(..) => self.not_yet(place, "`? :` is"),
            ExprKind::Index(..) => self.not_yet(place, "looking something up with `[ ]` is"),
            ExprKind::Slice(..) => self.not_yet(place, "a part of a text with `[ : ]` is"),
            ExprKind::Field(of, field) => match &of.kind {
                ExprKind::Name(name) => self.not_yet(place, &format!("`{name}.{}` is", field.text)),
                _ => self.not_yet(place, &format!("`.{}` is", field.text)),
            },
            ExprKind::Step { up, .. } => {
                self.not_yet(place, if *up { "`++` is" } else { "`--` is" })
            }
            ExprKind::Tuple(_) => self.not_yet(place, "a tuple in `( , )` is"),
            ExprKind::Cast(ty, _) if ty.text.contains(' ') => {
                self.not_in_language(place, &format!("a cast to `{}` is", ty.text), NO_POINTERS);
            }
            ExprKind::Cast(ty, _) => self.not_yet(place, &format!("a cast to `{}` is", ty.text)),
            ExprKind::Arrow(..) => self.not_in_language(place, "`->` is", NO_POINTERS),
            ExprKind::Unary(UnaryOp::Deref, _) => {
                self.not_in_language(place, "`*` before a value is", NO_POINTERS)
            }
            ExprKind::Unary(UnaryOp::Address, _) => {
                self.not_in_language(place, "`&` before a value is", NO_POINTERS)
            }
            ExprKind::Unary(UnaryOp::BitNot, _) => self.not_yet(place, "`~` is"),
            ExprKind::Binary(op, ..) => self.not_yet(place, &format!("`{}` is", op.text())),
            _ => self.not_yet(place, "this kind of expression is"),
        }
        None
    }
}
