//! From syntax tree to plan: names, types and units. Every error of the script is collected; what the
//! language has and this version does not run is refused by name, never ignored.
//!
//! Functions that check return an option: none means that what is wrong has been reported.

pub(crate) mod aggregate;
mod argument;
mod around;
mod assignment;
mod block;
mod call;
mod clause;
mod column;
mod comparison;
mod condition;
mod constant;
mod context;
pub(crate) mod elsewhere;
mod event;
mod format;
mod function;
pub mod glob;
mod heading;
mod histogram;
mod key_value;
mod learnt;
mod limits;
mod loops;
mod map;
mod map_function;
mod map_plan;
mod map_use;
mod name;
mod name_test;
mod number;
pub(crate) mod param;
mod pivot;
mod positional;
mod print;
mod printf;
pub(crate) mod probe;
mod process;
mod promise;
mod raw;
mod raw_probe;
mod reads;
mod refuse;
mod result;
mod room;
mod series;
mod setting;
mod shape;
mod slots;
mod stack;
mod statement;
mod steps;
mod table;
mod tell;
mod text;
mod tracepoint;
mod tuple;
mod typing;
pub(crate) mod unit;
mod value;
mod variable;
mod written;

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::ast::{Item, Script};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::expand::{Expanded, expanded};
use crate::host::Host;
use crate::plan::{Expr, Message, NameTest, Plan, Settings, StoreId};
use crate::span::Span;
use argument::Called;
use context::Context;
use learnt::Learnt;
use limits::{
    MAX_BLOCK_STATEMENTS, MAX_CLAUSES, MAX_COLUMNS, MAX_DEPTH, MAX_IFS, MAX_KEYS, MAX_MESSAGE,
    MAX_MESSAGES, MAX_NODES, MAX_PARAMS, MAX_READ_KEYS, MAX_SLOTS, MAX_STATEMENTS, MAX_STORES,
    MAX_VARIABLES,
};
use map::MapUse;
use param::Params;
use shape::Shape;
use variable::{Scope, VariableKey};

/// What a script is checked against.
#[derive(Debug, Clone, Copy, Default)]
pub struct Environment<'a> {
    /// The names of the runtimes in the catalogue. The index of a name is the runtime's number.
    pub runtimes: &'a [&'a str],
    /// What the machine has. Without it probes outside of WASI and imports are refused.
    pub host: Option<&'a dyn Host>,
    /// What the script's file is known as to [`Host::import`].
    pub name: Option<&'a str>,
    /// `$1`, `$2` and so on.
    pub arguments: &'a [&'a str],
    /// Whether `system()` may run commands.
    pub allows_unsafe: bool,
    /// Whether a script may do nothing but define what others import.
    pub allows_library: bool,
}

impl Environment<'_> {
    /// Nothing is known.
    pub const EMPTY: Environment<'static> = Environment {
        runtimes: &[],
        host: None,
        name: None,
        arguments: &[],
        allows_unsafe: false,
        allows_library: false,
    };
}

/// The plan of a script. `args` are parameters and their values, as the command line gives them.
pub fn check(
    script: &Script,
    environment: &Environment,
    args: &[(String, String)],
) -> Result<Plan, Vec<Diagnostic>> {
    check_expanded(expanded(script, environment), environment, args).map(|(plan, _)| plan)
}

/// The plan of a script whose macros are replaced, and the script.
pub(crate) fn check_expanded(
    expanded: Expanded,
    environment: &Environment,
    args: &[(String, String)],
) -> Result<(Plan, Script), Vec<Diagnostic>> {
    let Expanded {
        script,
        mut errors,
        sources,
        names,
    } = expanded;
    // What is too large is not looked at.
    let is_whole = |error: &Diagnostic| !matches!(error.code, Code::MacroSize | Code::TooDeep);
    let is_library = environment.allows_library && !names.is_empty();
    let does_nothing = !is_library && !script.items.iter().any(is_done);
    let result = if errors.iter().all(is_whole) {
        checked(&script, &names, environment, args)
    } else {
        Err(Vec::new())
    };
    let found = match result {
        Ok(_) if errors.is_empty() && does_nothing => {
            let error = Diagnostic::without_place(Code::NothingToDo, "this script does nothing");
            vec![error.help("add a table or a probe block: `wasi:* { @calls[func] = count(); }`")]
        }
        Ok(plan) if errors.is_empty() => return Ok((plan, script)),
        Ok(_) => Vec::new(),
        Err(found) => found,
    };
    // Nothing more is said of what has an error already.
    let broken: Vec<Span> = errors.iter().filter_map(|error| error.span).collect();
    let is_broken = |error: &Diagnostic| {
        error.span.is_some_and(|span| {
            let mut broken = broken.iter();
            broken.any(|known| known.start <= span.start && span.end <= known.end)
        })
    };
    errors.extend(found.into_iter().filter(|error| !is_broken(error)));
    // What a macro or a prologue stands for is checked at each place.
    let mut said = HashSet::new();
    let mut errors: Vec<Diagnostic> = errors
        .into_iter()
        .map(Diagnostic::with_names_as_written)
        .filter(|error| said.insert((error.span, error.code, error.message.clone())))
        .map(|error| sources.place(error))
        .collect();
    errors.sort_by(|one, other| one.order().cmp(&other.order()));
    Err(errors)
}

