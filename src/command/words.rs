//! A command in one text, as `-c` takes it: split into words as a shell does, without its variables,
//! globs and pipes.

use std::ffi::OsString;

/// What makes a text one for a shell.
const SHELL: &[char] = &['|', '&', ';', '<', '>', '$', '`', '(', ')'];

/// The words. Quotes keep blanks; a backslash keeps the next character, within `'…'` it is one itself.
///
/// # Errors
/// A quote is not closed, there is no word, or the text is one for a shell; a sentence that goes on from
/// "the command".
pub fn split(text: &str) -> Result<Vec<OsString>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                quoted(&mut letters, letter, word)?;
            }
            '\\' => {
                let next = letters.next().ok_or("ends with a backslash")?;
                word.get_or_insert_default().push(next);
            }
            blank if blank.is_whitespace() => words.extend(word.take()),
            shell if SHELL.contains(&shell) => {
                return Err(format!(
                    "has a `{shell}`, which only a shell understands; write `sh -c '…'`, or quote it"
                ));
            }
            letter => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    if words.is_empty() {
        return Err("has no words".to_owned());
    }
    Ok(words.into_iter().map(OsString::from).collect())
}

fn quoted(letters: &mut std::str::Chars<'_>, quote: char, word: &mut String) -> Result<(), String> {
    loop {
        match letters.next() {
            None => return Err(format!("has a `{quote}` that is not closed")),
            Some(letter) if letter == quote => return Ok(()),
            Some('\\') if quote == '"' => match letters.next() {
                Some(next @ ('"' | '\\' | '$' | '`')) => word.push(next),
                Some(next) => word.extend(['\\', next]),
                None => return Err(format!("has a `{quote}` that is not closed")),
            },
            Some(letter) => word.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn splits(text: &str, words: &[&str]) {
        assert_eq!(
            split(text).unwrap(),
            words.iter().map(OsString::from).collect::<Vec<_>>()
        );
    }

    #[test]
    fn quotes_keep_blanks() {
        splits("wasmtime run  a.wasm", &["wasmtime", "run", "a.wasm"]);
        splits(
            "sh -c 'echo \"a b\" | cat'",
            &["sh", "-c", "echo \"a b\" | cat"],
        );
        splits("a\"b c\"d ''", &["ab cd", ""]);
        splits("a\\ b \"c\\\"d\\n\" 'e\\'", &["a b", "c\"d\\n", "e\\"]);
    }

    #[test]
    fn what_a_shell_would_do_is_refused() {
        for (text, why) in [
            ("", "no words"),
            ("a 'b", "not closed"),
            ("a \"b\\", "not closed"),
            ("a\\", "backslash"),
            ("a | b", "only a shell"),
            ("a $HOME", "only a shell"),
        ] {
            let error = split(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
