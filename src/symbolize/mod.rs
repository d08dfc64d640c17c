//! The functions at addresses of traced processes and of the kernel, by name.
//!
//! A process may have ended when its addresses are shown: what it had mapped is remembered, and the files
//! stay open. Only symbols are read, no debug information.

mod files;
mod perf_map;
mod process;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use blazesym::symbolize::source::{Elf, Kernel, Source};
use blazesym::symbolize::{Input, Symbolized, Symbolizer};
use blazesym::{MaybeDefault, symbolize};

use crate::engine::maps::{FileId, Mapping, executable_mappings};

use files::Files;

pub use files::descriptors;
use process::Process;

/// What is at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The name, readable. As it stands in the file: not harmless for a terminal.
    pub name: String,
    /// Bytes from the function's start to the address.
    pub offset: u64,
    /// The file that it is in; none for the kernel and for code made at run time.
    pub file: Option<String>,
}

/// Finds functions.
#[derive(Default)]
pub struct Symbols {
    inner: RefCell<Inner>,
}

impl fmt::Debug for Symbols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Symbols").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Inner {
    /// Nothing asks for functions while this is false.
    wanted: bool,
    symbolizer: Option<Symbolizer>,
    files: Option<Files>,
    processes: HashMap<u32, Process>,
    in_files: HashMap<(FileId, u64), Option<Function>>,
    in_kernel: HashMap<u64, Option<Function>>,
}

impl Symbols {
    /// From now on what processes have mapped is remembered.
    pub fn want(&self) {
        self.inner.borrow_mut().wanted = true;
    }

    /// Whether addresses are going to be shown.
    pub fn is_wanted(&self) -> bool {
        self.inner.borrow().wanted
    }

    /// A traced process has this mapped now.
    pub fn seen(&self, pid: u32, mappings: &[Mapping]) {
        let inner = &mut *self.inner.borrow_mut();
        if inner.wanted {
            inner.remember(pid, mappings);
        }
    }

    /// The function at an address of a process; none if nothing is known of it.
    pub fn in_process(&self, pid: u32, address: u64) -> Option<Function> {
        self.inner.borrow_mut().in_process(pid, address)
    }

    /// The function at an address of the kernel; none if nothing is known of it.
    pub fn in_kernel(&self, address: u64) -> Option<Function> {
        let inner = &mut *self.inner.borrow_mut();
        if let Some(known) = inner.in_kernel.get(&address) {
            return known.clone();
        }
        let kernel = Source::Kernel(Kernel {
            vmlinux: MaybeDefault::None,
            debug_syms: false,
            ..Kernel::default()
        });
        let found = find(
            symbolizer(&mut inner.symbolizer),
            &kernel,
            Input::AbsAddr(address),
            None,
        );
        inner.in_kernel.insert(address, found.clone());
        found
    }
}

impl Inner {
    fn remember(&mut self, pid: u32, mappings: &[Mapping]) {
        let files = self.files.get_or_insert_default();
        files.open(mappings);
        let tmp = files.tmp_of(pid);
        let process = self.processes.entry(pid).or_default();
        process.remember(mappings);
        process.place_perf_map(pid, tmp);
    }

    fn in_process(&mut self, pid: u32, address: u64) -> Option<Function> {
        self.known(pid, address)
            .or_else(|| {
                // It may have mapped more, or nobody has looked yet: a child of a traced process.
                let stale = self.processes.get(&pid).is_none_or(Process::is_stale);
                let mappings = stale.then(|| executable_mappings(pid).ok()).flatten()?;
                self.remember(pid, &mappings);
                self.known(pid, address)
            })
            .or_else(|| self.by_others(pid, address))
    }

    fn known(&mut self, pid: u32, address: u64) -> Option<Function> {
        let process = self.processes.get_mut(&pid)?;
        let mapped = process.mapping(address).cloned();
        let in_file = mapped.and_then(|mapping| self.in_file(&mapping, address));
        in_file.or_else(|| self.processes.get_mut(&pid)?.in_perf_map(address))
    }

