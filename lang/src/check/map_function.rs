//! The functions of maps: `print`, `clear`, `zero` and `delete`.

use crate::ast::{self, Amount, Arg, ExprKind, Number};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Action, MessageKind};
use crate::types::Type;

use super::Checker;
use super::function::Call;
use super::map::MapId;
use super::param::Constant;

impl Checker<'_> {
    /// `print(@x)` and `print(@x, 10)`
    pub(super) fn print(&mut self, call: &Call, actions: &mut Vec<Action>) -> Option<()> {
        let (map, top) = match call.args {
            [map] => (map, None),
            [map, top] => (map, Some(top)),
            [_, _, divisor] => {
                return self.refused(divisor.value.span, "a divisor in `print()` is");
            }
            _ => {
                return self.takes(
                    call,
                    "a map, and how many keys",
                    "`print(@x)` or `print(@x, 10)`",
                );
            }
        };
        if !matches!(&map.value.kind, ExprKind::Map(_)) {
            self.not_yet(map.value.span, "`print()` of anything but a whole map is");
            if let Some(error) = self.errors.last_mut() {
                error
                    .help
                    .push("use `printf(\"%d\\n\", …)`, or `print(@x)`".to_owned());
            }
            return None;
        }
        let map = self.whole(call, map);
        let top = match top {
            Some(top) => Some(self.top(top)?),
            None => None,
        };
        let kind = MessageKind::Print {
            map: map?.0,
            top,
            divisor: 1,
        };
        self.tell(call.place, kind, Vec::new(), actions)
    }

    fn top(&mut self, arg: &Arg) -> Option<usize> {
        if let Some(Constant::Number(Number {
            amount: Amount::Whole(top),
            ty: Type::Int,
        })) = self.constant(&arg.value)?
            && let Ok(top @ 1..) = usize::try_from(top)
        {
            return Some(top);
        }
        let message = "how many keys `print()` shows is a number that is known before the script runs: 1 or more";
        self.errors.push(
            Diagnostic::new(Code::NotConstant, arg.value.span, message)
                .help("such as `print(@x, 10)`, or a `param`"),
        );
        None
    }

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
    fn whole(&mut self, call: &Call, arg: &Arg) -> Option<MapId> {
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
        if self.is_aggregated(map) {
            return self.tell(
                call.place,
                MessageKind::Delete { map: map.0 },
                keys,
                actions,
            );
        }
        for key in &keys {
            self.spend(key, call.place);
        }
        let store = self.store(map);
        actions.push(Action::Delete { store, keys });
        Some(())
    }
}
