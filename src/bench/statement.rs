//! What a guest says it called, against what was seen.

use std::collections::BTreeMap;

use super::result::Function;

/// Calls by function.
pub type Calls = BTreeMap<String, u64>;

/// Reads the lines `calls FUNCTION NUMBER` of a guest's standard error, among others.
pub fn read(text: &str) -> Calls {
    let line = |line: &str| {
        let mut words = line.strip_prefix("calls ")?.split_whitespace();
        let (function, number) = (words.next()?, words.next()?);
        let is_name = function
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (is_name && words.next().is_none()).then_some((function.to_owned(), number.parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

/// In what the calls that were seen differ from those that were stated; functions that the runtime hides are
/// left out.
pub fn difference(stated: &Calls, seen: &[Function], hidden: &[String]) -> Option<String> {
    let seen: BTreeMap<&str, u64> = seen
        .iter()
        .map(|function| (function.func.as_str(), function.calls))
        .collect();
    let names = stated.keys().map(String::as_str);
    let mut names: Vec<&str> = names.chain(seen.keys().copied()).collect();
    names.sort_unstable();
    names.dedup();
    let differences: Vec<String> = names
        .into_iter()
        .filter(|name| !hidden.iter().any(|hidden| hidden == name))
        .filter_map(|name| {
            let stated = stated.get(name).copied().unwrap_or(0);
            let seen = seen.get(name).copied().unwrap_or(0);
            (stated != seen).then(|| format!("{name}: {seen} calls seen, {stated} stated"))
        })
        .collect();
    (!differences.is_empty()).then(|| differences.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(func: &str, calls: u64) -> Function {
        Function {
            func: func.to_owned(),
            calls,
            errors: 0,
            duration: 0,
            syscall_time: 0,
            syscalls: 0,
            bytes: None,
            syscall_bytes: 0,
            thread_hops: None,
            empty: 0,
            for_empty: 0,
            inside: BTreeMap::new(),
            p50: None,
            p99: None,
            max: None,
        }
    }

    #[test]
    fn statements_are_found_among_other_lines() {
        let text = "note: calls fd_read 1\ncalls fd_write 10\ncalls path_open 2\ncalls of the wild 3\nResult: <Empty Stack>\n";
        assert_eq!(
            read(text),
            Calls::from([("fd_write".to_owned(), 10), ("path_open".to_owned(), 2)])
        );
    }

    #[test]
    fn what_was_seen_has_to_be_what_was_stated() {
        let stated = read("calls fd_write 10\ncalls args_get 1\n");
        let same = [function("fd_write", 10), function("args_get", 1)];
        assert_eq!(difference(&stated, &same, &[]), None);
        let fewer = [function("fd_write", 9), function("args_get", 1)];
        assert_eq!(
            difference(&stated, &fewer, &[]).as_deref(),
            Some("fd_write: 9 calls seen, 10 stated")
        );
        let more = [
            function("fd_write", 10),
            function("args_get", 1),
            function("fd_read", 3),
        ];
        assert_eq!(
            difference(&stated, &more, &[]).as_deref(),
            Some("fd_read: 3 calls seen, 0 stated")
        );
    }

    #[test]
    fn a_function_that_the_runtime_hides_is_not_compared() {
        let stated = read("calls fd_write 10\ncalls args_get 1\n");
        let seen = [function("fd_write", 10)];
        assert_eq!(difference(&stated, &seen, &["args_get".to_owned()]), None);
    }
}
