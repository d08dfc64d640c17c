//! The runtimes that are installed, and their symbols as bpftrace wants them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ewapa_symbols::{Catalogue, Cost, Inspection, Role};

use crate::Result;

/// The functions of preview 1.
pub const FUNCTIONS: usize = 46;

/// A runtime.
#[derive(Debug)]
pub struct Runtime {
    /// Its name in the table.
    pub name: &'static str,
    /// Its executable, without symbolic links.
    pub path: PathBuf,
    /// Its arguments before the module.
    pub arguments: &'static [&'static str],
    /// Its WASI functions with their symbols as they are in the file; none if nm cannot be run.
    pub symbols: BTreeMap<String, String>,
    /// Whether it has all functions of preview 1.
    pub whole: bool,
    /// Where in the file fd_write is probed.
    pub fd_write: Option<u64>,
    /// The same of environ_sizes_get, if the kernel single-steps the instruction there.
    pub stepped: Option<u64>,
}

/// The function that a symbol is, and whether it is the body of an async function.
type Symbol = fn(&str) -> Option<(&str, bool)>;

/// The runtimes to look for: name, arguments before the module, whether it has all functions, symbols.
const KNOWN: [(&str, &[&str], bool, Symbol); 2] = [
    ("wasmtime", &["run"], true, wasmtime_function),
    ("wasm3", &[], false, wasm3_function),
];

/// Copies of the runtimes that are there, in a folder. The others are noted.
///
/// A probe belongs to a file: those of anyone else who traces the installed one would cost time here, and
/// bpftrace would count the calls of everyone who runs it.
///
/// # Errors
/// A copy cannot be made.
pub fn copies(folder: &Path, notes: &mut Vec<String>) -> Result<Vec<Runtime>> {
    let mut runtimes = Vec::new();
    for (name, arguments, whole, symbol) in KNOWN {
        let Some(installed) = cache().and_then(|cache| find(&cache, name)) else {
            notes.push(format!(
                "{name}, which is not installed: tests/runtimes/install.sh {name}"
            ));
            continue;
        };
        let path = folder.canonicalize()?.join(name);
        std::fs::copy(&installed, &path)
            .map_err(|error| format!("cannot copy {}: {error}", installed.display()))?;
        let symbols = nm(&path, symbol).unwrap_or_else(|error| {
            notes.push(format!("bpftrace on {name}: nm: {error}"));
            BTreeMap::new()
        });
        let fd_write = offset(&path, "fd_write", None);
        let stepped = offset(&path, "environ_sizes_get", Some(Cost::SingleStepped));
        runtimes.push(Runtime {
            name,
            path,
            arguments,
            symbols,
            whole,
            fd_write,
            stepped,
        });
    }
    Ok(runtimes)
}

/// The cache of tests/runtimes/install.sh.
fn cache() -> Option<PathBuf> {
    std::env::var_os("EWAPA_RUNTIMES")
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cache/ewapa/runtimes")))
}

fn find(cache: &Path, name: &str) -> Option<PathBuf> {
    let prefix = format!("{name}-");
    let mut found: Vec<PathBuf> = std::fs::read_dir(cache)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.file_name()
                .is_some_and(|file| file.to_string_lossy().starts_with(&prefix))
        })
        .map(|path| path.join("bin").join(name))
        .filter(|path| path.is_file())
        .collect();
    found.sort_unstable();
    found.pop()
}

/// The site that ewapa would probe, or for a runtime with envelopes the one inside.
fn offset(path: &Path, function: &str, cost: Option<Cost>) -> Option<u64> {
    let Ok(Inspection::Runtime(image)) = Catalogue::bundled().inspect(path) else {
        return None;
    };
    let site = image.sites.iter().find(|site| {
        site.role != Role::Envelope
            && site.function.is_some_and(|known| known.name() == function)
            && cost.is_none_or(|cost| site.cost == cost)
    })?;
    Some(site.probe.0)
}

fn nm(path: &Path, function: Symbol) -> Result<BTreeMap<String, String>> {
    let mut child = Command::new("nm")
        .arg("--defined-only")
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().ok_or("it has no output")?;
    let mut symbols: BTreeMap<String, (bool, String)> = BTreeMap::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        let mut words = line.split(' ').skip(1);
        let (Some("t" | "T"), Some(symbol)) = (words.next(), words.next()) else {
            continue;
        };
        if let Some((name, body)) = function(symbol)
            // The plain function of an async one makes the future: its body is what runs.
            && symbols.get(name).is_none_or(|(known, _)| body && !known)
        {
            symbols.insert(name.to_owned(), (body, symbol.to_owned()));
        }
    }
    let status = child.wait()?;
    if !status.success() {
        return Err(format!("it ended with {status}").into());
    }
    Ok(symbols
        .into_iter()
        .map(|(name, (_, symbol))| (name, symbol))
        .collect())
}

/// `<WasiP1Ctx as WasiSnapshotPreview1>::NAME`, with or without `::{{closure}}`, in legacy mangling:
/// each part has its length before it, and a hash of 16 digits ends it.
fn wasmtime_function(symbol: &str) -> Option<(&str, bool)> {
    let (context, rest) = symbol.split_once("..WasiSnapshotPreview1$GT$")?;
    let digits = rest.find(|char: char| !char.is_ascii_digit())?;
    let (length, rest) = rest.split_at(digits);
    let (name, rest) = rest.split_at_checked(length.parse().ok()?)?;
    let tail = rest.strip_prefix("28_$u7b$$u7b$closure$u7d$$u7d$");
    let hash = tail.unwrap_or(rest).strip_prefix("17h")?;
    let whole =
        context.contains("WasiP1Ctx$u20$as$u20$") && hash.len() == "0123456789abcdefE".len();
    whole.then_some((name, tail.is_some()))
}

fn wasm3_function(symbol: &str) -> Option<(&str, bool)> {
    Some((symbol.strip_prefix("m3_wasi_unstable_")?, false))
}
