//! What is known about the runtimes: the catalogue files, checked and ready to be matched.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{LazyLock, OnceLock};

use ewapa_lang::wasi::Function;
use regex::bytes::{Regex, RegexBuilder};
use toml::Spanned;

use crate::abi::{Abi, Memory};
use crate::needles::{Needle, Needles};
use crate::origin::Origin;
use crate::schema::{
    Absent, MajorTable, Role, RouteTable, RuleTable, RuntimeFile, StrippedTable, VariantTable,
};
use crate::stripped::Signs;
use crate::{CatalogueError, Error, Inspection, inspect};

/// The bundled files, in the order in which a binary is tried and names are listed.
const FILES: &[(&str, &str)] = &[
    ("wasmtime.toml", include_str!("../catalogue/wasmtime.toml")),
    ("wasmer.toml", include_str!("../catalogue/wasmer.toml")),
    ("wasmi.toml", include_str!("../catalogue/wasmi.toml")),
    ("wamr.toml", include_str!("../catalogue/wamr.toml")),
    ("wasm3.toml", include_str!("../catalogue/wasm3.toml")),
    ("wabt.toml", include_str!("../catalogue/wabt.toml")),
    ("node.toml", include_str!("../catalogue/node.toml")),
    ("wasmedge.toml", include_str!("../catalogue/wasmedge.toml")),
    ("wazero.toml", include_str!("../catalogue/wazero.toml")),
];

/// Scripts know a runtime by a byte.
const MOST_RUNTIMES: usize = 128;

/// Sites know the way in which their function is called by a byte; some are for tests.
const MOST_ABIS: usize = 64;

/// Below four bytes every other name would be a candidate.
const SHORTEST_NEEDLE: usize = 4;

static IN_USE: OnceLock<Catalogue> = OnceLock::new();

/// All known runtimes.
pub struct Catalogue {
    pub(crate) runtimes: Vec<Runtime>,
    pub(crate) needles: Needles,
    pub(crate) signs: Signs,
    abis: Vec<Abi>,
}

/// One runtime.
pub(crate) struct Runtime {
    pub name: String,
    pub version: Option<Pattern>,
    pub variants: Vec<Variant>,
}

/// One generation of a runtime.
pub(crate) struct Variant {
    pub name: String,
    pub verified: Option<String>,
    pub major: Option<MajorTable>,
    pub absent: Absent,
    /// Index into [`Catalogue::abis`]: how the function is called that a trampoline hands its call to.
    pub inner: Option<usize>,
    /// Index into [`Catalogue::abis`].
    pub abi: usize,
    pub route: Option<Route>,
    /// Of which versions it tells where guest memory is, and the index of the same without that for others.
    pub memory_versions: Option<(Vec<String>, usize)>,
    pub rules: Vec<Rule>,
}

/// What is between envelopes and functions.
pub(crate) struct Route {
    pub through: Vec<Needle>,
    pub wasi: Vec<Needle>,
}

/// Which symbols have a role.
pub(crate) struct Rule {
    pub role: Role,
    pub needles: Vec<Needle>,
    pub pattern: Pattern,
    pub exclude: Option<Pattern>,
    pub functions: BTreeMap<String, Function>,
    /// Index into [`Catalogue::abis`].
    pub abi: usize,
}

/// A regular expression that is compiled when it is first needed: a binary needs those of one runtime.
pub(crate) struct Pattern {
    text: String,
    /// Where it stands in the file.
    line: usize,
    compiled: OnceLock<Regex>,
}

