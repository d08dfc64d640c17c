//! wasm3 built in the ways that people build runtimes. Its source is what tests/runtimes/install.sh has fetched;
//! it is compiled once, and linked anew in some tenths of a second.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use ewapa_lang::wasi::Function;

use super::directory::Directory;
use super::guest::Guest;
use super::report::Table;
use super::runtime::{Invocation, Runtime, root};
use super::{is_root, skip};

/// What its objects are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objects {
    /// A program.
    Program,
    /// A library with the function `wasm3_main`.
    Library,
    /// A program with musl.
    MuslProgram,
    /// A library with musl.
    MuslLibrary,
}

/// The functions of wasm3 0.4.7 (`m3_LinkWASI`), less proc_exit.
pub const FUNCTIONS: [&str; 17] = [
    "args_get",
    "args_sizes_get",
    "environ_get",
    "environ_sizes_get",
    "clock_res_get",
    "clock_time_get",
    "fd_close",
    "fd_datasync",
    "fd_fdstat_get",
    "fd_fdstat_set_flags",
    "fd_prestat_get",
    "fd_prestat_dir_name",
    "fd_read",
    "fd_seek",
    "fd_write",
    "path_open",
    "random_get",
];

/// The file with the WASI functions.
const WASI: &str = "m3_api_wasi";

fn source() -> PathBuf {
    root().join("source/wasm3-sys-0.3.0/wasm3/source")
}

/// Whether a test that builds it with these programs can run. Says or fails, if not.
pub fn can_be_built_with(programs: &[&str]) -> bool {
    let found = source().is_dir();
    if !found {
        skip("the source of wasm3 is missing: run tests/runtimes/install.sh wasm3");
    }
    let has_all = programs.iter().all(|program| {
        let found = Command::new(program)
            .arg("--version")
            .output()
            .is_ok_and(|output| output.status.success());
        if !found {
            skip(&format!("{program} is not installed"));
        }
        found
    });
    found && has_all && is_root()
}

impl Objects {
    fn compiler(self) -> &'static str {
        match self {
            Objects::Program | Objects::Library => "gcc",
            Objects::MuslProgram | Objects::MuslLibrary => "musl-gcc",
        }
    }

    fn is_library(self) -> bool {
        matches!(self, Objects::Library | Objects::MuslLibrary)
    }

    /// The options that each file is compiled with.
    fn options(self) -> Vec<OsString> {
        let mut options: Vec<OsString> = ["-c", "-w", "-Dd_m3HasWASI", "-I"].map(Into::into).into();
        options.push(source().into());
        if self.is_library() {
            options.extend(["-fPIC", "-Dmain=wasm3_main"].map(Into::into));
        }
        options
    }

    /// The folder with the compiled files.
    fn compiled(self) -> PathBuf {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _guard = ONE_AT_A_TIME
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("wasm3-{self:?}"));
        if folder.is_dir() {
            return folder;
        }
        let part = folder.with_extension(std::process::id().to_string());
        std::fs::create_dir_all(&part).expect("make a folder for the objects");
        let files = std::fs::read_dir(source()).expect("its source is there");
        let files = files.flatten().map(|file| file.path());
        let files = files.filter(|file| file.extension().is_some_and(|found| found == "c"));
        let main = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runtimes/wasm3_main.c");
        run(Command::new(self.compiler())
            .args(self.options())
            .args(["-O1", "-ffunction-sections"])
            .args(files)
            .arg(main)
            .current_dir(&part));
        std::fs::rename(&part, &folder).expect("move the objects into place");
        folder
    }

    /// Links it. If there are `options` for the compiler, the WASI functions are compiled with them.
    pub fn build(self, program: &Path, options: &[&str], link: &[&str]) {
        let compiled = self.compiled();
        let files = std::fs::read_dir(&compiled).expect("the objects are there");
        let mut files: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
        files.sort_unstable();
        if !options.is_empty() {
            let own = program.with_extension("o");
            run(Command::new(self.compiler())
                .args(self.options())
                .args(options)
                .arg(source().join(WASI).with_extension("c"))
                .arg("-o")
                .arg(&own));
            files.retain(|file| file.file_stem().is_none_or(|name| name != WASI));
            files.push(own);
        }
        run(Command::new(self.compiler())
            .args(link)
            .args(self.is_library().then_some("-shared"))
            .args(files)
            .args(["-lm", "-o"])
            .arg(program));
    }
}

/// Builds a program that loads the library, `tests/hosts/plugin.c`, with the same compiler.
pub fn build_host(objects: Objects, program: &Path) {
    run(Command::new(objects.compiler())
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts/plugin.c"))
        .args(["-ldl", "-lpthread", "-o"])
        .arg(program));
}

/// Runs a program to its end, which has to be a good one.
pub fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A guest that calls each of [`FUNCTIONS`] once, and `fd_write` once more.
pub fn each_function(directory: &Directory) -> PathBuf {
    let functions: Vec<Function> = FUNCTIONS
        .iter()
        .filter_map(|name| Function::named(name))
        .collect();
    assert_eq!(functions.len(), FUNCTIONS.len());
    Guest::of_each(&functions).compile(directory)
}

/// What [`each_function`] calls.
pub fn once_each() -> BTreeMap<String, i64> {
    let mut calls: BTreeMap<String, i64> = FUNCTIONS
        .iter()
        .map(|name| ((*name).to_owned(), 1))
        .collect();
    calls.insert("fd_write".to_owned(), 2);
    calls
}

/// Calls by function. `proc_exit` never returns.
pub fn calls(table: &Table) -> BTreeMap<String, i64> {
    let mut calls = BTreeMap::new();
    for row in table.rows() {
        *calls.entry(row.text("FUNC").to_owned()).or_insert(0) += row.number("CALLS");
    }
    calls
}

/// A program with a module.
pub fn with_module(program: &Path, module: &Path) -> Invocation {
    Invocation {
        directory: module.parent().expect("a module in a folder").to_owned(),
        ..Invocation::of([program, module])
    }
}

/// The installed one, for what does not depend on how it was built.
pub fn installed() -> PathBuf {
    Runtime::Wasm3.binary()
}
