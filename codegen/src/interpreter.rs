//! Runs generated code without the kernel: the subset of eBPF that is emitted, with typed values, maps
//! and the rules of the kernel's verifier that can be checked while running: nothing is read before it is
//! written, every access lies within its memory, the result of a look-up is compared with null first.

mod helpers;
mod memory;
mod registers;

use std::collections::{BTreeMap, BTreeSet};

use ewapa_templates::{CALL_SIZE, Counter};

use crate::insn::{Insn, Symbol};
use crate::layout::MapKind;
use crate::program::{Function, MAX_NAMES, MESSAGES, Program, ZEROS, names_of, stacks_of};
pub use helpers::Says;
pub use memory::Memory;
use registers::{Region, Registers, Step, Word, alu};

const STACK: usize = 512;
/// The bytes of `struct pt_regs`.
const CONTEXT_SIZE: usize = 168;
/// No run of a test needs as many instructions.
const BUDGET: usize = 100_000;
/// What is said of a run that needs more.
pub const TOO_LONG: &str = "the code runs for too long";
const EEXIST: i64 = -17;
const E2BIG: i64 = -7;
const ENOENT: i64 = -2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Array,
    PerCpuArray,
    Hash,
    RingBuffer,
    Stacks,
}

#[derive(Debug)]
struct Map {
    name: String,
    kind: Kind,
    key_size: usize,
    value_size: usize,
    max_rows: usize,
    /// From the key to the value's index. The key of a per-CPU array begins with the CPU, as that of most
    /// hashes of generated code does.
    rows: BTreeMap<Vec<u8>, usize>,
    /// The keys of all rows that a hash has ever had.
    seen: BTreeSet<Vec<u8>>,
}

/// A machine with the maps of one program.
pub struct Machine<'a> {
    program: &'a Program,
    maps: Vec<Map>,
    values: Vec<Vec<u8>>,
    call: Vec<u8>,
    /// What the kernel hands to a program.
    pub context: Vec<u8>,
    stacks: Vec<[Option<u8>; STACK]>,
    /// The pointers that are kept on stacks: depth and offset.
    kept: BTreeMap<(usize, usize), Word>,
    /// The memory of the process.
    pub memory: Memory,
    /// Who runs the program.
    pub says: Says,
    /// In which order the rows of a map come to a loop over it, as far as that is known: by the map's name.
    pub orders: BTreeMap<String, Vec<Vec<u8>>>,
    /// The record of a message that is being written.
    record: Option<usize>,
    budget: usize,
    /// The CPU that the next run is on.
    pub cpu: u64,
    /// The most bytes of the stack that any function has used.
    pub deepest: usize,
    /// What other probes on this CPU write to the place of a compare-and-exchange just before it: one
    /// value for each, from the last.
    pub preemptions: Vec<u64>,
    /// What has been put into the ring buffer.
    pub messages: Vec<Vec<u8>>,
    /// How many messages the ring buffer takes.
    pub message_room: usize,
}