impl Catalogue {
    /// The catalogue of this crate.
    pub fn bundled() -> &'static Catalogue {
        static BUNDLED: LazyLock<Catalogue> = LazyLock::new(|| {
            FILES
                .iter()
                .map(|(file, text)| Entry::read(file, text))
                .collect::<Result<Vec<_>, _>>()
                .and_then(Catalogue::of)
                .unwrap_or_else(|err| unreachable!("the bundled catalogue is tested: {err}"))
        });
        &BUNDLED
    }

    /// The catalogue that this process works with: the bundled one, if [`Catalogue::use_everywhere`] gave
    /// no other.
    pub fn in_use() -> &'static Catalogue {
        IN_USE.get().unwrap_or_else(Catalogue::bundled)
    }

    /// Makes this the catalogue that the process works with. To be called before anything asked for it,
    /// and once: what was found by one catalogue means nothing to another.
    pub fn use_everywhere(catalogue: Catalogue) {
        let taken = IN_USE.set(catalogue).is_ok();
        debug_assert!(taken, "the catalogue in use is set once");
    }

    /// A catalogue of `(file name, text)` pairs, checked to the last pattern.
    pub fn parse<N: AsRef<str>>(files: &[(N, N)]) -> Result<Catalogue, CatalogueError> {
        let entries = files
            .iter()
            .map(|(file, text)| Entry::read(file.as_ref(), text.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        entries.iter().try_for_each(Entry::check)?;
        Catalogue::of(entries)
    }

    /// The bundled catalogue with these files, `(file name, text)`, before it. One that describes a bundled
    /// runtime takes its place.
    pub fn with<N: AsRef<str>>(files: &[(N, N)]) -> Result<Catalogue, CatalogueError> {
        let mut entries = FILES
            .iter()
            .map(|(file, text)| Entry::read(file, text))
            .collect::<Result<Vec<_>, _>>()?;
        let mut own: Vec<Entry> = Vec::new();
        let mut replaced: Vec<(String, String)> = Vec::new();
        for (file, text) in files {
            let (file, entry) = (file.as_ref(), Entry::read(file.as_ref(), text.as_ref())?);
            entry.check()?;
            let name = entry.runtime.name.clone();
            if let Some((_, first)) = replaced.iter().find(|(known, _)| *known == name) {
                return Err(CatalogueError::Twice {
                    name,
                    first: first.clone(),
                    second: file.to_owned(),
                });
            }
            replaced.push((name.clone(), file.to_owned()));
            match entries.iter_mut().find(|known| known.runtime.name == name) {
                Some(bundled) => *bundled = entry,
                None => own.push(entry),
            }
        }
        own.append(&mut entries);
        Catalogue::of(own)
    }

    /// The runtimes' names, by their index.
    pub fn names(&self) -> Vec<&str> {
        self.runtimes
            .iter()
            .map(|runtime| runtime.name.as_str())
            .collect()
    }

    /// Whether no version of a runtime was ever run under probes: its description was written from sources alone.
    pub fn is_unverified(&self, runtime: usize) -> bool {
        let variants = &self.runtimes[runtime].variants;
        variants.iter().all(|variant| variant.verified.is_none())
    }

    /// The ways of calling that the runtimes have, each once.
    pub fn abis(&self) -> &[Abi] {
        &self.abis
    }

    /// Tells which runtime a binary is and where its WASI functions are.
    pub fn inspect(&self, path: &Path) -> Result<Inspection, Error> {
        inspect::inspect(self, &Origin::here(path))
    }

    /// The same for a file that a process runs: its debug file is looked for in the process's own view of
    /// the file system.
    pub fn inspect_as(&self, origin: &Origin) -> Result<Inspection, Error> {
        inspect::inspect(self, origin)
    }

    /// The same for the bytes of a file. Its path serves for messages, and its name as a sign of a runtime
    /// whose symbols were removed.
    pub fn inspect_bytes(&self, path: &Path, bytes: &[u8]) -> Result<Inspection, Error> {
        inspect::inspect_bytes(self, path, bytes)
    }

    fn of(entries: Vec<Entry>) -> Result<Catalogue, CatalogueError> {
        let mut catalogue = Catalogue {
            runtimes: Vec::new(),
            needles: Needles::new(std::iter::empty())?,
            signs: Signs::new(Vec::new())?,
            abis: Vec::new(),
        };
        let mut signs = Vec::new();
        for Entry {
            mut runtime,
            stripped,
            abis,
            ..
        } in entries
        {
            let mut index_of = |wanted: usize| {
                let wanted = abis[wanted];
                let known = &mut catalogue.abis;
                known
                    .iter()
                    .position(|abi| *abi == wanted)
                    .unwrap_or_else(|| {
                        known.push(wanted);
                        known.len() - 1
                    })
            };
            for variant in &mut runtime.variants {
                variant.abi = index_of(variant.abi);
                variant.inner = variant.inner.map(&mut index_of);
                if let Some((_, elsewhere)) = &mut variant.memory_versions {
                    *elsewhere = index_of(*elsewhere);
                }
                for rule in &mut variant.rules {
                    rule.abi = index_of(rule.abi);
                }
            }
            catalogue.runtimes.push(runtime);
            signs.push(stripped);
        }
        for (what, found, most) in [
            ("runtimes", catalogue.runtimes.len(), MOST_RUNTIMES),
            ("ways of calling", catalogue.abis.len(), MOST_ABIS),
        ] {
            if found > most {
                return Err(CatalogueError::TooMany { what, found, most });
            }
        }
        let variants = || {
            let runtimes = catalogue.runtimes.iter();
            runtimes.flat_map(|runtime| &runtime.variants)
        };
        let rules = variants().flat_map(|variant| &variant.rules);
        let routes = variants().filter_map(|variant| variant.route.as_ref());
        let steps = routes.flat_map(|route| route.through.iter().chain(&route.wasi));
        catalogue.needles = Needles::new(rules.flat_map(|rule| &rule.needles).chain(steps))?;
        catalogue.signs = Signs::new(signs)?;
        Ok(catalogue)
    }
}

/// One file.
struct Entry {
    file: String,
    runtime: Runtime,
    stripped: StrippedTable,
    /// The ways of calling that its variants name by their index here.
    abis: Vec<Abi>,
}

impl Entry {
    fn read(file: &str, text: &str) -> Result<Entry, CatalogueError> {
        let table: RuntimeFile = toml::from_str(text).map_err(|err| CatalogueError::Toml {
            file: file.to_owned(),
            source: Box::new(err),
        })?;
        let source = Source { file, text };
        let name = table.name.get_ref();
        let is_name = name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.chars().all(|letter| {
                letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'
            });
        if !is_name {
            let what = format!(
                "`{name}` cannot be written in a script; use small letters, digits and `_`, with a letter first"
            );
            return Err(source.content(&table.name, "`name`", &what));
        }
        let mut abis = Vec::new();
        let variants = table
            .variant
            .into_iter()
            .map(|variant| Variant::new(&source, variant, &mut abis))
            .collect::<Result<_, _>>()?;
        let version = table
            .version
            .map(|version| Pattern::new(&source, version.pattern));
        Ok(Entry {
            file: file.to_owned(),
            runtime: Runtime {
                name: table.name.into_inner(),
                version,
                variants,
            },
            stripped: table.stripped,
            abis,
        })
    }

    fn check(&self) -> Result<(), CatalogueError> {
        self.runtime.check(&self.file)
    }
}

/// A file and its text, to say where something stands.
struct Source<'a> {
    file: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn line<T>(&self, at: &Spanned<T>) -> usize {
        let before = self.text.get(..at.span().start).unwrap_or(self.text);
        before.bytes().filter(|byte| *byte == b'\n').count() + 1
    }

    fn content<T>(&self, at: &Spanned<T>, place: &str, what: &str) -> CatalogueError {
        content(self.file, self.line(at), place, what)
    }
}

