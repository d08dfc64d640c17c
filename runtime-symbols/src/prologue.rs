//! Where in a function to put a probe.
//!
//! A uprobe replaces an instruction. The kernel emulates a few kinds and single-steps the rest, at up to
//! twenty times the cost. A probe for arguments and return may stand behind the first byte as long as the
//! stack pointer still points at the return address and the argument registers are as they came.

use iced_x86::{
    Decoder, DecoderOptions, FlowControl, Formatter, Instruction, InstructionInfoFactory,
    IntelFormatter, OpAccess, OpKind, Register,
};

/// What the kernel does with the instruction under a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cost {
    /// It is emulated: a hit costs about half a microsecond.
    Emulated,
    /// It is executed out of line with a trap behind it: up to twenty times as much.
    SingleStepped,
}

/// The choice for one function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProbeSite {
    /// Bytes from the function's start to the probe.
    pub into: u64,
    pub cost: Cost,
    /// The function's first instruction.
    pub first: String,
    /// The instruction under the probe.
    pub at: String,
}

/// Bytes of a function that are looked at for a site. Also enough for the longest single instruction.
const REACH: usize = 32;

/// What is kept of a function in search of branches back to the site.
pub(crate) const LONGEST_FUNCTION: u64 = 1 << 20;

/// Chooses the site for a function. `code` starts at its first byte and ends with it; `whole` says whether
/// it does, or whether the function's length is not known.
pub(crate) fn choose(code: &[u8], address: u64, whole: bool) -> ProbeSite {
    let start = &code[..code.len().min(REACH)];
    let mut decoder = Decoder::with_ip(64, start, address, DecoderOptions::NONE);
    let mut infos = InstructionInfoFactory::new();
    let mut instruction = Instruction::default();
    let mut first = None;
    while decoder.can_decode() {
        let at = decoder.position();
        decoder.decode_out(&mut instruction);
        if instruction.is_invalid() {
            break;
        }
        let bytes = &start[at..decoder.position()];
        let first = first.get_or_insert_with(|| text(&instruction));
        if is_emulated(bytes) {
            let clear = at == 0 || whole && !branches_back(code, at, address);
            if clear {
                let at_text = text(&instruction);
                return ProbeSite {
                    into: at as u64,
                    cost: Cost::Emulated,
                    first: first.clone(),
                    at: at_text,
                };
            }
            break;
        }
        if !leaves_arguments_alone(&instruction, &mut infos) {
            break;
        }
    }
    let first = first.unwrap_or_else(|| "?".to_owned());
    ProbeSite {
        into: 0,
        cost: Cost::SingleStepped,
        at: first.clone(),
        first,
    }
}

/// The site at this distance from the function's start, where nothing is to be chosen.
pub(crate) fn at(code: &[u8], address: u64, into: u64) -> ProbeSite {
    let instruction = |from: u64| {
        let code = usize::try_from(from).ok().and_then(|from| code.get(from..));
        let code = code.unwrap_or(&[]);
        let at = address.wrapping_add(from);
        let mut decoder = Decoder::with_ip(64, code, at, DecoderOptions::NONE);
        let instruction = decoder.decode();
        (text(&instruction), &code[..decoder.position()])
    };
    let (at, bytes) = instruction(into);
    ProbeSite {
        into,
        cost: match is_emulated(bytes) {
            true => Cost::Emulated,
            false => Cost::SingleStepped,
        },
        first: instruction(0).0,
        at,
    }
}

/// Whether the kernel emulates this instruction: `branch_setup_xol_ops` and `push_setup_xol_ops` in
/// `arch/x86/kernel/uprobes.c`. It emulates the longer nops since Linux 6.17; before, they are
/// single-stepped, which is slower and as right. `endbr64` is not among them.
fn is_emulated(bytes: &[u8]) -> bool {
    match bytes {
        [0x50..=0x57] | [0x41, 0x50..=0x57] => true, // push of a register
        [0xe8 | 0xe9, _, _, _, _] | [0xeb, _] => true, // call, jmp
        [0x70..=0x7f, _] | [0x0f, 0x80..=0x8f, ..] => true, // conditional jumps
        _ => NOPS.contains(&bytes),
    }
}

