//! Formatting keeps every token and comment (asserted in the formatter), and has nothing left to do after.

#![no_main]

use ewapa_lang::format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(once) = format(text) {
        assert_eq!(format(&once).as_ref(), Ok(&once));
    }
});
