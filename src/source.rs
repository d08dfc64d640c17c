//! Where scripts come from: files, standard input, the command line, and those that are bundled.

use std::ffi::OsStr;
use std::io::{IsTerminal, Read};
use std::path::Path;

use ewapa_lang::Diagnostic;

use crate::bundled;
use crate::failure::{Failure, Kind};

/// A script's text and what it is called.
#[derive(Debug)]
pub struct Source {
    /// For people.
    pub name: String,
    /// The text.
    pub text: String,
}

impl Source {
    /// A script that was given on the command line.
    ///
    /// # Errors
    /// It is no text.
    pub fn inline(text: &OsStr) -> Result<Source, Failure> {
        Source::decode("-e".to_owned(), text.as_encoded_bytes().to_vec())
    }

    /// A script file, a bundled script if there is no file of that name, or `-`: standard input.
    ///
    /// # Errors
    /// The script cannot be read, or is no text.
    pub fn find(name: &OsStr) -> Result<Source, Failure> {
        if let Some(text) = name.to_str().and_then(bundled::script)
            && !Path::new(name).exists()
        {
            return Ok(Source {
                name: name.to_string_lossy().into_owned(),
                text: text.to_owned(),
            });
        }
        Source::read(name).map_err(|mut failure| {
            if failure.kind == Kind::NoInput {
                let names: Vec<&str> = bundled::SCRIPTS.iter().map(|(name, _)| *name).collect();
                failure.text += &format!("; the bundled scripts are {}", names.join(", "));
            }
            failure
        })
    }

    /// A script file, or `-`: standard input.
    ///
    /// # Errors
    /// The script cannot be read, or is no text.
    pub fn read(name: &OsStr) -> Result<Source, Failure> {
        let shown = Path::new(name).display().to_string();
        let read = if name == "-" {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
        } else {
            std::fs::read(name)
        };
        let bytes = read.map_err(|error| {
            Failure::new(
                Kind::NoInput,
                format!("cannot read the script {shown}: {error}"),
            )
        })?;
        Source::decode(shown, bytes)
    }

    fn decode(name: String, bytes: Vec<u8>) -> Result<Source, Failure> {
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Source { name, text }),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let text = format!("ewapa: {name} is not a script: byte {at} is not UTF-8 text\n");
                Err(Failure::new(Kind::Script, text))
            }
        }
    }

    /// The errors of this script as a failure.
    pub fn failure(&self, errors: &[Diagnostic]) -> Failure {
        let color = std::io::stderr().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Failure::new(
            Kind::Script,
            ewapa_lang::render(errors, &self.name, &self.text, color),
        )
    }
}
