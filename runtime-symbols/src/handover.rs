//! Finds the function that a trampoline hands its call to.
//!
//! A trampoline may begin with `sub rsp, ...`: a probe there is single-stepped, and no other place in it
//! serves a return probe. If all it does is to collect the addresses of its arguments and to call one
//! function, that function's first byte serves as well, and mostly is a push. The array of arguments is
//! then found in another way: a register holds the address of the collected addresses, one of which is
//! that of the variable into which the trampoline put its own argument. Where these are is read from the
//! code, by following which value is in which register and stack slot up to the call.

use std::collections::BTreeMap;

use iced_x86::{
    Decoder, DecoderOptions, FlowControl, Instruction, InstructionInfoFactory, MemorySize,
    Mnemonic, OpAccess, OpKind, Register as Reg,
};

use crate::abi::Register;

/// Where a trampoline hands its call to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Handover {
    /// Virtual address of the function that is called.
    pub target: u64,
    /// Holds, when that function is entered, the address of the collected addresses.
    pub holder: Register,
    /// Bytes from there to the address of the variable that has the argument.
    pub slot: u16,
    /// A variable that has 32 bits of what another argument points to, if there is one.
    pub field: Option<Field>,
}

/// 32 bits of what an argument points to, in a variable whose address is collected, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    /// The register of the argument.
    pub of: Register,
    /// Bytes from where it points.
    pub offset: i64,
    /// Bytes from the collected addresses to that of the variable.
    pub slot: u16,
}

/// Trampolines are short; what is longer is something else.
const LONGEST: usize = 256;

/// How far the collected addresses are looked through.
const COLLECTED: u16 = 64;

const ARGUMENTS: [(Reg, Register); 6] = [
    (Reg::RDI, Register::Rdi),
    (Reg::RSI, Register::Rsi),
    (Reg::RDX, Register::Rdx),
    (Reg::RCX, Register::Rcx),
    (Reg::R8, Register::R8),
    (Reg::R9, Register::R9),
];

/// Follows a function up to its first call. `argument` is the register that its caller put the address of
/// the array of arguments into. `None` unless the call is handed over as described and its result returned.
pub(crate) fn follow(code: &[u8], address: u64, argument: Register) -> Option<Handover> {
    let code = &code[..code.len().min(LONGEST)];
    let mut decoder = Decoder::with_ip(64, code, address, DecoderOptions::NONE);
    let mut infos = InstructionInfoFactory::new();
    let mut state = State::at_entry();
    let mut instruction = Instruction::default();
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        match instruction.flow_control() {
            FlowControl::Next => state.step(&instruction, &mut infos),
            // The way to a panic.
            FlowControl::ConditionalBranch => {}
            FlowControl::Call if instruction.op0_kind() == OpKind::NearBranch64 => {
                let (holder, slot) = state.holder_of(argument)?;
                let target = instruction.near_branch64();
                return returns_at_once(&mut decoder).then_some(Handover {
                    target,
                    holder,
                    slot,
                    field: state.field_by(holder),
                });
            }
            _ => return None,
        }
    }
    None
}

/// Whether nothing follows but giving back the stack and returning what the call returned.
fn returns_at_once(decoder: &mut Decoder) -> bool {
    decoder
        .iter()
        .find_map(|instruction| match instruction.mnemonic() {
            Mnemonic::Add if instruction.op0_register() == Reg::RSP => None,
            Mnemonic::Pop if instruction.op0_register() != Reg::RAX => None,
            Mnemonic::Ret => Some(true),
            _ => Some(false),
        })
        .unwrap_or(false)
}

/// A value that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    /// What this register had at entry.
    Entry(Reg),
    /// The address of a place on the stack, relative to the stack pointer at entry.
    Stack(i64),
    /// 32 bits, so far from where this register pointed at entry.
    Field(Reg, i64),
}

impl Value {
    /// Its bytes.
    fn size(self) -> i64 {
        match self {
            Value::Entry(_) | Value::Stack(_) => 8,
            Value::Field(..) => 4,
        }
    }

