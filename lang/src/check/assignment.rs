//! Assignments: what variables and maps are given.

use crate::ast::{self, BinaryOp, ExprKind, Name};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Action, SlotId};
use crate::span::Span;

use super::Checker;
use super::comparison::adapt;
use super::typing::arithmetic;
use super::value::{Position, Value, binary, operator};

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
            let value = self.kept(value);
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
        let value = self.kept(value)?;
        self.number_in(map, true, place)?;
        let value = self.fit_map(value, map)?.expr;
        let keys = keys?;
        actions.push(self.recorded(map, keys, vec![Some(value)], place));
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
            let old = self.variable(name, target.span);
            let value = self.kept(value);
            let Some(old) = old else {
                if counts {
                    self.hint_variable(name, value?);
                }
                return None;
            };
            let value = value?;
            let value = self.changed(op, old, value, place);
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
        let value = self.kept(value);
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
        let planned = operator(op)?;
        let ty = self.report(arithmetic(op, old.operand(), value.operand()))?;
        Some(Value::new(binary(planned, old, value), ty, place))
    }

    fn assign_variable(
        &mut self,
        name: &str,
        place: Span,
        value: Option<Value>,
        actions: &mut Vec<Action>,
    ) -> Option<()> {
        let variable = self.assigned_variable(name, place)?;
        let value = self.fit_variable(value?, variable, name)?.expr;
        self.spend(&value, place);
        actions.push(Action::Assign { variable, value });
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
        let value = value.map(|value| self.kept(value));
        self.declared_variable(&name.text, name.span)?;
        if let Some(ty) = ty {
            self.not_yet(ty.span, "a type after `let` is");
        }
        match value {
            Some(value) => self.assign_variable(&name.text, name.span, value, actions),
            None => Some(()),
        }
    }

    /// A value that a variable or map can keep.
    fn kept(&mut self, expr: &ast::Expr) -> Option<Value> {
        let value = self.value(expr, Position::Statement)?;
        if value.expr.ty.is_text() {
            self.not_yet(value.span, "keeping a text in a variable or map is");
            if let Some(error) = self.errors.last_mut() {
                error.help.push(
                    "a text can be a key, `@x[comm]`, and be printed, `printf(\"%s\", comm)`"
                        .to_owned(),
                );
            }
            return None;
        }
        Some(value)
    }
}

fn negative(expr: plan::Expr) -> plan::Expr {
    let ty = expr.ty;
    let kind = match expr.kind {
        plan::ExprKind::Const(value) => plan::ExprKind::Const(value.wrapping_neg()),
        kind => plan::ExprKind::Negate(Box::new(plan::Expr { kind, ty })),
    };
    plan::Expr { kind, ty }
}
