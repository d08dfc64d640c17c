//! What raw probes give: registers, arguments, the fields of tracepoints.

use crate::ast::{self, Name};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::host::{Field, RETURNED, UsdtArgument, UsdtPlace};
use crate::plan::{BinaryOp, Expr, ExprKind, RawKind};
use crate::span::Span;
use crate::types::{Space, Type};

use super::Checker;
use super::context::{Context, RawContext};
use super::name::did_you_mean;
use super::value::Value;

/// The registers that the first arguments of a function are in, as offsets in `struct pt_regs`.
const ARGUMENTS: &[u16] = &[112, 104, 96, 88, 72, 64];

/// The offset of the register with the result.
const RESULT: u16 = 80;

/// The offset of the stack pointer.
const STACK: u16 = 152;

/// The arguments that a raw tracepoint has at most.
const MAX_TRACEPOINT_ARGUMENTS: u16 = 12;

/// All registers and their offsets in `struct pt_regs`.
const REGISTERS: &[(&str, u16)] = &[
    ("r15", 0),
    ("r14", 8),
    ("r13", 16),
    ("r12", 24),
    ("bp", 32),
    ("bx", 40),
    ("r11", 48),
    ("r10", 56),
    ("r9", 64),
    ("r8", 72),
    ("ax", 80),
    ("cx", 88),
    ("dx", 96),
    ("si", 104),
    ("di", 112),
    ("ip", 128),
    ("flags", 144),
    ("sp", 152),
];

fn word(offset: u16) -> Expr {
    Expr {
        kind: ExprKind::Context {
            offset,
            size: 8,
            signed: false,
        },
        ty: Type::Unsigned,
    }
}

fn number(value: i64) -> Expr {
    Expr {
        kind: ExprKind::Const(value),
        ty: Type::Unsigned,
    }
}

fn computed(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    Expr {
        kind: ExprKind::Binary(op, Box::new(left), Box::new(right)),
        ty: Type::Unsigned,
    }
}

fn signed_or_not(signed: bool) -> Type {
    if signed { Type::Int } else { Type::Unsigned }
}

