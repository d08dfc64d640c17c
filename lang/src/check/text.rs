//! Texts and bytes: read from memory, compared in part.

use crate::ast::{self, Amount, BinaryOp, ExprKind, Number};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Expr, Wanted};
use crate::span::Span;
use crate::types::{Space, StackType, Type};

use super::Checker;
use super::call::Asked;
use super::name_test::named_later;
use super::param::Constant;
use super::typing::a;
use super::value::{Position, Value, text_value};

/// The most bytes of a buffer.
const MAX_BYTES: i64 = 1024;

/// The longest start of texts that can be compared.
const MAX_START: i64 = 1024;

/// The condition that two texts are the same, if a value is that of `strncmp()`: 0 if they are, else 1.
pub(super) fn same(value: &Value) -> Option<Expr> {
    match &value.expr.kind {
        plan::ExprKind::Choose {
            condition,
            then,
            otherwise,
        } if matches!(
            condition.kind,
            plan::ExprKind::SamePrefix { .. }
                | plan::ExprKind::Named { .. }
                | plan::ExprKind::Const(_)
        ) && then.kind == plan::ExprKind::Const(0)
            && otherwise.kind == plan::ExprKind::Const(1) =>
        {
            Some((**condition).clone())
        }
        _ => None,
    }
}

impl Checker<'_> {
    /// The bytes of a text that is read from memory.
    pub(super) fn max_strlen(&self) -> u16 {
        self.settings.max_strlen.next_multiple_of(8)
    }

    /// `str(address)` and `str(address, length)`
    pub(super) fn str(&mut self, asked: &Asked, space: Option<Space>) -> Option<Value> {
        let (address, length) = match asked.args {
            [address] => (address, None),
            [address, length] => (address, Some(length)),
            _ => return self.asks(asked, "an address, and a length", "str(arg0)"),
        };
        let value = match &address.value.kind {
            ExprKind::Positional(name) => text_value(self.positional_text(name), asked.place),
            ExprKind::Binary(BinaryOp::Add, left, right)
                if let ExprKind::Positional(name) = &left.kind =>
            {
                let text = self.positional_text(name);
                let from = self.bounded(asked, right, 0..=text.len() as i64, "the start")?;
                let rest = usize::try_from(from).ok().and_then(|from| text.get(from..));
                text_value(rest.unwrap_or_default().to_owned(), asked.place)
            }
            _ => self.value(&address.value, asked.position)?,
        };
        if value.expr.ty.is_text() {
            return match length {
                Some(length) => self.cut(asked, value, length),
                None => Some(value),
            };
        }
        let (address, found) = self.address(&address.value, asked.position)?;
        let most = i64::from(self.max_strlen());
        let (length, room) = match length {
            None => (None, most),
            Some(length) => {
                let length = self.plain(asked, length, "a length")?;
                let room = match length.expr.kind {
                    plan::ExprKind::Const(bytes) => (bytes.clamp(0, most - 1) + 8) / 8 * 8,
                    _ => most,
                };
                (Some(Box::new(one_more(length.expr))), room)
            }
        };
        let kind = plan::ExprKind::ReadText {
            address: Box::new(address),
            length,
            space: space.unwrap_or(found),
        };
        let room = u16::try_from(room).unwrap_or(self.max_strlen());
        Some(Value::new(kind, Type::Text(room), asked.place))
    }

    /// The first bytes of a text that is known.
    fn cut(&mut self, asked: &Asked, text: Value, length: &ast::Arg) -> Option<Value> {
        let Some(whole) = text.text() else {
            let message = "only a text in memory, or one that is known, is cut by `str()`";
            self.errors.push(
                Diagnostic::new(Code::BadArgument, length.value.span, message)
                    .help("it can be compared in part, `comm[:4] == \"wasm\"`, and be printed so, `printf(\"%.4s\", comm)`"),
            );
            return None;
        };
        let whole = whole.to_owned();
        let bytes = self.bounded(asked, &length.value, 0..=i64::MAX, "the length")?;
        let bytes = usize::try_from(bytes).map_or(whole.len(), |bytes| bytes.min(whole.len()));
        // A character that is cut is left out.
        let end = (0..=bytes).rev().find(|at| whole.is_char_boundary(*at));
        let text = &whole[..end.unwrap_or(0)];
        Some(text_value(text.to_owned(), asked.place))
    }

    /// `buf(address, length)` and `buf("text", length)`
    pub(super) fn buf(&mut self, asked: &Asked) -> Option<Value> {
        let (address, length) = match asked.args {
            [address] => (address, None),
            [address, length] => (address, Some(length)),
            _ => return self.asks(asked, "an address and a length", "buf(arg1, 16)"),
        };
        let value = self.value(&address.value, asked.position)?;
        if value.expr.ty.is_text() {
            return self.bytes_of_text(asked, value, length);
        }
        let (address, space) = self.address(&address.value, asked.position)?;
        let most = self.max_strlen();
        let (length, room) = match length {
            None => (None, most),
            Some(length) => {
                let length = self.plain(asked, length, "a length")?;
                match length.expr.kind {
                    plan::ExprKind::Const(bytes) if !(1..=MAX_BYTES).contains(&bytes) => {
                        let message = format!("a buffer has from 1 to {MAX_BYTES} bytes");
                        self.errors
                            .push(Diagnostic::new(Code::BadArgument, length.span, message));
                        return None;
                    }
                    plan::ExprKind::Const(bytes) => {
                        let room = u16::try_from(bytes).unwrap_or(most).next_multiple_of(8);
                        (Some(Box::new(length.expr)), room)
                    }
                    _ => (Some(Box::new(length.expr)), most),
                }
            }
        };
        let kind = plan::ExprKind::ReadBytes {
            address: Box::new(address),
            length,
            space,
        };
        Some(Value::new(kind, Type::Bytes(room), asked.place))
    }

    /// `strncmp(one, other, 4)`: 0 if both begin alike, as in bpftrace.
    pub(super) fn strncmp(&mut self, asked: &Asked) -> Option<Value> {
        let [left, right, bytes] = asked.args else {
            return self.asks(
                asked,
                "two texts and a number of bytes",
                "strncmp(comm, \"wasm\", 4) == 0",
            );
        };
        let left = self.text_argument(asked, &left.value);
        let right = self.text_argument(asked, &right.value);
        let bytes = self.bounded(asked, &bytes.value, 1..=MAX_START, "the number of bytes");
        let same = self.start(left?, right?, bytes?, asked.place)?;
        let number = |number| {
            Box::new(Expr {
                kind: plan::ExprKind::Const(number),
                ty: Type::Int,
            })
        };
        let kind = plan::ExprKind::Choose {
            condition: Box::new(same),
            then: number(0),
            otherwise: number(1),
        };
        Some(Value::new(kind, Type::Int, asked.place))
    }

    /// `strcontains(path, "tmp")`
    pub(super) fn strcontains(&mut self, asked: &Asked) -> Option<Value> {
        const EXAMPLE: &str = "strcontains(comm, \"wasm\")";
        let [text, part] = asked.args else {
            return self.asks(asked, "a text and a part of it", EXAMPLE);
        };
        let text = self.text_argument(asked, &text.value);
        let part_value = self.text_argument(asked, &part.value)?;
        let text = text?;
        let Some(part) = part_value.text().map(str::to_owned) else {
            let message = "what `strcontains()` looks for has to be known before the script runs";
            self.errors.push(
                Diagnostic::new(Code::NotConstant, part_value.span, message)
                    .help(format!("write it in quotes: `{EXAMPLE}`")),
            );
            return None;
        };
        let kind = match text.text() {
            Some(whole) => plan::ExprKind::Const(i64::from(whole.contains(&part))),
            None if named_later(text.expr.ty).is_some() => {
                self.name_test(text.expr, Wanted::Part(part), asked.place)?
                    .kind
            }
            None if part.is_empty() => plan::ExprKind::Const(1),
            None => plan::ExprKind::Contains {
                text: Box::new(text.expr),
                part,
            },
        };
        Some(Value::new(kind, Type::Bool, asked.place))
    }

    /// `len(text)`, `len(@map)`, `len(ustack)`
    pub(super) fn len(&mut self, asked: &Asked) -> Option<Value> {
        let name = &asked.function.text;
        let [of] = asked.args else {
            return self.asks(asked, "one text, map or stack", &format!("{name}(comm)"));
        };
        if let ExprKind::Map(map) = &of.value.kind
            && name == "len"
            && self.holds_no_text(map)
        {
            return self.rows(map, &of.value, asked.place);
        }
        let value = self.value(&of.value, asked.position)?;
        if let (Type::Stack(stack), "len") = (value.expr.ty, name.as_str()) {
            return self.depth(&value, stack, asked.place);
        }
        let text = self.is_text(&format!("`{name}()`"), value, false)?;
        let kind = match text.text() {
            Some(text) => plan::ExprKind::Const(text.len() as i64),
            None => plan::ExprKind::Length(Box::new(text.expr)),
        };
        Some(Value::new(kind, Type::Int, asked.place))
    }

    /// How many functions a stack has, which has to be that of the event.
    fn depth(&mut self, value: &Value, stack: StackType, place: Span) -> Option<Value> {
        if value.expr.kind == plan::ExprKind::Stack {
            return Some(Value::new(plan::ExprKind::Depth(stack), Type::Int, place));
        }
        let function = match stack.space {
            Space::User => "ustack",
            Space::Kernel => "kstack",
        };
        let message = "only of the stack of this event `len()` knows the number of functions";
        self.errors.push(
            Diagnostic::new(Code::BadArgument, value.span, message)
                .label("this one is kept")
                .help(format!(
                    "keep the number where the stack is taken: `$n = len({function})`"
                )),
        );
        None
    }

    /// `buf("text", 4)`: what is behind the text is 0.
    fn bytes_of_text(
        &mut self,
        asked: &Asked,
        text: Value,
        length: Option<&ast::Arg>,
    ) -> Option<Value> {
        let bytes = match (length, text.text()) {
            (Some(length), _) => self.bounded(asked, &length.value, 1..=MAX_BYTES, "the length")?,
            (None, Some(written)) => written.len() as i64,
            (None, None) => {
                let message = "how many bytes of this text `buf()` takes has to be said";
                self.errors.push(
                    Diagnostic::new(Code::ArgumentCount, text.span, message)
                        .help("such as `buf(comm, 16)`"),
                );
                return None;
            }
        };
        let bytes = u16::try_from(bytes).unwrap_or(MAX_BYTES as u16);
        let kind = plan::ExprKind::TextBytes {
            text: Box::new(text.expr),
            bytes,
        };
        let ty = Type::Bytes(bytes.next_multiple_of(8));
        Some(Value::new(kind, ty, asked.place))
    }

    /// `comm[:4] == "wasm"`
    pub(super) fn same_start(
        &mut self,
        op: BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
        position: Position,
    ) -> Option<Value> {
        let one = self.sliced(left, position);
        let other = self.sliced(right, position);
        let ((left, left_bytes), (right, right_bytes)) = (one?, other?);
        let bytes = match (left_bytes, right_bytes) {
            (Some(one), Some(other)) if one != other => {
                let message = format!("the first {one} bytes are compared with the first {other}");
                self.errors.push(
                    Diagnostic::new(Code::BadText, span, message)
                        .help("take the same number of both"),
                );
                return None;
            }
            (Some(bytes), _) | (_, Some(bytes)) => bytes,
            (None, None) => return None,
        };
        for (text, cut) in [(&left, left_bytes), (&right, right_bytes)] {
            if let Some(written) = text.text()
                && cut.is_none()
                && written.len() > usize::from(bytes)
            {
                let message = format!(
                    "this text has {} bytes, and it is compared with the first {bytes} of the other",
                    written.len()
                );
                self.errors
                    .push(Diagnostic::new(Code::BadText, text.span, message));
                return None;
            }
        }
        for (name, text) in [(&left, &right), (&right, &left)] {
            if named_later(name.expr.ty).is_some()
                && let Some(written) = text.text()
            {
                let wanted = Wanted::Start(written.to_owned(), bytes);
                return self.compared_name(op, name.clone(), wanted, span);
            }
        }
        let same = self.start(left, right, i64::from(bytes), span)?;
        let kind = match op {
            BinaryOp::Ne => plan::ExprKind::Not(Box::new(same)),
            _ => same.kind,
        };
        Some(Value::new(kind, Type::Bool, span))
    }

    /// A text, and how many of its first bytes count.
    fn sliced(&mut self, expr: &ast::Expr, position: Position) -> Option<(Value, Option<u16>)> {
        let ExprKind::Slice(of, from, to) = &expr.kind else {
            let text = self.value(expr, position)?;
            return Some((self.is_text("the start of a text", text, true)?, None));
        };
        let text = self.value(of, position)?;
        let text = self.is_text("`[ : ]`", text, true)?;
        let from_start = match from {
            None => true,
            Some(from) => matches!(
                from.kind,
                ExprKind::Number(Number {
                    amount: Amount::Whole(0),
                    ..
                })
            ),
        };
        if !from_start {
            return self.refused(expr.span, "a part of a text that is not its start is");
        }
        let bytes = match to {
            Some(to) => self.constant(to)?,
            None => None,
        };
        if let Some(Constant::Number(Number {
            amount: Amount::Whole(bytes @ 1..=MAX_START),
            ty: Type::Int,
        })) = bytes
        {
            return Some((text, u16::try_from(bytes).ok()));
        }
        let message = "how many bytes of a text are compared is a number that is known before the script runs: 1 or more";
        self.errors.push(
            Diagnostic::new(Code::NotConstant, expr.span, message)
                .help("such as `comm[:4] == \"wasm\"`"),
        );
        None
    }

    fn text_argument(&mut self, asked: &Asked, arg: &ast::Expr) -> Option<Value> {
        let text = self.value(arg, asked.position)?;
        let what = format!("`{}()`", asked.function.text);
        self.is_text(&what, text, true)
    }

    /// A text; if `or_name` also what has a name that is known later.
    fn is_text(&mut self, what: &str, value: Value, or_name: bool) -> Option<Value> {
        if value.expr.ty.is_text() || or_name && named_later(value.expr.ty).is_some() {
            return Some(value);
        }
        let ty = a(value.expr.ty);
        let message = format!("{what} needs a text, and this is {ty}");
        let error =
            Diagnostic::new(Code::BadArgument, value.span, message).label(format!("this is {ty}"));
        self.errors.push(match value.expr.ty {
            Type::Int | Type::Unsigned => error.help("a text in memory is `str(address)`"),
            _ => error,
        });
        None
    }
}

