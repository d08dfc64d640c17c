//! `args.NAME`: the arguments of WASI calls and system calls under their names.

use crate::ast::{self, Name};
use crate::builtin::{self, Events};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::linux;
use crate::plan::{BinaryOp, Event, Expr, ExprKind, Syscalls};
use crate::span::Span;
use crate::types::{Enumeration, Space, Type};
use crate::wasi::{Function, FunctionSet};

use super::Checker;
use super::name::did_you_mean;
use super::raw::number_in;
use super::value::{Value, is_args};

/// The offset of the first argument in the record of a system call's tracepoint; each takes a word.
const FIRST: u16 = 16;

/// Whose arguments there are.
#[derive(Debug, Clone, Default)]
pub(super) struct Called {
    functions: FunctionSet,
    syscalls: Vec<u16>,
}

impl Checker<'_> {
    /// Says which event the expressions from here on stand at.
    pub(super) fn stand_at(&mut self, event: &Event) {
        self.called = Called::default();
        match event {
            Event::Wasi(probes) | Event::WasiEnter(probes) => {
                self.called.functions = probes
                    .iter()
                    .fold(FunctionSet::EMPTY, |all, probe| all.union(probe.functions));
            }
            Event::Syscall(Syscalls::Numbers(numbers)) => self.called.syscalls.clone_from(numbers),
            _ => {}
        }
    }

    /// `args.NAME`, or a part of a tuple.
    pub(super) fn field_value(
        &mut self,
        expr: &ast::Expr,
        of: &ast::Expr,
        field: &Name,
    ) -> Option<Value> {
        if is_args(of) {
            return self.argument_named(field, expr.span);
        }
        let is_number = field.text.chars().all(|c| c.is_ascii_digit());
        if is_number && self.scope.is_some() {
            return self.single(expr);
        }
        let message = format!("`.{}` is", field.text);
        let hint = "a script needs no C types: values come as builtins with names and types";
        self.not_in_language(expr.span, &message, hint);
        None
    }

    /// `args.NAME`
    pub(super) fn argument_named(&mut self, name: &Name, place: Span) -> Option<Value> {
        match self.here() {
            Events::CALL | Events::ENTER => self.wasi_argument(name, place),
            Events::SYSCALL => self.syscall_argument(name, place),
            Events::RAW => self.raw_field(name, place),
            _ => {
                self.not_here("args", place);
                None
            }
        }
    }

    fn wasi_argument(&mut self, name: &Name, place: Span) -> Option<Value> {
        let functions: Vec<Function> = if self.called.functions.is_empty() {
            Function::all().collect()
        } else {
            self.called.functions.iter().collect()
        };
        let index = |function: &Function| {
            let mut args = function.args().iter();
            args.position(|arg| arg.name.trim_end_matches('_') == name.text)
        };
        let known: Vec<(Function, Option<usize>)> = functions
            .iter()
            .map(|function| (*function, index(function)))
            .collect();
        if known.iter().all(|(_, index)| index.is_none()) {
            let message = match functions.as_slice() {
                [function] => format!("`{function}` has no argument `{}`", name.text),
                _ => format!(
                    "none of these WASI functions has an argument `{}`",
                    name.text
                ),
            };
            let error = Diagnostic::new(Code::UnknownArgument, name.span, message);
            let mut names: Vec<&str> = Vec::new();
            for arg in functions.iter().flat_map(|function| function.args()) {
                if !names.contains(&arg.name) {
                    names.push(arg.name);
                }
            }
            let error = did_you_mean(error, &name.text, names.iter().copied());
            self.errors.push(match functions.as_slice() {
                [function] if names.is_empty() => error.help(format!("`{function}` has none")),
                [_] => error.help(format!("it has {}", names.join(", "))),
                _ => error,
            });
            return None;
        }
        let Expr { kind, ty } = chosen(known);
        Some(Value::new(kind, ty, place))
    }

    /// An argument of the one or several system calls that the event is.
    fn syscall_argument(&mut self, name: &Name, place: Span) -> Option<Value> {
        let Some(host) = self.environment.host else {
            return self.refused(place, "`args` without the kernel's list of tracepoints is");
        };
        if self.called.syscalls.is_empty() {
            let message = "different system calls have different arguments";
            self.errors.push(
                Diagnostic::new(Code::UnknownArgument, place, message)
                    .help("name the system call in the probe, such as `syscall:write`, or use `arg0` to `arg5`"),
            );
            return None;
        }
        let mut found: Option<(u16, u8, bool)> = None;
        for number in self.called.syscalls.clone() {
            let syscall = linux::syscall_name(i64::from(number)).unwrap_or_default();
            let fields = match host.fields("syscalls", &format!("sys_enter_{syscall}")) {
                Ok(fields) => fields,
                Err(error) => {
                    let message = format!("cannot look up the arguments of `{syscall}`: {error}");
                    self.errors.push(
                        Diagnostic::new(Code::UnknownArgument, place, message)
                            .help("use `arg0` to `arg5`"),
                    );
                    return None;
                }
            };
            let arguments = fields.iter().filter(|field| field.offset >= FIRST);
            let Some(field) = arguments.clone().find(|field| field.name == name.text) else {
                let message = format!("`{syscall}` has no argument `{}`", name.text);
                let error = Diagnostic::new(Code::UnknownArgument, name.span, message);
                let names: Vec<&str> = arguments.map(|field| field.name.as_str()).collect();
                let error = did_you_mean(error, &name.text, names.iter().copied());
                self.errors.push(if names.is_empty() {
                    error.help(format!("`{syscall}` has none"))
                } else {
                    error.help(format!("it has {}", names.join(", ")))
                });
                return None;
            };
            let (bytes, signed) = number_in(field);
            let this = ((field.offset - FIRST) / 8, bytes, signed);
            if found.is_some_and(|found| found != this) {
                let message = format!(
                    "`{}` is not the same argument of these system calls",
                    name.text
                );
                self.errors.push(
                    Diagnostic::new(Code::UnknownArgument, name.span, message)
                        .help("write one block for each, or use `arg0` to `arg5`"),
                );
                return None;
            }
            found = Some(this);
        }
        let (index, bytes, signed) = found?;
        let argument = argument(usize::from(index));
        let ty = if signed { Type::Int } else { Type::Unsigned };
        let kind = ExprKind::Cast {
            value: Box::new(argument),
            bytes,
            signed,
        };
        Some(Value::new(kind, ty, place))
    }
}

