//! The scripts in `examples/` run as they are, and say what they are for.

use std::path::{Path, PathBuf};
use std::process::Command;

mod support;

const EWAPA: &str = env!("CARGO_BIN_EXE_ewapa");

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = std::fs::read_dir(folder).expect("read the folder of examples");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut scripts: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "ewq"))
        .collect();
    scripts.sort();
    scripts
}

/// What a script wrote while the embedded runtime ran its bundled guest, which writes 10,001 times.
fn run(script: &Path) -> String {
    let output = Command::new(EWAPA)
        .arg("script")
        .arg(script)
        .arg("--")
        .args([EWAPA, "guest", "--discard", "demo.wat"])
        .output()
        .expect("run ewapa");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    // 3: a check of the script failed, which is about the speed of the machine.
    assert!(
        matches!(output.status.code(), Some(0 | 3)),
        "{}: {}\n{text}",
        script.display(),
        output.status
    );
    text
}

#[test]
fn every_example_runs() {
    if !support::is_root() {
        return;
    }
    let scripts = examples();
    assert_eq!(scripts.len(), 10);
    for script in &scripts {
        let text = run(script);
        assert!(!text.contains("error"), "{}\n{text}", script.display());
    }
}

#[test]
fn what_the_examples_count_is_what_the_guest_did() {
    if !support::is_root() {
        return;
    }
    let of = |begin: &str| {
        let named = |path: &PathBuf| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with(begin)
        };
        run(&examples().into_iter().find(named).expect("an example"))
    };
    let latency = of("01");
    assert!(latency.contains(" 10001 "), "{latency}");
    let startup = of("03");
    for phase in ["exec", "start", "first_wasi", "exit"] {
        assert!(startup.contains(phase), "{startup}");
    }
    let inside = of("04");
    assert!(inside.contains("fd_write"), "{inside}");
    let calls = of("09");
    assert!(calls.contains("handoff"), "{calls}");
}
