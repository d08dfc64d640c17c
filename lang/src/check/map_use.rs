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
        let is_extreme = matches!(
            value,
            MapValue::Aggregate(Aggregate::Min { .. } | Aggregate::Max { .. })
        );
        let of = match summary.value {
            Some(value) => {
                let value = self.fit_map(value, map)?.expr;
                let turns = is_extreme && value.ty == Type::Unsigned;
                Some(if turns { turned(value) } else { value })
            }
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
        if let Some(aggregate) = self.computed_aggregate(map) {
            let ty = self.maps[map.0].value.ty()?;
            let kind = read_aggregate(aggregate, self.store(map), &keys?, ty)?;
            return Some(Compound::One(Value::new(kind, ty, span)));
        }
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

    /// The aggregate of a map whose value is computed of its slots when it is read.
    fn computed_aggregate(&self, map: MapId) -> Option<Aggregate> {
        match &self.maps[map.0].holds {
            Some((
                Holds::Aggregate {
                    value:
                        MapValue::Aggregate(
                            aggregate @ (Aggregate::Avg { .. }
                            | Aggregate::Min { .. }
                            | Aggregate::Max { .. }),
                        ),
                    ..
                },
                _,
            )) => Some(*aggregate),
            _ => None,
        }
    }

    /// Whether a map holds an aggregate that does not become a number when it is read.
    pub(super) fn is_only_printed(&self, map: MapId) -> bool {
        match &self.maps[map.0].holds {
            Some((Holds::Aggregate { value, .. }, _)) => !matches!(
                value,
                MapValue::Aggregate(Aggregate::Count { .. } | Aggregate::Sum { .. })
            ),
            _ => false,
        }
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
            let counted = name.trim_start_matches('@');
            let message = format!(
                "`{name}` is {}, which cannot be read like a number",
                holds.name()
            );
            let error = Diagnostic::new(Code::AggregateRead, span, message)
                .also(*place, "an aggregate is put in here")
                .help(format!(
                    "`count()`, `sum()`, `avg()`, `min()` and `max()` can be read, others are only printed; keep what is read in a map of its own: `@{counted}_last = …`"
                ));
            self.errors.push(error);
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

/// A number with its highest bit inverted: then the order of signed numbers is that of unsigned ones, and the
/// other way round. The extremes of unsigned numbers are kept so.
pub(super) fn turned(value: Expr) -> Expr {
    let ty = value.ty;
    let highest = Expr {
        kind: plan::ExprKind::Const(i64::MIN),
        ty,
    };
    let kind = plan::ExprKind::Binary(plan::BinaryOp::BitXor, Box::new(value), Box::new(highest));
    Expr { kind, ty }
}

/// The value of an aggregate in a map; 0 if there is none.
fn read_aggregate(
    aggregate: Aggregate,
    store: plan::StoreId,
    keys: &[Expr],
    ty: Type,
) -> Option<plan::ExprKind> {
    let expr = |kind, ty| Expr { kind, ty };
    let slot = |slot, ty| {
        let keys = keys.to_vec();
        Box::new(expr(plan::ExprKind::Map { store, slot, keys }, ty))
    };
    let number = |number, ty| Box::new(expr(plan::ExprKind::Const(number), ty));
    let (extreme, values, is_min) = match aggregate {
        Aggregate::Avg { sum, values } => {
            let counted = match ty {
                Type::Unsigned => Type::Unsigned,
                _ => Type::Int,
            };
            let (sum, count) = (slot(sum, ty), slot(values, counted));
            return Some(plan::ExprKind::Binary(plan::BinaryOp::Div, sum, count));
        }
        Aggregate::Min { min, values } => (min, values, true),
        Aggregate::Max { max, values } => (max, values, false),
        _ => return None,
    };
    // As extremes are kept: in the order of unsigned numbers, the smallest as the complement.
    let kept = *slot(extreme, ty);
    let value = match is_min {
        true => expr(plan::ExprKind::BitNot(Box::new(kept)), ty),
        false => kept,
    };
    let value = if ty == Type::Unsigned {
        value
    } else {
        turned(value)
    };
    let zero = number(0, Type::Int);
    let any = plan::ExprKind::Binary(plan::BinaryOp::Ne, slot(values, Type::Int), zero);
    Some(plan::ExprKind::Choose {
        condition: Box::new(expr(any, Type::Bool)),
        then: Box::new(value),
        otherwise: number(0, ty),
    })
}
