//! `print` and `tabulate`: maps and values as they are.

use crate::ast::{Amount, Arg, ExprKind, Number};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Action, MessageKind};
use crate::types::Type;

use super::Checker;
use super::function::Call;
use super::map::MapId;
use super::name::did_you_mean;
use super::param::Constant;
use super::value::Position;

/// `tabulate()` joins at most so many maps.
const MAX_MAPS: usize = 16;

impl Checker<'_> {
    /// `print(@x)`, `print(@x, 10)`, `print(@x, 10, 1000)`, `print(@x[key])` and `print(value)`
    pub(super) fn print(&mut self, call: &Call, actions: &mut Vec<Action>) -> Option<()> {
        let Some((what, rest)) = call.args.split_first() else {
            return self.takes(
                call,
                "a map or a value",
                "`print(@x)`, `print(@x, 10)` or `print(func)`",
            );
        };
        if let ExprKind::Map(_) = &what.value.kind {
            return self.print_map(call, what, rest, actions);
        }
        if let [extra, ..] = rest {
            let message = "only a whole map is cut off at a number of keys";
            self.errors.push(Diagnostic::new(
                Code::ArgumentCount,
                extra.value.span,
                message,
            ));
            return None;
        }
        if let Some((name, keys)) = Self::place(&what.value) {
            let map = self.map(name, what.value.span)?;
            let keys = self.keys(map, keys, what.value.span);
            self.filled(map, what.value.span)?;
            let types = self.key_types(map);
            let kind = MessageKind::PrintKey { map: map.0 };
            return self.tell_as(call.place, kind, keys?, types?, actions);
        }
        let value = self.compound(&what.value, Position::Statement)?;
        let form = value.form();
        let values = value.values().into_iter().map(|value| value.expr);
        let values: Vec<_> = values.collect();
        let shape = form.shape(&mut values.iter().map(|value| value.ty));
        self.tell(call.place, MessageKind::PrintValue(shape), values, actions)
    }

    fn print_map(
        &mut self,
        call: &Call,
        map: &Arg,
        rest: &[Arg],
        actions: &mut Vec<Action>,
    ) -> Option<()> {
        let map = self.whole(call, map);
        let top = match rest.first() {
            Some(top) => match self.count(call, top, "how many keys `print()` shows", 0)? {
                // As in bpftrace, 0 keys are all of them.
                0 => None,
                top => usize::try_from(top).ok(),
            },
            None => None,
        };
        let divisor = match rest.get(1) {
            Some(divisor) => self.count(call, divisor, "what `print()` divides by", 1)?,
            None => 1,
        };
        if let Some(extra) = rest.get(2) {
            let message = "`print()` of a map takes how many keys, and what values are divided by";
            self.errors.push(Diagnostic::new(
                Code::ArgumentCount,
                extra.value.span,
                message,
            ));
            return None;
        }
        let kind = MessageKind::Print {
            map: map?.0,
            top,
            divisor,
        };
        self.tell(call.place, kind, Vec::new(), actions)
    }

    /// A number from `least` on that is known before the script runs.
    fn count(&mut self, call: &Call, arg: &Arg, what: &str, least: i64) -> Option<i64> {
        if let Some(Constant::Number(Number {
            amount: Amount::Whole(number),
            ty: Type::Int,
        })) = self.constant(&arg.value)?
            && number >= least
        {
            return Some(number);
        }
        let message =
            format!("{what} is a number that is known before the script runs: {least} or more");
        let name = &call.function.text;
        self.errors.push(
            Diagnostic::new(Code::NotConstant, arg.value.span, message)
                .help(format!("such as `{name}(@x, 10)`, or a `param`")),
        );
        None
    }

    /// `tabulate("title", @a, @b, sort="@b", limit=20)`
    pub(super) fn tabulate(&mut self, call: &Call, actions: &mut Vec<Action>) -> Option<()> {
        const EXAMPLE: &str = "`tabulate(\"files\", @opens, @bytes, sort=\"@bytes\", limit=20)`";
        let (named, plain): (Vec<&Arg>, Vec<&Arg>) =
            call.args.iter().partition(|arg| arg.name.is_some());
        let [title, maps @ ..] = plain.as_slice() else {
            return self.takes(call, "a title and maps", EXAMPLE);
        };
        if maps.is_empty() || maps.len() > MAX_MAPS {
            let takes = format!("a title and 1 to {MAX_MAPS} maps");
            return self.takes(call, &takes, EXAMPLE);
        }
        let title = self.format(call, title)?;
        let mut ids: Vec<MapId> = Vec::new();
        for map in maps {
            ids.push(self.whole(call, map)?);
        }
        self.same_keys(&ids, maps)?;
        let (mut sort, mut limit) = (None, None);
        for arg in named {
            let name = arg.name.as_ref()?;
            match name.text.as_str() {
                "sort" => sort = Some(self.sorted_by(arg, &ids)?),
                "limit" => {
                    let rows = self.count(call, arg, "how many rows `tabulate()` shows", 1)?;
                    limit = usize::try_from(rows).ok();
                }
                _ => {
                    let message = format!("`tabulate()` has no argument called `{}`", name.text);
                    let error = Diagnostic::new(Code::BadArgument, name.span, message);
                    self.errors
                        .push(did_you_mean(error, &name.text, ["sort", "limit"]));
                    return None;
                }
            }
        }
        let kind = MessageKind::Tabulate {
            title,
            maps: ids.iter().map(|map| map.0).collect(),
            sort,
            limit,
        };
        self.tell(call.place, kind, Vec::new(), actions)
    }

    /// The index among the maps of the one that rows are sorted by.
    fn sorted_by(&mut self, arg: &Arg, maps: &[MapId]) -> Option<usize> {
        let name = match &arg.value.kind {
            ExprKind::Map(name) => Some(name.clone()),
            _ => self.text_of(&arg.value),
        };
        let names: Vec<String> = maps
            .iter()
            .map(|map| self.maps[map.0].name.clone())
            .collect();
        let found = name
            .as_ref()
            .and_then(|name| names.iter().position(|known| known == name));
        if found.is_none() {
            let message = "`tabulate()` sorts by one of its maps";
            self.errors.push(
                Diagnostic::new(Code::BadArgument, arg.value.span, message)
                    .help(format!("they are {}", names.join(", "))),
            );
        }
        found
    }

    /// Maps that stand side by side have the same keys.
    fn same_keys(&mut self, maps: &[MapId], args: &[&Arg]) -> Option<()> {
        let types = |checker: &Self, map: &MapId| -> Option<Vec<Type>> {
            let types = checker.key_types(*map)?;
            // Texts of different room are compared as texts.
            let alike = |ty| match ty {
                Type::Text(_) => Type::Text(8),
                ty => ty,
            };
            Some(types.into_iter().map(alike).collect())
        };
        let first = types(self, maps.first()?);
        for (map, arg) in maps.iter().zip(args) {
            let these = types(self, map);
            if let (Some(first), Some(these)) = (&first, &these)
                && first != these
            {
                let message =
                    "maps that stand side by side have the same keys, and this one has others";
                self.errors
                    .push(Diagnostic::new(Code::TwoWays, arg.value.span, message));
                return None;
            }
        }
        Some(())
    }
}
