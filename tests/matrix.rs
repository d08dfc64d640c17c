//! Runtime by function: a guest calls each function with known good and known bad arguments and states what it
//! did, and the table has each call once, with its arguments, errno, bytes and path. The table of docs/RUNTIMES.md
//! is made of what came out.

#[macro_use]
mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use ewapa_lang::errno;
use ewapa_lang::wasi::{ArgType, Function};
use serde_json::Value as Json;
use support::calls::{calls, exit, raise};
use support::directory::Directory;
use support::manifest::{MOST_ARGUMENTS, Manifest, Statement};
use support::runtime::Runtime;
use support::trace::{Script, Traced};

/// What a call has beyond its function: how it was found, and how the guest states it.
const COLUMNS: [&str; 14] = [
    "arg0",
    "arg1",
    "arg2",
    "arg3",
    "arg4",
    "arg5",
    "arg6",
    "arg7",
    "arg8",
    "errno",
    "iovs",
    "bytes_req",
    "bytes",
    "path",
];

/// The bytes of a path that ewapa shows.
const SHOWN: usize = 127;

/// A call, or what the table has of one: the function, and the columns in their order.
type Row = Vec<Json>;

/// A folder with what the calls need.
fn folder() -> Directory {
    let directory = Directory::new();
    directory.file("data", "0123456789abcdef");
    directory.file("other", "other");
    std::fs::create_dir(directory.path().join("folder")).expect("make a folder");
    directory.file("folder/first", "1");
    directory.file("folder/second", "2");
    directory
}

fn run(runtime: Runtime, manifest: &Manifest, script: &str) -> Traced {
    let directory = folder();
    let module = manifest.compile(&directory);
    Script::new(script)
        .with(&["-f", "json"])
        .run(&runtime.run(&module, directory.path()))
}

/// The rows of the table, each as often as it was counted, and the summary.
fn rows(traced: &Traced, keys: &[&str]) -> (Vec<Row>, Json) {
    let mut rows = Vec::new();
    let mut summary = Json::Null;
    for line in traced.report.text.lines() {
        let line: Json = serde_json::from_str(line).expect("a line of JSON");
        if line["type"] == "row" {
            let row: Row = keys.iter().map(|key| line["keys"][key].clone()).collect();
            let count = line["columns"]["n"].as_u64().expect("a number of calls");
            rows.extend((0..count).map(|_| row.clone()));
        } else {
            summary = line;
        }
    }
    for lost in ["lost", "unmatched", "abandoned", "open"] {
        assert_eq!(summary[lost], 0, "{lost}: {summary}");
    }
    (rows, summary)
}

fn number(value: Option<u64>) -> Json {
    value.map_or(Json::Null, |value| Json::from(value as i64))
}

/// What the table has to say of a call on a runtime that gives everything. `paths` are those of open descriptors.
fn expected(runtime: Runtime, statement: &Statement, paths: &BTreeMap<u64, &'static [u8]>) -> Row {
    let function = statement.call.function;
    let mut row = vec![Json::from(function.name())];
    for index in 0..MOST_ARGUMENTS {
        let given = function.args().get(index).filter(|arg| {
            runtime.shows_addresses() || !matches!(arg.ty, ArgType::Pointer | ArgType::Moved)
        });
        row.push(number(given.map(|_| statement.arguments[index])));
    }
    let errno = i64::from(statement.errno);
    row.push(Json::from(
        errno::name(errno).map_or_else(|| errno.to_string(), str::to_owned),
    ));
    row.push(number(statement.buffers.map(|(count, _)| count)));
    row.push(number(statement.asked()));
    row.push(number(statement.moved().map(u64::from)));
    let opened = function
        .fd_arg()
        .and_then(|index| paths.get(&statement.arguments[index]).copied());
    let path = statement.call.path().or(opened).unwrap_or_default();
    let shown = String::from_utf8_lossy(&path[..path.len().min(SHOWN)]).into_owned();
    row.push(if shown.is_empty() {
        Json::Null
    } else {
        Json::from(shown)
    });
    row
}

/// Keeps the paths of open descriptors as the guest did.
fn follow(statement: &Statement, paths: &mut BTreeMap<u64, &'static [u8]>) {
    if statement.errno != 0 {
        return;
    }
    let first = statement.arguments.first().copied().unwrap_or_default();
    match statement.call.function.name() {
        "path_open" => {
            let path = statement.call.path().expect("path_open has a path");
            paths.insert(u64::from(statement.told), path);
        }
        "fd_close" => {
            paths.remove(&first);
        }
        "fd_renumber" => {
            let moved = paths.remove(&first);
            paths.remove(&statement.arguments[1]);
            paths.extend(moved.map(|path| (statement.arguments[1], path)));
        }
        _ => {}
    }
}

