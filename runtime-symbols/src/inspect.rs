//! From a file to probe sites.

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use ewapa_lang::wasi::{Function, FunctionSet};

use crate::abi::{Args, Memory};
use crate::catalogue::{Catalogue, Variant};
use crate::demangle::{demangle, shorten};
use crate::elf::{ElfFile, FileOffset, Refusal, SymbolTable};
use crate::handover::{Field, Handover, follow};
use crate::origin::Origin;
use crate::prologue::{self, Cost};
use crate::resolve::{Resolution, Resolved, resolve};
use crate::route::routes;
use crate::schema::{Absent, Role};
use crate::separate::{Search, SymbolSource, Tried, search};
use crate::{
    Error, Goroutines, Image, Inner, Inspection, Missing, Reason, Refused, Site, Stripped, go, map,
};

/// Reads a file.
pub(crate) fn inspect(catalogue: &Catalogue, origin: &Origin) -> Result<Inspection, Error> {
    let path = &origin.open;
    match map::open(path)? {
        // Of a large binary's strings only few are looked at again.
        Some(map) => {
            map::nothing_else(&map);
            read(catalogue, origin, &map, &|part| map::release(&map, part))
                .map_err(|refusal| explain(refusal, path, &map))
        }
        None => Err(Error::NotElf { path: path.clone() }),
    }
}

/// Reads the bytes of a file.
pub(crate) fn inspect_bytes(
    catalogue: &Catalogue,
    path: &Path,
    bytes: &[u8],
) -> Result<Inspection, Error> {
    let origin = Origin {
        open: path.to_owned(),
        name: path.to_owned(),
        root: "/".into(),
    };
    read(catalogue, &origin, bytes, &|_| {}).map_err(|refusal| explain(refusal, path, bytes))
}

fn read(
    catalogue: &Catalogue,
    origin: &Origin,
    bytes: &[u8],
    passed: &dyn Fn(&[u8]),
) -> Result<Inspection, Refusal> {
    let file = ElfFile::parse(bytes)?;
    let versions: Vec<OnceCell<Option<String>>> =
        catalogue.runtimes.iter().map(|_| OnceCell::new()).collect();
    let version = |runtime: usize| {
        versions[runtime]
            .get_or_init(|| catalogue.runtimes[runtime].version_of(&file))
            .clone()
    };
    let found = |resolved: Resolved<'_>, tables: &[SymbolTable<'_>], symbols, tried| {
        let runtime = resolved.runtime;
        let function = go_function(&file, &resolved);
        let version = version(runtime);
        // The names that matter were copied.
        for table in tables {
            table.parts().into_iter().for_each(passed);
        }
        let mut image = image(catalogue, &file, resolved, version, tables, symbols, tried);
        if let Some(function) = function
            && let Err(why) = in_go(&mut image, &file, &tables[0])
        {
            return Ok(Inspection::Refused(Refused {
                runtime,
                name: catalogue.runtimes[runtime].name.clone(),
                function,
                why,
            }));
        }
        Ok(Inspection::Runtime(image))
    };

    let dynsym = file.dynsym()?;
    if let Some(symtab) = file.symtab()? {
        // What is exported is in .symtab too, so .dynsym matters only where that tells nothing.
        for table in [Some(symtab), dynsym].into_iter().flatten() {
            let candidates = catalogue.needles.candidates(&table, passed);
            if let Some(resolved) = resolve(catalogue, &candidates, version) {
                return found(resolved, &[table], SymbolSource::Binary, Vec::new());
            }
        }
        return Ok(Inspection::NotARuntime);
    }

    if let Some(functions) = go::functions::Functions::of(&file) {
        let table = functions.table();
        let candidates = catalogue.needles.candidates(&table, passed);
        if let Some(resolved) = resolve(catalogue, &candidates, version) {
            return found(resolved, &[table], SymbolSource::GoFunctions, Vec::new());
        }
    }
    let exported = dynsym
        .map(|table| catalogue.needles.candidates(&table, passed))
        .unwrap_or_default();
    let guess = catalogue.signs.guess(&origin.name, &file, passed);
    // Other files' symbols would be searched for nothing.
    if guess.is_none() && exported.is_empty() {
        return Ok(Inspection::NotARuntime);
    }
    let Search {
        found: separate,
        tried,
    } = search(&file, origin);
    if let Some(separate) = separate
        && let Some(symtab) = ElfFile::parse(separate.bytes())?.symtab()?
    {
        let mut candidates = catalogue
            .needles
            .candidates(&symtab, &|part| separate.passed(part));
        // Mini debug information leaves out what is exported.
        candidates.extend(exported.iter().copied());
        if let Some(resolved) = resolve(catalogue, &candidates, version) {
            let tables: Vec<SymbolTable<'_>> =
                [Some(symtab), dynsym].into_iter().flatten().collect();
            return found(resolved, &tables, separate.source.clone(), tried);
        }
    } else if let (Some(dynsym), Some(resolved)) = (dynsym, resolve(catalogue, &exported, version))
    {
        return found(resolved, &[dynsym], SymbolSource::Exported, tried);
    }
    match guess {
        Some((runtime, sign)) => Ok(Inspection::Stripped(Stripped {
            runtime,
            name: catalogue.runtimes[runtime].name.clone(),
            version: version(runtime),
            sign,
            tried,
        })),
        None => Ok(Inspection::NotARuntime),
    }
}

