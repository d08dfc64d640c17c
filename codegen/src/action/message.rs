//! Tells user space: a record in the ring buffer.

use ewapa_lang::plan::{Expr, MessageId};
use ewapa_templates::Counter;

use crate::compiler::Compiler;
use crate::insn::{Alu, Cond, Helper, R0, R1, R2, R3, R4, R10};
use crate::program::MESSAGES;

impl Compiler<'_> {
    /// Sends a message with these values, or counts that there was no place for it.
    pub(super) fn tell(&mut self, message: MessageId, values: &[Expr]) {
        let (layout, sent) = (&self.messages[message.0], self.asm.label());
        let record = self.frame.take(layout.size);
        let id = i32::try_from(message.0).expect("a script has few messages");
        self.asm.store_imm(R10, record, id);
        for (expr, field) in values.iter().zip(&layout.values) {
            let offset = i16::try_from(field.offset).unwrap_or(i16::MAX);
            self.put(expr, record.saturating_add(offset));
        }
        self.asm.map(R1, MESSAGES);
        self.asm.mov(R2, R10);
        self.asm.alu_imm(Alu::Add, R2, i32::from(record));
        self.asm.constant(R3, layout.size as i64);
        self.asm.constant(R4, 0);
        self.asm.call(Helper::RingbufOutput);
        self.asm.jump_if_imm(Cond::Eq, R0, 0, sent);
        self.count(Counter::NoMessage);
        self.asm.place(sent);
    }
}
