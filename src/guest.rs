//! The built-in runtime: wasmi with its WASI, for demonstrations and tests on machines without a runtime.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use wasmi::{Config, Engine, Linker, Module, Store};
use wasmi_wasi::{Dir, WasiCtx, WasiCtxBuilder, ambient_authority};

/// The bundled modules by name.
const MODULES: &[(&str, &str)] = &[("demo.wat", include_str!("../guests/demo.wat"))];

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file.
    #[error("cannot read the module {name}: {source}")]
    Read {
        /// Its name.
        name: String,
        /// Why.
        source: std::io::Error,
    },
    /// The directory.
    #[error("cannot open the directory {name}: {source}")]
    Directory {
        /// Its name.
        name: String,
        /// Why.
        source: std::io::Error,
    },
    /// The text format.
    #[error("cannot translate the module from text: {0}")]
    Text(#[from] wat::Error),
    /// The module, or what it did.
    #[error("the guest failed: {0}")]
    Guest(#[from] wasmi::Error),
    /// WASI.
    #[error("cannot set up WASI: {0}")]
    Wasi(String),
}

/// Sends what this process writes to its standard output to `/dev/null` from now on.
///
/// # Errors
/// There is no `/dev/null`.
pub fn discard_output() -> std::io::Result<()> {
    use std::os::fd::AsRawFd;
    let null = std::fs::OpenOptions::new().write(true).open("/dev/null")?;
    // SAFETY: both descriptors are open.
    match unsafe { libc::dup2(null.as_raw_fd(), libc::STDOUT_FILENO) } {
        -1 => Err(std::io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Runs a module's `_start` with the standard descriptors of this process, and with a directory if one is given.
/// Returns its exit code.
///
/// # Errors
/// The module or the directory is not there, or the module is not valid, or it trapped.
pub fn run(name: &OsStr, arguments: &[OsString], directory: Option<&Path>) -> Result<u8, Error> {
    let shown = name.to_string_lossy();
    let bytes = match MODULES.iter().find(|(known, _)| *known == shown) {
        Some((_, text)) => text.as_bytes().to_vec(),
        None => std::fs::read(Path::new(name)).map_err(|source| Error::Read {
            name: shown.clone().into_owned(),
            source,
        })?,
    };
    let wasm = wat::parse_bytes(&bytes)?;

    let engine = Engine::new(&Config::default());
    let module = Module::new(&engine, &wasm)?;
    let mut linker = <Linker<WasiCtx>>::new(&engine);
    wasmi_wasi::add_to_linker(&mut linker, |context| context)
        .map_err(|error| Error::Wasi(error.to_string()))?;
    let mut builder = WasiCtxBuilder::new();
    let arguments: Vec<String> = std::iter::once(name)
        .chain(arguments.iter().map(OsString::as_os_str))
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    builder
        .inherit_stdio()
        .args(&arguments)
        .map_err(|error| Error::Wasi(error.to_string()))?;
    if let Some(path) = directory {
        let opened = Dir::open_ambient_dir(path, ambient_authority());
        let opened = opened.map_err(|source| Error::Directory {
            name: path.display().to_string(),
            source,
        })?;
        builder
            .preopened_dir(opened, path)
            .map_err(|error| Error::Wasi(error.to_string()))?;
    }
    let mut store = Store::new(&engine, builder.build());
    let instance = linker.instantiate_and_start(&mut store, &module)?;
    let start = instance.get_typed_func::<(), ()>(&store, "_start")?;
    match start.call(&mut store, ()) {
        Ok(()) => Ok(0),
        Err(error) => match error.i32_exit_status() {
            Some(status) => Ok(status as u8),
            None => Err(Error::Guest(error)),
        },
    }
}
