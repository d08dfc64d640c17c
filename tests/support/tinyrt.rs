//! The invented runtime `tinyrt` that docs/RUNTIMES.md describes, and the host of it that does everything wrong:
//! tests/hosts/faults.c.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::bpftrace::compile;
use super::directory::Directory;
use super::host::ewapa;
use super::process::{Ended, Process};
use super::report::Report;

/// How many calls of which function completed.
pub const CALLS: &str = "table t from wasi:* by func { calls = count() }";

/// The catalogue file that the documentation shows.
pub fn description() -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/RUNTIMES.md");
    let docs = std::fs::read_to_string(docs).expect("the documentation is there");
    let (_, rest) = docs.split_once("```toml\n").expect("it has an example");
    let (example, _) = rest.split_once("```").expect("the example ends");
    example.to_owned()
}

/// The host with its catalogue, in a folder.
pub struct Host {
    /// The folder. What ewapa is told to write to `out` is there.
    pub directory: Directory,
    /// The program.
    pub program: PathBuf,
}

/// What ewapa left of a traced host.
pub struct Traced {
    /// How it ended.
    pub ended: Ended,
    /// What is in `out`, which need not be text.
    pub out: Vec<u8>,
}

impl Host {
    /// Compiles it.
    pub fn new() -> Host {
        let directory = Directory::new();
        let program = directory.path().join("tinyrt");
        compile("faults.c", &program);
        directory.file("tinyrt.toml", description());
        Host { directory, program }
    }

    /// A file or folder beside it.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `ewapa script -e SCRIPT OPTIONS…` with the catalogue, in the folder.
    pub fn ewapa(&self, script: &str, options: &[&str]) -> Command {
        let mut command = Command::new(ewapa());
        command
            .args(["script", "--catalogue"])
            .arg(self.directory.path())
            .args(["-e", script])
            .args(options)
            .current_dir(self.directory.path());
        command
    }

    /// The same with the tables in `out`, and the host as its command.
    pub fn command(&self, script: &str, options: &[&str], arguments: &[&str]) -> Command {
        let mut command = self.ewapa(script, options);
        command
            .args(["-o", "out", "--"])
            .arg(&self.program)
            .args(arguments);
        command
    }

    /// Traces the host to its end, without input.
    pub fn trace(&self, script: &str, options: &[&str], arguments: &[&str]) -> Traced {
        let mut process = Process::start(&mut self.command(script, options, arguments));
        process.close_stdin();
        self.end(process)
    }

    /// Waits for the end of a run.
    pub fn end(&self, process: Process) -> Traced {
        let ended = process.end();
        let out = std::fs::read(self.path("out")).unwrap_or_default();
        Traced { ended, out }
    }

    /// Starts the host alone.
    pub fn start<T: AsRef<OsStr>>(&self, arguments: &[T]) -> Process {
        Process::start(Command::new(&self.program).args(arguments))
    }

    /// Runs ewapa by a shell that does something before: the text ends with `"$@"`.
    pub fn under(&self, shell: &str, command: &Command) -> Command {
        let mut under = Command::new("sh");
        under
            .args(["-c", shell, "sh"])
            .arg(command.get_program())
            .args(command.get_args())
            .current_dir(self.directory.path());
        under
    }

    /// The same in a mount namespace of its own.
    pub fn apart(&self, shell: &str, command: &Command) -> Command {
        let under = self.under(shell, command);
        let mut apart = Command::new("unshare");
        let words: Vec<OsString> = under.get_args().map(OsStr::to_owned).collect();
        apart
            .args(["--mount", "--propagation", "private", "sh"])
            .args(words)
            .current_dir(self.directory.path());
        apart
    }
}

impl Traced {
    /// The output as text, with what was said for people behind it.
    pub fn shown(&self) -> String {
        format!(
            "{}\n{}",
            String::from_utf8_lossy(&self.out),
            self.ended.stderr
        )
    }

    /// The tables.
    pub fn report(&self) -> Report {
        Report::parse(&String::from_utf8_lossy(&self.out))
    }

    /// The calls of a function.
    pub fn calls(&self, function: &str) -> i64 {
        self.report().table().sum(&[("FUNC", function)], "CALLS")
    }

    /// The line above the only table.
    pub fn headline(&self) -> String {
        self.report().table().headline.clone()
    }
}

/// Its version in the source.
const VERSION: &str = "1.2.3";

/// Compiles it as another version.
pub fn compile_as(version: &str, program: &Path) {
    let source = program.with_extension("c");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hosts/tinyrt.c");
    let text = std::fs::read_to_string(from).expect("its source is there");
    std::fs::write(&source, text.replace(VERSION, version)).expect("write its source");
    let status = Command::new("clang")
        .args(["-O1", "-o"])
        .args([program, &source])
        .status();
    assert!(status.expect("run clang").success());
}