impl<'a> Machine<'a> {
    /// A machine with empty maps.
    pub fn new(program: &'a Program) -> Machine<'a> {
        let map = |name: &str, kind, key_size, value_size, max_rows| Map {
            name: name.to_owned(),
            kind,
            key_size,
            value_size,
            max_rows,
            rows: BTreeMap::new(),
            seen: BTreeSet::new(),
        };
        let mut maps = vec![
            map(ZEROS, Kind::Array, 4, program.zeros_size(), 1),
            map("counters", Kind::PerCpuArray, 4, 8, Counter::COUNT as usize),
        ];
        maps.extend(program.stores.iter().map(|store| {
            let kind = match store.kind {
                MapKind::PerCpuArray => Kind::PerCpuArray,
                MapKind::HashByCpu | MapKind::Shared => Kind::Hash,
            };
            map(
                &store.map,
                kind,
                store.key_size,
                store.value_size,
                store.max_rows as usize,
            )
        }));
        maps.extend(program.names.iter().map(|of| {
            let names = MAX_NAMES as usize;
            map(names_of(*of), Kind::Array, 4, 8, names)
        }));
        if !program.messages.is_empty() {
            maps.push(map(MESSAGES, Kind::RingBuffer, 0, 0, 0));
        }
        for depth in &program.stacks {
            maps.push(map(&stacks_of(*depth), Kind::Stacks, 0, 0, 0));
        }
        let (call, stacks, values, preemptions) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Machine {
            messages: Vec::new(),
            message_room: usize::MAX,
            program,
            maps,
            values,
            call,
            context: vec![0; CONTEXT_SIZE],
            kept: BTreeMap::new(),
            memory: Memory::default(),
            says: Says::default(),
            orders: BTreeMap::new(),
            record: None,
            stacks,
            budget: 0,
            cpu: 0,
            deepest: 0,
            preemptions,
        }
    }

    /// Runs the function with this record of a call and returns what it returns.
    ///
    /// # Errors
    /// The code breaks a rule; the text names the instruction.
    pub fn run(&mut self, function: &str, call: &[u8]) -> Step<u64> {
        self.start(call);
        let arguments = [
            Word::Pointer(Region::Call, 0),
            Word::Pointer(Region::Context, 0),
        ];
        self.function(function, &arguments)
    }

    /// Runs the function with a blank record and this number, as for an event that is no call.
    ///
    /// # Errors
    /// The code breaks a rule; the text names the instruction.
    pub fn run_event(&mut self, function: &str, number: u64) -> Step<u64> {
        self.start(&[0; CALL_SIZE]);
        let arguments = [
            Word::Pointer(Region::Call, 0),
            Word::Pointer(Region::Context, 0),
            Word::Number(number),
        ];
        self.function(function, &arguments)
    }

    fn start(&mut self, call: &[u8]) {
        assert_eq!(call.len(), CALL_SIZE);
        self.call = call.to_vec();
        self.stacks.clear();
        self.kept.clear();
        self.budget = BUDGET;
    }

    /// The rows of a map: key and value. The key of a map that each CPU has for itself begins with the CPU.
    pub fn rows(&self, map: &str) -> Vec<(&[u8], &[u8])> {
        let map = self
            .maps
            .iter()
            .find(|known| known.name == map)
            .expect("a map of the program");
        map.rows
            .iter()
            .map(|(key, value)| (key.as_slice(), self.values[*value].as_slice()))
            .collect()
    }

    /// The keys of all rows that a hash has ever had.
    pub fn keys_seen(&self, map: &str) -> Vec<Vec<u8>> {
        let map = self.maps.iter().find(|known| known.name == map);
        map.expect("a map of the program")
            .seen
            .iter()
            .cloned()
            .collect()
    }

    /// A counter's sum over all CPUs.
    pub fn counter(&self, counter: Counter) -> u64 {
        let index = (counter as u32).to_ne_bytes();
        self.rows("counters")
            .iter()
            .filter(|(key, _)| key[8..] == index)
            .map(|(_, value)| word(value))
            .sum()
    }

    fn function(&mut self, name: &str, arguments: &[Word]) -> Step<u64> {
        let program = self.program;
        let function = program
            .functions
            .iter()
            .find(|function| function.name == name);
        let function = function.ok_or_else(|| format!("no function {name}"))?;
        self.stacks.push([None; STACK]);
        let mut registers = Registers([Word::Uninitialised; 11]);
        registers.0[1..=arguments.len()].copy_from_slice(arguments);
        registers.0[10] = Word::Pointer(Region::Stack(self.stacks.len() - 1), STACK as i64);
        let mut at = 0;
        loop {
            let insn = function
                .code
                .insns
                .get(at)
                .ok_or_else(|| format!("{name} runs off its end"))?;
            let step = self.step(function, at, *insn, &mut registers);
            match step.map_err(|error| format!("{name}, instruction {at}, {insn:?}: {error}"))? {
                Some(next) => at = next,
                None => break,
            }
        }
        self.stacks.pop();
        let depth = self.stacks.len();
        self.kept.retain(|(of, _), _| *of < depth);
        registers
            .number(0)
            .map_err(|error| format!("{name} returns without a result: {error}"))
    }

    /// Executes one instruction and returns the index of the next one; none at the end of the function.
    fn step(
        &mut self,
        function: &Function,
        at: usize,
        insn: Insn,
        registers: &mut Registers,
    ) -> Step<Option<usize>> {
        self.budget = self.budget.checked_sub(1).ok_or(TOO_LONG)?;
        let (dst, src) = (usize::from(insn.dst.0), usize::from(insn.src.0));
        let symbol = function
            .code
            .symbols
            .iter()
            .find(|(index, _)| *index == at)
            .map(|(_, symbol)| symbol);
        let immediate = Word::Number(i64::from(insn.imm) as u64);
        let mut next = at + 1;
        match insn.code {
            0x18 => {
                let value = match symbol {
                    Some(Symbol::Map(name)) => Word::Map(self.map(name)?),
                    Some(Symbol::Function(name)) => {
                        let mut functions = self.program.functions.iter();
                        let index = functions.position(|function| function.name == *name);
                        Word::Function(index.ok_or_else(|| format!("no function {name}"))?)
                    }
                    None => {
                        let high = function
                            .code
                            .insns
                            .get(at + 1)
                            .ok_or("half of a constant")?
                            .imm;
                        Word::Number(u64::from(high as u32) << 32 | u64::from(insn.imm as u32))
                    }
                };
                registers.set(dst, value)?;
                next += 1;
            }
            0x79 => {
                let value = self.load_word(registers.get(src)?, insn.off)?;
                registers.set(dst, value)?;
            }
            0x61 | 0x69 | 0x71 => {
                let size = [4, 2, 1][usize::from(insn.code >> 3 & 3)];
                let mut bytes = self.bytes(registers.get(src)?, insn.off, size)?;
                bytes.resize(8, 0);
                registers.set(dst, Word::Number(word(&bytes)))?;
            }
            0x7b => self.store_word(registers.get(dst)?, insn.off, registers.get(src)?)?,
            0x7a => self.store(registers.get(dst)?, insn.off, i64::from(insn.imm) as u64)?,
            0x72 => self.write(registers.get(dst)?, insn.off, &[insn.imm as u8])?,
            0xdb => self.atomic(insn, registers)?,
            0x85 => {
                let result = match symbol {
                    Some(Symbol::Function(name)) => {
                        self.called(name, &[registers.0[1], registers.0[2]])?
                    }
                    Some(Symbol::Map(name)) => return Err(format!("calls the map {name}")),
                    None => self.helper(insn.imm, registers)?,
                };
                registers.0[1..=5].fill(Word::Uninitialised);
                registers.0[0] = result;
            }
            0x95 => return Ok(None),
            0x05 => next = jump_target(at, insn),
            // No loop of a test goes on for as long as that.
            0xe5 => {}
            code if code & 7 == 7 => {
                let right = if code & 8 != 0 {
                    registers.get(src)?
                } else {
                    immediate
                };
                let is_shift = matches!(code & 0xf0, 0x60 | 0x70);
                if is_shift && code & 8 == 0 && !(0..64).contains(&insn.imm) {
                    return Err("shifts by more than there are bits".to_owned());
                }
                let left = if code & 0xf0 == 0xb0 {
                    right
                } else {
                    registers.get(dst)?
                };
                let left = match left {
                    // Minus an address is a number: generated code makes a number of an address by it.
                    Word::Pointer(Region::Context, offset) if code & 0xf0 == 0x80 => {
                        Word::Number(memory::CONTEXT.wrapping_add(offset as u64))
                    }
                    left => left,
                };
                registers.set(dst, alu(code & 0xf0, insn.off == 1, left, right)?)?;
            }
            code if code & 7 == 5 => {
                let right = if code & 8 != 0 {
                    registers.get(src)?
                } else {
                    immediate
                };
                if registers.compare(code & 0xf0, dst, right)? {
                    next = jump_target(at, insn);
                }
            }
            _ => return Err("unknown instruction".to_owned()),
        }
        Ok(Some(next))
    }

    fn atomic(&mut self, insn: Insn, registers: &mut Registers) -> Step<()> {
        let (address, src) = (
            registers.get(usize::from(insn.dst.0))?,
            usize::from(insn.src.0),
        );
        let operand = registers.number(src)?;
        let before = self.load(address, insn.off)?;
        match insn.imm {
            0x00 => self.store(address, insn.off, before.wrapping_add(operand)),
            0x01 => {
                self.store(address, insn.off, before.wrapping_add(operand))?;
                registers.set(src, Word::Number(before))
            }
            0xf1 => {
                let before = self.preemptions.pop().unwrap_or(before);
                let expected = registers.number(0)?;
                self.store(
                    address,
                    insn.off,
                    if before == expected { operand } else { before },
                )?;
                registers.set(0, Word::Number(before))
            }
            _ => Err("unknown atomic operation".to_owned()),
        }
    }

    fn map(&self, name: &str) -> Step<usize> {
        self.maps
            .iter()
            .position(|map| map.name == name)
            .ok_or_else(|| format!("no map {name}"))
    }

    fn look_up(&mut self, map: usize, key: Vec<u8>) -> Option<usize> {
        let map = &mut self.maps[map];
        match map.kind {
            Kind::Hash => return map.rows.get(&key).copied(),
            Kind::RingBuffer | Kind::Stacks => return None,
            Kind::Array | Kind::PerCpuArray => {}
        }
        let index = u32::from_ne_bytes(key.as_slice().try_into().expect("the key of an array"));
        if index as usize >= map.max_rows {
            return None;
        }
        let cpu = if map.kind == Kind::PerCpuArray {
            self.cpu
        } else {
            0
        };
        let key = [&cpu.to_ne_bytes(), key.as_slice()].concat();
        Some(*map.rows.entry(key).or_insert_with(|| {
            self.values.push(vec![0; map.value_size]);
            self.values.len() - 1
        }))
    }

    fn insert(&mut self, map: usize, key: Vec<u8>, value: Vec<u8>, flags: u64) -> Step<i64> {
        let map = &mut self.maps[map];
        if map.kind != Kind::Hash || flags != 1 {
            return Err("only new rows of a hash are made".to_owned());
        }
        if map.rows.contains_key(&key) {
            return Ok(EEXIST);
        }
        if map.rows.len() >= map.max_rows {
            return Ok(E2BIG);
        }
        self.values.push(value);
        map.seen.insert(key.clone());
        map.rows.insert(key, self.values.len() - 1);
        Ok(0)
    }

    fn load(&self, base: Word, off: i16) -> Step<u64> {
        aligned(base, off)?;
        Ok(word(&self.bytes(base, off, 8)?))
    }

    /// A word, which may be a pointer that is kept on the stack.
    fn load_word(&self, base: Word, off: i16) -> Step<Word> {
        if let (Region::Stack(depth), start) = address(base, off)?
            && let Some(kept) = self.kept.get(&(depth, start))
        {
            return Ok(*kept);
        }
        self.load(base, off).map(Word::Number)
    }

    fn store_word(&mut self, base: Word, off: i16, value: Word) -> Step<()> {
        match (address(base, off)?, value) {
            (_, Word::Number(number)) => self.store(base, off, number),
            ((Region::Stack(depth), start), _) => {
                self.store(base, off, 0)?;
                self.kept.insert((depth, start), value);
                Ok(())
            }
            _ => Err("an address leaves the stack".to_owned()),
        }
    }

    fn bytes(&self, base: Word, off: i16, len: usize) -> Step<Vec<u8>> {
        let (region, start) = address(base, off)?;
        let outside = || format!("reads {len} bytes at {start} of {region:?}: out of bounds");
        let range = start..start + len;
        match region {
            Region::Call => self.call.get(range).map(<[u8]>::to_vec).ok_or_else(outside),
            Region::Context => self
                .context
                .get(range)
                .map(<[u8]>::to_vec)
                .ok_or_else(outside),
            Region::Value(index) => self.values[index]
                .get(range)
                .map(<[u8]>::to_vec)
                .ok_or_else(outside),
            Region::Stack(depth) => {
                let bytes = self.stacks[depth].get(range).ok_or_else(outside)?;
                bytes
                    .iter()
                    .copied()
                    .collect::<Option<_>>()
                    .ok_or_else(|| "reads uninitialised stack".to_owned())
            }
        }
    }

    fn store(&mut self, base: Word, off: i16, value: u64) -> Step<()> {
        aligned(base, off)?;
        self.write(base, off, &value.to_ne_bytes())
    }

    fn write(&mut self, base: Word, off: i16, bytes: &[u8]) -> Step<()> {
        let (region, start) = address(base, off)?;
        let outside = || format!("writes at {start} of {region:?}: out of bounds");
        let range = start..start + bytes.len();
        match region {
            Region::Call => return Err("writes to the record of the call".to_owned()),
            Region::Context => return Err("writes to the context".to_owned()),
            Region::Value(index) => {
                self.values[index]
                    .get_mut(range)
                    .ok_or_else(outside)?
                    .copy_from_slice(bytes);
            }
            Region::Stack(depth) => {
                self.deepest = self.deepest.max(STACK.saturating_sub(start));
                let place = self.stacks[depth].get_mut(range.clone());
                for (to, from) in place.ok_or_else(outside)?.iter_mut().zip(bytes) {
                    *to = Some(*from);
                }
                self.kept.retain(|(of, at), _| {
                    *of != depth || at + 8 <= range.start || *at >= range.end
                });
            }
        }
        Ok(())
    }
}

fn aligned(base: Word, off: i16) -> Step<()> {
    let (region, start) = address(base, off)?;
    if start % 8 != 0 {
        return Err(format!("{start} of {region:?} is not aligned"));
    }
    Ok(())
}

/// Where a pointer leads to.
fn address(base: Word, off: i16) -> Step<(Region, usize)> {
    let Word::Pointer(region, offset) = base else {
        return Err(format!("{base:?} is no address"));
    };
    let start = usize::try_from(offset.wrapping_add(i64::from(off)));
    let start = start.map_err(|_| format!("an address before {region:?}: out of bounds"))?;
    // Far addresses are out of bounds, too; none may overflow.
    Ok((region, start.min(usize::MAX / 2)))
}

fn word(bytes: &[u8]) -> u64 {
    u64::from_ne_bytes(bytes.try_into().expect("eight bytes"))
}

fn jump_target(at: usize, insn: Insn) -> usize {
    at.wrapping_add(1)
        .wrapping_add_signed(isize::from(insn.off))
}

/// The instructions that no path leads to. The verifier refuses a function that has any.
pub fn unreachable(function: &Function) -> Vec<usize> {
    let insns = &function.code.insns;
    let mut reached = vec![false; insns.len()];
    let mut open = vec![0];
    while let Some(at) = open.pop() {
        if at >= insns.len() || reached[at] {
            continue;
        }
        reached[at] = true;
        let insn = insns[at];
        match insn.code {
            0x95 => {}
            0x05 => open.push(jump_target(at, insn)),
            0x18 => {
                reached[at + 1] = true;
                open.push(at + 2);
            }
            code if code & 7 == 5 && code != 0x85 => open.extend([at + 1, jump_target(at, insn)]),
            _ => open.push(at + 1),
        }
    }
    (0..insns.len()).filter(|at| !reached[*at]).collect()
}