    /// Whether this is how much a register has.
    fn fits(self, register: Reg) -> bool {
        match self {
            Value::Entry(_) | Value::Stack(_) => register.is_gpr64(),
            Value::Field(..) => register.is_gpr32(),
        }
    }
}

/// What is known to be in registers and in slots of 8 bytes on the stack.
struct State {
    registers: BTreeMap<Reg, Value>,
    slots: BTreeMap<i64, Value>,
}

impl State {
    fn at_entry() -> State {
        let arguments = ARGUMENTS
            .iter()
            .map(|(register, _)| (*register, Value::Entry(*register)));
        State {
            registers: arguments.chain([(Reg::RSP, Value::Stack(0))]).collect(),
            slots: BTreeMap::new(),
        }
    }

    fn step(&mut self, instruction: &Instruction, infos: &mut InstructionInfoFactory) {
        let place = self.stack_operand(instruction);
        // What the instruction leaves known, found before what it overwrites is forgotten.
        let known = match (
            instruction.mnemonic(),
            instruction.op0_kind(),
            instruction.op1_kind(),
        ) {
            (Mnemonic::Mov, OpKind::Register, OpKind::Register) => {
                self.in_register(instruction.op1_register())
            }
            (Mnemonic::Mov, OpKind::Memory, OpKind::Register) => {
                self.in_register(instruction.op1_register())
            }
            (Mnemonic::Mov, OpKind::Register, OpKind::Memory) => {
                let on_stack = place.and_then(|at| self.slots.get(&at).copied());
                on_stack.or_else(|| self.field(instruction))
            }
            (Mnemonic::Lea, OpKind::Register, OpKind::Memory) => place.map(Value::Stack),
            (Mnemonic::Sub | Mnemonic::Add, OpKind::Register, kind) if is_immediate(kind) => {
                let by = instruction.immediate(1) as i64;
                let by = if instruction.mnemonic() == Mnemonic::Sub {
                    by.checked_neg()
                } else {
                    Some(by)
                };
                match (self.in_register(instruction.op0_register()), by) {
                    (Some(Value::Stack(at)), Some(by)) => at.checked_add(by).map(Value::Stack),
                    _ => None,
                }
            }
            (Mnemonic::Push, OpKind::Register, _) => self.in_register(instruction.op0_register()),
            _ => None,
        };
        let pushed_to = match (instruction.mnemonic(), self.registers.get(&Reg::RSP)) {
            (Mnemonic::Push, Some(Value::Stack(top))) => top.checked_sub(8),
            _ => None,
        };
        self.forget(instruction, place, infos);
        match (pushed_to, known) {
            (Some(top), known) => {
                self.registers.insert(Reg::RSP, Value::Stack(top));
                self.set_slot(top, known);
            }
            (None, Some(known)) if instruction.op0_kind() == OpKind::Register => {
                let register = instruction.op0_register();
                if known.fits(register) {
                    self.registers.insert(register.full_register(), known);
                }
            }
            (None, Some(known)) => {
                if let Some(at) = place {
                    self.set_slot(at, Some(known));
                }
            }
            (None, None) => {}
        }
    }

    /// The register that leads to the argument by way of the stack, and the offset in what it points to.
    fn holder_of(&self, argument: Register) -> Option<(Register, u16)> {
        let (entry, _) = ARGUMENTS
            .iter()
            .find(|(_, register)| *register == argument)?;
        ARGUMENTS.iter().find_map(|(reg, register)| {
            let Some(Value::Stack(collected)) = self.registers.get(reg) else { return None };
            let slot = (0..COLLECTED).step_by(8).find(|offset| {
                let variable = collected.checked_add(i64::from(*offset)).and_then(|at| self.slots.get(&at));
                matches!(variable, Some(Value::Stack(at)) if self.slots.get(at) == Some(&Value::Entry(*entry)))
            })?;
            Some((*register, slot))
        })
    }

