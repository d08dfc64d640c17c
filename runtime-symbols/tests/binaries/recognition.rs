//! What is found in binaries that have chosen symbols and code.

use crate::fixture::{Fixture, PUSH, save};
use ewapa_lang::wasi::Function;
use ewapa_symbols::abi::{Args, Memory, Register};
use ewapa_symbols::{Catalogue, Cost, Error, Image, Inspection, Reason, Role};
use expect_test::expect;
use object::elf;

/// The parts of a path in Rust's legacy mangling.
pub fn legacy(path: &[&str]) -> String {
    let parts = path.iter().map(|part| {
        let special = part.contains(['<', '{']);
        let part = part
            .replace('<', "$LT$")
            .replace('>', "$GT$")
            .replace(' ', "$u20$");
        let part = part
            .replace("::", "..")
            .replace('{', "$u7b$")
            .replace('}', "$u7d$");
        let part = if special { format!("_{part}") } else { part };
        format!("{}{part}", part.len())
    });
    format!("_ZN{}17h0123456789abcdefE", parts.collect::<String>())
}

pub fn trampoline(of: &str) -> String {
    legacy(&["wasmtime", "runtime", "func", of, "array_call_trampoline"])
}

pub fn p1(function: &[&str]) -> String {
    method("p1", function)
}

fn preview1(function: &[&str]) -> String {
    method("preview1", function)
}

fn method(module: &str, function: &[&str]) -> String {
    let of = format!(
        "<wasmtime_wasi::{module}::WasiP1Ctx as wasmtime_wasi::{module}::wasi_snapshot_preview1::WasiSnapshotPreview1>"
    );
    legacy(&[&[of.as_str()], function].concat())
}

fn wasmtime_48() -> Fixture {
    let names = [
        trampoline("HostFunc"),
        p1(&["fd_write", "{{closure}}"]),
        p1(&["clock_time_get"]),
    ];
    Fixture::new().functions(names)
}

pub fn inspect(name: &str, fixture: &Fixture) -> Inspection {
    Catalogue::bundled().inspect(&fixture.save(name)).unwrap()
}

pub fn image(name: &str, fixture: &Fixture) -> Image {
    match inspect(name, fixture) {
        Inspection::Runtime(image) => image,
        other => panic!("{name} is {other:?}"),
    }
}

pub fn runtime(image: &Image) -> &'static str {
    Catalogue::bundled().names()[image.runtime]
}

fn function(name: &str) -> Function {
    Function::named(name).unwrap()
}

pub fn functions(image: &Image) -> Vec<&'static str> {
    image
        .sites
        .iter()
        .filter_map(|site| site.function)
        .map(Function::name)
        .collect()
}

fn reason(image: &Image, name: &str) -> Reason {
    image
        .missing
        .iter()
        .find(|missing| missing.function == function(name))
        .unwrap()
        .reason
        .clone()
}

#[test]
fn a_runtime_is_recognized_by_its_symbols_not_by_its_name() {
    let image = image(
        "renamed/tool",
        &wasmtime_48().text("/x/wasmtime-48.0.8/src/lib.rs"),
    );
    assert_eq!(runtime(&image), "wasmtime");
    assert_eq!(image.version.as_deref(), Some("48.0.8"));
    assert_eq!(functions(&image), ["clock_time_get", "fd_write"]);
}

#[test]
fn the_trampolines_are_envelopes_and_come_first() {
    let image = image("envelopes/tool", &wasmtime_48());
    let roles: Vec<Role> = image.sites.iter().map(|site| site.role).collect();
    assert_eq!(roles, [Role::Envelope, Role::Name, Role::Name]);
}

#[test]
fn the_version_is_not_made_up() {
    assert_eq!(image("versionless/tool", &wasmtime_48()).version, None);
}

#[test]
fn a_version_is_whole_wherever_it_stands() {
    // Constants are searched a piece of a mebibyte after the other; before these are `constants` and zeros.
    for before in ((1 << 20) - 60..(1 << 20) + 300).step_by(31) {
        let program = wasmtime_48()
            .text(&"x".repeat(before))
            .text("wasmtime-48.0.81-rc.1/src/lib.rs");
        assert_eq!(
            image("across/tool", &program).version.as_deref(),
            Some("48.0.81-rc.1")
        );
    }
}

#[test]
fn a_program_that_lacks_one_of_the_roles_is_no_runtime() {
    let names_alone = Fixture::new().functions([p1(&["fd_write", "{{closure}}"])]);
    assert!(matches!(
        inspect("names/tool", &names_alone),
        Inspection::NotARuntime
    ));
}

