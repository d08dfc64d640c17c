//! The maps of a script: what each keeps, found out of how it is used.

use crate::ast;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Expr, MapValue, SlotKind, StoreId};
use crate::span::Span;
use crate::types::Type;

use super::Checker;
use super::heading::heading;
use super::learnt::Learnt;
use super::tuple::Form;
use super::value::{Position, Value};
use super::{MAX_KEYS, MAX_STORES};

/// Index into [`Checker::maps`] and [`plan::Plan::maps`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MapId(pub(super) usize);

/// What is known of a map.
#[derive(Debug)]
pub(super) struct MapUse {
    /// With its `@`.
    pub(super) name: String,
    /// What decided how many keys it has.
    pub(super) keyed: Option<Span>,
    pub(super) keys: Vec<Learnt>,
    /// How they belong together, a form for each key that is written; none while that is not known.
    pub(super) forms: Option<Vec<Form>>,
    /// What the keys are called, where a use of the map tells.
    pub(super) headings: Vec<Option<String>>,
    /// What it keeps, and the place that says so.
    pub(super) holds: Option<(Holds, Span)>,
    /// The type of what it holds.
    pub(super) value: Learnt,
    /// The types of the parts of what it holds, if that is a tuple.
    pub(super) parts: Vec<Learnt>,
    /// Whether its values are read: then what counts and adds up is kept as a number.
    pub(super) read: bool,
    /// Whether the error that nothing is put into it was reported.
    pub(super) reported: bool,
}

/// What a map keeps for each key.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Holds {
    /// Numbers that are read and written; whether any is assigned, not only counted up and down.
    Number {
        /// Assigned with `=`.
        assigned: bool,
    },
    /// Tuples that are read and written.
    Tuple(Form),
    /// An aggregate.
    Aggregate {
        /// As it is written, such as `p99()`.
        name: String,
        /// What it shows.
        value: MapValue,
        /// What it keeps.
        slots: Vec<SlotKind>,
    },
}

impl Holds {
    fn is_like(&self, other: &Holds) -> bool {
        match (self, other) {
            (Holds::Number { .. }, Holds::Number { .. }) => true,
            (Holds::Tuple(form), Holds::Tuple(other)) => form == other,
            (
                Holds::Aggregate { value, slots, .. },
                Holds::Aggregate {
                    value: other_value,
                    slots: other_slots,
                    ..
                },
            ) => value == other_value && slots == other_slots,
            _ => false,
        }
    }

    /// As errors call it.
    pub(super) fn name(&self) -> String {
        match self {
            Holds::Number { .. } => "a single value".to_owned(),
            Holds::Tuple(_) => "a tuple".to_owned(),
            Holds::Aggregate { name, .. } => format!("`{name}`"),
        }
    }
}

impl MapUse {
    /// Takes what is open for decided. Whether that is news.
    pub(super) fn settle(&mut self) -> bool {
        let mut news = self.value.settle();
        for learnt in self.keys.iter_mut().chain(&mut self.parts) {
            news |= learnt.settle();
        }
        news
    }
}

