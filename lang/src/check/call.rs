//! The functions that have a value.

use crate::ast::{self, Arg, ExprKind, Name};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{self, KernelValue};
use crate::span::Span;
use crate::types::{Enumeration, Space, Type};

use super::Checker;
use super::name::did_you_mean;
use super::number::{cast, taken_as};
use super::tuple::Compound;
use super::typing::{a, is_plain};
use super::value::{Position, Value};

/// A call of a function that has a value.
pub(super) struct Asked<'c> {
    /// The name.
    pub(super) function: &'c Name,
    /// Its arguments.
    pub(super) args: &'c [Arg],
    /// All of it.
    pub(super) place: Span,
    /// Where it stands.
    pub(super) position: Position,
}

type Find = fn(&mut Checker<'_>, &Asked) -> Option<Value>;

/// All functions that have a value.
const FUNCTIONS: &[(&str, Find)] = &[
    ("str", |checker, asked| checker.str(asked, None)),
    ("kstr", |checker, asked| {
        checker.str(asked, Some(Space::Kernel))
    }),
    ("buf", |checker, asked| checker.buf(asked)),
    ("strncmp", |checker, asked| checker.strncmp(asked)),
    ("strcontains", |checker, asked| checker.strcontains(asked)),
    ("len", |checker, asked| checker.len(asked)),
    ("strlen", |checker, asked| checker.len(asked)),
    ("has_key", |checker, asked| checker.has_key(asked)),
    ("kstack", |checker, asked| {
        checker.stack(asked, Space::Kernel)
    }),
    ("ustack", |checker, asked| checker.stack(asked, Space::User)),
    ("ksym", |checker, asked| {
        checker.symbol(asked, Space::Kernel)
    }),
    ("usym", |checker, asked| checker.symbol(asked, Space::User)),
    ("kptr", |checker, asked| {
        checker.pointer(asked, Space::Kernel)
    }),
    ("uptr", |checker, asked| checker.pointer(asked, Space::User)),
    ("sizeof", |checker, asked| checker.sizeof(asked)),
    ("reg", |checker, asked| {
        checker.register(asked.function, asked.args, asked.place)
    }),
    ("nsecs", |checker, asked| checker.clock(asked)),
    ("strftime", |checker, asked| checker.strftime(asked)),
    ("strerror", |checker, asked| checker.strerror(asked)),
    ("syscalls", |checker, asked| checker.watched(asked)),
];

/// The names of the functions that have a value.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|(name, _)| *name)
}

