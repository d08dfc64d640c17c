//! Probe blocks, against what a guest is known to do.

mod support;

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use support::directory::Directory;
use support::guest::Guest;
use support::host::ewapa;
use support::process::{Ended, Process};
use support::runtime::{Invocation, Runtime};

/// Writes once with each size from 1 to 100 bytes, to descriptor 1.
fn sizes(runtime: Runtime, directory: &Directory) -> Invocation {
    runtime.run(&Guest::named("sizes").compile(directory), directory.path())
}

/// What a script prints about a command, and how that ended.
fn run_on(invocation: &Invocation, script: &str) -> (String, Ended) {
    let directory = Directory::new();
    let output = directory.path().join("output");
    let mut command = Command::new(ewapa());
    command
        .args(["script", "-e", script, "-o"])
        .arg(&output)
        .arg("--")
        .args(&invocation.words);
    invocation.surround(&mut command);
    let ended = Process::start(&mut command).end();
    (read(&output), ended)
}

/// A command that is no runtime.
fn plain(words: Vec<OsString>) -> Invocation {
    Invocation {
        words,
        directory: std::env::temp_dir(),
        environment: Vec::new(),
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// What a script prints about the guest of all sizes, on each runtime that is there.
fn on_sizes(script: &str, check: impl Fn(&str)) {
    for runtime in [Runtime::Builtin, Runtime::Wasm3] {
        if !runtime.is_ready() {
            continue;
        }
        let directory = Directory::new();
        let (text, ended) = run_on(&sizes(runtime, &directory), script);
        assert_eq!(ended.code(), 0, "{runtime:?}: {}{text}", ended.stderr);
        check(&text);
    }
}

fn prints(script: &str, expected: &str) {
    on_sizes(script, |text| assert_eq!(text, expected));
}

/// What a script without a command prints to the standard output.
fn alone(script: &str) -> Ended {
    Process::start(Command::new(ewapa()).args(["-e", script])).end()
}

#[test]
fn aggregates_in_maps_are_those_of_the_calls() {
    prints(
        "wasi:fd_write /bytes <= 60B/ {
           @calls = count(); @by[bytes % 2B] = count(); @sum = sum(bytes / 1B);
           @min = min(bytes); @max = max(bytes); @avg = avg(bytes / 1B); @stats = stats(bytes / 1B);
         }",
        "@avg: 30\n@by[0]: 30\n@by[1]: 30\n@calls: 60\n@max: 60 B\n@min: 1 B\n\
         @stats: count 60, average 30, total 1830\n@sum: 1830\n",
    );
}

#[test]
fn histograms_count_every_call_in_its_range() {
    on_sizes(
        "wasi:fd_write { @powers = hist(bytes / 1B); @steps = lhist(bytes / 1B, 0, 100, 50); }",
        |text| {
            let counts: Vec<u64> = text
                .lines()
                .filter_map(|line| {
                    line.split_once(')')?
                        .1
                        .split_whitespace()
                        .next()?
                        .parse()
                        .ok()
                })
                .collect();
            // 2 to 3, 4 to 7 and so on up to 64 to 127; then 0 to 49, 50 to 99, and 100.
            assert_eq!(counts, [2, 4, 8, 16, 32, 37, 49, 50, 1], "{text}");
        },
    );
}

#[test]
fn printf_prints_a_line_for_every_call() {
    let lines: String = (1..=100)
        .map(|n| format!("{n:>3} fd_write {n:#x}\n"))
        .collect();
    prints(
        r#"wasi:fd_write { printf("%3d %s %#x\n", bytes, func, bytes / 1B); }"#,
        &lines,
    );
}

#[test]
fn begin_comes_first_and_end_last() {
    prints(
        r#"end { printf("after %d\n", @calls); delete(@calls); }
           begin { printf("before %d\n", @calls); }
           wasi:fd_write /bytes > 98B/ { @calls++; printf("call\n"); }"#,
        "before 0\ncall\ncall\nafter 2\n",
    );
}

#[test]
fn branches_and_variables_are_of_one_call() {
    prints(
        "wasi:fd_write {
           $n = bytes / 1B;
           if ($n <= 10) { @small++; } else if ($n <= 50) { @middle += 1; } else { @large += $n > 90 ? 1 : 0; }
           if (@longest < bytes) { @longest = bytes; }
         }",
        "@large: 10\n@longest: 100 B\n@middle: 40\n@small: 10\n",
    );
}