/// The descriptor of which a runtime passes on what its guest writes.
fn stated_on(runtime: Runtime) -> u64 {
    match runtime {
        Runtime::Wazero => 2,
        _ => 1,
    }
}

/// What the guest wrote to it.
fn written(runtime: Runtime, traced: &Traced) -> Vec<u8> {
    if runtime != Runtime::Wazero {
        return traced.ended.stdout.clone();
    }
    const FAILURE: &[u8] = b"Failure: plugin";
    // Then buf says that the plugin has not answered.
    let stderr = &traced.ended.stderr_bytes;
    let failure = stderr
        .windows(FAILURE.len())
        .rposition(|window| window == FAILURE)
        .expect("buf says so");
    stderr[..failure].to_vec()
}

/// What the guest states of all calls, and the rows that a table by these columns has of them.
fn all_calls(runtime: Runtime, columns: &[&str]) -> (Vec<Statement>, Vec<Row>) {
    let calls = calls()
        .into_iter()
        .filter(|call| runtime.has(call.function));
    let manifest = Manifest::new(calls.collect()).stating_to(stated_on(runtime));
    let script = format!(
        "table t from wasi:* by func, {} {{ n = count() }}",
        columns.join(", ")
    );
    let traced = run(runtime, &manifest, &script);
    let mut statements = manifest.statements(&written(runtime, &traced));
    statements.push(manifest.report());
    let (seen, _) = rows(&traced, &[&["func"], columns].concat());
    (statements, seen)
}

/// What the guest stated, once the table has it.
fn seen_and_done(runtime: Runtime) -> Vec<Statement> {
    let (statements, seen) = all_calls(runtime, &COLUMNS);

    let mut paths = BTreeMap::new();
    let mut wanted = Vec::new();
    for statement in &statements {
        let row = expected(runtime, statement, &paths);
        wanted.push(Json::from(row).to_string());
        follow(statement, &mut paths);
    }
    let mut seen: Vec<String> = seen
        .into_iter()
        .map(|row| Json::from(row).to_string())
        .collect();
    // What is in both falls out: a failure shows what differs.
    wanted.retain(|row| match seen.iter().position(|other| other == row) {
        Some(index) => {
            seen.swap_remove(index);
            false
        }
        None => true,
    });
    seen.sort_unstable();
    assert!(
        seen.is_empty() && wanted.is_empty(),
        "{runtime:?} saw\n{}\nand the guest did\n{}",
        seen.join("\n"),
        wanted.join("\n")
    );
    statements
}

fn each_call_is_seen_once_as_the_guest_made_it(runtime: Runtime) {
    seen_and_done(runtime);
}

/// Such a script may have its probes at other places.
fn each_call_is_seen_once_by_a_script_that_reads_no_guest_memory(runtime: Runtime) {
    let columns = &COLUMNS[..=MOST_ARGUMENTS];
    assert_eq!(columns.last(), Some(&"errno"));
    let (statements, seen) = all_calls(runtime, columns);
    let paths = BTreeMap::new();
    let wanted = statements.iter().map(|statement| {
        let mut row = expected(runtime, statement, &paths);
        row.truncate(1 + columns.len());
        row
    });
    let sorted = |rows: &mut dyn Iterator<Item = Row>| {
        let mut texts: Vec<String> = rows.map(|row| Json::from(row).to_string()).collect();
        texts.sort_unstable();
        texts
    };
    assert_eq!(
        sorted(&mut seen.into_iter()),
        sorted(&mut wanted.into_iter()),
        "{runtime:?}: seen, and done"
    );
}

fn the_end_of_a_guest_is_seen_with_its_exit_code(runtime: Runtime) {
    let manifest = Manifest::new(Vec::new()).ending(exit());
    let script = "table t from wasi:proc_exit:enter by func, arg0 { n = count() }";
    let traced = run(runtime, &manifest, script);
    let (seen, _) = rows(&traced, &["func", "arg0"]);
    let expected: &[Row] = match runtime.name() {
        // JavaScript ends the guest before uvwasi is reached.
        "node" => &[],
        _ => &[vec![Json::from("proc_exit"), Json::from(5)]],
    };
    assert_eq!(seen, expected, "{}", traced.report.text);
}

