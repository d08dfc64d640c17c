//! The machine that scripts are compiled for: its tracepoints, the static probes of its files, and the
//! files that scripts import.

mod files;
mod kernel_functions;
mod tracefs;

pub use files::{FileError, find as find_file};
pub use kernel_functions::{KernelFunction, KernelFunctions};
pub use tracefs::{format_id, kernel_functions, traceable};

use std::path::{Path, PathBuf};

use ewapa_lang::Environment;
use ewapa_lang::glob;
use ewapa_lang::host::{Field, Host, UsdtArgument};
use ewapa_symbols::{Catalogue, Note};

use crate::bundled;

/// This machine.
#[derive(Debug)]
pub struct Machine;

/// What scripts are compiled with here: `names` are the runtimes of the catalogue, `name` is what the
/// script is known as.
pub fn environment<'a>(names: &'a [&'a str], name: Option<&'a str>) -> Environment<'a> {
    Environment {
        runtimes: names,
        host: Some(&Machine),
        name,
        ..Environment::EMPTY
    }
}

/// The names of the runtimes, for [`environment`].
pub fn runtimes() -> Vec<&'static str> {
    Catalogue::in_use().names()
}

impl Host for Machine {
    fn tracepoints(&self, category: &str, name: &str) -> Result<Vec<(String, String)>, String> {
        tracefs::tracepoints(category, name)
    }

    fn fields(&self, category: &str, name: &str) -> Result<Vec<Field>, String> {
        tracefs::fields(category, name)
    }

    fn parameters(&self, function: &str) -> Result<Vec<Field>, String> {
        Ok(KernelFunctions::read()?.find(function)?.fields)
    }

    fn usdt_arguments(
        &self,
        path: &str,
        provider: &str,
        name: &str,
    ) -> Result<Vec<UsdtArgument>, String> {
        let notes = static_probes(path, provider, name)?;
        Ok(common_arguments(&notes))
    }

    fn import(&self, path: &str, from: Option<&str>) -> Result<(String, String), String> {
        let beside = from
            .and_then(|from| Path::new(from).parent())
            .map_or_else(|| PathBuf::from(path), |folder| folder.join(path));
        match std::fs::read(&beside) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Ok((text, beside.display().to_string())),
                Err(_) => Err(format!("{} is not UTF-8 text", beside.display())),
            },
            Err(error) => match bundled::script(path.trim_end_matches(".ewq")) {
                Some(text) => Ok((text.to_owned(), path.to_owned())),
                None => Err(format!("{}: {error}", beside.display())),
            },
        }
    }
}

/// The places of a static probe. An empty provider stands for any.
///
/// # Errors
/// The file cannot be read, or has no such probe; what to do is said.
pub fn static_probes(path: &str, provider: &str, name: &str) -> Result<Vec<Note>, String> {
    let file = files::find(path).map_err(|error| error.to_string())?;
    let notes = ewapa_symbols::notes(&file).map_err(|error| error.to_string())?;
    let is_wanted = |note: &&Note| {
        (provider.is_empty() || glob::matches_any(provider, &note.provider))
            && glob::matches_any(name, &note.name)
    };
    let found: Vec<Note> = notes.iter().filter(is_wanted).cloned().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let shown = file.display();
    if notes.is_empty() {
        return Err(format!(
            "{shown} has no static probes at all (no notes of sys/sdt.h)"
        ));
    }
    let near = ewapa_lang::nearest(name, notes.iter().map(|note| note.name.as_str()));
    let hint = match near.and_then(|near| notes.iter().find(|note| note.name == near)) {
        Some(note) => format!("did you mean `{}:{}`?", note.provider, note.name),
        None => format!("`ewapa list 'usdt:{path}:*'` shows those that it has"),
    };
    let wanted = if provider.is_empty() {
        name.to_owned()
    } else {
        format!("{provider}:{name}")
    };
    Err(format!("{shown} has no static probe `{wanted}`; {hint}"))
}

/// The raw tracepoints that a glob matches, sorted. They have the names of the others, but for system calls, where two
/// serve all.
///
/// # Errors
/// tracefs cannot be read.
pub fn raw_tracepoints(wanted: &str) -> Result<Vec<String>, String> {
    let known = tracefs::tracepoints("*", "*")?;
    let mut names: Vec<String> = known
        .into_iter()
        .filter(|(category, _)| category != "syscalls")
        .map(|(_, name)| name)
        .filter(|name| glob::matches_any(wanted, name))
        .collect();
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// What may be meant by a name that is none of these: to go on with behind a `;`.
pub fn did_you_mean(name: &str, known: &[String], list: &str) -> String {
    match ewapa_lang::nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("`ewapa list '{list}'` shows those that it has"),
    }
}

/// The arguments up to the first one that is not at the same place wherever the probe is: one program
/// serves all of its places.
fn common_arguments(notes: &[Note]) -> Vec<UsdtArgument> {
    let Some((first, others)) = notes.split_first() else {
        return Vec::new();
    };
    let same = |index: usize| {
        let of_first = first.arguments.get(index);
        others
            .iter()
            .all(|other| other.arguments.get(index) == of_first)
    };
    (0..first.arguments.len())
        .take_while(|index| same(*index))
        .map(|index| first.arguments[index])
        .collect()
}

#[cfg(test)]
mod tests {
    use ewapa_lang::host::UsdtPlace;
    use ewapa_symbols::FileOffset;

    use super::*;

    fn note(places: &[i64]) -> Note {
        Note {
            provider: "p".to_owned(),
            name: "n".to_owned(),
            offset: FileOffset(1),
            semaphore: None,
            arguments: places
                .iter()
                .map(|place| UsdtArgument {
                    size: 8,
                    signed: false,
                    place: UsdtPlace::Constant(*place),
                })
                .collect(),
        }
    }

    #[test]
    fn arguments_count_as_far_as_all_places_agree() {
        assert_eq!(common_arguments(&[note(&[1, 2]), note(&[1, 3])]).len(), 1);
        assert_eq!(common_arguments(&[note(&[1, 2]), note(&[1])]).len(), 1);
        assert_eq!(common_arguments(&[note(&[1, 2])]).len(), 2);
    }

    #[test]
    fn an_import_is_looked_for_beside_the_importing_script() {
        let folder = std::env::temp_dir().join(format!("ewapa-import-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("lib.ewq"), "macro").unwrap();
        let from = folder.join("main.ewq");
        let (text, name) = Machine.import("lib.ewq", from.to_str()).unwrap();
        assert_eq!(text, "macro");
        assert_eq!(Path::new(&name), folder.join("lib.ewq"));
        let error = Machine.import("missing.ewq", from.to_str()).unwrap_err();
        assert!(error.contains("missing.ewq: No such file"), "{error}");
        assert!(Machine.import("wasi_summary.ewq", None).is_ok());
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_without_static_probes_says_so() {
        let error = static_probes("/proc/self/exe", "", "x").unwrap_err();
        assert!(error.contains("no static probes at all"), "{error}");
    }
}