/// `x86_nops` of `arch/x86/include/asm/nops.h`.
const NOPS: &[&[u8]] = &[
    &[0x90],
    &[0x66, 0x90],
    &[0x0f, 0x1f, 0x00],
    &[0x0f, 0x1f, 0x40, 0x00],
    &[0x0f, 0x1f, 0x44, 0x00, 0x00],
    &[0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
    &[0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
    &[0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
];

/// Whether control goes on to the next instruction with stack pointer, argument registers and memory as
/// they were. Memory counts since arguments may be there.
fn leaves_arguments_alone(instruction: &Instruction, infos: &mut InstructionInfoFactory) -> bool {
    if instruction.flow_control() != FlowControl::Next {
        return false;
    }
    let info = infos.info(instruction);
    let writes = |access| {
        matches!(
            access,
            OpAccess::Write | OpAccess::CondWrite | OpAccess::ReadWrite | OpAccess::ReadCondWrite
        )
    };
    let touches_register = info.used_registers().iter().any(|used| {
        writes(used.access())
            && matches!(
                used.register().full_register(),
                Register::RSP
                    | Register::RDI
                    | Register::RSI
                    | Register::RDX
                    | Register::RCX
                    | Register::R8
                    | Register::R9
            )
    });
    !touches_register && !info.used_memory().iter().any(|used| writes(used.access()))
}

/// Whether some branch of the function goes to a place behind its first byte from which the site is
/// reached: then a call would hit the probe more than once.
fn branches_back(code: &[u8], site: usize, address: u64) -> bool {
    far_branch_back(code, site) || near_branch_back(code, site, address)
}

/// Any four bytes that would, as a branch's 32-bit distance, lead there. No need to find the instructions:
/// that other bytes look like it is a chance of one in a hundred million for each.
fn far_branch_back(code: &[u8], site: usize) -> bool {
    code.windows(4).enumerate().any(|(at, bytes)| {
        let distance = i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let target = at as i64 + 4 + i64::from(distance);
        (1..=site as i64).contains(&target)
    })
}

/// Branches with an 8-bit distance come from at most 128 bytes behind.
fn near_branch_back(code: &[u8], site: usize, address: u64) -> bool {
    let reach = &code[..code.len().min(site + 2 + 128)];
    let mut decoder = Decoder::with_ip(64, reach, address, DecoderOptions::NONE);
    decoder.iter().any(|instruction| {
        let targets = instruction.op_count() > 0 && instruction.op0_kind() == OpKind::NearBranch64;
        let into = instruction.near_branch64().wrapping_sub(address);
        targets && (1..=site as u64).contains(&into)
    })
}

fn text(instruction: &Instruction) -> String {
    let mut text = String::new();
    let mut formatter = IntelFormatter::new();
    formatter.options_mut().set_hex_prefix("0x");
    formatter.options_mut().set_hex_suffix("");
    formatter.options_mut().set_uppercase_hex(false);
    formatter.options_mut().set_branch_leading_zeros(false);
    formatter.options_mut().set_show_branch_size(false);
    formatter
        .options_mut()
        .set_space_after_operand_separator(true);
    formatter.format(instruction, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: u64 = 0x1000;

    fn site(code: &[u8]) -> (u64, Cost) {
        let chosen = choose(code, AT, true);
        (chosen.into, chosen.cost)
    }

    #[test]
    fn a_push_at_the_start_is_taken() {
        let chosen = choose(&[0x55, 0x48, 0x89, 0xe5, 0xc3], AT, true);
        assert_eq!((chosen.into, chosen.cost), (0, Cost::Emulated));
        assert_eq!(
            (chosen.first.as_str(), chosen.at.as_str()),
            ("push rbp", "push rbp")
        );
    }

    #[test]
    fn a_push_behind_endbr64_is_taken() {
        let chosen = choose(&[0xf3, 0x0f, 0x1e, 0xfa, 0x41, 0x57, 0xc3], AT, true);
        assert_eq!((chosen.into, chosen.cost), (4, Cost::Emulated));
        assert_eq!(
            (chosen.first.as_str(), chosen.at.as_str()),
            ("endbr64", "push r15")
        );
    }

    #[test]
    fn a_push_behind_a_move_to_another_register_is_taken() {
        // mov rax, rdi; push rbx
        assert_eq!(site(&[0x48, 0x89, 0xf8, 0x53, 0xc3]), (3, Cost::Emulated));
    }

    #[test]
    fn a_jump_behind_a_test_is_taken() {
        // test edi, edi; je +0
        assert_eq!(site(&[0x85, 0xff, 0x74, 0x00, 0xc3]), (2, Cost::Emulated));
    }

    #[test]
    fn nothing_behind_a_change_of_the_stack_pointer_is_taken() {
        // sub rsp, 8; push rbx
        assert_eq!(
            site(&[0x48, 0x83, 0xec, 0x08, 0x53, 0xc3]),
            (0, Cost::SingleStepped)
        );
    }

    #[test]
    fn nothing_behind_a_change_of_an_argument_is_taken() {
        // xor ecx, ecx; push rbx
        assert_eq!(site(&[0x31, 0xc9, 0x53, 0xc3]), (0, Cost::SingleStepped));
    }

    #[test]
    fn nothing_behind_a_write_to_memory_is_taken() {
        // mov [rdx], eax; push rbx
        assert_eq!(site(&[0x89, 0x02, 0x53, 0xc3]), (0, Cost::SingleStepped));
    }

    #[test]
    fn nothing_behind_a_return_is_taken() {
        // ret; push rbx
        assert_eq!(site(&[0xc3, 0x53, 0xc3]), (0, Cost::SingleStepped));
    }

    #[test]
    fn a_site_that_a_loop_comes_back_to_is_not_taken() {
        // mov rax, rdi; push rbx; jmp -3 (to the push)
        assert_eq!(
            site(&[0x48, 0x89, 0xf8, 0x53, 0xeb, 0xfd]),
            (0, Cost::SingleStepped)
        );
        // mov rax, rdi; push rbx; jne -8 (the same with a 32-bit distance)
        assert_eq!(
            site(&[0x48, 0x89, 0xf8, 0x53, 0x0f, 0x85, 0xf9, 0xff, 0xff, 0xff]),
            (0, Cost::SingleStepped)
        );
    }

    #[test]
    fn a_later_site_needs_the_length_of_the_function() {
        let chosen = choose(&[0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0xc3], AT, false);
        assert_eq!((chosen.into, chosen.cost), (0, Cost::SingleStepped));
    }

    #[test]
    fn a_sixteen_bit_call_is_not_emulated() {
        assert!(!is_emulated(&[0x66, 0xe8, 0x00, 0x00]));
        assert!(is_emulated(&[0xe8, 0, 0, 0, 0]));
    }

    #[test]
    fn any_bytes_give_a_site_within_the_function() {
        let mut state = 1u64;
        for length in 0..64 {
            for _ in 0..200 {
                let code: Vec<u8> = (0..length)
                    .map(|_| {
                        state = state
                            .wrapping_mul(6364136223846793005)
                            .wrapping_add(1442695040888963407);
                        (state >> 56) as u8
                    })
                    .collect();
                assert!(choose(&code, AT, true).into <= length as u64);
            }
        }
    }
}
