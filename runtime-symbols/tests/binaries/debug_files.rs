//! Symbols of stripped binaries, from where debuggers find them.

use std::path::{Path, PathBuf};

use ewapa_lang::wasi::Function;
use ewapa_symbols::{Catalogue, Functions, Image, Inspection, Origin, Reason, SymbolSource};
use expect_test::expect;
use lzma_rust2::{XzOptions, XzWriter};
use std::io::Write;

use crate::fixture::{Fixture, PUSH};

/// A file system of its own.
struct Root(PathBuf);

impl Root {
    fn new(name: &str) -> Root {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("roots")
            .join(name);
        let _ = std::fs::remove_dir_all(&root);
        Root(root)
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.0.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// What `/opt/bin/iwasm` is.
    fn inspect(&self) -> Inspection {
        let origin = Origin {
            open: self.0.join("opt/bin/iwasm"),
            name: PathBuf::from("/opt/bin/iwasm"),
            root: self.0.clone(),
        };
        Catalogue::bundled().inspect_as(&origin).unwrap()
    }

    fn image(&self) -> Image {
        match self.inspect() {
            Inspection::Runtime(image) => image,
            other => panic!("{other:?}"),
        }
    }

    /// What is said of a binary whose symbols are not found.
    fn refusal(&self) -> String {
        match self.inspect() {
            Inspection::Stripped(stripped) => stripped.to_string(),
            other => panic!("{other:?}"),
        }
    }
}

const BINARY: &str = "/opt/bin/iwasm";

const ID: &[u8] = &[0xab, 0xcd, 0xef, 0x01];

fn whole() -> Fixture {
    Fixture::new().functions(["wasi_fd_write", "wasi_fd_read"])
}

fn functions(image: &Image) -> Vec<&'static str> {
    let functions = image.sites.iter().filter_map(|site| site.function);
    functions.map(Function::name).collect()
}

/// As `xz` does it.
pub fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut writer = XzWriter::new(Vec::new(), XzOptions::with_preset(1)).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

#[test]
fn a_debug_file_is_found_by_the_build_id() {
    let root = Root::new("build-id");
    let place = "/usr/lib/debug/.build-id/ab/cdef01.debug";
    root.put(BINARY, &whole().stripped().build_id(ID).build());
    root.put(place, &whole().build_id(ID).build());
    let image = root.image();
    assert_eq!(functions(&image), ["fd_read", "fd_write"]);
    assert_eq!(image.symbols, SymbolSource::DebugFile(place.into()));
    // The code is that of the binary, not of the debug file.
    assert_eq!(image.sites[0].first, "push rbp");
}

#[test]
fn a_debug_file_of_another_build_id_is_refused_and_named() {
    let root = Root::new("other-build-id");
    root.put(BINARY, &whole().stripped().build_id(ID).build());
    root.put(
        "/usr/lib/debug/.build-id/ab/cdef01.debug",
        &whole().build_id(&[1, 2, 3]).build(),
    );
    expect!["this looks like wamr (by its file name), but it is stripped: no .symtab; install or build it with its symbols, or install its debug file (`ewapa symbols --explain` says where); /usr/lib/debug/.build-id/ab/cdef01.debug is of another build: its build-id is 010203, that of the binary abcdef01"]
        .assert_eq(&root.refusal());
}

#[test]
fn a_debug_file_is_found_by_its_link_in_each_place() {
    let debug = whole().build();
    for (number, place) in [
        "/opt/bin/iwasm.debug",
        "/opt/bin/.debug/iwasm.debug",
        "/usr/lib/debug/opt/bin/iwasm.debug",
    ]
    .iter()
    .enumerate()
    {
        let root = Root::new(&format!("link-{number}"));
        let binary = whole().stripped().debug_link("iwasm.debug", &debug);
        root.put(BINARY, &binary.build());
        root.put(place, &debug);
        assert_eq!(
            root.image().symbols,
            SymbolSource::DebugFile(PathBuf::from(place))
        );
    }
}

#[test]
fn a_debug_file_with_another_checksum_is_passed_over() {
    let root = Root::new("checksum");
    let debug = whole().build();
    let binary = whole().stripped().debug_link("iwasm.debug", &debug);
    root.put(BINARY, &binary.build());
    root.put("/opt/bin/iwasm.debug", &whole().text("newer").build());
    assert!(
        root.refusal()
            .contains("; /opt/bin/iwasm.debug is of another build: its checksum is 0x"),
        "{}",
        root.refusal()
    );
    root.put("/usr/lib/debug/opt/bin/iwasm.debug", &debug);
    assert_eq!(functions(&root.image()).len(), 2);
}

#[test]
fn a_link_that_leads_to_another_folder_is_not_followed() {
    let root = Root::new("elsewhere");
    let debug = whole().build();
    let binary = whole().stripped().debug_link("../iwasm.debug", &debug);
    root.put(BINARY, &binary.build());
    root.put("/opt/iwasm.debug", &debug);
    root.refusal();
}

