//! `ewapa symbols`: what can be probed in a binary.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ewapa_lang::wasi::FunctionSet;
use ewapa_symbols::abi::Memory;
use ewapa_symbols::{Catalogue, Cost, Image, Inspection, Missing, Role, Site, SymbolSource};
use tabled::builder::Builder;
use tabled::settings::{Padding, Style};

use crate::catalogue;
use crate::failure::{Failure, Kind};
use crate::output::cells::escape;
use crate::output::words;
use crate::stdout;

/// The arguments of the subcommand.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The binary or library of a runtime
    binary: PathBuf,
    /// Also say where the symbols come from, and where else they were looked for
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    catalogue: catalogue::Folders,
}

/// Prints each WASI function with its probe site, or why it has none.
///
/// # Errors
/// The file cannot be read, or is no runtime that can be probed.
pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    args.catalogue.load()?;
    let image = inspect_and(&args.binary, args.explain)?;
    let mut text = describe(&image, FunctionSet::all());
    if args.explain {
        explain(&mut text, &image);
    }
    stdout::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The runtime in a binary.
///
/// # Errors
/// The file cannot be read, or is no runtime that can be probed.
pub fn inspect(binary: &Path) -> Result<Image, Failure> {
    inspect_and(binary, false)
}

fn inspect_and(binary: &Path, explain: bool) -> Result<Image, Failure> {
    let name = binary.display();
    let catalogue = Catalogue::in_use();
    match catalogue.inspect(binary) {
        Err(error) => Err(Failure::new(Kind::NoInput, error.to_string())),
        Ok(Inspection::NotARuntime) => {
            let known = catalogue.names().join(", ");
            Err(Failure::new(
                Kind::NoRuntime,
                format!("{name} holds no WebAssembly runtime that ewapa knows: {known}"),
            ))
        }
        Ok(Inspection::Stripped(stripped)) => {
            let mut text = format!("{name}: {stripped}");
            if explain {
                text.push_str("\nits symbols were looked for here:");
                for tried in &stripped.tried {
                    let _ = write!(text, "\n  {}", escape(&tried.to_string()));
                }
                if stripped.tried.is_empty() {
                    text.push_str(
                        " nowhere, as it has no build-id, no .gnu_debuglink and no .gnu_debugdata",
                    );
                }
            }
            Err(Failure::new(Kind::Stripped, text))
        }
        Ok(Inspection::Refused(refused)) => {
            Err(Failure::new(Kind::Stripped, format!("{name}: {refused}")))
        }
        Ok(Inspection::Runtime(image)) => Ok(image),
    }
}

/// Where the symbols come from.
fn explain(text: &mut String, image: &Image) {
    let _ = writeln!(text, "\nsymbols: {}", escape(&image.symbols.to_string()));
    for tried in &image.tried {
        let _ = writeln!(text, "  {}", escape(&tried.to_string()));
    }
    let _ = writeln!(
        text,
        "code: of the binary itself; a probe goes to the file offset of its instruction there"
    );
}

/// Where these functions are in a runtime's binary, and why some cannot be probed.
pub fn describe(image: &Image, wanted: FunctionSet) -> String {
    let mut text = String::new();
    let runtime = Catalogue::in_use().names()[image.runtime];
    let version = image.version.as_deref().unwrap_or("of unknown version");
    let verified = image.verified.as_deref().map_or_else(
        || "not verified".to_owned(),
        |versions| format!("verified with {versions}"),
    );
    let _ = writeln!(text, "{runtime} {version}: {} ({verified})", image.variant);
    if image.symbols != SymbolSource::Binary {
        let _ = writeln!(
            text,
            "stripped; symbols: {}",
            escape(&image.symbols.to_string())
        );
    }

    let envelopes: Vec<&Site> = image
        .sites
        .iter()
        .filter(|site| site.role == Role::Envelope)
        .collect();
    if !envelopes.is_empty() {
        let told = match (image.routed, envelopes.iter().any(|site| site.needs_name())) {
            (false, _) => "the sites below tell which function is called",
            (true, false) => "each leads to one of the functions below, which need no probe",
            (true, true) => {
                "each leads to one of the functions below, which need a probe where a script reads guest memory only"
            }
        };
        let _ = writeln!(
            text,
            "{} envelopes have arguments and results; {told}",
            envelopes.len()
        );
    }
    let abis = Catalogue::in_use().abis();
    let mut calls = image
        .sites
        .iter()
        .filter(|site| matches!(site.role, Role::Call | Role::Envelope));
    if calls.all(|site| abis[site.abi].memory == Memory::Unknown) {
        let _ = writeln!(
            text,
            "where guest memory is is not known of this version: paths, the sizes of buffers and most bytes are none"
        );
    }
    let mut table = Builder::default();
    table.push_record([
        "FUNCTION",
        "SYMBOL",
        "OFFSET",
        "SITE",
        "FIRST INSTRUCTION",
        "COST",
    ]);
    for site in &image.sites {
        let Some(function) = site.function.filter(|function| wanted.contains(*function)) else {
            continue;
        };
        if site.role == Role::Envelope {
            continue;
        }
        table.push_record([
            function.name().to_owned(),
            escape(&site.symbol),
            site.offset.to_string(),
            format!("+{}", site.probe.0 - site.offset.0),
            site.first.clone(),
            cost(site.cost).to_owned(),
        ]);
    }
    let mut drawn = table.build();
    drawn.with(Style::empty()).with(Padding::new(0, 2, 0, 0));
    for line in drawn.to_string().lines() {
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let missing: Vec<&Missing> = image
        .missing
        .iter()
        .filter(|missing| wanted.contains(missing.function))
        .collect();
    if !missing.is_empty() {
        let _ = writeln!(
            text,
            "\n{} cannot be probed:",
            words::count(missing.len(), "function")
        );
        for missing in missing {
            let _ = writeln!(text, "{}: {}", missing.function, missing.reason);
        }
    }
    text
}

fn cost(cost: Cost) -> &'static str {
    match cost {
        Cost::Emulated => "emulated",
        Cost::SingleStepped => "single-stepped",
    }
}