#[test]
fn maps_are_emptied_key_by_key_or_at_once() {
    prints(
        r#"wasi:fd_write /bytes <= 3B/ {
             @kept[bytes / 1B] = count(); @deleted[bytes / 1B]++; @cleared[bytes / 1B] = count(); @zeroed = sum(fd);
           }
           end { delete(@deleted[2]); clear(@cleared); zero(@zeroed); print(@deleted); clear(@deleted); printf("end\n"); }"#,
        "@deleted[1]: 1\n@deleted[3]: 1\nend\n@kept[1]: 1\n@kept[2]: 1\n@kept[3]: 1\n@zeroed: 0\n",
    );
}

#[test]
fn tables_come_before_maps() {
    on_sizes(
        "table t from wasi:fd_write { calls = count() } wasi:fd_write { @calls = count(); }",
        |text| {
            let lines: Vec<&str> = text.lines().skip(1).take(4).map(str::trim).collect();
            assert_eq!(lines, ["CALLS", "100", "", "@calls: 100"], "{text}");
        },
    );
}

#[test]
fn a_script_that_waits_for_no_call_needs_no_command() {
    let ended = alone(
        r#"BEGIN { printf("begin\n"); } interval:ms:20 { @ticks++; if (@ticks == 3) { exit(); } } END { printf("end\n"); }"#,
    );
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(ended.stdout, b"begin\nend\n@ticks: 3\n");
}

#[test]
fn exit_at_the_beginning_starts_nothing() {
    let directory = Directory::new();
    let file = directory.path().join("made");
    let command = plain(vec!["touch".into(), file.clone().into()]);
    let (text, ended) = run_on(
        &command,
        r#"begin { printf("no\n"); exit(); } wasi:* { @[func] = count(); }"#,
    );
    assert_eq!((ended.code(), &text[..]), (0, "no\n"), "{}", ended.stderr);
    assert!(!file.exists());
}

#[test]
fn exit_ends_the_command_even_if_it_does_not_heed_that() {
    let command = plain(
        ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"]
            .map(Into::into)
            .to_vec(),
    );
    let (text, ended) = run_on(
        &command,
        r#"interval:ms:300 { exit(); } end { printf("end\n"); }"#,
    );
    assert_eq!((ended.code(), &text[..]), (0, "end\n"), "{}", ended.stderr);
}

#[test]
fn formats_of_tables_are_refused_for_text() {
    let script = r#"begin { printf("x"); exit(); }"#;
    for format in ["csv", "md"] {
        let ended = Process::start(Command::new(ewapa()).args(["-e", script, "-f", format])).end();
        assert_eq!(ended.code(), 64, "{}", ended.stderr);
        let what = "not the text of printf()";
        assert!(ended.stderr.contains(what), "{}", ended.stderr);
    }
}

#[test]
fn a_map_is_a_table_in_formats_of_tables() {
    let script = r#"begin { @a[1, "x"] = count(); @h = hist(5); exit(); }"#;
    let ended = Process::start(Command::new(ewapa()).args(["-e", script, "-f", "csv"])).end();
    let text = String::from_utf8_lossy(&ended.stdout);
    assert_eq!(text, "k1,k2,value\n1,x,1\n\nfrom,to,count\n4,8,1\n");
    let ended = Process::start(Command::new(ewapa()).args(["-e", script, "-qf", "md"])).end();
    let text = String::from_utf8_lossy(&ended.stdout);
    assert!(text.starts_with("| K1 | K2 | VALUE |\n"), "{text}");
}

#[test]
fn a_step_is_done_only_where_it_is_evaluated() {
    let ended = alone(
        r#"begin {
             $i = 0; if ($i > 0 && $i++ > 5) { print("no"); } print($i);
             if ($i++ == 0 || $i++ > 5) { print($i); }
             $j = $i > 3 ? $i++ : --$i; print(($i, $j)); print($i == 0 && ($i++ || $i++) && ++$i > 2);
             while ($i < 9 && $i++ != 6) { @rounds++; } print($i); exit();
           }"#,
    );
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(
        String::from_utf8_lossy(&ended.stdout),
        "0\n1\n(0, 0)\ntrue\n7\n@rounds: 3\n"
    );
}

#[test]
fn the_largest_and_the_smallest_number_are_extremes_like_others() {
    let ended = alone(
        "begin { @a = min(9223372036854775807); @b = max(9223372036854775807);
           @c = min(-9223372036854775808); @d = max(-9223372036854775808);
           @e = max((uint64)1); @e = max((uint64)-1); @f = min((uint64)-1); @f = min((uint64)7);
           if (@e > 5 && @f == 7) { @g = @e; } exit(); }",
    );
    assert_eq!(
        String::from_utf8_lossy(&ended.stdout),
        "@a: 9223372036854775807\n@b: 9223372036854775807\n\
         @c: -9223372036854775808\n@d: -9223372036854775808\n\
         @e: 18446744073709551615\n@f: 7\n@g: 18446744073709551615\n"
    );
}

