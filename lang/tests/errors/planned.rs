//! What is part of the language, but not of this version, and what never will be.

use expect_test::expect;

use super::check;

#[test]
fn every_item_is_refused_by_name() {
    let text = r#"config = { format = json }
import "x.ewq"
macro f($x) { }
alias wasi:io = wasi:fd_*;
syscall:read, wasi:io, wasi:fd_read:enter { @ = count(); }"#;
    check(
        text,
        expect![[r#"
            error[E0803]: the script is compiled for no machine, so that nothing can be imported
             --> slow.ewq:2:1
              |
            2 | import "x.ewq"
              | ^^^^^^^^^^^^^^
        "#]],
    );
}

#[test]
fn every_other_expression_is_refused_by_name() {
    let text = r#"table t from wasi:* where $x == 1 && @m == 1 && $1 == 1 && comm[:2] == "x" && args.fd == 1 && (1, 2) == 3 && (int8)fd == 1 && ~fd == 1 && (fd & 1) == 0 && @x[1] == 1 && module == "x" && str(1) == "x" && arg0 == 1 { a = count() }"#;
    check(
        text,
        expect![[r#"
            error[E0103]: `$x` has no value outside of probe blocks
             --> slow.ewq:1:27
              |
            1 | table t from wasi:* where $x == 1 && @m == 1 && $1 == 1 && comm[:2] == "x" && args.fd == 1 && (1, 2) == 3 && (int8)fd == 1 && ~fd == ...
              |                           ^^
              |
              = help: a table is about values of calls, such as `duration`

            error[E0103]: `@m` has no value outside of probe blocks
             --> slow.ewq:1:38
              |
            1 | table t from wasi:* where $x == 1 && @m == 1 && $1 == 1 && comm[:2] == "x" && args.fd == 1 && (1, 2) == 3 && (int8)fd == 1 && ~fd == ...
              |                                      ^^
              |
              = help: a table is about values of calls, such as `duration`

            error[E0901]: a tuple here is part of the language, but this version does not run it yet
             --> slow.ewq:1:95
              |
            1 | table t from wasi:* where $x == 1 && @m == 1 && $1 == 1 && comm[:2] == "x" && args.fd == 1 && (1, 2) == 3 && (int8)fd == 1 && ~fd == ...
              |                                                                                               ^^^^^^

            error[E0902]: looking something up with `[ ]` is bpftrace's, and this language leaves it out
             --> slow.ewq:1:156
              |
            1 | ... (1, 2) == 3 && (int8)fd == 1 && ~fd == 1 && (fd & 1) == 0 && @x[1] == 1 && module == "x" && str(1) == "x" && arg0 == 1 { a = coun...
              |                                                                  ^^^^^
              |
              = help: a script does not follow pointers to C types; `*(uint64 *)address` reads a number, `str(address)` a text

            error[E0901]: comparing `module` with a text is part of the language, but this version does not run it yet
             --> slow.ewq:1:180
              |
            1 | ...d == 1 && ~fd == 1 && (fd & 1) == 0 && @x[1] == 1 && module == "x" && str(1) == "x" && arg0 == 1 { a = count() }
              |                                                                   ^^^
        "#]],
    );
}

#[test]
fn columns_and_units_are_refused_by_name() {
    let text = "table t from wasi:* { a = hist(duration), b = rate(bytes) as rate, c = count() as bar, d = count() & 1, e = $x }";
    check(
        text,
        expect![[r#"
            error[E0901]: `hist()` in a table is part of the language, but this version does not run it yet
             --> slow.ewq:1:27
              |
            1 | table t from wasi:* { a = hist(duration), b = rate(bytes) as rate, c = count() as bar, d = count() & 1, e = $x }
              |                           ^^^^

            error[E0901]: `&` here is part of the language, but this version does not run it yet
             --> slow.ewq:1:92
              |
            1 | table t from wasi:* { a = hist(duration), b = rate(bytes) as rate, c = count() as bar, d = count() & 1, e = $x }
              |                                                                                            ^^^^^^^^^^^

            error[E0103]: `$x` has no value outside of probe blocks
             --> slow.ewq:1:109
              |
            1 | table t from wasi:* { a = hist(duration), b = rate(bytes) as rate, c = count() as bar, d = count() & 1, e = $x }
              |                                                                                                             ^^
              |
              = help: a table is about values of calls, such as `duration`
        "#]],
    );
}

#[test]
fn other_probes_are_refused_by_name() {
    let text = "table t from syscall:*, phase:exec, uprobe:/bin/x:main, interval:1s, wasi:fd_write:enter, wasi:wasmtime:*:enter { a = count() }";
    check(
        text,
        expect![[r#"
            error[E0205]: a table is over calls, and there is none at `interval`
             --> slow.ewq:1:57
              |
            1 | table t from syscall:*, phase:exec, uprobe:/bin/x:main, interval:1s, wasi:fd_write:enter, wasi:wasmtime:*:enter { a = count() }
              |                                                         ^^^^^^^^^^^
              |
              = help: write `from wasi:*`; what happens at `interval` is a probe block: `interval { … }`
        "#]],
    );
}

#[test]
fn what_bpftrace_has_and_this_language_leaves_out_is_refused_by_name() {
    let text = r#"#include <linux/sched.h>
struct x { int a; }
table t from wasi:* where *fd == 1 && (struct x *)fd == 1 && x->y == 1 && reg("ip") == 1 { a = count() }"#;
    check(
        text,
        expect![[r#"
            error[E0902]: `#include` is bpftrace's, and this language leaves it out
             --> slow.ewq:1:1
              |
            1 | #include <linux/sched.h>
              | ^^^^^^^^
              |
              = help: there is no C preprocessor; another script's macros come with `import "lib.ewq"`

            error[E0902]: `struct` is bpftrace's, and this language leaves it out
             --> slow.ewq:2:1
              |
            2 | struct x { int a; }
              | ^^^^^^
              |
              = help: a script needs no C types: values come as builtins with names and types

            error[E0902]: `*` before a value is bpftrace's, and this language leaves it out
             --> slow.ewq:3:27
              |
            3 | table t from wasi:* where *fd == 1 && (struct x *)fd == 1 && x->y == 1 && reg("ip") == 1 { a = count() }
              |                           ^^^
              |
              = help: a script does not follow pointers to C types; `*(uint64 *)address` reads a number, `str(address)` a text

            error[E0902]: a cast to `struct x *` is bpftrace's, and this language leaves it out
             --> slow.ewq:3:39
              |
            3 | table t from wasi:* where *fd == 1 && (struct x *)fd == 1 && x->y == 1 && reg("ip") == 1 { a = count() }
              |                                       ^^^^^^^^^^^^^^
              |
              = help: a script does not follow pointers to C types; `*(uint64 *)address` reads a number, `str(address)` a text

            error[E0902]: `->` is bpftrace's, and this language leaves it out
             --> slow.ewq:3:62
              |
            3 | table t from wasi:* where *fd == 1 && (struct x *)fd == 1 && x->y == 1 && reg("ip") == 1 { a = count() }
              |                                                              ^^^^
              |
              = help: a script does not follow pointers to C types; `*(uint64 *)address` reads a number, `str(address)` a text

            error[E0322]: `reg` is no value of a completed WASI call
             --> slow.ewq:3:75
              |
            3 | table t from wasi:* where *fd == 1 && (struct x *)fd == 1 && x->y == 1 && reg("ip") == 1 { a = count() }
              |                                                                           ^^^
        "#]],
    );
}
