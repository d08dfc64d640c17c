//! The grammar covers the whole language, also what this version refuses later.

use ewapa_lang::{Code, parse, render};

#[track_caller]
fn parses(text: &str) {
    if let Err(errors) = parse(text) {
        panic!("{}", render(&errors, "x.ewq", text, false));
    }
}

#[test]
fn every_item_parses() {
    parses(
        "\u{feff}#!/usr/bin/env -S ewapa script\n//! a - b\n//!\n/* c */ param x = -1ms; param y = \"a\" \"doc\"; // d",
    );
    parses("config = { } config = { a = 1, b.c = \"x\"; d = table }");
    parses("import \"a.ewq\" import \"b.ewq\";");
    parses("macro add($x, @m, y) { @m = $x; $x + y }");
    parses(
        "alias wasi:io = wasi:fd_read, wasi:fd_write { $w = func == \"fd_write\"; } alias a:b = wasi:*;",
    );
    parses("check \"a\" t.x < 1 && t[\"k\", 2].y == 3 || lost == 0;");
    parses("#include <linux/sched.h>\n#define X 1\nstruct a { int b; struct { int c; } d; };");
}

#[test]
fn every_probe_parses() {
    parses(
        "begin { } END { } interval:s:1 { } interval:1s,profile:hz:99 { } syscall:* { } phase:first_wasi { }",
    );
    parses(
        "uprobe:/opt/*/lib-1.so:f+0x10 /pid/ { } uretprobe:./a.out:\"a::b<int>(c, d)\" { } usdt:libc:p:q{ }",
    );
    parses("tracepoint:sched:sched_switch, kprobe:vfs_*, fentry:bpf:x { }");
    parses("wasi:*:enter { } wasi:{wasmtime,wamr}:fd_{read, write}:enter/errno==0/{ }");
}

#[test]
fn every_clause_parses() {
    parses(
        "table t from wasi:* where 1 by a, b + 1, (c, d) { a = count() if x as us, b = hist(y, 3) as bar, } \
            having a > 1 sort a limit 10 pivot runtime vs \"x\" every 10s title \"t\"",
    );
    parses(
        "table t from wasi:* { by = 1, sort = 2, limit = 3 } sort limit desc limit 3 table u from wasi:* { }",
    );
}

#[test]
fn every_statement_parses() {
    parses("begin { if x { } else if (y) { } else { } if (a) { f() } }");
    parses(
        "begin { for $i : 0..10 { break; } for ($kv : @m) { continue } for ($i : $a..$b + 1) { return; return 1; } }",
    );
    parses("begin { while ($i < 10) { $i++; } unroll (5) { } unroll 5 { { } } ;; }");
    parses("begin { let $x; let $y = 1; let $z: uint64 = 2; let @m; let $q }");
    parses(
        "begin { $x = 1; @ = 2; @a[1, \"b\"] += 3; @b <<= 1; ++$x; --@c[1]; delete(@a[1]); print(@a, 10, sort=\"x\") }",
    );
}

#[test]
fn every_expression_parses() {
    parses(
        "begin { f($1 + $# + $x + @m + @m[a, b][c] + args.fd + t[\"k\"].p99 + x.0 + p->q->r, -1, !~--$x, *p, &$q); }",
    );
    parses(
        "begin { $x = a ? b : c ? d : e; $y = (int8)a + (string)b + (struct task *)c; $z = (1, \"a\", (2,)); }",
    );
    parses(
        "begin { $s = str[:4] == str[1:] && str[a ? 1 : 2:3] != str[:]; $t = 1 << 2 >> 3 & 4 | 5 ^ 6; }",
    );
    parses("begin { f(10us, 1ms, 2s, 4KiB, 1MB, 0xff, 1_000, 1e6, 0.5, 1.5ms, 0) }");
    parses("wasi:* /a / b == c / d/ { $x = a / b; $y /= 2; }");
}

#[test]
fn what_is_not_the_language_does_not_parse() {
    let broken = [
        "x",
        "table",
        "param x = 1",
        "table t from { a = 1 }",
        "begin { 1 2 }",
        "begin { if { } }",
        "begin { f(,) }",
        "begin { $x = ; }",
        "begin { else { } }",
        "begin { for i : 0..1 { } }",
        "begin { let x; }",
        "begin { a ? b }",
        "begin { () }",
        "begin { x.. }",
        "table t from wasi:* { a }",
        "table t from wasi:* { , }",
        "check 1;",
        "import x",
        "wasi:* // { }",
        "wasi: * { }",
        "begin { $1 = 2; }",
        "begin { func = 2; }",
        "begin { 1é }",
    ];
    for text in broken {
        let errors = parse(text).expect_err(text);
        assert_eq!(errors[0].code, Code::Unexpected, "{text}: {errors:?}");
        assert!(
            errors[0].span.is_some_and(|span| span.end <= text.len()),
            "{text}"
        );
    }
}
