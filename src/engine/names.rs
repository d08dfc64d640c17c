//! Numbers for names that only user space knows: runtimes with their versions, and modules.

/// Names by the numbers that the kernel keeps.
#[derive(Debug, Default)]
pub struct Names {
    runtimes: Vec<String>,
    modules: Vec<String>,
    /// What raw probes are attached to: the values of the builtins `probe` and `func` at raw events.
    pub attached: Vec<Attached>,
}

/// What a raw probe is attached to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// The whole probe, as it would be written.
    pub probe: String,
    /// The function that it is in; of a tracepoint its name.
    pub function: String,
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
