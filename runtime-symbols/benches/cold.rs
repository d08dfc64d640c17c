//! How long it takes to find the functions of a binary that is not in memory, and how much memory that takes.
//!
//! ```text
//! cargo bench -p ewapa-symbols --bench cold -- BINARY…
//! ```
//!
//! Each measurement is a process of its own, and begins with the binary's pages dropped. Beside the resolver stand
//! what nobody can do without, reading as many bytes as the symbol table and its strings have, and `nm` and
//! `readelf -s` of binutils. Printed are medians of five rounds, their multiples of reading the bytes, and the
//! most memory that the process had.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use ewapa_symbols::{Catalogue, Inspection};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const ROUNDS: usize = 5;

/// What this program does when it starts itself, and reports of it.
const READ: &str = "--read";
const RESOLVE: &str = "--resolve";

/// What is measured: whether the binary is dropped from memory before, a program, and its options.
const PROGRAMS: [(&str, bool, Option<&str>, &str); 5] = [
    ("read the symbol tables", true, None, READ),
    ("resolve, cold", true, None, RESOLVE),
    ("resolve, warm", false, None, RESOLVE),
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
        [] => Err("name the binaries of runtimes".into()),
        binaries => binaries
            .iter()
            .try_for_each(|binary| compare(Path::new(binary))),
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

fn compare(binary: &Path) -> Result<()> {
    let mut took: [Vec<f64>; PROGRAMS.len()] = Default::default();
    let mut memory = [0; PROGRAMS.len()];
    for _ in 0..ROUNDS {
        for (index, (_, cold, program, option)) in PROGRAMS.iter().enumerate() {
            if *cold {
                drop_pages(binary)?;
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
    println!("{}", binary.display());
    println!("{:<24}{:>10}{:>12}{:>10}", "", "ms", "x reading", "MiB");
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let reading = median(&mut took[0]);
    for (index, (name, ..)) in PROGRAMS.iter().enumerate() {
        let time = median(&mut took[index]);
        print!("{name:<24}{time:>10.1}{:>12.2}", time / reading);
        match memory[index] {
            0 => println!(),
            kib => println!("{:>10.1}", kib as f64 / 1024.0),
        }
    }
    Ok(())
}

/// Takes the file's pages out of memory. Nobody may have it mapped: else they stay.
fn drop_pages(binary: &Path) -> Result<()> {
    let file = File::open(binary)?;
    file.sync_all()?;
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
    Ok(())
}