    /// A field of what an argument points to, in a variable whose address is among those that `holder` leads to.
    fn field_by(&self, holder: Register) -> Option<Field> {
        let (holder, _) = ARGUMENTS.iter().find(|(_, register)| *register == holder)?;
        let Some(Value::Stack(collected)) = self.registers.get(holder) else {
            return None;
        };
        (0..COLLECTED).step_by(8).find_map(|slot| {
            let variable = self.slots.get(&collected.checked_add(i64::from(slot))?)?;
            let Value::Stack(at) = variable else {
                return None;
            };
            let Some(Value::Field(register, offset)) = self.slots.get(at) else {
                return None;
            };
            let (_, of) = ARGUMENTS.iter().find(|(known, _)| known == register)?;
            Some(Field {
                of: *of,
                offset: *offset,
                slot,
            })
        })
    }

    /// What is loaded from where an argument points, if that is 32 bits.
    fn field(&self, instruction: &Instruction) -> Option<Value> {
        let base = self.registers.get(&instruction.memory_base());
        match base {
            Some(Value::Entry(argument))
                if instruction.op0_register().is_gpr32()
                    && instruction.memory_index() == Reg::None =>
            {
                Some(Value::Field(
                    *argument,
                    instruction.memory_displacement64() as i64,
                ))
            }
            _ => None,
        }
    }

    fn in_register(&self, register: Reg) -> Option<Value> {
        let known = self.registers.get(&register.full_register()).copied();
        known.filter(|known| known.fits(register))
    }

    /// Where on the stack the memory operand is.
    fn stack_operand(&self, instruction: &Instruction) -> Option<i64> {
        match self.registers.get(&instruction.memory_base()) {
            Some(Value::Stack(base)) if instruction.memory_index() == Reg::None => {
                base.checked_add(instruction.memory_displacement64() as i64)
            }
            _ => None,
        }
    }

    fn set_slot(&mut self, at: i64, value: Option<Value>) {
        // Slots that begin up to seven bytes before or behind overlap.
        self.forget_slots(at, value.map_or(8, Value::size));
        if let Some(value) = value {
            self.slots.insert(at, value);
        }
    }

    fn forget_slots(&mut self, at: i64, size: i64) {
        let range = at.saturating_sub(7)..at.saturating_add(size);
        self.slots.retain(|slot, _| !range.contains(slot));
    }

    fn forget(
        &mut self,
        instruction: &Instruction,
        place: Option<i64>,
        infos: &mut InstructionInfoFactory,
    ) {
        let info = infos.info(instruction);
        let writes = |access| {
            matches!(
                access,
                OpAccess::Write
                    | OpAccess::CondWrite
                    | OpAccess::ReadWrite
                    | OpAccess::ReadCondWrite
            )
        };
        for used in info
            .used_registers()
            .iter()
            .filter(|used| writes(used.access()))
        {
            self.registers.remove(&used.register().full_register());
        }
        // A write through a pointer that came from elsewhere cannot hit this frame: no address in it has been
        // given away before the call.
        if let Some(at) = place
            && info.used_memory().iter().any(|used| writes(used.access()))
        {
            self.forget_slots(at, size_of(instruction.memory_size()));
        }
    }
}

fn size_of(memory: MemorySize) -> i64 {
    i64::try_from(memory.size()).unwrap_or(i64::MAX).max(1)
}

