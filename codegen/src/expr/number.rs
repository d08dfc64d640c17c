//! Numbers.

use ewapa_lang::builtin::NONE;
use ewapa_lang::plan::{BinaryOp, Expr, ExprKind, SlotId, StoreId};
use ewapa_lang::types::Type;

use super::{is_leaf, size};
use crate::compiler::{Compiler, Place};
use crate::insn::{Alu, Cond, Label, R0, R1, R2, Reg};

impl Compiler<'_> {
    /// Goes to `none` if any operand of the arithmetic has no value. The sides of a choice and the keys
    /// of a map do not matter before they are evaluated, nor what conditions are made of.
    pub(super) fn check_none(&mut self, expr: &Expr, none: Label) {
        let mut places = Vec::new();
        self.nullable(expr, &mut places);
        for place in places {
            self.load(R1, place);
            self.asm.constant(R2, NONE);
            self.asm.jump_if(Cond::Eq, R1, R2, none);
        }
    }

    fn nullable(&self, expr: &Expr, places: &mut Vec<Place>) {
        match &expr.kind {
            ExprKind::Negate(inner)
            | ExprKind::BitNot(inner)
            | ExprKind::Cast { value: inner, .. }
            | ExprKind::Read { address: inner, .. } => self.nullable(inner, places),
            ExprKind::Binary(_, left, right) if expr.ty != Type::Bool => {
                self.nullable(left, places);
                self.nullable(right, places);
            }
            // At a raw event the record may be of no call.
            ExprKind::Builtin(builtin) if !builtin.nullable && self.raw.is_none() => {}
            ExprKind::Variable(variable) if !self.block.optional[variable.0] => {}
            _ => places.extend(self.place_of(expr).filter(|place| !places.contains(place))),
        }
    }

    /// A number or condition into `r0`. Its operands have been checked by [`Compiler::check_none`].
    pub(super) fn number(&mut self, expr: &Expr, none: Label) {
        if is_leaf(expr) {
            return self.leaf(R0, expr);
        }
        match &expr.kind {
            ExprKind::Negate(inner) => {
                self.number(inner, none);
                self.asm.alu_imm(Alu::Neg, R0, 0);
            }
            ExprKind::Choose {
                condition,
                then,
                otherwise,
            } => self.choose(
                condition,
                |compiler| compiler.value(then, none),
                |compiler| compiler.value(otherwise, none),
            ),
            ExprKind::BitNot(inner) => {
                self.number(inner, none);
                self.asm.alu_imm(Alu::Xor, R0, -1);
            }
            ExprKind::Cast {
                value,
                bytes,
                signed,
            } => {
                self.number(value, none);
                self.cut(*bytes, *signed);
            }
            ExprKind::Map { store, slot, keys } => self.map_value(*store, *slot, keys),
            ExprKind::Read {
                address,
                size,
                signed,
                space,
            } => self.read(address, (*size, *signed), *space, none),
            ExprKind::Kernel(value) => self.kernel_value(*value),
            ExprKind::Context {
                offset,
                size,
                signed,
            } => self.context(*offset, *size, *signed),
            ExprKind::ContextAddress { offset, indirect } => {
                self.context_address(*offset, *indirect);
            }
            ExprKind::Stack => self.stack(expr.ty, none),
            ExprKind::Length(text) => self.length(text),
            ExprKind::Depth(stack) => self.depth(*stack, none),
            ExprKind::Rows(store) => self.rows(*store),
            _ if expr.ty == Type::Bool => self.truth(expr, false, none),
            ExprKind::Binary(op, left, right) => {
                self.operands(left, right, none);
                match op {
                    BinaryOp::Add => self.asm.alu(Alu::Add, R0, R1),
                    BinaryOp::Sub => self.asm.alu(Alu::Sub, R0, R1),
                    BinaryOp::Mul => self.asm.alu(Alu::Mul, R0, R1),
                    BinaryOp::Div if expr.ty == Type::Unsigned => self.asm.alu(Alu::Div, R0, R1),
                    BinaryOp::Div => self.asm.alu_signed(Alu::Div, R0, R1),
                    BinaryOp::Rem if expr.ty == Type::Unsigned => self.asm.alu(Alu::Mod, R0, R1),
                    BinaryOp::Rem => self.asm.alu_signed(Alu::Mod, R0, R1),
                    BinaryOp::BitAnd => self.asm.alu(Alu::And, R0, R1),
                    BinaryOp::BitOr => self.asm.alu(Alu::Or, R0, R1),
                    BinaryOp::BitXor => self.asm.alu(Alu::Xor, R0, R1),
                    BinaryOp::Shl => self.asm.alu(Alu::Lsh, R0, R1),
                    BinaryOp::Shr if expr.ty == Type::Unsigned => self.asm.alu(Alu::Rsh, R0, R1),
                    BinaryOp::Shr => self.asm.alu(Alu::Arsh, R0, R1),
                    _ => unreachable!("the checker makes conditions of type bool"),
                }
            }
            _ => unreachable!("the checker makes numbers of numbers"),
        }
    }

    /// The left value into `r0`, the right one into `r1`. Both have been checked by
    /// [`Compiler::check_none`].
    pub(super) fn operands(&mut self, left: &Expr, right: &Expr, none: Label) {
        if is_leaf(right) {
            self.number(left, none);
            self.leaf(R1, right);
        } else if is_leaf(left) {
            self.number(right, none);
            self.asm.mov(R1, R0);
            self.leaf(R0, left);
        } else if size(left) >= size(right) {
            // The larger side first: then the depth of the stack grows with the logarithm of the size.
            let mark = self.frame.mark();
            let slot = self.spill(left, none);
            self.number(right, none);
            self.asm.mov(R1, R0);
            self.load(R0, slot);
            self.frame.release(mark);
        } else {
            let mark = self.frame.mark();
            let slot = self.spill(right, none);
            self.number(left, none);
            self.load(R1, slot);
            self.frame.release(mark);
        }
    }

    fn spill(&mut self, expr: &Expr, none: Label) -> Place {
        self.number(expr, none);
        self.keep()
    }

    /// Cuts `r0` down to so many bytes.
    pub(super) fn cut(&mut self, bytes: u8, signed: bool) {
        let rest = 64 - 8 * i32::from(bytes.min(8));
        if rest > 0 {
            let back = if signed { Alu::Arsh } else { Alu::Rsh };
            self.asm.alu_imm(Alu::Lsh, R0, rest);
            self.asm.alu_imm(back, R0, rest);
        }
    }

    /// Loads a constant, a field or a variable without touching other registers.
    fn leaf(&mut self, into: Reg, expr: &Expr) {
        match (&expr.kind, self.place_of(expr)) {
            (_, Some(place)) => self.load(into, place),
            (ExprKind::Const(value), None) => self.asm.constant(into, *value),
            _ => unreachable!("only called for leaves"),
        }
    }

    /// What a map holds for a key, 0 if it has none. A key that is none is a key of its own.
    fn map_value(&mut self, store: StoreId, slot: SlotId, keys: &[Expr]) {
        let (mark, end) = (self.frame.mark(), self.asm.label());
        let layout = &self.parts.stores[store.0];
        let key = self.key(layout, keys);
        self.look_up(&layout.map, key);
        self.asm.jump_if_imm(Cond::Eq, R0, 0, end);
        let slot = i16::try_from(layout.slots[slot.0]).expect("slots of one word come first");
        self.asm.load(R0, R0, slot);
        self.asm.place(end);
        self.frame.release(mark);
    }
}
