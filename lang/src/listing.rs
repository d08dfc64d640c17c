//! Probes outside of a script, as `ewapa list` takes them.

use crate::check::{Environment, check};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::parse::parse;
use crate::plan::{Clause, Event, Probe};

/// The calls that a probe such as `wasi:fd_*` stands for, exactly as in a script. A glob without a `:`
/// is one over WASI functions. Places in the errors mean nothing.
///
/// # Errors
/// The text is no probe, or stands for nothing.
pub fn probes(text: &str, environment: &Environment) -> Result<Vec<Probe>, Vec<Diagnostic>> {
    let kind = if text.contains(':') { "" } else { "wasi:" };
    // Whatever could end the probe is no part of one.
    let broken = text.contains(|c: char| c.is_control() || matches!(c, ';' | '/' | '"'));
    let script = (!broken)
        .then(|| parse(&format!("table t from {kind}{text} {{ calls = count() }}")))
        .and_then(Result::ok)
        .filter(|script| script.items.len() == 1);
    let Some(script) = script else {
        let shown = text.escape_debug();
        return Err(vec![Diagnostic::without_place(
            Code::BadProbe,
            format!("`{shown}` is no probe; write one such as `wasi:fd_*` or `wasi:wasmtime:*`"),
        )]);
    };
    let plan = check(&script, environment, &[])?;
    let is_call = |clause: &Clause| matches!(clause.event, Event::Wasi(_));
    if !plan.clauses.iter().all(is_call) {
        let message = format!("`{text}` is no probe on completed WASI calls, such as `wasi:fd_*`");
        return Err(vec![Diagnostic::without_place(Code::BadProbe, message)]);
    }
    Ok(plan
        .clauses
        .into_iter()
        .flat_map(|clause| clause.probes().to_vec())
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENVIRONMENT: Environment = Environment {
        runtimes: &["wasmtime", "wasmer"],
        ..Environment::EMPTY
    };

    fn names(text: &str) -> Vec<String> {
        let function = |probe: &Probe| {
            let names: Vec<_> = probe.functions.iter().map(|f| f.name()).collect();
            format!("{:?} {}", probe.runtime, names.join(" "))
        };
        let found = probes(text, &ENVIRONMENT).unwrap();
        found.iter().map(function).collect()
    }

    #[test]
    fn a_glob_stands_for_its_functions() {
        assert_eq!(names("wasi:fd_?ell"), ["None fd_tell"]);
        assert_eq!(names("fd_{read,write}"), ["None fd_read fd_write"]);
        assert_eq!(names("wasi:wasmer:fd_tell"), ["Some(1) fd_tell"]);
        assert_eq!(
            names("wasi:wasm*:fd_tell"),
            ["Some(0) fd_tell", "Some(1) fd_tell"]
        );
    }

    #[test]
    fn an_unknown_function_is_corrected() {
        let error = &probes("fd_wirte", &ENVIRONMENT).unwrap_err()[0];
        assert_eq!(error.code, Code::UnknownWasiFunction);
        assert_eq!(
            error.label.as_deref(),
            Some("did you mean `wasi:fd_write`?")
        );
    }

    #[test]
    fn what_is_no_probe_is_refused() {
        for text in [
            "",
            "wasi:",
            "wasi:* { a = 1 } table",
            "a b",
            "wasi:*;",
            "{",
            "\n",
            "syscall:read",
            "wasi:fd_read:enter",
        ] {
            let errors = probes(text, &ENVIRONMENT).unwrap_err();
            assert_eq!(errors[0].code, Code::BadProbe, "{text}");
        }
    }
}
