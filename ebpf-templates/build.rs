//! Writes `call.h` from the language's table of builtins and compiles the C templates with clang.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use ewapa_lang::builtin::{BUILTINS, NONE};
use ewapa_lang::types::Type;
use ewapa_lang::wasi::{FUNCTIONS, Function};

fn main() {
    println!("cargo::rerun-if-changed=c");
    println!("cargo::rerun-if-env-changed=CLANG");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("call.h"), call_header()).expect("write call.h");
    compile(Path::new("c/wasi.bpf.c"), &out, &out.join("wasi.bpf.o"));
}

/// `struct call`: one field for each builtin, and the bits that say which of them a script reads.
fn call_header() -> String {
    let mut header = String::from(
        "/* Made from the table of builtins in the ewapa-lang crate. */\n#pragma once\n\nstruct call {\n",
    );
    for builtin in BUILTINS {
        match builtin.ty {
            Type::Text(_) => writeln!(header, "\tchar {}[{}];", builtin.field, builtin.size()),
            _ => writeln!(header, "\t__s64 {};", builtin.field),
        }
        .expect("write to a string");
    }
    header.push_str("};\n\n");
    for builtin in BUILTINS {
        let (name, index, offset) = (builtin.field, builtin.index(), builtin.offset());
        writeln!(
            header,
            "#define READS_{} (1ull << {index})",
            name.to_uppercase()
        )
        .expect("write to a string");
        writeln!(
            header,
            "_Static_assert(__builtin_offsetof(struct call, {name}) == {offset}, \"{name}\");"
        )
        .expect("write to a string");
    }
    writeln!(header, "\n#define NONE ((__s64){:#x}ull)", NONE as u64).expect("write to a string");
    writeln!(header, "#define FUNCTIONS {}", FUNCTIONS.len()).expect("write to a string");
    let proc_exit = Function::named("proc_exit")
        .expect("WASI has proc_exit")
        .index();
    writeln!(header, "#define FUNC_PROC_EXIT {proc_exit}").expect("write to a string");
    header
}

fn compile(source: &Path, out: &Path, object: &Path) {
    let clang = env::var("CLANG").unwrap_or_else(|_| "clang".to_owned());
    let headers = env::var("DEP_BPF_INCLUDE").expect("libbpf-sys tells where its headers are");
    let run = Command::new(&clang)
        .args([
            "-target",
            "bpf",
            "-mcpu=v3",
            "-O2",
            "-g",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-fno-stack-protector",
            "-c",
        ])
        .arg(source)
        .arg("-o")
        .arg(object)
        .arg(format!("-I{}", out.display()))
        .args(["-isystem", &headers])
        .status();
    match run {
        Ok(status) if status.success() => {}
        Ok(status) => panic!("{clang} could not compile {}: {status}", source.display()),
        Err(error) => panic!(
            "cannot run {clang}: {error}; install it (Debian: apt-get install clang) or set CLANG"
        ),
    }
}