impl Checker<'_> {
    fn raw_context(&self) -> Option<RawContext> {
        match &self.context {
            Context::Raw(raw) => Some(raw.clone()),
            _ => None,
        }
    }

    /// `arg0`
    pub(super) fn raw_argument(&mut self, index: u16, place: Span) -> Option<Expr> {
        let raw = self.raw_context()?;
        let known = match raw.kind {
            RawKind::Function => match &raw.usdt {
                Some(arguments) => {
                    let Some(argument) = arguments.get(usize::from(index)) else {
                        let message = format!(
                            "`{}` has {} arguments, counted from 0",
                            raw.written,
                            arguments.len()
                        );
                        self.errors
                            .push(Diagnostic::new(Code::NotHere, place, message));
                        return None;
                    };
                    Some(static_argument(argument))
                }
                None if raw.returns => None,
                None => match ARGUMENTS.get(usize::from(index)) {
                    Some(register) => Some(word(*register)),
                    None => return self.stack_argument(index - ARGUMENTS.len() as u16, place),
                },
            },
            RawKind::RawTracepoint if index < MAX_TRACEPOINT_ARGUMENTS => Some(word(8 * index)),
            _ => None,
        };
        if known.is_none() {
            self.not_here(&format!("arg{index}"), place);
        }
        known
    }

    /// `sarg0`: an argument on the stack, counted without those in registers.
    pub(super) fn stack_argument(&mut self, index: u16, place: Span) -> Option<Expr> {
        let raw = self.raw_context()?;
        if raw.kind != RawKind::Function || raw.returns || raw.usdt.is_some() || index > 64 {
            self.not_here(&format!("sarg{index}"), place);
            return None;
        }
        let offset = 8 * (i64::from(index) + 1);
        let address = computed(BinaryOp::Add, word(STACK), number(offset));
        Some(Expr {
            kind: ExprKind::Read {
                address: Box::new(address),
                size: 8,
                signed: false,
                space: self.space(),
            },
            ty: Type::Unsigned,
        })
    }

    /// `retval`
    pub(super) fn returned(&mut self, place: Span) -> Option<Expr> {
        match self.raw_context() {
            Some(raw) if raw.kind == RawKind::Fentry && raw.returns => {
                let Some(field) = raw.fields.iter().find(|field| field.name == RETURNED) else {
                    let message = format!("the function of `{}` returns nothing", raw.written);
                    self.errors
                        .push(Diagnostic::new(Code::NotHere, place, message));
                    return None;
                };
                let (kind, ty) = number_field(field);
                Some(Expr { kind, ty })
            }
            Some(raw) if raw.returns => Some(word(RESULT)),
            _ => {
                self.not_here("retval", place);
                None
            }
        }
    }

    /// `reg("ip")`
    pub(super) fn register(
        &mut self,
        called: &Name,
        args: &[ast::Arg],
        place: Span,
    ) -> Option<Value> {
        let has_registers = self
            .raw_context()
            .is_some_and(|raw| matches!(raw.kind, RawKind::Function | RawKind::PerfEvent));
        if !has_registers {
            self.not_here("reg", called.span);
            return None;
        }
        let name = match args {
            [arg] => self.text_of(&arg.value),
            _ => None,
        };
        let Some(name) = name else {
            let message = "`reg()` takes the name of a register";
            self.errors.push(
                Diagnostic::new(Code::BadArgument, place, message).help("such as `reg(\"ip\")`"),
            );
            return None;
        };
        if let Some((_, offset)) = REGISTERS.iter().find(|(known, _)| *known == name) {
            let Expr { kind, ty } = word(*offset);
            return Some(Value::new(kind, ty, place));
        }
        let names = REGISTERS.iter().map(|(known, _)| *known);
        let message = format!("no register is called `{name}`");
        let error = Diagnostic::new(Code::BadArgument, place, message);
        let error = did_you_mean(error, &name, names.clone());
        let names: Vec<&str> = names.collect();
        self.errors
            .push(error.help(format!("the registers are {}", names.join(" "))));
        None
    }

    /// `args.NAME` of a tracepoint or a function of the kernel.
    pub(super) fn raw_field(&mut self, name: &Name, place: Span) -> Option<Value> {
        let raw = self.raw_context()?;
        if !matches!(raw.kind, RawKind::Tracepoint | RawKind::Fentry) {
            let (what, help) = match raw.kind {
                RawKind::PerfEvent => (
                    "a clock has no arguments, and so has",
                    "what runs is told by `comm`, `ustack`, `kstack` and `reg(\"ip\")`",
                ),
                _ => (
                    "there are no names for the arguments of",
                    "they are `arg0`, `arg1` and so on, and `retval` where a function returns",
                ),
            };
            let message = format!("{what} `{}`", raw.written);
            let error = Diagnostic::new(Code::UnknownArgument, name.span, message);
            self.errors.push(error.help(help));
            return None;
        }
        let mut named = raw.fields.iter().filter(|field| field.name != RETURNED);
        let names = named.clone().map(|field| field.name.as_str());
        let Some(field) = named.find(|field| field.name == name.text) else {
            let what = match raw.kind {
                RawKind::Fentry => "argument",
                _ => "field",
            };
            let message = format!("`{}` has no {what} `{}`", raw.written, name.text);
            let error = Diagnostic::new(Code::UnknownArgument, name.span, message);
            let error = did_you_mean(error, &name.text, names.clone());
            let names: Vec<&str> = names.collect();
            self.errors.push(if names.is_empty() {
                error
            } else {
                error.help(format!("it has {}", names.join(", ")))
            });
            return None;
        };
        let room = self.max_strlen();
        let value = match raw.kind {
            RawKind::Fentry => Some(number_field(field)),
            _ => field_value(field, room),
        };
        let Some((kind, ty)) = value else {
            let message = format!(
                "`{}` is {}, and a script cannot read that",
                field.name, field.ty
            );
            self.errors.push(
                Diagnostic::new(Code::NotInLanguage, name.span, message)
                    .help("numbers, addresses and texts can be read"),
            );
            return None;
        };
        Some(Value::new(kind, ty, place))
    }
}

