//! Words for people.

/// A number of things: `1 row`, `2 rows`.
pub fn count(number: usize, thing: &str) -> String {
    let ending = match (number, thing) {
        (1, _) => "",
        (_, thing) if thing.ends_with("ss") => "es",
        _ => "s",
    };
    format!("{number} {thing}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_has_no_plural() {
        assert_eq!(count(1, "row"), "1 row");
        assert_eq!(count(0, "row"), "0 rows");
        assert_eq!(count(2, "process"), "2 processes");
    }
}
