//! Probe blocks: each event of a block becomes a clause.

use std::collections::HashSet;

use crate::ast::{Item, Probe, ProbeBlock, Script};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Action, Clause, Plan};
use crate::span::Span;

use super::event::is_without_call;
use super::room::{MAX_ROOM, room};
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
        let events = self.events(&block.probes);
        // What the values of other probes are is not known here, so their blocks are left alone.
        if !block.probes.iter().all(|probe| self.runs(probe)) {
            return;
        }
        // A block whose probe has a slip is checked as if it were right.
        let events = match events {
            Some(events) => events
                .into_iter()
                .map(|(event, without_call)| (Some(event), without_call))
                .collect(),
            None => vec![(None, None)],
        };
        let errors_before = self.errors.len();
        for (event, without_call) in events {
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
            if variables.iter().map(|ty| ty.size()).sum::<usize>() + room(&actions) > MAX_ROOM {
                let message = "this block keeps more at a time than the kernel has room for";
                self.errors.push(
                    Diagnostic::new(Code::TooLarge, place(block), message)
                        .help("use fewer variables, shorter keys, or print fewer values at once"),
                );
            }
            if let (Some(event), Some(filter)) = (event, filter) {
                plan.clauses.push(Clause {
                    event,
                    filter,
                    variables,
                    actions,
                });
            }
        }
        self.report_once(errors_before);
    }

    /// The events of a block have most of their errors in common: drops those that are said again.
    fn report_once(&mut self, from: usize) {
        let mut said = HashSet::new();
        let again = self.errors.split_off(from);
        let new = again
            .into_iter()
            .filter(|error| said.insert((error.span, error.code)));
        self.errors.extend(new);
    }

    /// Whether this version runs blocks of the probe.
    fn runs(&self, probe: &Probe) -> bool {
        is_without_call(probe)
            || probe.kind.text == "wasi"
                && !probe.segments.iter().any(super::probe::is_point)
                && !self.is_alias(probe)
    }
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
