//! What is found in texts. Nothing here branches on what a text holds where the verifier knows at which
//! place: it would go on from each place of the text in turn.

use ewapa_lang::plan::Expr;
use ewapa_lang::types::Type;

use crate::compiler::{Compiler, Place};
use crate::insn::{Alu, Cond, Label, R0, R1, R2, R3, R4, R5};

impl Compiler<'_> {
    /// Goes to `target` if that the text contains the part is `when`.
    pub(super) fn contains(&mut self, text: &Expr, part: &str, target: Label, when: bool) {
        let (mark, end) = (self.frame.mark(), self.asm.label());
        let (yes, no) = if when { (target, end) } else { (end, target) };
        let last = (text.ty.size() - 1).checked_sub(part.len());
        match last {
            _ if part.is_empty() => self.asm.jump(yes),
            None => self.asm.jump(no),
            Some(last) => {
                let place = self.text_in_memory(text, text.ty.size() / 8);
                self.find_part(place, part.as_bytes(), last, no);
                self.asm.jump(yes);
            }
        }
        self.asm.place(end);
        self.frame.release(mark);
    }

    /// Goes to `no` if the part is not at any position up to the last one.
    fn find_part(&mut self, place: Place, part: &[u8], last: usize, no: Label) {
        let again = self.asm.label();
        let position = Place::stack(self.frame.take(8));
        self.store_imm(position, 0);
        self.forget(position, Type::Int);
        self.asm.place(again);
        self.asm.may_goto(no);
        self.load(R3, position);
        self.asm.jump_if_imm(Cond::Gt, R3, last as i32, no);
        self.address(R1, place);
        self.asm.alu(Alu::Add, R1, R3);
        self.asm.alu_imm(Alu::Add, R3, 1);
        self.store(position, R3);
        self.asm.load_sized(R2, R1, 0, 1);
        self.asm.jump_if_imm(Cond::Eq, R2, 0, no);
        self.asm.constant(R4, 0);
        for (offset, byte) in (0..).zip(part) {
            self.asm.load_sized(R2, R1, offset, 1);
            self.asm.alu_imm(Alu::Xor, R2, i32::from(*byte));
            self.asm.alu(Alu::Or, R4, R2);
        }
        self.asm.jump_if_imm(Cond::Ne, R4, 0, again);
    }

    /// The number of bytes before the first 0 of a text into `r0`: of those that are not 0, as the rest is.
    pub(super) fn length(&mut self, text: &Expr) {
        const LOW_BITS: i64 = 0x7f7f_7f7f_7f7f_7f7f;
        const HIGH_BITS: i64 = !LOW_BITS;
        const EACH: i64 = 0x0101_0101_0101_0101;
        let (mark, words) = (self.frame.mark(), text.ty.size() / 8);
        let place = self.text_in_memory(text, words);
        self.asm.constant(R0, 0);
        self.asm.constant(R3, LOW_BITS);
        self.asm.constant(R4, HIGH_BITS);
        self.asm.constant(R5, EACH);
        for word in 0..words {
            self.load(R1, place.after(8 * word));
            self.asm.mov(R2, R1);
            // The high bit of each byte: whether it is not 0.
            self.asm.alu(Alu::And, R2, R3);
            self.asm.alu(Alu::Add, R2, R3);
            self.asm.alu(Alu::Or, R2, R1);
            self.asm.alu(Alu::And, R2, R4);
            // Added up in the highest byte.
            self.asm.alu_imm(Alu::Rsh, R2, 7);
            self.asm.alu(Alu::Mul, R2, R5);
            self.asm.alu_imm(Alu::Rsh, R2, 56);
            self.asm.alu(Alu::Add, R0, R2);
        }
        self.frame.release(mark);
    }
}
