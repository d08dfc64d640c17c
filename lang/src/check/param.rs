//! Parameters: what the script declares and what the command line sets.

use crate::ast::{self, Amount, ExprKind, Item, Number, Script, UnaryOp};
use crate::builtin::{BUILTINS, OTHER_VALUES};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::errno;
use crate::nearest::nearest;
use crate::parse::is_reserved;
use crate::parse::literal;
use crate::span::Span;
use crate::types::Type;
use crate::wasi::Function;

use super::MAX_PARAMS;
use super::elsewhere::WASI_CALLS;
use super::typing::a;

/// A parameter as users see it: an option of the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    /// The name, without dashes.
    pub name: String,
    /// The type of its default, and of every value.
    pub ty: Type,
    /// The default as it is written in the script.
    pub default: String,
    /// What it is for; empty if the script does not say.
    pub doc: String,
}

/// A value that is known before the script runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Constant {
    /// A number, a time or a size.
    Number(Number),
    /// A text.
    Text(String),
}

impl Constant {
    pub(super) fn ty(&self) -> Type {
        match self {
            Constant::Number(number) => number.ty,
            Constant::Text(text) => Type::of_text(text),
        }
    }

    /// The value of a literal, or of one with a minus before it.
    pub(super) fn literal(expr: &ast::Expr) -> Option<Constant> {
        match &expr.kind {
            ExprKind::Number(number) => Some(Constant::Number(*number)),
            ExprKind::Text(text) => Some(Constant::Text(text.clone())),
            ExprKind::Unary(UnaryOp::Negate, inner) => match &inner.kind {
                ExprKind::Number(number) => Some(Constant::Number(negated(*number))),
                _ => None,
            },
            _ => None,
        }
    }
}

pub(super) fn negated(number: Number) -> Number {
    let amount = match number.amount {
        Amount::Whole(value) => Amount::Whole(value.wrapping_neg()),
        Amount::Fraction(value) => Amount::Fraction(-value),
    };
    // The smallest signed number is written as one that is unsigned without its minus.
    let ty = match number.ty {
        Type::Unsigned if number.amount == Amount::Whole(i64::MIN) => Type::Int,
        ty => ty,
    };
    Number { amount, ty }
}

struct Known {
    param: Param,
    value: Constant,
    place: Span,
    default_place: Span,
}

/// The parameters of a script and their values.
pub(crate) struct Params(Vec<Known>);

impl Params {
    /// What the script declares.
    pub(crate) fn declared(script: &Script, errors: &mut Vec<Diagnostic>) -> Params {
        let mut known: Vec<Known> = Vec::new();
        for item in &script.items {
            let Item::Param(param) = item else {
                continue;
            };
            if known.len() == MAX_PARAMS {
                let message = format!("a script has at most {MAX_PARAMS} parameters");
                errors.push(
                    Diagnostic::new(Code::TooLarge, param.name.span, message)
                        .label("this is one too many"),
                );
                break;
            }
            if let Some(reason) = reserved(&param.name.text) {
                let message = format!("a parameter cannot be called `{}`", param.name.text);
                errors
                    .push(Diagnostic::new(Code::Reserved, param.name.span, message).label(reason));
            }
            if let Some(first) = known
                .iter()
                .find(|known| known.param.name == param.name.text)
            {
                let message = format!("the parameter `{}` is declared twice", param.name.text);
                errors.push(
                    Diagnostic::new(Code::Duplicate, param.name.span, message)
                        .also(first.place, "first here"),
                );
                continue;
            }
            let value = Constant::literal(&param.default).unwrap_or_else(|| {
                let message =
                    "the default of a parameter has to be a number, a time, a size or a text";
                let error = Diagnostic::new(Code::NotConstant, param.default.span, message);
                errors.push(
                    error
                        .label("this is something else")
                        .help("such as `10`, `-1`, `10us`, `4KiB` or `\"text\"`"),
                );
                Constant::Number(Number {
                    amount: Amount::Whole(0),
                    ty: Type::Int,
                })
            });
            let doc = param
                .doc
                .as_ref()
                .map(|doc| doc.value.clone())
                .unwrap_or_default();
            let declared = Param {
                name: param.name.text.clone(),
                ty: value.ty(),
                default: param.text.clone(),
                doc,
            };
            known.push(Known {
                param: declared,
                value,
                place: param.name.span,
                default_place: param.default.span,
            });
        }
        Params(known)
    }