/// The plan of a script without imports, macros and aliases, which were called `defined`.
fn checked(
    script: &Script,
    defined: &[String],
    environment: &Environment,
    args: &[(String, String)],
) -> Result<Plan, Vec<Diagnostic>> {
    let script = &steps::lowered(script);
    let mut errors = Vec::new();
    let mut params = Params::declared(script, &mut errors);
    params.set(args, &mut errors);
    let mut checker = Checker {
        environment,
        defined,
        params,
        errors,
        nodes: 0,
        shapes: Vec::new(),
        tables: tables(script),
        counted_calls: StoreId(0),
        written: written::written(script),
        maps: Vec::new(),
        variables: HashMap::new(),
        messages: Vec::new(),
        formats: Vec::new(),
        watched: Vec::new(),
        tests: Vec::new(),
        called: Called::default(),
        clauses: 0,
        statements: 0,
        news: false,
        learning: false,
        scope: None,
        context: Context::default(),
        settings: Settings::default(),
    };
    let mut plan = Plan::default();
    for item in &script.items {
        if let Item::Config(config) = item {
            checker.config(config, &mut plan.settings);
        }
    }
    checker.settings = plan.settings;
    checker.check_names(script);
    for item in &script.items {
        checker.item(item, &mut plan);
    }
    checker.blocks(script, &mut plan);
    // They may stand before the tables and maps that they look at.
    for item in &script.items {
        if let Item::Check(check) = item {
            checker.check(check, &mut plan);
        }
    }
    if checker.errors.is_empty() {
        checker.planned_maps(&mut plan);
    }
    plan.messages = checker.messages;
    plan.formats = checker.formats;
    plan.watched = checker.watched;
    plan.tests = checker.tests;
    let errors = checker.errors;
    if errors.is_empty() {
        Ok(plan)
    } else {
        Err(errors)
    }
}

/// What is known while a script is checked.
struct Checker<'a> {
    environment: &'a Environment<'a>,
    /// The macros and aliases that there were.
    defined: &'a [String],
    params: Params,
    errors: Vec<Diagnostic>,
    /// What the rows of the tables are made of, so far.
    shapes: Vec<Shape>,
    /// The operators and operands that the kernel will evaluate, so far.
    nodes: usize,
    /// How many stores the tables of the script have. They come before those of maps.
    tables: usize,
    /// Where the WASI calls for the current table are counted, if it has a column of their number.
    counted_calls: StoreId,
    /// The maps that the script puts something into.
    written: BTreeSet<String>,
    /// The maps, in the order in which they are mentioned.
    maps: Vec<MapUse>,
    /// What is known of the types of variables: of a clause.
    variables: HashMap<VariableKey, Learnt>,
    /// What user space is told so far.
    messages: Vec<Message>,
    /// The formats of points in time so far.
    formats: Vec<String>,
    /// The system calls that are counted within calls so far.
    watched: Vec<u16>,
    /// What is asked about names so far.
    tests: Vec<NameTest>,
    /// Whose arguments there are.
    called: Called,
    /// How many events of probe blocks there are so far.
    clauses: usize,
    /// How many statements there are so far.
    statements: usize,
    /// Whether something became known about a type since this was last set to false.
    news: bool,
    /// Whether blocks are only looked at for types.
    learning: bool,
    /// The probe block that is being checked.
    scope: Option<Scope>,
    /// The event that expressions are evaluated at.
    context: Context,
    /// What `config` says.
    settings: Settings,
}

impl Checker<'_> {
    fn item(&mut self, item: &Item, plan: &mut Plan) {
        match item {
            Item::Param(_) => {}
            Item::Table(table) => self.table(table, plan),
            // Before everything else.
            Item::Config(_) | Item::Import(_) | Item::Macro(_) | Item::Alias(_) => {}
            // All checks and blocks come after all tables.
            Item::Check(_) | Item::ProbeBlock(_) => {}
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
            tables += 1 + usize::from(elsewhere::counts_calls(table));
            if tables > MAX_STORES {
                self.too_many(
                    table.name.span,
                    format!("a script has at most {MAX_STORES} tables and maps"),
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
        if room::read_keys(expr) > MAX_READ_KEYS {
            let message = "the keys of the maps that are read here are too large together";
            self.errors.push(
                Diagnostic::new(Code::TooLarge, place, message)
                    .help("keep what is read first in a variable: `$x = @x[…]`"),
            );
        }
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

/// Whether something comes of an item.
fn is_done(item: &Item) -> bool {
    !matches!(item, Item::Param(_) | Item::Config(_))
}

fn tables(script: &Script) -> usize {
    let stores = |item: &Item| match item {
        Item::Table(table) => 1 + usize::from(elsewhere::counts_calls(table)),
        _ => 0,
    };
    script.items.iter().map(stores).sum()
}
