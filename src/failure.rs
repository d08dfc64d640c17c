//! Every way in which ewapa itself can fail, as text and as an exit code. The command's own exit code
//! passes through; these are chosen so that they are rarely one (sysexits.h where it has one).

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use crate::engine::trace;
use crate::engine::{load, raw};
use crate::output::cells::{escape, escape_lines};

/// A failure for the user.
#[derive(Debug)]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: Kind,
    /// What is said, without a final line end.
    pub text: String,
}

/// The kinds of failures; the number is the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The command line.
    Usage = 64,
    /// The script has errors.
    Script = 65,
    /// A file cannot be read.
    NoInput = 66,
    /// There is no such process.
    NoProcess = 67,
    /// No runtime was found in what was traced.
    NoRuntime = 68,
    /// The runtime has no symbols.
    Stripped = 69,
    /// A defect of ewapa, or a kernel that behaves in an unknown way.
    Internal = 70,
    /// The kernel does not have what is needed.
    Kernel = 71,
    /// What a probe names is not there: a function, a static probe, a tracepoint.
    NoProbe = 72,
    /// The output cannot be written.
    Output = 74,
    /// Nobody reads the output any more: the exit code is that of a program which SIGPIPE ends.
    NoReader = 141,
    /// The rights are not enough.
    NoRights = 77,
    /// The command cannot be executed.
    NotExecutable = 126,
    /// There is no such command.
    NoCommand = 127,
}

impl Failure {
    /// A failure with one sentence.
    pub fn new(kind: Kind, text: impl Into<String>) -> Failure {
        Failure {
            kind,
            text: text.into(),
        }
    }

    /// The exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.kind as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            // Rendered with their places already.
            Kind::Script => write!(f, "{}", self.text),
            // As `head` ends what it has seen enough of.
            Kind::NoReader => Ok(()),
            _ => writeln!(f, "ewapa: {}", escape_lines(&self.text)),
        }
    }
}

impl Failure {
    /// The failure to write what a run found, to a file if that is where it goes.
    pub fn of_output(error: &std::io::Error, file: Option<&Path>) -> Failure {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Failure::new(Kind::NoReader, String::new());
        }
        let place = match file {
            Some(path) => format!("{}, which is not complete", path.display()),
            None => "the output".to_owned(),
        };
        Failure::new(Kind::Output, format!("cannot write {place}: {error}"))
    }

    /// The failure of a run. The verifier's log is shown only when it is asked for.
    pub fn of_trace(error: trace::Error, verbose: bool) -> Failure {
        // Sentences in which names stand that traced processes chose: a line each.
        let mut text = match &error {
            trace::Error::Compile(_) => error.to_string(),
            _ => escape(&error.to_string()),
        };
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            let said = error.to_string();
            if !text.contains(&said) {
                text = format!("{text}: {said}");
            }
            let number = error
                .downcast_ref::<std::io::Error>()
                .and_then(std::io::Error::raw_os_error);
            if number == Some(libc::EMFILE) {
                text += "; allow more open files: `ulimit -n 1024`";
            }
            cause = error.source();
        }
        if let (
            true,
            trace::Error::Load(load::Error::Verifier { log, .. })
            | trace::Error::Raw(raw::Error::Load(load::Error::Verifier { log, .. })),
        ) = (verbose, &error)
        {
            text = format!("{text}\n{log}");
        }
        if let trace::Error::Command { command, source } = &error
            && source.kind() == std::io::ErrorKind::NotFound
            && !command.contains('/')
            && std::env::var_os("SUDO_UID").is_some()
        {
            text += "; sudo looks for programs in other places: give the path of the command";
        }
        Failure {
            kind: kind(&error),
            text,
        }
    }
}

/// Ends the process as clap would, with the exit code of a wrong command line; with 0 after `--help`.
pub fn end(error: &clap::Error) -> ! {
    let code = if error.use_stderr() {
        Kind::Usage as i32
    } else {
        0
    };
    // Nobody is left to be told that it cannot be told.
    let _ = error.print();
    std::process::exit(code)
}

fn kind(error: &trace::Error) -> Kind {
    use std::io::ErrorKind;
    match error {
        trace::Error::Compile(ewapa_codegen::Error::TooLarge { .. }) => Kind::Script,
        trace::Error::Compile(_) | trace::Error::Io { .. } | trace::Error::Map(_) => Kind::Internal,
        trace::Error::Load(load::Error::Kernel { .. } | load::Error::Map(_)) => Kind::Kernel,
        trace::Error::Load(_) | trace::Error::Raw(raw::Error::Load(_)) => Kind::Internal,
        trace::Error::Raw(raw::Error::File { .. } | raw::Error::Symbols { .. }) => Kind::NoInput,
        trace::Error::Raw(raw::Error::Place { .. } | raw::Error::Missing { .. }) => Kind::NoProbe,
        trace::Error::Raw(raw::Error::Refused { source, .. }) => match source.raw_os_error() {
            Some(libc::EACCES | libc::EPERM) => Kind::NoRights,
            _ => Kind::Kernel,
        },
        trace::Error::Output(_) => Kind::Output,
        trace::Error::NoBtf
        | trace::Error::UnreadBtf
        | trace::Error::NoProc
        | trace::Error::NoLoops
        | trace::Error::Lacks(_) => Kind::Kernel,
        trace::Error::Missing(_) | trace::Error::NoRights | trace::Error::User(_) => Kind::NoRights,
        trace::Error::Command { source, .. } if source.kind() == ErrorKind::NotFound => {
            Kind::NoCommand
        }
        trace::Error::Command { .. } => Kind::NotExecutable,
        trace::Error::PidNamespace | trace::Error::Unattached(_) => Kind::Kernel,
        trace::Error::NoProcess(_) | trace::Error::Thread { .. } => Kind::NoProcess,
        trace::Error::NoRuntime { .. } => Kind::NoRuntime,
        trace::Error::Stripped { .. } => Kind::Stripped,
    }
}