/// What a field of a tracepoint is; none for lists of anything but characters.
fn field_value(field: &Field, room: u16) -> Option<(ExprKind, Type)> {
    let indirect = field.ty.contains("__data_loc");
    let is_list = indirect || field.ty.contains('[');
    let is_characters = field.ty.contains("char") && !field.ty.contains('*');
    if is_characters && (is_list || field.size > 1) {
        let room = if indirect {
            room
        } else {
            (field.size + 1).next_multiple_of(8)
        };
        let address = Expr {
            kind: ExprKind::ContextAddress {
                offset: field.offset,
                indirect,
            },
            ty: Type::Unsigned,
        };
        let length = (!indirect).then(|| Box::new(number(i64::from(field.size) + 1)));
        let kind = ExprKind::ReadText {
            address: Box::new(address),
            length,
            space: Space::Kernel,
        };
        return Some((kind, Type::Text(room)));
    }
    if is_list || !matches!(field.size, 1 | 2 | 4 | 8) {
        return None;
    }
    let (size, signed) = number_in(field);
    Some(number_at(field.offset, size, signed))
}

/// A number or an address that a function of the kernel gets or returns. The verifier hands addresses over as what
/// they point to, and those of some types not at all, so they are read from where they stand.
fn number_field(field: &Field) -> (ExprKind, Type) {
    if field.ty.ends_with('*') {
        let address = Expr {
            kind: ExprKind::ContextAddress {
                offset: field.offset,
                indirect: false,
            },
            ty: Type::Unsigned,
        };
        let kind = ExprKind::Read {
            address: Box::new(address),
            size: 8,
            signed: false,
            space: Space::Kernel,
        };
        return (kind, Type::Unsigned);
    }
    let size = field.size.try_into().unwrap_or(8);
    number_at(field.offset, size, field.signed)
}

fn number_at(offset: u16, size: u8, signed: bool) -> (ExprKind, Type) {
    let kind = ExprKind::Context {
        offset,
        size,
        signed,
    };
    (kind, signed_or_not(signed))
}

/// The bytes of a number in a field, and whether it is signed. The arguments of system calls stand in words,
/// also those that are smaller.
pub(super) fn number_in(field: &Field) -> (u8, bool) {
    let ty = field.ty.trim();
    match (ty, field.size) {
        ("int" | "pid_t" | "clockid_t" | "const clockid_t" | "timer_t" | "mqd_t" | "key_t", 8) => {
            (4, true)
        }
        ("unsigned int" | "uid_t" | "gid_t" | "u32" | "__u32" | "uint32_t" | "unsigned", 8) => {
            (4, false)
        }
        ("umode_t", 8) => (2, false),
        ("long" | "off_t" | "loff_t" | "ssize_t", 8) => (8, true),
        (_, size) => (size.try_into().unwrap_or(8), field.signed),
    }
}

fn static_argument(argument: &UsdtArgument) -> Expr {
    let ty = signed_or_not(argument.signed);
    let kind = match argument.place {
        UsdtPlace::Constant(value) => ExprKind::Const(value),
        UsdtPlace::Register(offset) => ExprKind::Cast {
            value: Box::new(word(offset)),
            bytes: argument.size,
            signed: argument.signed,
        },
        UsdtPlace::Memory {
            base,
            offset,
            index,
        } => {
            let mut address = word(base);
            if let Some((register, scale)) = index {
                let scaled = computed(BinaryOp::Mul, word(register), number(i64::from(scale)));
                address = computed(BinaryOp::Add, address, scaled);
            }
            if offset != 0 {
                address = computed(BinaryOp::Add, address, number(offset));
            }
            ExprKind::Read {
                address: Box::new(address),
                size: argument.size,
                signed: argument.signed,
                space: Space::User,
            }
        }
    };
    Expr { kind, ty }
}
