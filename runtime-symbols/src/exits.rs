//! Where a function returns, for hosts that return probes would break.

use iced_x86::{Decoder, DecoderOptions, FlowControl, OpKind};

/// The instructions by which a function returns: offsets from its begin, in bytes. `code` is the whole function.
/// None if they do not tell when it ends: it goes on in another function (a tail call), or holds what is no code.
pub fn exits(code: &[u8]) -> Option<Vec<u64>> {
    let mut decoder = Decoder::with_ip(64, code, 0, DecoderOptions::NONE);
    let mut exits = Vec::new();
    for instruction in &mut decoder {
        if instruction.is_invalid() {
            return None;
        }
        match instruction.flow_control() {
            FlowControl::Return => exits.push(instruction.ip()),
            FlowControl::UnconditionalBranch | FlowControl::ConditionalBranch => {
                let near = instruction.op0_kind() == OpKind::NearBranch64;
                if near && instruction.near_branch64() >= code.len() as u64 {
                    return None;
                }
            }
            _ => {}
        }
    }
    Some(exits)
}

#[cfg(test)]
mod tests {
    use super::exits;

    #[test]
    fn each_return_of_a_function_is_an_exit() {
        // test edi, edi; jne +3; xor eax, eax; ret; mov eax, edi; ret
        let code = [0x85, 0xff, 0x75, 0x03, 0x31, 0xc0, 0xc3, 0x89, 0xf8, 0xc3];
        assert_eq!(exits(&code), Some(vec![6, 9]));
        // call +0; ud2
        assert_eq!(exits(&[0xe8, 0, 0, 0, 0, 0x0f, 0x0b]), Some(Vec::new()));
    }

    #[test]
    fn a_function_that_goes_on_in_another_one_has_no_known_exits() {
        // jmp +0x20 is behind its end, jmp -0x20 before its begin; je +0x20
        assert_eq!(exits(&[0xeb, 0x20]), None);
        assert_eq!(exits(&[0xeb, 0xe0]), None);
        assert_eq!(exits(&[0x74, 0x20, 0xc3]), None);
        // jmp to its begin
        assert_eq!(exits(&[0xeb, 0xfe]), Some(Vec::new()));
    }

    #[test]
    fn what_is_no_code_has_no_known_exits() {
        assert_eq!(exits(&[0x06, 0xc3]), None);
        assert_eq!(exits(&[0xe8, 0]), None);
    }
}
