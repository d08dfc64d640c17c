//! Programs that mean the same in bpftrace and here print the same. Both run in this test, side by side.

use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

mod support;

const EWAPA: &str = env!("CARGO_BIN_EXE_ewapa");

/// Programs, and the words behind them, that need nothing but themselves.
const PRINTING: &[(&str, &[&str])] = &[
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
        r#"BEGIN { printf("tab\there \"quoted\"\n"); print(5); print("abc"); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { print((1, "a")); print((1, "a", (2, 3))); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { printf("%s %d\n", str($1), $2); printf("%d %d\n", $#, $3); exit(); }"#,
        &["abc", "20"],
    ),
    (
        r#"BEGIN { printf("%s\n", probe); exit(); } END { printf("%s\n", probe); }"#,
        &[],
    ),
    (
        r#"BEGIN /1 == 2/ { printf("never\n"); } i:ms:20 { printf("tick\n"); exit(); }"#,
        &[],
    ),
];

const COMPUTING: &[(&str, &[&str])] = &[
    (
        r#"BEGIN { printf("%d %d %d %d\n", 7/2, 7%2, 7*2, 1 << 4 | 3); exit(); }"#,
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
        r#"BEGIN { $a = 10; $a -= 3; $a *= 2; $a /= 7; $a %= 5; $a <<= 3; $a >>= 1; $a |= 1; $a &= 7; $a ^= 2; printf("%d\n", $a); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { $x = 5; $y = $x++; $z = ++$x; printf("%d %d %d\n", $x, $y, $z); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { $a = (uint8)257; $b = (int8)200; $c = (uint64)-1; printf("%d %d %llu\n", $a, $b, $c); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { if (strncmp("abcd", "abce", 3) == 0) { printf("same\n"); } if (strncmp("abcd", "abce", 4) != 0) { printf("not\n"); } exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { $s = "hello"; @s["k"] = "text"; if ($s == "hello") { printf("%s %s\n", $s, @s["k"]); } exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { $t = (1, "xyz"); printf("%d %s\n", $t.0, $t.1); @ = (1, 2, "string"); @k[(1, 2)] = 5; exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { $i = 0; while ($i < 10) { $i++; if ($i == 3) { continue; } if ($i == 6) { break; } printf("%d ", $i); } unroll (3) { printf("x"); } printf("\n"); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { if (0) { printf("a\n"); } else if (1) { printf("b\n"); } else { printf("c\n"); } exit(); }"#,
        &[],
    ),
];

const MAPS: &[(&str, &[&str])] = &[
    (r#"BEGIN { @ = count(); @ = count(); exit(); }"#, &[]),
    (
        r#"BEGIN { @s = sum(5); @s = sum(-6); @a = avg(5); @a = avg(7); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { @min = min(5); @min = min(7); @max = max(-5); @max = max(-7); exit(); }"#,
        &[],
    ),
    (r#"BEGIN { @ = stats(5); @ = stats(7); exit(); }"#, &[]),
    (
        r#"BEGIN { @ = hist(5); @ = hist(7); @ = hist(100); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { @ = hist(0); @ = hist(-1); @ = hist(1); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { @ = lhist(5, 0, 10, 1); @ = lhist(11, 0, 10, 1); @ = lhist(-1, 0, 10, 1); exit(); }"#,
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
        r#"BEGIN { @a[1] = 50; @a[2] = 60; print(@a); print(@a, 1); print(@a, 2, 10); print(@a[1]); clear(@a); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { @a[1] = 5; @a[2] = 5; delete(@a[1]); @z[1] = 7; zero(@z); exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { @a = 1; @a++; ++@a; @a += 5; printf("%d\n", @a); @x["a"]++; @x["a"]++; @x["b"]--; exit(); }"#,
        &[],
    ),
    (
        r#"BEGIN { @x = 0xffffffff; @y = -1; @z = "a"; @w[1] = 2; exit(); }"#,
        &[],
    ),
    (r#"i:ms:10 { @++; if (@ >= 3) { exit(); } }"#, &[]),
    (
        r#"BEGIN { @a[3] = 1; @a[1] = 1; @a[2] = 1; if (@a[1]) { printf("there\n"); } if (@a[9]) { printf("not there\n"); } exit(); }"#,
        &[],
    ),
];

fn bpftrace(program: &str, words: &[&str]) -> Output {
    let mut command = Command::new("bpftrace");
    command.args(["-e", program]).args(words);
    command.output().expect("run bpftrace")
}

fn ewapa(program: &str, words: &[&str]) -> Output {
    let mut command = Command::new(EWAPA);
    command.args(["-e", program]).args(words);
    command.output().expect("run ewapa")
}

/// What was printed, without bpftrace's first line and without empty lines: bpftrace parts maps by them.
fn printed(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().map(str::trim_end);
    let lines: Vec<&str> = lines
        .filter(|line| !line.is_empty() && !line.starts_with("Attaching "))
        .collect();
    lines.join("\n")
}

fn print_the_same(programs: &[(&str, &[&str])]) {
    if !support::is_root() {
        return;
    }
    if Command::new("bpftrace").arg("--version").output().is_err() {
        return support::skip("bpftrace is not installed");
    }
    let (next, differences) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((program, words)) =
                    programs.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    let (theirs, ours) = (bpftrace(program, words), ewapa(program, words));
                    let (expected, found) = (printed(&theirs), printed(&ours));
                    if expected != found || !ours.status.success() {
                        let errors = String::from_utf8_lossy(&ours.stderr).into_owned();
                        differences.lock().expect("no thread panics").push(format!(
                            "{program}\nbpftrace:\n{expected}\newapa:\n{found}\n{errors}"
                        ));
                    }
                }
            });
        }
    });
    let differences = differences.into_inner().expect("no thread panics");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
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
