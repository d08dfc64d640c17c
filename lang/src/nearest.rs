//! "Did you mean": the known name that is closest to a wrong one.

/// The candidate with the fewest edits (insert, delete, replace, swap neighbours) from the name, upper
/// and lower case alike, if that is few enough to be a slip.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    if name.len() > 64 {
        return None;
    }
    let allowed = (name.len() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            (
                edits(&name, &candidate.to_lowercase().chars().collect::<Vec<_>>()),
                candidate,
            )
        })
        .filter(|(edits, candidate)| *edits <= allowed && *edits < candidate.len())
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// The distance, row by row; two rows back for swapped neighbours.
fn edits(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn swapped_letters_are_one_slip() {
        assert_eq!(
            nearest("fd_wirte", ["fd_read", "fd_write", "fd_pwrite"]),
            Some("fd_write")
        );
    }

    #[test]
    fn the_case_does_not_matter() {
        assert_eq!(nearest("ebadf", ["EBADMSG", "EBADF"]), Some("EBADF"));
    }

    #[test]
    fn a_different_word_is_not_suggested() {
        assert_eq!(nearest("banana", ["duration", "errno"]), None);
        assert_eq!(nearest("x", ["ok"]), None);
    }
}