impl Checker<'_> {
    /// The value of a function; none if it is none that has one.
    pub(super) fn function_value(
        &mut self,
        function: &Name,
        args: &[Arg],
        place: Span,
        position: Position,
    ) -> Option<Option<Value>> {
        let (_, find) = FUNCTIONS
            .iter()
            .find(|(known, _)| *known == function.text)?;
        if self.refuse_named(function, args) {
            return Some(None);
        }
        let asked = Asked {
            function,
            args,
            place,
            position,
        };
        Some(find(self, &asked))
    }

    /// Reports that a function takes other arguments.
    pub(super) fn asks<T>(&mut self, asked: &Asked, takes: &str, example: &str) -> Option<T> {
        self.wrong_count(
            asked.function,
            takes,
            &format!("such as `{example}`"),
            asked.args.len(),
            asked.place,
        );
        None
    }

    /// `uptr(address)` and `kptr(address)`: whose memory it is in.
    fn pointer(&mut self, asked: &Asked, space: Space) -> Option<Value> {
        let [address] = asked.args else {
            return self.asks(
                asked,
                "one address",
                &format!("str({}(arg0))", asked.function.text),
            );
        };
        let (expr, _) = self.address(&address.value, asked.position)?;
        let mut value = Value::new(expr.kind, expr.ty, asked.place);
        value.space = Some(space);
        Some(value)
    }

    /// `sizeof(uint64)` and `sizeof(value)`: the bytes of a type of numbers, or of a value as C would keep it.
    fn sizeof(&mut self, asked: &Asked) -> Option<Value> {
        let [Arg { value, .. }] = asked.args else {
            return self.asks(asked, "one type or value", "sizeof(uint32)");
        };
        let bytes = match &value.kind {
            ExprKind::Name(name) if let Some(bytes) = bytes_of(name) => usize::from(bytes),
            ExprKind::Name(name) if is_of_c(name) => {
                self.not_in_language(
                    asked.function.span,
                    "`sizeof()` of what is no type of a number is",
                    "a script needs no C types: values come as builtins with names and types",
                );
                return None;
            }
            _ => room_of(&self.compound(value, asked.position)?).0,
        };
        let kind = plan::ExprKind::Const(bytes as i64);
        Some(Value::new(kind, Type::Int, asked.place))
    }

    /// `nsecs(boot)`
    fn clock(&mut self, asked: &Asked) -> Option<Value> {
        const EXAMPLE: &str = "nsecs(boot)";
        let (name, place) = match asked.args {
            [] => ("monotonic", asked.place),
            [clock] => match &clock.value.kind {
                ExprKind::Name(name) => (name.as_str(), clock.value.span),
                _ => ("", clock.value.span),
            },
            _ => return self.asks(asked, "one clock", EXAMPLE),
        };
        let value = match name {
            "monotonic" => KernelValue::Nsecs,
            "boot" => KernelValue::NsecsBoot,
            "tai" | "sw_tai" => KernelValue::NsecsTai,
            _ => {
                let message = "a clock is `monotonic`, `boot` or `tai`";
                self.errors.push(
                    Diagnostic::new(Code::BadArgument, place, message)
                        .help(format!("such as `{EXAMPLE}`")),
                );
                return None;
            }
        };
        let kind = plan::ExprKind::Kernel(value);
        Some(Value::new(kind, Type::Unsigned, asked.place))
    }

    /// `strftime("%H:%M:%S", nsecs)`
    fn strftime(&mut self, asked: &Asked) -> Option<Value> {
        const EXAMPLE: &str = "strftime(\"%H:%M:%S\", nsecs)";
        let [format, moment] = asked.args else {
            return self.asks(asked, "a format and a point in time", EXAMPLE);
        };
        let Some(format_text) = self.text_of(&format.value) else {
            let message =
                "the format of `strftime()` has to be a text that is known before the script runs";
            self.errors.push(
                Diagnostic::new(Code::NotConstant, format.value.span, message)
                    .help(format!("such as `{EXAMPLE}`")),
            );
            return None;
        };
        let moment = self.plain(asked, moment, "the nanoseconds of a clock")?;
        let known = self.formats.iter().position(|known| *known == format_text);
        let index = known.unwrap_or(self.formats.len());
        let Ok(number) = u16::try_from(index) else {
            self.too_many(
                asked.place,
                "a script has too many formats of times".to_owned(),
            );
            return None;
        };
        if known.is_none() {
            self.formats.push(format_text);
        }
        let expr = taken_as(moment.expr, Type::Moment(number));
        Some(Value::new(expr.kind, expr.ty, asked.place))
    }

    /// `strerror(errno)`
    fn strerror(&mut self, asked: &Asked) -> Option<Value> {
        let [number] = asked.args else {
            return self.asks(asked, "one error number", "strerror(errno)");
        };
        let mut number_value = self.value(&number.value, asked.position)?;
        if number_value.expr.ty == Type::Enum(Enumeration::Errno) {
            let message = "`strerror()` knows the error numbers of Linux, and this is one of WASI";
            self.errors.push(
                Diagnostic::new(Code::BadArgument, number.value.span, message)
                    .help("`printf(\"%s\", errno)` prints its name"),
            );
            return None;
        }
        if number_value.expr.ty == Type::Enum(Enumeration::LinuxErrno) {
            number_value.expr = taken_as(number_value.expr, Type::Int);
        } else {
            number_value = self.plain(asked, number, "an error number")?;
        }
        let ty = Type::Enum(Enumeration::ErrorText);
        let expr = taken_as(number_value.expr, ty);
        Some(Value::new(expr.kind, ty, asked.place))
    }

    /// `syscalls("futex")`: how often the call made a system call.
    fn watched(&mut self, asked: &Asked) -> Option<Value> {
        const EXAMPLE: &str = "sum(syscalls(\"futex\"))";
        let [name] = asked.args else {
            return self.asks(asked, "the name of a system call", EXAMPLE);
        };
        let Some(text) = self.text_of(&name.value) else {
            let message = "`syscalls()` takes the name of a system call, in quotes";
            self.errors.push(
                Diagnostic::new(Code::NotConstant, name.value.span, message)
                    .help(format!("such as `{EXAMPLE}`")),
            );
            return None;
        };
        let Some(number) = crate::linux::syscall_number(&text) else {
            let message = format!("no system call is called `{text}`");
            let error = Diagnostic::new(Code::BadArgument, name.value.span, message);
            self.errors.push(did_you_mean(
                error,
                &text,
                crate::linux::nearest_syscall(&text),
            ));
            return None;
        };
        if self.here() != crate::builtin::Events::CALL {
            self.not_here("syscall_count", asked.function.span);
            return None;
        }
        let known = self.watched.iter().position(|known| *known == number);
        let index = known.unwrap_or(self.watched.len());
        if index == crate::builtin::WATCHED {
            let message = format!(
                "a script counts at most {} different system calls",
                crate::builtin::WATCHED
            );
            self.too_many(asked.place, message);
            return None;
        }
        if known.is_none() {
            self.watched.push(number);
        }
        let builtin = crate::builtin::field(&format!("watched_{index}"));
        let kind = plan::ExprKind::Builtin(builtin);
        Some(Value::new(kind, builtin.ty, asked.place))
    }

    /// An argument that is a plain number.
    pub(super) fn plain(&mut self, asked: &Asked, arg: &Arg, what: &str) -> Option<Value> {
        let value = self.value(&arg.value, asked.position)?;
        if is_plain(value.expr.ty) {
            return Some(value);
        }
        let ty = a(value.expr.ty);
        let message = format!("`{}()` needs {what}, and this is {ty}", asked.function.text);
        self.errors.push(
            Diagnostic::new(Code::BadArgument, value.span, message).label(format!("this is {ty}")),
        );
        None
    }

    /// An argument that is a number which is known before the script runs, in these bounds.
    pub(super) fn bounded(
        &mut self,
        asked: &Asked,
        arg: &ast::Expr,
        bounds: std::ops::RangeInclusive<i64>,
        what: &str,
    ) -> Option<i64> {
        use super::param::Constant;
        let number = match self.constant(arg)? {
            Some(Constant::Number(ast::Number {
                amount: ast::Amount::Whole(number),
                ty: Type::Int,
            })) => Some(number),
            _ => None,
        };
        if let Some(number) = number
            && bounds.contains(&number)
        {
            return Some(number);
        }
        let message = format!(
            "{what} of `{}()` is a number from {} to {} that is known before the script runs",
            asked.function.text,
            bounds.start(),
            bounds.end()
        );
        let code = if number.is_some() {
            Code::BadArgument
        } else {
            Code::NotConstant
        };
        self.errors.push(Diagnostic::new(code, arg.span, message));
        None
    }
}

