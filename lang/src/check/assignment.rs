//! Assignments: what variables and maps are given.

use crate::ast::{self, BinaryOp, ExprKind, Name};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Action, SlotId, VariableId};
use crate::span::Span;
use crate::types::Type;

use super::Checker;
use super::comparison::adapt;
use super::map::{Holds, MapId};
use super::number::cast;
use super::tuple::Compound;
use super::value::{Position, Value};

impl Checker<'_> {
    /// `$x = value`, `@x[key] = value` or `@x[key] = count()`.
    pub(super) fn assignment(
        &mut self,
        target: &ast::Expr,
        value: &ast::Expr,
        place: Span,
        actions: &mut Vec<Action>,
    ) -> Option<()> {
        if let ExprKind::Variable(name) = &target.kind {
            // The value comes first: it may not use a variable that has none yet.
            let value = self.compound(value, Position::Statement);
            return self.assign_variable(name, target.span, value, actions);
        }
        let (name, keys) = Self::place(target)?;
        let map = self.map(name, target.span)?;
        let keys = self.keys(map, keys, target.span);
        if let ExprKind::Call { function, args } = &value.kind
            && super::aggregate::is_aggregate(&function.text)
        {
            let record = self.aggregated(map, keys, function, args, value.span)?;
            actions.push(record);
            return Some(());
        }
        match self.compound(value, Position::Statement)? {
            Compound::One(value) => {
                self.number_in(map, true, place)?;
                let value = self.fit_map(value, map)?.expr;
                let keys = keys?;
                actions.push(self.recorded(map, keys, vec![Some(value)], place));
            }
            tuple => {
                let form = tuple.form();
                self.hold(map, Holds::Tuple(form), place)?;
                let values = self.fit_parts(tuple.values(), map)?;
                let keys = keys?;
                let values = values.into_iter().map(Some).collect();
                actions.push(self.recorded(map, keys, values, place));
            }
        }
        Some(())
    }

    /// `$x += value`, `@x[key]++` and the like.
    pub(super) fn change(
        &mut self,
        target: &ast::Expr,
        op: BinaryOp,
        value: &ast::Expr,
        place: Span,
        actions: &mut Vec<Action>,
    ) -> Option<()> {
        let counts = matches!(op, BinaryOp::Add | BinaryOp::Sub);
        if let ExprKind::Variable(name) = &target.kind {
            let old = self.single(target);
            let value = self.value(value, Position::Statement);
            let Some(old) = old else {
                if counts {
                    self.hint_variable(name, value?);
                }
                return None;
            };
            let value = value?;
            let value = self.changed(op, old, value, place).map(Compound::One);
            return self.assign_variable(name, target.span, value, actions);
        }
        let Some((name, keys)) = Self::place(target) else {
            let error = Diagnostic::new(
                Code::BadArgument,
                target.span,
                "only a variable or a map can be changed",
            );
            self.errors
                .push(error.help("a variable is `$x`, a map `@x` or `@x[key]`"));
            return None;
        };
        let map = self.map(name, target.span)?;
        let keys = self.keys(map, keys, target.span);
        let value = self.value(value, Position::Statement);
        self.number_in(map, !counts, place)?;
        let mut value = value?;
        let Some(ty) = self.map_type(map) else {
            // What is added decides about the type, as nothing else has done so.
            self.fit_map(value, map);
            return None;
        };
        let keys = keys?;
        let old = Value::new(
            plan::ExprKind::Map {
                store: self.store(map),
                slot: SlotId(0),
                keys: keys.clone(),
            },
            ty,
            target.span,
        );
        adapt(&mut value, ty);
        let changed = self.changed(op, old, value.clone(), place)?;
        let changed = self.fit_map(changed, map)?;
        let value = if self.is_assigned(map) {
            changed.expr
        } else if op == BinaryOp::Sub {
            negative(value.expr)
        } else {
            value.expr
        };
        actions.push(self.recorded(map, keys, vec![Some(value)], place));
        Some(())
    }

    /// `old op value`.
    fn changed(&mut self, op: BinaryOp, old: Value, value: Value, place: Span) -> Option<Value> {
        self.computed(op, old, value, place)
    }

    fn assign_variable(
        &mut self,
        name: &str,
        place: Span,
        value: Option<Compound>,
        actions: &mut Vec<Action>,
    ) -> Option<()> {
        let Some(value) = value else {
            // Its name is known from here on, so that it is not said to have no value.
            let is_tuple = self
                .scope
                .as_ref()
                .is_some_and(|scope| scope.is_tuple(name));
            if !self.learning && !is_tuple {
                self.assigned_variable(name, place)?;
            }
            return None;
        };
        let variables = self.assigned_variables(name, &value.form(), place)?;
        let values = value.values();
        // A part may be read by the next one: `$t = ($t.1, $t.0)`.
        let swaps = values.len() > 1
            && values.iter().any(|value| {
                reads_variable(&value.expr, &|read| {
                    variables.iter().any(|(_, variable)| *variable == read)
                })
            });
        if swaps {
            self.not_yet(place, "a tuple that is made of parts of itself is");
            return None;
        }
        let mut fitted = Vec::new();
        for (value, (name, variable)) in values.into_iter().zip(&variables) {
            fitted.push(self.fit_variable(value, *variable, name));
        }
        for (value, (_, variable)) in fitted.into_iter().zip(variables) {
            let value = value?.expr;
            self.spend(&value, place);
            actions.push(Action::Assign { variable, value });
        }
        Some(())
    }

    /// `let $x` and `let $x = value`.
    pub(super) fn declaration(
        &mut self,
        name: &Name,
        ty: Option<&Name>,
        value: Option<&ast::Expr>,
        actions: &mut Vec<Action>,
    ) -> Option<()> {
        if name.text.starts_with('@') {
            return self.refused(name.span, "declaring a map with `let` is");
        }
        let value = value.map(|value| self.compound(value, Position::Statement));
        let variable = self.declared_variable(&name.text, name.span)?;
        if let Some(ty) = ty {
            match cast(&ty.text) {
                Some((_, signed)) => {
                    let number = if signed { Type::Int } else { Type::Unsigned };
                    self.teach_variable(variable, number, ty.span);
                }
                None if ty.text == "bool" => self.teach_variable(variable, Type::Bool, ty.span),
                // A text has the room that its values need.
                None => {}
            }
        }
        match value {
            Some(value) => self.assign_variable(&name.text, name.span, value, actions),
            None => Some(()),
        }
    }

    /// The parts of a tuple as those that a map holds.
    fn fit_parts(&mut self, values: Vec<Value>, map: MapId) -> Option<Vec<plan::Expr>> {
        let mut fitted = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            fitted.push(self.fit_part(value, map, index));
        }
        fitted
            .into_iter()
            .map(|value| value.map(|value| value.expr))
            .collect()
    }
}

/// Whether an expression reads a variable that satisfies the predicate.
fn reads_variable(expr: &plan::Expr, predicate: &dyn Fn(VariableId) -> bool) -> bool {
    matches!(expr.kind, plan::ExprKind::Variable(variable) if predicate(variable))
        || expr
            .parts()
            .into_iter()
            .any(|part| reads_variable(part, predicate))
}

fn negative(expr: plan::Expr) -> plan::Expr {
    let ty = expr.ty;
    let kind = match expr.kind {
        plan::ExprKind::Const(value) => plan::ExprKind::Const(value.wrapping_neg()),
        kind => plan::ExprKind::Negate(Box::new(plan::Expr { kind, ty })),
    };
    plan::Expr { kind, ty }
}
