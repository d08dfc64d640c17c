//! What is done with maps: updates, and the numbers that are read.

use crate::ast;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Action, Aggregate, Expr, MapValue, Record, SlotId, SlotKind, Update};
use crate::span::Span;
use crate::types::Type;

use super::Checker;
use super::aggregate::only_in_tables;
use super::learnt::Learnt;
use super::map::{Holds, MapId};
use super::name::did_you_mean;
use super::tuple::{Compound, Form};
use super::value::Value;

impl Checker<'_> {
    /// `@x[keys] = sum(value)`
    pub(super) fn aggregated(
        &mut self,
        map: MapId,
        keys: Option<Vec<Expr>>,
        function: &ast::Name,
        args: &[ast::Arg],
        place: Span,
    ) -> Option<Action> {
        if only_in_tables(&function.text) {
            return self.refused(function.span, &format!("`{}()` in a map is", function.text));
        }
        let summary = self.summary(function, args, place)?;
        let adds_up = matches!(function.text.as_str(), "count" | "sum");
        if self.maps[map.0].read && adds_up {
            self.number_in(map, false, place)?;
            if self.is_assigned(map) {
                let name = &self.maps[map.0].name;
                let message = format!(
                    "`{name}` is `{}()` here and assigned elsewhere",
                    function.text
                );
                self.errors.push(
                    Diagnostic::new(Code::TwoWays, place, message)
                        .help("a map holds one thing in the whole script; use two maps"),
                );
                return None;
            }
            let one = || Value::new(plan::ExprKind::Const(1), Type::Int, place);
            let value = self.fit_map(summary.value.unwrap_or_else(one), map)?;
            return Some(self.recorded(map, keys?, vec![Some(value.expr)], place));
        }
        let mut slots = Vec::new();
        let value = summary.shape.in_map(&mut |kind| {
            slots.push(kind);
            SlotId(slots.len() - 1)
        });
        let counts = slots == [SlotKind::Count];
        let values = slots.len();
        let name = format!("{}()", function.text);
        self.hold(map, Holds::Aggregate { name, value, slots }, place)?;
        let of = match summary.value {
            Some(value) => Some(self.fit_map(value, map)?.expr),
            None => {
                self.news |= self.maps[map.0].value.learn(Type::Int, place);
                None
            }
        };
        let values = if counts { vec![None] } else { vec![of; values] };
        Some(self.recorded(map, keys?, values, place))
    }

    /// The update of a map's slots with one value each.
    pub(super) fn recorded(
        &mut self,
        map: MapId,
        keys: Vec<Expr>,
        values: Vec<Option<Expr>>,
        place: Span,
    ) -> Action {
        for expr in keys.iter().chain(values.iter().flatten()) {
            self.spend(expr, place);
        }
        let update = |(slot, value)| Update {
            slot: SlotId(slot),
            value,
            condition: None,
        };
        Action::Record(Record {
            store: self.store(map),
            keys,
            updates: values.into_iter().enumerate().map(update).collect(),
        })
    }

    /// What a map holds for a key, in an expression.
    pub(super) fn map_value(
        &mut self,
        name: &str,
        keys: &[ast::Expr],
        span: Span,
    ) -> Option<Compound> {
        let map = self.map(name, span)?;
        let keys = self.keys(map, keys, span);
        self.filled(map, span)?;
        self.readable(map, span)?;
        let known = &self.maps[map.0];
        let form = match &known.holds {
            Some((Holds::Tuple(form), _)) => form.clone(),
            _ => Form::One,
        };
        let types: Option<Vec<Type>> = match form {
            Form::One => known.value.ty().map(|ty| vec![ty]),
            Form::Tuple(_) => known.parts.iter().map(Learnt::ty).collect(),
        };
        let (types, keys) = (types?, keys?);
        let store = self.store(map);
        let mut values = types.into_iter().enumerate().map(|(slot, ty)| {
            let kind = plan::ExprKind::Map {
                store,
                slot: SlotId(slot),
                keys: keys.clone(),
            };
            Value::new(kind, ty, span)
        });
        form.of(&mut values, span)
    }

    /// Whether the values of a map can be read. What counts or adds up becomes a number that can be.
    pub(super) fn readable(&mut self, map: MapId, span: Span) -> Option<()> {
        let known = &mut self.maps[map.0];
        let name = known.name.clone();
        if !known.read {
            known.read = true;
            self.news = true;
        }
        if let Some((holds @ Holds::Aggregate { value, .. }, place)) = &known.holds {
            if matches!(
                value,
                MapValue::Aggregate(Aggregate::Count { .. } | Aggregate::Sum { .. })
            ) {
                known.holds = Some((Holds::Number { assigned: false }, *place));
                self.news = true;
                return Some(());
            }
            let message = format!(
                "`{name}` is {}, which cannot be read like a number",
                holds.name()
            );
            let error = Diagnostic::new(Code::AggregateRead, span, message)
                .also(*place, "an aggregate is put in here");
            let counted = name.trim_start_matches('@');
            self.errors.push(error.help(format!(
                "`count()` and `sum()` can be read, others are only printed; keep what is read in a map of its own: `@{counted}_last = …`"
            )));
            return None;
        }
        Some(())
    }

    /// Reports that nothing is ever put into a map, once.
    pub(super) fn filled(&mut self, map: MapId, place: Span) -> Option<()> {
        let known = &mut self.maps[map.0];
        if self.written.contains(&known.name) {
            return Some(());
        }
        if !known.reported {
            known.reported = true;
            let name = known.name.clone();
            let error = Diagnostic::new(
                Code::NeverFilled,
                place,
                format!("nothing is ever put into `{name}`"),
            );
            let error = did_you_mean(error, &name, self.written.iter().map(String::as_str));
            self.errors.push(error.help(format!(
                "put something into it in a probe block: `{name} = 1`, `{name}++` or `{name} = count()`"
            )));
        }
        None
    }
}