/// The bytes of a type of numbers.
fn bytes_of(name: &str) -> Option<u8> {
    match name {
        "bool" | "char" => Some(1),
        "short" => Some(2),
        "int" => Some(4),
        "long" | "size_t" => Some(8),
        _ => cast(name.strip_suffix("_t").unwrap_or(name)).map(|(bytes, _)| bytes),
    }
}

/// Whether it is a type of C, as [`crate::ast`] has it: a name is one word otherwise.
fn is_of_c(name: &str) -> bool {
    name.contains([' ', '*'])
}

/// The bytes of a value, and what its address is a multiple of.
fn room_of(value: &Compound) -> (usize, usize) {
    match value {
        Compound::One(value) => match (&value.expr.kind, value.expr.ty) {
            (plan::ExprKind::Text(text), _) => (text.len() + 1, 1),
            (_, Type::Text(room) | Type::Bytes(room)) => (room.into(), 1),
            (plan::ExprKind::Cast { bytes, .. }, _) => (usize::from(*bytes), usize::from(*bytes)),
            (plan::ExprKind::Context { size, .. }, _) => (usize::from(*size), usize::from(*size)),
            (_, Type::Bool) => (1, 1),
            (_, ty) => (ty.size(), 8),
        },
        Compound::Tuple(parts, _) => {
            let (mut end, mut unit) = (0_usize, 1);
            for (bytes, multiple) in parts.iter().map(room_of) {
                end = end.next_multiple_of(multiple) + bytes;
                unit = unit.max(multiple);
            }
            (end.next_multiple_of(unit), unit)
        }
    }
}
