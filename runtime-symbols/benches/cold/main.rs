//! How long it takes to find the functions of a binary, and how much memory that takes.
//!
//! ```text
//! cargo bench -p ewapa-symbols --bench cold -- BINARY…
//! cargo bench -p ewapa-symbols --bench cold -- --write-docs BINARY…    docs/resolver.json, and its table in docs/PERFORMANCE.md
//! ```
//!
//! Each measurement is a process of its own: nothing is known of the binary. *Cold* ones begin with the binary's pages
//! dropped, so that it comes from the disk; for that it is copied, as the pages of a file that is in use stay. Beside the
//! resolver stand what nobody can do without, reading as many bytes as the symbol table and its strings have, and `nm` and
//! `readelf -s` of binutils. The order rotates from round to round. Shown are the medians of fifteen rounds, with the
//! smallest and the largest, their multiples of reading the bytes, and the most memory that the process had.

mod page;

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use ewapa_symbols::{Catalogue, Inspection};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const ROUNDS: usize = 15;

/// What this program does when it starts itself, and reports of it.
const READ: &str = "--read";
const RESOLVE: &str = "--resolve";

/// What is measured: whether the binary is dropped from memory before, a program, and its options.
const PROGRAMS: [(&str, bool, Option<&str>, &str); 5] = [
    ("read the symbol tables, cold", true, None, READ),
    ("resolve, cold", true, None, RESOLVE),
    ("resolve", false, None, RESOLVE),
    ("nm, cold", true, Some("nm"), "--no-sort"),
    ("readelf -s, cold", true, Some("readelf"), "-sW"),
];

fn main() -> Result<()> {
    let arguments: Vec<OsString> = std::env::args_os()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    match arguments.as_slice() {
        [role, binary] if role == READ => read(Path::new(binary)),
        [role, binary] if role == RESOLVE => resolve(Path::new(binary)),
        [option, binaries @ ..] if option == "--write-docs" => write_docs(binaries),
        binaries => {
            print!("{}", page::table(&figures(binaries)?));
            Ok(())
        }
    }
}

fn read(binary: &Path) -> Result<()> {
    let (from, length) = tables(binary)?;
    // With something else than zeros, so that the buffer is there.
    let mut buffer = vec![1; length];
    let begun = Instant::now();
    File::open(binary)?.read_exact_at(&mut buffer, from)?;
    report(begun)
}

fn resolve(binary: &Path) -> Result<()> {
    // The catalogue is read once a run, whatever is inspected.
    let catalogue = Catalogue::bundled();
    let begun = Instant::now();
    match catalogue.inspect(binary)? {
        Inspection::Runtime(image) if !image.sites.is_empty() => report(begun),
        _ => Err("this is no runtime".into()),
    }
}

/// Nanoseconds, and KiB.
fn report(begun: Instant) -> Result<()> {
    let nanoseconds = begun.elapsed().as_nanos();
    let status = std::fs::read_to_string("/proc/self/status")?;
    let memory = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"))
        .ok_or("the kernel does not say how much memory was taken")?;
    println!("{nanoseconds} {memory}");
    Ok(())
}

/// Where `.symtab` begins, and the bytes up to the end of `.strtab`, which lies behind it.
fn tables(binary: &Path) -> Result<(u64, usize)> {
    let shown = Command::new("readelf").arg("-SW").arg(binary).output()?;
    let shown = String::from_utf8_lossy(&shown.stdout);
    // [Nr] Name Type Address Off Size
    let place = |name: &str| -> Option<(u64, u64)> {
        let words = shown.lines().find(|line| line.contains(name))?;
        let mut words = words
            .split_whitespace()
            .skip_while(|word| *word != name)
            .skip(3);
        let mut number = || u64::from_str_radix(words.next()?, 16).ok();
        Some((number()?, number()?))
    };
    let (symbols, strings) = place(".symtab").zip(place(".strtab")).ok_or("no .symtab")?;
    Ok((
        symbols.0,
        usize::try_from(strings.0 + strings.1 - symbols.0)?,
    ))
}

fn figures(binaries: &[OsString]) -> Result<Value> {
    if binaries.is_empty() {
        return Err("name the binaries of runtimes".into());
    }
    let load = || std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let before = load();
    let binaries: Vec<Value> = binaries
        .iter()
        .map(|binary| compare(Path::new(binary)))
        .collect::<Result<_>>()?;
    let first = |load: &str| load.split(' ').next().unwrap_or_default().to_owned();
    Ok(json!({
        "rounds": ROUNDS,
        "load": { "before": first(&before), "after": first(&load()) },
        "binaries": binaries,
    }))
}

fn compare(installed: &Path) -> Result<Value> {
    let name = installed.file_name().ok_or("this names no file")?;
    let binary = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::copy(installed, &binary)?;
    let measured = measure(&binary);
    let bytes = std::fs::metadata(&binary)?.len();
    std::fs::remove_file(&binary)?;
    Ok(json!({
        "name": name.to_string_lossy(),
        "bytes": bytes,
        "rows": measured?,
    }))
}

fn measure(binary: &Path) -> Result<Vec<Value>> {
    let mut took: [Vec<f64>; PROGRAMS.len()] = Default::default();
    let mut memory = [0; PROGRAMS.len()];
    for round in 0..ROUNDS {
        for step in 0..PROGRAMS.len() {
            let index = (round + step) % PROGRAMS.len();
            let (_, cold, program, option) = PROGRAMS[index];
            if cold {
                drop_pages(binary)?;
            } else {
                std::io::copy(&mut File::open(binary)?, &mut std::io::sink())?;
            }
            let own = std::env::current_exe()?;
            let mut command = Command::new(program.map_or(own, PathBuf::from));
            let begun = Instant::now();
            let output = command.arg(option).arg(binary).output()?;
            let elapsed = begun.elapsed().as_nanos();
            if !output.status.success() {
                return Err(
                    format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into(),
                );
            }
            let said = String::from_utf8_lossy(&output.stdout);
            let mut numbers = said.split_whitespace().map_while(|word| word.parse().ok());
            let nanoseconds = match program {
                None => numbers.next().ok_or("it said nothing")?,
                Some(_) => elapsed,
            };
            took[index].push(nanoseconds as f64 / 1e6);
            if program.is_none() {
                memory[index] = numbers.next().unwrap_or(0).max(memory[index]);
            }
        }
    }
    let rows = PROGRAMS.iter().zip(took).zip(memory);
    Ok(rows
        .map(|(((name, ..), samples), kib)| json!({ "what": name, "ms": samples, "kib": kib }))
        .collect())
}

/// Takes the file's pages out of memory. Nobody may have it mapped: else they stay.
fn drop_pages(binary: &Path) -> Result<()> {
    let file = File::open(binary)?;
    file.sync_all()?;
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    Ok(())
}

fn write_docs(binaries: &[OsString]) -> Result<()> {
    let figures = figures(binaries)?;
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    std::fs::write(docs.join("resolver.json"), format!("{figures:#}\n"))?;
    let text = docs.join("PERFORMANCE.md");
    let made = page::write_into(&std::fs::read_to_string(&text)?, &figures)?;
    std::fs::write(text, made)?;
    Ok(())
}
