//! Which function an envelope leads to, in binaries whose code refers from one function to another.

use crate::fixture::{Fixture, PUSH};
use crate::recognition::{image, legacy, p1, trampoline};
use ewapa_symbols::{Image, Role};

/// Where nothing of the file is.
const TABLE: u64 = 0x50_0000;

/// `call` of a function, from the first byte of another one.
fn call(from: usize, to: usize) -> Vec<u8> {
    reference(&[0xe8], from, Fixture::address(to))
}

/// Calls of two functions.
fn calls(from: usize, to: [usize; 2]) -> Vec<u8> {
    let mut code = [call(from, to[0]), call(from, to[1])].concat();
    let distance = &mut code[7..11];
    let from_here = i32::from_le_bytes(distance.try_into().unwrap()) - 6;
    distance.copy_from_slice(&from_here.to_le_bytes());
    code
}

/// An instruction at the first byte of a function that refers to an address.
fn reference(opcode: &[u8], from: usize, address: u64) -> Vec<u8> {
    let next = Fixture::address(from) + opcode.len() as u64 + 4;
    let distance = address.wrapping_sub(next) as i32;
    [opcode, &distance.to_le_bytes(), &[0xc3]].concat()
}

/// What the dynamic linker puts at an address: that of a function.
fn relocation(address: u64, function: usize) -> Vec<u8> {
    [address, 8, Fixture::address(function)]
        .iter()
        .flat_map(|word| word.to_le_bytes())
        .collect()
}

fn step() -> String {
    legacy(&["wasmtime", "traphandlers", "catch_unwind_and_record_trap"])
}

/// What the envelopes lead to; `None` if it is not relied on.
fn routes(name: &str, fixture: &Fixture) -> Option<Vec<&'static str>> {
    let image: Image = image(name, fixture);
    let envelopes = image
        .sites
        .iter()
        .filter(|site| site.role == Role::Envelope);
    let functions: Vec<_> = envelopes.map(|site| site.function).collect();
    if image.routed {
        Some(
            functions
                .iter()
                .map(|function| function.unwrap().name())
                .collect(),
        )
    } else {
        assert!(functions.iter().all(Option::is_none), "{functions:?}");
        assert!(!functions.is_empty());
        None
    }
}

/// Two trampolines, one that leads to each function, by the code of the second.
fn runtime(second: &[u8]) -> Fixture {
    Fixture::new()
        .function(&trampoline("HostFunc"), &call(0, 2))
        .function(&trampoline("HostFunc"), second)
        .function(&step(), &call(2, 3))
        .function(&p1(&["fd_write", "{{closure}}"]), PUSH)
        .function(&p1(&["clock_time_get"]), PUSH)
}

#[test]
fn an_envelope_is_followed_by_calls_through_known_functions() {
    let fixture = runtime(&call(1, 4));
    assert_eq!(
        routes("routes/calls", &fixture).unwrap(),
        ["fd_write", "clock_time_get"]
    );
}

#[test]
fn a_call_through_the_global_offset_table_is_followed() {
    let fixture =
        runtime(&reference(&[0xff, 0x15], 1, TABLE)).section(".rela.dyn", &relocation(TABLE, 4));
    assert_eq!(
        routes("routes/slot", &fixture).unwrap(),
        ["fd_write", "clock_time_get"]
    );
}

#[test]
fn the_first_method_of_a_table_is_followed() {
    let fixture = runtime(&reference(&[0x48, 0x8d, 0x05], 1, TABLE))
        .section(".rela.dyn", &relocation(TABLE + 24, 4));
    assert_eq!(
        routes("routes/table", &fixture).unwrap(),
        ["fd_write", "clock_time_get"]
    );
}

#[test]
fn an_envelope_that_leads_to_no_wasi_function_is_left_out() {
    let fixture = runtime(&call(1, 4)).function(&trampoline("HostFunc"), PUSH);
    assert_eq!(routes("routes/other", &fixture).unwrap().len(), 2);
}

#[test]
fn a_function_that_no_envelope_leads_to_makes_all_uncertain() {
    assert_eq!(routes("routes/unreached", &runtime(PUSH)), None);
}

#[test]
fn an_envelope_that_leads_to_two_functions_makes_all_uncertain() {
    let fixture = Fixture::new()
        .function(&trampoline("HostFunc"), &call(0, 2))
        .function(&trampoline("HostFunc"), &call(1, 4))
        .function(&step(), &call(2, 3))
        .function(&p1(&["fd_write", "{{closure}}"]), PUSH)
        .function(&step(), &calls(4, [3, 5]))
        .function(&p1(&["clock_time_get"]), PUSH);
    assert_eq!(routes("routes/two", &fixture), None);
}

#[test]
fn a_way_in_that_no_envelope_leads_to_makes_all_uncertain() {
    let unseen = legacy(&["wasmtime_wasi", "p0", "wasi_unstable", "fd_write"]);
    let fixture = runtime(&call(1, 4)).function(&unseen, &call(5, 3));
    assert_eq!(routes("routes/unseen", &fixture), None);
}

#[test]
fn what_registers_the_functions_is_no_way_in() {
    let registers = legacy(&[
        "wasmtime_wasi",
        "p1",
        "wasi_snapshot_preview1",
        "add_to_linker",
    ]);
    let fixture = runtime(&call(1, 4)).function(&registers, &call(5, 2));
    assert_eq!(routes("routes/registers", &fixture).unwrap().len(), 2);
}
