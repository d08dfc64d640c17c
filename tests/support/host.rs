//! The ewapa under test, and the hosts of tests/hosts.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use super::bpftrace::compile;
use super::directory::Directory;
use super::runtime::Invocation;

/// Its executable.
pub fn ewapa() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_ewapa"))
}

/// A copy of it in a folder, run in that folder by a user without rights. Needs root.
pub fn ewapa_without_rights(directory: &Directory) -> Command {
    let copy = directory.path().join("ewapa");
    std::fs::copy(ewapa(), &copy).expect("copy ewapa");
    // The folder is open to all: what a command leaves in it shows that the command ran.
    for path in [directory.path(), &copy] {
        std::fs::set_permissions(path, Permissions::from_mode(0o777)).expect("let others run it");
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
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
