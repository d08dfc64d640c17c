//! The scripts that come with ewapa.

macro_rules! scripts {
    ($($name:literal),* $(,)?) => {
        /// Name and text of each script, in the order in which they are listed.
        pub const SCRIPTS: &[(&str, &str)] = &[$(($name, include_str!(concat!("../scripts/", $name, ".ewq")))),*];
    };
}

scripts![
    "fd_write_latency",
    "wasi_summary",
    "syscalls_per_call",
    "errors",
    "startup",
    "syscalls_inside",
    "slow_calls",
    "files",
    "handoff",
    "empty_writes",
    "unasked_syncs",
    "stat_storms",
    "redundant_syscalls",
    "slow_readdir",
    "small_writes",
    "allocations",
];

/// The text of a bundled script.
pub fn script(name: &str) -> Option<&'static str> {
    SCRIPTS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_says_its_name_and_what_it_does() {
        for (name, text) in SCRIPTS {
            let (docs, _) = ewapa_lang::describe(text).unwrap();
            assert_eq!(docs.name, *name);
            assert!(!docs.summary.is_empty(), "{name}");
        }
    }
}
