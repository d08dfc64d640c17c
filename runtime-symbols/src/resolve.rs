//! From candidate names to the functions of one variant of one runtime.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use ewapa_lang::wasi::{Function, FunctionSet};

use crate::catalogue::{Catalogue, Route, Rule, Variant};
use crate::demangle::demangle;
use crate::elf::Symbol;
use crate::needles::{Candidate, Needle};
use crate::route::Step;
use crate::schema::Role;

/// What a binary is, and its functions.
pub(crate) struct Resolved<'c> {
    /// Index of the runtime.
    pub runtime: usize,
    pub variant: &'c Variant,
    pub found: Found,
}

/// The functions of a variant in a binary.
#[derive(Default)]
pub(crate) struct Found {
    /// Envelopes first, then by function and address; starts last.
    pub functions: Vec<Resolution>,
    /// Functions that share their code with another one: a hit does not tell which it was.
    pub shared: Vec<(Function, Function)>,
    /// What calls may go through between an envelope and its function, if the catalogue says.
    pub steps: Vec<Step>,
}

/// One function in the binary.
pub(crate) struct Resolution {
    pub role: Role,
    /// `None` for an envelope or a start.
    pub function: Option<Function>,
    pub symbol: Symbol,
    pub name: String,
    /// Index into [`Catalogue::abis`].
    pub abi: usize,
}

/// A candidate whose name is demangled when the first rule asks for it.
struct Named<'s, 'a> {
    candidate: &'s Candidate<'a>,
    name: OnceCell<Option<String>>,
}

/// Finds the first variant in the catalogue whose rules all find something. `version` is asked for the
/// version of a runtime, if a variant is limited to some.
pub(crate) fn resolve<'c>(
    catalogue: &'c Catalogue,
    candidates: &[Candidate<'_>],
    version: impl Fn(usize) -> Option<String>,
) -> Option<Resolved<'c>> {
    let named: Vec<Named> = candidates
        .iter()
        .map(|candidate| Named {
            candidate,
            name: OnceCell::new(),
        })
        .collect();
    for (index, runtime) in catalogue.runtimes.iter().enumerate() {
        for variant in &runtime.variants {
            // Cheap to see: without names for each role there is no use in demangling any.
            if !variant.has_needles(&named) {
                continue;
            }
            if variant.major.is_some() && !variant.covers(version(index).as_deref()) {
                continue;
            }
            if let Some(found) = variant.resolve(&named) {
                return Some(Resolved {
                    runtime: index,
                    variant,
                    found,
                });
            }
        }
    }
    None
}

impl Variant {
    fn roles(&self) -> impl Iterator<Item = Role> {
        [Role::Call, Role::Envelope, Role::Name]
            .into_iter()
            .filter(|role| self.rules_of(*role).next().is_some())
    }

    fn rules_of(&self, role: Role) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(move |rule| rule.role == role)
    }

    fn has_needles(&self, named: &[Named]) -> bool {
        self.roles().all(|role| {
            named.iter().any(|named| {
                self.rules_of(role)
                    .any(|rule| rule.may_match(named.candidate.mangled))
            })
        })
    }

    /// `None` if some role has no function.
    fn resolve(&self, named: &[Named]) -> Option<Found> {
        let mut found = Found::default();
        for role in self.roles() {
            let mut of_role = Vec::new();
            let mut taken = FunctionSet::EMPTY;
            for rule in self.rules_of(role) {
                let of_rule: Vec<Resolution> = named
                    .iter()
                    .filter_map(|named| rule.resolve(named))
                    .filter(|resolution| {
                        resolution
                            .function
                            .is_none_or(|function| !taken.contains(function))
                    })
                    .collect();
                taken = taken.union(
                    of_rule
                        .iter()
                        .filter_map(|resolution| resolution.function)
                        .collect(),
                );
                of_role.extend(of_rule);
            }
            if of_role.is_empty() {
                return None;
            }
            found.add(of_role);
        }
        // Where the guest begins is good to know, but nothing else rests on it.
        let starts = self
            .rules_of(Role::Start)
            .flat_map(|rule| named.iter().filter_map(|named| rule.resolve(named)));
        found.add(starts.collect());
        if let Some(route) = &self.route {
            let candidates = named.iter().map(|named| named.candidate);
            found.steps = candidates
                .filter_map(|candidate| route.step(candidate))
                .collect();
        }
        Some(found)
    }
}

