//! The runs of one cell: their median and how far it is to be trusted.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use statrs::function::beta::beta_reg;

/// How sure an interval is: the share of repeated experiments whose interval has the true value.
pub const LEVEL: f64 = 0.95;

/// Numbers in ascending order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample(Vec<f64>);

/// A median with its spread.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// How many numbers there were.
    pub n: usize,
    /// Half of them are at most this.
    pub median: f64,
    /// The lower end of the median's bootstrap interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// The median of the distances from the median.
    pub mad: f64,
}

impl Sample {
    /// The numbers of a sample; what is none is left out.
    pub fn new(values: impl IntoIterator<Item = f64>) -> Sample {
        let mut values: Vec<f64> = values
            .into_iter()
            .filter(|value| value.is_finite())
            .collect();
        values.sort_by(f64::total_cmp);
        Sample(values)
    }

    /// The numbers, the smallest first.
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The median; none of nothing.
    pub fn median(&self) -> Option<f64> {
        let middle = self.len() / 2;
        match self.len() {
            0 => None,
            n if n % 2 == 1 => Some(self.0[middle]),
            _ => Some(f64::midpoint(self.0[middle - 1], self.0[middle])),
        }
    }

    /// The median with its spread; none of nothing.
    pub fn estimate(&self) -> Option<Estimate> {
        let median = self.median()?;
        let distances = self.0.iter().map(|value| (value - median).abs());
        let tail = (1.0 - LEVEL) / 2.0;
        Some(Estimate {
            n: self.len(),
            median,
            low: self.resampled(tail),
            high: self.resampled(1.0 - tail),
            mad: Sample::new(distances).median()?,
        })
    }

    /// The quantile of the median's bootstrap distribution: the median of this many numbers, drawn with
    /// replacement from the sample, is at most this with the probability `chance`.
    ///
    /// The sample must not be empty.
    pub fn resampled(&self, chance: f64) -> f64 {
        let chances = chances(self.len());
        let place = chances.partition_point(|below| *below < chance - 1e-12);
        self.0[place.min(self.len() - 1)]
    }
}

thread_local! {
    static CHANCES: RefCell<HashMap<usize, Rc<[f64]>>> = RefCell::default();
}

/// With what chance the median of a resample is at most the k-th of `n` numbers. No number has to be drawn
/// for it: the median of 2m + 1 draws is at most the k-th if more than m of the draws are, which is
/// binomial. For an even n it is the beta distribution between those of its neighbours.
fn chances(n: usize) -> Rc<[f64]> {
    let computed = || {
        let half = (n as f64 + 1.0) / 2.0;
        let chance = |k: usize| beta_reg(half, half, k as f64 / n as f64);
        (1..=n).map(chance).collect()
    };
    CHANCES.with_borrow_mut(|known| Rc::clone(known.entry(n).or_insert_with(computed)))
}

impl Estimate {
    /// The median absolute deviation as a part of the median; none of a single number, or of zero.
    pub fn spread(&self) -> Option<f64> {
        (self.n > 1 && self.median > 0.0).then(|| self.mad / self.median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_stray_run_does_not_move_the_median() {
        let sample = Sample::new([10.0, 11.0, 12.0, 11.5, 900.0]);
        let estimate = sample.estimate().unwrap();
        assert_eq!((estimate.n, estimate.median, estimate.mad), (5, 11.5, 0.5));
    }

    #[test]
    fn the_interval_is_that_of_drawing_resamples() {
        let sample = Sample::new((1..=15).map(f64::from));
        let mut random = fastrand::Rng::with_seed(1);
        let medians = Sample::new((0..20_000).map(|_| {
            let drawn = (0..15).map(|_| sample.values()[random.usize(..15)]);
            Sample::new(drawn).median().unwrap()
        }));
        for chance in [0.1, 0.5, 0.9] {
            let drawn = medians.values()[(chance * 20_000.0) as usize];
            assert!((sample.resampled(chance) - drawn).abs() <= 1.0, "{chance}");
        }
        let exact = chances(15)[5];
        let drawn = medians.values().partition_point(|median| *median <= 6.0) as f64 / 20_000.0;
        assert!((exact - drawn).abs() < 0.01, "{exact} {drawn}");
    }

    #[test]
    fn of_few_runs_the_interval_is_their_range() {
        let estimate = Sample::new([1.0, 2.0, 3.0]).estimate().unwrap();
        assert_eq!((estimate.low, estimate.high), (1.0, 3.0));
        assert_eq!(Sample::new([1.0]).estimate().unwrap().spread(), None);
        assert_eq!(Sample::default().estimate(), None);
    }

    #[test]
    fn more_runs_make_the_interval_narrower() {
        let of = |n: u32| Sample::new((0..n).map(|k| f64::from(k) / f64::from(n)));
        let width = |n| of(n).estimate().map(|it| it.high - it.low).unwrap();
        assert!(width(100) < width(25) && width(25) < width(9));
    }
}
