//! The runtimes that the tests run, and how each is told to run a guest.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use ewapa_lang::wasi::Function;

use super::{host, skip, wasm3};

/// A runtime of tests/runtimes/install.sh, or the one in ewapa.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// The command line of wasmtime.
    Wasmtime,
    /// wasmtime as a library, in Python.
    LibWasmtime,
    /// The command line of wasmi.
    Wasmi,
    /// The command line of Wasmer.
    Wasmer,
    /// The command line of WAMR, as it was in 2022.
    Iwasm,
    /// WAMR 2.4.3 with the small command line of tests/runtimes.
    Wamr,
    /// wasm3 with the small command line of tests/runtimes.
    Wasm3,
    /// Node.js.
    Node,
    /// A later Node.js.
    NodeNew,
    /// wazero in the command line of buf, which runs guests as plugins. They have no directory, and what they write to
    /// descriptor 1 is not passed on. Not among [`Runtime::ALL`].
    Wazero,
    /// `ewapa guest`. Its guests have no directory: descriptor 3 is not open.
    Builtin,
}
/// A command with what it needs around it.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The program and its arguments.
    pub words: Vec<OsString>,
    /// Where it runs.
    pub directory: PathBuf,
    /// What is added to its environment.
    pub environment: Vec<(&'static str, OsString)>,
}

impl Runtime {
    /// All of them.
    pub const ALL: [Runtime; 10] = [
        Runtime::Wasmtime,
        Runtime::LibWasmtime,
        Runtime::Wasmi,
        Runtime::Wasmer,
        Runtime::Iwasm,
        Runtime::Wamr,
        Runtime::Wasm3,
        Runtime::Node,
        Runtime::NodeNew,
        Runtime::Builtin,
    ];

    /// The file that ewapa finds the runtime in.
    pub fn binary(self) -> PathBuf {
        let below = match self {
            Runtime::Wasmtime => "wasmtime-48.0.8/bin/wasmtime",
            Runtime::LibWasmtime => "libwasmtime-50.0.1/wasmtime/linux-x86_64/_libwasmtime.so",
            Runtime::Wasmi => "wasmi-2.0.0/bin/wasmi",
            Runtime::Wasmer => "wasmer-7.4.2/bin/wasmer",
            Runtime::Iwasm => "iwasm-0.1.1/bin/iwasm",
            Runtime::Wamr => "wamr-2.4.3/bin/iwasm",
            Runtime::Wasm3 => "wasm3-0.3.0/bin/wasm3",
            Runtime::Node => "node-22.23.3/bin/node",
            Runtime::NodeNew => "node-24.21.0/bin/node",
            Runtime::Wazero => "buf-1.75.0/bin/buf",
            Runtime::Builtin => return host::ewapa(),
        };
        root().join(below)
    }

    /// Whether the test can run: root, and the runtime installed. Says or fails, if not.
    pub fn is_ready(self) -> bool {
        let installed = self.binary().exists();
        if !installed {
            skip(&format!(
                "{} is missing: run tests/runtimes/install.sh",
                self.binary().display()
            ));
        }
        installed && super::is_root()
    }

