//! Tells user space: a record in the ring buffer.

use ewapa_lang::plan::{Expr, MessageId};
use ewapa_templates::Counter;

use crate::compiler::{Compiler, Place, VALUE};
use crate::insn::{Cond, Helper, R0, R1, R2, R3};
use crate::program::MESSAGES;

impl Compiler<'_> {
    /// Sends a message with these values, or counts that there was no place for it. The values are written
    /// where user space reads them: no expression takes a way that leaves the record unsubmitted.
    pub(super) fn tell(&mut self, message: MessageId, values: &[Expr]) {
        let layout = &self.parts.messages[message.0];
        let (full, sent) = (self.asm.label(), self.asm.label());
        self.asm.map(R1, MESSAGES);
        self.asm.constant(R2, layout.size as i64);
        self.asm.constant(R3, 0);
        self.asm.call(Helper::RingbufReserve);
        self.asm.jump_if_imm(Cond::Eq, R0, 0, full);
        self.asm.mov(VALUE, R0);
        let record = Place {
            base: VALUE,
            offset: 0,
        };
        let id = i32::try_from(message.0).expect("a script has few messages");
        self.store_imm(record, id);
        for (expr, field) in values.iter().zip(&layout.values) {
            let mark = self.frame.mark();
            self.put(expr, record.after(field.offset), field.ty.size());
            self.frame.release(mark);
        }
        self.asm.mov(R1, VALUE);
        self.asm.constant(R2, 0);
        self.asm.call(Helper::RingbufSubmit);
        self.asm.jump(sent);
        self.asm.place(full);
        self.count(Counter::NoMessage);
        self.asm.place(sent);
    }
}