impl Route {
    fn step(&self, candidate: &Candidate<'_>) -> Option<Step> {
        let has = |needles: &[Needle]| needles.iter().any(|needle| needle.is_in(candidate.mangled));
        let of_wasi = has(&self.wasi);
        (of_wasi || has(&self.through)).then_some(Step {
            address: candidate.symbol.address,
            size: candidate.symbol.size,
            of_wasi,
        })
    }
}

impl Rule {
    fn may_match(&self, mangled: &str) -> bool {
        self.needles.iter().any(|needle| needle.is_in(mangled))
    }

    fn resolve(&self, named: &Named) -> Option<Resolution> {
        if !self.may_match(named.candidate.mangled) {
            return None;
        }
        let name = named
            .name
            .get_or_init(|| demangle(named.candidate.mangled))
            .as_deref()?;
        let function = self.matches(name)?;
        Some(Resolution {
            role: self.role,
            function,
            symbol: named.candidate.symbol,
            name: name.to_owned(),
            abi: self.abi,
        })
    }

    /// Whether a demangled name matches and, if it tells, which function it is.
    pub fn matches(&self, name: &str) -> Option<Option<Function>> {
        let groups = self.pattern.regex().captures(name.as_bytes())?;
        if self
            .exclude
            .as_ref()
            .is_some_and(|exclude| exclude.regex().is_match(name.as_bytes()))
        {
            return None;
        }
        if matches!(self.role, Role::Envelope | Role::Start) {
            return Some(None);
        }
        let text = |group: &str| std::str::from_utf8(groups.name(group)?.as_bytes()).ok();
        let function = match (text("function"), text("index")) {
            (Some(name), _) => self
                .functions
                .get(name)
                .copied()
                .or_else(|| Function::named(name))
                .or_else(|| in_one_word(name)),
            (None, Some(index)) => index.parse().ok().and_then(Function::from_index),
            (None, None) => None,
        };
        function.map(Some)
    }
}

/// The function whose name is written as one word with capitals: `fdWrite`, `FdWrite`.
fn in_one_word(name: &str) -> Option<Function> {
    let is_one_word =
        !name.contains('_') && name.contains(|letter: char| letter.is_ascii_uppercase());
    Function::all()
        .find(|function| is_one_word && function.name().replace('_', "").eq_ignore_ascii_case(name))
}

impl Found {
    /// The functions with a role.
    pub fn of_role(&self, role: Role) -> impl Iterator<Item = &Resolution> {
        self.functions
            .iter()
            .filter(move |resolution| resolution.role == role)
    }

    /// Adds the functions of one role, each address once. Aliases of one function are one; an address that
    /// two different functions share (identical code folding) is dropped and noted.
    fn add(&mut self, of_role: Vec<Resolution>) {
        let mut by_address: BTreeMap<u64, Vec<Resolution>> = BTreeMap::new();
        for resolution in of_role {
            by_address
                .entry(resolution.symbol.address)
                .or_default()
                .push(resolution);
        }
        let mut unique = Vec::new();
        for mut same in by_address.into_values() {
            same.sort_by_key(|resolution| resolution.function);
            same.dedup_by_key(|resolution| resolution.function);
            if let [first, second, ..] = same.as_slice() {
                let one = first.function.zip(second.function);
                let others = same
                    .iter()
                    .skip(1)
                    .filter_map(|other| other.function.zip(first.function));
                self.shared.extend(one.into_iter().chain(others));
            } else {
                unique.append(&mut same);
            }
        }
        unique.sort_by_key(|resolution| (resolution.function, resolution.symbol.address));
        self.functions.append(&mut unique);
    }
}
