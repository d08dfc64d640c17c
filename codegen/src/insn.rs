//! eBPF instructions (the kernel's Documentation/bpf/standardization/instruction-set.rst) and an
//! assembler with labels.

use std::collections::HashMap;

/// A register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reg(pub u8);

/// Result, first scratch register.
pub const R0: Reg = Reg(0);
/// First argument, scratch.
pub const R1: Reg = Reg(1);
/// Second argument, scratch.
pub const R2: Reg = Reg(2);
/// Third argument, scratch.
pub const R3: Reg = Reg(3);
/// Fourth argument, scratch.
pub const R4: Reg = Reg(4);
/// Fifth argument, scratch.
pub const R5: Reg = Reg(5);
/// Kept across calls.
pub const R6: Reg = Reg(6);
/// Kept across calls.
pub const R7: Reg = Reg(7);
/// Kept across calls.
pub const R8: Reg = Reg(8);
/// Kept across calls.
pub const R9: Reg = Reg(9);
/// The frame: the stack grows down from it.
pub const R10: Reg = Reg(10);

/// A helper function of the kernel, by its number (include/uapi/linux/bpf.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Helper {
    /// `bpf_map_lookup_elem(map, key)`
    MapLookup = 1,
    /// `bpf_map_update_elem(map, key, value, flags)`
    MapUpdate = 2,
    /// `bpf_map_delete_elem(map, key)`
    MapDelete = 3,
    /// `bpf_ktime_get_ns()`
    Nanoseconds = 5,
    /// `bpf_get_prandom_u32()`
    Random = 7,
    /// `bpf_get_smp_processor_id()`
    ProcessorId = 8,
    /// `bpf_get_current_pid_tgid()`
    PidTgid = 14,
    /// `bpf_get_current_uid_gid()`
    UidGid = 15,
    /// `bpf_get_current_comm(buffer, size)`
    Comm = 16,
    /// `bpf_get_stackid(ctx, map, flags)`
    StackId = 27,
    /// `bpf_get_current_task()`
    Task = 35,
    /// `bpf_get_numa_node_id()`
    NumaNode = 42,
    /// `bpf_get_current_cgroup_id()`
    CgroupId = 80,
    /// `bpf_probe_read_user(to, size, address)`
    ReadUser = 112,
    /// `bpf_probe_read_kernel(to, size, address)`
    ReadKernel = 113,
    /// `bpf_probe_read_user_str(to, size, address)`
    ReadUserText = 114,
    /// `bpf_probe_read_kernel_str(to, size, address)`
    ReadKernelText = 115,
    /// `bpf_ktime_get_boot_ns()`
    BootNanoseconds = 125,
    /// `bpf_ringbuf_reserve(map, size, flags)`
    RingbufReserve = 131,
    /// `bpf_ringbuf_submit(record, flags)`
    RingbufSubmit = 132,
    /// `bpf_for_each_map_elem(map, function, context, flags)`
    ForEach = 164,
    /// `bpf_get_stack(context, buffer, size, flags)`
    Stack = 67,
    /// `bpf_get_attach_cookie(ctx)`
    AttachCookie = 174,
    /// `bpf_ktime_get_tai_ns()`
    TaiNanoseconds = 208,
}

/// Arithmetic on 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Alu {
    /// Sum.
    Add = 0x00,
    /// Difference.
    Sub = 0x10,
    /// Product.
    Mul = 0x20,
    /// Quotient; see [`Assembler::alu_signed`].
    Div = 0x30,
    /// Bits in either.
    Or = 0x40,
    /// Bits in both.
    And = 0x50,
    /// Shift left.
    Lsh = 0x60,
    /// Shift right, filling with 0.
    Rsh = 0x70,
    /// Minus.
    Neg = 0x80,
    /// Remainder; see [`Assembler::alu_signed`].
    Mod = 0x90,
    /// Bits in one of both.
    Xor = 0xa0,
    /// Copy.
    Mov = 0xb0,
    /// Shift right, filling with the sign.
    Arsh = 0xc0,
}

/// The condition of a jump, on 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Cond {
    /// Equal.
    Eq = 0x10,
    /// Greater, unsigned.
    Gt = 0x20,
    /// Greater or equal, unsigned.
    Ge = 0x30,
    /// Not equal.
    Ne = 0x50,
    /// Greater, signed.
    Sgt = 0x60,
    /// Greater or equal, signed.
    Sge = 0x70,
    /// Less, unsigned.
    Lt = 0xa0,
    /// Less or equal, unsigned.
    Le = 0xb0,
    /// Less, signed.
    Slt = 0xc0,
    /// Less or equal, signed.
    Sle = 0xd0,
}

