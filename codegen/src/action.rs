//! The actions of a clause. Records and deletions are in [`group`], loops in [`rounds`], what user space is
//! told in [`message`].

mod group;
mod message;
mod rounds;
mod walk;

use ewapa_lang::plan::Action;
use ewapa_templates::Counter;

use crate::compiler::Compiler;
use crate::insn::{Alu, Cond, Helper, Label, R0, R1, R2, R10};
use crate::program::COUNTERS;

pub use walk::{any, has_loop, iterates, shares};

impl Compiler<'_> {
    /// Does actions in turn; goes to `end` when nothing more is to be done.
    pub fn actions(&mut self, actions: &[Action], end: Label) {
        for action in actions {
            let mark = self.frame.mark();
            self.action(action, end);
            self.frame.release(mark);
        }
    }

    fn action(&mut self, action: &Action, end: Label) {
        match action {
            Action::Record(record) => self.record(record),
            Action::Delete { store, keys } => self.delete(*store, keys),
            Action::Assign { variable, value } => {
                let place = self.block.variable(*variable);
                let room = self.block.variables[variable.0].size();
                self.put(value, place, room);
                if self.forgetful {
                    self.forget(place, self.block.variables[variable.0]);
                }
            }
            Action::If {
                condition,
                then,
                otherwise,
            } => {
                let (no, done) = (self.asm.label(), self.asm.label());
                self.branch(condition, no, false);
                self.actions(then, end);
                self.asm.jump(done);
                self.asm.place(no);
                self.actions(otherwise, end);
                self.asm.place(done);
            }
            Action::Loop {
                condition,
                body,
                step,
            } => self.repeat(condition.as_ref(), body, step, end),
            Action::ForEach {
                store,
                keys,
                slots,
                body,
            } => self.for_each(*store, keys, slots, body, end),
            Action::Break => {
                let rounds = self
                    .rounds
                    .expect("the checker lets loops be left only inside");
                self.asm.jump(rounds.over);
            }
            Action::Continue => {
                let rounds = self
                    .rounds
                    .expect("the checker lets loops go on only inside");
                self.asm.jump(rounds.next);
            }
            Action::Tell { message, values } => self.tell(*message, values),
            Action::Return => self.asm.jump(end),
        }
    }

    /// Calls a helper that takes a map, and a key that is on the stack at this offset from `r10`.
    fn with_key(&mut self, helper: Helper, map: &str, key: i16) {
        self.asm.map(R1, map);
        self.asm.mov(R2, R10);
        self.asm.alu_imm(Alu::Add, R2, i32::from(key));
        self.asm.call(helper);
    }

    /// Looks up the key that is on the stack at this offset from `r10`: the value's address in `r0`, or 0.
    pub fn look_up(&mut self, map: &str, key: i16) {
        self.with_key(Helper::MapLookup, map, key);
    }

    /// Adds 1 to a counter of the template, if it has it.
    pub fn count(&mut self, counter: Counter) {
        let (mark, missing) = (self.frame.mark(), self.asm.label());
        let slot = self.frame.take(8);
        self.asm.store_imm(R10, slot, counter as i32);
        self.look_up(COUNTERS, slot);
        self.asm.jump_if_imm(Cond::Eq, R0, 0, missing);
        self.asm.constant(R1, 1);
        self.asm.atomic_add(R0, 0, R1);
        self.asm.place(missing);
        self.frame.release(mark);
    }
}
