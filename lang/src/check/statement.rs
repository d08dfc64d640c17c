//! Statements: what a probe block does, in order.

use crate::ast::{self, BinaryOp, Block, ExprKind, Statement, StatementKind};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::Action;
use crate::span::Span;
use crate::types::Type;

use super::value::Position;
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
            StatementKind::Assign { target, op, value } => match op {
                None => self.assignment(target, value, place, actions),
                Some(op) => self.change(target, *op, value, place, actions),
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
            StatementKind::For {
                variable,
                over,
                until,
                body,
            } => self.for_loop(variable, over, until.as_ref(), body, actions),
            StatementKind::While { condition, body } => self.while_loop(condition, body, actions),
            StatementKind::Unroll { times, body } => self.unroll(times, body, actions),
            StatementKind::Break => self.jump(Action::Break, place, actions),
            StatementKind::Continue => self.jump(Action::Continue, place, actions),
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
            // As in bpftrace, either side may do something instead of having a value.
            ExprKind::Ternary(condition, then, otherwise) => {
                let condition = self.condition(condition, Position::Condition);
                let (mut done, mut done_otherwise) = (Vec::new(), Vec::new());
                let first = self.expression_statement(then, then.span, &mut done);
                self.expression_statement(otherwise, otherwise.span, &mut done_otherwise)?;
                first?;
                actions.push(Action::If {
                    condition: condition?,
                    then: done,
                    otherwise: done_otherwise,
                });
                Some(())
            }
            _ => {
                self.compound(expr, Position::Statement)?;
                let error = Diagnostic::new(Code::NoEffect, expr.span, "this does nothing");
                self.errors.push(error.help(
                    "keep the value, `@x = …` or `$x = …`, or print it: `printf(\"%d\\n\", …)`",
                ));
                None
            }
        }
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

    pub(super) fn enter_if(&mut self, place: Span) -> bool {
        let Some(scope) = &mut self.scope else {
            return false;
        };
        if scope.ifs == MAX_IFS {
            let message = format!("`if` and loops nest more than {MAX_IFS} deep");
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
        Some(Action::Return | Action::Break | Action::Continue) => true,
        Some(Action::If {
            then, otherwise, ..
        }) => ends(then) && ends(otherwise),
        _ => false,
    }
}
