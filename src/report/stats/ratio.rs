//! How many times one side is of the other.

use super::sample::{LEVEL, Sample};

/// A ratio with its bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// The ratio of medians; of several cells, its geometric mean.
    pub ratio: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// How often medians are drawn.
const DRAWS: usize = 2_000;

/// The ratio of the second sample of each pair to the first. Cells in which a side has a number that is
/// not above zero have no ratio, unless both sides are nothing but the same number. None if no cell has one.
pub fn ratio(pairs: &[(&Sample, &Sample)]) -> Option<Ratio> {
    let is_positive = |sample: &Sample| sample.values().first().is_some_and(|least| *least > 0.0);
    let (usable, rest): (Vec<_>, Vec<_>) = pairs
        .iter()
        .copied()
        .partition(|(before, after)| is_positive(before) && is_positive(after));
    if usable.is_empty() {
        let only = |sample: &Sample| {
            let (first, last) = (sample.values().first()?, sample.values().last()?);
            (first == last).then_some(*first)
        };
        let same = |(before, after): &(&Sample, &Sample)| {
            only(before).is_some() && only(before) == only(after)
        };
        let one = Ratio {
            ratio: 1.0,
            low: 1.0,
            high: 1.0,
        };
        return (!rest.is_empty() && rest.iter().all(same)).then_some(one);
    }
    let mean = |logarithms: f64| (logarithms / usable.len() as f64).exp();
    let medians = usable
        .iter()
        .filter_map(|(before, after)| Some((after.median()? / before.median()?).ln()));
    let ratio = mean(medians.sum());
    let mut random = fastrand::Rng::with_seed(DRAWS as u64);
    let drawn = Sample::new((0..DRAWS).map(|_| {
        let logarithms = usable.iter().map(|(before, after)| {
            let before = before.resampled(random.f64());
            (after.resampled(random.f64()) / before).ln()
        });
        mean(logarithms.sum())
    }));
    let tail = ((1.0 - LEVEL) / 2.0 * DRAWS as f64) as usize;
    Some(Ratio {
        ratio,
        // Of an even number of runs no draw need give the median itself.
        low: drawn.values()[tail].min(ratio),
        high: drawn.values()[DRAWS - 1 - tail].max(ratio),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_has_the_ratio_and_is_the_same_each_time() {
        let before = Sample::new((100..120).map(f64::from));
        let after = Sample::new((200..240).step_by(2).map(f64::from));
        let found = ratio(&[(&before, &after)]).unwrap();
        assert!((found.ratio - 2.0).abs() < 1e-9, "{found:?}");
        assert!(found.low > 1.7 && found.low < 2.0, "{found:?}");
        assert!(found.high < 2.3 && found.high > 2.0, "{found:?}");
        assert_eq!(ratio(&[(&before, &after)]), Some(found));
    }

    #[test]
    fn cells_count_alike_however_large_their_numbers_are() {
        let (one, two) = (Sample::new([1.0]), Sample::new([2.0]));
        let (large, same) = (Sample::new([1e9]), Sample::new([1e9]));
        let found = ratio(&[(&one, &two), (&large, &same)]).unwrap();
        assert!((found.ratio - 2f64.sqrt()).abs() < 1e-9);
    }

    #[test]
    fn nothing_to_nothing_is_one_and_something_to_nothing_has_no_ratio() {
        let (zero, one) = (Sample::new([0.0, 0.0]), Sample::new([1.0]));
        assert_eq!(ratio(&[(&zero, &zero)]).unwrap().ratio, 1.0);
        assert_eq!(ratio(&[(&zero, &one)]), None);
        assert_eq!(ratio(&[]), None);
    }
}
