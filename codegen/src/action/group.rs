//! Finds, makes, updates and deletes the groups of a store.

use ewapa_lang::plan::{Expr, Record, StoreId};
use ewapa_templates::Counter;

use crate::compiler::{Compiler, Place, VALUE};
use crate::insn::{Alu, Cond, Helper, Label, R0, R1, R2, R3, R4, R10};
use crate::layout::{MapKind, StoreLayout};
use crate::program::ZEROS;
use crate::slot;

impl Compiler<'_> {
    /// Finds a group, or makes it, and updates its slots.
    pub(super) fn record(&mut self, record: &Record) {
        let layout = &self.parts.stores[record.store.0];
        let slots = &self.parts.slots[record.store.0];
        let (found, full, end) = (self.asm.label(), self.asm.label(), self.asm.label());
        let key = self.key(layout, &record.keys);
        self.look_up(&layout.map, key);
        if layout.kind != MapKind::PerCpuArray {
            self.asm.jump_if_imm(Cond::Ne, R0, 0, found);
            self.make_group(layout, key, full);
            self.look_up(&layout.map, key);
        }
        self.asm.jump_if_imm(Cond::Eq, R0, 0, full);
        self.asm.place(found);
        self.asm.mov(VALUE, R0);
        for update in &record.updates {
            let index = update.slot.0;
            slot::update(self, slots[index], update, layout.slots[index]);
        }
        self.asm.jump(end);
        self.asm.place(full);
        self.count(Counter::GroupsFull);
        self.asm.place(end);
    }

    /// Forgets a group. That there is none is no failure.
    pub(super) fn delete(&mut self, store: StoreId, keys: &[Expr]) {
        let layout = &self.parts.stores[store.0];
        let key = self.key(layout, keys);
        self.with_key(Helper::MapDelete, &layout.map, key);
    }

    /// Builds the key of a group on the stack, and returns its offset from `r10`.
    pub fn key(&mut self, layout: &StoreLayout, keys: &[Expr]) -> i16 {
        let key = self.frame.take(layout.key_size);
        match layout.kind {
            MapKind::PerCpuArray => self.asm.store_imm(R10, key, 0),
            MapKind::HashByCpu => {
                self.asm.call(Helper::ProcessorId);
                self.asm.store(R10, key, R0);
            }
            MapKind::Shared if keys.is_empty() => self.asm.store_imm(R10, key, 0),
            MapKind::Shared => {}
        }
        for (expr, field) in keys.iter().zip(&layout.keys) {
            let place = Place::stack(key).after(field.offset);
            self.put(expr, place, field.ty.size());
        }
        key
    }

    /// Makes the group's row from zeros. That another probe has made it in between is no failure: the
    /// look-up that follows tells.
    fn make_group(&mut self, layout: &StoreLayout, key: i16, full: Label) {
        const BPF_NOEXIST: i64 = 1;
        let mark = self.frame.mark();
        let zero = self.frame.take(8);
        self.asm.store_imm(R10, zero, 0);
        self.look_up(ZEROS, zero);
        self.asm.jump_if_imm(Cond::Eq, R0, 0, full);
        self.asm.mov(R3, R0);
        self.asm.map(R1, &layout.map);
        self.asm.mov(R2, R10);
        self.asm.alu_imm(Alu::Add, R2, i32::from(key));
        self.asm.constant(R4, BPF_NOEXIST);
        self.asm.call(Helper::MapUpdate);
        self.frame.release(mark);
    }
}
