//! Binaries as they come: however a runtime was compiled, linked and stripped, each of its functions is seen once
//! for each call.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::directory::Directory;
use support::trace::{Script, Traced};
use support::wasm3::{self, Objects, can_be_built_with, run};

const SCRIPT: &str = "table t from wasi:* by func { calls = count() }";

/// Runs a guest that calls each function, and compares what was counted.
fn each_call_is_counted(program: &Path, directory: &Directory) {
    let module = wasm3::each_function(directory);
    counted(&Script::new(SCRIPT).run(&wasm3::with_module(program, &module)));
}

fn counted(traced: &Traced) {
    let table = traced.report.table();
    assert_eq!(traced.ended.code(), 0, "{}", traced.ended.stderr);
    assert_eq!(
        wasm3::calls(table),
        wasm3::once_each(),
        "{}\n{}",
        traced.report.text,
        traced.ended.stderr
    );
    assert!(
        table.headline.contains(" · nothing lost"),
        "{}",
        table.headline
    );
}

fn linked(options: &[&str], link: &[&str]) {
    let directory = Directory::new();
    let program = directory.path().join("runtime");
    Objects::Program.build(&program, options, link);
    each_call_is_counted(&program, &directory);
}

/// A test for each way to build it: what it needs, options for the WASI functions, options for the linker.
macro_rules! builds {
    ($($name:ident: $needs:expr, $options:expr, $link:expr;)*) => {$(
        #[test]
        fn $name() {
            if can_be_built_with(&$needs) {
                linked(&$options, &$link);
            }
        }
    )*};
}

builds! {
    position_independent: ["gcc"], [], ["-pie"];
    at_a_fixed_address: ["gcc"], [], ["-no-pie"];
    at_a_fixed_address_far_away: ["gcc"], [], ["-no-pie", "-Wl,-Ttext-segment=0x40000000"];
    without_a_dynamic_linker: ["gcc"], [], ["-static"];
    position_independent_without_a_dynamic_linker: ["gcc"], [], ["-static-pie"];
    with_segments_of_huge_pages: ["gcc"], [], ["-Wl,-z,max-page-size=0x200000", "-Wl,-z,common-page-size=0x200000"];
    with_code_and_constants_in_one_segment: ["gcc"], [], ["-Wl,-z,noseparate-code"];
    with_identical_code_folded_by_gold: ["gcc", "ld.gold"], ["-O1", "-ffunction-sections"], ["-fuse-ld=gold", "-Wl,--icf=all"];
    with_identical_code_folded_by_lld: ["gcc", "ld.lld"], ["-O1", "-ffunction-sections"], ["-fuse-ld=lld", "-Wl,--icf=all"];
    with_segments_of_lld: ["gcc", "ld.lld"], [], ["-fuse-ld=lld", "-Wl,-z,separate-code"];
    not_optimized: ["gcc"], ["-O0"], [];
    optimized_for_size: ["gcc"], ["-Os"], [];
    optimized_with_cold_parts_apart: ["gcc"], ["-O3", "-freorder-blocks-and-partition", "-ffunction-sections"], [];
    optimized_when_it_is_linked: ["gcc"], ["-O2", "-flto"], ["-O2", "-flto"];
    with_endbr64_at_each_entry: ["gcc"], ["-O2", "-fcf-protection=full"], [];
    with_a_call_of_fentry_at_each_entry: ["gcc"], ["-O2", "-pg", "-mfentry"], [];
    with_nops_at_and_before_each_entry: ["gcc"], ["-O2", "-fpatchable-function-entry=16,8"], [];
    with_a_long_nop_at_each_entry: ["gcc"], ["-O2", "-fno-pie", "-pg", "-mfentry", "-mnop-mcount"], ["-no-pie"];
    with_compressed_debug_information: ["gcc"], ["-O2", "-g", "-gz=zlib"], [];
    with_exported_functions: ["gcc"], [], ["-rdynamic"];
    stripped_with_exported_functions: ["gcc"], [], ["-rdynamic", "-s"];
}

#[test]
fn with_musl() {
    if can_be_built_with(&["musl-gcc"]) {
        let directory = Directory::new();
        for link in [&[][..], &["-static"], &["-static-pie"]] {
            let program = directory.path().join("runtime");
            Objects::MuslProgram.build(&program, &[], link);
            each_call_is_counted(&program, &directory);
        }
    }
}

/// The number of sections has no room in the header.
#[test]
fn with_70000_sections() {
    if !can_be_built_with(&["gcc", "objcopy"]) {
        return;
    }
    let directory = Directory::new();
    let program = directory.path().join("runtime");
    let text: String = (0..70_000)
        .map(|number| format!(".section .m{number},\"\",@progbits\n.byte 0\n"))
        .collect();
    let many = directory.file("many.s", text);
    let many = many.to_str().expect("a path of text");
    Objects::Program.build(&program, &[], &[many]);
    each_call_is_counted(&program, &directory);
}

/// A runtime and its symbols, apart.
fn split(directory: &Directory) -> (PathBuf, PathBuf) {
    let program = directory.path().join("runtime");
    let symbols = directory.path().join("runtime.symbols");
    Objects::Program.build(&program, &[], &["-Wl,--build-id"]);
    run(Command::new("objcopy")
        .arg("--only-keep-debug")
        .args([&program, &symbols]));
    run(Command::new("strip").arg(&program));
    (program, symbols)
}

#[test]
fn stripped_with_a_debug_link() {
    if !can_be_built_with(&["gcc", "objcopy"]) {
        return;
    }
    let directory = Directory::new();
    let (program, symbols) = split(&directory);
    run(Command::new("objcopy")
        .arg(format!("--add-gnu-debuglink={}", symbols.display()))
        .arg(&program));
    each_call_is_counted(&program, &directory);
}

#[test]
fn stripped_with_mini_debug_information() {
    if !can_be_built_with(&["gcc", "objcopy", "xz"]) {
        return;
    }
    let directory = Directory::new();
    let (program, symbols) = split(&directory);
    run(Command::new("xz").arg(&symbols));
    run(Command::new("objcopy")
        .arg(format!(
            "--add-section=.gnu_debugdata={}.xz",
            symbols.display()
        ))
        .arg(&program));
    each_call_is_counted(&program, &directory);
}

/// The debug file is where the process sees it, and nowhere else.
#[test]
fn stripped_with_a_debug_file_by_its_build_id() {
    if !can_be_built_with(&["gcc", "objcopy", "readelf", "unshare"]) {
        return;
    }
    let directory = Directory::new();
    let (program, symbols) = split(&directory);
    let notes = Command::new("readelf").arg("-nW").arg(&program).output();
    let notes = String::from_utf8(notes.expect("run readelf").stdout).expect("text");
    let (_, id) = notes.split_once("Build ID: ").expect("a build-id");
    let (folder, name) = id.split_whitespace().next().expect("digits").split_at(2);
    let text = "mount -t tmpfs none /usr/lib/debug && mkdir -p /usr/lib/debug/.build-id/$1 \
        && cp $2 /usr/lib/debug/.build-id/$1/$3.debug && shift 3 && exec \"$@\"";
    let invocation = wasm3::with_module(&program, &wasm3::each_function(&directory));
    std::fs::create_dir_all("/usr/lib/debug").expect("a folder to mount on");
    let invocation = invocation.wrapped([
        "unshare",
        "-m",
        "sh",
        "-c",
        text,
        "sh",
        folder,
        symbols.to_str().expect("a path of text"),
        name,
    ]);
    counted(&Script::new(SCRIPT).run(&invocation));
}