impl Runtime {
    fn check(&self, file: &str) -> Result<(), CatalogueError> {
        if let Some(version) = &self.version {
            version.check(file)?;
            if version.regex().captures_len() != 2 {
                return Err(content(
                    file,
                    version.line,
                    "[version]",
                    "`pattern` must have one group: the version",
                ));
            }
        }
        for variant in &self.variants {
            for rule in &variant.rules {
                rule.check(file, &variant.name)?;
            }
        }
        Ok(())
    }
}

impl Variant {
    fn new(
        source: &Source<'_>,
        spanned: Spanned<VariantTable>,
        abis: &mut Vec<Abi>,
    ) -> Result<Variant, CatalogueError> {
        let table = spanned.get_ref();
        let place = format!("variant `{}`", table.name);
        let has = |role| table.rule.iter().any(|rule| rule.get_ref().role == role);
        if !(has(Role::Call) || has(Role::Envelope) && has(Role::Name)) {
            let what =
                "it needs a rule with the role `call`, or one with `envelope` and one with `name`";
            return Err(source.content(&spanned, &place, what));
        }
        let table = spanned.into_inner();
        let mut index_of = |wanted: Abi| {
            abis.iter()
                .position(|abi| *abi == wanted)
                .unwrap_or_else(|| {
                    abis.push(wanted);
                    abis.len() - 1
                })
        };
        let abi = index_of(table.abi);
        let memory_versions = table.memory_versions.map(|versions| {
            let elsewhere = Abi {
                memory: Memory::Unknown,
                ..table.abi
            };
            (versions, index_of(elsewhere))
        });
        let inner = table.inner.map(&mut index_of);
        let route = table.route.map(|route| Route::new(source, &place, route));
        let rules = table.rule.into_iter().map(|rule| {
            let abi = rule.get_ref().abi.map_or(abi, &mut index_of);
            Rule::new(source, &place, rule, abi)
        });
        Ok(Variant {
            name: table.name,
            verified: table.verified,
            major: table.major,
            absent: table.absent,
            abi,
            memory_versions,
            inner,
            route: route.transpose()?,
            rules: rules.collect::<Result<_, _>>()?,
        })
    }

