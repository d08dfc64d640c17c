//! No bytes make the reader of binaries panic, hang or take much memory: not in the headers, the symbols, the
//! notes, the packed symbols, nor in the code that probes are placed in.

#![no_main]

use std::path::Path;

use ewapa_symbols::Catalogue;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("iwasm");
    let _ = Catalogue::bundled().inspect_bytes(path, bytes);
    let _ = ewapa_symbols::notes_of_bytes(path, bytes);
    if let Ok(functions) = ewapa_symbols::Functions::of_bytes(path, bytes) {
        for name in functions.names().iter().take(16) {
            let _ = functions.places(name, 0);
            let _ = functions.places(name, 3);
        }
    }
});
