//! What is read from the memory of processes and of the kernel.

use ewapa_lang::plan::Expr;
use ewapa_lang::types::Space;

use crate::compiler::{Compiler, Place};
use crate::insn::{Cond, Helper, Label, R0, R1, R2, R3};

impl Compiler<'_> {
    /// A number of so many bytes at an address into `r0`; goes to `none` if it cannot be read.
    pub(super) fn read(
        &mut self,
        address: &Expr,
        (size, signed): (u8, bool),
        space: Space,
        none: Label,
    ) {
        let mark = self.frame.mark();
        self.number(address, none);
        let word = Place::stack(self.frame.take(8));
        self.store_imm(word, 0);
        self.asm.mov(R3, R0);
        self.address(R1, word);
        self.asm.constant(R2, i64::from(size));
        self.asm.call(match space {
            Space::User => Helper::ReadUser,
            Space::Kernel => Helper::ReadKernel,
        });
        self.asm.jump_if_imm(Cond::Ne, R0, 0, none);
        self.asm.load_sized(R0, word.base, word.offset, size);
        if signed {
            self.cut(size, true);
        }
        self.frame.release(mark);
    }

    /// Reads a text of at most so many bytes, the 0 behind them counted.
    pub(super) fn read_text(
        &mut self,
        (address, length): (&Expr, Option<&Expr>),
        space: Space,
        (to, bytes): (Place, usize),
        room: usize,
    ) {
        let (none, done) = (self.asm.label(), self.asm.label());
        let length = self.where_and_how_many(address, length, none);
        self.zero_keeping(to, room);
        self.asm.mov(R3, R0);
        self.bounded(length, bytes);
        self.address(R1, to);
        self.asm.call(match space {
            Space::User => Helper::ReadUserText,
            Space::Kernel => Helper::ReadKernelText,
        });
        self.asm.jump(done);
        self.asm.place(none);
        self.zero(to, room);
        self.asm.place(done);
    }

    /// Reads bytes, and writes before them how many there are.
    pub(super) fn read_bytes(
        &mut self,
        (address, length): (&Expr, Option<&Expr>),
        space: Space,
        (to, bytes): (Place, usize),
        room: usize,
    ) {
        let (none, done) = (self.asm.label(), self.asm.label());
        let length = self.where_and_how_many(address, length, none);
        self.zero_keeping(to, room);
        self.asm.mov(R3, R0);
        self.bounded(length, bytes - 8);
        self.store(to, R2);
        self.address(R1, to.after(8));
        self.asm.call(match space {
            Space::User => Helper::ReadUser,
            Space::Kernel => Helper::ReadKernel,
        });
        self.asm.jump_if_imm(Cond::Eq, R0, 0, done);
        self.store_imm(to, 0);
        self.asm.jump(done);
        self.asm.place(none);
        self.zero(to, room);
        self.asm.place(done);
    }

    /// The address into `r0`. Returns where the length is, if there is one.
    fn where_and_how_many(
        &mut self,
        address: &Expr,
        length: Option<&Expr>,
        none: Label,
    ) -> Option<Place> {
        let length = length.map(|length| {
            self.value(length, none);
            self.keep()
        });
        self.value(address, none);
        length
    }

    /// The length, but at most so many bytes, into `r2`.
    fn bounded(&mut self, length: Option<Place>, bytes: usize) {
        let Some(length) = length else {
            return self.asm.constant(R2, bytes as i64);
        };
        let within = self.asm.label();
        self.load(R2, length);
        self.asm.jump_if_imm(Cond::Le, R2, bytes as i32, within);
        self.asm.constant(R2, bytes as i64);
        self.asm.place(within);
    }
}