#[test]
fn symbolic_links_of_a_container_lead_to_its_own_files() {
    let root = Root::new("container");
    let debug = whole().build_id(ID).build();
    root.put(BINARY, &whole().stripped().build_id(ID).build());
    root.put("/data/debug/.build-id/ab/cdef01.debug", &debug);
    std::fs::create_dir_all(root.0.join("usr/lib")).unwrap();
    std::os::unix::fs::symlink("/data/debug", root.0.join("usr/lib/debug")).unwrap();
    assert_eq!(functions(&root.image()).len(), 2);
}

#[test]
fn packed_symbols_are_taken_with_the_exported_ones() {
    let root = Root::new("packed");
    // As `nm -D` and `comm` make it: without what is exported.
    let mini = Fixture::new()
        .functions(["local_fd_write", "wasi_fd_read"])
        .build();
    let binary = Fixture::new()
        .functions(["wasi_fd_write", "other_fd_read"])
        .exported()
        .stripped()
        .section(".gnu_debugdata", &packed(&mini));
    root.put(BINARY, &binary.build());
    let image = root.image();
    assert_eq!(image.symbols, SymbolSource::MiniDebugInfo);
    assert_eq!(functions(&image), ["fd_read", "fd_write"]);
}

#[test]
fn packed_symbols_that_unfold_without_end_are_left_alone() {
    let root = Root::new("bomb");
    let zeros = vec![0u8; (64 << 20) + 64];
    let binary = whole()
        .stripped()
        .section(".gnu_debugdata", &packed(&zeros));
    root.put(BINARY, &binary.build());
    assert!(
        root.refusal().ends_with(
            "its section .gnu_debugdata is left alone: it has more than 64 MiB unpacked"
        ),
        "{}",
        root.refusal()
    );
}

#[test]
fn damaged_packed_symbols_are_named() {
    let root = Root::new("damaged");
    for content in [&b"\xfd7zXZ\0not so"[..], b"", b"text"] {
        let binary = whole().stripped().section(".gnu_debugdata", content);
        root.put(BINARY, &binary.build());
        assert!(
            root.refusal()
                .contains("; its section .gnu_debugdata cannot be unpacked: "),
            "{}",
            root.refusal()
        );
    }
}

#[test]
fn the_places_that_were_tried_are_known() {
    let root = Root::new("tried");
    let binary = whole()
        .stripped()
        .exported()
        .build_id(ID)
        .debug_link("iwasm.debug", b"");
    root.put(BINARY, &binary.build());
    let image = root.image();
    assert_eq!(image.symbols, SymbolSource::Exported);
    let tried: Vec<String> = image.tried.iter().map(ToString::to_string).collect();
    expect![[r#"
        /usr/lib/debug/.build-id/ab/cdef01.debug is not there
        /opt/bin/iwasm.debug is not there
        /opt/bin/.debug/iwasm.debug is not there
        /usr/lib/debug/opt/bin/iwasm.debug is not there"#]]
    .assert_eq(&tried.join("\n"));
}

#[test]
fn functions_of_any_file_are_found_by_their_debug_file() {
    let root = Root::new("functions");
    let debug = whole().build();
    let binary = whole().stripped().debug_link("x.debug", &debug);
    root.put(BINARY, &binary.build());
    root.put("/opt/bin/x.debug", &debug);
    let functions = Functions::read(&root.0.join("opt/bin/iwasm")).unwrap();
    assert_eq!(functions.names(), ["wasi_fd_read", "wasi_fd_write"]);
}

fn reason(image: &Image, name: &str) -> Reason {
    let function = Function::named(name).unwrap();
    let missing = image
        .missing
        .iter()
        .find(|missing| missing.function == function);
    missing.unwrap().reason.clone()
}

#[test]
fn three_functions_with_one_address_are_all_left_out() {
    let root = Root::new("folded-three");
    let binary = Fixture::new()
        .function("wasi_fd_write", PUSH)
        .function("wasi_sock_recv", PUSH)
        .alias("wasi_sock_send")
        .alias("wasi_sock_shutdown");
    root.put(BINARY, &binary.build());
    let image = root.image();
    assert_eq!(functions(&image), ["fd_write"]);
    for (function, other) in [
        ("sock_recv", "sock_send"),
        ("sock_send", "sock_recv"),
        ("sock_shutdown", "sock_recv"),
    ] {
        let other = Function::named(other).unwrap();
        assert_eq!(reason(&image, function), Reason::Shared(other));
    }
}

#[test]
fn a_function_with_the_code_of_quite_another_one_is_left_out_and_both_are_named() {
    let root = Root::new("folded-other");
    let binary = Fixture::new()
        .function("wasi_fd_write", PUSH)
        .alias("__wasi_fd_write")
        .function("wasi_sched_yield", PUSH)
        .alias("return_zero");
    root.put(BINARY, &binary.build());
    let image = root.image();
    assert_eq!(functions(&image), ["fd_write"]);
    assert_eq!(
        reason(&image, "sched_yield"),
        Reason::SharedWith("return_zero".to_owned())
    );
}

#[test]
fn a_function_one_copy_of_which_is_shared_is_left_out_whole() {
    let root = Root::new("folded-copy");
    let binary = Fixture::new()
        .function("wasi_fd_write", PUSH)
        .function("wasi_fd_sync", PUSH)
        .function("wasi_fd_sync", PUSH)
        .alias("wasi_fd_datasync");
    root.put(BINARY, &binary.build());
    assert_eq!(functions(&root.image()), ["fd_write"]);
}