impl Cond {
    /// The condition that holds exactly when this one does not.
    pub fn negate(self) -> Cond {
        match self {
            Cond::Eq => Cond::Ne,
            Cond::Ne => Cond::Eq,
            Cond::Gt => Cond::Le,
            Cond::Le => Cond::Gt,
            Cond::Ge => Cond::Lt,
            Cond::Lt => Cond::Ge,
            Cond::Sgt => Cond::Sle,
            Cond::Sle => Cond::Sgt,
            Cond::Sge => Cond::Slt,
            Cond::Slt => Cond::Sge,
        }
    }
}

/// One instruction of eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Insn {
    /// Class and operation.
    pub code: u8,
    /// Destination.
    pub dst: Reg,
    /// Source.
    pub src: Reg,
    /// Offset of a jump in instructions, or of a memory access in bytes.
    pub off: i16,
    /// Immediate operand.
    pub imm: i32,
}

impl Insn {
    /// The instruction as the kernel reads it, in the byte order of this machine.
    pub fn to_bytes(self) -> [u8; 8] {
        let registers = if cfg!(target_endian = "little") {
            self.dst.0 | self.src.0 << 4
        } else {
            self.src.0 | self.dst.0 << 4
        };
        let mut bytes = [self.code, registers, 0, 0, 0, 0, 0, 0];
        bytes[2..4].copy_from_slice(&self.off.to_ne_bytes());
        bytes[4..8].copy_from_slice(&self.imm.to_ne_bytes());
        bytes
    }
}

/// What an instruction's immediate is filled with when objects are linked and loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Symbol {
    /// A map of the generated object or of the template.
    Map(String),
    /// A function of the generated object or of the template.
    Function(String),
}

/// A place in the code that jumps lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label(usize);

/// The code of one function.
#[derive(Debug, Default)]
pub struct Assembler {
    code: Vec<Insn>,
    symbols: Vec<(usize, Symbol)>,
    labels: Vec<Option<usize>>,
    jumps: Vec<(usize, Label)>,
    /// The stores of [`Assembler::clear`].
    clears: Vec<usize>,
    /// The store of [`Assembler::reserve`].
    reserve: Option<usize>,
}

/// Instructions and the symbols they refer to by index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The instructions; a 64-bit constant takes two.
    pub insns: Vec<Insn>,
    /// What the instruction with this index refers to.
    pub symbols: Vec<(usize, Symbol)>,
}

/// A jump that spans more instructions than its 16-bit offset can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JumpTooFar;

const CLASS_LDX: u8 = 0x01;
const CLASS_ST: u8 = 0x02;
const CLASS_STX: u8 = 0x03;
const CLASS_JMP: u8 = 0x05;
const CLASS_ALU64: u8 = 0x07;
const SOURCE_REG: u8 = 0x08;
/// The bits of a memory access of 1, 2, 4 and 8 bytes.
const SIZES: [(u8, u8); 4] = [(1, 0x10), (2, 0x08), (4, 0x00), (8, SIZE_DW)];
const SIZE_DW: u8 = 0x18;
const MODE_MEM: u8 = 0x60;
const MODE_ATOMIC: u8 = 0xc0;
/// A constant of 64 bits, or an address.
pub(crate) const LDDW: u8 = 0x18;
const GOTO: u8 = CLASS_JMP;
const EXIT: u8 = CLASS_JMP | 0x90;
const MAY_GOTO: u8 = CLASS_JMP | 0xe0;
const FETCH: i32 = 0x01;
const CMPXCHG: i32 = 0xf0 | FETCH;
/// `src_reg` of a constant that is a map's descriptor.
pub(crate) const PSEUDO_MAP: Reg = Reg(1);
/// `src_reg` of a constant that is the address of a function in the same program.
pub(crate) const PSEUDO_FUNCTION: Reg = Reg(4);
/// `src_reg` of a call of a function in the same program.
pub(crate) const PSEUDO_CALL: Reg = Reg(1);

impl Assembler {
    fn push(&mut self, code: u8, dst: Reg, src: Reg, off: i16, imm: i32) {
        self.code.push(Insn {
            code,
            dst,
            src,
            off,
            imm,
        });
    }

    /// A label to be placed later.
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// Places the label here.
    pub fn place(&mut self, label: Label) {
        self.labels[label.0] = Some(self.code.len());
    }

    /// `dst = dst op src`
    pub fn alu(&mut self, op: Alu, dst: Reg, src: Reg) {
        self.push(CLASS_ALU64 | SOURCE_REG | op as u8, dst, src, 0, 0);
    }

