//! Every function of a runtime is seen: a guest calls each of them once, and the table has each of them
//! once, with the errno that the guest got.

#[macro_use]
mod support;

use std::collections::BTreeMap;

use ewapa_lang::errno;
use ewapa_lang::wasi::Function;
use support::directory::Directory;
use support::guest::Guest;
use support::runtime::Runtime;
use support::trace::{EVERYTHING, Script};
use support::wasm3;

/// What a guest can call on a runtime and go on.
fn functions(runtime: Runtime) -> Vec<Function> {
    Function::all()
        .filter(|function| match function.name() {
            // They end the guest, or its process.
            "proc_exit" | "proc_raise" => false,
            // WAMR of wamr-sys 0.1.1 is older than it.
            "sock_accept" => !matches!(runtime, Runtime::Iwasm | Runtime::Wasm3),
            name => runtime != Runtime::Wasm3 || wasm3::FUNCTIONS.contains(&name),
        })
        .collect()
}

fn shown(errno: u32) -> String {
    errno::name(i64::from(errno)).map_or_else(|| errno.to_string(), str::to_owned)
}

fn each_function_is_seen_with_the_errno_that_the_guest_got(runtime: Runtime) {
    let directory = Directory::new();
    let functions = functions(runtime);
    let module = Guest::of_each(&functions).compile(&directory);
    let traced = Script::new(EVERYTHING).run(&runtime.run(&module, directory.path()));
    let returned: Vec<u32> = traced
        .ended
        .stdout
        .chunks_exact(4)
        .map(|bytes| u32::from_le_bytes(bytes.try_into().expect("four bytes")))
        .collect();
    assert_eq!(
        returned.len(),
        functions.len(),
        "the guest came to its end: {}",
        traced.ended.stderr
    );

    let descriptor = |function: &Function| {
        if function.fd_arg().is_some() {
            "77"
        } else {
            "-"
        }
    };
    let mut expected: BTreeMap<(String, String, String), i64> = functions
        .iter()
        .zip(returned)
        .map(|(function, errno)| {
            (
                (
                    function.to_string(),
                    shown(errno),
                    descriptor(function).to_owned(),
                ),
                1,
            )
        })
        .collect();
    // The call by which the guest reports.
    expected.insert(
        ("fd_write".to_owned(), "SUCCESS".to_owned(), "1".to_owned()),
        1,
    );

    let table = traced.report.table();
    let seen: BTreeMap<(String, String, String), i64> = table
        .rows()
        .map(|row| {
            (
                (
                    row.text("FUNC").to_owned(),
                    row.text("ERRNO").to_owned(),
                    row.text("FD").to_owned(),
                ),
                row.number("CALLS"),
            )
        })
        .collect();
    assert_eq!(seen, expected, "{}", traced.report.text);
    assert!(
        table.headline.contains(" · nothing lost"),
        "{}",
        table.headline
    );
}

on_every_runtime! { each_function_is_seen_with_the_errno_that_the_guest_got }
