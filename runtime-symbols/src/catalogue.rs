//! What is known about the runtimes: the catalogue files, checked and ready to be matched.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{LazyLock, OnceLock};

use ewapa_lang::wasi::Function;
use regex::bytes::{Regex, RegexBuilder};

use crate::abi::Abi;
use crate::needles::{Needle, Needles};
use crate::origin::Origin;
use crate::schema::{Absent, MajorTable, Role, RuleTable, RuntimeFile, VariantTable};
use crate::stripped::Signs;
use crate::{CatalogueError, Error, Inspection, inspect};

/// The bundled files, in the order in which a binary is tried and names are listed.
const FILES: &[(&str, &str)] = &[
    ("wasmtime.toml", include_str!("../catalogue/wasmtime.toml")),
    ("wasmer.toml", include_str!("../catalogue/wasmer.toml")),
    ("wasmi.toml", include_str!("../catalogue/wasmi.toml")),
    ("wamr.toml", include_str!("../catalogue/wamr.toml")),
    ("wasm3.toml", include_str!("../catalogue/wasm3.toml")),
    ("node.toml", include_str!("../catalogue/node.toml")),
];

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
    pub rules: Vec<Rule>,
}

/// Which symbols have a role.
pub(crate) struct Rule {
    pub role: Role,
    pub needles: Vec<Needle>,
    pub pattern: Pattern,
    pub exclude: Option<Pattern>,
    pub functions: BTreeMap<String, Function>,
}

/// A regular expression that is compiled when it is first needed: a binary needs those of one runtime.
pub(crate) struct Pattern {
    text: String,
    compiled: OnceLock<Regex>,
}

impl Catalogue {
    /// The catalogue of this crate.
    pub fn bundled() -> &'static Catalogue {
        static BUNDLED: LazyLock<Catalogue> = LazyLock::new(|| {
            Catalogue::read(FILES)
                .unwrap_or_else(|err| unreachable!("the bundled catalogue is tested: {err}"))
        });
        &BUNDLED
    }

    /// A catalogue of `(file name, text)` pairs, checked to the last pattern.
    pub fn parse(files: &[(&str, &str)]) -> Result<Catalogue, CatalogueError> {
        let catalogue = Catalogue::read(files)?;
        for ((file, _), runtime) in files.iter().zip(&catalogue.runtimes) {
            runtime.check(file)?;
        }
        Ok(catalogue)
    }

    /// The runtimes' names, by their index.
    pub fn names(&self) -> Vec<&str> {
        self.runtimes
            .iter()
            .map(|runtime| runtime.name.as_str())
            .collect()
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

    fn read(files: &[(&str, &str)]) -> Result<Catalogue, CatalogueError> {
        let mut abis = Vec::new();
        let mut runtimes = Vec::new();
        let mut signs = Vec::new();
        for (file, text) in files {
            let table: RuntimeFile = toml::from_str(text).map_err(|err| CatalogueError::Toml {
                file: file.to_string(),
                source: Box::new(err),
            })?;
            signs.push(table.stripped);
            let variants = table
                .variant
                .into_iter()
                .map(|variant| Variant::new(file, variant, &mut abis));
            runtimes.push(Runtime {
                name: table.name,
                version: table.version.map(|version| Pattern::new(version.pattern)),
                variants: variants.collect::<Result<_, _>>()?,
            });
        }
        let rules = runtimes
            .iter()
            .flat_map(|runtime| &runtime.variants)
            .flat_map(|variant| &variant.rules);
        let needles = Needles::new(rules.flat_map(|rule| &rule.needles))?;
        Ok(Catalogue {
            needles,
            signs: Signs::new(signs)?,
            runtimes,
            abis,
        })
    }
}

impl Runtime {
    fn check(&self, file: &str) -> Result<(), CatalogueError> {
        if let Some(version) = &self.version {
            version.check(file)?;
            if version.regex().captures_len() != 2 {
                return Err(content(
                    file,
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
        file: &str,
        table: VariantTable,
        abis: &mut Vec<Abi>,
    ) -> Result<Variant, CatalogueError> {
        let place = format!("variant `{}`", table.name);
        let has = |role| table.rule.iter().any(|rule| rule.role == role);
        if !(has(Role::Call) || has(Role::Envelope) && has(Role::Name)) {
            let what =
                "it needs a rule with the role `call`, or one with `envelope` and one with `name`";
            return Err(content(file, &place, what));
        }
        let mut index_of = |wanted: Abi| {
            abis.iter()
                .position(|abi| *abi == wanted)
                .unwrap_or_else(|| {
                    abis.push(wanted);
                    abis.len() - 1
                })
        };
        let abi = index_of(table.abi);
        let inner = table.inner.map(index_of);
        let rules = table
            .rule
            .into_iter()
            .map(|rule| Rule::new(file, &place, rule));
        Ok(Variant {
            name: table.name,
            verified: table.verified,
            major: table.major,
            absent: table.absent,
            abi,
            inner,
            rules: rules.collect::<Result<_, _>>()?,
        })
    }

    /// Whether it may be this version.
    pub fn covers(&self, version: Option<&str>) -> bool {
        let Some(range) = self.major else { return true };
        let major = version.and_then(|version| version.split('.').next()?.parse::<u64>().ok());
        major.is_some_and(|major| (range.min..=range.max).contains(&major))
    }
}

impl Rule {
    fn new(file: &str, place: &str, table: RuleTable) -> Result<Rule, CatalogueError> {
        let starts = table.starts.into_iter().map(Needle::Start);
        let needles: Vec<Needle> = starts
            .chain(table.contains.iter().map(|text| Needle::within(text)))
            .collect();
        // Below four bytes every other name would be a candidate.
        if needles.is_empty() || needles.iter().any(|needle| needle.text().len() < 4) {
            let what = "`starts` or `contains` must give texts of four characters or more";
            return Err(content(file, place, what));
        }
        let functions =
            table
                .functions
                .into_iter()
                .map(|(key, name)| match Function::named(&name) {
                    Some(function) => Ok((key, function)),
                    None => Err(content(
                        file,
                        place,
                        &format!("`{name}` is not a WASI function"),
                    )),
                });
        Ok(Rule {
            role: table.role,
            needles,
            pattern: Pattern::new(table.pattern),
            exclude: table.exclude.map(Pattern::new),
            functions: functions.collect::<Result<_, _>>()?,
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
            return Err(content(file, &place, what));
        }
        Ok(())
    }
}

impl Pattern {
    fn new(text: String) -> Pattern {
        Pattern {
            text,
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

fn content(file: &str, place: &str, what: &str) -> CatalogueError {
    CatalogueError::Content {
        file: file.to_owned(),
        place: place.to_owned(),
        what: what.to_owned(),
    }
}

#[cfg(test)]
mod tests;