fn is_immediate(kind: OpKind) -> bool {
    matches!(kind, OpKind::Immediate8to64 | OpKind::Immediate32to64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: u64 = 0x1000;

    /// `array_call_trampoline` of wasmtime 48.0.8.
    const TRAMPOLINE: &[u8] = &[
        0x48, 0x83, 0xec, 0x48, // sub rsp, 0x48
        0x48, 0x89, 0x7c, 0x24, 0x10, // mov [rsp+0x10], rdi
        0x48, 0x89, 0x54, 0x24, 0x18, // mov [rsp+0x18], rdx
        0x48, 0x89, 0x4c, 0x24, 0x20, // mov [rsp+0x20], rcx
        0x48, 0x8b, 0x7e, 0xe0, // mov rdi, [rsi-0x20]
        0x48, 0x85, 0xff, // test rdi, rdi
        0x74, 0x45, // je
        0x48, 0x8b, 0x46, 0xe8, // mov rax, [rsi-0x18]
        0x8b, 0x4e, 0x80, // mov ecx, [rsi-0x80]
        0x89, 0x4c, 0x24, 0x0c, // mov [rsp+0xc], ecx
        0x48, 0x8d, 0x4c, 0x24, 0x10, // lea rcx, [rsp+0x10]
        0x48, 0x89, 0x4c, 0x24, 0x28, // mov [rsp+0x28], rcx
        0x48, 0x8d, 0x4c, 0x24, 0x18, // lea rcx, [rsp+0x18]
        0x48, 0x89, 0x4c, 0x24, 0x30, // mov [rsp+0x30], rcx
        0x48, 0x8d, 0x4c, 0x24, 0x20, // lea rcx, [rsp+0x20]
        0x48, 0x89, 0x4c, 0x24, 0x38, // mov [rsp+0x38], rcx
        0x48, 0x8d, 0x4c, 0x24, 0x0c, // lea rcx, [rsp+0xc]
        0x48, 0x89, 0x4c, 0x24, 0x40, // mov [rsp+0x40], rcx
        0x48, 0x8d, 0x54, 0x24, 0x28, // lea rdx, [rsp+0x28]
        0x48, 0x89, 0xc6, // mov rsi, rax
        0xe8, 0x00, 0x01, 0x00, 0x00, // call +0x100
        0x48, 0x83, 0xc4, 0x48, // add rsp, 0x48
        0xc3, // ret
    ];

    /// Where the call ends.
    const AFTER_CALL: usize = TRAMPOLINE.len() - 5;

    #[test]
    fn a_trampoline_of_wasmtime_is_followed() {
        let handover = follow(TRAMPOLINE, AT, Register::Rdx).unwrap();
        assert_eq!(handover.target, AT + AFTER_CALL as u64 + 0x100);
        assert_eq!((handover.holder, handover.slot), (Register::Rdx, 8));
    }

    #[test]
    fn each_argument_has_its_own_slot() {
        assert_eq!(follow(TRAMPOLINE, AT, Register::Rdi).unwrap().slot, 0);
        assert_eq!(follow(TRAMPOLINE, AT, Register::Rcx).unwrap().slot, 16);
        assert_eq!(follow(TRAMPOLINE, AT, Register::R8), None);
    }

    #[test]
    fn what_an_argument_points_to_is_found_among_what_is_handed_over() {
        let field = Field {
            of: Register::Rsi,
            offset: -0x80,
            slot: 24,
        };
        assert_eq!(
            follow(TRAMPOLINE, AT, Register::Rdx).unwrap().field,
            Some(field)
        );
        let mut code = TRAMPOLINE.to_vec();
        let store = code
            .windows(4)
            .position(|code| code == [0x89, 0x4c, 0x24, 0x0c])
            .unwrap();
        code.splice(store..store, [0x31, 0xc9]); // xor ecx, ecx
        assert_eq!(follow(&code, AT, Register::Rdx).unwrap().field, None);
    }

    #[test]
    fn a_function_that_works_on_after_the_call_is_not_followed() {
        let mut code = TRAMPOLINE.to_vec();
        code.splice(AFTER_CALL..AFTER_CALL, [0x31, 0xc0]); // xor eax, eax
        assert_eq!(follow(&code, AT, Register::Rdx), None);
    }

    #[test]
    fn an_argument_that_is_overwritten_is_not_followed() {
        let mut code = TRAMPOLINE.to_vec();
        code.splice(19..19, [0xc6, 0x44, 0x24, 0x1a, 0x00]); // mov byte ptr [rsp+0x1a], 0
        assert_eq!(follow(&code, AT, Register::Rdx), None);
    }

    #[test]
    fn a_cut_off_function_is_not_followed() {
        for length in 0..TRAMPOLINE.len() {
            assert_eq!(follow(&TRAMPOLINE[..length], AT, Register::Rdx), None);
        }
    }
}
