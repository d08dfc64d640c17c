//! Programs that mean the same in bpftrace and here print the same. Both run in this test, side by side.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

mod support;

const EWAPA: &str = env!("CARGO_BIN_EXE_ewapa");

/// A program, and the words behind it.
type Words = (&'static str, &'static [&'static str]);

/// Programs, and the words behind them, that need nothing but themselves: what they print.
const PRINTING: &[Words] = &[
    (
        r#"BEGIN { print("a\tb"); $s = "x\ny"; print($s); print((1, "\x1b[1m")); printf("%s %c|\n", $s, 10); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { $x = -42; printf("%.3d|%5.3d|%-8.4d|%.5x\n", $x, 7, $x, 255); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { $x = 1 << 63; print($x); printf("%lld %llx\n", $x, $x); print((1, -9223372036854775807 - 1)); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { if (rand > 5000000000) { $x = 1; } printf("%d\n", $x); exit(); }"#,
        &[],
    ),
    (
        r#"i:us:300 { @n++; if (@n == 3) { printf("three\n"); clear(@n); exit(); } }"#,
        &[],
    ),
    (
        r#"BEGIN { printf("%d %x %X %o %u\n", 100, 255, 255, 8, 7); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { printf("%5d|%-5d|%05d|\n", 12, 12, 12); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { printf("%-8s|%8s|%.3s\n", "ab", "cd", "efghi"); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { printf("%c%c %lld %llu %lx\n", 72, 105, -1, 2, 3); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { printf("tab\there \"quoted\" \x41\102\n"); print(5); print("abc"); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { print((1, "a")); print((1, "a", (2, 3))); print(-5); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { printf("%s %d\n", str($1), $2); printf("%d %d\n", $#, $3); exit(); }"#,
        &["abc", "20"],
    ),
    (
        r#"BEGIN { if (str($1) == "a b") { printf("%s|%s\n", str($1), str($2)); } exit(); }"#,
        &["a b"],
    ),
    (
        r#"BEGIN { printf("%s\n", probe); exit(); } END { printf("%s\n", probe); }"#,
        &[],
    ),
    (
        r#"BEGIN /1 == 2/ { printf("never\n"); } i:ms:20 { printf("tick\n"); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN /(1 == 1) && (2 > 1)/ { printf("%s|\n", ""); exit(); printf("never\n"); }"#,
        &[],
    ),
    (
        r#"// a comment
BEGIN // another
{ /* a third */ if (1) { printf("a\n") } else { printf("b\n") } exit() }"#,
        &[],
    ),
    (
        r#"END { printf("end\n"); exit(); } i:ms:20 { printf("tick\n"); exit(); }"#,
        &[],
    ),
    (r#"i:ms:$1 { printf("%d\n", $1); exit(); }"#, &["20"]),
    (
        r#"BEGIN { cat("/proc/sys/kernel/%s", "ostype"); time("%Y%%\n"); printf("%s\n", strftime("%Y", nsecs)); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { printf("%s %s\n", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { printf("%-20s%-10d%s\n", "name", 5, "end"); exit(); }"#,
        &[],
    ),
];

/// What they compute.
const COMPUTING: &[Words] = &[
    (
        r#"BEGIN { printf("%d %d %d %d\n", 7/2, 7%2, (1 + 2) * 3 - 4 / 2, 1 << 4 | 3); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { printf("%d %d %d %d %d\n", 6 & 3, 6 | 3, 6 ^ 3, ~0, 0x10 >> 2); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { printf("%d %d %d %d\n", !5, 1 < 2, 2 <= 1, 1 == 1 && 2 == 2); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { printf("%d\n", 2 + 3 * 4 - 6 / 3 % 2 << 1 & 31 | 64 ^ 3); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { printf("%d %d %d\n", 1 < 2 == 1, 3 > 2 > 1, 1 | 2 ^ 3 & 4); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { $z = 0; printf("%d %d %d\n", 10 / $z, 1 / 0, 5 - -3); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { $a = 10; $a -= 3; $a *= 2; $a /= 7; $a %= 5; $a <<= 3; $a >>= 1; $a |= 1; $a &= 7; $a ^= 2; printf("%d\n", $a); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { $x = 5; $x++; ++$x; $x--; printf("%d\n", $x); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { $a = (uint8)257; $b = (int8)200; $c = (uint64)-1; printf("%d %d %lld\n", $a, $b, $c); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { $a = (uint16)70000; $b = (int16)40000; $c = -16; printf("%d %d %d\n", $a, $b, $c << 2); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { $a = 5; printf("%s\n", $a > 3 ? $a > 4 ? "big" : "middle" : "small"); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { 1 ? printf("a\n") : printf("b\n"); $b = 0 ? 1 : 2; printf("%d\n", $b); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { if (strncmp("abcd", "abce", 3) == 0) { printf("same\n"); } if (strncmp("abcd", "abce", 4) != 0) { printf("not\n"); } exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { $a = "abc"; $b = "abcdef"; if ($a == $b) { printf("same\n"); } else { printf("not\n"); } exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { $s = "hello"; @s["k"] = "text"; if ($s == "hello") { printf("%s %s\n", $s, @s["k"]); } exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { $t = (1, (2, "deep")); printf("%d %s\n", $t.0, $t.1.1); @ = (1, 2, "string"); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { $i = 0; while ($i < 10) { $i++; if ($i == 3) { continue; } if ($i == 6) { break; } printf("%d ", $i); } unroll (3) { printf("x"); } printf("\n"); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { $i = 0; while ($i < 3) { $j = 0; while ($j < 2) { printf("%d%d ", $i, $j); $j++; } $i++; } printf("\n"); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { if (0) { printf("a\n"); } else if (1) { printf("b\n"); } else { printf("c\n"); } return; printf("never\n"); } i:ms:10 { exit(); }"#,
        &[],
    ),
];

/// What their maps hold.
const MAPS: &[Words] = &[
    (
        r##"BEGIN { @x = 1 << 63; @[1 << 63, "a\tb"] = 1; @t["x\ny"] = "p\tq"; exit(); }"##,
        &[],
    ),
    (
        r##"BEGIN { @s = sum(1 << 63); @a[1] = avg(5); exit(); }"##,
        &[],
    ),
    (r##"BEGIN { @ = count(); @ = count(); exit(); }"##, &[]),
    (
        r##"BEGIN { @a = avg(5); @a = avg(7); @s = sum(5); @s = sum(-6); exit(); }"##,
        &[],
    ),
    (
        r##"BEGIN { @max = max(5); @max = max(-7); @min = min(-5); @min = min(7); exit(); }"##,
        &[],
    ),
    (r##"BEGIN { @ = stats(5); @ = stats(7); exit(); }"##, &[]),
    (
        r##"BEGIN { @s[1] = stats(5); @s[1] = stats(-3); @s[2] = stats(7); exit(); }"##,
        &[],
    ),
    (
        r##"BEGIN { @ = hist(5); @ = hist(7); @ = hist(100); exit(); }"##,
        &[],
    ),
    (
        r##"BEGIN { @ = hist(0); @ = hist(-1); @ = hist(1); exit(); }"##,
        &[],
    ),
    (
        r##"BEGIN { @ = hist(1023); @ = hist(1024); @ = hist(1 << 20); @ = hist(1 << 30); exit(); }"##,
        &[],
    ),
    (
        r##"BEGIN { @ = lhist(5, 0, 10, 1); @ = lhist(11, 0, 10, 1); @ = lhist(-1, 0, 10, 1); exit(); }"##,
        &[],
    ),
    (
        r##"BEGIN { @ = lhist(1024, 0, 4096, 1024); @ = lhist(1500, 0, 4096, 1024); exit(); }"##,
        &[],
    ),
    (
        r#"BEGIN { @h["a"] = hist(5); @h["b"] = hist(500000); @h["b"] = hist(3); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { @x[1] = 1; @x[2] = 3; @x[3] = 2; @y[1, "a"] = 1; @y[2, "b"] = 2; exit(); }"#,
        &[],
    ),
    (
        r##"BEGIN { @a[1] = 50; @a[2] = 60; print(@a); print(@a, 1); print(@a, 2, 10); print(@a, 9); clear(@a); exit(); }"##,
        &[],
    ),
    (
        r##"BEGIN { @a[1] = 5; @a[2] = 5; delete(@a[1]); delete(@a[7]); @z[1] = 7; zero(@z); exit(); }"##,
        &[],
    ),
    (
        r##"BEGIN { @a[1] = 1; @b[1] = 1; clear(@b); exit(); }"##,
        &[],
    ),
    (
        r#"BEGIN { @a = 1; @a++; ++@a; @a += 5; printf("%d\n", @a); @x["a"]++; @x["a"]++; @x["b"]--; exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { @w[1] = 2; @x = 0xffffffff; @y = -1; @z = "a"; exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { @t[1] = (1, (2, "b")); $t = @t[1]; printf("%s\n", $t.1.1); exit(); }"#,
        &[],
    ),
    (
        r##"BEGIN { @a[1] = 5; @b[@a[1], str($1)] = 6; $k = 1; @a[$k]++; exit(); }"##,
        &["key"],
    ),
    (
        r#"BEGIN { @a[""] = 1; @b["kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"] = 1; exit(); }"#,
        &[],
    ),
    (
        r#"i:ms:10 { @[1]++; if (@[1] == 3) { printf("%d\n", @[1]); clear(@); exit(); } }"#,
        &[],
    ),
    (
        r#"BEGIN { @a[3] = 3; @a[1] = 1; if (@a[1]) { printf("there\n"); } if (@a[9]) { printf("not there\n"); } exit(); }"#,
        &[],
    ),
];

/// Programs, and the command that they look at. `COMM` stands for its name, which no other process has.
const COMMANDS: &[(&str, &str)] = &[
    (
        r#"t:syscalls:sys_enter_exit_group /comm == "COMM"/ { printf("%s %d %s\n", probe, args->error_code, comm); }"#,
        "/bin/true",
    ),
    (
        r#"t:raw_syscalls:sys_enter /comm == "COMM"/ { @[args->id] = count(); }"#,
        "/bin/true",
    ),
    (
        r#"t:raw_syscalls:sys_exit /comm == "COMM" && args->ret < 0/ { @[args->id, args->ret] = count(); }"#,
        "/bin/true",
    ),
    (
        r#"t:sched:sched_process_exit /comm == "COMM"/ { printf("%s %d\n", args->comm, args->prio); }"#,
        "/bin/true",
    ),
    (
        r#"uprobe:libc:exit /comm == "COMM"/ { printf("%d %d\n", arg0, pid == tid); } END { printf("end\n"); }"#,
        "/bin/true",
    ),
    (
        r#"t:syscalls:sys_enter_write /comm == "COMM"/ { @bytes = sum(args->count); @calls = count(); @size = hist(args->count); @what[buf(args->buf, 3)] = count(); }"#,
        "/bin/echo",
    ),
];

fn ewapa(program: &str, words: &[&str]) -> Output {
    let mut command = Command::new(EWAPA);
    command.args(["-e", program]).args(words);
    command.output().expect("run ewapa")
}

fn bpftrace(program: &str, words: &[&str]) -> Output {
    let mut command = Command::new("bpftrace");
    command.args(["-e", program]).args(words);
    command.output().expect("run bpftrace")
}

/// What was printed, without bpftrace's first line and without empty lines: bpftrace parts maps by them.
fn printed(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let lines = text.lines().map(str::trim_end);
    let lines: Vec<&str> = lines
        .filter(|line| !line.is_empty() && !line.starts_with("Attaching "))
        .collect();
    lines.join("\n")
}

/// Does something with each, two at a time, and fails with what it says.
fn each<T: Sync>(all: &[T], compare: impl Fn(&T) -> Option<String> + Sync) {
    if !support::is_root() || !support::bpftrace::is_there() {
        return;
    }
    let (next, differences) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(difference) = compare(one) {
                        let mut differences = differences.lock().expect("no thread panics");
                        differences.push(difference);
                    }
                }
            });
        }
    });
    let differences = differences.into_inner().expect("no thread panics");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn difference(program: &str, theirs: &str, ours: &str, ewapa: &Output) -> Option<String> {
    let errors = String::from_utf8_lossy(&ewapa.stderr);
    // A program that prints nothing says nothing about the two.
    let same = theirs == ours && !ours.is_empty() && ewapa.status.success();
    (!same).then(|| format!("{program}\nbpftrace:\n{theirs}\newapa:\n{ours}\n{errors}"))
}

