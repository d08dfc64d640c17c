//! Values over time: the last steps of a series, and the line that is drawn of them.

use ewapa_lang::plan::{Fold, SlotId, SlotKind};

use crate::engine::groups::{Group, Step, Value};
use ewapa_codegen::slot::decode_extreme;

use super::quantity::Quantity;

/// The steps that are shown of all series of one store, so that they stand below each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The number of the first step.
    pub first: u64,
    /// That of the last one.
    pub last: u64,
}

impl Span {
    /// The last `steps` steps up to the newest one of any of the series. What lies before the first that
    /// has a value is left out. None if no step has one.
    pub fn of<'a>(
        series: impl Iterator<Item = &'a [(u64, Step)]> + Clone,
        steps: u16,
    ) -> Option<Span> {
        let numbers = series.flatten().map(|(number, _)| *number);
        let last = numbers.clone().max()?;
        let earliest = last.saturating_sub(u64::from(steps).saturating_sub(1));
        let first = numbers.filter(|number| *number >= earliest).min()?;
        Some(Span { first, last })
    }

    /// What each step of one series came to.
    pub fn values(self, series: &[(u64, Step)], fold: Fold) -> Vec<Option<Quantity>> {
        let value = |number| {
            let at = series.binary_search_by_key(&number, |(known, _)| *known);
            value(series[at.ok()?].1, fold)
        };
        (self.first..=self.last).map(value).collect()
    }
}

/// What is shown of the series of a store.
#[derive(Debug, Default)]
pub struct Seen(Vec<(SlotId, Fold, Span)>);

impl Seen {
    /// Nothing.
    pub const NOTHING: Seen = Seen(Vec::new());

    /// The last steps of all series of a store.
    pub fn new(kinds: &[SlotKind], groups: &[Group]) -> Seen {
        let seen = kinds.iter().enumerate().filter_map(|(slot, kind)| {
            let SlotKind::Series { steps, fold, .. } = *kind else {
                return None;
            };
            let series = groups.iter().map(|group| group.values[slot].series());
            Some((SlotId(slot), fold, Span::of(series, steps)?))
        });
        Seen(seen.collect())
    }

    /// What each step came to; none if there was no value at all.
    pub fn values(&self, slot: SlotId, slots: &[Value]) -> Option<Vec<Option<Quantity>>> {
        let (_, fold, span) = self.0.iter().find(|(known, ..)| *known == slot)?;
        Some(span.values(slots[slot.0].series(), *fold))
    }
}

fn value(step: Step, fold: Fold) -> Option<Quantity> {
    if step.count == 0 {
        return None;
    }
    Some(match fold {
        Fold::Sum | Fold::Last => Quantity::Whole(step.sum),
        Fold::Avg => Quantity::Real(step.sum as f64 / step.count as f64),
        Fold::Min => Quantity::Whole(decode_extreme(step.extreme, true)),
        Fold::Max => Quantity::Whole(decode_extreme(step.extreme, false)),
    })
}

/// A character a step, higher for larger values; `largest` is the highest. A step without a value is a
/// space.
pub fn spark(values: &[Option<Quantity>], largest: f64, unicode: bool) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const ASCII: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];
    let levels = if unicode { BLOCKS } else { ASCII };
    let level = |value: &Option<Quantity>| {
        let Some(value) = value else { return ' ' };
        let share = if largest > 0.0 {
            (value.real() / largest).clamp(0.0, 1.0)
        } else {
            0.0
        };
        levels[((share * 8.0).ceil() as usize).clamp(1, 8) - 1]
    };
    values.iter().map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ewapa_codegen::slot::encode_extreme;

    fn step(count: u64, sum: i64) -> Step {
        Step {
            count,
            sum,
            extreme: 0,
        }
    }

    #[test]
    fn the_last_steps_up_to_the_newest_of_all_series_are_shown() {
        let left = [(3, step(1, 7)), (10, step(2, 4))];
        let right = [(9, step(1, 1)), (12, step(1, 5))];
        let both = || [&left[..], &right[..]].into_iter();
        let span = Span::of(both(), 4).unwrap();
        assert_eq!((span.first, span.last), (9, 12));
        let whole = |number| Some(Quantity::Whole(number));
        assert_eq!(span.values(&left, Fold::Sum), [None, whole(4), None, None]);
        assert_eq!(
            span.values(&right, Fold::Sum),
            [whole(1), None, None, whole(5)]
        );
        // What is older than the last steps was written over elsewhere: it is never shown.
        assert_eq!(Span::of(both(), 3).unwrap().first, 10);
        assert_eq!(Span::of([].into_iter(), 4), None);
    }

    #[test]
    fn the_values_of_a_step_come_to_what_the_script_says() {
        let of = |step, fold| value(step, fold).map(Quantity::real);
        assert_eq!(of(step(4, 10), Fold::Avg), Some(2.5));
        assert_eq!(of(step(4, 10), Fold::Last), Some(10.0));
        assert_eq!(of(step(0, 0), Fold::Avg), None);
        let smallest = Step {
            extreme: encode_extreme(-3, true),
            ..step(1, 0)
        };
        assert_eq!(of(smallest, Fold::Min), Some(-3.0));
        let largest = Step {
            extreme: encode_extreme(9, false),
            ..step(1, 0)
        };
        assert_eq!(of(largest, Fold::Max), Some(9.0));
    }

    #[test]
    fn a_spark_is_as_high_as_its_share_of_the_largest() {
        let values = [0, 1, 50, 100].map(|value| Some(Quantity::Whole(value)));
        let values = [&values[..], &[None]].concat();
        assert_eq!(spark(&values, 100.0, true), "▁▁▄█ ");
        assert_eq!(spark(&values, 100.0, false), "__-# ");
        assert_eq!(spark(&values[..1], 0.0, true), "▁");
    }
}
