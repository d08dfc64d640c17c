//! Programs written in Go: their functions by the table that `strip` leaves, where a call of one has begun, and where
//! a thread keeps the goroutine that it runs. The structures are those of Go's `src/runtime/runtime2.go`, and offsets in them
//! are read off the program's own code.

use iced_x86::{
    Code, ConditionCode, Decoder, DecoderOptions, FlowControl, Instruction, OpKind, Register,
};

use crate::elf::{ElfFile, FileOffset, SymbolTable};

pub(crate) mod functions;

/// What is to be known of a Go program to follow the calls of goroutines, which move between threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goroutines {
    /// Where a goroutine ends: its calls will not return.
    pub ends: Vec<FileOffset>,
    /// Where a thread keeps the goroutine that it works for; none if the code does not tell.
    pub current: Option<Current>,
}

/// The way from a thread to the goroutine that it works for, also while it runs the scheduler for it: offsets in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Current {
    /// From the base of the segment FS: a pointer to the `g` that runs, which may be the thread's own.
    pub tls: i32,
    /// In `g`: a pointer to its `m`, the thread.
    pub m: u16,
    /// In `m`: a pointer to the `g` that the thread works for (`curg`).
    pub curg: u16,
}

/// Why calls of a Go program cannot be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// A function does not keep its goroutine in r14, as Go does since 1.17.
    OldCalls,
    /// There is no `runtime.goexit1`.
    NoEnd,
}

/// Whether Go's linker made the file.
pub(crate) fn is_go(file: &ElfFile<'_>) -> bool {
    [".go.buildinfo", ".note.go.buildid", ".gopclntab"]
        .iter()
        .any(|name| file.section(name).is_some())
}

/// Bytes of a function that are looked at for the check of its stack.
const REACH: usize = 48;

/// Offset of `stackguard0` in `g`.
const STACK_GUARD: u64 = 0x10;

/// Bytes from the begin of a function to where a call of it has begun for good. What stands before makes sure that the
/// stack is large enough: if it is not, it is moved, and the function begins again.
pub(crate) fn entry(code: &[u8]) -> Result<u64, Unfit> {
    let code = &code[..code.len().min(REACH)];
    let mut decoder = Decoder::with_ip(64, code, 0, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let mut guarded = false;
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        if instruction.segment_prefix() == Register::FS {
            return Err(Unfit::OldCalls);
        }
        let on_scratch = instruction.op0_kind() == OpKind::Register
            && instruction.op0_register() == Register::R12;
        match instruction.code() {
            // cmp rsp, [r14+16], or with r12 for a large frame
            Code::Cmp_r64_rm64
                if instruction.memory_base() == Register::R14
                    && instruction.memory_displacement64() == STACK_GUARD =>
            {
                guarded = true;
            }
            _ if instruction.flow_control() == FlowControl::ConditionalBranch => {
                if guarded {
                    return Ok(decoder.position() as u64);
                }
                // That a very large frame would begin below address 0.
                if instruction.condition_code() != ConditionCode::b {
                    return Ok(0);
                }
            }
            // lea r12, [rsp-N]; mov r12, rsp; sub r12, N
            _ if on_scratch && !guarded => {}
            _ => return Ok(0),
        }
    }
    Ok(0)
}

/// Where a goroutine ends.
pub(crate) fn ends(file: &ElfFile<'_>, table: &SymbolTable<'_>) -> Result<Vec<FileOffset>, Unfit> {
    let mut ends = Vec::new();
    // It has a second symbol of this name, which code in assembler calls, and which calls it.
    for (address, size) in named(table, "runtime.goexit1") {
        let into = entry(file.code(address, size))?;
        ends.extend(file.file_offset(address + into));
    }
    match ends.is_empty() {
        true => Err(Unfit::NoEnd),
        false => Ok(ends),
    }
}

/// Reads off `runtime.systemstack` where a thread keeps the goroutine that it works for: the function compares the one that
/// runs with three of its thread, of which this is the last.
pub(crate) fn current(file: &ElfFile<'_>, table: &SymbolTable<'_>) -> Option<Current> {
    let names = ["runtime.systemstack.abi0", "runtime.systemstack"];
    names
        .iter()
        .flat_map(|name| named(table, name))
        .find_map(|(address, size)| current_in(file.code(address, size)))
}

fn current_in(code: &[u8]) -> Option<Current> {
    let mut decoder = Decoder::with_ip(64, &code[..code.len().min(96)], 0, DecoderOptions::NONE);
    let mut constant = None;
    // A register with the offset from a thread to what it points to.
    let (mut running, mut thread) = (None, None);
    let mut compared = 0;
    for instruction in &mut decoder {
        let to = instruction.op0_register();
        let base = instruction.memory_base();
        let offset = instruction.memory_displacement64();
        match instruction.code() {
            Code::Mov_rm64_imm32 => constant = Some((to, instruction.immediate32to64())),
            Code::Mov_r64_rm64 if instruction.segment_prefix() == Register::FS => {
                let start = match constant {
                    _ if base == Register::None => 0,
                    Some((register, value)) if register == base => value,
                    _ => return None,
                };
                running = Some((to, start.wrapping_add(offset as i64)));
            }
            Code::Mov_r64_rm64 if thread.is_none() && running.is_some_and(|(g, _)| g == base) => {
                thread = Some((to, offset));
            }
            Code::Cmp_r64_rm64
                if running.is_some_and(|(g, _)| g == to)
                    && thread.is_some_and(|(m, _)| m == base) =>
            {
                compared += 1;
                if compared == 2 {
                    return Some(Current {
                        tls: i32::try_from(running?.1).ok()?,
                        m: u16::try_from(thread?.1).ok()?,
                        curg: u16::try_from(offset).ok()?,
                    });
                }
            }
            _ => {}
        }
    }
    None
}

