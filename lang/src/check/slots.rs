//! The slots of a table: what several columns need is kept once.

use crate::ast::{Arg, Name};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Aggregate, Expr, SlotId, SlotKind, Update};
use crate::span::Span;
use crate::types::Type;

use super::Checker;
use super::aggregate::{Shape, only_in_maps, quantile};

/// The slots of a table's store, each kept once, and the `if` of the column that is being checked.
pub(super) struct Slots {
    /// The slots so far.
    pub(super) kinds: Vec<SlotKind>,
    /// What updates each of them, in the same order.
    pub(super) updates: Vec<Update>,
    /// What holds for the calls that the current column counts.
    pub(super) condition: Option<Expr>,
}

impl Checker<'_> {
    /// An aggregate in a column, and the type of its value.
    pub(super) fn aggregate(
        &mut self,
        function: &Name,
        args: &[Arg],
        place: Span,
        slots: &mut Slots,
    ) -> Option<(Aggregate, Type)> {
        if only_in_maps(&function.text) {
            let name = &function.text;
            let message = format!("`{name}()` is more than the cell of a table can show");
            self.errors.push(
                Diagnostic::new(Code::BadArgument, function.span, message)
                    .help(format!(
                        "put it into a map, in a block of its own: `wasi:* {{ @x[func] = {name}(…); }}`"
                    ))
                    .help("a table has numbers: `p50(duration)`, `avg(duration)`, `stddev(duration)`"),
            );
            return None;
        }
        let summary = self.summary(function, args, place)?;
        let ty = summary.ty();
        let value = summary.value.map(|value| value.expr);
        let mut slot = |kind| self.slot(slots, kind, value.clone(), place);
        let aggregate = match summary.shape {
            Shape::Count => Aggregate::Count {
                count: slot(SlotKind::Count),
            },
            Shape::Over(make) => make(&mut slot),
            Shape::Quantile(share) => quantile(&mut slot, share),
            Shape::Stats | Shape::Histogram(_) | Shape::Series(_) => return None,
        };
        Some((aggregate, ty))
    }

    /// The slot of this kind over this value under the column's condition; a new one only if there is
    /// none yet.
    pub(super) fn slot(
        &mut self,
        slots: &mut Slots,
        kind: SlotKind,
        value: Option<Expr>,
        place: Span,
    ) -> SlotId {
        let known = slots
            .kinds
            .iter()
            .zip(&slots.updates)
            .position(|(known, update)| {
                *known == kind && update.value == value && update.condition == slots.condition
            });
        if let Some(index) = known {
            return SlotId(index);
        }
        for expr in value.iter().chain(&slots.condition) {
            self.spend(expr, place);
        }
        let slot = SlotId(slots.kinds.len());
        slots.kinds.push(kind);
        slots.updates.push(Update {
            slot,
            value,
            condition: slots.condition.clone(),
        });
        slot
    }
}
