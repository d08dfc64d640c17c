//! Binaries in which nothing can be probed are refused, with the reason.

mod support;

use std::process::Command;

use expect_test::expect;
use support::directory::Directory;
use support::refusal::refused;
use support::runtime::Runtime;

fn stripped(runtime: Runtime) -> Option<Directory> {
    if !runtime.is_ready() {
        return None;
    }
    let directory = Directory::new();
    directory.file("counts.ewq", "table t from wasi:* { calls = count() }");
    let copy = directory.path().join("runtime");
    let status = Command::new("strip")
        .arg("-o")
        .arg(&copy)
        .arg(runtime.binary())
        .status()
        .expect("run strip of binutils");
    assert!(status.success());
    Some(directory)
}

#[test]
fn a_stripped_wasm3() {
    if let Some(directory) = stripped(Runtime::Wasm3) {
        refused(
            &directory,
            &["script", "counts.ewq", "--", "./runtime", "module.wasm"],
            69,
            expect![[r#"
                ewapa: DIR/runtime: this looks like wasm3 (it contains `function is missing compiled m3 code`), but it is stripped: no .symtab; install or build it with its symbols, or install its debug file (`ewapa symbols --explain` says where)
            "#]],
        );
    }
}

#[test]
fn a_stripped_iwasm() {
    if let Some(directory) = stripped(Runtime::Iwasm) {
        refused(
            &directory,
            &["script", "counts.ewq", "--", "./runtime", "module.wasm"],
            69,
            expect![[r#"
                ewapa: DIR/runtime: this looks like wamr (it contains `Init wasi environment failed`), but it is stripped: no .symtab; install or build it with its symbols, or install its debug file (`ewapa symbols --explain` says where)
            "#]],
        );
    }
}

#[test]
fn the_symbols_of_a_stripped_runtime() {
    if let Some(directory) = stripped(Runtime::Wasm3) {
        refused(
            &directory,
            &["symbols", "runtime"],
            69,
            expect![[r#"
            ewapa: runtime: this looks like wasm3 (it contains `function is missing compiled m3 code`), but it is stripped: no .symtab; install or build it with its symbols, or install its debug file (`ewapa symbols --explain` says where)
        "#]],
        );
    }
}

#[test]
fn the_symbols_of_what_is_no_runtime() {
    refused(
        &Directory::new(),
        &["symbols", "/bin/true"],
        68,
        expect![[r#"
            ewapa: /bin/true holds no WebAssembly runtime that ewapa knows: wasmtime, wasmer, wasmi, wamr, wasm3, wabt, node, wasmedge, wazero
        "#]],
    );
}

#[test]
fn the_symbols_of_what_is_no_binary() {
    let directory = Directory::new();
    directory.file("text", "text");
    refused(
        &directory,
        &["symbols", "text"],
        66,
        expect![[r#"
        ewapa: text is not an ELF file; name the runtime's binary or library
    "#]],
    );
}

#[test]
fn the_symbols_of_what_is_not_there() {
    refused(
        &Directory::new(),
        &["symbols", "none"],
        66,
        expect![[r#"
        ewapa: cannot read none: No such file or directory (os error 2)
    "#]],
    );
}
