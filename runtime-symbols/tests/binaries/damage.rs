//! Damaged files are refused or read in part; they never stop the program.

use std::path::Path;

use ewapa_symbols::{Catalogue, Functions, notes_of_bytes};

use crate::debug_files::packed;
use crate::fixture::Fixture;

fn runtime() -> Vec<u8> {
    Fixture::new()
        .functions(["wasi_fd_write", "wasi_fd_read", "uvwasi_fd_write"])
        .exported()
        .build()
}

/// A stripped one with all that may lead to its symbols, and static probes.
fn stripped() -> Vec<u8> {
    let symbols = Fixture::new().functions(["wasi_fd_write", "wasi_fd_read"]);
    let note = [
        &[8, 0, 0, 0, 33, 0, 0, 0, 3, 0, 0, 0][..],
        b"stapsdt\0",
        &[0; 24],
        b"p\0item\08@ax\0\0\0\0",
    ]
    .concat();
    Fixture::new()
        .functions(["wasi_fd_write", "wasi_fd_read"])
        .stripped()
        .build_id(&[0xee; 20])
        .debug_link("none.debug", b"")
        .section(".note.stapsdt", &note)
        .section(".gnu_debugdata", &packed(&symbols.build()))
        .build()
}

/// The answer does not matter, only that there is one.
fn survive(bytes: &[u8]) {
    let path = Path::new("iwasm");
    let _ = Catalogue::bundled().inspect_bytes(path, bytes);
    let _ = notes_of_bytes(path, bytes);
    if let Ok(functions) = Functions::of_bytes(path, bytes) {
        for name in functions.names().iter().take(4) {
            let _ = functions.places(name, 0);
            let _ = functions.places(name, 3);
        }
    }
}

#[test]
fn a_file_cut_off_anywhere_is_survived() {
    for bytes in [runtime(), stripped()] {
        // All code lies in one page: a few places in it stand for all.
        for length in (0..0x1000).step_by(64).chain(0x1000..bytes.len()) {
            survive(&bytes[..length]);
        }
    }
}

#[test]
fn any_flipped_bytes_are_survived() {
    let files = [runtime(), stripped()];
    let mut state = 7u64;
    let mut random = move |below: usize| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    for round in 0..8000 {
        let mut damaged = files[round % 2].clone();
        for _ in 0..=random(8) {
            // Much of the file is padding in front of the code.
            let start = [0, 0x1000][random(8).min(1)];
            let at = start + random(damaged.len() - start);
            damaged[at] = random(256) as u8;
        }
        survive(&damaged);
    }
}

#[test]
fn extreme_numbers_in_the_headers_are_survived() {
    [runtime(), stripped()]
        .iter()
        .for_each(|bytes| extremes(bytes));
}

fn extremes(bytes: &[u8]) {
    let section_headers = u64::from_le_bytes(bytes[0x28..0x30].try_into().unwrap()) as usize;
    let fields = (16..64).chain(64..120).chain(section_headers..bytes.len());
    for at in fields {
        for value in [0x00, 0x7f, 0x80, 0xff] {
            let mut damaged = bytes.to_vec();
            let end = (at + 8).min(damaged.len());
            damaged[at..end].fill(value);
            survive(&damaged);
        }
    }
}

#[test]
fn many_symbols_with_one_endless_name_are_survived() {
    let name = format!("wasi_fd_write{}", "x".repeat(1 << 20));
    survive(&Fixture::new().functions([&name]).again(50_000).build());
}

#[test]
fn a_name_that_expands_without_end_is_survived() {
    // Each back reference of a v0 name may repeat what the one before it repeated.
    let doubling: String = (0..60).map(|_| "TB3_B3_E").collect();
    let fixture = Fixture::new().functions([
        format!("_RINvC1a9into_func{doubling}E"),
        "9into_func".repeat(800),
    ]);
    survive(&fixture.build());
}

#[test]
fn any_damage_of_packed_symbols_is_survived() {
    let symbols = Fixture::new().functions(["wasi_fd_write"]).build();
    let whole = packed(&symbols);
    let file = |content: &[u8]| {
        Fixture::new()
            .functions(["wasi_fd_write"])
            .stripped()
            .section(".gnu_debugdata", content)
            .build()
    };
    for at in 0..whole.len() {
        survive(&file(&whole[..at]));
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] = value;
            survive(&file(&damaged));
        }
    }
    // The symbols themselves are damaged, and packed as they should be.
    for at in (0..64).chain(symbols.len() - 512..symbols.len()) {
        let mut damaged = symbols.clone();
        damaged[at] = 0xff;
        survive(&file(&packed(&damaged)));
    }
}