impl Checker<'_> {
    /// Whether two texts begin alike. Of a name that is known later the other one is written out.
    fn start(&mut self, left: Value, right: Value, bytes: i64, place: Span) -> Option<Expr> {
        let (name, text) = match (named_later(left.expr.ty), named_later(right.expr.ty)) {
            (None, None) => return Some(same_start(left, right, bytes)),
            (Some(_), _) => (left, right),
            (None, Some(_)) => (right, left),
        };
        let Some(text) = text.text() else {
            let ty = a(name.expr.ty);
            let message = format!("{ty} is compared with a text that is written out");
            self.errors
                .push(Diagnostic::new(Code::NotConstant, text.span, message));
            return None;
        };
        let bytes = u16::try_from(bytes).unwrap_or(u16::MAX);
        self.name_test(name.expr, Wanted::Start(text.to_owned(), bytes), place)
    }
}

/// Whether two texts begin alike.
fn same_start(left: Value, right: Value, bytes: i64) -> Expr {
    if let (Some(one), Some(other)) = (left.text(), right.text()) {
        let first = |text: &str| -> Vec<u8> {
            text.bytes()
                .take(usize::try_from(bytes).unwrap_or(usize::MAX))
                .collect()
        };
        return Expr {
            kind: plan::ExprKind::Const(i64::from(first(one) == first(other))),
            ty: Type::Bool,
        };
    }
    Expr {
        kind: plan::ExprKind::SamePrefix {
            left: Box::new(left.expr),
            right: Box::new(right.expr),
            bytes: u16::try_from(bytes).unwrap_or(u16::MAX),
        },
        ty: Type::Bool,
    }
}

/// A length with the 0 behind the text.
fn one_more(length: Expr) -> Expr {
    let ty = length.ty;
    let one = |kind| Box::new(Expr { kind, ty });
    match length.kind {
        plan::ExprKind::Const(bytes) => Expr {
            kind: plan::ExprKind::Const(bytes.saturating_add(1)),
            ty,
        },
        kind => Expr {
            kind: plan::ExprKind::Binary(
                plan::BinaryOp::Add,
                one(kind),
                one(plan::ExprKind::Const(1)),
            ),
            ty,
        },
    }
}
