//! What is found in texts byte by byte.

use ewapa_lang::plan::Expr;

use crate::compiler::Compiler;
use crate::insn::{Alu, Cond, Label, R0, R1, R2, R3};

impl Compiler<'_> {
    /// Goes to `target` if that the text contains the part is `when`. One position after the other, and at
    /// each of them one byte after the other.
    pub(super) fn contains(&mut self, text: &Expr, part: &str, target: Label, when: bool) {
        let (mark, end) = (self.frame.mark(), self.asm.label());
        let (yes, no) = if when { (target, end) } else { (end, target) };
        let last = text.ty.size().checked_sub(1 + part.len());
        match (part.as_bytes().split_first(), last) {
            (None, _) => self.asm.jump(yes),
            (Some(_), None) => self.asm.jump(no),
            (Some((first, others)), Some(last)) => {
                let place = self.text_in_memory(text);
                let (again, next) = (self.asm.label(), self.asm.label());
                self.address(R1, place);
                self.asm.constant(R3, 0);
                self.asm.place(again);
                self.asm.load_sized(R2, R1, 0, 1);
                self.asm.jump_if_imm(Cond::Eq, R2, 0, no);
                self.asm.jump_if_imm(Cond::Ne, R2, i32::from(*first), next);
                for (offset, byte) in (1..).zip(others) {
                    self.asm.load_sized(R2, R1, offset, 1);
                    self.asm.jump_if_imm(Cond::Ne, R2, i32::from(*byte), next);
                }
                self.asm.jump(yes);
                self.asm.place(next);
                self.asm.alu_imm(Alu::Add, R1, 1);
                self.asm.alu_imm(Alu::Add, R3, 1);
                self.asm.jump_if_imm(Cond::Le, R3, last as i32, again);
                self.asm.jump(no);
            }
        }
        self.asm.place(end);
        self.frame.release(mark);
    }

    /// The number of bytes before the first 0 of a text into `r0`.
    pub(super) fn length(&mut self, text: &Expr) {
        let mark = self.frame.mark();
        let place = self.text_in_memory(text);
        let (again, over) = (self.asm.label(), self.asm.label());
        self.address(R1, place);
        self.asm.constant(R0, 0);
        self.asm.place(again);
        self.asm.load_sized(R2, R1, 0, 1);
        self.asm.jump_if_imm(Cond::Eq, R2, 0, over);
        self.asm.alu_imm(Alu::Add, R1, 1);
        self.asm.alu_imm(Alu::Add, R0, 1);
        let last = text.ty.size() as i32 - 1;
        self.asm.jump_if_imm(Cond::Lt, R0, last, again);
        self.asm.place(over);
        // The verifier would go on from here with each length in turn.
        let length = self.keep();
        self.forget(length);
        self.load(R0, length);
        self.frame.release(mark);
    }
}
