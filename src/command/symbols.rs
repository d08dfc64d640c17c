//! `ewapa symbols`: what can be probed in a binary.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ewapa_symbols::{Catalogue, Cost, Image, Inspection, Role};
use tabled::builder::Builder;
use tabled::settings::{Padding, Style};

use crate::failure::{Failure, Kind};
use crate::output::cells::escape;

/// The arguments of the subcommand.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The binary or library of a runtime
    binary: PathBuf,
}

/// Prints each WASI function with its probe site, or why it has none.
///
/// # Errors
/// The file cannot be read, or is no runtime that can be probed.
pub fn run(args: &Args) -> Result<ExitCode, Failure> {
    let image = inspect(&args.binary)?;
    print(Catalogue::bundled().names()[image.runtime], &image);
    Ok(ExitCode::SUCCESS)
}

/// The runtime in a binary.
///
/// # Errors
/// The file cannot be read, or is no runtime that can be probed.
pub fn inspect(binary: &Path) -> Result<Image, Failure> {
    let name = binary.display();
    let catalogue = Catalogue::bundled();
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
            Err(Failure::new(Kind::Stripped, format!("{name}: {stripped}")))
        }
        Ok(Inspection::Runtime(image)) => Ok(image),
    }
}

fn print(runtime: &str, image: &Image) {
    let version = image.version.as_deref().unwrap_or("of unknown version");
    let verified = image.verified.as_deref().map_or_else(
        || "not verified".to_owned(),
        |versions| format!("verified with {versions}"),
    );
    println!("{runtime} {version}: {} ({verified})", image.variant);

    let envelopes = image
        .sites
        .iter()
        .filter(|site| site.role == Role::Envelope)
        .count();
    if envelopes > 0 {
        println!(
            "{envelopes} envelopes have arguments and results; the sites below tell which function is called"
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
        let Some(function) = site.function else {
            continue;
        };
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
        println!("{}", line.trim_end());
    }
    if !image.missing.is_empty() {
        println!("\n{} functions cannot be probed:", image.missing.len());
        for missing in &image.missing {
            println!("{}: {}", missing.function, missing.reason);
        }
    }
}

fn cost(cost: Cost) -> &'static str {
    match cost {
        Cost::Emulated => "emulated",
        Cost::SingleStepped => "single-stepped",
    }
}
