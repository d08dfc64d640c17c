//! What is found in programs written in Go.

use ewapa_symbols::{Cost, Inspection, SymbolSource};

use crate::fixture::{FUNCTION_SIZE, Fixture, TEXT_ADDRESS};
use crate::recognition::{functions, image, inspect, runtime};

/// The functions of a program in Go with wazero, and where a goroutine ends.
const WAZERO: [&str; 3] = [
    "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1.wasiFunc.Call",
    "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1.fdWriteFn",
    "github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1.procExitFn",
];

/// cmp rsp, [r14+0x10]; jbe; push rbp; ret
const GUARDED: [u8; 8] = [0x49, 0x3b, 0x66, 0x10, 0x76, 0xfa, 0x55, 0xc3];

fn in_go(names: &[&str], code: &[u8]) -> Fixture {
    let program = Fixture::new().section(".go.buildinfo", b"go");
    names
        .iter()
        .fold(program, |program, name| program.function(name, code))
}

fn refused(name: &str, program: &Fixture) -> String {
    match inspect(name, program) {
        Inspection::Refused(refused) => refused.to_string(),
        other => panic!("{name} is {other:?}"),
    }
}

#[test]
fn functions_of_go_are_probed_behind_the_check_of_their_stack() {
    let names = [&WAZERO[..], &["runtime.goexit1"]].concat();
    let image = image("go/wazero", &in_go(&names, &GUARDED));
    assert_eq!(runtime(&image), "wazero");
    assert_eq!(functions(&image), ["proc_exit", "fd_write"]);
    for site in &image.sites {
        assert_eq!(site.probe.0, site.offset.0 + 6);
        assert_eq!((site.at.as_str(), site.cost), ("push rbp", Cost::Emulated));
    }
    let goroutines = image.goroutines.expect("its calls are those of goroutines");
    assert_eq!(goroutines.ends.len(), 1);
    assert_eq!(goroutines.current, None);
}

#[test]
fn functions_of_an_old_go_are_refused_by_name() {
    // mov rcx, fs:[-8]; cmp rsp, [rcx+0x10]
    let old = [
        0x64, 0x48, 0x8b, 0x0c, 0x25, 0xf8, 0xff, 0xff, 0xff, 0x48, 0x3b, 0x61, 0x10,
    ];
    let names = [&WAZERO[..], &["runtime.goexit1"]].concat();
    assert_eq!(
        refused("go/old", &in_go(&names, &old)),
        format!(
            "this is wazero, whose WASI functions are Go functions (`{}`); they were built by a Go before 1.17, in which nothing tells which goroutine calls: build it with a later one",
            WAZERO[2]
        )
    );
}

#[test]
fn functions_of_go_are_refused_where_the_end_of_a_goroutine_is_not_known() {
    let refusal = refused("go/endless", &in_go(&WAZERO, &GUARDED));
    assert!(
        refusal.ends_with("there is no symbol `runtime.goexit1`, so the end of a goroutine would not be seen: build it with its symbols"),
        "{refusal}"
    );
}

#[test]
fn a_runtime_in_c_that_a_go_program_links_is_taken() {
    let program = Fixture::new()
        .functions(["wasi_fd_write", "main.main"])
        .section(".go.buildinfo", b"go");
    assert_eq!(runtime(&image("go/embeds", &program)), "wamr");
}

/// `.gopclntab` as Go 1.18 writes it, of these functions one behind the other. `text` is where the code begins.
fn functions_of_go(names: &[&str], text: u64) -> Vec<u8> {
    const HEADER: usize = 72;
    let strings: Vec<u8> = names
        .iter()
        .flat_map(|name| [name.as_bytes(), b"\0"].concat())
        .collect();
    let strings = [b"\0", &strings[..]].concat();
    let functions = HEADER + strings.len();
    let mut table = 0xffff_fff0u32.to_le_bytes().to_vec();
    table.extend([0, 0, 1, 8]);
    let end = functions as u64;
    for number in [
        names.len() as u64,
        0,
        text,
        HEADER as u64,
        end,
        end,
        end,
        end,
    ] {
        table.extend(number.to_le_bytes());
    }
    table.extend(&strings);
    let size = FUNCTION_SIZE as u32;
    let records = 8 * names.len() as u32 + 4;
    for index in 0..names.len() as u32 {
        table.extend((index * size).to_le_bytes());
        table.extend((records + 8 * index).to_le_bytes());
    }
    table.extend((names.len() as u32 * size).to_le_bytes());
    let mut name = 1;
    for (index, text) in names.iter().enumerate() {
        table.extend((index as u32 * size).to_le_bytes());
        table.extend((name as u32).to_le_bytes());
        name += text.len() + 1;
    }
    table
}

#[test]
fn a_stripped_program_in_go_is_known_by_its_own_table_of_functions() {
    let names = [&WAZERO[..], &["runtime.goexit1"]].concat();
    let table = functions_of_go(&names, TEXT_ADDRESS);
    let program = in_go(&names, &GUARDED).stripped();
    let image = image(
        "go/stripped",
        &program.clone().section(".gopclntab", &table),
    );
    assert_eq!(image.symbols, SymbolSource::GoFunctions);
    assert_eq!(functions(&image), ["proc_exit", "fd_write"]);
    assert_eq!(image.sites[0].address, Fixture::address(2));
    assert_eq!(image.sites[0].length, Some(FUNCTION_SIZE as u64));

    // One that says nothing of where the code is, and has no start to tell it by.
    let nowhere = functions_of_go(&names, 0);
    let program = |table: &[u8]| program.clone().section(".gopclntab", table);
    assert!(!matches!(
        inspect("go/nowhere", &program(&nowhere)),
        Inspection::Runtime(_)
    ));
    for length in 0..table.len() {
        assert!(!matches!(
            inspect("go/cut", &program(&table[..length])),
            Inspection::Runtime(_)
        ));
    }
}
