//! Writes `call.h` from the language's table of builtins and compiles the C templates with clang.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use ewapa_lang::builtin::{BUILTINS, NONE};
use ewapa_lang::types::Type;
use ewapa_lang::wasi::{ArgType, FUNCTIONS, Function};

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
    for name in ["proc_exit", "path_open", "fd_close", "fd_renumber"] {
        let index = Function::named(name).expect("WASI has it").index();
        writeln!(header, "#define FUNC_{} {index}", name.to_uppercase())
            .expect("write to a string");
    }
    header.push_str("\n#define SIGNATURES");
    for function in Function::all() {
        write!(header, " \\\n\t{}", signature(function)).expect("write to a string");
    }
    header.push('\n');
    header
}

/// The `struct signature` of a function.
fn signature(function: Function) -> String {
    let named = |names: &[&str]| {
        function
            .args()
            .iter()
            .position(|arg| names.contains(&arg.name))
    };
    let bits = |wanted: &[ArgType]| {
        let args = function.args().iter().enumerate();
        args.filter(|(_, arg)| wanted.contains(&arg.ty))
            .fold(0, |bits, (index, _)| bits | 1 << index)
    };
    let shown =
        |index: Option<usize>| index.map_or_else(|| "NO_ARG".to_owned(), |index| index.to_string());
    // That of fd_prestat_dir_name is where the path is written to.
    let gives_path = function.name() == "fd_prestat_dir_name";
    let path = named(&["path", "old_path"]).filter(|_| !gives_path);
    let buffers = named(&["iovs", "ri_data", "si_data"]);
    let length = if gives_path {
        named(&["path_len"])
    } else {
        named(&["buf_len"])
    };
    format!(
        "{{ {}, {}, {}, {}, {}, {:#x}, {:#x} }},",
        function.args().len(),
        shown(function.fd_arg()),
        shown(path),
        shown(buffers),
        shown(length),
        bits(&[ArgType::U64]),
        bits(&[ArgType::Pointer, ArgType::Moved]),
    )
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
