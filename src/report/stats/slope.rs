//! Growth: the exponent of a power law, fitted to the logarithms of both sides.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::sample::LEVEL;

/// A fitted exponent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// y grows as x to the power of it.
    pub exponent: f64,
    /// Its standard error.
    pub error: f64,
    /// How many points there are beyond the two that every line has.
    pub freedom: f64,
}

/// Fits the points (x, y), all above zero. None with fewer than three different x, or without a point more
/// than a line needs.
pub fn fit(points: &[(f64, f64)]) -> Option<Slope> {
    let points: Vec<(f64, f64)> = points
        .iter()
        .filter(|(x, y)| *x > 0.0 && *y > 0.0)
        .map(|(x, y)| (x.ln(), y.ln()))
        .collect();
    let mut places: Vec<f64> = points.iter().map(|(x, _)| *x).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    if places.len() < 3 {
        return None;
    }
    let n = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / n;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / n;
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let common: f64 = points
        .iter()
        .map(|(x, y)| (x - mean_x) * (y - mean_y))
        .sum();
    let exponent = common / spread;
    let residual = |(x, y): &(f64, f64)| (y - mean_y - exponent * (x - mean_x)).powi(2);
    let freedom = n - 2.0;
    let variance = points.iter().map(residual).sum::<f64>() / freedom;
    Some(Slope {
        exponent,
        error: (variance / spread).sqrt(),
        freedom,
    })
}

impl Slope {
    /// The interval of the exponent.
    pub fn interval(&self) -> (f64, f64) {
        let reach = distribution(self.freedom).inverse_cdf(f64::midpoint(1.0, LEVEL)) * self.error;
        (self.exponent - reach, self.exponent + reach)
    }

    /// The chance that two equal exponents are measured so far apart, this one above the other (Welch).
    pub fn chance_above(&self, other: &Slope) -> f64 {
        let (one, two) = (self.error.powi(2), other.error.powi(2));
        let difference = self.exponent - other.exponent;
        // Points that lie on a line exactly say nothing about noise.
        let error = (one + two).sqrt().max(1e-6);
        let freedom = if one + two > 0.0 {
            (one + two).powi(2) / (one.powi(2) / self.freedom + two.powi(2) / other.freedom)
        } else {
            self.freedom.min(other.freedom)
        };
        distribution(freedom).sf(difference / error)
    }
}

fn distribution(freedom: f64) -> StudentsT {
    StudentsT::new(0.0, 1.0, freedom).expect("there is at least one point more than a line needs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(exponent: f64) -> Vec<(f64, f64)> {
        let mut random = fastrand::Rng::with_seed(7);
        [1.0, 10.0, 100.0, 1000.0f64]
            .iter()
            .flat_map(|x| [*x; 5])
            .map(|x| (x, x.powf(exponent) * random.f64().mul_add(0.1, 1.0)))
            .collect()
    }

    #[test]
    fn the_exponent_of_a_power_law_is_in_its_interval() {
        let slope = fit(&points(1.5)).unwrap();
        let (low, high) = slope.interval();
        assert!(low < 1.5 && 1.5 < high && high - low < 0.05, "{slope:?}");
    }

    #[test]
    fn different_exponents_are_told_apart_and_equal_ones_are_not() {
        let (square, line) = (fit(&points(2.0)).unwrap(), fit(&points(1.0)).unwrap());
        assert!(square.chance_above(&line) < 1e-9);
        assert!(line.chance_above(&square) > 0.99);
        assert!((line.chance_above(&line) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn two_scales_are_not_enough() {
        assert_eq!(fit(&[(1.0, 1.0), (10.0, 9.0), (10.0, 11.0)]), None);
        assert_eq!(fit(&[(1.0, 1.0), (0.0, 9.0), (10.0, 0.0)]), None);
    }
}
