//! Statements: what a probe block does, in order.

use crate::ast::{self, BinaryOp, Block, ExprKind, Name, Statement, StatementKind};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Action};
use crate::span::Span;
use crate::types::Type;

use super::comparison::adapt;
use super::typing::arithmetic;
use super::value::{Position, Value, operator};
use super::{Checker, MAX_BLOCK_STATEMENTS, MAX_IFS, MAX_STATEMENTS};

impl Checker<'_> {
    /// Checks the statements of a block and appends what they do.
    pub(super) fn statements_of(&mut self, block: &Block, actions: &mut Vec<Action>) {
        if let Some(scope) = &mut self.scope {
            scope.enter();
        }
        for statement in &block.statements {
            if !self.count_statement(statement.span) {
                break;
            }
            // The kernel refuses code that is never reached.
            if ends(actions) {
                let mut unreachable = Vec::new();
                self.statement(statement, &mut unreachable);
            } else {
                self.statement(statement, actions);
            }
        }
        if let Some(scope) = &mut self.scope {
            scope.leave();
        }
    }

    /// Whether there is room for one more statement; the first one for which there is none is reported.
    fn count_statement(&mut self, place: Span) -> bool {
        let Some(scope) = &mut self.scope else {
            return false;
        };
        scope.statements += 1;
        self.statements += 1;
        let (in_block, in_script) = (scope.statements, self.statements);
        if in_block == MAX_BLOCK_STATEMENTS + 1 {
            self.too_many(
                place,
                format!("a block has at most {MAX_BLOCK_STATEMENTS} statements"),
            );
        } else if in_script == MAX_STATEMENTS + 1 {
            self.too_many(
                place,
                format!("the blocks of a script have at most {MAX_STATEMENTS} statements together"),
            );
        }
        in_block <= MAX_BLOCK_STATEMENTS && in_script <= MAX_STATEMENTS
    }

    fn statement(&mut self, statement: &Statement, actions: &mut Vec<Action>) -> Option<()> {
        let place = statement.span;
        match &statement.kind {
            StatementKind::Expr(expr) => self.expression_statement(expr, place, actions),
            StatementKind::Assign { target, op, value } => match (op, self.compound(*op, place)?) {
                (None, _) => self.assignment(target, value, place, actions),
                (Some(_), Some(op)) => self.change(target, op, value, place, actions),
                _ => None,
            },
            StatementKind::If {
                branches,
                otherwise,
            } => self.branches(branches, otherwise.as_ref(), place, actions),
            StatementKind::Let { name, ty, value } => {
                self.declaration(name, ty.as_ref(), value.as_ref(), actions)
            }
            StatementKind::Return(None) => {
                actions.push(Action::Return);
                Some(())
            }
            StatementKind::Return(Some(value)) => {
                self.refused(value.span, "a `return` with a value is")
            }
            StatementKind::Block(block) => {
                self.statements_of(block, actions);
                Some(())
            }
            StatementKind::For { over, .. } => self.no_loop(over.span, "`for` is"),
            StatementKind::While { condition, .. } => self.no_loop(condition.span, "`while` is"),
            StatementKind::Unroll { times, .. } => self.no_loop(times.span, "`unroll` is"),
            StatementKind::Break => self.refused(place, "`break` is"),
            StatementKind::Continue => self.refused(place, "`continue` is"),
        }
    }

    /// A loop is refused as a whole: what it assigns is not missed after it.
    fn no_loop(&mut self, place: Span, what: &str) -> Option<()> {
        if let Some(scope) = &mut self.scope {
            scope.incomplete = true;
        }
        self.refused(place, what)
    }

    /// The operator of a compound assignment that this version runs; none inside for a plain one.
    fn compound(&mut self, op: Option<BinaryOp>, place: Span) -> Option<Option<BinaryOp>> {
        match op {
            Some(op) if operator(op).is_none() => {
                self.refused(place, &format!("`{}=` is", op.text()))
            }
            op => Some(op),
        }
    }

    fn expression_statement(
        &mut self,
        expr: &ast::Expr,
        place: Span,
        actions: &mut Vec<Action>,
    ) -> Option<()> {
        match &expr.kind {
            ExprKind::Call { function, args } => {
                self.call_statement(function, args, expr.span, actions)
            }
            ExprKind::Step { target, up, .. } => {
                let op = if *up { BinaryOp::Add } else { BinaryOp::Sub };
                let one = ast::Expr {
                    kind: ExprKind::Number(ast::Number {
                        amount: ast::Amount::Whole(1),
                        ty: Type::Int,
                    }),
                    span: expr.span,
                };
                self.change(target, op, &one, place, actions)
            }
            ExprKind::Ternary(..) => self.refused(
                expr.span,
                "`? :` that does something, instead of having a value, is",
            ),
            _ => {
                self.value(expr, Position::Statement)?;
                let error = Diagnostic::new(Code::NoEffect, expr.span, "this does nothing");
                self.errors.push(error.help(
                    "keep the value, `@x = …` or `$x = …`, or print it: `printf(\"%d\\n\", …)`",
                ));
                None
            }
        }
    }

    /// `$x = value`, `@x[key] = value` or `@x[key] = count()`.
    fn assignment(
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
    fn change(
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
        Some(Value::new(
            super::value::binary(planned, old, value),
            ty,
            place,
        ))
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
    fn declaration(
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
        if value.expr.ty == Type::Text {
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

    fn branches(
        &mut self,
        branches: &[(ast::Expr, Block)],
        otherwise: Option<&Block>,
        place: Span,
        actions: &mut Vec<Action>,
    ) -> Option<()> {
        if !self.enter_if(place) {
            return None;
        }
        let mut checked = Vec::new();
        for (index, (condition, body)) in branches.iter().enumerate() {
            if index > 0 && !self.count_statement(condition.span) {
                break;
            }
            let condition = self.condition(condition, Position::Condition);
            let mut then = Vec::new();
            self.statements_of(body, &mut then);
            checked.push((condition, then));
        }
        let mut rest = Vec::new();
        if let Some(otherwise) = otherwise {
            self.statements_of(otherwise, &mut rest);
        }
        if let Some(scope) = &mut self.scope {
            scope.ifs -= 1;
        }
        for (condition, then) in checked.into_iter().rev() {
            rest = vec![Action::If {
                condition: condition?,
                then,
                otherwise: rest,
            }];
        }
        actions.append(&mut rest);
        Some(())
    }

    fn enter_if(&mut self, place: Span) -> bool {
        let Some(scope) = &mut self.scope else {
            return false;
        };
        if scope.ifs == MAX_IFS {
            let message = format!("`if` nests more than {MAX_IFS} deep");
            self.errors.push(
                Diagnostic::new(Code::TooDeep, place, message)
                    .help("join conditions with `&&`, or leave early with `return`"),
            );
            return false;
        }
        scope.ifs += 1;
        true
    }
}

/// Whether nothing after these actions is ever reached.
fn ends(actions: &[Action]) -> bool {
    match actions.last() {
        Some(Action::Return) => true,
        Some(Action::If {
            then, otherwise, ..
        }) => ends(then) && ends(otherwise),
        _ => false,
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
