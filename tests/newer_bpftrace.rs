//! Programs in the manner of newer versions of bpftrace than the one that other tests have beside them: what they
//! print here is what the reference of bpftrace says of them, and what is left out is refused by name with a hint.

use std::process::{Command, Output};

mod support;

const EWAPA: &str = env!("CARGO_BIN_EXE_ewapa");

/// A program without its braces and `exit()`, the words behind it, and what it prints.
type Case = (&'static str, &'static [&'static str], &'static str);

const LANGUAGE: &[Case] = &[
    ("for $i : 0..3 { print($i); }", &[], "0\n1\n2"),
    ("for ($i : 2..4) { print($i); }", &[], "2\n3"),
    ("for $i : 5..2 { print($i); } print(7);", &[], "7"),
    (
        "$n = 2; for $i : -1..$n { print($i); $n--; }",
        &[],
        "-1\n0\n1",
    ),
    (
        "for $i : 0..9 { if ($i == 1) { continue; } if ($i == 3) { break; } print($i); }",
        &[],
        "0\n2",
    ),
    ("let $x = 3; let $y; $y = $x + 1; print($y);", &[], "4"),
    ("let $x: uint8 = 3; print($x);", &[], "3"),
    (
        "print(true); print(false); print(1 < 2);",
        &[],
        "true\nfalse\ntrue",
    ),
    (
        "$b = 1 == 2; print($b); print((true, $b, 3));",
        &[],
        "false\n(true, false, 3)",
    ),
    ("printf(\"%d %s\\n\", true, 1 == 2);", &[], "1 false"),
    ("@b = 2 > 1;", &[], "@b: true"),
    (
        "@[true] = 1; @[1 == 2] = 2;",
        &[],
        "@[true]: 1\n@[false]: 2",
    ),
    (
        "print(-7 / 2); print(-7 % 3); print(-1 >> 1);",
        &[],
        "-3\n-1\n-1",
    ),
    (
        "print((uint8)300); print((int8)200); print((uint64)-1);",
        &[],
        "44\n-56\n18446744073709551615",
    ),
    (
        "$t = (1, \"hello\"); print($t[1]); print($t.0);",
        &[],
        "hello\n1",
    ),
    (
        "if ((1, \"a\") == (1, \"a\")) { print(\"same\"); } $t = (1, 2); print($t != (1, 3));",
        &[],
        "same\ntrue",
    ),
    (
        "print(sizeof(uint32)); print(sizeof(\"abc\")); print(sizeof((1, 2)));",
        &[],
        "4\n4\n16",
    ),
    (
        "printf(\"%r %rx %rh\\n\", buf(\"abc\", 2), buf(\"abc\", 2), buf(\"a\\x01\", 3));",
        &[],
        "ab \\x61\\x62 61 01 00",
    ),
    (
        "$s = \"abcdef\"; printf(\"%r|\\n\", buf($s, 3)); @ = buf($s, 2);",
        &[],
        "abc|\n@: ab",
    ),
    ("printf(\"%s\\n\", str($1 + 1));", &["hello"], "ello"),
    (
        "print(pid() == pid); print(nsecs() > 0); print(tid(init) == tid); print(rand() >= 0 && cpu() == cpu);",
        &[],
        "true\ntrue\ntrue\ntrue",
    ),
    (
        "print(len(kstack(2)) <= 2); print(len(kstack) > 0);",
        &[],
        "true\ntrue",
    ),
    (
        "print(strlen(\"four\")); print(len(\"four\"));",
        &[],
        "4\n4",
    ),
];

const MAPS: &[Case] = &[
    ("@[1, 2] = 3; @[(4, 5)] = 6;", &[], "@[1, 2]: 3\n@[4, 5]: 6"),
    ("@[1, (2, \"x\")] = 3;", &[], "@[1, (2, x)]: 3"),
    (
        "@x[(1, 2), 3] = 4; for ($kv : @x) { print($kv); print($kv.0.0); } clear(@x);",
        &[],
        "(((1, 2), 3), 4)\n(1, 2)",
    ),
    (
        "@x[1, 2] = 3; delete(@x, (1, 2)); print(has_key(@x, (1, 2)));",
        &[],
        "false",
    ),
    (
        "@x[1] = 5; @x[2] = 6; print(len(@x)); delete(@x, 1); print(len(@x)); clear(@x);",
        &[],
        "2\n1",
    ),
    (
        "@c[\"a\"] = count(); @h[1] = hist(3); @h[2] = hist(3); printf(\"%d %d\\n\", len(@c), len(@h)); clear(@c); clear(@h);",
        &[],
        "1 2",
    ),
    (
        "@a[1] = avg(3); @a[1] = avg(6); for ($kv : @a) { print($kv); } clear(@a);",
        &[],
        "(1, 4)",
    ),
    (
        "@a[1] = min(3); @a[1] = min(-2); @b[1] = max(-3); for ($kv : @a) { print($kv.1); } for ($kv : @b) { print($kv.1); } clear(@a); clear(@b);",
        &[],
        "-2\n-3",
    ),
    (
        "@a[1] = max((uint64)-1); @a[1] = max((uint64)5); for ($kv : @a) { print($kv.1); } clear(@a);",
        &[],
        "18446744073709551615",
    ),
    (
        "@a[1] = stats(4); @a[1] = stats(9); for ($kv : @a) { print($kv); } clear(@a);",
        &[],
        "(1, (2, 6, 13))",
    ),
    (
        "@a[1] = sum(5); for ($kv : @a) { @b[$kv.0] = (int64)$kv.1; } clear(@a);",
        &[],
        "@b[1]: 5",
    ),
    (
        "@x[1] = 1; @x[2] = 2; for ($kv : @x) { delete(@x, $kv.0); } print(len(@x));",
        &[],
        "0",
    ),
];

/// Whole programs.
const PROGRAMS: &[Case] = &[
    (
        "macro one() { 1 } macro add(x) { x + 1 } begin { print(one); print(add(one())); exit(); }",
        &[],
        "1\n2",
    ),
    (
        "macro more($a, @b) { $a += 1; @b += 1; } begin { $x = 10; @y = 5; more($x, @y); print($x + @y); clear(@y); exit(); }",
        &[],
        "17",
    ),
    (
        "config = { BPFTRACE_MAX_STRLEN = 200, cpp_demangle = false; PRINT_MAPS_ON_EXIT = 0 } BEGIN { @x = 1; print(5); exit(); }",
        &[],
        "5",
    ),
    ("begin { exit(); } end { print(\"end\"); }", &[], "end"),
];

/// Programs that are refused, and what is said of them.
const REFUSED: &[(&str, &str, &str)] = &[
    ("begin { $x = { 1 }; }", "E0902", "in statements before"),
    ("begin { $x = getopt(\"a\", 1); }", "E0902", "param name"),
    (
        "begin { @a[1] = 1; if (delete(@a, 1)) { } }",
        "E0609",
        "has_key(@x, key)",
    ),
    (
        "begin { $s = kstack; print(len($s)); }",
        "E0403",
        "len(kstack)",
    ),
    ("begin { signal_thread(9); }", "E0902", "only watches"),
    (
        "begin { print(pid(curr_ns)); }",
        "E0902",
        "first name space",
    ),
    ("begin { print(is_str(\"a\")); }", "E0902", "ewapa list -v"),
    ("begin { if ((1, 2) == 1) { } }", "E0320", "the same parts"),
    (
        "begin { @x[1, (2, 3)] = 1; @x[(1, 2), 3] = 1; }",
        "E0603",
        "other tuples",
    ),
    (
        "let @a = lruhash(10); begin { @a[1] = 1; }",
        "E0902",
        "no declaration",
    ),
    (
        "macro foo() { 1 } begin { print(fooo()); }",
        "E0104",
        "did you mean `foo`?",
    ),
    (
        "alias wasi:io = wasi:fd_read; wasi:oi { @ = count(); }",
        "E0203",
        "did you mean `wasi:io`?",
    ),
];

fn run(program: &str, words: &[&str]) -> Output {
    let mut command = Command::new(EWAPA);
    command.args(["-e", program]).args(words);
    command.output().expect("run ewapa")
}

/// Each prints what stands beside it.
fn print_as_said(cases: impl Iterator<Item = (String, &'static [&'static str], &'static str)>) {
    if !support::is_root() {
        support::skip("tracing needs root");
        return;
    }
    let mut differences = Vec::new();
    for (program, words, expected) in cases {
        let output = run(&program, words);
        let printed = String::from_utf8_lossy(&output.stdout);
        let lines: Vec<&str> = printed.lines().map(str::trim_end).collect();
        let printed = lines.join("\n");
        if printed.trim() != expected || !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            differences.push(format!(
                "{program}\nexpected:\n{expected}\nprinted:\n{printed}\n{errors}"
            ));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn in_begin(cases: &'static [Case]) {
    print_as_said(
        cases.iter().map(|(body, words, expected)| {
            (format!("BEGIN {{ {body} exit(); }}"), *words, *expected)
        }),
    );
}

#[test]
fn the_language_of_newer_versions_is_that_of_their_reference() {
    in_begin(LANGUAGE);
}

#[test]
fn maps_of_newer_versions_are_those_of_their_reference() {
    in_begin(MAPS);
}

#[test]
fn macros_and_settings_of_newer_versions_are_taken() {
    let cases = PROGRAMS.iter();
    print_as_said(
        cases.map(|(program, words, expected)| ((*program).to_owned(), *words, *expected)),
    );
}

#[test]
fn what_newer_versions_have_and_this_language_leaves_out_is_refused_with_a_hint() {
    for (program, code, hint) in REFUSED {
        let output = run(program, &[]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(65), "{program}\n{errors}");
        assert!(
            errors.contains(&format!("error[{code}]")),
            "{program}\n{errors}"
        );
        assert!(errors.contains(hint), "{program}\n{errors}");
    }
}