/// Address and length of the functions of this name.
fn named(table: &SymbolTable<'_>, name: &str) -> Vec<(u64, u64)> {
    let text = [b"\0", name.as_bytes(), b"\0"].concat();
    let places: Vec<usize> = memchr::memmem::find_iter(table.strings, &text)
        .map(|at| at + 1)
        .collect();
    table
        .functions()
        .filter(|symbol| places.contains(&symbol.name))
        .map(|symbol| (symbol.address, symbol.size))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_begun_behind_the_check_of_the_stack() {
        // cmp rsp, [r14+0x10]; jbe; push rbp
        let short = [0x49, 0x3b, 0x66, 0x10, 0x76, 0x34, 0x55];
        assert_eq!(entry(&short), Ok(6));
        let near = [0x49, 0x3b, 0x66, 0x10, 0x0f, 0x86, 0x85, 0, 0, 0, 0x55];
        assert_eq!(entry(&near), Ok(10));
        // lea r12, [rsp-0x80]; cmp r12, [r14+0x10]; jbe; sub rsp
        let large = [
            0x4c, 0x8d, 0x64, 0x24, 0x80, 0x4d, 0x3b, 0x66, 0x10, 0x76, 0x34, 0x48, 0x81, 0xec, 0,
            1, 0, 0,
        ];
        assert_eq!(entry(&large), Ok(11));
        // mov r12, rsp; sub r12, 0x10000; jb; cmp r12, [r14+0x10]; jbe; push rbp
        let huge = [
            0x49, 0x89, 0xe4, 0x49, 0x81, 0xec, 0, 0, 1, 0, 0x72, 0x20, 0x4d, 0x3b, 0x66, 0x10,
            0x76, 0x1a, 0x55,
        ];
        assert_eq!(entry(&huge), Ok(18));
    }

    #[test]
    fn a_function_without_a_check_begins_at_its_first_byte() {
        // push rbp; mov rbp, rsp
        assert_eq!(entry(&[0x55, 0x48, 0x89, 0xe5]), Ok(0));
        // test eax, eax; je
        assert_eq!(entry(&[0x85, 0xc0, 0x74, 0x10]), Ok(0));
        // sub r12, 1; cmp rbx, [rax+0x10]; jbe
        assert_eq!(
            entry(&[0x49, 0x83, 0xec, 1, 0x48, 0x3b, 0x58, 0x10, 0x76, 0]),
            Ok(0)
        );
        assert_eq!(entry(&[]), Ok(0));
    }

    #[test]
    fn go_before_1_17_is_told_by_where_it_keeps_the_goroutine() {
        // mov rcx, fs:[-8]; cmp rsp, [rcx+0x10]
        let old = [
            0x64, 0x48, 0x8b, 0x0c, 0x25, 0xf8, 0xff, 0xff, 0xff, 0x48, 0x3b, 0x61, 0x10,
        ];
        assert_eq!(entry(&old), Err(Unfit::OldCalls));
    }

    /// `runtime.systemstack` as Go 1.27 has it, from the load of the goroutine on.
    const SYSTEMSTACK: [u8; 37] = [
        0x64, 0x48, 0x8b, 0x04, 0x25, 0xf8, 0xff, 0xff, 0xff, // mov rax, fs:[-8]
        0x48, 0x8b, 0x58, 0x30, // mov rbx, [rax+0x30]
        0x48, 0x3b, 0x43, 0x48, // cmp rax, [rbx+0x48]
        0x74, 0x65, // je
        0x48, 0x8b, 0x13, // mov rdx, [rbx]
        0x48, 0x39, 0xd0, // cmp rax, rdx
        0x74, 0x5d, // je
        0x48, 0x3b, 0x83, 0xb8, 0, 0, 0, // cmp rax, [rbx+0xb8]
        0x75, 0x5d, 0xc3,
    ];

    const FOUND: Current = Current {
        tls: -8,
        m: 0x30,
        curg: 0xb8,
    };

    #[test]
    fn the_way_to_the_goroutine_of_a_thread_is_read_off_the_code() {
        assert_eq!(current_in(&SYSTEMSTACK), Some(FOUND));
        // mov rcx, -8; mov rax, fs:[rcx]
        let start = [
            0x48, 0xc7, 0xc1, 0xf8, 0xff, 0xff, 0xff, 0x64, 0x48, 0x8b, 0x01,
        ];
        let independent = [&start[..], &SYSTEMSTACK[9..]].concat();
        assert_eq!(current_in(&independent), Some(FOUND));
    }

    #[test]
    fn code_that_does_not_tell_the_way_gives_none() {
        // Up to the first comparison.
        assert_eq!(current_in(&SYSTEMSTACK[..17]), None);
        // The offset comes from a table: mov rcx, [rip+0x10]; mov rax, fs:[rcx]
        let start = [0x48, 0x8b, 0x0d, 0x10, 0, 0, 0, 0x64, 0x48, 0x8b, 0x01];
        assert_eq!(current_in(&[&start[..], &SYSTEMSTACK[9..]].concat()), None);
        assert_eq!(current_in(&[]), None);
    }
}
