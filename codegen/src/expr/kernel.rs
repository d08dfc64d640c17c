//! What the kernel says at the moment of an event, and what it hands to a program.

use ewapa_lang::plan::{KernelValue, RawKind};
use ewapa_lang::types::{Space, StackType, Type};
use ewapa_templates::{Counter, ELAPSED, PARENT};

use crate::compiler::{CONTEXT, Compiler, Place};
use crate::insn::{Alu, Cond, Helper, Label, R0, R1, R2, R3, R4};
use crate::program::{STACK_ROOM, stacks_of};

impl Compiler<'_> {
    /// A number of the kernel into `r0`.
    pub(super) fn kernel_value(&mut self, value: KernelValue) {
        let helper = match value {
            KernelValue::Nsecs => Helper::Nanoseconds,
            KernelValue::NsecsBoot => Helper::BootNanoseconds,
            KernelValue::NsecsTai => Helper::TaiNanoseconds,
            KernelValue::Elapsed => return self.asm.call_function(ELAPSED),
            KernelValue::Ppid => return self.asm.call_function(PARENT),
            KernelValue::Pid | KernelValue::Tid => Helper::PidTgid,
            KernelValue::Uid | KernelValue::Gid => Helper::UidGid,
            KernelValue::Cpu => Helper::ProcessorId,
            KernelValue::NumaNode => Helper::NumaNode,
            KernelValue::Cgroup => Helper::CgroupId,
            KernelValue::Random => Helper::Random,
            KernelValue::Task => Helper::Task,
            KernelValue::Cookie => {
                self.asm.mov(R1, CONTEXT);
                Helper::AttachCookie
            }
            KernelValue::Comm => unreachable!("a text is copied"),
        };
        self.asm.call(helper);
        match value {
            KernelValue::Pid | KernelValue::Gid => self.asm.alu_imm(Alu::Rsh, R0, 32),
            KernelValue::Tid | KernelValue::Uid => self.cut(4, false),
            _ => {}
        }
    }

    /// A number in the context into `r0`.
    pub(super) fn context(&mut self, offset: u16, size: u8, signed: bool) {
        let offset = i16::try_from(offset).unwrap_or(i16::MAX);
        if self.raw == Some(RawKind::Fentry) {
            // Only whole words of it can be read. What is above a narrow number is anything.
            self.asm.load(R0, CONTEXT, offset);
            if size < 8 {
                self.cut(size, signed);
            }
            return;
        }
        if self.raw == Some(RawKind::PerfEvent) && size < 8 {
            // Only whole words of it can be read.
            let within = 8 * i32::from(offset % 8);
            self.asm.load(R0, CONTEXT, offset - offset % 8);
            self.asm.alu_imm(Alu::Rsh, R0, within);
            self.cut(size, signed);
            return;
        }
        self.asm.load_sized(R0, CONTEXT, offset, size);
        if signed {
            self.cut(size, true);
        }
    }

    /// The address of a field of the context into `r0`.
    pub(super) fn context_address(&mut self, offset: u16, indirect: bool) {
        if indirect {
            let at = i16::try_from(offset).unwrap_or(i16::MAX);
            self.asm.load_sized(R1, CONTEXT, at, 4);
            self.asm.alu_imm(Alu::And, R1, 0xffff);
        } else {
            self.asm.constant(R1, i64::from(offset));
        }
        // For the verifier an address is no number. Minus an address is, and so is minus that.
        self.asm.mov(R0, CONTEXT);
        self.asm.alu_imm(Alu::Neg, R0, 0);
        self.asm.alu_imm(Alu::Neg, R0, 0);
        self.asm.alu(Alu::Add, R0, R1);
    }

    /// The current stack into `r0`: its number, and the process.
    pub(super) fn stack(&mut self, ty: Type, none: Label) {
        const EEXIST: i32 = 17;
        let Type::Stack(stack) = ty else {
            unreachable!("the checker gives stacks the type of one");
        };
        self.asm.mov(R1, CONTEXT);
        self.asm.map(R2, &stacks_of(stack.depth));
        self.asm.constant(R3, flags(stack.space));
        self.asm.call(Helper::StackId);
        let kept = self.asm.label();
        self.asm.jump_if_imm(Cond::Sge, R0, 0, kept);
        // A process without such a stack has none. Where another stack has the place, one is lost.
        self.asm.jump_if_imm(Cond::Ne, R0, -EEXIST, none);
        self.count(Counter::Stacks);
        self.asm.jump(none);
        self.asm.place(kept);
        self.cut(4, false);
        if stack.space == Space::Kernel {
            return;
        }
        let mark = self.frame.mark();
        let id = self.keep();
        self.asm.call(Helper::PidTgid);
        self.asm.alu_imm(Alu::Rsh, R0, 32);
        self.asm.alu_imm(Alu::Lsh, R0, 32);
        self.load(R1, id);
        self.asm.alu(Alu::Or, R0, R1);
        self.frame.release(mark);
    }

    /// The number of functions of the current stack into `r0`. What is copied to tell is looked at by nobody, so
    /// that all CPUs may write to the same place.
    pub(super) fn depth(&mut self, stack: StackType, none: Label) {
        let mark = self.frame.mark();
        let first = Place::stack(self.frame.take(8));
        self.store_imm(first, 0);
        self.asm.map(R1, STACK_ROOM);
        self.address(R2, first);
        self.frame.release(mark);
        self.asm.call(Helper::MapLookup);
        self.asm.jump_if_imm(Cond::Eq, R0, 0, none);
        self.asm.mov(R2, R0);
        self.asm.mov(R1, CONTEXT);
        self.asm.constant(R3, 8 * i64::from(stack.depth));
        self.asm.constant(R4, flags(stack.space));
        self.asm.call(Helper::Stack);
        self.asm.jump_if_imm(Cond::Slt, R0, 0, none);
        self.asm.alu_imm(Alu::Rsh, R0, 3);
    }
}

/// Which of a thread's stacks is meant.
fn flags(space: Space) -> i64 {
    const BPF_F_USER_STACK: i64 = 1 << 8;
    match space {
        Space::User => BPF_F_USER_STACK,
        Space::Kernel => 0,
    }
}