    /// `dst = dst op imm`
    pub fn alu_imm(&mut self, op: Alu, dst: Reg, imm: i32) {
        self.push(CLASS_ALU64 | op as u8, dst, R0, 0, imm);
    }

    /// Signed division or remainder: `dst = dst op src` (version 4 of the instruction set, Linux 6.6).
    pub fn alu_signed(&mut self, op: Alu, dst: Reg, src: Reg) {
        self.push(CLASS_ALU64 | SOURCE_REG | op as u8, dst, src, 1, 0);
    }

    /// `dst = src`
    pub fn mov(&mut self, dst: Reg, src: Reg) {
        self.alu(Alu::Mov, dst, src);
    }

    /// `dst = value`, in one or two instructions.
    pub fn constant(&mut self, dst: Reg, value: i64) {
        match i32::try_from(value) {
            Ok(small) => self.alu_imm(Alu::Mov, dst, small),
            Err(_) => {
                self.push(LDDW, dst, R0, 0, value as i32);
                self.push(0, R0, R0, 0, (value >> 32) as i32);
            }
        }
    }

    /// `dst = address of the map`
    pub fn map(&mut self, dst: Reg, name: &str) {
        self.symbols
            .push((self.code.len(), Symbol::Map(name.to_owned())));
        self.push(LDDW, dst, PSEUDO_MAP, 0, 0);
        self.push(0, R0, R0, 0, 0);
    }

    /// `dst = address of the function`, for helpers that call it
    pub fn function(&mut self, dst: Reg, name: &str) {
        self.symbols
            .push((self.code.len(), Symbol::Function(name.to_owned())));
        self.push(LDDW, dst, PSEUDO_FUNCTION, 0, 0);
        self.push(0, R0, R0, 0, 0);
    }

    /// `dst = *(uN *)(base + off)` of 1, 2, 4 or 8 bytes; the rest of `dst` is 0.
    pub fn load_sized(&mut self, dst: Reg, base: Reg, off: i16, bytes: u8) {
        let known = SIZES.iter().find(|(size, _)| *size == bytes);
        let (_, size) = known.expect("a size that memory is accessed in");
        self.push(CLASS_LDX | MODE_MEM | size, dst, base, off, 0);
    }

    /// `dst = *(u64 *)(base + off)`
    pub fn load(&mut self, dst: Reg, base: Reg, off: i16) {
        self.push(CLASS_LDX | MODE_MEM | SIZE_DW, dst, base, off, 0);
    }

    /// `*(u64 *)(base + off) = src`
    pub fn store(&mut self, base: Reg, off: i16, src: Reg) {
        self.push(CLASS_STX | MODE_MEM | SIZE_DW, base, src, off, 0);
    }

    /// `*(u64 *)(base + off) = imm`
    pub fn store_imm(&mut self, base: Reg, off: i16, imm: i32) {
        self.push(CLASS_ST | MODE_MEM | SIZE_DW, base, R0, off, imm);
    }

    /// Makes a word of the stack 0, unless [`Assembler::leave_out_clears`] finds that it is not used.
    pub fn clear(&mut self, off: i16) {
        self.clears.push(self.code.len());
        self.store_imm(R10, off, 0);
    }

    /// Makes the deepest word of the stack 0, so that the verifier knows from the start how deep it is: of words
    /// that a helper fills, and that lie deeper than all before, some kernels lose count ("stack slot 13, total
    /// slots 13").
    pub fn reserve(&mut self) {
        self.reserve = Some(self.code.len());
        self.store_imm(R10, 0, 0);
    }

    /// Leaves out what clears words below so many bytes of the stack, which is as deep as that.
    pub fn leave_out_clears(&mut self, deepest: usize) {
        if let Some(at) = self.reserve {
            if deepest == 0 {
                self.clears.push(at);
                self.code[at].off = i16::MIN;
            } else {
                self.code[at].off = i16::try_from(deepest).map_or(i16::MIN, |deepest| -deepest);
            }
        }
        let code = &self.code;
        let is_used = |at: &usize| usize::from(code[*at].off.unsigned_abs()) <= deepest;
        self.clears.retain(|at| !is_used(at));
    }

    /// `*(u8 *)(base + off) = imm`
    pub fn store_byte(&mut self, base: Reg, off: i16, imm: u8) {
        let code = CLASS_ST | MODE_MEM | SIZES[0].1;
        self.push(code, base, R0, off, i32::from(imm));
    }

    /// `*(u64 *)(base + off) += src`, atomically
    pub fn atomic_add(&mut self, base: Reg, off: i16, src: Reg) {
        self.push(
            CLASS_STX | MODE_ATOMIC | SIZE_DW,
            base,
            src,
            off,
            Alu::Add as i32,
        );
    }