fn print_the_same(programs: &[Words]) {
    each(programs, |(program, words)| {
        let (theirs, ours) = (bpftrace(program, words), ewapa(program, words));
        difference(
            program,
            &printed(&theirs.stdout),
            &printed(&ours.stdout),
            &ours,
        )
    });
}

#[test]
fn what_is_printed_is_the_same() {
    print_the_same(PRINTING);
}

#[test]
fn what_is_computed_is_the_same() {
    print_the_same(COMPUTING);
}

#[test]
fn what_maps_hold_is_the_same() {
    print_the_same(MAPS);
}

/// The objects of a line each, without those that only one of the two prints.
fn objects(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let objects = lines.map(|line| serde_json::from_str::<Value>(line).expect(line));
    objects
        .filter(|object| object["type"] != "summary")
        .collect()
}

#[test]
fn results_as_json_have_the_same_shapes() {
    each(MAPS, |(program, words)| {
        let json = |program: &str| {
            let mut command = Command::new(program);
            command.args(["-f", "json", "-e"]);
            command
        };
        let run = |mut command: Command| {
            let command = command.arg(program).args(*words);
            command.output().expect("run it")
        };
        let (theirs, ours) = (run(json("bpftrace")), run(json(EWAPA)));
        let shown = |output: &Output| {
            let objects = objects(output);
            let lines: Vec<String> = objects.iter().map(Value::to_string).collect();
            lines.join("\n")
        };
        difference(program, &shown(&theirs), &shown(&ours), &ours)
    });
}