#[test]
fn a_program_without_such_symbols_is_no_runtime() {
    let program =
        Fixture::new().functions(["main", "wasi_args_set_defaults", "uvwasi_fd_table_init"]);
    assert!(matches!(
        inspect("bash/bash", &program),
        Inspection::NotARuntime
    ));
}

#[test]
fn symbols_of_wasi_common_do_not_count_in_a_wasmtime_that_has_its_own() {
    let common = "<impl wasi_common::snapshots::preview_1::wasi_snapshot_preview1::WasiSnapshotPreview1 \
         for wasi_common::ctx::WasiCtx>";
    let common = legacy(&[
        "wasi_common",
        "snapshots",
        "preview_1",
        common,
        "fd_write",
        "{{closure}}",
    ]);
    let old = [trampoline("HostContext"), preview1(&["fd_write"]), common];
    let image = image(
        "wasmtime-24/wasmtime",
        &Fixture::new()
            .functions(old)
            .text("wasmtime-24.0.4/src/lib.rs"),
    );
    assert_eq!(image.variant, "legacy mangling, HostContext, 20 to 28");
    assert_eq!(functions(&image), ["fd_write"]);
}

#[test]
fn the_version_decides_where_symbols_do_not() {
    let names = [trampoline("HostContext"), preview1(&["fd_write"])];
    let image = image(
        "wasmtime-30/wasmtime",
        &Fixture::new()
            .functions(names)
            .text("wasmtime-30.0.2/src/lib.rs"),
    );
    assert_eq!(image.variant, "legacy mangling, HostContext, since 29");
}

#[test]
fn guest_memory_is_known_of_the_versions_that_were_looked_at_alone() {
    let names = [
        legacy(&[
            "wasmer",
            "backend",
            "sys",
            "entities",
            "function",
            "gen_fn_callback_s4",
            "func_wrapper",
        ]),
        legacy(&["wasmer_wasix", "syscalls", "wasi", "fd_write", "fd_write"]),
    ];
    let memory = |version: &str| {
        let program = Fixture::new().functions(&names).text(version);
        let image = image("wasmer/wasmer", &program);
        assert_eq!(runtime(&image), "wasmer");
        let of_sites: Vec<Memory> = image
            .sites
            .iter()
            .map(|site| Catalogue::bundled().abis()[site.abi].memory)
            .collect();
        assert_eq!(of_sites.len(), 2);
        (of_sites[0] == of_sites[1]).then_some(of_sites[0])
    };
    let known = memory("wasmer-7.4.2/src/lib.rs");
    assert!(matches!(known, Some(Memory::Store { .. })), "{known:?}");
    for other in [
        "wasmer-7.4.3/src/lib.rs",
        "wasmer-7.4.20/src/lib.rs",
        "no version",
    ] {
        assert_eq!(memory(other), Some(Memory::Unknown), "{other}");
    }
}

#[test]
fn a_plain_function_is_taken_before_its_closure() {
    let names = [
        preview1(&["fd_write", "{{closure}}"]),
        preview1(&["fd_write"]),
        trampoline("HostContext"),
    ];
    let image = image("plain/wasmtime", &Fixture::new().functions(names));
    let names: Vec<&str> = image
        .sites
        .iter()
        .filter(|site| site.role == Role::Name)
        .map(|site| site.symbol.as_str())
        .collect();
    assert_eq!(names, ["<WasiP1Ctx as WasiSnapshotPreview1>::fd_write"]);
}

#[test]
fn a_push_behind_endbr64_is_the_probe_site() {
    let code = [&[0xf3, 0x0f, 0x1e, 0xfa], PUSH].concat();
    let image = image(
        "endbr64/iwasm",
        &Fixture::new().function("wasi_fd_write", &code),
    );
    let site = &image.sites[0];
    assert_eq!(
        (site.first.as_str(), site.at.as_str(), site.cost),
        ("endbr64", "push rbp", Cost::Emulated)
    );
    assert_eq!(site.probe.0, site.offset.0 + 4);
    assert_eq!(site.address, Fixture::address(0));
}

#[test]
fn a_function_without_an_emulated_instruction_is_single_stepped_at_its_start() {
    let image = image(
        "sub/iwasm",
        &Fixture::new().function("wasi_fd_write", &[0x48, 0x83, 0xec, 0x08, 0x55, 0xc3]),
    );
    let site = &image.sites[0];
    assert_eq!(
        (site.at.as_str(), site.cost),
        ("sub rsp, 8", Cost::SingleStepped)
    );
    assert_eq!(site.probe, site.offset);
}

