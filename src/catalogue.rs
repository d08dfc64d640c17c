//! The catalogue that a run works with: the bundled one, the user's own files, and those of `--catalogue`.

use std::ffi::OsString;
use std::path::PathBuf;

use ewapa_symbols::{Catalogue, CatalogueError, catalogue_files};

use crate::engine::privileges::user;
use crate::failure::{Failure, Kind};

/// Where catalogue files are.
#[derive(Debug, Default, Clone, clap::Args)]
pub struct Folders {
    /// Read descriptions of runtimes (*.toml) from this folder, besides the bundled ones and those in
    /// ~/.config/ewapa/catalogue; may be given several times
    #[arg(long = "catalogue", value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    folders: Vec<PathBuf>,
}

impl Folders {
    /// Makes the bundled catalogue and these files the one that is in use.
    ///
    /// # Errors
    /// A folder or a file cannot be read, is not trusted, or does not describe a runtime.
    pub fn load(&self) -> Result<(), Failure> {
        let mut files = Vec::new();
        if let Some(folder) = configured().filter(|folder| folder.is_dir()) {
            match catalogue_files(&folder, &[0, user::effective()]) {
                Ok(found) => files = found,
                // `sudo ewapa` must not do what a file says that root did not write.
                Err(error @ CatalogueError::Owner { .. }) if user::is_root() => {
                    say!("ewapa: {error}");
                }
                Err(error) => return Err(failed(&error)),
            }
        }
        for folder in &self.folders {
            let owners = [0, user::effective(), user::uid()];
            let found = catalogue_files(folder, &owners).map_err(|error| failed(&error))?;
            if found.is_empty() {
                let message = format!("{} has no catalogue file (*.toml)", folder.display());
                return Err(Failure::new(Kind::NoInput, message));
            }
            files.extend(found);
        }
        if !files.is_empty() {
            let catalogue = Catalogue::with(&files).map_err(|error| failed(&error))?;
            Catalogue::use_everywhere(catalogue);
        }
        Ok(())
    }

    /// Reads the folders off a command line that cannot be parsed yet, as the script's own options are not
    /// known. What is wrong with it is told when it is parsed.
    pub fn of(arguments: &[OsString]) -> Folders {
        let mut folders = Vec::new();
        let mut arguments = arguments.iter().take_while(|argument| *argument != "--");
        while let Some(argument) = arguments.next() {
            if argument == "--catalogue" {
                folders.extend(arguments.next().map(PathBuf::from));
            } else if let Some(folder) = argument
                .to_str()
                .and_then(|text| text.strip_prefix("--catalogue="))
            {
                folders.push(PathBuf::from(folder));
            }
        }
        Folders { folders }
    }
}

/// The user's own folder.
fn configured() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let config = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(config.join("ewapa/catalogue"))
}

fn failed(error: &CatalogueError) -> Failure {
    Failure::new(Kind::NoInput, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_read_off_before_the_command() {
        let arguments = [
            "x.ewq",
            "--catalogue",
            "a",
            "--catalogue=b",
            "--",
            "--catalogue=c",
        ];
        let options = Folders::of(&arguments.map(OsString::from));
        assert_eq!(options.folders, [PathBuf::from("a"), PathBuf::from("b")]);
    }
}
