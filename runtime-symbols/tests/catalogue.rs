//! The bundled catalogue, and what is said about a bad one.

use ewapa_symbols::Catalogue;
use ewapa_symbols::abi::{Abi, Args, Buffers, Errno, Memory, Register, Valid};
use expect_test::{Expect, expect};

#[test]
fn runtimes_have_a_fixed_order() {
    assert_eq!(
        Catalogue::bundled().names(),
        [
            "wasmtime", "wasmer", "wasmi", "wamr", "wasm3", "wabt", "node", "wasmedge", "wazero"
        ]
    );
}

#[test]
fn each_way_of_calling_is_listed_once() {
    let abis = Catalogue::bundled().abis();
    assert!(
        abis.iter()
            .enumerate()
            .all(|(at, abi)| !abis[..at].contains(abi))
    );
    assert!(abis.contains(&Abi {
        args: Args::Array {
            base: Register::Rdx,
            stride: 16
        },
        errno: Errno::FirstCell,
        valid: Valid::ReturnNonzero,
        memory: Memory::Indirect {
            base: Register::Rsi,
            offset: 0x30
        },
        buffers: Buffers::Guest,
    }));
    assert!(abis.contains(&Abi {
        args: Args::Registers(Register::Rsi),
        errno: Errno::Return,
        valid: Valid::Always,
        memory: Memory::Host,
        buffers: Buffers::Host,
    }));
}

const GOOD: &str = r#"
name = "x"
[stripped]
files = []
texts = []
[[variant]]
name = "only"
absent = "inlined"
abi = { args = "unknown", errno = "unknown", memory = "unknown" }
[[variant.rule]]
role = "call"
starts = ["wasi_"]
pattern = '^wasi_(?P<function>\w+)$'
"#;

fn refused(text: &str, because: Expect) {
    let err = Catalogue::parse(&[("x.toml", text)])
        .err()
        .expect("a catalogue like this is refused");
    because.assert_eq(&err.to_string());
}

#[test]
fn a_runtime_is_one_file() {
    assert_eq!(
        Catalogue::parse(&[("x.toml", GOOD)]).unwrap().names(),
        ["x"]
    );
}

#[test]
fn an_unknown_key_is_refused() {
    refused(
        &GOOD.replace("absent", "absence"),
        expect![[r#"
            cannot read the catalogue file x.toml: TOML parse error at line 8, column 1
              |
            8 | absence = "inlined"
              | ^^^^^^^
            unknown field `absence`, expected one of `name`, `verified`, `major`, `absent`, `abi`, `inner`, `route`, `memory-versions`, `rule`
        "#]],
    );
}

#[test]
fn a_pattern_that_does_not_compile_is_refused() {
    refused(
        &GOOD.replace("$'", ")'"),
        expect![[r#"
            in the catalogue file x.toml, line 13, the pattern `^wasi_(?P<function>\w+))` is not a regular expression: regex parse error:
                ^wasi_(?P<function>\w+))
                                       ^
            error: unopened group"#]],
    );
}

#[test]
fn a_pattern_that_tells_no_function_is_refused() {
    refused(
        &GOOD.replace("?P<function>", ""),
        expect![
            "in the catalogue file x.toml, line 13, variant `only`: `pattern` must have the group `function` or `index`; that of an envelope or a start has none"
        ],
    );
}

#[test]
fn an_envelope_without_names_is_refused() {
    refused(
        &GOOD.replace("\"call\"", "\"envelope\""),
        expect![
            "in the catalogue file x.toml, line 6, variant `only`: it needs a rule with the role `call`, or one with `envelope` and one with `name`"
        ],
    );
}

#[test]
fn a_text_that_most_names_have_is_refused() {
    refused(
        &GOOD.replace("\"wasi_\"", "\"fd\""),
        expect![
            "in the catalogue file x.toml, line 10, variant `only`: `starts` or `contains` must give texts of four characters or more"
        ],
    );
}

#[test]
fn a_name_that_is_no_wasi_function_is_refused() {
    refused(
        &format!("{GOOD}functions = {{ Write = \"fd_wrote\" }}"),
        expect![
            "in the catalogue file x.toml, line 14, variant `only`: `fd_wrote` is not a WASI function"
        ],
    );
}