    /// Takes the values that the command line gives; of several for one parameter the last.
    pub(super) fn set(&mut self, args: &[(String, String)], errors: &mut Vec<Diagnostic>) {
        for (name, text) in args {
            match self.0.iter_mut().find(|known| known.param.name == *name) {
                Some(known) => match value(text, known) {
                    Ok(value) => known.value = value,
                    Err(error) => errors.push(*error),
                },
                None => errors.push(self.unknown(name)),
            }
        }
    }

    fn unknown(&self, name: &str) -> Diagnostic {
        let error = Diagnostic::without_place(
            Code::UnknownParam,
            format!("the script has no parameter `--{name}`"),
        );
        match nearest(name, self.names()) {
            Some(near) => error.help(format!("did you mean `--{near}`?")),
            None if self.0.is_empty() => error.help("it has no parameters at all"),
            None => {
                let names: Vec<String> = self.names().map(|name| format!("`--{name}`")).collect();
                error.help(format!("its parameters are {}", names.join(", ")))
            }
        }
    }

    pub(super) fn value(&self, name: &str) -> Option<&Constant> {
        self.0
            .iter()
            .find(|known| known.param.name == name)
            .map(|known| &known.value)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|known| known.param.name.as_str())
    }

    /// The names and where they are declared.
    pub(super) fn places(&self) -> Vec<(String, Span)> {
        self.0
            .iter()
            .map(|known| (known.param.name.clone(), known.place))
            .collect()
    }

    /// The parameters as users see them.
    pub(crate) fn into_params(self) -> Vec<Param> {
        self.0.into_iter().map(|known| known.param).collect()
    }
}

/// What a name means already.
fn reserved(name: &str) -> Option<&'static str> {
    if BUILTINS.iter().any(|builtin| builtin.name == name)
        || OTHER_VALUES.contains(&name)
        || name == WASI_CALLS
    {
        Some("this is a builtin")
    } else if Function::named(name).is_some() {
        Some("this is a WASI function")
    } else if errno::number(name).is_some() {
        Some("this is a WASI error number")
    } else if is_reserved(name) {
        Some("this is a word of the language")
    } else if name == "help" {
        Some("`--help` shows the parameters")
    } else {
        None
    }
}

/// The value that a text of the command line stands for.
fn value(text: &str, known: &Known) -> Result<Constant, Box<Diagnostic>> {
    let Param {
        name, ty, default, ..
    } = &known.param;
    if ty.is_text() {
        return Ok(Constant::Text(text.to_owned()));
    }
    let error = |message: String| {
        Diagnostic::new(Code::BadParamValue, known.default_place, message)
            .label(format!("the default makes `{name}` {}", a(*ty)))
    };
    let digits = text.strip_prefix('-').unwrap_or(text);
    let number = literal::number(digits).map_err(|bad| {
        let mut error = error(format!("the value of `--{name}` is wrong: {}", bad.message));
        error.help.extend(
            bad.help
                .or_else(|| Some(format!("write it as in the script, such as `{default}`"))),
        );
        Box::new(error)
    })?;
    let zero = number.amount == Amount::Whole(0) && number.ty == Type::Int;
    let unsigned = *ty == Type::Unsigned && number.ty == Type::Int && digits == text;
    let number = if zero || unsigned {
        Number { ty: *ty, ..number }
    } else {
        number
    };
    if number.ty != *ty {
        let error = error(format!(
            "`--{name}` takes {}, and `{text}` is {}",
            a(*ty),
            a(number.ty)
        ));
        return Err(Box::new(match (ty, number.ty) {
            (Type::Time, Type::Int) => error.help(format!("write `{text}us` or `{text}ms`")),
            (Type::Size, Type::Int) => error.help(format!("write `{text}B` or `{text}KiB`")),
            _ => error,
        }));
    }
    Ok(Constant::Number(if digits.len() < text.len() {
        negated(number)
    } else {
        number
    }))
}
