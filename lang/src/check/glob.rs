//! Globs over names: `*`, `?` and `{a,b}`.

/// A glob with many braces stands for at most so many.
pub const MAX_ALTERNATIVES: usize = 256;

/// The globs without braces that a glob with braces stands for; none if there are too many.
pub fn alternatives(glob: &str) -> Option<Vec<String>> {
    let mut heads = vec![String::new()];
    let mut rest = glob;
    while let Some((before, after)) = rest.split_once('{') {
        let (inside, after) = after.split_once('}').unwrap_or((after, ""));
        let choices: Vec<&str> = inside.split(',').map(str::trim).collect();
        if heads.len() * choices.len() > MAX_ALTERNATIVES {
            return None;
        }
        heads = heads
            .iter()
            .flat_map(|head| {
                choices
                    .iter()
                    .map(move |choice| format!("{head}{before}{choice}"))
            })
            .collect();
        rest = after;
    }
    Some(heads.into_iter().map(|head| head + rest).collect())
}

/// Whether the text is more than a name.
pub fn is_glob(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Whether a name matches a glob that may have braces; one with too many of them matches nothing.
pub fn matches_any(glob: &str, name: &str) -> bool {
    let globs = alternatives(glob).unwrap_or_default();
    globs.iter().any(|glob| matches(glob, name))
}

/// Whether a name matches a glob without braces.
pub fn matches(glob: &str, name: &str) -> bool {
    let (glob, name) = (glob.as_bytes(), name.as_bytes());
    let (mut at, mut in_name) = (0, 0);
    // Where to go on if what follows the last `*` does not match: after it, one byte later in the name.
    let mut retry = None;
    while in_name < name.len() {
        match glob.get(at) {
            Some(b'*') => {
                retry = Some((at + 1, in_name));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            _ => match retry {
                Some((after_star, tried)) => {
                    retry = Some((after_star, tried + 1));
                    (at, in_name) = (after_star, tried + 1);
                }
                None => return false,
            },
        }
    }
    glob[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match_what_they_do_in_a_shell() {
        assert!(matches("fd_*", "fd_write"));
        assert!(matches("*_p*", "fd_pwrite"));
        assert!(matches("fd_?ell", "fd_tell"));
        assert!(matches("*", ""));
        assert!(!matches("fd_", "fd_write"));
        assert!(!matches("fd_*x", "fd_write"));
    }

    #[test]
    fn braces_stand_for_each_of_their_parts() {
        assert_eq!(
            alternatives("fd_{read, pread}*").unwrap(),
            ["fd_read*", "fd_pread*"]
        );
        assert_eq!(
            alternatives("{a,b}{c,d}").unwrap(),
            ["ac", "ad", "bc", "bd"]
        );
        assert_eq!(alternatives("x").unwrap(), ["x"]);
    }

    #[test]
    fn braces_do_not_multiply_without_end() {
        assert_eq!(alternatives(&"{a,b}".repeat(60)), None);
    }
}
