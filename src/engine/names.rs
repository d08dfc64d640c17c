//! Numbers for names that only user space knows: runtimes with their versions, and modules.

use std::collections::HashSet;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

use aya::maps::MapData;
use ewapa_codegen::program::names_of;
use ewapa_lang::plan::{Expr, ExprKind, NameTest, Plan, Shape};
use ewapa_lang::types::{Enumeration, Type};
use libbpf_sys as bpf;

use crate::output::cells::is_active;
use crate::symbolize::Symbols;

use super::load::Loaded;
use super::stacks::Stacks;

/// Names by the numbers that the kernel keeps.
#[derive(Debug, Default)]
pub struct Names {
    runtimes: Vec<String>,
    modules: Vec<String>,
    /// What raw probes are attached to: the values of the builtins `probe` and `func` at raw events.
    pub attached: Vec<Attached>,
    /// The functions at addresses.
    pub symbols: Symbols,
    /// The stacks that the kernel has kept.
    pub stacks: Stacks,
    /// The formats of points in time: those of the plan.
    pub formats: Vec<String>,
    /// The texts of the script that have characters which are escaped in texts of traced processes.
    pub written: HashSet<Vec<u8>>,
    tests: Vec<NameTest>,
    /// Where the kernel finds the answers of the tests about modules.
    module_answers: Option<MapData>,
}

/// What a raw probe is attached to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// The whole probe, as it would be written.
    pub probe: String,
    /// The function that it is in; of a tracepoint its name.
    pub function: String,
}

/// Whether anything that the plan keeps or tells is the address of a function.
fn shows_addresses(plan: &Plan) -> bool {
    let is_address = |ty: &Type| matches!(ty, Type::Address(_));
    let stores = &plan.stores;
    let messages = &plan.messages;
    let shapes = plan.maps.iter().filter_map(|map| map.shape.as_ref());
    stores.iter().any(|store| store.keys.iter().any(is_address))
        || messages
            .iter()
            .any(|message| message.values.iter().any(is_address))
        || plan.maps.iter().any(|map| is_address(&map.ty))
        || shapes.flat_map(Shape::types).any(|ty| is_address(&ty))
}

/// The texts that expressions of a plan have, if any character of them would be escaped.
fn written(plan: &Plan) -> HashSet<Vec<u8>> {
    fn note(expr: &Expr, found: &mut HashSet<Vec<u8>>) {
        if let ExprKind::Text(text) = &expr.kind
            && text.contains(is_active)
        {
            found.insert(text.as_bytes().to_vec());
        }
        expr.parts().into_iter().for_each(|part| note(part, found));
    }
    let mut found = HashSet::new();
    for action in plan.clauses.iter().flat_map(|clause| &clause.actions) {
        action.any_expression(&mut |expr| {
            note(expr, &mut found);
            false
        });
    }
    found
}

/// Tells the kernel the answers for a name.
fn answer(map: &MapData, index: usize, answers: u64) -> io::Result<()> {
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    // SAFETY: the key has the four bytes of an index, the value the eight of a word.
    let result = unsafe {
        bpf::bpf_map_update_elem(
            map.fd().as_fd().as_raw_fd(),
            std::ptr::from_ref(&index).cast(),
            std::ptr::from_ref(&answers).cast(),
            0,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn intern(names: &mut Vec<String>, name: &str) -> usize {
    names
        .iter()
        .position(|known| known == name)
        .unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        })
}

impl Names {
    /// Takes in what values of a plan are shown by.
    ///
    /// # Errors
    /// The kernel does not take what it has to know of names.
    pub fn prepare(&mut self, plan: &Plan, loaded: &mut Loaded) -> io::Result<()> {
        self.formats.clone_from(&plan.formats);
        self.written = written(plan);
        self.stacks = Stacks::take(loaded);
        if !self.stacks.is_empty() || shows_addresses(plan) {
            self.symbols.want();
        }
        self.tests.clone_from(&plan.tests);
        self.module_answers = loaded.take_map(names_of(Enumeration::Module)).ok();
        for of in [Enumeration::Probe, Enumeration::ProbeFunction] {
            let Ok(map) = loaded.map(names_of(of)) else {
                continue;
            };
            for (index, attached) in self.attached.iter().enumerate() {
                let name = match of {
                    Enumeration::Probe => &attached.probe,
                    _ => &attached.function,
                };
                answer(map, index, self.answers(of, name))?;
            }
        }
        Ok(())
    }

    /// A bit for each test that accepts a name.
    fn answers(&self, of: Enumeration, name: &str) -> u64 {
        let tests = self.tests.iter().enumerate();
        tests
            .filter(|(_, test)| test.of == of && test.accepts(name))
            .fold(0, |answers, (index, _)| answers | 1 << index)
    }

    /// The value of the builtin `runtime`: the index in the catalogue in the low byte, above it a number
    /// for name and version.
    pub fn runtime(&mut self, catalogue: usize, name: &str, version: Option<&str>) -> u32 {
        let text = version.map_or_else(|| name.to_owned(), |version| format!("{name} {version}"));
        (intern(&mut self.runtimes, &text) as u32) << 8 | catalogue as u32
    }

    /// Name and version of a value of the builtin `runtime`.
    pub fn runtime_name(&self, value: i64) -> &str {
        usize::try_from(value >> 8)
            .ok()
            .and_then(|index| self.runtimes.get(index))
            .map_or("?", String::as_str)
    }

    /// Whether a text stands in the script: a process that says the same moves the terminal no more than that does.
    pub fn is_written(&self, text: &[u8]) -> bool {
        !self.written.is_empty() && self.written.contains(text)
    }

    /// The value of the builtin `module`.
    pub fn module(&mut self, name: &str) -> i64 {
        let known = self.modules.len();
        let index = intern(&mut self.modules, name);
        if let Some(map) = &self.module_answers
            && index == known
        {
            // A name behind the end of the map is accepted by no test: 65,536 different files would have to run.
            let _ = answer(map, index, self.answers(Enumeration::Module, name));
        }
        index as i64
    }

    /// The name of a value of the builtin `module`.
    pub fn module_name(&self, value: i64) -> &str {
        usize::try_from(value)
            .ok()
            .and_then(|index| self.modules.get(index))
            .map_or("?", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_a_runtime_share_the_low_byte() {
        let mut names = Names::default();
        let old = names.runtime(3, "wasmtime", Some("24.0.4"));
        let new = names.runtime(3, "wasmtime", Some("48.0.8"));
        assert_ne!(old, new);
        assert_eq!(old & 0xff, new & 0xff);
        assert_eq!(names.runtime(3, "wasmtime", Some("24.0.4")), old);
        assert_eq!(names.runtime_name(i64::from(new)), "wasmtime 48.0.8");
    }
}
