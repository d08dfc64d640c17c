//! The ewapa under test.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use super::directory::Directory;

/// Its executable.
pub fn ewapa() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_ewapa"))
}

/// A copy of it in a folder, run in that folder by a user without rights. Needs root.
pub fn ewapa_without_rights(directory: &Directory) -> Command {
    ewapa_with_rights(directory, &[])
}

/// The same with these capabilities, such as `bpf`.
pub fn ewapa_with_rights(directory: &Directory, capabilities: &[&str]) -> Command {
    let copy = directory.path().join("ewapa");
    std::fs::copy(ewapa(), &copy).expect("copy ewapa");
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
