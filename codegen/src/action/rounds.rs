//! Loops: as long as a condition holds, and over the rows of a map.
//!
//! The verifier has to find that every loop ends. `may_goto` ends one that does not end by itself, and makes
//! the verifier take numbers that change from round to round as unknown. It does so only with those that it
//! has not had to know exactly before, so it is made to forget what they begin with.

use ewapa_lang::plan::{Action, Expr, SlotKind, StoreId, VariableId};

use super::walk::{any, assigned};
use crate::compiler::{BLOCK, Block, CALL, CONTEXT, Callback, Compiler, Place, Rounds, VALUE};
use crate::insn::{Alu, Assembler, Cond, Helper, Label, R0, R1, R2, R3, R4, R5, Reg};
use crate::slot;

impl Compiler<'_> {
    /// Does the body, and what follows it, again and again while the condition holds.
    pub(super) fn repeat(
        &mut self,
        condition: Option<&Expr>,
        body: &[Action],
        step: &[Action],
        end: Label,
    ) {
        self.forget_assigned(&[body, step]);
        let (again, next, over) = (self.asm.label(), self.asm.label(), self.asm.label());
        self.asm.place(again);
        self.clear_scratch();
        self.asm.may_goto(over);
        if let Some(condition) = condition {
            self.branch(condition, over, false);
        }
        let outer = self.rounds.replace(Rounds { over, next });
        self.actions(body, end);
        self.rounds = outer;
        self.asm.place(next);
        self.actions(step, end);
        self.asm.jump(again);
        self.asm.place(over);
    }

    /// Makes all that is of no use any more the same in each round: within a loop the verifier takes two
    /// states for one only if what it knows of everything, used or not, is the same.
    fn clear_scratch(&mut self) {
        for register in [R0, R1, R2, R3, R4, R5, VALUE] {
            self.asm.constant(register, 0);
        }
        for offset in self.frame.unused() {
            self.asm.clear(offset);
        }
    }

    fn forget_assigned(&mut self, of: &[&[Action]]) {
        let mut variables: Vec<VariableId> = of.iter().flat_map(|it| assigned(it)).collect();
        variables.sort_unstable();
        variables.dedup();
        for variable in variables {
            let ty = self.block.variables[variable.0];
            self.forget(self.block.variable(variable), ty);
        }
    }

    /// Does the body for each row of a map: in a function of its own that the kernel calls.
    pub(super) fn for_each(
        &mut self,
        store: StoreId,
        keys: &[Option<VariableId>],
        slots: &[Option<VariableId>],
        body: &[Action],
        end: Label,
    ) {
        self.forget_assigned(&[body]);
        let name = format!("{}_{}", self.callback_prefix, self.callbacks.len());
        self.callback(&name, store, (keys, slots), body);
        self.asm.map(R1, &self.parts.stores[store.0].map);
        self.asm.function(R2, &name);
        self.address(R3, self.block.start);
        self.asm.constant(R4, 0);
        self.asm.call(Helper::ForEach);
        if any(body, &mut |action| matches!(action, Action::Return)) {
            self.load(R1, self.block.start.after(Block::ENDED));
            self.asm.jump_if_imm(Cond::Ne, R1, 0, end);
        }
    }

    /// The number of rows of a map into `r0`: what the kernel says of how many it has called a function for.
    pub fn rows(&mut self, store: StoreId) {
        /// The kernel counts a function without a frame as one with a small one.
        const LEAST_FRAME: usize = 32;
        let name = format!("{}_{}", self.callback_prefix, self.callbacks.len());
        let mut asm = Assembler::default();
        asm.constant(R0, 0);
        asm.exit();
        self.callback_stack = self.callback_stack.max(LEAST_FRAME);
        self.callbacks.push(Callback {
            name: name.clone(),
            asm,
            stack: 0,
        });
        let mark = self.frame.mark();
        let context = Place::stack(self.frame.take(8));
        self.store_imm(context, 0);
        self.asm.map(R1, &self.parts.stores[store.0].map);
        self.asm.function(R2, &name);
        self.address(R3, context);
        self.asm.constant(R4, 0);
        self.asm.call(Helper::ForEach);
        self.frame.release(mark);
    }

    /// Compiles `long function(map, key, value, block)`. It returns 1 to end the loop.
    fn callback(
        &mut self,
        name: &str,
        store: StoreId,
        (keys, slots): (&[Option<VariableId>], &[Option<VariableId>]),
        body: &[Action],
    ) {
        let mut inner = Compiler::new(self.parts, format!("{name}_in"));
        inner.block = Block {
            start: Place {
                base: BLOCK,
                offset: 0,
            },
            ..self.block.clone()
        };
        (inner.raw, inner.has_context) = (self.raw, self.has_context);
        inner.forgetful = self.forgetful;
        inner.asm.reserve();
        inner.asm.mov(BLOCK, R4);
        inner.copy_row(store, keys, slots);
        let start = inner.block.start;
        inner.load(CALL, start.after(Block::CALL));
        if inner.has_context {
            inner.load(CONTEXT, start.after(Block::CONTEXT));
        }
        let (over, next, end) = (inner.asm.label(), inner.asm.label(), inner.asm.label());
        inner.rounds = Some(Rounds { over, next });
        inner.actions(body, end);
        inner.asm.place(next);
        inner.asm.constant(R0, 0);
        inner.asm.exit();
        inner.asm.place(end);
        inner.store_imm(start.after(Block::ENDED), 1);
        inner.asm.place(over);
        inner.asm.constant(R0, 1);
        inner.asm.exit();
        let stack = inner.frame.deepest();
        self.callback_stack = self.callback_stack.max(stack + inner.callback_stack);
        self.callbacks.push(Callback {
            name: name.to_owned(),
            asm: inner.asm,
            stack,
        });
        self.callbacks.extend(inner.callbacks);
    }

    /// Puts the parts of the key at `r2` and the slots of the value at `r3` into variables.
    fn copy_row(
        &mut self,
        store: StoreId,
        keys: &[Option<VariableId>],
        slots: &[Option<VariableId>],
    ) {
        let layout = &self.parts.stores[store.0];
        for (variable, field) in keys.iter().zip(&layout.keys) {
            if let Some(variable) = variable {
                self.copy_part(*variable, R2, field.offset, field.ty.size());
            }
        }
        let kinds = &self.parts.slots[store.0];
        for (variable, (kind, offset)) in slots.iter().zip(kinds.iter().zip(&layout.slots)) {
            let Some(variable) = variable else {
                continue;
            };
            self.copy_part(*variable, R3, *offset, slot::size(*kind));
            if let SlotKind::Min | SlotKind::Max = kind {
                let place = self.block.variable(*variable);
                self.load(R0, place);
                self.asm.constant(R1, i64::MIN);
                self.asm.alu(Alu::Xor, R0, R1);
                if *kind == SlotKind::Min {
                    self.asm.alu_imm(Alu::Xor, R0, -1);
                }
                self.store(place, R0);
            }
        }
    }

    fn copy_part(&mut self, variable: VariableId, base: Reg, offset: usize, bytes: usize) {
        let room = self.block.variables[variable.0].size();
        let from = Place { base, offset: 0 }.after(offset);
        let to = self.block.variable(variable);
        for at in (0..bytes.min(room)).step_by(8) {
            self.load(R1, from.after(at));
            self.store(to.after(at), R1);
        }
        for at in (bytes..room).step_by(8) {
            self.store_imm(to.after(at), 0);
        }
    }
}
