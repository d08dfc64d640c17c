//! What a script's statements cost, side by side with bpftrace in one run, and how long a large script takes
//! to start.
//!
//! ```text
//! cargo bench --bench language                   5 rounds
//! cargo bench --bench language -- --rounds 9
//! ```
//!
//! It needs root, a C compiler and bpftrace. A program of the bench calls a function again and again and says
//! what a call took; the same uprobe script runs on it in both tools, in turns. Printed are medians of
//! nanoseconds a call, less those of the bare program, and their ratio. Of `printf` also how many lines
//! arrived, and how many the tool says that it lost: both together are all of them, or the bench fails.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const EWAPA: &str = env!("CARGO_BIN_EXE_ewapa");

/// A block for each call of `work(number, few)`: what it is called, and its statements.
const BLOCKS: &[(&str, &str)] = &[
    ("a count", "@ = count();"),
    ("a histogram", "@ = hist(arg0);"),
    ("a key of a text", "@[comm] = count();"),
    (
        "many maps",
        "@calls[arg0] = count(); @sizes[arg1] = hist(arg0); @sum[arg1, pid] = sum(arg0); @last[arg1] = arg0;",
    ),
    (
        "variables and conditions",
        "$x = arg0 * 3; if ($x > 100 && arg1 != 2) { @big[arg1]++; } else { @small++; }",
    ),
];

/// The block whose lines are counted.
const PRINTING: &str = r#"printf("%d %s\n", arg0, comm);"#;

const CALLS: u64 = 300_000;
const LINES: u64 = 200_000;

fn main() -> Result<()> {
    let rounds = rounds();
    let directory = tempfile::tempdir()?;
    let work = compile(directory.path())?;
    println!(
        "{:<26}{:>12}{:>12}{:>8}",
        "added to a call (ns)", "bpftrace", "ewapa", "ratio"
    );
    for (name, statements) in BLOCKS {
        let (mut theirs, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let bare = told(&Command::new(&work).arg(CALLS.to_string()).output()?)?;
            theirs.push(told(&traced("bpftrace", statements, &work, CALLS)?)? - bare);
            ours.push(told(&traced(EWAPA, statements, &work, CALLS)?)? - bare);
        }
        row(name, &mut theirs, &mut ours);
    }
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        for (tool, figures) in [("bpftrace", &mut theirs), (EWAPA, &mut ours)] {
            let output = traced(tool, PRINTING, &work, LINES)?;
            figures.push(told(&output)?);
            let (arrived, lost) = lines(&output);
            println!(
                "  {:<10} {arrived} lines arrived, {lost} lost",
                name_of(tool)
            );
            if arrived + lost != LINES {
                return Err(
                    format!("{tool}: {arrived} lines and {lost} lost are not {LINES}").into(),
                );
            }
        }
    }
    row("printf", &mut theirs, &mut ours);
    large(rounds, directory.path(), &work)
}

fn rounds() -> usize {
    let arguments: Vec<String> = std::env::args().collect();
    let after = arguments.iter().position(|argument| argument == "--rounds");
    let given = after.and_then(|at| arguments.get(at + 1)?.parse().ok());
    given.unwrap_or(5)
}

fn name_of(tool: &str) -> &str {
    Path::new(tool)
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or(tool)
}

fn compile(directory: &Path) -> Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/language/work.c");
    let program = directory.join("work");
    let status = Command::new("cc")
        .args(["-O1", "-fno-omit-frame-pointer", "-o"])
        .arg(&program)
        .arg(&source)
        .status()?;
    status
        .success()
        .then_some(program)
        .ok_or_else(|| "cc failed".into())
}

fn traced(tool: &str, statements: &str, work: &Path, calls: u64) -> Result<Output> {
    let script = format!("uprobe:{}:work {{ {statements} }}", work.display());
    let command = format!("{} {calls}", work.display());
    Ok(Command::new(tool)
        .args(["-e", &script, "-c", &command])
        .output()?)
}

/// What the program said that a call took.
fn told(output: &Output) -> Result<f64> {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("ns-a-call "));
    let line = line.ok_or_else(|| format!("the program did not run: {text}"))?;
    Ok(line.trim().parse()?)
}

/// How many lines of the script arrived, and how many the tool says that it lost.
fn lines(output: &Output) -> (u64, u64) {
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let arrived = out
        .lines()
        .chain(err.lines())
        .filter(|line| line.ends_with(" work"))
        .count();
    let lost = out
        .lines()
        .chain(err.lines())
        .filter(|line| line.to_lowercase().contains("lost"));
    let numbers = lost.flat_map(|line| {
        line.split(|c: char| !c.is_ascii_digit())
            .find_map(|word| word.parse::<u64>().ok())
    });
    (arrived as u64, numbers.sum())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}

fn row(name: &str, theirs: &mut [f64], ours: &mut [f64]) {
    let (theirs, ours) = (median(theirs), median(ours));
    println!("{name:<26}{theirs:>12.0}{ours:>12.0}{:>8.2}", ours / theirs);
}

/// 50 tables, and 200 probes of the kernel: from the start of ewapa to that of the command.
fn large(rounds: usize, directory: &Path, work: &Path) -> Result<()> {
    const FUNCTIONS: &[&str] = &["fd_write", "fd_read", "fd_close", "path_open", "fd_seek"];
    let mut script = String::new();
    for index in 0..50 {
        let function = FUNCTIONS[index % FUNCTIONS.len()];
        script += &format!(
            "table t{index} from wasi:{function} where duration >= {index}ns by runtime, func {{ calls = count(), total = sum(duration), p99 = p99(duration), errors = count() if errno != 0 }}\n"
        );
    }
    let listed = Command::new(EWAPA)
        .args(["list", "tracepoint:syscalls:sys_enter_*"])
        .output()?;
    let listed = String::from_utf8(listed.stdout)?;
    for (index, probe) in listed.lines().take(200).enumerate() {
        script += &format!("{probe} /pid == {index}/ {{ printf(\"%s\\n\", comm); }}\n");
    }
    let path = directory.join("large.ewq");
    std::fs::write(&path, script)?;
    let mut times = Vec::new();
    for _ in 0..rounds {
        let output = Command::new(EWAPA)
            .arg("script")
            .arg(&path)
            .args(["--timings", "--"])
            .arg(work)
            .arg("1")
            .output()?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let released = text.lines().find(|line| line.ends_with("command released"));
        let time = released.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        times.push(time.ok_or(text)?);
    }
    println!(
        "50 tables and 200 probes: {:.0} ms from the start to that of the command",
        median(&mut times)
    );
    Ok(())
}
