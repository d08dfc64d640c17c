//! The ewapa under test, and the hosts of tests/hosts.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::bpftrace::compile;
use super::directory::Directory;
use super::runtime::Invocation;

/// Its executable.
pub fn ewapa() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_ewapa"))
}

/// Copies a program that is to be executed. Another process does: while this one had it open to write, a child that
/// another test forks at that moment would, too, and the kernel executes no file that somebody may write to.
pub fn copy_program(from: &Path, to: &Path) {
    let status = Command::new("cp").arg(from).arg(to).status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "copy {}",
        from.display()
    );
}

/// A copy of it in a folder, run in that folder by a user without rights. Needs root.
pub fn ewapa_without_rights(directory: &Directory) -> Command {
    ewapa_with_rights(directory, &[])
}

/// The same with these capabilities, such as `bpf`.
pub fn ewapa_with_rights(directory: &Directory, capabilities: &[&str]) -> Command {
    let copy = directory.path().join("ewapa");
    copy_program(&ewapa(), &copy);
    // The folder is open to all: what a command leaves in it shows that the command ran.
    for path in [directory.path(), &copy] {
        std::fs::set_permissions(path, Permissions::from_mode(0o777)).expect("let others run it");
    }
    let added: String = capabilities
        .iter()
        .map(|name| format!(",+{name}"))
        .collect();
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .args([
            format!("--inh-caps=-all{added}"),
            format!("--ambient-caps=-all{added}"),
        ])
        .arg(copy)
        .current_dir(directory.path());
    command
}

/// A host of tests/hosts, compiled into a folder, with arguments.
pub fn compiled(directory: &Directory, source: &str, arguments: &[&str]) -> Invocation {
    let program = directory.path().join("host");
    if !program.exists() {
        compile(source, &program);
    }
    Invocation::of(
        std::iter::once(program.into_os_string()).chain(arguments.iter().map(Into::into)),
    )
}