/// A function whose return is to be seen and that is Go's: its name has a package before a point. C and Rust code in
/// a Go program runs on stacks that Go leaves alone.
fn go_function(file: &ElfFile, resolved: &Resolved<'_>) -> Option<String> {
    let is_go = go::is_go(file);
    let mut functions = resolved.found.functions.iter().filter(|_| is_go);
    let function = functions.find(|function| {
        matches!(function.role, Role::Call | Role::Envelope)
            && function.name.contains('.')
            && !function.name.contains("::")
    })?;
    Some(function.name.clone())
}

/// Puts the probes of Go functions to where their calls begin for good, and finds what tells goroutines apart.
fn in_go(image: &mut Image, file: &ElfFile<'_>, table: &SymbolTable<'_>) -> Result<(), go::Unfit> {
    for site in &mut image.sites {
        let code = file.code(site.address, prologue::LONGEST_FUNCTION);
        let chosen = prologue::at(code, site.address, go::entry(code)?);
        site.probe = FileOffset(site.offset.0 + chosen.into);
        site.cost = chosen.cost;
        site.first = chosen.first;
        site.at = chosen.at;
        site.inner = None;
    }
    image.goroutines = Some(Goroutines {
        ends: go::ends(file, table)?,
        current: go::current(file, table),
    });
    Ok(())
}

