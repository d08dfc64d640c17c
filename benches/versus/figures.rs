//! Samples of the rounds, and what is made of them.

use serde_json::{Value, json};

/// One value a round; some rounds may have none.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Those of the rounds that have one.
    pub fn new(values: impl IntoIterator<Item = f64>) -> Samples {
        Samples(values.into_iter().collect())
    }

    /// The middle one, or the mean of the two in the middle.
    pub fn median(&self) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => None,
            odd if odd % 2 == 1 => Some(sorted[middle]),
            _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
        }
    }

    fn range(&self) -> (f64, f64) {
        let least = self.0.iter().copied().fold(f64::INFINITY, f64::min);
        let most = self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (least, most)
    }

    /// How many times `other` this is, by the medians.
    pub fn ratio(&self, other: &Samples) -> Option<f64> {
        let (this, other) = (self.median()?, other.median()?);
        (other > 0.0).then_some(this / other)
    }

    /// Each divided by a number.
    pub fn divided(&self, by: f64) -> Samples {
        Samples(self.0.iter().map(|value| value / by).collect())
    }

    /// For the JSON.
    pub fn json(&self) -> Value {
        let Some(median) = self.median() else {
            return Value::Null;
        };
        let (min, max) = self.range();
        json!({ "median": median, "min": min, "max": max, "samples": self.0 })
    }
}
