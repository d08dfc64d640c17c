//! Many comparisons at once.

/// Holm's correction: each chance as it is when all of them are looked at. If those below a limit are
/// taken for true, any of them is false with at most the chance of that limit.
pub fn adjusted(chances: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..chances.len()).collect();
    order.sort_by(|one, other| chances[*one].total_cmp(&chances[*other]));
    let mut adjusted = vec![0.0; chances.len()];
    let mut largest: f64 = 0.0;
    for (done, index) in order.into_iter().enumerate() {
        let left = (chances.len() - done) as f64;
        largest = largest.max((chances[index] * left).min(1.0));
        adjusted[index] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_counts_for_all_and_the_order_stays() {
        assert_eq!(adjusted(&[0.5, 0.01, 0.03]), [0.5, 0.03, 0.06]);
        assert_eq!(adjusted(&[0.4, 0.3]), [0.6, 0.6]);
    }
}
