//! What the end-to-end tests share: runtimes, guests, runs of ewapa, the tables that it prints.

#![allow(dead_code, reason = "each test file uses a part of it")]

/// A module for each check with a test for each runtime: `on_every_runtime! { check, other }` for functions that
/// take a [`runtime::Runtime`]. A runtime that is not installed is skipped.
#[allow(unused_macros, reason = "each test file uses a part of it")]
macro_rules! on_every_runtime {
    ($($check:ident),* $(,)?) => {$(
        on_runtimes! { $check: wasmtime: Wasmtime, libwasmtime: LibWasmtime, wasmi: Wasmi, wasmer: Wasmer,
            iwasm: Iwasm, wamr: Wamr, wasm3: Wasm3, node: Node, node_new: NodeNew, builtin: Builtin }
    )*};
}

/// The same for one check and some runtimes: `on_runtimes! { check: wasm3: Wasm3, node: Node }`.
#[allow(unused_macros, reason = "each test file uses a part of it")]
macro_rules! on_runtimes {
    ($check:ident: $($name:ident: $runtime:ident),* $(,)?) => {
        mod $check {
            use super::*;
            $(
                #[test]
                fn $name() {
                    if Runtime::$runtime.is_ready() {
                        super::$check(Runtime::$runtime);
                    }
                }
            )*
        }
    };
}

pub mod bpftrace;
pub mod calls;
pub mod directory;
pub mod experiment;
pub mod guest;
pub mod host;
pub mod instrument;
pub mod kernel;
pub mod manifest;
pub mod process;
pub mod refusal;
pub mod report;
pub mod runtime;
pub mod tinyrt;
pub mod trace;
pub mod wasm3;
pub mod watch;

/// Whether tests that load eBPF can run here. They need root: in CI that is a failure, elsewhere they
/// are skipped and say so.
pub fn is_root() -> bool {
    // SAFETY: a system call without arguments.
    let root = unsafe { libc::geteuid() } == 0;
    if !root {
        skip("tests that load eBPF need root: run them with sudo");
    }
    root
}

/// Fails in CI, elsewhere says why the test is skipped.
pub fn skip(reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "{reason}");
    eprintln!("SKIPPED: {reason}");
}
