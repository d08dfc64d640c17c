//! Too little room: in tables, for descriptors, for memory. What finds none is counted and shown, `--strict` makes it
//! an exit code, and the numbers that there are hold.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::is_root;
use support::process::Process;
use support::tinyrt::{CALLS, Host, Traced};

/// A group for each descriptor.
fn by_descriptor(settings: &str) -> String {
    format!("{settings} table t from wasi:* by fd {{ calls = count() }}")
}

/// The calls in the rows of the only table, and how many rows there are.
fn in_rows(traced: &Traced) -> (i64, usize) {
    let report = traced.report();
    let table = report.table();
    (table.sum(&[], "CALLS"), table.rows.len())
}

/// The number before ` lost` in the headline.
fn lost(traced: &Traced) -> i64 {
    let headline = traced.headline();
    let before = headline.split(" lost").next().expect("a first part");
    let number = before.rsplit(' ').next().expect("a last word");
    number
        .parse()
        .unwrap_or_else(|_| panic!("no number is lost in {headline}"))
}

/// A limit of 100 rows for 150 groups. A group that two processors have counted takes two of them.
#[test]
fn calls_without_room_in_a_table_are_counted() {
    if !is_root() {
        return;
    }
    let script = by_descriptor("config = { max_map_keys = 100 }");
    let traced = Host::new().trace(&script, &[], &["groups", "150"]);
    let (calls, rows) = in_rows(&traced);
    assert!(rows <= 100, "{}", traced.shown());
    assert_eq!(calls + lost(&traced), 150, "{}", traced.shown());
    let said = format!("{} calls found no place in a table", lost(&traced));
    assert!(traced.shown().contains(&said), "{}", traced.shown());
    assert_eq!(traced.ended.code(), 0, "{}", traced.shown());
}

#[test]
fn with_strict_a_full_table_is_an_exit_code() {
    if !is_root() {
        return;
    }
    let script = by_descriptor("config = { max_map_keys = 100 }");
    for format in ["table", "json", "csv", "md"] {
        let options = ["--strict", "-q", "-f", format];
        let traced = Host::new().trace(&script, &options, &["groups", "150"]);
        assert_eq!(traced.ended.code(), 4, "{}", traced.shown());
        assert!(
            traced
                .ended
                .stderr
                .contains("ewapa: --strict: not complete: ")
                && traced.ended.stderr.contains("found no place in a table"),
            "{}",
            traced.ended.stderr
        );
    }
}

/// What a script says of numbers that are not complete does not matter, and a command that fails is not hidden.
#[test]
fn what_is_missing_is_more_than_a_check_and_less_than_a_failure() {
    if !is_root() {
        return;
    }
    let check = " check \"none\" t.calls < 0;";
    let script = by_descriptor("config = { max_map_keys = 100 }") + check;
    let host = Host::new();
    let traced = host.trace(&(CALLS.to_owned() + check), &["--strict"], &["calls", "5"]);
    assert_eq!(traced.ended.code(), 3, "{}", traced.shown());
    let traced = host.trace(&script, &["--strict"], &["groups", "150"]);
    assert_eq!(traced.ended.code(), 4, "{}", traced.shown());
    let mut command = host.ewapa(&script, &["--strict", "-o", "out", "--", "sh", "-c"]);
    command.arg("\"$0\" groups 150; exit 9").arg(&host.program);
    let traced = host.end(Process::start(&mut command));
    assert_eq!(traced.ended.code(), 9, "{}", traced.shown());
    assert!(
        traced.ended.stderr.contains("--strict: not complete"),
        "{}",
        traced.shown()
    );
}

#[test]
fn ten_thousand_groups_are_ten_thousand_rows() {
    if !is_root() {
        return;
    }
    let traced = Host::new().trace(&by_descriptor(""), &["--strict"], &["groups", "10000"]);
    assert_eq!(traced.ended.code(), 0, "{}", traced.ended.stderr);
    assert_eq!(in_rows(&traced), (10_000, 10_000));
}

/// 65,536 rows is the limit if a script says nothing. On one processor each group is one.
#[test]
fn a_table_takes_65536_groups_and_counts_what_comes_after() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    for (groups, code, beyond) in [("65536", 0, 0), ("66000", 4, 464)] {
        let mut command = host.ewapa(
            &by_descriptor(""),
            &["--strict", "-o", "out", "--", "taskset", "-c", "0"],
        );
        command.arg(&host.program).args(["groups", groups]);
        let traced = host.end(Process::start(&mut command));
        assert_eq!(traced.ended.code(), code, "{}", traced.ended.stderr);
        assert_eq!(in_rows(&traced), (65_536, 65_536));
        if beyond > 0 {
            assert_eq!(lost(&traced), beyond);
        }
    }
}

