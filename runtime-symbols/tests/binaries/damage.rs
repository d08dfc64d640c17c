//! Damaged files are refused or read in part; they never stop the program.

use ewapa_symbols::Catalogue;

use crate::fixture::Fixture;

fn runtime() -> Vec<u8> {
    Fixture::new()
        .functions(["wasi_fd_write", "wasi_fd_read", "uvwasi_fd_write"])
        .exported()
        .build()
}

/// The answer does not matter, only that there is one.
fn survive(bytes: &[u8]) {
    let _ = Catalogue::bundled().inspect_bytes("iwasm".as_ref(), bytes);
}

#[test]
fn a_file_cut_off_anywhere_is_survived() {
    let bytes = runtime();
    for length in 0..bytes.len() {
        survive(&bytes[..length]);
    }
}

#[test]
fn any_flipped_bytes_are_survived() {
    let bytes = runtime();
    let mut state = 7u64;
    let mut random = move |below: usize| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    for _ in 0..4000 {
        let mut damaged = bytes.clone();
        for _ in 0..=random(8) {
            let at = random(damaged.len());
            damaged[at] = random(256) as u8;
        }
        survive(&damaged);
    }
}

#[test]
fn extreme_numbers_in_the_headers_are_survived() {
    let bytes = runtime();
    let section_headers = u64::from_le_bytes(bytes[0x28..0x30].try_into().unwrap()) as usize;
    let fields = (16..64).chain(64..120).chain(section_headers..bytes.len());
    for at in fields {
        for value in [0x00, 0x7f, 0x80, 0xff] {
            let mut damaged = bytes.clone();
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
