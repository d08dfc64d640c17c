//! Prints what is found in each file that is named: `inspect FILE... [--times N]`.

use std::path::Path;
use std::time::Instant;

use ewapa_symbols::{Catalogue, Cost, Inspection};

fn main() {
    let mut files: Vec<String> = std::env::args().skip(1).collect();
    let mut times = 1;
    if let Some(at) = files.iter().position(|arg| arg == "--times") {
        times = files
            .get(at + 1)
            .and_then(|count| count.parse().ok())
            .unwrap_or(1);
        files.truncate(at);
    }
    let started = Instant::now();
    let catalogue = Catalogue::bundled();
    println!("catalogue: {:?}", started.elapsed());
    for file in &files {
        let mut took = Vec::new();
        let mut inspection = None;
        for _ in 0..times {
            let started = Instant::now();
            inspection = Some(catalogue.inspect(Path::new(file)));
            took.push(started.elapsed());
        }
        print!(
            "{file}: first {:?}",
            took.first().copied().unwrap_or_default()
        );
        took.sort();
        println!(
            ", median {:?}",
            took.get(took.len() / 2).copied().unwrap_or_default()
        );
        match inspection {
            Some(Ok(Inspection::Runtime(image))) => {
                let name = catalogue.names()[image.runtime];
                println!(
                    "  {name} {:?}, {}, verified {:?}",
                    image.version, image.variant, image.verified
                );
                for site in &image.sites {
                    let function = site.function.map_or("-", |function| function.name());
                    let slow = if site.cost == Cost::SingleStepped {
                        "single-stepped"
                    } else {
                        ""
                    };
                    println!(
                        "  {:?} {function} {:#x} {} {} | {} | {} {slow} {} {:?}",
                        site.role,
                        site.address,
                        site.offset,
                        site.probe,
                        site.first,
                        site.at,
                        site.symbol,
                        site.inner
                    );
                }
                for missing in &image.missing {
                    println!("  missing {}: {}", missing.function, missing.reason);
                }
            }
            Some(Ok(Inspection::Stripped(stripped))) => println!("  {stripped}"),
            Some(Ok(Inspection::Refused(refused))) => println!("  {refused}"),
            Some(Ok(Inspection::NotARuntime)) => println!("  not a runtime"),
            Some(Err(err)) => println!("  error: {err}"),
            None => {}
        }
    }
}
