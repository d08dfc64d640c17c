//! Conditions: jumps, and values 0 and 1.

use ewapa_lang::builtin::NONE;
use ewapa_lang::plan::{BinaryOp, Expr, ExprKind, StoreId};
use ewapa_lang::types::{Enumeration, Type};

use super::is_word;
use crate::compiler::{Compiler, Place};
use crate::insn::{Alu, Cond, Label, R0, R1};
use crate::program::names_of;

impl Compiler<'_> {
    /// Goes to `target` if the condition evaluates to `when`, else falls through.
    pub fn branch(&mut self, condition: &Expr, target: Label, when: bool) {
        self.branch_if(condition, false, target, when);
    }

    /// Goes to `target` if the condition, or its negation, evaluates to `when`. That is not the same as the
    /// condition and `!when`: what has no value is not true, and its negation is not either.
    fn branch_if(&mut self, condition: &Expr, negated: bool, target: Label, when: bool) {
        match &condition.kind {
            ExprKind::Const(value) => {
                if ((*value != 0) != negated) == when {
                    self.asm.jump(target);
                }
            }
            ExprKind::Not(inner) => self.branch_if(inner, !negated, target, when),
            ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), left, right) => {
                let when = when != negated;
                // `a && b` decides early when a is false, `a || b` when a is true.
                let early = *op == BinaryOp::Or;
                if early == when {
                    self.branch(left, target, when);
                    self.branch(right, target, when);
                } else {
                    let skip = self.asm.label();
                    self.branch(left, skip, early);
                    self.branch(right, target, when);
                    self.asm.place(skip);
                }
            }
            ExprKind::Binary(op, left, right) => {
                self.compare(*op, left, right, target, when != negated);
            }
            ExprKind::Choose {
                condition,
                then,
                otherwise,
            } => self.choose(
                condition,
                |compiler| compiler.branch_if(then, negated, target, when),
                |compiler| compiler.branch_if(otherwise, negated, target, when),
            ),
            ExprKind::SamePrefix { left, right, bytes } => {
                self.compare_prefix(left, right, *bytes, target, when != negated);
            }
            ExprKind::Contains { text, part } => {
                self.contains(text, part, target, when != negated);
            }
            ExprKind::IsNone(inner) => self.is_none(inner, target, when != negated),
            ExprKind::Named { value, test } => {
                self.is_named(value, *test, target, when != negated);
            }
            ExprKind::HasKey { store, keys } => {
                self.has_key(*store, keys, target, when != negated);
            }
            _ => {
                let end = self.asm.label();
                self.number(condition, if when { end } else { target });
                let cond = if when { Cond::Eq } else { Cond::Ne };
                self.asm.jump_if_imm(cond, R0, i32::from(!negated), target);
                self.asm.place(end);
            }
        }
    }

    fn compare(&mut self, op: BinaryOp, left: &Expr, right: &Expr, target: Label, when: bool) {
        if left.ty.is_text() {
            return self.compare_text(left, right, target, (op == BinaryOp::Eq) == when);
        }
        let end = self.asm.label();
        // A comparison with a value that is none is false.
        let none = if when { end } else { target };
        self.check_none(left, none);
        self.check_none(right, none);
        self.operands(left, right, none);
        if left.ty == Type::Enum(Enumeration::Runtime) {
            self.asm.alu_imm(Alu::And, R0, 0xff);
            self.asm.alu_imm(Alu::And, R1, 0xff);
        }
        let unsigned = left.ty == Type::Unsigned && right.ty == Type::Unsigned;
        let cond = match op {
            BinaryOp::Eq => Cond::Eq,
            BinaryOp::Ne => Cond::Ne,
            BinaryOp::Lt if unsigned => Cond::Lt,
            BinaryOp::Lt => Cond::Slt,
            BinaryOp::Le if unsigned => Cond::Le,
            BinaryOp::Le => Cond::Sle,
            BinaryOp::Gt if unsigned => Cond::Gt,
            BinaryOp::Gt => Cond::Sgt,
            BinaryOp::Ge if unsigned => Cond::Ge,
            BinaryOp::Ge => Cond::Sge,
            _ => unreachable!("the checker makes comparisons of type bool"),
        };
        let cond = if when { cond } else { cond.negate() };
        self.asm.jump_if(cond, R0, R1, target);
        self.asm.place(end);
    }

    /// Goes to `target` if that the value is none is `when`.
    fn is_none(&mut self, expr: &Expr, target: Label, when: bool) {
        let end = self.asm.label();
        if is_word(expr.ty) {
            self.value(expr, if when { target } else { end });
            if !when {
                self.asm.jump(target);
            }
        } else {
            // A text or buffer that is none is empty: its first word is 0.
            let mark = self.frame.mark();
            let place = self.place_of(expr).unwrap_or_else(|| {
                let bytes = expr.ty.size();
                let place = Place::stack(self.frame.take(bytes));
                self.copy(expr, place, bytes);
                place
            });
            self.load(R0, place);
            match expr.ty {
                Type::Address(_) => self.asm.constant(R1, NONE),
                _ => self.asm.constant(R1, 0),
            }
            let cond = if when { Cond::Eq } else { Cond::Ne };
            self.asm.jump_if(cond, R0, R1, target);
            self.frame.release(mark);
        }
        self.asm.place(end);
    }

    /// Goes to `target` if that the name of a value passes a test is `when`. The answers for a name are the bits
    /// of its word in a map.
    fn is_named(&mut self, value: &Expr, test: usize, target: Label, when: bool) {
        let Type::Enum(of) = value.ty else {
            unreachable!("the checker asks for names of what has some");
        };
        let (mark, end) = (self.frame.mark(), self.asm.label());
        let no = if when { end } else { target };
        self.value(value, no);
        let key = self.keep();
        self.look_up(names_of(of), key.offset);
        self.asm.jump_if_imm(Cond::Eq, R0, 0, no);
        self.asm.load(R0, R0, 0);
        self.asm.constant(R1, 1 << test);
        self.asm.alu(Alu::And, R0, R1);
        let cond = if when { Cond::Ne } else { Cond::Eq };
        self.asm.jump_if_imm(cond, R0, 0, target);
        self.asm.place(end);
        self.frame.release(mark);
    }

    /// Goes to `target` if that the map has the key is `when`.
    fn has_key(&mut self, store: StoreId, keys: &[Expr], target: Label, when: bool) {
        let mark = self.frame.mark();
        let layout = &self.parts.stores[store.0];
        let key = self.key(layout, keys);
        self.look_up(&layout.map, key);
        let cond = if when { Cond::Ne } else { Cond::Eq };
        self.asm.jump_if_imm(cond, R0, 0, target);
        self.frame.release(mark);
    }

    /// A condition, or its negation, as a value: 0 or 1; goes to `none` if it has none.
    pub(super) fn truth(&mut self, expr: &Expr, negated: bool, none: Label) {
        match &expr.kind {
            ExprKind::Not(inner) => self.truth(inner, !negated, none),
            ExprKind::Builtin(_) | ExprKind::Variable(_) | ExprKind::Map { .. } => {
                self.value(expr, none);
                if negated {
                    self.asm.alu_imm(Alu::Xor, R0, 1);
                }
            }
            ExprKind::Choose {
                condition,
                then,
                otherwise,
            } => self.choose(
                condition,
                |compiler| compiler.truth(then, negated, none),
                |compiler| compiler.truth(otherwise, negated, none),
            ),
            _ => {
                let (yes, end) = (self.asm.label(), self.asm.label());
                self.branch_if(expr, negated, yes, true);
                self.asm.constant(R0, 0);
                self.asm.jump(end);
                self.asm.place(yes);
                self.asm.constant(R0, 1);
                self.asm.place(end);
            }
        }
    }
}