#[test]
fn the_file_offset_of_a_function_is_where_its_bytes_are() {
    let fixture = Fixture::new()
        .function("wasi_fd_read", &[0x53, 0xc3])
        .function("wasi_fd_write", PUSH);
    let bytes = fixture.build();
    let image = image("offsets/iwasm", &fixture);
    let write = image
        .sites
        .iter()
        .find(|site| site.function == Some(function("fd_write")))
        .unwrap();
    let at = usize::try_from(write.offset.0).unwrap();
    assert_eq!(&bytes[at..at + PUSH.len()], PUSH);
}

#[test]
fn functions_that_a_c_runtime_does_not_have_are_not_implemented() {
    let image = image(
        "wasm3/wasm3",
        &Fixture::new().functions(["m3_wasi_unstable_fd_write", "m3_wasi_unstable_fd_read"]),
    );
    assert_eq!(runtime(&image), "wasm3");
    assert_eq!(image.missing.len(), 44);
    assert_eq!(reason(&image, "sock_accept"), Reason::NotImplemented);
}

#[test]
fn functions_that_a_rust_runtime_does_not_show_have_no_symbol() {
    let image = image("inlined/wasmtime", &wasmtime_48());
    assert_eq!(reason(&image, "fd_read"), Reason::NoSymbol);
}

#[test]
fn two_names_of_one_function_are_one_site() {
    let image = image(
        "alias/iwasm",
        &Fixture::new()
            .function("wasi_fd_write", PUSH)
            .alias("wasi_fd_write"),
    );
    assert_eq!(image.sites.len(), 1);
}

#[test]
fn two_functions_with_one_address_cannot_be_told_apart() {
    let fixture = Fixture::new()
        .function("wasi_fd_write", PUSH)
        .function("wasi_fd_sync", PUSH)
        .alias("wasi_fd_datasync");
    let image = image("folded/iwasm", &fixture);
    assert_eq!(functions(&image), ["fd_write"]);
    assert_eq!(
        reason(&image, "fd_sync"),
        Reason::Shared(function("fd_datasync"))
    );
}

#[test]
fn copies_of_a_function_are_several_sites() {
    let wrapper = legacy(&[
        "wasmer",
        "backend",
        "sys",
        "entities",
        "function",
        "gen_fn_callback_s4",
        "func_wrapper",
    ]);
    let name = legacy(&["wasmer_wasix", "syscalls", "wasi", "fd_write", "fd_write"]);
    let image = image(
        "wasmer/wasmer",
        &Fixture::new().functions([wrapper, name.clone(), name]),
    );
    assert_eq!(runtime(&image), "wasmer");
    assert_eq!(functions(&image), ["fd_write", "fd_write"]);
}

#[test]
fn a_name_that_is_stored_as_the_tail_of_another_is_found() {
    // Linkers merge tails, and WAMR can be built on uvwasi.
    let fixture = Fixture::new().functions(["uvwasi_fd_write"]);
    let mut bytes = fixture.build();
    // Elf64_Sym: 4 bytes name, type and binding, visibility, 2 bytes section, 8 bytes address.
    let tail = [
        &[elf::STT_FUNC | elf::STB_GLOBAL << 4, 0, 1, 0],
        &Fixture::address(0).to_le_bytes()[..],
    ]
    .concat();
    let symbol = bytes.windows(12).position(|window| window == tail).unwrap() - 4;
    bytes[symbol] += 2;
    let Inspection::Runtime(image) = Catalogue::bundled()
        .inspect(&save("tail/tool", &bytes))
        .unwrap()
    else {
        panic!()
    };
    assert_eq!(image.sites[0].symbol, "wasi_fd_write");
}

#[test]
fn exported_functions_are_found_in_a_stripped_library() {
    let fixture = Fixture::new()
        .functions(["uvwasi_fd_write"])
        .exported()
        .stripped();
    let image = image("exported/libnode.so", &fixture);
    assert_eq!(functions(&image), ["fd_write"]);
    assert_eq!(reason(&image, "fd_read"), Reason::Stripped);
}

#[test]
fn a_stripped_runtime_is_refused_with_what_to_do() {
    let fixture = wasmtime_48()
        .text("wasmtime-wasi-48.0.8/src/p1.rs")
        .text("wasmtime-48.0.8/src/");
    let Inspection::Stripped(stripped) = inspect("stripped/tool", &fixture.stripped()) else {
        panic!()
    };
    expect!["this looks like wasmtime 48.0.8 (it contains `wasmtime-wasi-`), but it is stripped: no .symtab; install or build it with its symbols, or install its debug file (`ewapa symbols --explain` says where)"]
        .assert_eq(&stripped.to_string());
}

#[test]
fn a_stripped_runtime_without_texts_is_known_by_its_file_name() {
    let Inspection::Stripped(stripped) = inspect("by-name/iwasm", &Fixture::new().stripped())
    else {
        panic!()
    };
    assert_eq!(stripped.name, "wamr");
}

