//! What registers hold, and what is computed with it.

/// The result of a step, or the rule that it breaks.
pub(super) type Step<T> = Result<T, String>;

/// Memory that a pointer leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Region {
    Call,
    /// What the kernel hands to a program.
    Context,
    /// The frame with this depth in the chain of calls.
    Stack(usize),
    /// A value of a map, by its index in the machine's values.
    Value(usize),
}

/// What a register holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Uninitialised,
    Number(u64),
    Pointer(Region, i64),
    /// The result of a look-up that has not been compared with null.
    Unchecked(Option<usize>),
    Map(usize),
    /// A function, by its index in the program.
    Function(usize),
}

/// The registers of one function.
pub(super) struct Registers(pub(super) [Word; 11]);

impl Registers {
    pub(super) fn get(&self, index: usize) -> Step<Word> {
        match self.0[index] {
            Word::Uninitialised => Err(format!("reads r{index}, which is not initialised")),
            word => Ok(word),
        }
    }

    pub(super) fn number(&self, index: usize) -> Step<u64> {
        match self.get(index)? {
            Word::Number(number) => Ok(number),
            other => Err(format!("r{index} is no number but {other:?}")),
        }
    }

    pub(super) fn set(&mut self, index: usize, value: Word) -> Step<()> {
        if index == 10 {
            return Err("writes r10".to_owned());
        }
        self.0[index] = value;
        Ok(())
    }

    /// Whether `dst cond right`. A comparison with null tells what a look-up has given.
    pub(super) fn compare(&mut self, cond: u8, dst: usize, right: Word) -> Step<bool> {
        let left = self.get(dst)?;
        let (left, right) = match (left, right) {
            (Word::Number(left), Word::Number(right)) => (left, right),
            (Word::Unchecked(value), Word::Number(0)) if matches!(cond, 0x10 | 0x50) => {
                let known = value.map_or(Word::Number(0), |index| {
                    Word::Pointer(Region::Value(index), 0)
                });
                for register in self.0.iter_mut().filter(|register| **register == left) {
                    *register = known;
                }
                (u64::from(value.is_some()), 0)
            }
            (Word::Pointer(..), Word::Number(0)) if matches!(cond, 0x10 | 0x50) => (1, 0),
            _ => return Err(format!("compares {left:?} with {right:?}")),
        };
        let (signed_left, signed_right) = (left as i64, right as i64);
        Ok(match cond {
            0x10 => left == right,
            0x20 => left > right,
            0x30 => left >= right,
            0x50 => left != right,
            0x60 => signed_left > signed_right,
            0x70 => signed_left >= signed_right,
            0xa0 => left < right,
            0xb0 => left <= right,
            0xc0 => signed_left < signed_right,
            0xd0 => signed_left <= signed_right,
            _ => return Err("unknown condition".to_owned()),
        })
    }
}

/// `left op right`; the remainder only if signed.
pub(super) fn alu(op: u8, signed: bool, left: Word, right: Word) -> Step<Word> {
    let (left, right) = match (left, right) {
        (_, right) if op == 0xb0 => return Ok(right),
        (Word::Pointer(region, offset), Word::Number(number))
        | (Word::Number(number), Word::Pointer(region, offset))
            if op == 0x00 =>
        {
            return Ok(Word::Pointer(region, offset.wrapping_add(number as i64)));
        }
        (Word::Number(left), Word::Number(right)) => (left, right),
        _ => return Err(format!("computes with {left:?} and {right:?}")),
    };
    Ok(Word::Number(match op {
        0x00 => left.wrapping_add(right),
        0x10 => left.wrapping_sub(right),
        0x20 => left.wrapping_mul(right),
        0x30 if signed && right == 0 => 0,
        0x30 if signed => (left as i64).wrapping_div(right as i64) as u64,
        0x30 => left.checked_div(right).unwrap_or(0),
        0x40 => left | right,
        0x50 => left & right,
        0x60 => left << (right & 63),
        0x70 => left >> (right & 63),
        0x80 => left.wrapping_neg(),
        0x90 if signed && right == 0 => left,
        0x90 if signed => (left as i64).wrapping_rem(right as i64) as u64,
        0x90 => left.checked_rem(right).unwrap_or(left),
        0xa0 => left ^ right,
        0xc0 => ((left as i64) >> (right & 63)) as u64,
        _ => return Err("unknown arithmetic".to_owned()),
    }))
}