fn a_signal_to_itself_is_seen(runtime: Runtime) {
    if !runtime.has(raise().function) {
        return;
    }
    let manifest = Manifest::new(vec![raise()]);
    let script = "table t from wasi:proc_raise by arg0, errno { n = count() }";
    let traced = run(runtime, &manifest, script);
    let (seen, _) = rows(&traced, &["arg0", "errno"]);
    let errno = match runtime.name() {
        // It traps: what it returns is no errno.
        "wasmi" => Json::Null,
        // It returns success, and the guest traps then.
        "wamr" => Json::from("SUCCESS"),
        _ => match manifest.statements(&traced.ended.stdout)[0].errno {
            0 => Json::from("SUCCESS"),
            errno => Json::from(errno::name(i64::from(errno)).expect("an errno of WASI")),
        },
    };
    assert_eq!(
        seen,
        [vec![Json::from(16), errno]],
        "{}",
        traced.report.text
    );
}

on_every_runtime! {
    each_call_is_seen_once_as_the_guest_made_it,
    each_call_is_seen_once_by_a_script_that_reads_no_guest_memory,
    the_end_of_a_guest_is_seen_with_its_exit_code,
    a_signal_to_itself_is_seen,
}

#[test]
fn each_call_of_wazero_is_seen_once_as_the_guest_made_it() {
    if Runtime::Wazero.is_ready() {
        each_call_is_seen_once_as_the_guest_made_it(Runtime::Wazero);
    }
}

#[test]
fn the_end_of_a_guest_of_wazero_is_seen_with_its_exit_code() {
    if Runtime::Wazero.is_ready() {
        the_end_of_a_guest_is_seen_with_its_exit_code(Runtime::Wazero);
    }
}

/// Between these lines the documentation has what the matrix gave.
const BEGIN: &str = "<!-- The matrix begins: tests/matrix.rs writes it. -->\n";
const END: &str = "<!-- The matrix ends. -->\n";

/// What came out, as the documentation has it.
fn tables(outcomes: &[(Runtime, Vec<Statement>)]) -> String {
    let mut text = String::new();
    let headings: Vec<&str> = outcomes
        .iter()
        .map(|(runtime, _)| runtime.title())
        .collect();
    writeln!(text, "| | {} |", headings.join(" | ")).expect("write to a string");
    writeln!(text, "|---|{}", "---|".repeat(outcomes.len())).expect("write to a string");
    let made = outcomes
        .iter()
        .map(|(_, statements)| statements.len().to_string());
    let mut line = |name: &str, cells: Vec<String>| {
        writeln!(text, "| {name} | {} |", cells.join(" | ")).expect("write to a string");
    };
    line("calls made, and seen", made.collect());
    let addresses = outcomes
        .iter()
        .map(|(runtime, _)| match runtime.shows_addresses() {
            true => "yes".to_owned(),
            false => "no".to_owned(),
        });
    line("arguments that are addresses", addresses.collect());
    for function in Function::all() {
        let cells = outcomes
            .iter()
            .map(|(runtime, statements)| cell(*runtime, statements, function));
        line(&format!("`{function}`"), cells.collect());
    }
    text
}

fn cell(runtime: Runtime, statements: &[Statement], function: Function) -> String {
    if !runtime.has(function) {
        return match runtime {
            Runtime::Wazero => "not seen".to_owned(),
            _ => "–".to_owned(),
        };
    }
    // These end the guest, so it states nothing of them: the tests above look at them.
    match (runtime.name(), function.name()) {
        ("node", "proc_exit") => return "not seen".to_owned(),
        (_, "proc_exit" | "proc_raise") => return "yes".to_owned(),
        _ => {}
    }
    let called = |statement: &Statement| statement.call.function == function;
    assert!(statements.iter().any(called), "{function} is not called");
    "yes".to_owned()
}

/// `UPDATE_EXPECT=1` writes it.
#[test]
fn the_documentation_has_what_the_matrix_gave() {
    let runtimes: Vec<Runtime> = Runtime::ALL
        .into_iter()
        .filter(|runtime| *runtime != Runtime::Builtin)
        .chain([Runtime::Wazero])
        .collect();
    if !runtimes.iter().all(|runtime| runtime.is_ready()) {
        return;
    }
    let outcomes: Vec<(Runtime, Vec<Statement>)> = runtimes
        .into_iter()
        .map(|runtime| (runtime, seen_and_done(runtime)))
        .collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/RUNTIMES.md");
    let docs = std::fs::read_to_string(&path).expect("the documentation is there");
    let (before, rest) = docs
        .split_once(BEGIN)
        .expect("it has the place where the matrix begins");
    let (found, after) = rest
        .split_once(END)
        .expect("it has the place where the matrix ends");
    let wanted = format!("\n{}\n", tables(&outcomes));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, [before, BEGIN, &wanted, END, after].concat()).expect("write it");
    } else {
        assert_eq!(found, wanted, "run the test with UPDATE_EXPECT=1");
    }
}
