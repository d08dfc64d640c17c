//! The tools for authors of scripts, as a shell sees them. Only what loads eBPF needs root.

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

mod support;

const EWAPA: &str = env!("CARGO_BIN_EXE_ewapa");

fn ewapa(arguments: &[&str]) -> Output {
    Command::new(EWAPA).args(arguments).output().unwrap()
}

/// The same with something on standard input.
fn ewapa_with(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(EWAPA)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn check_shows_the_errors_of_all_scripts() {
    let output = ewapa_with(
        &["check", "wasi_summary", "-", "no-such.ewq"],
        "table t from wasi:fd_wirte { a = cuont() }",
    );
    assert_eq!(output.status.code(), Some(65));
    assert_eq!(text(&output.stdout), "wasi_summary: ok\n");
    let errors = text(&output.stderr);
    for part in [
        "error[E0203]",
        " --> -:1:14",
        "error[E0104]",
        "cannot read the script no-such.ewq",
    ] {
        assert!(errors.contains(part), "{errors}");
    }
    let quiet = ewapa(&["check", "-q", "errors"]);
    assert!(quiet.status.success() && quiet.stdout.is_empty());
}

#[test]
fn explain_knows_the_code_of_an_error() {
    let output = ewapa(&["explain", "E0203"]);
    assert!(text(&output.stdout).starts_with("E0203: no WASI function has this name\n"));
    assert_eq!(ewapa(&["explain", "E9999"]).status.code(), Some(64));
}

#[test]
fn a_text_is_checked_like_a_file() {
    let output = ewapa(&["-e", "table t from wasi:* { a = cuont() }", "--", "true"]);
    assert_eq!(output.status.code(), Some(65));
    assert!(text(&output.stderr).contains(" --> -e:1:27"));
    let plan = ewapa(&[
        "-e",
        "param min = 1ms; table t from wasi:* where duration > min { a = count() }",
        "--min",
        "2ms",
        "--emit",
        "plan",
    ]);
    assert!(text(&plan.stdout).contains("where (duration > 2000000ns)"));
}

#[test]
fn list_shows_what_a_binary_has() {
    // The program holds a runtime itself.
    let output = ewapa(&["list", "wasi:wasmi:fd_writ?", "-v", "--binary", EWAPA]);
    let shown = text(&output.stdout);
    assert!(
        shown.starts_with("wasi:wasmi:fd_write\n    u32 fd\n"),
        "{shown}"
    );
    assert!(shown.contains("\n    at "), "{shown}");
    let other = ewapa(&["list", "wasi:wasm3:fd_write", "--binary", EWAPA]);
    assert_eq!(other.status.code(), Some(68));
}

#[test]
fn fmt_changes_files_and_check_only_tells() {
    let file = std::env::temp_dir().join(format!("ewapa-fmt-{}.ewq", std::process::id()));
    let name = file.to_str().unwrap();
    std::fs::write(&file, "param  x=1; // one\n").unwrap();
    let told = ewapa(&["fmt", "--check", name]);
    assert_eq!(told.status.code(), Some(1));
    assert_eq!(text(&told.stderr), format!("{name}:1: not formatted\n"));
    assert!(ewapa(&["fmt", name]).status.success());
    let formatted = std::fs::read_to_string(&file).unwrap();
    assert!(ewapa(&["fmt", "--check", name]).status.success());
    std::fs::write(&file, "param x =").unwrap();
    let broken = ewapa(&["fmt", name]);
    let left = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(formatted, "param x = 1; // one\n");
    assert_eq!(
        (broken.status.code(), left.as_str()),
        (Some(65), "param x =")
    );
}

#[test]
fn fmt_goes_from_standard_input_to_standard_output() {
    let output = ewapa_with(&["fmt", "-"], "begin{exit()}");
    assert_eq!(text(&output.stdout), "begin { exit(); }\n");
}

#[test]
fn a_dry_run_shows_the_sites_that_a_run_would_probe() {
    let script = "table t from wasi:fd_write { a = count() }";
    let output = ewapa(&["-e", script, "--dry-run", "--", EWAPA, "guest", "demo.wat"]);
    let shown = text(&output.stdout);
    assert!(shown.starts_with("-e: ok\n"), "{shown}");
    assert!(shown.contains(": wasmi 2.0.0"), "{shown}");
    assert!(shown.contains("\nfd_write  "), "{shown}");
    assert!(!shown.contains("\nfd_read  "), "{shown}");
}

#[test]
fn a_run_ends_when_its_time_is_over() {
    if !support::is_root() {
        return;
    }
    let script = "table t from wasi:* { a = count() }";
    let start = Instant::now();
    let output = ewapa(&["-e", script, "-d", "0.2", "--", "sleep", "60"]);
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!(output.status.code(), Some(128 + libc::SIGTERM));
}

#[test]
fn completions_know_the_options_of_scripts() {
    for shell in ["bash", "zsh", "fish"] {
        let script = text(&ewapa(&["completions", shell]).stdout);
        for word in ["explain", "dry-run", "completions"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn every_subcommand_has_a_manual_page() {
    let folder = std::env::temp_dir().join(format!("ewapa-man-{}", std::process::id()));
    let written = ewapa(&["man", folder.to_str().unwrap()]);
    let page = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let (main, script) = (page("ewapa.1"), page("ewapa-script.1"));
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(written.status.success());
    assert!(main.contains("ewapa\\-script(1)"), "{main}");
    assert!(script.contains("dry\\-run"), "{script}");
}

#[test]
fn the_version_says_what_was_built() {
    let short = text(&ewapa(&["-V"]).stdout);
    assert_eq!(short, concat!("ewapa ", env!("CARGO_PKG_VERSION"), "\n"));
    let long = text(&ewapa(&["--version"]).stdout);
    let mut lines = long.lines();
    assert_eq!(lines.next(), Some(short.trim_end()));
    for field in [
        "target: x86_64-linux, linked ",
        "libbpf: 1.",
        "runtimes: wasmtime, ",
    ] {
        let line = lines.next().unwrap_or_default();
        assert!(line.starts_with(field), "{long}");
    }
}
