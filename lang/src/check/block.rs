//! Probe blocks: each event of a block becomes a clause.

use std::collections::HashSet;

use crate::ast::{Item, Probe, ProbeBlock, Script};
use crate::plan::{Action, Clause, Plan};
use crate::span::Span;

use super::context::Context;
use super::probe::{WITHOUT_CALL, is_point};
use super::reads::Reads;
use super::value::Position;
use super::variable::Scope;
use super::{Checker, MAX_CLAUSES};

impl Checker<'_> {
    /// Adds the probe blocks of a script to the plan, unless they have errors.
    pub(super) fn blocks(&mut self, script: &Script, plan: &mut Plan) {
        while self.look_at_blocks(script) || self.settle() {}
        self.forget_reports();
        self.clauses = 0;
        for item in &script.items {
            if let Item::ProbeBlock(block) = item {
                self.block(block, plan);
            }
        }
        self.scope = None;
    }

    /// Checks the blocks for what they teach of the maps' types. Whether there was news.
    fn look_at_blocks(&mut self, script: &Script) -> bool {
        let (errors, nodes) = (std::mem::take(&mut self.errors), self.nodes);
        (self.news, self.learning) = (false, true);
        self.clauses = 0;
        let mut scratch = Plan::default();
        for item in &script.items {
            if let Item::ProbeBlock(block) = item {
                self.block(block, &mut scratch);
            }
        }
        self.messages.clear();
        self.statements = 0;
        self.scope = None;
        (self.errors, self.nodes) = (errors, nodes);
        self.learning = false;
        self.news
    }

    /// What nothing else decides is what it is on its own: `@x = 0` is a plain number. Whether there was news.
    fn settle(&mut self) -> bool {
        let mut news = false;
        for map in &mut self.maps {
            news |= map.settle();
        }
        for learnt in self.variables.values_mut() {
            news |= learnt.settle();
        }
        news
    }

    fn block(&mut self, block: &ProbeBlock, plan: &mut Plan) {
        let reads = Reads::of_block(block.predicate.as_ref(), &block.body);
        let occasions = match self.events(&block.probes, &reads, false) {
            Some(occasions) => occasions
                .into_iter()
                .map(|occasion| (Some(occasion.event), occasion.context))
                .collect(),
            // A block whose probe has a slip is checked as if it were right. What the values of others are
            // is not known here, so their blocks are left alone.
            None => match likely(&block.probes) {
                Some(context) => vec![(None, context)],
                None => return,
            },
        };
        let errors_before = self.errors.len();
        for (event, context) in occasions {
            if self.clauses == MAX_CLAUSES {
                self.too_many(
                    place(block),
                    format!("a script has at most {MAX_CLAUSES} tables and probe blocks, one for each event of a block"),
                );
            }
            if self.clauses >= MAX_CLAUSES {
                self.clauses += 1;
                return;
            }
            let without_call = match &context {
                Context::Other(written) => Some(written.clone()),
                _ => None,
            };
            self.context = context;
            self.scope = Some(Scope::new(self.clauses, without_call));
            if let Some(event) = &event {
                self.stand_at(event);
            }
            self.clauses += 1;
            let filter = match &block.predicate {
                Some(predicate) => self.condition(predicate, Position::Filter).map(Some),
                None => Some(None),
            };
            let mut actions: Vec<Action> = Vec::new();
            self.statements_of(&block.body, &mut actions);
            let variables = self.variable_types();
            if let (Some(event), Some(filter)) = (event, filter) {
                let clause = Clause {
                    event,
                    filter,
                    variables,
                    actions,
                };
                self.check_room(&clause, place(block));
                plan.clauses.push(clause);
            }
        }
        self.context = Context::default();
        self.report_once(errors_before);
    }

    /// The events of a block have most of their errors in common: drops those that are said again.
    pub(super) fn report_once(&mut self, from: usize) {
        let mut said = HashSet::new();
        let again = self.errors.split_off(from);
        let new = again
            .into_iter()
            .filter(|error| said.insert((error.span, error.code)));
        self.errors.extend(new);
    }
}

/// The context that probes have if what is wrong with them is set right; none if it cannot be told.
pub(super) fn likely(probes: &[Probe]) -> Option<Context> {
    let mut contexts = probes.iter().map(|probe| match super::probe::kind(probe) {
        "wasi" if probe.segments.last().is_some_and(is_point) => Some(Context::Enter),
        "wasi" => Some(Context::Call),
        "syscall" => Some(Context::Syscall),
        "phase" => Some(Context::Phase),
        kind if WITHOUT_CALL.contains(&kind) => Some(Context::Other(probe.kind.text.clone())),
        _ => None,
    });
    let first = contexts.next()??;
    contexts
        .all(|context| context.is_some_and(|context| context.events() == first.events()))
        .then_some(first)
}

/// Where a block's probes are.
fn place(block: &ProbeBlock) -> Span {
    block
        .probes
        .iter()
        .map(|probe| probe.span)
        .reduce(Span::to)
        .unwrap_or(block.body.span)
}