/// A copy of a program, by a name that no process of this machine has.
fn copied(program: &str, directory: &Path, index: usize) -> PathBuf {
    let name = format!("beside{}x{index}", std::process::id() % 100_000);
    let copy = directory.join(name);
    std::fs::copy(program, &copy).expect("a copy of the program");
    copy
}

#[test]
fn what_raw_probes_see_of_a_command_is_the_same() {
    let directory = tempfile::tempdir().expect("a directory");
    let indexed: Vec<(usize, &(&str, &str))> = COMMANDS.iter().enumerate().collect();
    each(&indexed, |(index, (program, command))| {
        let copy = copied(command, directory.path(), *index);
        let name = copy.file_name().expect("a name").to_string_lossy();
        let program = program.replace("COMM", &name);
        let command = format!("{} hello", copy.display());
        let mut theirs = Command::new("bpftrace");
        let mut ours = Command::new(EWAPA);
        ours.args(["-q", "-o", "/dev/stdout"]);
        let run = |both: &mut Command| {
            let both = both.env("LC_ALL", "C").env_remove("LD_LIBRARY_PATH");
            let both = both.args(["-e", &program, "-c", &command]);
            both.output().expect("run it")
        };
        let (theirs, ours) = (run(&mut theirs), run(&mut ours));
        // Keys of equal values are in no order.
        let sorted = |output: &Output| {
            let printed = printed(&output.stdout);
            let mut lines: Vec<&str> = printed.lines().collect();
            lines.sort_unstable();
            lines.join("\n")
        };
        difference(&program, &sorted(&theirs), &sorted(&ours), &ours)
    });
}