impl Checker<'_> {
    /// The map of this name, which may be mentioned for the first time.
    pub(super) fn map(&mut self, name: &str, place: Span) -> Option<MapId> {
        if let Some(index) = self.maps.iter().position(|map| map.name == name) {
            return Some(MapId(index));
        }
        if self.tables + self.maps.len() >= MAX_STORES {
            let message = format!("a script has at most {MAX_STORES} tables and maps");
            self.too_many(place, message);
            return None;
        }
        self.maps.push(MapUse {
            name: name.to_owned(),
            keyed: None,
            keys: Vec::new(),
            forms: None,
            headings: Vec::new(),
            holds: None,
            value: Learnt::default(),
            parts: Vec::new(),
            read: false,
            reported: false,
        });
        self.news = true;
        Some(MapId(self.maps.len() - 1))
    }

    /// A map and its key: `@x`, `@x[a, b]` or `@x[(a, b)]`; none for other expressions.
    pub(super) fn place(expr: &ast::Expr) -> Option<(&str, &[ast::Expr])> {
        match &expr.kind {
            ast::ExprKind::Map(name) => Some((name, &[])),
            ast::ExprKind::Index(of, keys) => match &of.kind {
                ast::ExprKind::Map(name) => Some((name, listed(keys))),
                _ => None,
            },
            _ => None,
        }
    }

    /// The keys of one use of a map.
    pub(super) fn keys(
        &mut self,
        map: MapId,
        keys: &[ast::Expr],
        place: Span,
    ) -> Option<Vec<Expr>> {
        let keys = listed(keys);
        let mut values: Vec<Option<Value>> = Vec::new();
        let mut forms = Some(Vec::new());
        for key in keys {
            match self.compound(key, Position::Statement) {
                Some(key) => {
                    forms = forms.map(|forms| [forms, vec![key.form()]].concat());
                    values.extend(key.values().into_iter().map(Some));
                }
                // How many keys a tuple is cannot be known yet.
                None if self.learning && may_be_tuple(key) => return None,
                None => {
                    forms = None;
                    values.push(None);
                }
            }
            if values.len() > MAX_KEYS {
                self.too_many(key.span, format!("a map has at most {MAX_KEYS} keys"));
                return None;
            }
        }
        let name = self.maps[map.0].name.clone();
        match self.maps[map.0].keyed {
            None => {
                self.maps[map.0].keyed = Some(place);
                self.maps[map.0].keys = vec![Learnt::default(); values.len()];
                self.news = true;
            }
            Some(first) if self.maps[map.0].keys.len() != values.len() => {
                let (here, there) = (keyed(values.len()), keyed(self.maps[map.0].keys.len()));
                let message = format!("`{name}` has {here} here and {there} elsewhere");
                self.errors.push(
                    Diagnostic::new(Code::TwoWays, place, message)
                        .label(format!("{here} here"))
                        .also(first, format!("{there} here"))
                        .help("a map has the same keys everywhere; use two maps"),
                );
                return None;
            }
            Some(_) => {}
        }
        if let Some(forms) = forms {
            self.form_keys(map, forms, place)?;
        }
        self.call_keys(map, keys, values.len());
        let mut fitted = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            let mut learnt = self.maps[map.0].keys[index];
            let what = format!("a key of `{name}`");
            fitted.push(value.and_then(|value| self.fit(value, &mut learnt, &what)));
            self.maps[map.0].keys[index] = learnt;
        }
        fitted
            .into_iter()
            .map(|value| value.map(|value| value.expr))
            .collect()
    }

    /// Remembers which keys of a map are tuples. None if they are others elsewhere.
    fn form_keys(&mut self, map: MapId, mut forms: Vec<Form>, place: Span) -> Option<()> {
        // A tuple as the only key stands for its parts, as in bpftrace.
        if let [Form::Tuple(parts)] = &mut forms[..] {
            forms = std::mem::take(parts);
        }
        let known = &mut self.maps[map.0];
        let Some(first) = &known.forms else {
            known.forms = Some(forms);
            return Some(());
        };
        if *first == forms {
            return Some(());
        }
        let message = format!(
            "the keys of `{}` are other tuples here than elsewhere",
            known.name
        );
        self.errors.push(
            Diagnostic::new(Code::TwoWays, place, message)
                .help("a map has the same keys everywhere; use two maps"),
        );
        None
    }

    /// Remembers how a use of a map calls its keys, unless another one has done so.
    fn call_keys(&mut self, map: MapId, keys: &[ast::Expr], count: usize) {
        let headings = &mut self.maps[map.0].headings;
        headings.resize(count, None);
        // The parts of a tuple in a variable have no names.
        if keys.len() == count {
            for (known, key) in headings.iter_mut().zip(keys) {
                if known.is_none() {
                    *known = heading(key);
                }
            }
        }
    }

    /// Says what a map holds where something is put into it. None if it holds something else elsewhere.
    pub(super) fn hold(&mut self, map: MapId, holds: Holds, place: Span) -> Option<()> {
        let known = &mut self.maps[map.0];
        let Some((first, first_place)) = &mut known.holds else {
            known.holds = Some((holds, place));
            self.news = true;
            return Some(());
        };
        if first.is_like(&holds) {
            if let (Holds::Number { assigned }, Holds::Number { assigned: true }) = (first, holds)
                && !*assigned
            {
                *assigned = true;
                self.news = true;
            }
            return Some(());
        }
        let (here, there) = (holds.name(), first.name());
        let (message, help) = if here == there {
            (
                format!("{here} of `{}` has other arguments elsewhere", known.name),
                "a map has the same ranges and the same share everywhere; use two maps",
            )
        } else {
            (
                format!("`{}` is {here} here and {there} elsewhere", known.name),
                "a map holds one thing in the whole script; use two maps",
            )
        };
        let error = Diagnostic::new(Code::TwoWays, place, message)
            .label(format!("{here} here"))
            .also(*first_place, format!("{there} here"))
            .help(help);
        self.errors.push(error);
        None
    }

    /// Whether numbers are assigned to a map of numbers, not only counted up and down.
    pub(super) fn is_assigned(&self, map: MapId) -> bool {
        matches!(
            self.maps[map.0].holds,
            Some((Holds::Number { assigned: true }, _))
        )
    }

    /// A value as one of the type that a map holds.
    pub(super) fn fit_map(&mut self, value: Value, map: MapId) -> Option<Value> {
        let mut learnt = self.maps[map.0].value;
        let what = format!("`{}`", self.maps[map.0].name);
        let value = self.fit(value, &mut learnt, &what);
        self.maps[map.0].value = learnt;
        value
    }

    /// A value as the part of a tuple that a map holds.
    pub(super) fn fit_part(&mut self, value: Value, map: MapId, index: usize) -> Option<Value> {
        let known = &mut self.maps[map.0];
        if known.parts.len() <= index {
            known.parts.resize_with(index + 1, Learnt::default);
        }
        let mut learnt = known.parts[index];
        let what = format!("`.{index}` of `{}`", known.name);
        let value = self.fit(value, &mut learnt, &what);
        self.maps[map.0].parts[index] = learnt;
        value
    }

    /// The types of a map's keys, if they are known already.
    pub(super) fn key_types(&self, map: MapId) -> Option<Vec<Type>> {
        self.maps[map.0].keys.iter().map(Learnt::ty).collect()
    }

    /// The type of what a map holds, if it is known already.
    pub(super) fn map_type(&self, map: MapId) -> Option<Type> {
        self.maps[map.0].value.ty()
    }

    /// Says that a map holds numbers. None if it holds aggregates elsewhere.
    pub(super) fn number_in(&mut self, map: MapId, assigned: bool, place: Span) -> Option<()> {
        self.hold(map, Holds::Number { assigned }, place)
    }

    /// Where a map is kept: the stores of maps come after those of tables.
    pub(super) fn store(&self, map: MapId) -> StoreId {
        StoreId(self.tables + map.0)
    }

    /// Lets the final check report every map again.
    pub(super) fn forget_reports(&mut self) {
        for map in &mut self.maps {
            map.reported = false;
        }
    }
}

/// Whether an expression may be a tuple.
pub(super) fn may_be_tuple(expr: &ast::Expr) -> bool {
    matches!(
        expr.kind,
        ast::ExprKind::Tuple(_)
            | ast::ExprKind::Variable(_)
            | ast::ExprKind::Map(_)
            | ast::ExprKind::Index(..)
            | ast::ExprKind::Field(..)
    )
}

/// A tuple as the only key stands for its parts, as in bpftrace.
fn listed(keys: &[ast::Expr]) -> &[ast::Expr] {
    match keys {
        [
            ast::Expr {
                kind: ast::ExprKind::Tuple(parts),
                ..
            },
        ] => parts,
        _ => keys,
    }
}

fn keyed(count: usize) -> String {
    match count {
        0 => "no key".to_owned(),
        1 => "1 key".to_owned(),
        _ => format!("{count} keys"),
    }
}
