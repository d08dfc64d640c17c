//! A readable listing of a program: `--emit asm`.

use std::fmt;

use crate::insn::{Insn, Symbol};
use crate::program::{Function, Program};

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for store in &self.stores {
            writeln!(
                f,
                "map {}: {:?}, key {} bytes, value {} bytes, at most {} rows",
                store.map, store.kind, store.key_size, store.value_size, store.max_rows
            )?;
        }
        for (index, message) in self.messages.iter().enumerate() {
            writeln!(f, "message {index}: {} bytes", message.size)?;
        }
        for function in &self.functions {
            write!(f, "\n{function}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: ; {}", self.name, self.text)?;
        let mut index = 0;
        while let Some(insn) = self.code.insns.get(index) {
            let symbol = self
                .code
                .symbols
                .iter()
                .find(|(at, _)| *at == index)
                .map(|(_, symbol)| symbol);
            let next = self.code.insns.get(index + 1).map_or(0, |insn| insn.imm);
            writeln!(f, "{index:5}: {}", text(insn, index, next, symbol))?;
            index += if insn.code == 0x18 { 2 } else { 1 };
        }
        Ok(())
    }
}

/// One instruction in the notation of the kernel's verifier.
fn text(insn: &Insn, index: usize, next: i32, symbol: Option<&Symbol>) -> String {
    let (dst, src, off, imm) = (insn.dst.0, insn.src.0, insn.off, insn.imm);
    let address = |reg| {
        format!(
            "*(u64 *)(r{reg} {} {})",
            if off < 0 { '-' } else { '+' },
            off.unsigned_abs()
        )
    };
    let operand = if insn.code & 0x08 != 0 {
        format!("r{src}")
    } else {
        imm.to_string()
    };
    let width = match insn.code {
        0x61 => "u32",
        0x69 => "u16",
        _ => "u8",
    };
    let target = index as i64 + 1 + i64::from(off);
    match insn.code {
        0x18 => match symbol {
            Some(Symbol::Map(name)) => format!("r{dst} = map {name}"),
            Some(Symbol::Function(name)) => format!("r{dst} = function {name}"),
            None => format!(
                "r{dst} = {:#x} ll",
                i64::from(next) << 32 | i64::from(imm as u32)
            ),
        },
        0x61 | 0x69 | 0x71 => format!("r{dst} = {}", address(src).replace("u64", width)),
        0x79 => format!("r{dst} = {}", address(src)),
        0x7b => format!("{} = r{src}", address(dst)),
        0x72 => format!("{} = {imm}", address(dst).replace("u64", "u8")),
        0x7a => format!("{} = {imm}", address(dst)),
        0xdb => match imm {
            0x00 => format!("lock {} += r{src}", address(dst)),
            0x01 => format!("r{src} = atomic_fetch_add({}, r{src})", address(dst)),
            _ => format!("r0 = atomic_cmpxchg({}, r0, r{src})", address(dst)),
        },
        0x85 => match symbol {
            Some(Symbol::Function(name)) => format!("call {name}"),
            _ => format!("call helper#{imm}"),
        },
        0x95 => "exit".to_owned(),
        0x05 => format!("goto {target}"),
        0xe5 => format!("may_goto {target}"),
        code if code & 0x07 == 0x07 => {
            let op = match code & 0xf0 {
                0x00 => "+=",
                0x10 => "-=",
                0x20 => "*=",
                0x30 if off == 1 => "s/=",
                0x30 => "/=",
                0x40 => "|=",
                0x50 => "&=",
                0x60 => "<<=",
                0x70 => ">>=",
                0x80 => return format!("r{dst} = -r{dst}"),
                0x90 if off == 1 => "s%=",
                0x90 => "%=",
                0xa0 => "^=",
                0xc0 => "s>>=",
                _ => "=",
            };
            format!("r{dst} {op} {operand}")
        }
        code => {
            let op = match code & 0xf0 {
                0x10 => "==",
                0x20 => ">",
                0x30 => ">=",
                0x50 => "!=",
                0x60 => "s>",
                0x70 => "s>=",
                0xa0 => "<",
                0xb0 => "<=",
                0xc0 => "s<",
                _ => "s<=",
            };
            format!("if r{dst} {op} {operand} goto {target}")
        }
    }
}
