//! Finding the script on a command line. Its parameters are options, too, so it has to be known before
//! the command line can be read.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use clap::Command;

/// What the command line says the script is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'a> {
    /// A file or a bundled script.
    File(&'a OsStr),
    /// The text itself, after `-e`.
    Text(&'a OsStr),
}

/// The script: what `-e` gives, else the first argument that is neither an option nor an option's value.
/// `options` are those that any script has.
pub fn script<'a>(arguments: &'a [OsString], options: &Command) -> Option<Named<'a>> {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let bytes = argument.as_bytes();
        if bytes == b"--" {
            return None;
        } else if bytes == b"-e" || bytes == b"--execute" {
            return arguments.next().map(|text| Named::Text(text));
        } else if let Some(text) = ["-e", "--execute="]
            .iter()
            .find_map(|option| bytes.strip_prefix(option.as_bytes()))
        {
            let text = text.strip_prefix(b"=").unwrap_or(text);
            return Some(Named::Text(OsStr::from_bytes(text)));
        } else if bytes.len() > 1 && bytes.starts_with(b"-") {
            if takes_value(options, argument) {
                arguments.next();
            }
        } else {
            return Some(Named::File(argument));
        }
    }
    None
}

/// Whether the value of an option is the next argument.
fn takes_value(options: &Command, option: &OsStr) -> bool {
    options.get_arguments().any(|known| {
        let short = known.get_short().map(|short| format!("-{short}"));
        let long = known.get_long().map(|long| format!("--{long}"));
        known.get_action().takes_values()
            && [short, long]
                .iter()
                .flatten()
                .any(|name| name.as_str() == option)
    })
}

/// `ewapa -e TEXT …` is short for `ewapa script -e TEXT …`, also when other options stand before.
/// `ewapa -l PROBE` is `ewapa list PROBE`. `arguments` begin with the program's name.
pub fn complete(mut arguments: Vec<OsString>, options: &Command) -> Vec<OsString> {
    let Some(first) = arguments.get(1).cloned() else {
        return arguments;
    };
    let has_text =
        first == "-e" || matches!(script(&arguments[1..], options), Some(Named::Text(_)));
    if first.as_bytes().starts_with(b"-") && has_text {
        arguments.insert(1, OsString::from("script"));
    }
    // As bpftrace's: `-l` and then the probe, or nothing.
    if first == "-l" || first == "-lv" {
        let verbose = arguments[1] == "-lv";
        arguments[1] = OsString::from("list");
        if verbose {
            arguments.push(OsString::from("-v"));
        }
    }
    arguments
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::command::script::Options;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[track_caller]
    fn finds(arguments: &[&str], named: Option<Named>) {
        assert_eq!(script(&words(arguments), &Options::command()), named);
    }

    #[test]
    fn the_script_is_the_first_argument_that_is_no_option() {
        let file = Some(Named::File(OsStr::new("x.ewq")));
        finds(&["x.ewq", "--", "cmd"], file);
        finds(&["-p", "1", "--timings", "x.ewq", "--min", "2"], file);
        finds(&["--output=o", "x.ewq"], file);
        finds(&["-"], Some(Named::File(OsStr::new("-"))));
        finds(&["-p", "1", "--", "x.ewq"], None);
    }

    #[test]
    fn a_text_may_stand_in_the_same_argument() {
        let text = Some(Named::Text(OsStr::new("begin { }")));
        finds(&["-e", "begin { }"], text);
        finds(&["-ebegin { }"], text);
        finds(&["--execute=begin { }", "--", "-e"], text);
        finds(&["-p", "1", "--execute", "begin { }"], text);
    }

    #[test]
    fn a_text_alone_is_a_script() {
        let completed = |arguments: &[&str]| complete(words(arguments), &Options::command());
        assert_eq!(
            completed(&["ewapa", "-p", "1", "-e", "x"]),
            words(&["ewapa", "script", "-p", "1", "-e", "x"])
        );
        assert_eq!(
            completed(&["ewapa", "-e"]),
            words(&["ewapa", "script", "-e"])
        );
        assert_eq!(
            completed(&["ewapa", "-l", "phase:*"]),
            words(&["ewapa", "list", "phase:*"])
        );
        for other in [
            &["ewapa"][..],
            &["ewapa", "--help"],
            &["ewapa", "guest", "-e", "x"],
            &["ewapa", "-p", "1", "--", "-e", "x"],
        ] {
            assert_eq!(completed(other), words(other));
        }
    }
}
