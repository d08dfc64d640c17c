//! bpftrace, beside which ewapa's raw probes are held.

use std::path::Path;
use std::process::{Command, Stdio};

use super::host::ewapa;
use super::skip;

/// Whether bpftrace is here; if not, says so.
pub fn is_there() -> bool {
    let found = Command::new("bpftrace")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        skip("bpftrace is not installed");
    }
    found
}

/// Compiles a program in C, with symbols.
pub fn compile(source: &str, program: &Path) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/hosts")
        .join(source);
    let status = Command::new("clang")
        .args(["-O1", "-o"])
        .arg(program)
        .arg(source)
        .status()
        .expect("clang is needed to build ewapa, so it is there");
    assert!(status.success(), "{}", program.display());
}

/// What both print of their maps at the end of a command: blocks that begin with an `@`, sorted.
pub fn both(script: &str, command: &str) -> (Vec<String>, Vec<String>) {
    let bpftrace = output(Command::new("bpftrace").args(["-e", script, "-c", command]));
    let ewapa = output(Command::new(ewapa()).args([
        "script",
        "-q",
        "-o",
        "/dev/stdout",
        "-e",
        script,
        "-c",
        command,
    ]));
    (maps(&bpftrace), maps(&ewapa))
}

/// The standard output of a command that succeeds.
pub fn output(command: &mut Command) -> String {
    let ended = command.output().expect("the command is there");
    assert!(
        ended.status.success(),
        "{command:?}: {}\n{}",
        ended.status,
        String::from_utf8_lossy(&ended.stderr)
    );
    String::from_utf8(ended.stdout).expect("the output is text")
}

/// The maps in an output, each with its lines, sorted.
fn maps(output: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    for line in output.lines().filter(|line| !line.trim().is_empty()) {
        let line = line.trim_end();
        match blocks.last_mut() {
            Some(block) if !line.starts_with('@') => {
                block.push('\n');
                block.push_str(line);
            }
            _ if line.starts_with('@') => blocks.push(line.to_owned()),
            _ => {}
        }
    }
    blocks.sort_unstable();
    blocks
}
