//! Runs of `ewapa script`.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::directory::Directory;
use super::host::ewapa;
use super::process::{Ended, Process, descendants, wait_until};
use super::report::Report;
use super::runtime::Invocation;

/// Every call with all that is known of it, by runtime, function, errno and descriptor.
pub const EVERYTHING: &str = "table t from wasi:* by runtime, func, errno, fd {
  calls = count(),
  bytes = sum(bytes) as int,
  dur = sum(duration) as int,
  sys = sum(syscall_time) as int,
  nsys = sum(syscall_count),
  sbytes = sum(syscall_bytes) as int,
}";

/// A script with its folder, ready to be run.
#[derive(Debug)]
pub struct Script {
    /// A folder for what belongs to the run.
    pub directory: Directory,
    file: PathBuf,
    options: Vec<String>,
}

/// A run that goes on.
#[derive(Debug)]
pub struct Tracing {
    /// The ewapa.
    pub process: Process,
    tables: PathBuf,
    _directory: Directory,
}

/// A run that has ended.
#[derive(Debug)]
pub struct Traced {
    /// What ewapa left.
    pub ended: Ended,
    /// The tables.
    pub report: Report,
}

impl Script {
    /// A script of this text.
    pub fn new(text: &str) -> Script {
        let directory = Directory::new();
        let file = directory.file("script.ewq", text);
        Script {
            directory,
            file,
            options: Vec::new(),
        }
    }

    /// A bundled script.
    pub fn bundled(name: &str) -> Script {
        Script {
            directory: Directory::new(),
            file: PathBuf::from(name),
            options: Vec::new(),
        }
    }

    /// Adds options of the script and of ewapa.
    pub fn with(mut self, options: &[&str]) -> Script {
        self.options
            .extend(options.iter().map(|option| (*option).to_owned()));
        self
    }

    /// The ewapa for a command, with the tables going to a file.
    fn command(&self, tables: &Path, invocation: &Invocation) -> Command {
        let mut command = Command::new(ewapa());
        command
            .arg("script")
            .arg("-o")
            .arg(tables)
            .arg(&self.file)
            .args(&self.options)
            .arg("--")
            .args(&invocation.words);
        invocation.surround(&mut command);
        command
    }

    /// Starts the run of a command.
    pub fn start(self, invocation: &Invocation) -> Tracing {
        let tables = self.directory.path().join("tables");
        let process = Process::start(&mut self.command(&tables, invocation));
        Tracing {
            process,
            tables,
            _directory: self.directory,
        }
    }

    /// Traces a command, which has no input, to its end.
    pub fn run(self, invocation: &Invocation) -> Traced {
        let mut tracing = self.start(invocation);
        tracing.process.close_stdin();
        tracing.end()
    }

    /// Starts the run of a command. The tables go where ewapa sends them by itself.
    pub fn start_without_file(&self, invocation: &Invocation) -> Process {
        let mut command = Command::new(ewapa());
        command
            .arg("script")
            .arg(&self.file)
            .args(&self.options)
            .arg("--")
            .args(&invocation.words);
        invocation.surround(&mut command);
        Process::start(&mut command)
    }

    /// Starts to trace a running process. Returns when its probes are on; tables go to the standard output.
    pub fn join(&self, pid: u32, binary: &Path) -> Process {
        let mut command = Command::new(ewapa());
        command
            .arg("script")
            .arg(&self.file)
            .args(&self.options)
            .arg("-p")
            .arg(pid.to_string());
        let process = Process::start(&mut command);
        wait_until(&format!("probes on {}", binary.display()), || {
            has_probes_on(process.pid(), binary).then_some(())
        });
        process
    }
}

impl Tracing {
    /// The process of the command.
    pub fn command(&self) -> u32 {
        wait_until("the command", || {
            descendants(self.process.pid()).first().copied()
        })
    }

    /// Waits for the end of the run and reads its tables.
    pub fn end(self) -> Traced {
        let ended = self.process.end();
        let text = std::fs::read_to_string(&self.tables).unwrap_or_default();
        assert!(
            !text.is_empty(),
            "no table; exit {}, stderr:\n{}",
            ended.status,
            ended.stderr
        );
        Traced {
            ended,
            report: Report::parse(&text),
        }
    }
}

/// Whether a process holds a link of probes on a file (`bpf_uprobe_multi_show_fdinfo` of the kernel).
pub fn has_probes_on(pid: u32, binary: &Path) -> bool {
    let line = format!(
        "path:\t{}",
        binary
            .canonicalize()
            .expect("the binary is there")
            .display()
    );
    let descriptors = std::fs::read_dir(format!("/proc/{pid}/fdinfo"))
        .into_iter()
        .flatten()
        .flatten();
    descriptors
        .filter_map(|descriptor| std::fs::read_to_string(descriptor.path()).ok())
        .any(|info| info.lines().any(|known| known == line))
}
