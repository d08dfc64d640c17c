//! Runs that are to be refused.

use std::process::Command;

use expect_test::Expect;

use super::directory::Directory;
use super::host::ewapa;
use super::process::Process;

/// Runs ewapa in a folder and compares its exit code and standard error, in which the folder is `DIR`.
pub fn refused(directory: &Directory, arguments: &[&str], code: i32, said: Expect) {
    let mut command = Command::new(ewapa());
    command.args(arguments).current_dir(directory.path());
    let mut process = Process::start(&mut command);
    process.close_stdin();
    let ended = process.end();
    let canonical = directory
        .path()
        .canonicalize()
        .expect("the folder is there");
    said.assert_eq(
        &ended
            .stderr
            .replace(canonical.to_str().expect("a path in UTF-8"), "DIR"),
    );
    assert_eq!(ended.code(), code);
}