#[test]
fn averages_and_extremes_of_all_cpus_are_read() {
    prints(
        "wasi:fd_write {
           @a[func] = avg(bytes / 1B); @min = min(bytes / 1B); @max = max(bytes / 1B); @h[func] = hist(fd);
           if (@max == 50 && @min == 1) { printf(\"%d %d\\n\", @a[func], (int64)@a[\"fd_read\"]); }
         }
         end { printf(\"%d %d %d\\n\", @min, @max, @n); clear(@h); clear(@a); }
         wasi:fd_write /has_key(@h, func)/ { @n++; }",
        "25 0\n1 100 100\n@max: 100\n@min: 1\n@n: 100\n",
    );
}

#[test]
fn a_key_of_an_aggregate_is_deleted_at_once() {
    let ended = alone(
        r#"begin {
             @a = min(5); delete(@a); @a = min(8); @h[1, "x"] = hist(3); delete(@h[1, "x"]); @h[1, "x"] = hist(7);
             @m[1] = max(5); delete(@m, 1); if (!has_key(@m, 1)) { print("gone"); }
             @c[2] = count(); @c[2] = count(); delete(@c[2]); @c[2] = count(); exit();
           }"#,
    );
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let text = String::from_utf8_lossy(&ended.stdout);
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines[..3], ["gone", "@a: 8", "@c[2]: 1"], "{text}");
    assert!(lines[4].starts_with("[4, 8)                 1 |"), "{text}");
    assert_eq!(lines.len(), 5, "{text}");
}

#[test]
fn modules_are_compared_with_texts() {
    prints(
        r#"wasi:fd_write /module != "other.wasm"/ {
             @[module == "sizes.wasm", module == "sizes", strncmp(module, "sizes", 5) == 0, strcontains(module, ".w")] = count();
           }
           wasi:fd_write /module == "other.wasm" || !strcontains(module, "sizes")/ { @never[func] = count(); }"#,
        "@[true, false, true, true]: 100\n",
    );
}

#[test]
fn a_histogram_has_the_steps_that_it_is_asked_for() {
    let ended = alone(
        "begin { $i = -1; while ($i < 40) { @a = hist($i, 1); @b = hist($i, 3); $i++; } exit(); }",
    );
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let text = String::from_utf8_lossy(&ended.stdout);
    for line in [
        "[3]                    1 |",
        "[4, 6)                 2 |",
        "[24, 32)               8 |",
        "[32, 36)               4 |",
    ] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn a_kernel_without_endless_loops_refuses_scripts_with_loops_by_name() {
    let run = |script| {
        let mut command = Command::new(ewapa());
        let options = ["script", "-f", "text", "--without", "may-goto"];
        Process::start(command.args(options).args(["-e", script])).end()
    };
    for script in [
        "begin { while (1) { break; } exit(); }",
        "begin { for $i : 0..5 { print($i); } exit(); }",
        "begin { unroll (2) { print(7); } exit(); }",
        "begin { if (strcontains(comm, \"x\")) { print(1); } exit(); }",
    ] {
        let ended = run(script);
        assert_eq!(ended.code(), 71, "{}", ended.stderr);
        assert!(ended.stderr.contains("may_goto"), "{}", ended.stderr);
    }
    let ended = run("begin { if (strncmp(comm, \"x\", 1) == 0) { print(7); } exit(); }");
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
}

#[test]
fn what_was_never_assigned_or_was_cleared_is_not_printed() {
    let ended = alone(
        "begin { @x = 1; clear(@x); @z = 2; zero(@z); exit(); } end { if (@z > 5) { @n = 1; @c = count(); } }",
    );
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(String::from_utf8_lossy(&ended.stdout), "@c: 0\n@z: 0\n");
}

#[test]
fn steps_have_values_and_lengths_cut_as_in_c() {
    let ended = alone(
        r#"begin {
             $i = 0; $y = $i++; printf("%d %d %d\n", $y, $i++, $i); @a[$i++] = 7; $z = @x++;
             while ($i++ < 6) { printf("w%d ", $i); }
             printf("%d %d\n", $z, ++@x); printf("%zu %hhd %hu\n", 5, 300, 70000);
             printf("%lx %u\n", 0xffffffffffffffff, 18446744073709551615); exit();
           }"#,
    );
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert_eq!(
        String::from_utf8_lossy(&ended.stdout),
        "0 1 2\nw4 w5 w6 0 2\n5 44 4464\nffffffffffffffff 18446744073709551615\n@a[2]: 7\n@x: 2\n"
    );
}
