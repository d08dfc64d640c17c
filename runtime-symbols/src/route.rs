//! Finds which WASI function an envelope leads to.
//!
//! An envelope is compiled for one host function, and all its calls end in that one: through functions that the
//! catalogue names, by direct calls, by calls through the global offset table, and by tables of methods. Where that
//! is known of all envelopes, a probe on the envelope tells all of a call, and the function itself needs none.
//!
//! The code is searched for references and not decoded: four bytes that lead, from where they stand, to the first
//! byte of one of some thousand known functions do so by chance once in a million times. What is found too much makes
//! an envelope ambiguous, and then none of the file is relied on. Neither is it where a function that leads to WASI is
//! reached from no envelope: then there is a way that was not found, and calls would be missed.

use std::collections::{BTreeMap, HashMap, HashSet};

use ewapa_lang::wasi::Function;
use memchr::{memchr_iter, memchr3_iter};

use crate::elf::ElfFile;
use crate::pointers::Pointers;
use crate::resolve::Found;
use crate::schema::Role;

/// A function that calls may go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// Its virtual address.
    pub address: u64,
    /// Its bytes.
    pub size: u64,
    /// It is made for WASI alone: if it leads to a WASI function, an envelope has to lead to it.
    pub of_wasi: bool,
}

/// So many bytes of code are searched at most; in the largest known runtime 0.7 MB are.
const MOST_CODE: u64 = 16 << 20;

/// Which WASI function each envelope leads to, by the envelope's address; those that lead to none are left out.
/// `None` if that cannot be relied on: if a function is reached by none, an envelope leads to several, or a way in
/// was not found.
pub(crate) fn routes(file: &ElfFile<'_>, found: &Found) -> Option<BTreeMap<u64, Function>> {
    let mut graph = Graph::new(file, found);
    let mut routes = BTreeMap::new();
    let mut reached = HashSet::new();
    for envelope in found.of_role(Role::Envelope) {
        let address = envelope.symbol.address;
        let walk = graph.walk(address, &HashSet::new())?;
        reached.extend(walk.passed);
        let mut ends: Vec<Function> = walk.ends.iter().map(|end| graph.names[end]).collect();
        ends.sort_unstable();
        ends.dedup();
        match ends[..] {
            [] => {}
            [function] => drop(routes.insert(address, function)),
            _ => return None,
        }
    }
    let names: Vec<u64> = graph.names.keys().copied().collect();
    if !names.iter().all(|name| reached.contains(name)) {
        return None;
    }
    // What a WASI function calls needs no envelope.
    for name in names {
        for next in graph.next(name)?.clone() {
            reached.extend(graph.walk(next, &reached)?.passed);
        }
    }
    for step in &found.steps {
        let is_new = step.of_wasi && !reached.contains(&step.address);
        if is_new && !graph.walk(step.address, &reached)?.ends.is_empty() {
            return None;
        }
    }
    Some(routes)
}

/// Which of the known functions refers to which.
struct Graph<'f, 'a> {
    file: &'f ElfFile<'a>,
    pointers: Pointers<'f, 'a>,
    /// The bytes of each, by its address.
    sizes: HashMap<u64, u64>,
    names: HashMap<u64, Function>,
    known: HashMap<u64, Vec<u64>>,
    searched: u64,
}

impl<'f, 'a> Graph<'f, 'a> {
    fn new(file: &'f ElfFile<'a>, found: &Found) -> Graph<'f, 'a> {
        let symbols = found.functions.iter().map(|resolution| resolution.symbol);
        let steps = found.steps.iter().map(|step| (step.address, step.size));
        Graph {
            file,
            pointers: Pointers::of(file),
            sizes: steps
                .chain(symbols.map(|symbol| (symbol.address, symbol.size)))
                .collect(),
            names: found
                .of_role(Role::Name)
                .filter_map(|name| Some((name.symbol.address, name.function?)))
                .collect(),
            known: HashMap::new(),
            searched: 0,
        }
    }

    /// Goes from a function to all that it leads to, up to the first WASI functions, and not into those that are in
    /// `left_out`. `None` if there is too much code.
    fn walk(&mut self, from: u64, left_out: &HashSet<u64>) -> Option<Walk> {
        let mut walk = Walk::default();
        let mut open = vec![from];
        while let Some(function) = open.pop() {
            if self.names.contains_key(&function) {
                walk.passed.insert(function);
                walk.ends.push(function);
            } else if !left_out.contains(&function) && walk.passed.insert(function) {
                open.extend(self.next(function)?);
            }
        }
        Some(walk)
    }

    /// The known functions that the code of one refers to.
    fn next(&mut self, function: u64) -> Option<&Vec<u64>> {
        if !self.known.contains_key(&function) {
            let size = self.sizes.get(&function).copied().unwrap_or(0);
            self.searched += size;
            if self.searched > MOST_CODE {
                return None;
            }
            let mut found = Vec::new();
            for reference in references(self.file.code(function, size), function) {
                match reference {
                    Reference::Call(target) => found.push(target),
                    Reference::Slot(slot) => found.extend(self.pointers.at(slot)),
                    Reference::Address(target) => {
                        found.push(target);
                        found.extend(self.pointers.at(target.wrapping_add(FIRST_METHOD)));
                    }
                }
            }
            found.retain(|target| self.sizes.contains_key(target));
            found.sort_unstable();
            found.dedup();
            self.known.insert(function, found);
        }
        self.known.get(&function)
    }
}

/// Where calls go.
#[derive(Default)]
struct Walk {
    /// The functions on the way.
    passed: HashSet<u64>,
    /// Those of them that are a WASI function.
    ends: Vec<u64>,
}

/// Where a table of methods has the first one: behind the function that drops, the size and the alignment.
const FIRST_METHOD: u64 = 24;

/// What code refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reference {
    /// `call` or `jmp` to this address.
    Call(u64),
    /// `call` or `jmp` to what the slot at this address holds.
    Slot(u64),
    /// `lea` of this address.
    Address(u64),
}

/// What looks like a reference in code that begins at this address.
fn references(code: &[u8], address: u64) -> impl Iterator<Item = Reference> {
    let target = move |displacement: usize| {
        let end = displacement + 4;
        let distance = i32::from_le_bytes(code.get(displacement..end)?.try_into().ok()?);
        let next = address.wrapping_add(end as u64);
        Some(next.wrapping_add_signed(distance.into()))
    };
    let calls = memchr3_iter(0xe8, 0xe9, 0xff, code).filter_map(move |at| match code[at..] {
        [0xff, 0x15 | 0x25, ..] => target(at + 2).map(Reference::Slot),
        [0xff, ..] => None,
        _ => target(at + 1).map(Reference::Call),
    });
    let addresses = memchr_iter(0x8d, code).filter_map(move |at| {
        // Of 64 bits, relative to the next instruction.
        let is_wide = at > 0 && matches!(code[at - 1], 0x48 | 0x4c);
        let is_relative = code.get(at + 1)? & 0xc7 == 0x05;
        (is_wide && is_relative)
            .then(|| target(at + 2))?
            .map(Reference::Address)
    });
    calls.chain(addresses)
}