    /// The name that ewapa has for it in `by runtime`, without the version.
    pub fn name(self) -> &'static str {
        match self {
            Runtime::Wasmtime | Runtime::LibWasmtime => "wasmtime",
            Runtime::Wasmi | Runtime::Builtin => "wasmi",
            Runtime::Wasmer => "wasmer",
            Runtime::Iwasm | Runtime::Wamr => "wamr",
            Runtime::Wasm3 => "wasm3",
            Runtime::Node | Runtime::NodeNew => "node",
            Runtime::Wazero => "wazero",
        }
    }

    /// What the documentation calls it.
    pub fn title(self) -> &'static str {
        match self {
            Runtime::Wasmtime => "wasmtime 48.0.8",
            Runtime::LibWasmtime => "libwasmtime 50.0.1",
            Runtime::Wasmi => "wasmi 2.0.0",
            Runtime::Wasmer => "Wasmer 7.4.2",
            Runtime::Iwasm => "WAMR of wamr-sys 0.1.1",
            Runtime::Wamr => "WAMR 2.4.3",
            Runtime::Wasm3 => "wasm3 0.4.7",
            Runtime::Node => "Node.js 22.23.3",
            Runtime::NodeNew => "Node.js 24.21.0",
            Runtime::Wazero => "wazero 1.12.0 in buf 1.75.0",
            Runtime::Builtin => "ewapa guest",
        }
    }

    /// Whether it implements the function. A guest that imports another one does not start.
    pub fn has(self, function: Function) -> bool {
        match self {
            // Older than the function.
            Runtime::Iwasm => function.name() != "sock_accept",
            Runtime::Wasm3 => {
                function.name() == "proc_exit" || wasm3::FUNCTIONS.contains(&function.name())
            }
            // One function stands for both.
            Runtime::Wazero => !["fd_fdstat_set_rights", "proc_raise"].contains(&function.name()),
            _ => true,
        }
    }

    /// Whether arguments that are addresses are those of the guest: WAMR and Node.js turn them into addresses of
    /// the host before ewapa sees them.
    pub fn shows_addresses(self) -> bool {
        !matches!(self.name(), "wamr" | "node")
    }

    /// Runs a module with `directory` as the guest's descriptor 3.
    pub fn run(self, module: &Path, directory: &Path) -> Invocation {
        let binary = self.binary();
        let host = |name: &str| {
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/hosts")
                .join(name)
        };
        if self == Runtime::Wazero {
            let config = format!(
                r#"{{"version":"v2","plugins":[{{"plugin":"{}"}}],"lint":{{"use":["STANDARD"]}}}}"#,
                module.display()
            );
            let words = [binary, "lint".into(), "--config".into(), config.into()];
            return Invocation {
                directory: host("buf"),
                ..Invocation::of(words)
            };
        }
        let mut words: Vec<OsString> = match self {
            Runtime::Wasmtime | Runtime::Wasmi => vec![
                binary.into(),
                "run".into(),
                "--dir".into(),
                directory.into(),
            ],
            Runtime::Wasmer => {
                let mut volume = OsString::from(directory);
                volume.push(":/");
                vec![binary.into(), "run".into(), "--volume".into(), volume]
            }
            Runtime::Iwasm | Runtime::Wamr => {
                let mut option = OsString::from("--dir=");
                option.push(directory);
                vec![binary.into(), option]
            }
            // Its descriptor 3 is the working directory.
            Runtime::Wasm3 => vec![binary.into()],
            Runtime::Node | Runtime::NodeNew => vec![
                binary.into(),
                "--no-warnings".into(),
                host("run.mjs").into(),
                directory.into(),
            ],
            Runtime::LibWasmtime => vec![python().into(), host("run.py").into(), directory.into()],
            Runtime::Wazero => Vec::new(),
            Runtime::Builtin => vec![binary.into(), "guest".into()],
        };
        words.push(module.into());
        let environment = match self {
            Runtime::LibWasmtime => vec![("PYTHONPATH", root().join("libwasmtime-50.0.1").into())],
            _ => Vec::new(),
        };
        Invocation {
            words,
            directory: directory.to_owned(),
            environment,
        }
    }
}

impl Invocation {
    /// A command that needs nothing around it.
    pub fn of<T: Into<OsString>>(words: impl IntoIterator<Item = T>) -> Invocation {
        Invocation {
            words: words.into_iter().map(Into::into).collect(),
            directory: std::env::temp_dir(),
            environment: Vec::new(),
        }
    }

    /// The same with other words around its own.
    pub fn wrapped<T: Into<OsString>>(mut self, before: impl IntoIterator<Item = T>) -> Invocation {
        self.words.splice(0..0, before.into_iter().map(Into::into));
        self
    }

    /// The command, to be run without ewapa.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]);
        self.surround(&mut command);
        command
    }

    /// Gives another command the working directory and the environment of this one.
    pub fn surround(&self, command: &mut Command) {
        command
            .current_dir(&self.directory)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
    }
}

/// The cache of tests/runtimes/install.sh.
pub fn root() -> PathBuf {
    match std::env::var_os("EWAPA_RUNTIMES") {
        Some(root) => PathBuf::from(root),
        None => PathBuf::from(std::env::var_os("HOME").unwrap_or_default())
            .join(".cache/ewapa/runtimes"),
    }
}

/// The interpreter itself: `python3` may be a script that looks for it.
fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let output = Command::new("python3")
            .args(["-c", "import sys; print(sys.executable, end='')"])
            .output()
            .expect("run python3");
        PathBuf::from(String::from_utf8(output.stdout).expect("python3 prints its path"))
    })
}
