//! Numbers for names that only user space knows: runtimes with their versions, and modules.

use ewapa_lang::plan::{Plan, Shape};
use ewapa_lang::types::Type;

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
    pub fn prepare(&mut self, plan: &Plan, loaded: &mut Loaded) {
        self.formats.clone_from(&plan.formats);
        self.stacks = Stacks::take(loaded);
        if !self.stacks.is_empty() || shows_addresses(plan) {
            self.symbols.want();
        }
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

    /// The value of the builtin `module`.
    pub fn module(&mut self, name: &str) -> i64 {
        intern(&mut self.modules, name) as i64
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
