//! `printf`: each value against the conversion that shows it.

use crate::ast::Arg;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Action, Conversion, Expr, ExprKind, MessageKind, Piece, Show};
use crate::types::Type;

use super::Checker;
use super::format::{self, BadFormat};
use super::function::Call;
use super::number::counted;
use super::typing::a;
use super::value::{Position, Value};

/// What a conversion makes of a value.
enum Shown {
    /// It is shown while the script runs.
    Value(Conversion, Expr),
    /// It is known already.
    Text(String),
}

impl Checker<'_> {
    /// `printf("%s %d\n", func, bytes)`
    pub(super) fn printf(&mut self, call: &Call, actions: &mut Vec<Action>) -> Option<()> {
        let example = "`printf(\"%s %d\\n\", func, bytes)`";
        let (pieces, values) = self.formatted(call, example)?;
        self.tell(call.place, MessageKind::Printf(pieces), values, actions)
    }

    /// The pieces of a format, the first argument, and the values of the others.
    pub(super) fn formatted(
        &mut self,
        call: &Call,
        example: &str,
    ) -> Option<(Vec<Piece>, Vec<Expr>)> {
        let [format, args @ ..] = call.args else {
            return self.takes(call, "a format and its values", example);
        };
        let text = self.format(call, format)?;
        let (pieces, lengths) = match format::pieces(&text) {
            Ok(pieces) => pieces,
            Err(BadFormat { message, help }) => {
                let error = Diagnostic::new(Code::BadFormat, format.value.span, message);
                self.errors.push(error.help(help));
                return None;
            }
        };
        let conversions: Vec<Conversion> = pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Text(_) => None,
                Piece::Value(conversion) => Some(*conversion),
            })
            .collect();
        let shown: Vec<Option<Shown>> = args
            .iter()
            .enumerate()
            .map(|(index, arg)| {
                let length = lengths.get(index).copied().flatten();
                self.shown(arg, conversions.get(index).copied(), length)
            })
            .collect();
        if args.len() < conversions.len() {
            let missing = conversions[args.len()];
            let message = format!(
                "the format has {}, and there {}",
                match conversions.len() {
                    1 => "1 conversion".to_owned(),
                    count => format!("{count} conversions"),
                },
                match args.len() {
                    0 => "is no value".to_owned(),
                    1 => "is 1 value".to_owned(),
                    count => format!("are {count} values"),
                }
            );
            self.errors.push(
                Diagnostic::new(Code::FormatArguments, call.place, message)
                    .label(format!("no value for `{missing}`"))
                    .help("a percent sign itself is written `%%`"),
            );
            return None;
        }
        let mut shown = shown.into_iter();
        let (mut whole, mut values) = (Vec::new(), Vec::new());
        for piece in pieces {
            match piece {
                Piece::Text(text) => format::add_text(&mut whole, &text),
                Piece::Value(_) => match shown.next()?? {
                    Shown::Text(text) => format::add_text(&mut whole, &text),
                    Shown::Value(conversion, value) => {
                        whole.push(Piece::Value(conversion));
                        values.push(value);
                    }
                },
            }
        }
        if shown.next().is_some() {
            return None;
        }
        Some((whole, values))
    }

    /// A value and the conversion that shows it, which cuts it to so many bytes; there is none if there are more
    /// values than conversions.
    fn shown(
        &mut self,
        arg: &Arg,
        conversion: Option<Conversion>,
        length: Option<u8>,
    ) -> Option<Shown> {
        let value = self.value(&arg.value, Position::Statement)?;
        let place = arg.value.span;
        let Some(conversion) = conversion else {
            let error = Diagnostic::new(
                Code::FormatArguments,
                place,
                "the format has no conversion for this value",
            );
            self.errors.push(
                error.help("add one to the format: `%d` for a number, `%s` for a text or a name"),
            );
            return None;
        };
        let ty = value.expr.ty;
        let is_text = conversion.show == Show::Text;
        if is_text && let Some(text) = value.text() {
            return Some(Shown::Text(format::shown(text, conversion)));
        }
        // A character of the script's own is none of a process's, which would be escaped.
        if conversion.show == Show::Char
            && let ExprKind::Const(number @ 1..128) = value.expr.kind
        {
            let text = char::from(number as u8).to_string();
            return Some(Shown::Text(format::shown(&text, conversion)));
        }
        let is_bytes = matches!(conversion.show, Show::Bytes | Show::HexBytes);
        let suits = match ty {
            Type::Text(_) | Type::Stack(_) | Type::Address(_) | Type::Moment(_) => is_text,
            Type::Bytes(_) => is_text || is_bytes,
            Type::Enum(_) | Type::Bool => !is_bytes,
            _ => !is_text && !is_bytes,
        };
        if suits {
            return Some(Shown::Value(conversion, cut(value, conversion, length)));
        }
        let what = if is_text {
            "a text, or the name of something"
        } else if is_bytes {
            "bytes"
        } else {
            "a number"
        };
        let message = format!("`{conversion}` shows {what}, and this is {}", a(ty));
        let error = Diagnostic::new(Code::FormatArguments, place, message)
            .label(format!("this is {}", a(ty)));
        self.errors.push(match ty {
            Type::Text(_) | Type::Stack(_) | Type::Address(_) | Type::Moment(_) => {
                error.help("use `%s`")
            }
            Type::Bytes(_) => error.help("use `%r`, or `%rx` for base 16"),
            Type::Time => error.help("use `%d`, and divide by the unit: `duration / 1us`"),
            Type::Size => error.help("use `%d`; it prints bytes"),
            _ => error.help("use `%d`"),
        });
        None
    }
}

/// A number as C cuts it for a conversion with a length.
fn cut(value: Value, conversion: Conversion, length: Option<u8>) -> Expr {
    let Some(bytes) = length else {
        return value.expr;
    };
    let signed = conversion.show == Show::Signed;
    Expr {
        kind: ExprKind::Cast {
            value: Box::new(counted(value).expr),
            bytes,
            signed,
        },
        ty: if signed { Type::Int } else { Type::Unsigned },
    }
}
