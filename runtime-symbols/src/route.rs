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
use crate::map;
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
    // Without any, what the catalogue says is not of this binary, and nothing would show what is missing.
    if !found.steps.iter().any(|step| step.of_wasi) {
        return None;
    }
    let graph = Graph::of(file, found)?;
    let mut routes = BTreeMap::new();
    let mut reached = HashSet::new();
    for envelope in found.of_role(Role::Envelope) {
        let address = envelope.symbol.address;
        let walk = graph.walk(address, &HashSet::new());
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
    if !graph.names.keys().all(|name| reached.contains(name)) {
        return None;
    }
    // What a WASI function calls needs no envelope.
    for name in graph.names.keys() {
        for next in &graph.next[name] {
            reached.extend(graph.walk(*next, &reached).passed);
        }
    }
    let leads_in = |step: &&Step| {
        step.of_wasi
            && !reached.contains(&step.address)
            && !graph.walk(step.address, &reached).ends.is_empty()
    };
    let is_complete = found.steps.iter().find(leads_in).is_none();
    is_complete.then_some(routes)
}

/// Which of the known functions refers to which.
struct Graph {
    names: HashMap<u64, Function>,
    /// For each that anything leads to: the known functions that its code refers to.
    next: HashMap<u64, Vec<u64>>,
}

impl Graph {
    /// That of a file; `None` if there is too much code.
    fn of(file: &ElfFile<'_>, found: &Found) -> Option<Graph> {
        let pointers = Pointers::of(file);
        let symbols = found.functions.iter().map(|resolution| resolution.symbol);
        let symbols = symbols.map(|symbol| (symbol.address, symbol.size));
        let steps = found.steps.iter();
        let sizes: HashMap<u64, u64> = steps
            .clone()
            .map(|step| (step.address, step.size))
            .chain(symbols.clone())
            .collect();
        let ways_in = steps.filter(|step| step.of_wasi).map(|step| step.address);
        let mut open: HashSet<u64> = ways_in.chain(symbols.map(|(address, _)| address)).collect();
        let mut next: HashMap<u64, Vec<u64>> = HashMap::new();
        let mut searched = 0;
        while !open.is_empty() {
            let code = |function: &u64| file.code(*function, sizes[function]);
            // They are all over the file: one after the other, each would be waited for.
            open.iter()
                .for_each(|function| map::will_need(code(function)));
            for function in std::mem::take(&mut open) {
                searched += sizes[&function];
                if searched > MOST_CODE {
                    return None;
                }
                let mut targets: Vec<u64> = references(code(&function), function)
                    .flat_map(|reference| reference.targets(&pointers))
                    .filter(|target| sizes.contains_key(target))
                    .collect();
                targets.sort_unstable();
                targets.dedup();
                next.insert(function, targets);
            }
            let all = next.values().flatten();
            open.extend(all.filter(|target| !next.contains_key(target)));
        }
        let names = found.of_role(Role::Name);
        Some(Graph {
            names: names
                .filter_map(|name| Some((name.symbol.address, name.function?)))
                .collect(),
            next,
        })
    }

    /// Goes from a function to all that it leads to, up to the first WASI functions, and not into those that are in
    /// `left_out`.
    fn walk(&self, from: u64, left_out: &HashSet<u64>) -> Walk {
        let mut walk = Walk::default();
        let mut open = vec![from];
        while let Some(function) = open.pop() {
            if self.names.contains_key(&function) {
                walk.passed.insert(function);
                walk.ends.push(function);
            } else if !left_out.contains(&function) && walk.passed.insert(function) {
                open.extend(&self.next[&function]);
            }
        }
        walk
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

impl Reference {
    /// What it may be a reference to: an address that is taken may be that of a table of methods, too.
    fn targets(self, pointers: &Pointers<'_, '_>) -> impl Iterator<Item = u64> {
        let (direct, slot) = match self {
            Reference::Call(target) => (Some(target), None),
            Reference::Slot(slot) => (None, Some(slot)),
            Reference::Address(target) => (Some(target), Some(target.wrapping_add(FIRST_METHOD))),
        };
        direct
            .into_iter()
            .chain(slot.and_then(|slot| pointers.at(slot)))
    }
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
