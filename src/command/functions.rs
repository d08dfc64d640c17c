//! `ewapa list PROBE`: the WASI functions that a probe stands for.

use std::fmt::Write;
use std::path::Path;

use ewapa_lang::Diagnostic;
use ewapa_lang::plan::Probe;
use ewapa_lang::wasi::{ArgType, Function, FunctionSet};
use ewapa_symbols::{Catalogue, Image, Role};

use crate::failure::{Failure, Kind};
use crate::host;
use crate::output::cells::escape;

use super::symbols;

/// The functions as probes, one a line; verbosely with their arguments, and with a binary where they are
/// in it. Of a binary only the functions that it has are shown.
///
/// # Errors
/// The probe stands for nothing, or the binary cannot be probed.
pub fn list(probe: &str, binary: Option<&Path>, verbose: bool) -> Result<String, Failure> {
    let names = Catalogue::in_use().names();
    let environment = host::environment(&names, None);
    let probes = ewapa_lang::probes(probe, &environment).map_err(|errors| not_found(&errors))?;
    let image = binary.map(symbols::inspect).transpose()?;
    let mut text = String::new();
    for Probe { functions, runtime } in probes {
        let runtime = runtime.map(usize::from);
        let of_other = |image: &Image| runtime.is_some_and(|runtime| runtime != image.runtime);
        let found = match &image {
            Some(image) if of_other(image) => FunctionSet::EMPTY,
            Some(image) => image.functions(),
            None => FunctionSet::all(),
        };
        let prefix = match runtime {
            Some(runtime) => format!("wasi:{}:", names[runtime]),
            None => "wasi:".to_owned(),
        };
        let unverified = runtime.is_some_and(|runtime| Catalogue::in_use().is_unverified(runtime));
        let note = if unverified { "  (not verified)" } else { "" };
        for function in functions
            .iter()
            .filter(|function| found.contains(*function))
        {
            let _ = writeln!(text, "{prefix}{function}{note}");
            if verbose {
                arguments(&mut text, function);
                if let Some(image) = &image {
                    sites(&mut text, function, image);
                }
            }
        }
    }
    match binary {
        Some(binary) if text.is_empty() => Err(Failure::new(
            Kind::NoRuntime,
            format!(
                "{} has none of these functions; `ewapa symbols` says why",
                binary.display()
            ),
        )),
        _ => Ok(text),
    }
}

fn arguments(text: &mut String, function: Function) {
    for argument in function.args() {
        let _ = writeln!(text, "    {} {}", ty(argument.ty), argument.name);
    }
}

/// The types at the WebAssembly boundary, in the words of its specification.
fn ty(ty: ArgType) -> &'static str {
    match ty {
        ArgType::U32 => "u32",
        ArgType::U64 => "u64",
        ArgType::Pointer => "pointer",
        ArgType::Moved => "pointer<size>",
    }
}

fn sites(text: &mut String, function: Function, image: &Image) {
    for site in &image.sites {
        if site.function == Some(function) && site.role != Role::Envelope {
            let at = site.probe.0 - site.offset.0;
            let _ = writeln!(text, "    at {}+{at}", escape(&site.symbol));
        }
    }
}

/// The errors without their places: there is no script to point into.
fn not_found(errors: &[Diagnostic]) -> Failure {
    let line = |error: &Diagnostic| match error.label.as_ref().or(error.help.last()) {
        Some(hint) => format!("{}; {hint}", error.message),
        None => error.message.clone(),
    };
    let lines: Vec<String> = errors.iter().map(line).collect();
    Failure::new(Kind::Usage, lines.join("\newapa: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_shown_as_a_probe_with_its_arguments() {
        let text = list("wasi:wasm3:fd_tel?", None, true).unwrap();
        assert_eq!(text, "wasi:wasm3:fd_tell\n    u32 fd\n    pointer offset\n");
        assert_eq!(list("wasi:*", None, false).unwrap().lines().count(), 46);
    }

    #[test]
    fn what_was_written_from_sources_alone_is_marked() {
        let text = list("wasi:wasmedge:fd_tell", None, false).unwrap();
        assert_eq!(text, "wasi:wasmedge:fd_tell  (not verified)\n");
    }

    #[test]
    fn what_is_not_found_is_corrected_on_one_line() {
        let failure = list("wasi:fd_wirte", None, false).unwrap_err();
        assert_eq!(
            failure.text,
            "no WASI function is called `fd_wirte`; did you mean `wasi:fd_write`?"
        );
    }
}
