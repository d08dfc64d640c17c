//! No text makes the reader of catalogue files panic or hang.

#![no_main]

use ewapa_symbols::Catalogue;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = Catalogue::with(&[("fuzz.toml", text)]);
});
