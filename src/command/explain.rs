//! `ewapa explain`: what an error means and what to do.

use std::io::IsTerminal;
use std::process::ExitCode;

use ewapa_lang::page::Part;
use ewapa_lang::{Code, nearest};

use crate::failure::{Failure, Kind};
use crate::stdout;

/// The arguments of the subcommand.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The code of an error; without one all codes are listed
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

/// Prints the page of a code, or all codes.
///
/// # Errors
/// There is no such code.
pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    stdout::print(&match &args.code {
        None => Code::ALL
            .iter()
            .map(|code| format!("{code}  {}\n", code.meaning()))
            .collect(),
        Some(id) => show(find(id)?, std::io::stdout().is_terminal()),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The code that is printed like this; `e203` and `203` are understood, too.
fn find(id: &str) -> Result<Code, Failure> {
    let digits = id.trim_start_matches(['e', 'E']);
    if let Some(code) = Code::from_id(&format!("E{digits:0>4}")) {
        return Ok(code);
    }
    let ids = Code::ALL.iter().map(|code| code.id());
    let hint = match nearest(id, ids) {
        Some(near) => format!("did you mean {near}?"),
        None => "`ewapa explain` lists all codes".to_owned(),
    };
    let id: String = id.escape_debug().collect();
    Err(Failure::new(
        Kind::Usage,
        format!("no error has the code `{id}`; {hint}"),
    ))
}

/// The page for a terminal: code is indented, and without fences.
fn show(code: Code, bold: bool) -> String {
    let mut out = String::new();
    for part in code.page().parts() {
        match part {
            Part::Title(title) if bold => out.push_str(&format!("\x1b[1m{title}\x1b[0m\n")),
            Part::Title(line) | Part::Prose(line) => out.push_str(&format!("{line}\n")),
            Part::Code { text, .. } => {
                for line in text.lines() {
                    out.push_str(format!("    {line}").trim_end());
                    out.push('\n');
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_however_it_is_written() {
        for id in ["E0203", "e0203", "203", "E203"] {
            assert_eq!(find(id).unwrap(), Code::UnknownWasiFunction, "{id}");
        }
    }

    #[test]
    fn an_unknown_code_is_corrected() {
        let failure = find("E0209").unwrap_err();
        assert_eq!(failure.kind, Kind::Usage);
        assert_eq!(
            failure.text,
            "no error has the code `E0209`; did you mean E0201?"
        );
        assert!(find("duration").unwrap_err().text.contains("lists all"));
    }

    #[test]
    fn a_page_shows_script_and_error_indented() {
        let page = show(Code::UnknownWasiFunction, false);
        assert!(page.contains("\n    table writes from wasi:fd_wirte"));
        assert!(page.contains("\n    error[E0203]: "));
        assert!(!page.contains("```"));
    }
}