#[test]
fn too_few_descriptors_are_said_with_the_way_out() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let command = host.command(CALLS, &["--strict"], &["calls", "5"]);
    let mut worked = false;
    for most in [8, 12, 16, 24, 32, 64, 256] {
        let shell = format!("ulimit -n {most}; exec \"$@\"");
        let _ = fs::remove_file(host.path("out"));
        let traced = host.end(Process::start(&mut host.under(&shell, &command)));
        match traced.ended.code() {
            0 => {
                assert_eq!(traced.calls("sched_yield"), 5, "{}", traced.shown());
                worked = true;
            }
            code => {
                assert!(
                    !worked && [70, 71].contains(&code),
                    "{most}: {}",
                    traced.shown()
                );
                assert!(
                    traced.ended.stderr.contains("ulimit -n"),
                    "{most}: {}",
                    traced.ended.stderr
                );
            }
        }
    }
    assert!(worked, "256 descriptors are enough");
}

/// The kernel charges memory of eBPF to the group of the process since Linux 5.11.
#[test]
fn a_limit_of_locked_memory_does_not_matter() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let command = host.command(CALLS, &["--strict"], &["calls", "5"]);
    let traced = host.end(Process::start(
        &mut host.under("ulimit -l 0; exec \"$@\"", &command),
    ));
    assert_eq!(traced.ended.code(), 0, "{}", traced.shown());
    assert_eq!(traced.calls("sched_yield"), 5, "{}", traced.shown());
}

/// A program that takes milliseconds, and the clock's interrupts within it.
#[test]
fn an_event_within_another_one_is_counted() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let script = "tracepoint:syscalls:sys_enter_write /comm == \"dd\"/ {
            $i = 0; while ($i < 500000) { $i += 1; } @wrote = count();
        }
        tracepoint:timer:hrtimer_expire_entry { @ticks = count(); }";
    let mut command = host.ewapa(script, &["--strict", "-o", "out", "--"]);
    command.args([
        "dd",
        "if=/dev/zero",
        "of=/dev/null",
        "bs=1",
        "count=50",
        "status=none",
    ]);
    let traced = host.end(Process::start(&mut command));
    assert!(
        traced.shown().contains("@wrote: 50\n"),
        "{}",
        traced.shown()
    );
    assert!(
        traced.shown().contains(" events missed"),
        "{}",
        traced.shown()
    );
    assert!(
        traced
            .ended
            .stderr
            .contains("events came while a program of a script ran"),
        "{}",
        traced.ended.stderr
    );
    assert_eq!(traced.ended.code(), 4, "{}", traced.shown());
}

/// A group of processes with a limit of memory, removed at the end.
struct MemoryGroup(PathBuf);

impl MemoryGroup {
    fn new(limit: u64) -> MemoryGroup {
        let name = format!("ewapa-test-{}-{limit}", std::process::id());
        // Version 1 of control groups has a tree for memory, version 2 one for all.
        let first = Path::new("/sys/fs/cgroup/memory");
        let (root, file) = if first.is_dir() {
            (first, "memory.limit_in_bytes")
        } else {
            (Path::new("/sys/fs/cgroup"), "memory.max")
        };
        let path = root.join(name);
        fs::create_dir(&path).expect("make a control group");
        let group = MemoryGroup(path);
        fs::write(group.0.join(file), limit.to_string()).expect("limit the memory");
        group
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        // It is busy until the last process in it has ended.
        for _ in 0..200 {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

/// However little there is, a run gives exact numbers, or says what is missing, or fails: never wrong ones.
#[test]
fn without_room_in_its_memory_group_a_run_fails_or_is_right() {
    const CALLS: i64 = 3000;
    if !is_root() {
        return;
    }
    let host = Host::new();
    let script = "table t from wasi:* by fd { calls = count(), p = p99(duration) as int }";
    let command = host.command(script, &["--strict"], &["groups", &CALLS.to_string()]);
    let mut codes = Vec::new();
    for mebibytes in [4, 16, 32, 256] {
        let group = MemoryGroup::new(mebibytes << 20);
        let join = format!(
            "echo $$ >{}/cgroup.procs || exit 99; exec \"$@\"",
            group.0.display()
        );
        let _ = fs::remove_file(host.path("out"));
        let process = Process::start(&mut host.under(&join, &command));
        let traced = host.end(process);
        let code = traced.ended.code();
        codes.push(code);
        match code {
            0 => assert_eq!(in_rows(&traced).0, CALLS, "{}", traced.ended.stderr),
            4 => assert_eq!(
                in_rows(&traced).0 + lost(&traced),
                CALLS,
                "{}",
                traced.ended.stderr
            ),
            // The kernel ends what takes more than it may.
            137 => {}
            _ => assert!(
                traced.ended.stderr.contains("ewapa: "),
                "{code}: {}",
                traced.ended.stderr
            ),
        }
    }
    assert_eq!(codes.last(), Some(&0), "{codes:?}");
}