    /// The process has ended and was never looked into: a child that has the memory of its parent. If all
    /// processes that have something at the address have the same there, it had that, too.
    fn by_others(&mut self, pid: u32, address: u64) -> Option<Function> {
        if self.processes.contains_key(&pid) {
            return None;
        }
        let places = self.processes.values().filter_map(|process| {
            let mapping = process.mapping(address)?;
            Some((mapping, mapping.in_file(address)))
        });
        let mut places = places.map(|(mapping, offset)| (mapping.file, offset, mapping.clone()));
        let (file, offset, mapping) = places.next()?;
        places
            .all(|(other, at, _)| (other, at) == (file, offset))
            .then_some(())?;
        self.in_file(&mapping, address)
    }

    fn in_file(&mut self, mapping: &Mapping, address: u64) -> Option<Function> {
        let offset = mapping.in_file(address);
        if let Some(known) = self.in_files.get(&(mapping.file, offset)) {
            return known.clone();
        }
        let path = self.files.as_ref()?.path(mapping.file)?;
        let mut elf = Elf::new(path);
        elf.debug_syms = false;
        let found = find(
            symbolizer(&mut self.symbolizer),
            &Source::Elf(elf),
            Input::FileOffset(offset),
            Some(&mapping.path),
        );
        self.in_files.insert((mapping.file, offset), found.clone());
        found
    }
}

fn symbolizer(made: &mut Option<Symbolizer>) -> &Symbolizer {
    made.get_or_insert_with(|| {
        symbolize::Symbolizer::builder()
            .enable_code_info(false)
            .enable_inlined_fns(false)
            .enable_auto_reload(false)
            .build()
    })
}

/// A file that cannot be read has no symbols.
fn find(
    symbolizer: &Symbolizer,
    source: &Source,
    input: Input<u64>,
    file: Option<&Path>,
) -> Option<Function> {
    match symbolizer.symbolize_single(source, input).ok()? {
        Symbolized::Sym(symbol) => Some(Function {
            name: symbol.name.into_owned(),
            offset: symbol.offset as u64,
            file: file.map(|path| path.display().to_string()),
        }),
        Symbolized::Unknown(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn a_function_of_this_process() -> u64 {
        std::hint::black_box(7)
    }

    #[test]
    fn a_function_of_a_live_process_has_its_readable_name() {
        let symbols = Symbols::default();
        let address = a_function_of_this_process as *const () as u64;
        let found = symbols.in_process(std::process::id(), address).unwrap();
        assert_eq!(a_function_of_this_process(), 7);
        assert!(
            found
                .name
                .ends_with("symbolize::tests::a_function_of_this_process"),
            "{found:?}"
        );
        assert_eq!(found.offset, 0);
        assert!(found.file.is_some());
        let inside = symbols.in_process(std::process::id(), address + 1).unwrap();
        assert_eq!((inside.name, inside.offset), (found.name, 1));
    }

    #[test]
    fn functions_of_a_process_that_has_ended_are_found_in_what_it_had_mapped() {
        let mut child = std::process::Command::new("sleep")
            .arg("100")
            .spawn()
            .unwrap();
        let pid = child.id();
        let symbols = Symbols::default();
        symbols.want();
        let is_c = |mapping: &Mapping| mapping.path.to_string_lossy().contains("libc.so");
        let mut mappings = Vec::new();
        while !mappings.iter().any(is_c) {
            mappings = executable_mappings(pid).unwrap();
        }
        symbols.seen(pid, &mappings);
        child.kill().unwrap();
        child.wait().unwrap();
        let c = mappings.iter().find(|mapping| is_c(mapping)).unwrap();
        let found = (c.addresses.start..c.addresses.end)
            .step_by(4096)
            .find_map(|address| symbols.in_process(pid, address));
        assert!(found.is_some_and(|found| !found.name.is_empty()));
        assert_eq!(symbols.in_process(pid, 4096), None);
    }

    #[test]
    fn what_nothing_is_mapped_at_has_no_name() {
        let symbols = Symbols::default();
        assert_eq!(symbols.in_process(std::process::id(), 1), None);
        assert_eq!(symbols.in_process(u32::MAX, 4096), None);
    }
}
