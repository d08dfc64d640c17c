//! Values of keys that a script names: for conditions over rows, look-ups of rows and baselines. A text
//! names a value as the table prints it.

use crate::ast;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::errno;
use crate::nearest::nearest;
use crate::plan::KeyValue;
use crate::span::Span;
use crate::types::{Enumeration, Type};
use crate::wasi::Function;

use super::Checker;
use super::comparison::unfit_text;
use super::param::Constant;
use super::probe::no_function;
use super::typing::a;

impl Checker<'_> {
    /// The text that an expression is, written out or as a parameter.
    pub(super) fn text_of(&self, expr: &ast::Expr) -> Option<String> {
        match &expr.kind {
            ast::ExprKind::Text(text) => Some(text.clone()),
            ast::ExprKind::Name(name) => match self.params.value(name)? {
                Constant::Text(text) => Some(text.clone()),
                Constant::Number(_) => None,
            },
            ast::ExprKind::Positional(name) => Some(self.positional_text(name)),
            ast::ExprKind::Call { function, args } if function.text == "str" => match &args[..] {
                [ast::Arg { value, .. }] if matches!(value.kind, ast::ExprKind::Positional(_)) => {
                    self.text_of(value)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The value of a key of this type that a text names.
    pub(super) fn key_named(&mut self, text: &str, ty: Type, place: Span) -> Option<KeyValue> {
        let error = match ty {
            Type::Enum(Enumeration::Func) => match Function::named(text) {
                Some(function) => return Some(KeyValue::Number(function.index() as i64)),
                None => no_function(place, text, ""),
            },
            Type::Enum(Enumeration::Runtime) => {
                let name = text.split_once(' ').map_or(text, |(name, _)| name);
                if self.environment.runtimes.contains(&name) {
                    return Some(KeyValue::Text(text.to_owned()));
                }
                self.no_runtime(place, name)
            }
            Type::Enum(Enumeration::Errno) => {
                match errno::number(text).or_else(|| errno::number(&format!("E{text}"))) {
                    Some(number) => return Some(KeyValue::Number(number)),
                    None => no_errno(place, text),
                }
            }
            Type::Enum(Enumeration::Module) => return Some(KeyValue::Text(text.to_owned())),
            Type::Text(room) => match unfit_text(text, room, place) {
                Some(error) => error,
                None => return Some(KeyValue::Text(text.to_owned())),
            },
            Type::Bool => match text {
                "yes" => return Some(KeyValue::Number(1)),
                "no" => return Some(KeyValue::Number(0)),
                _ => Diagnostic::new(Code::MixedTypes, place, "a condition is `yes` or `no`"),
            },
            _ => {
                let message = format!("{} and a text cannot be compared", a(ty));
                Diagnostic::new(Code::MixedTypes, place, message).label("this is a text")
            }
        };
        self.errors.push(error);
        None
    }
}

fn no_errno(place: Span, name: &str) -> Diagnostic {
    let error = Diagnostic::new(
        Code::UnknownErrno,
        place,
        format!("no WASI error number is called `{name}`"),
    );
    match nearest(name, errno::ERRNO.iter().copied()) {
        Some(near) => error.label(format!("did you mean `{near}`?")),
        None => error,
    }
}