#[test]
fn a_stripped_program_is_no_runtime() {
    assert!(matches!(
        inspect("python/python3", &Fixture::new().stripped()),
        Inspection::NotARuntime
    ));
}

fn refusal(name: &str, bytes: &[u8]) -> Error {
    Catalogue::bundled()
        .inspect(&save(name, bytes))
        .unwrap_err()
}

#[test]
fn a_script_is_refused_by_naming_its_interpreter() {
    let err = refusal("script/wasm", b"#!/usr/bin/env node\n");
    assert!(matches!(err, Error::Script { interpreter, .. } if interpreter == "/usr/bin/env node"));
}

#[test]
fn other_files_are_refused() {
    assert!(matches!(
        refusal("text/notes", b"hello"),
        Error::NotElf { .. }
    ));
    assert!(matches!(refusal("empty/empty", b""), Error::NotElf { .. }));
    assert!(matches!(
        Catalogue::bundled().inspect("/".as_ref()),
        Err(Error::NotAFile { .. })
    ));
    assert!(matches!(
        Catalogue::bundled().inspect("/no/such/file".as_ref()),
        Err(Error::Read { .. })
    ));
}

#[test]
fn binaries_for_another_processor_are_refused() {
    let mut bytes = Fixture::new().build();
    bytes[18] = 183; // e_machine: EM_AARCH64
    let Error::Machine { found, .. } = refusal("aarch64/iwasm", &bytes) else {
        panic!()
    };
    assert_eq!(found, "AARCH64 (64 bits, little-endian)");
    bytes[18] = 3; // EM_386
    bytes[4] = 1; // ELFCLASS32
    let Error::Machine { found, .. } = refusal("i386/iwasm", &bytes) else {
        panic!()
    };
    assert_eq!(found, "386 (32 bits, little-endian)");
}

/// What wasmtime's trampolines do: collect the addresses of their arguments, call, return. The call goes to
/// the function that follows in the fixture.
const HANDS_OVER: &[u8] = &[
    0x48, 0x83, 0xec, 0x48, // sub rsp, 0x48
    0x48, 0x89, 0x54, 0x24, 0x18, // mov [rsp+0x18], rdx
    0x48, 0x8d, 0x4c, 0x24, 0x18, // lea rcx, [rsp+0x18]
    0x48, 0x89, 0x4c, 0x24, 0x30, // mov [rsp+0x30], rcx
    0x8b, 0x46, 0x80, // mov eax, [rsi-0x80]
    0x89, 0x44, 0x24, 0x0c, // mov [rsp+0xc], eax
    0x48, 0x8d, 0x4c, 0x24, 0x0c, // lea rcx, [rsp+0xc]
    0x48, 0x89, 0x4c, 0x24, 0x40, // mov [rsp+0x40], rcx
    0x48, 0x8d, 0x54, 0x24, 0x28, // lea rdx, [rsp+0x28]
    0xe8, 0x12, 0x00, 0x00, 0x00, // call +0x12
    0x48, 0x83, 0xc4, 0x48, // add rsp, 0x48
    0xc3, // ret
];

#[test]
fn a_single_stepped_trampoline_offers_the_function_that_it_hands_the_call_to() {
    let fixture = Fixture::new()
        .function(&trampoline("HostFunc"), HANDS_OVER)
        .function("inner", PUSH)
        .function(&p1(&["sched_yield"]), PUSH);
    let image = image("handover/wasmtime", &fixture);
    let inner = image.sites[0].inner.as_ref().unwrap();
    assert_eq!(
        (inner.address, inner.at.as_str()),
        (Fixture::address(1), "push rbp")
    );
    let captured = Args::Captured {
        base: Register::Rdx,
        offset: 8,
        stride: 16,
    };
    assert_eq!(Catalogue::bundled().abis()[inner.abi].args, captured);
}

#[test]
fn a_trampoline_that_reads_the_number_of_its_instance_elsewhere_has_no_other_place() {
    let mut code = HANDS_OVER.to_vec();
    let number = code.windows(3).position(|code| code == [0x8b, 0x46, 0x80]);
    code[number.unwrap() + 2] = 0x78;
    let fixture = Fixture::new()
        .function(&trampoline("HostFunc"), &code)
        .function("inner", PUSH)
        .function(&p1(&["sched_yield"]), PUSH);
    assert_eq!(image("elsewhere/wasmtime", &fixture).sites[0].inner, None);
}

#[test]
fn a_trampoline_that_begins_with_a_push_is_its_own_place() {
    assert!(
        image("pushes/wasmtime", &wasmtime_48())
            .sites
            .iter()
            .all(|site| site.inner.is_none())
    );
}
