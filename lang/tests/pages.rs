//! The pages of the errors tell the truth: their scripts have the error, look as shown, and are repaired.

mod machine;

use std::fs;
use std::path::PathBuf;

use ewapa_lang::page::{Part, RIGHT, WRONG, options};
use ewapa_lang::{Code, Diagnostic, Environment, compile, render};
use machine::Machine;

const ENVIRONMENT: Environment = Environment {
    runtimes: &[
        "wasmtime", "wasmer", "wasmi", "wamr", "wasm3", "wabt", "node", "wasmedge", "wazero",
    ],
    host: Some(&Machine),
    ..Environment::EMPTY
};

/// The blocks of a page whose info begins with this word.
fn blocks(code: Code, kind: &str) -> Vec<(&'static str, &'static str)> {
    let block = |part| match part {
        Part::Code { info, text } if info.split_whitespace().next() == Some(kind) => {
            Some((info, text))
        }
        _ => None,
    };
    code.page().parts().into_iter().filter_map(block).collect()
}

fn errors(info: &str, text: &str) -> Vec<Diagnostic> {
    compile(text, &ENVIRONMENT, &options(info))
        .err()
        .unwrap_or_default()
}

#[test]
fn a_page_begins_with_its_code_and_what_it_means() {
    for code in Code::ALL {
        let title = format!("{code}: {}", code.meaning());
        assert_eq!(code.page().parts()[0], Part::Title(&title));
    }
}

#[test]
fn the_wrong_script_of_a_page_has_its_error() {
    for code in Code::ALL {
        let wrong = blocks(*code, WRONG);
        assert_eq!(wrong.len(), 1, "{code} needs one block {WRONG}");
        let (info, text) = wrong[0];
        let found: Vec<Code> = errors(info, text).iter().map(|error| error.code).collect();
        assert!(found.contains(code), "{code}: {found:?}");
    }
}

#[test]
fn the_right_scripts_of_a_page_compile() {
    for code in Code::ALL {
        let right = blocks(*code, RIGHT);
        assert!(!right.is_empty(), "{code} needs a block {RIGHT}");
        for (info, text) in right {
            let errors = errors(info, text);
            assert!(
                errors.is_empty(),
                "{}",
                render(&errors, code.id(), text, false)
            );
        }
    }
}

/// `UPDATE_EXPECT=1` writes it anew.
#[test]
fn a_page_shows_its_error_as_it_is_printed() {
    for code in Code::ALL {
        let (info, text) = blocks(*code, WRONG)[0];
        let shown = render(&errors(info, text), "script.ewq", text, false);
        let (_, written) = blocks(*code, "text")[0];
        if written == shown {
            continue;
        }
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            let file =
                PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/errors/{code}.md"));
            let page = code.page().text().replacen(
                &format!("```text\n{written}```"),
                &format!("```text\n{shown}```"),
                1,
            );
            fs::write(file, page).unwrap();
        } else {
            assert_eq!(written, shown, "{code}");
        }
    }
}