fn argument(index: usize) -> Expr {
    let builtin = builtin::field(&format!("arg{index}"));
    Expr {
        kind: ExprKind::Builtin(builtin),
        ty: builtin.ty,
    }
}

/// The argument of each function; what most functions have stands last and needs no comparison.
fn chosen(known: Vec<(Function, Option<usize>)>) -> Expr {
    let mut groups: Vec<(Option<usize>, Vec<Function>)> = Vec::new();
    for (function, index) in known {
        match groups.iter_mut().find(|(known, _)| *known == index) {
            Some((_, functions)) => functions.push(function),
            None => groups.push((index, vec![function])),
        }
    }
    groups.sort_by_key(|(_, functions)| functions.len());
    let value = |index: Option<usize>| index.map_or_else(none, argument);
    let last = groups.pop().map_or_else(none, |(index, _)| value(index));
    groups
        .into_iter()
        .fold(last, |otherwise, (index, functions)| Expr {
            kind: ExprKind::Choose {
                condition: Box::new(one_of(functions)),
                then: Box::new(value(index)),
                otherwise: Box::new(otherwise),
            },
            ty: Type::Int,
        })
}

/// Whether the call is one of these.
fn one_of(functions: Vec<Function>) -> Expr {
    let condition = |kind| Expr {
        kind,
        ty: Type::Bool,
    };
    let ty = Type::Enum(Enumeration::Func);
    let is = |function: Function| {
        let func = Expr {
            kind: ExprKind::Builtin(builtin::field("func")),
            ty,
        };
        let this = Expr {
            kind: ExprKind::Const(function.index() as i64),
            ty,
        };
        condition(ExprKind::Binary(
            BinaryOp::Eq,
            Box::new(func),
            Box::new(this),
        ))
    };
    functions
        .into_iter()
        .map(is)
        .reduce(|one, other| {
            condition(ExprKind::Binary(
                BinaryOp::Or,
                Box::new(one),
                Box::new(other),
            ))
        })
        .unwrap_or_else(|| condition(ExprKind::Const(0)))
}

/// A number that is none: what is at the address 0.
fn none() -> Expr {
    let address = Expr {
        kind: ExprKind::Const(0),
        ty: Type::Unsigned,
    };
    Expr {
        kind: ExprKind::Read {
            address: Box::new(address),
            size: 8,
            signed: true,
            space: Space::User,
        },
        ty: Type::Int,
    }
}
