//! Expressions over the fields of a call. The call's address is in `r6`; values end in `r0`; `r1` to
//! `r3` are scratch; intermediate values wait on the stack.

use ewapa_lang::builtin::{Builtin, NONE, TEXT_LEN};
use ewapa_lang::plan::{BinaryOp, Expr, ExprKind};
use ewapa_lang::types::{Enumeration, Type};

use crate::insn::{Alu, Assembler, Cond, Label, R0, R1, R2, R6, R10};

/// The register that holds the address of the call.
pub const CALL: crate::insn::Reg = R6;

/// Compiles expressions into a function's code.
pub struct Compiler<'a> {
    /// The function's code.
    pub asm: &'a mut Assembler,
    /// The next free stack slot, as an offset from `r10`: it falls.
    pub stack: i16,
}

impl Compiler<'_> {
    /// Puts the value of a number-like expression into `r0`; goes to `none` if it has none.
    pub fn value(&mut self, expr: &Expr, none: Label) {
        if expr.ty == Type::Bool {
            self.truth(expr, none);
        } else {
            self.check_none(expr, none);
            self.number(expr);
        }
    }

    /// Goes to `target` if the condition evaluates to `when`, else falls through.
    pub fn branch(&mut self, condition: &Expr, target: Label, when: bool) {
        match &condition.kind {
            ExprKind::Const(value) => {
                if (*value != 0) == when {
                    self.asm.jump(target);
                }
            }
            ExprKind::Not(inner) => match &inner.kind {
                // A builtin that has no value is not true, and its negation is not either.
                ExprKind::Builtin(builtin) => self.branch_if_is(builtin, 0, target, when),
                ExprKind::Not(twice) => self.branch(twice, target, when),
                _ => self.branch(inner, target, !when),
            },
            ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), left, right) => {
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
            ExprKind::Binary(op, left, right) => self.compare(*op, left, right, target, when),
            ExprKind::Builtin(builtin) => self.branch_if_is(builtin, 1, target, when),
            _ => {
                unreachable!("the checker makes conditions of type bool")
            }
        }
    }

    /// Goes to `target` if that the builtin has this value is `when`.
    fn branch_if_is(&mut self, builtin: &Builtin, value: i32, target: Label, when: bool) {
        self.asm.load(R0, CALL, offset(builtin));
        let cond = if when { Cond::Eq } else { Cond::Ne };
        self.asm.jump_if_imm(cond, R0, value, target);
    }

    fn compare(&mut self, op: BinaryOp, left: &Expr, right: &Expr, target: Label, when: bool) {
        let end = self.asm.label();
        // A comparison with a value that is none is false.
        let none = if when { end } else { target };
        if left.ty == Type::Text {
            self.compare_text(op, left, right, target, when);
        } else {
            self.check_none(left, none);
            self.check_none(right, none);
            self.operands(left, right);
            if left.ty == Type::Enum(Enumeration::Runtime) {
                self.asm.alu_imm(Alu::And, R0, 0xff);
                self.asm.alu_imm(Alu::And, R1, 0xff);
            }
            let cond = match op {
                BinaryOp::Eq => Cond::Eq,
                BinaryOp::Ne => Cond::Ne,
                BinaryOp::Lt => Cond::Slt,
                BinaryOp::Le => Cond::Sle,
                BinaryOp::Gt => Cond::Sgt,
                BinaryOp::Ge => Cond::Sge,
                _ => unreachable!("the checker makes comparisons of type bool"),
            };
            self.asm
                .jump_if(if when { cond } else { cond.negate() }, R0, R1, target);
        }
        self.asm.place(end);
    }

    /// Compares eight bytes at a time; both sides are filled up with 0.
    fn compare_text(&mut self, op: BinaryOp, left: &Expr, right: &Expr, target: Label, when: bool) {
        let differ = self.asm.label();
        for word in 0..TEXT_LEN / 8 {
            self.text_word(R0, left, word);
            self.text_word(R1, right, word);
            self.asm.jump_if(Cond::Ne, R0, R1, differ);
        }
        let equal_is_true = op == BinaryOp::Eq;
        if equal_is_true == when {
            self.asm.jump(target);
            self.asm.place(differ);
        } else {
            let end = self.asm.label();
            self.asm.jump(end);
            self.asm.place(differ);
            self.asm.jump(target);
            self.asm.place(end);
        }
    }

    fn text_word(&mut self, into: crate::insn::Reg, text: &Expr, word: usize) {
        match &text.kind {
            ExprKind::Builtin(builtin) => {
                self.asm.load(into, CALL, offset(builtin) + 8 * word as i16)
            }
            ExprKind::Text(literal) => {
                let mut bytes = [0; TEXT_LEN];
                let len = literal.len().min(TEXT_LEN);
                bytes[..len].copy_from_slice(&literal.as_bytes()[..len]);
                let bytes = bytes[8 * word..8 * word + 8]
                    .try_into()
                    .expect("eight bytes");
                self.asm.constant(into, i64::from_ne_bytes(bytes));
            }
            _ => unreachable!("the checker makes texts of builtins and literals"),
        }
    }

    /// A condition as a value: 0 or 1.
    fn truth(&mut self, expr: &Expr, none: Label) {
        match &expr.kind {
            ExprKind::Builtin(_) => {
                self.check_none(expr, none);
                return self.number(expr);
            }
            ExprKind::Not(inner) if matches!(inner.kind, ExprKind::Builtin(_)) => {
                self.check_none(inner, none);
            }
            _ => {}
        }
        let (yes, end) = (self.asm.label(), self.asm.label());
        self.branch(expr, yes, true);
        self.asm.constant(R0, 0);
        self.asm.jump(end);
        self.asm.place(yes);
        self.asm.constant(R0, 1);
        self.asm.place(end);
    }

    /// Goes to `none` if any builtin that the expression reads has no value.
    fn check_none(&mut self, expr: &Expr, none: Label) {
        let mut nullable: Vec<&'static Builtin> = Vec::new();
        expr.reads(&mut |builtin| {
            if builtin.nullable && !nullable.contains(&builtin) {
                nullable.push(builtin);
            }
            false
        });
        for builtin in nullable {
            self.asm.load(R1, CALL, offset(builtin));
            self.asm.constant(R2, NONE);
            self.asm.jump_if(Cond::Eq, R1, R2, none);
        }
    }

    /// The left value into `r0`, the right one into `r1`.
    fn operands(&mut self, left: &Expr, right: &Expr) {
        if self.leaf(R1, right, true) {
            self.number(left);
            self.leaf(R1, right, false);
        } else if self.leaf(R0, left, true) {
            self.number(right);
            self.asm.mov(R1, R0);
            self.leaf(R0, left, false);
        } else if size(left) >= size(right) {
            // The larger side first: then the depth of the stack grows with the logarithm of the size.
            let slot = self.spill(left);
            self.number(right);
            self.asm.mov(R1, R0);
            self.asm.load(R0, R10, slot);
            self.stack += 8;
        } else {
            let slot = self.spill(right);
            self.number(left);
            self.asm.load(R1, R10, slot);
            self.stack += 8;
        }
    }

    fn spill(&mut self, expr: &Expr) -> i16 {
        self.number(expr);
        self.stack -= 8;
        self.asm.store(R10, self.stack, R0);
        self.stack
    }

    /// Loads a constant or a field without touching other registers. With `ask` it only tells whether
    /// the expression is one.
    fn leaf(&mut self, into: crate::insn::Reg, expr: &Expr, ask: bool) -> bool {
        match &expr.kind {
            ExprKind::Const(_) | ExprKind::Builtin(_) if ask => true,
            ExprKind::Const(value) => {
                self.asm.constant(into, *value);
                true
            }
            ExprKind::Builtin(builtin) => {
                self.asm.load(into, CALL, offset(builtin));
                true
            }
            _ => false,
        }
    }

    /// A number into `r0`; its builtins have values.
    fn number(&mut self, expr: &Expr) {
        if self.leaf(R0, expr, false) {
            return;
        }
        match &expr.kind {
            ExprKind::Negate(inner) => {
                self.number(inner);
                self.asm.alu_imm(Alu::Neg, R0, 0);
            }
            ExprKind::Binary(op, left, right) => {
                self.operands(left, right);
                match op {
                    BinaryOp::Add => self.asm.alu(Alu::Add, R0, R1),
                    BinaryOp::Sub => self.asm.alu(Alu::Sub, R0, R1),
                    BinaryOp::Mul => self.asm.alu(Alu::Mul, R0, R1),
                    BinaryOp::Div => self.asm.alu_signed(Alu::Div, R0, R1),
                    BinaryOp::Rem => self.asm.alu_signed(Alu::Mod, R0, R1),
                    _ => unreachable!("the checker makes conditions of type bool"),
                }
            }
            _ => unreachable!("the checker makes numbers of numbers"),
        }
    }
}

/// The field's offset in `struct call`.
pub fn offset(builtin: &Builtin) -> i16 {
    i16::try_from(builtin.offset()).expect("struct call is small")
}

fn size(expr: &Expr) -> usize {
    match &expr.kind {
        ExprKind::Negate(inner) | ExprKind::Not(inner) => 1 + size(inner),
        ExprKind::Binary(_, left, right) => 1 + size(left) + size(right),
        _ => 1,
    }
}
