//! From syntax tree to plan: names, types and units. Every error of the script is collected; what the
//! language has and this version does not run is refused by name, never ignored.
//!
//! Functions that check return an option: none means that what is wrong has been reported.

mod aggregate;
mod column;
mod comparison;
mod glob;
mod name;
pub(crate) mod param;
mod probe;
mod refuse;
mod table;
mod typing;
mod unit;
mod value;

use crate::ast::{Item, Script};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Expr, Plan};
use crate::span::Span;
use param::Params;

/// What a script is checked against.
#[derive(Debug, Clone, Copy, Default)]
pub struct Environment<'a> {
    /// The names of the runtimes in the catalogue. The index of a name is the runtime's number.
    pub runtimes: &'a [&'a str],
}

/// A script may have so many tables.
const MAX_TABLES: usize = 64;

/// A script may have so many parameters.
const MAX_PARAMS: usize = 64;

/// A table may have so many keys: they wait on the stack of the eBPF program, which has 512 bytes.
const MAX_KEYS: usize = 16;

/// A table may have so many columns.
const MAX_COLUMNS: usize = 64;

/// The store of a table may have so many slots.
const MAX_SLOTS: usize = 64;

/// An expression that the kernel evaluates may nest so deep.
const MAX_DEPTH: usize = 64;

/// All expressions that the kernel evaluates may have so many operators and operands together.
const MAX_NODES: usize = 2000;

/// The plan of a script. `args` are parameters and their values, as the command line gives them.
pub fn check(
    script: &Script,
    environment: &Environment,
    args: &[(String, String)],
) -> Result<Plan, Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let mut params = Params::declared(script, &mut errors);
    params.set(args, &mut errors);
    let mut checker = Checker {
        environment,
        params,
        errors,
        nodes: 0,
    };
    let mut plan = Plan {
        clauses: Vec::new(),
        stores: Vec::new(),
        tables: Vec::new(),
        maps: Vec::new(),
        messages: Vec::new(),
    };
    checker.check_names(script);
    for item in &script.items {
        checker.item(item, &mut plan);
    }
    let mut errors = checker.errors;
    errors.sort_by_key(|error| error.span);
    if errors.is_empty() {
        Ok(plan)
    } else {
        Err(errors)
    }
}

/// What is known while a script is checked.
struct Checker<'a> {
    environment: &'a Environment<'a>,
    params: Params,
    errors: Vec<Diagnostic>,
    /// The operators and operands that the kernel will evaluate, so far.
    nodes: usize,
}

impl Checker<'_> {
    fn item(&mut self, item: &Item, plan: &mut Plan) {
        match item {
            Item::Param(_) => {}
            Item::Table(table) => self.table(table, plan),
            Item::Config(config) => self.not_yet(config.span, "`config` is"),
            Item::Import(import) => self.not_yet(import.span, "`import` is"),
            Item::Macro(item) => self.not_yet(item.name.span, "`macro` is"),
            Item::Alias(alias) => self.not_yet(alias.probe.span, "`alias` is"),
            Item::Check(check) => self.not_yet(check.span, "`check` is"),
            Item::ProbeBlock(block) => {
                let place = block
                    .probes
                    .iter()
                    .map(|probe| probe.span)
                    .reduce(Span::to)
                    .unwrap_or(block.body.span);
                self.not_yet(place, "a probe with statements in `{ … }` is");
            }
            Item::Foreign(foreign) => self.foreign(foreign),
        }
    }

    /// Tables and parameters share their names, and there is a limit to tables.
    fn check_names(&mut self, script: &Script) {
        let mut seen = self.params.places();
        let mut tables = 0;
        for item in &script.items {
            let Item::Table(table) = item else {
                continue;
            };
            match seen.iter().find(|(name, _)| *name == table.name.text) {
                Some((name, first)) => {
                    let error = Diagnostic::new(
                        Code::Duplicate,
                        table.name.span,
                        format!("`{name}` is defined twice"),
                    );
                    self.errors.push(error.also(*first, "first here"));
                }
                None => seen.push((table.name.text.clone(), table.name.span)),
            }
            tables += 1;
            if tables > MAX_TABLES {
                self.too_many(
                    table.name.span,
                    format!("a script has at most {MAX_TABLES} tables"),
                );
                break;
            }
        }
    }

    fn too_many(&mut self, place: Span, message: String) {
        self.errors
            .push(Diagnostic::new(Code::TooLarge, place, message).label("this is one too many"));
    }

    /// Adds an expression to what the kernel evaluates, so that the kernel never refuses what was accepted here.
    fn spend(&mut self, expr: &Expr, place: Span) {
        let (nodes, depth) = extent(expr);
        if depth > MAX_DEPTH {
            let message = format!("this expression nests deeper than {MAX_DEPTH}");
            self.errors.push(
                Diagnostic::new(Code::TooDeep, place, message)
                    .help("split it, or leave some of it away"),
            );
        }
        let before = self.nodes;
        self.nodes += nodes;
        if before <= MAX_NODES && self.nodes > MAX_NODES {
            let message = format!(
                "the expressions of this script have more than {MAX_NODES} operators and operands"
            );
            let error =
                Diagnostic::new(Code::TooLarge, place, message).label("this one is too much");
            self.errors
                .push(error.help("an `if` counts once for each aggregate of its column"));
        }
    }
}

/// How many nodes an expression has, and how deep they nest.
fn extent(expr: &Expr) -> (usize, usize) {
    let parts = expr.parts().into_iter().map(extent);
    let (nodes, depth) = parts.fold((0, 0), |all, part| (all.0 + part.0, all.1.max(part.1)));
    (nodes + 1, depth + 1)
}
