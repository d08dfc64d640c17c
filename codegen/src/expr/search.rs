//! What is found in texts. Nothing here branches on what a text holds, but where the verifier does not
//! know at which place: it would go on from each place of the text in turn.

use ewapa_lang::plan::Expr;
use ewapa_lang::types::Type;

use crate::compiler::{Compiler, Place};
use crate::insn::{Alu, Cond, Label, R0, R1, R2, R3, R4, R5, Reg};

/// The bytes of a window over a text. Less than a register has: what is not 0 is positive, and one less
/// than 0 is negative.
const WINDOW: usize = 7;

/// The bytes of a part as the window holds them: the last one highest.
fn window(part: &[u8]) -> i64 {
    let bytes = part.iter().rev();
    bytes.fold(0, |window, byte| window << 8 | i64::from(*byte))
}

/// Whether looking for a part takes a loop that only `may_goto` ends.
pub fn needs_loop(part: &[u8]) -> bool {
    part.len() > 2 * WINDOW
}

impl Compiler<'_> {
    /// Goes to `target` if that the text contains the part is `when`. As no byte of the part is 0 and the text
    /// is filled up with 0, it does not matter where the text ends.
    pub(super) fn contains(&mut self, text: &Expr, part: &str, target: Label, when: bool) {
        let (mark, end) = (self.frame.mark(), self.asm.label());
        let (yes, no) = if when { (target, end) } else { (end, target) };
        let bytes = text.ty.size() - 1;
        if part.is_empty() {
            self.asm.jump(yes);
        } else if part.len() > bytes {
            self.asm.jump(no);
        } else {
            let place = self.text_in_memory(text, text.ty.size() / 8);
            let part = part.as_bytes();
            if needs_loop(part) {
                self.compare_everywhere(place, part, bytes, yes, no);
            } else {
                self.address(R1, place);
                // Negative as soon as the part has been found.
                self.asm.constant(R0, 0);
                if part.len() <= WINDOW {
                    self.slide_window(part, bytes);
                } else {
                    self.slide_windows(part, bytes);
                }
                self.asm.jump_if_imm(Cond::Slt, R0, 0, yes);
                self.asm.jump(no);
            }
        }
        self.asm.place(end);
        self.frame.release(mark);
    }

    /// One byte of the text after the other enters a window in `r5`.
    fn slide_window(&mut self, part: &[u8], bytes: usize) {
        let again = self.asm.label();
        self.asm.constant(R3, 0);
        self.asm.constant(R4, window(part));
        self.asm.constant(R5, 0);
        self.asm.place(again);
        self.next_byte(R5);
        self.asm.mov(R2, R5);
        self.top_of_window(R2, part.len());
        self.asm.alu(Alu::Xor, R2, R4);
        self.found_if_zero(R2);
        self.asm.alu_imm(Alu::Add, R3, 1);
        self.asm.jump_if_imm(Cond::Lt, R3, bytes as i32, again);
    }

    /// The same with two windows: what leaves the first one, in `r5`, enters the second one, in `r4`.
    fn slide_windows(&mut self, part: &[u8], bytes: usize) {
        let (first, last) = part.split_at(part.len() - WINDOW);
        let count = Place::stack(self.frame.take(8));
        let again = self.asm.label();
        self.store_imm(count, 0);
        self.asm.constant(R4, 0);
        self.asm.constant(R5, 0);
        self.asm.place(again);
        self.asm.mov(R2, R5);
        self.asm.alu_imm(Alu::And, R2, 0xff);
        self.enter_window(R4, R2);
        self.next_byte(R5);
        self.asm.mov(R2, R4);
        self.top_of_window(R2, first.len());
        self.asm.constant(R3, window(first));
        self.asm.alu(Alu::Xor, R2, R3);
        self.asm.constant(R3, window(last));
        self.asm.alu(Alu::Xor, R3, R5);
        self.asm.alu(Alu::Or, R2, R3);
        self.found_if_zero(R2);
        self.load(R3, count);
        self.asm.alu_imm(Alu::Add, R3, 1);
        self.store(count, R3);
        self.asm.jump_if_imm(Cond::Lt, R3, bytes as i32, again);
    }

    /// The part is compared at each position. The verifier does not know which one it is.
    fn compare_everywhere(
        &mut self,
        place: Place,
        part: &[u8],
        bytes: usize,
        yes: Label,
        no: Label,
    ) {
        let again = self.asm.label();
        let count = Place::stack(self.frame.take(8));
        self.store_imm(count, 0);
        self.forget(count, Type::Int);
        self.asm.place(again);
        self.asm.may_goto(no);
        self.load(R3, count);
        let last = (bytes - part.len()) as i32;
        self.asm.jump_if_imm(Cond::Gt, R3, last, no);
        self.address(R1, place);
        self.asm.alu(Alu::Add, R1, R3);
        self.asm.alu_imm(Alu::Add, R3, 1);
        self.store(count, R3);
        self.asm.constant(R4, 0);
        for (offset, byte) in (0..).zip(part) {
            self.asm.load_sized(R2, R1, offset, 1);
            self.asm.alu_imm(Alu::Xor, R2, i32::from(*byte));
            self.asm.alu(Alu::Or, R4, R2);
        }
        self.asm.jump_if_imm(Cond::Ne, R4, 0, again);
        self.asm.jump(yes);
    }

    /// The byte at `r1` enters a window, and `r1` goes on.
    fn next_byte(&mut self, window: Reg) {
        self.asm.load_sized(R2, R1, 0, 1);
        self.enter_window(window, R2);
        self.asm.alu_imm(Alu::Add, R1, 1);
    }

    fn enter_window(&mut self, window: Reg, byte: Reg) {
        self.asm.alu_imm(Alu::Lsh, byte, 8 * (WINDOW as i32 - 1));
        self.asm.alu_imm(Alu::Rsh, window, 8);
        self.asm.alu(Alu::Or, window, byte);
    }

    /// Leaves only the bytes of a window that entered last.
    fn top_of_window(&mut self, window: Reg, bytes: usize) {
        let others = 8 * (WINDOW - bytes) as i32;
        if others > 0 {
            self.asm.alu_imm(Alu::Rsh, window, others);
        }
    }

    /// Makes `r0` negative if the register is 0.
    fn found_if_zero(&mut self, register: Reg) {
        self.asm.alu_imm(Alu::Sub, register, 1);
        self.asm.alu(Alu::Or, R0, register);
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