fn image(
    catalogue: &Catalogue,
    file: &ElfFile,
    resolved: Resolved<'_>,
    version: Option<String>,
    tables: &[SymbolTable<'_>],
    symbols: SymbolSource,
    tried: Vec<Tried>,
) -> Image {
    // They are all over the file: one after the other, each would be waited for.
    for resolution in &resolved.found.functions {
        let symbol = resolution.symbol;
        let length = symbol.size.min(prologue::LONGEST_FUNCTION);
        map::will_need(file.code(symbol.address, length));
    }
    let mut without_code = FunctionSet::EMPTY;
    let mut sites = Vec::with_capacity(resolved.found.functions.len());
    for resolution in &resolved.found.functions {
        match site(file, resolution) {
            Some(site) => sites.push(site),
            None => resolution
                .function
                .into_iter()
                .for_each(|function| without_code.insert(function)),
        }
    }
    add_inner(catalogue, file, resolved.variant, &mut sites);
    let abi = resolved.variant.abi_of(version.as_deref());
    for site in &mut sites {
        if site.abi == resolved.variant.abi {
            site.abi = abi;
        }
    }
    drop_shared_inner(&mut sites);
    let routes = (resolved.variant.route.is_some())
        .then(|| routes(file, &resolved.found))
        .flatten();
    if let Some(routes) = &routes {
        sites.retain_mut(|site| {
            if site.role == Role::Envelope {
                site.function = routes.get(&site.address).copied();
            }
            site.role != Role::Envelope || site.function.is_some()
        });
    }
    let others = other_functions(&sites, tables);
    // The calls of one copy cannot be told apart from another function's: with the rest alone the counts
    // would be too low.
    sites.retain(|site| {
        site.function.is_none_or(|function| {
            let is_shared = |(shared, _): &(Function, Function)| *shared == function;
            !resolved.found.shared.iter().any(is_shared) && !others.contains_key(&function)
        })
    });
    let found: FunctionSet = sites.iter().filter_map(|site| site.function).collect();
    let reason = |function| {
        if let Some((_, other)) = resolved
            .found
            .shared
            .iter()
            .find(|(shared, _)| *shared == function)
        {
            Reason::Shared(*other)
        } else if let Some(other) = others.get(&function) {
            Reason::SharedWith(other.clone())
        } else if without_code.contains(function) {
            Reason::NoCode
        } else if symbols == SymbolSource::Exported {
            Reason::Stripped
        } else {
            match resolved.variant.absent {
                Absent::NotImplemented => Reason::NotImplemented,
                Absent::Stub => Reason::Stub,
                Absent::Inlined => Reason::NoSymbol,
            }
        }
    };
    let missing = Function::all()
        .filter(|function| !found.contains(*function))
        .map(|function| Missing {
            function,
            reason: reason(function),
        })
        .collect();
    Image {
        runtime: resolved.runtime,
        variant: resolved.variant.name.clone(),
        verified: resolved.variant.verified.clone(),
        version,
        sites,
        routed: routes.is_some(),
        missing,
        symbols,
        tried,
        goroutines: None,
    }
}

/// Functions whose code is also that of a function with quite another name, which the linker folded with
/// it: a hit does not tell which of both was called. Inside an envelope the other one is not expected.
fn other_functions(sites: &[Site], tables: &[SymbolTable<'_>]) -> BTreeMap<Function, String> {
    let calls: HashMap<u64, Function> = sites
        .iter()
        .filter(|site| site.role == Role::Call)
        .filter_map(|site| Some((site.address, site.function?)))
        .collect();
    let mut others = BTreeMap::new();
    if calls.is_empty() {
        return others;
    }
    for table in tables {
        for symbol in table.functions() {
            let Some(function) = calls.get(&symbol.address) else {
                continue;
            };
            let Some(name) = table.name(&symbol) else {
                continue;
            };
            // `__wasi_fd_write` and the like are other names of the same function.
            if !name.contains(function.name()) && !is_alias(name, *function, sites) {
                let name = demangle(name).unwrap_or_else(|| name.to_owned());
                others.entry(*function).or_insert_with(|| shorten(&name));
            }
        }
    }
    others
}

/// Whether a name that lacks the function's own is still one that the catalogue took for it.
fn is_alias(name: &str, function: Function, sites: &[Site]) -> bool {
    let shown = demangle(name).map(|name| shorten(&name));
    sites
        .iter()
        .any(|site| site.function == Some(function) && Some(&site.symbol) == shown.as_ref())
}

fn site(file: &ElfFile, resolution: &Resolution) -> Option<Site> {
    let symbol = resolution.symbol;
    let offset = file.file_offset(symbol.address)?;
    // Without a length, what follows may be another function; the first instructions are still shown.
    let whole = (1..=prologue::LONGEST_FUNCTION).contains(&symbol.size);
    let length = if whole {
        symbol.size
    } else {
        prologue::LONGEST_FUNCTION
    };
    let code = file.code(symbol.address, length);
    let chosen = prologue::choose(code, symbol.address, whole && code.len() as u64 == length);
    Some(Site {
        role: resolution.role,
        function: resolution.function,
        symbol: shorten(&resolution.name),
        address: symbol.address,
        offset,
        length: whole.then_some(length),
        probe: FileOffset(offset.0 + chosen.into),
        first: chosen.first,
        at: chosen.at,
        cost: chosen.cost,
        abi: resolution.abi,
        inner: None,
    })
}

/// Finds what the functions that would be single-stepped hand their calls to.
fn add_inner(catalogue: &Catalogue, file: &ElfFile, variant: &Variant, sites: &mut [Site]) {
    let Some(abi) = variant.inner else {
        return;
    };
    let (Args::Array { base: outer, .. }, Args::Captured { base, offset, .. }) = (
        catalogue.abis()[variant.abi].args,
        catalogue.abis()[abi].args,
    ) else {
        return;
    };
    let targets: Vec<(usize, u64)> = sites
        .iter()
        .enumerate()
        .filter(|(_, site)| {
            matches!(site.role, Role::Call | Role::Envelope) && site.cost == Cost::SingleStepped
        })
        .filter_map(|(index, site)| {
            let length = site.length.unwrap_or(prologue::LONGEST_FUNCTION);
            let handover = follow(file.code(site.address, length), site.address, outer)?;
            let agrees = (handover.holder, handover.slot) == (base, offset)
                && leads_to_memory(catalogue, &handover, variant.abi, abi);
            agrees.then_some((index, handover.target))
        })
        .collect();
    let first_bytes = |target| file.code(target, 16);
    for (_, target) in &targets {
        map::will_need(first_bytes(*target));
    }
    for (index, target) in targets {
        let chosen = prologue::choose(first_bytes(target), target, false);
        sites[index].inner = file
            .file_offset(target)
            .filter(|_| chosen.cost == Cost::Emulated)
            .map(|probe| Inner {
                address: target,
                probe,
                at: chosen.at,
                abi,
            });
    }
}

/// A function that several calls are handed to does not tell which it was, as the calls' own symbols do.
fn drop_shared_inner(sites: &mut [Site]) {
    let calls = sites.iter().filter(|site| site.role == Role::Call);
    let mut inner: Vec<u64> = calls
        .filter_map(|site| Some(site.inner.as_ref()?.address))
        .collect();
    inner.sort_unstable();
    let shared = |address| inner.iter().filter(|other| **other == address).count() > 1;
    for site in sites.iter_mut().filter(|site| site.role == Role::Call) {
        site.inner = site.inner.take().filter(|inner| !shared(inner.address));
    }
}

/// Whether guest memory can be found where the call is handed to as the catalogue says, by what the trampoline reads from
/// the structure that leads there.
fn leads_to_memory(catalogue: &Catalogue, handover: &Handover, outer: usize, inner: usize) -> bool {
    let abis = catalogue.abis();
    match (abis[outer].memory, abis[inner].memory) {
        (Memory::Indirect { base, .. }, Memory::Context { id, slot, .. }) => {
            let field = Field {
                of: base,
                offset: id.into(),
                slot,
            };
            handover.field == Some(field)
        }
        (_, Memory::Context { .. }) => false,
        _ => true,
    }
}

/// Says of a file why it is refused.
pub(crate) fn explain(refusal: Refusal, path: &Path, bytes: &[u8]) -> Error {
    let path = path.to_owned();
    match refusal {
        Refusal::NotElf => match script_interpreter(bytes) {
            Some(interpreter) => Error::Script { path, interpreter },
            None => Error::NotElf { path },
        },
        Refusal::Machine(found) => Error::Machine { path, found },
        Refusal::Malformed(what) => Error::Malformed { path, what },
    }
}

/// What stands behind `#!`. The kernel reads 256 bytes at most (`BINPRM_BUF_SIZE`).
fn script_interpreter(bytes: &[u8]) -> Option<String> {
    let line = bytes.strip_prefix(b"#!")?;
    let line = &line[..line.len().min(254)];
    let end = memchr::memchr(b'\n', line).unwrap_or(line.len());
    Some(String::from_utf8_lossy(&line[..end]).trim().to_owned())
}
