//! The functions of maps: `clear`, `zero`, `delete`, `has_key` and `len`.

use crate::ast::{self, Arg, ExprKind};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Action, MessageKind};
use crate::span::Span;
use crate::types::Type;

use super::Checker;
use super::call::Asked;
use super::function::Call;
use super::map::MapId;
use super::value::Value;

impl Checker<'_> {
    /// `clear(@x)`
    pub(super) fn clear(&mut self, call: &Call, actions: &mut Vec<Action>) -> Option<()> {
        let map = self.only_map(call)?.0;
        self.tell(call.place, MessageKind::Clear { map }, Vec::new(), actions)
    }

    /// `zero(@x)`
    pub(super) fn zero(&mut self, call: &Call, actions: &mut Vec<Action>) -> Option<()> {
        let map = self.only_map(call)?.0;
        self.tell(call.place, MessageKind::Zero { map }, Vec::new(), actions)
    }

    fn only_map(&mut self, call: &Call) -> Option<MapId> {
        let name = &call.function.text;
        match call.args {
            [map] => self.whole(call, map),
            _ => self.takes(call, "one map", &format!("`{name}(@x)`")),
        }
    }

    /// A map without keys, as an argument.
    pub(super) fn whole(&mut self, call: &Call, arg: &Arg) -> Option<MapId> {
        let function = &call.function.text;
        if let ExprKind::Map(name) = &arg.value.kind {
            let map = self.map(name, arg.value.span)?;
            return self.filled(map, arg.value.span).map(|()| map);
        }
        let message = format!("`{function}()` takes a whole map");
        let error = Diagnostic::new(Code::BadArgument, arg.value.span, message);
        self.errors.push(match Self::place(&arg.value) {
            Some((name, _)) => error.help(format!(
                "write `{function}({name})`, or forget one key with `delete({name}[…])`"
            )),
            None => error.help(format!("such as `{function}(@x)`")),
        });
        None
    }

    /// `delete(@x[key])` and `delete(@x, key)`
    pub(super) fn delete(&mut self, call: &Call, actions: &mut Vec<Action>) -> Option<()> {
        let (target, given): (&ast::Expr, &[ast::Expr]) = match call.args {
            [map] => (&map.value, &[]),
            [map, key] if matches!(map.value.kind, ExprKind::Map(_)) => {
                (&map.value, std::slice::from_ref(&key.value))
            }
            _ => {
                return self.takes(
                    call,
                    "one key of a map",
                    "`delete(@x[pid])` or `delete(@x, pid)`",
                );
            }
        };
        let Some((name, keys)) = Self::place(target) else {
            let error = Diagnostic::new(
                Code::BadArgument,
                target.span,
                "`delete()` takes a key of a map",
            );
            self.errors.push(error.help("such as `delete(@x[pid])`"));
            return None;
        };
        let map = self.map(name, target.span)?;
        let keys = if given.is_empty() { keys } else { given };
        let keys = self.keys(map, keys, target.span);
        self.filled(map, target.span)?;
        let keys = keys?;
        for key in &keys {
            self.spend(key, call.place);
        }
        let store = self.store(map);
        actions.push(Action::Delete { store, keys });
        Some(())
    }

    /// `has_key(@x, key)`
    pub(super) fn has_key(&mut self, asked: &Asked) -> Option<Value> {
        const EXAMPLE: &str = "has_key(@x, pid)";
        let (map, keys) = match asked.args {
            [map, key] if matches!(map.value.kind, ExprKind::Map(_)) => {
                (&map.value, std::slice::from_ref(&key.value))
            }
            [place] => match Self::place(&place.value) {
                Some((_, keys)) if !keys.is_empty() => (&place.value, keys),
                _ => return self.asks(asked, "a map and a key", EXAMPLE),
            },
            _ => return self.asks(asked, "a map and a key", EXAMPLE),
        };
        let (name, _) = Self::place(map)?;
        let id = self.map(name, map.span)?;
        let keys = self.keys(id, keys, map.span);
        self.filled(id, map.span)?;
        if !self.is_only_printed(id) {
            self.readable(id, map.span)?;
        }
        let kind = plan::ExprKind::HasKey {
            store: self.store(id),
            keys: keys?,
        };
        Some(Value::new(kind, Type::Bool, asked.place))
    }

    /// Whether `len(@x)` asks for the keys of a map: of one that has no keys and holds a text it asks for the text.
    pub(super) fn holds_no_text(&self, name: &str) -> bool {
        let known = self.maps.iter().find(|map| map.name == name);
        known.is_none_or(|map| {
            !(map.keyed.is_some()
                && map.keys.is_empty()
                && map.value.ty().is_some_and(Type::is_text))
        })
    }

    /// `len(@x)`: how many keys a map has.
    pub(super) fn rows(&mut self, name: &str, map: &ast::Expr, place: Span) -> Option<Value> {
        let id = self.map(name, map.span)?;
        self.filled(id, map.span)?;
        if !self.learning && self.maps[id.0].keys.is_empty() {
            let message = format!("`{name}` has no keys that could be counted");
            self.errors
                .push(Diagnostic::new(Code::BadArgument, map.span, message));
            return None;
        }
        let kind = plan::ExprKind::Rows(self.store(id));
        Some(Value::new(kind, Type::Int, place))
    }
}