    /// `*(u64 *)(base + off) += src`, atomically; `src` gets the value from before
    pub fn atomic_fetch_add(&mut self, base: Reg, off: i16, src: Reg) {
        self.push(
            CLASS_STX | MODE_ATOMIC | SIZE_DW,
            base,
            src,
            off,
            Alu::Add as i32 | FETCH,
        );
    }

    /// If `*(u64 *)(base + off)` is `r0` it becomes `src`, atomically; `r0` gets the value from before.
    pub fn compare_exchange(&mut self, base: Reg, off: i16, src: Reg) {
        self.push(CLASS_STX | MODE_ATOMIC | SIZE_DW, base, src, off, CMPXCHG);
    }

    /// Goes to the label.
    pub fn jump(&mut self, to: Label) {
        self.jumps.push((self.code.len(), to));
        self.push(GOTO, R0, R0, 0, 0);
    }

    /// Goes on, or to the label if a loop that this stands in has gone on for too long (Linux 6.9).
    pub fn may_goto(&mut self, to: Label) {
        self.jumps.push((self.code.len(), to));
        self.push(MAY_GOTO, R0, R0, 0, 0);
    }

    /// Goes to the label if `left cond right`.
    pub fn jump_if(&mut self, cond: Cond, left: Reg, right: Reg, to: Label) {
        self.jumps.push((self.code.len(), to));
        self.push(CLASS_JMP | SOURCE_REG | cond as u8, left, right, 0, 0);
    }

    /// Goes to the label if `left cond imm`.
    pub fn jump_if_imm(&mut self, cond: Cond, left: Reg, imm: i32, to: Label) {
        self.jumps.push((self.code.len(), to));
        self.push(CLASS_JMP | cond as u8, left, R0, 0, imm);
    }

    /// Calls a helper of the kernel. `r0` is the result; `r1` to `r5` are lost.
    pub fn call(&mut self, helper: Helper) {
        self.push(CLASS_JMP | 0x80, R0, R0, 0, helper as i32);
    }

    /// Calls a function of the same object.
    pub fn call_function(&mut self, name: &str) {
        self.symbols
            .push((self.code.len(), Symbol::Function(name.to_owned())));
        self.push(CLASS_JMP | 0x80, R0, PSEUDO_CALL, 0, -1);
    }

    /// Returns `r0`.
    pub fn exit(&mut self) {
        self.push(EXIT, R0, R0, 0, 0);
    }

    /// Resolves the labels and leaves out what cannot be reached, which the verifier would refuse, and all
    /// that [`Assembler::leave_out_clears`] has not kept.
    ///
    /// # Errors
    /// A jump spans more than 32,767 instructions.
    pub fn finish(self) -> Result<Code, JumpTooFar> {
        let target = |label: Label| self.labels[label.0].expect("every label is placed");
        let jumps: HashMap<usize, usize> = self
            .jumps
            .iter()
            .map(|(at, label)| (*at, target(*label)))
            .collect();
        let mut reached = self.reachable(&jumps);
        for at in &self.clears {
            reached[*at] = false;
        }
        // Where each instruction ends up.
        let mut moved = Vec::with_capacity(self.code.len() + 1);
        let mut next = 0;
        for kept in &reached {
            moved.push(next);
            next += usize::from(*kept);
        }
        moved.push(next);

        let mut insns = Vec::with_capacity(next);
        for (at, mut insn) in self
            .code
            .iter()
            .copied()
            .enumerate()
            .filter(|(at, _)| reached[*at])
        {
            if let Some(to) = jumps.get(&at) {
                let span = moved[*to] as isize - moved[at] as isize - 1;
                insn.off = i16::try_from(span).map_err(|_| JumpTooFar)?;
            }
            insns.push(insn);
        }
        let symbols = self
            .symbols
            .into_iter()
            .filter(|(at, _)| reached[*at])
            .map(|(at, symbol)| (moved[at], symbol))
            .collect();
        Ok(Code { insns, symbols })
    }

    /// Which instructions can be reached from the first one.
    fn reachable(&self, jumps: &HashMap<usize, usize>) -> Vec<bool> {
        let mut reached = vec![false; self.code.len()];
        let mut open = vec![0];
        while let Some(at) = open.pop() {
            if at >= reached.len() || std::mem::replace(&mut reached[at], true) {
                continue;
            }
            open.extend(jumps.get(&at));
            let code = self.code[at].code;
            if code != EXIT && code != GOTO {
                open.push(at + 1);
            }
        }
        reached
    }
}
