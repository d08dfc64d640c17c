//! No file of a traced process makes the reader of perf maps panic or take much more memory than it is large.

#![no_main]

#[path = "../../src/symbolize/perf_map.rs"]
#[allow(dead_code, reason = "only the reading of the text is tried")]
mod perf_map;

use libfuzzer_sys::fuzz_target;

/// What `perf_map` asks of a process: nothing here.
mod engine {
    pub mod maps {
        pub fn proc_text(_pid: u32, _name: &str) -> std::io::Result<String> {
            Err(std::io::ErrorKind::NotFound.into())
        }
    }
}

/// A function that was found, as `perf_map` makes it.
#[derive(Debug, PartialEq)]
pub struct Function {
    pub name: String,
    pub offset: u64,
    pub file: Option<()>,
}

fuzz_target!(|bytes: &[u8]| {
    let functions = perf_map::parse(&String::from_utf8_lossy(bytes));
    assert!(functions.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert!(functions.iter().all(|(start, end, name)| start <= end && !name.is_empty()));
});
