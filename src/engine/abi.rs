//! The catalogue's ABIs in the numbers of the templates.

use ewapa_symbols::abi::{Abi, Args, Buffers, Errno, Memory, Register, Valid};

/// One ABI as the templates read it.
pub fn encode(abi: &Abi) -> ewapa_templates::Abi {
    let (args, args_reg, stride, args_off) = match abi.args {
        Args::Unknown => (0, 0, 0, 0),
        Args::Registers(first) => (1, register(first), 0, 0),
        Args::Array { base, stride } => (2, register(base), stride, 0),
        Args::IndirectArray { base, stride } => (3, register(base), stride, 0),
        Args::Captured {
            base,
            offset,
            stride,
        } => (4, register(base), stride, offset),
    };
    let (memory, memory_reg, memory_off) = match abi.memory {
        Memory::Unknown => (0, 0, 0),
        Memory::Host => (1, 0, 0),
        Memory::Register(base) => (2, register(base), 0),
        Memory::Indirect { base, offset } => (3, register(base), offset),
        Memory::Search => (4, 0, 0),
    };
    ewapa_templates::Abi {
        args,
        args_reg,
        stride,
        errno_at: match abi.errno {
            Errno::Unknown => 0,
            Errno::Return => 1,
            Errno::FirstCell => 2,
        },
        valid: match abi.valid {
            Valid::Always => 0,
            Valid::ReturnNonzero => 1,
            Valid::ReturnZero => 2,
        },
        memory,
        memory_reg,
        memory_off,
        args_off,
        buffers: match abi.buffers {
            Buffers::Guest => 0,
            Buffers::Host => 1,
        },
        ..Default::default()
    }
}

fn register(register: Register) -> u8 {
    match register {
        Register::Rdi => 0,
        Register::Rsi => 1,
        Register::Rdx => 2,
        Register::Rcx => 3,
        Register::R8 => 4,
        Register::R9 => 5,
    }
}
