//! Whether one side's numbers are larger: Wilcoxon's rank test over several cells (van Elteren's), whose
//! result holds however the numbers are distributed.

use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::factorial::ln_binomial;

use super::sample::Sample;

/// What the ranks say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// By how many standard deviations the second sides rank higher.
    pub z: f64,
    /// The least chance that any numbers of so many runs could have.
    pub least: f64,
    /// Whether all numbers of each cell are the same, so that there is nothing to tell.
    pub is_constant: bool,
    /// Whether all numbers of the second side are above all of the first in each cell.
    is_above: bool,
    /// Whether they are below.
    is_below: bool,
}

/// Compares the second sample of each pair with the first. None if there is nothing to compare.
pub fn compare(pairs: &[(&Sample, &Sample)]) -> Option<Verdict> {
    let mut sum = 0.0;
    let mut variance = 0.0;
    let mut arrangements = 0.0;
    let (mut is_above, mut is_below) = (true, true);
    for (before, after) in pairs {
        if before.len() == 0 || after.len() == 0 {
            continue;
        }
        let (n, m) = (after.len() as f64, before.len() as f64);
        let all = n + m;
        let (ranks, ties) = ranks(before, after);
        // Each cell counts by how much it can tell.
        let weight = 1.0 / (all + 1.0);
        sum += weight * (ranks - n * (all + 1.0) / 2.0);
        variance +=
            weight * weight * n * m / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)).max(1.0));
        let ends = |sample: &Sample| (sample.values()[0], sample.values()[sample.len() - 1]);
        let ((lowest, highest), (least, most)) = (ends(before), ends(after));
        is_above &= least > highest;
        is_below &= most < lowest;
        arrangements += ln_binomial((before.len() + after.len()) as u64, after.len() as u64);
    }
    if arrangements == 0.0 {
        return None;
    }
    let is_constant = variance < 1e-12;
    Some(Verdict {
        is_constant,
        is_above,
        is_below,
        z: if is_constant {
            0.0
        } else {
            sum / variance.sqrt()
        },
        least: (-arrangements).exp(),
    })
}

impl Verdict {
    /// The chance that two equal sides give ranks so high for the second.
    pub fn chance_of_higher(&self) -> f64 {
        // Of the rarest order the chance is known; of others the normal distribution is close to it.
        if self.is_above {
            self.least
        } else {
            tail(self.z).max(self.least)
        }
    }

    /// The chance that two equal sides give ranks that lie so far apart.
    pub fn chance_of_different(&self) -> f64 {
        let one_side = if self.is_above || self.is_below {
            self.least
        } else {
            tail(self.z.abs()).max(self.least)
        };
        (2.0 * one_side).min(1.0)
    }
}

fn tail(z: f64) -> f64 {
    Normal::standard().sf(z)
}

/// The sum of the ranks of the second sample among all numbers, those of equal numbers being their mean,
/// and the sum of t³ - t over each t equal numbers.
fn ranks(before: &Sample, after: &Sample) -> (f64, f64) {
    let (before, after) = (before.values(), after.values());
    let (mut left, mut right) = (0, 0);
    let mut sum = 0.0;
    let mut ties = 0.0;
    while left < before.len() || right < after.len() {
        let value = match (before.get(left), after.get(right)) {
            (Some(one), Some(other)) => one.min(*other),
            (Some(value), None) | (None, Some(value)) => *value,
            (None, None) => break,
        };
        let equal = |values: &[f64]| values.iter().take_while(|next| **next == value).count();
        let (lefts, rights) = (equal(&before[left..]), equal(&after[right..]));
        let tied = (lefts + rights) as f64;
        let rank = (left + right) as f64 + (tied + 1.0) / 2.0;
        sum += rank * rights as f64;
        ties += tied.powi(3) - tied;
        left += lefts;
        right += rights;
    }
    (sum, ties)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: &[f64]) -> Sample {
        Sample::new(values.iter().copied())
    }

    #[test]
    fn ranks_of_equal_numbers_are_shared() {
        let (sum, ties) = ranks(&sample(&[1.0, 2.0, 2.0]), &sample(&[2.0, 3.0]));
        // Ranks 1, 3, 3 and 3, 5.
        assert_eq!((sum, ties), (8.0, 24.0));
    }

    #[test]
    fn no_chance_is_less_than_that_of_the_rarest_order() {
        let verdict = compare(&[(&sample(&[1.0, 2.0, 3.0]), &sample(&[4.0, 5.0, 6.0]))]).unwrap();
        assert!((verdict.chance_of_higher() - 0.05).abs() < 1e-9);
        assert!((verdict.chance_of_different() - 0.1).abs() < 1e-9);
    }

    #[test]
    fn cells_add_up() {
        let (low, high) = (sample(&[1.0, 2.0, 3.0]), sample(&[4.0, 5.0, 6.0]));
        let one = compare(&[(&low, &high)]).unwrap();
        let four = compare(&[(&low, &high); 4]).unwrap();
        assert!(four.chance_of_higher() < one.chance_of_higher() / 100.0);
        let mixed = compare(&[(&low, &high), (&high, &low)]).unwrap();
        assert!(mixed.z.abs() < 1e-9);
    }

    #[test]
    fn what_is_all_equal_does_not_differ() {
        let same = sample(&[3.0; 5]);
        let verdict = compare(&[(&same, &same)]).unwrap();
        assert_eq!(verdict.chance_of_different(), 1.0);
        assert!(verdict.is_constant);
        assert_eq!(compare(&[(&same, &Sample::default())]), None);
    }
}