    /// Whether it may be this version.
    pub fn covers(&self, version: Option<&str>) -> bool {
        let Some(range) = self.major else { return true };
        let major = version.and_then(|version| version.split('.').next()?.parse::<u64>().ok());
        major.is_some_and(|major| (range.min..=range.max).contains(&major))
    }

    /// How functions of this version are called whose ABI is that of the variant.
    pub fn abi_of(&self, version: Option<&str>) -> usize {
        match &self.memory_versions {
            Some((versions, elsewhere))
                if !version
                    .is_some_and(|version| versions.iter().any(|known| known == version)) =>
            {
                *elsewhere
            }
            _ => self.abi,
        }
    }
}

impl Route {
    fn new(
        source: &Source<'_>,
        place: &str,
        spanned: Spanned<RouteTable>,
    ) -> Result<Route, CatalogueError> {
        let table = spanned.get_ref();
        if table
            .through
            .iter()
            .chain(&table.wasi)
            .any(|text| text.len() < SHORTEST_NEEDLE)
        {
            let what = "`through` and `wasi` must give texts of four characters or more";
            return Err(source.content(&spanned, place, what));
        }
        let needles = |texts: &[String]| texts.iter().map(|text| Needle::within(text)).collect();
        Ok(Route {
            through: needles(&table.through),
            wasi: needles(&table.wasi),
        })
    }
}

impl Rule {
    fn new(
        source: &Source<'_>,
        place: &str,
        spanned: Spanned<RuleTable>,
        abi: usize,
    ) -> Result<Rule, CatalogueError> {
        let table = spanned.get_ref();
        let starts = table.starts.iter().cloned().map(Needle::Start);
        let needles: Vec<Needle> = starts
            .chain(table.contains.iter().map(|text| Needle::within(text)))
            .collect();
        if needles.is_empty()
            || needles
                .iter()
                .any(|needle| needle.text().len() < SHORTEST_NEEDLE)
        {
            let what = "`starts` or `contains` must give texts of four characters or more";
            return Err(source.content(&spanned, place, what));
        }
        let table = spanned.into_inner();
        let functions =
            table
                .functions
                .into_iter()
                .map(|(key, name)| match Function::named(name.get_ref()) {
                    Some(function) => Ok((key, function)),
                    None => {
                        let what = format!("`{}` is not a WASI function", name.get_ref());
                        Err(source.content(&name, place, &what))
                    }
                });
        Ok(Rule {
            role: table.role,
            needles,
            pattern: Pattern::new(source, table.pattern),
            exclude: table.exclude.map(|text| Pattern::new(source, text)),
            functions: functions.collect::<Result<_, _>>()?,
            abi,
        })
    }

    fn check(&self, file: &str, variant: &str) -> Result<(), CatalogueError> {
        self.pattern.check(file)?;
        if let Some(exclude) = &self.exclude {
            exclude.check(file)?;
        }
        let groups = self
            .pattern
            .regex()
            .capture_names()
            .flatten()
            .filter(|name| matches!(*name, "function" | "index"));
        let wanted = usize::from(matches!(self.role, Role::Call | Role::Name));
        if groups.count() != wanted {
            let place = format!("variant `{variant}`");
            let what = "`pattern` must have the group `function` or `index`; that of an envelope or a start has none";
            return Err(content(file, self.pattern.line, &place, what));
        }
        Ok(())
    }
}

impl Pattern {
    fn new(source: &Source<'_>, text: Spanned<String>) -> Pattern {
        Pattern {
            line: source.line(&text),
            text: text.into_inner(),
            compiled: OnceLock::new(),
        }
    }

    /// The compiled expression.
    pub fn regex(&self) -> &Regex {
        self.compiled.get_or_init(|| {
            compile(&self.text)
                .unwrap_or_else(|err| unreachable!("the bundled catalogue is tested: {err}"))
        })
    }

    fn check(&self, file: &str) -> Result<(), CatalogueError> {
        let regex = compile(&self.text).map_err(|err| CatalogueError::Pattern {
            file: file.to_owned(),
            line: self.line,
            pattern: self.text.clone(),
            source: Box::new(err),
        })?;
        let _ = self.compiled.set(regex);
        Ok(())
    }
}

/// Symbol names are ASCII: without Unicode tables the expressions are small and quick to build.
fn compile(text: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(text).unicode(false).build()
}

fn content(file: &str, line: usize, place: &str, what: &str) -> CatalogueError {
    CatalogueError::Content {
        file: file.to_owned(),
        line,
        place: place.to_owned(),
        what: what.to_owned(),
    }
}

#[cfg(test)]
mod tests;
