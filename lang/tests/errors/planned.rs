//! What is part of the language, but not of this version, and what never will be.

use expect_test::expect;

use super::check;

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
        "#]],
    );
}

#[test]
fn columns_and_units_are_refused_by_name() {
    let text = "table t from wasi:* { a = stats(duration), b = rate(bytes) as rate, c = count() as bar, d = count() & 1, e = $x }";
    check(
        text,
        expect![[r#"
            error[E0403]: `stats()` is more than the cell of a table can show
             --> slow.ewq:1:27
              |
            1 | table t from wasi:* { a = stats(duration), b = rate(bytes) as rate, c = count() as bar, d = count() & 1, e = $x }
              |                           ^^^^^
              |
              = help: put it into a map, in a block of its own: `wasi:* { @x[func] = stats(…); }`
              = help: a table has numbers: `p50(duration)`, `avg(duration)`, `stddev(duration)`

            error[E0901]: `&` here is part of the language, but this version does not run it yet
             --> slow.ewq:1:93
              |
            1 | table t from wasi:* { a = stats(duration), b = rate(bytes) as rate, c = count() as bar, d = count() & 1, e = $x }
              |                                                                                             ^^^^^^^^^^^

            error[E0103]: `$x` has no value outside of probe blocks
             --> slow.ewq:1:110
              |
            1 | table t from wasi:* { a = stats(duration), b = rate(bytes) as rate, c = count() as bar, d = count() & 1, e = $x }
              |                                                                                                              ^^
              |
              = help: a table is about values of calls, such as `duration`
        "#]],
    );
}

#[test]
fn other_probes_are_refused_by_name() {
    let text = "fentry:ext4:ext4_sync_file, fr:ext4:ext4_sync_file, s:cpu-clock:100, watchpoint:0x1000:8:w, iter:task, self:signal:SIGUSR1 { @ = count(); }";
    check(
        text,
        expect![[r#"
            error[E0901]: a module at `fentry` is part of the language, but this version does not run it yet
             --> slow.ewq:1:1
              |
            1 | fentry:ext4:ext4_sync_file, fr:ext4:ext4_sync_file, s:cpu-clock:100, watchpoint:0x1000:8:w, iter:task, self:signal:SIGUSR1 { @ = coun...
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^
              |
              = help: a function of a module is watched with `kprobe:ext4_sync_file`

            error[E0901]: a module at `fexit` is part of the language, but this version does not run it yet
             --> slow.ewq:1:29
              |
            1 | fentry:ext4:ext4_sync_file, fr:ext4:ext4_sync_file, s:cpu-clock:100, watchpoint:0x1000:8:w, iter:task, self:signal:SIGUSR1 { @ = coun...
              |                             ^^^^^^^^^^^^^^^^^^^^^^
              |
              = help: a function of a module is watched with `kretprobe:ext4_sync_file`

            error[E0902]: the probe `software` is bpftrace's, and this language leaves it out
             --> slow.ewq:1:53
              |
            1 | fentry:ext4:ext4_sync_file, fr:ext4:ext4_sync_file, s:cpu-clock:100, watchpoint:0x1000:8:w, iter:task, self:signal:SIGUSR1 { @ = coun...
              |                                                     ^^^^^^^^^^^^^^^
              |
              = help: what happens now and then is seen with `profile:hz:99`, page faults with `tracepoint:exceptions:page_fault_user`

            error[E0902]: the probe `watchpoint` is bpftrace's, and this language leaves it out
             --> slow.ewq:1:70
              |
            1 | fentry:ext4:ext4_sync_file, fr:ext4:ext4_sync_file, s:cpu-clock:100, watchpoint:0x1000:8:w, iter:task, self:signal:SIGUSR1 { @ = coun...
              |                                                                      ^^^^^^^^^^^^^^^^^^^^^
              |
              = help: a script does not watch memory

            error[E0902]: the probe `iter` is bpftrace's, and this language leaves it out
             --> slow.ewq:1:93
              |
            1 | fentry:ext4:ext4_sync_file, fr:ext4:ext4_sync_file, s:cpu-clock:100, watchpoint:0x1000:8:w, iter:task, self:signal:SIGUSR1 { @ = coun...
              |                                                                                             ^^^^^^^^^
              |
              = help: what the kernel holds is not listed; a script sees what happens

            error[E0902]: the probe `self` is bpftrace's, and this language leaves it out
             --> slow.ewq:1:104
              |
            1 | fentry:ext4:ext4_sync_file, fr:ext4:ext4_sync_file, s:cpu-clock:100, watchpoint:0x1000:8:w, iter:task, self:signal:SIGUSR1 { @ = coun...
              |                                                                                                        ^^^^^^^^^^^^^^^^^^^
              |
              = help: signals to ewapa itself are no events
        "#]],
    );
}

#[test]
fn items_of_bpftrace_are_refused_by_name() {
    let text = "#ifndef X
#else
#endif
#define Y \\
  1
enum { A, B };
struct x { union { int a; }; } __attribute__((packed));
fn f($x : int64) : int64 { return 1; }
let @a = lruhash(10);
begin { $a = (unsigned int *)1; $b = (uint8 *)1; print(sizeof(struct x)); }";
    check(
        text,
        expect![[r#"
            error[E0902]: `#ifndef` is bpftrace's, and this language leaves it out
             --> slow.ewq:1:1
              |
            1 | #ifndef X
              | ^^^^^^^
              |
              = help: there is no C preprocessor; another script's macros come with `import "lib.ewq"`

            error[E0902]: `#else` is bpftrace's, and this language leaves it out
             --> slow.ewq:2:1
              |
            2 | #else
              | ^^^^^
              |
              = help: there is no C preprocessor; another script's macros come with `import "lib.ewq"`

            error[E0902]: `#endif` is bpftrace's, and this language leaves it out
             --> slow.ewq:3:1
              |
            3 | #endif
              | ^^^^^^
              |
              = help: there is no C preprocessor; another script's macros come with `import "lib.ewq"`

            error[E0902]: `#define` is bpftrace's, and this language leaves it out
             --> slow.ewq:4:1
              |
            4 | #define Y \
              | ^^^^^^^
              |
              = help: there is no C preprocessor; another script's macros come with `import "lib.ewq"`

            error[E0902]: `enum` is bpftrace's, and this language leaves it out
             --> slow.ewq:6:1
              |
            6 | enum { A, B };
              | ^^^^
              |
              = help: a script needs no C types: values come as builtins with names and types

            error[E0902]: `struct` is bpftrace's, and this language leaves it out
             --> slow.ewq:7:1
              |
            7 | struct x { union { int a; }; } __attribute__((packed));
              | ^^^^^^
              |
              = help: a script needs no C types: values come as builtins with names and types

            error[E0902]: `fn` is bpftrace's, and this language leaves it out
             --> slow.ewq:8:1
              |
            8 | fn f($x : int64) : int64 { return 1; }
              | ^^
              |
              = help: statements that are used again are a `macro`

            error[E0902]: `let` is bpftrace's, and this language leaves it out
             --> slow.ewq:9:1
              |
            9 | let @a = lruhash(10);
              | ^^^
              |
              = help: a map needs no declaration: what is put into it decides what it is

            error[E0902]: a cast to `unsigned int *` is bpftrace's, and this language leaves it out
              --> slow.ewq:10:14
               |
            10 | begin { $a = (unsigned int *)1; $b = (uint8 *)1; print(sizeof(struct x)); }
               |              ^^^^^^^^^^^^^^^^^
               |
               = help: a script does not follow pointers to C types; `*(uint64 *)address` reads a number, `str(address)` a text

            error[E0902]: a cast to `uint8 *` is bpftrace's, and this language leaves it out
              --> slow.ewq:10:38
               |
            10 | begin { $a = (unsigned int *)1; $b = (uint8 *)1; print(sizeof(struct x)); }
               |                                      ^^^^^^^^^^
               |
               = help: a script does not follow pointers to C types; `*(uint64 *)address` reads a number, `str(address)` a text

            error[E0902]: `sizeof()` of what is no type of a number is bpftrace's, and this language leaves it out
              --> slow.ewq:10:56
               |
            10 | begin { $a = (unsigned int *)1; $b = (uint8 *)1; print(sizeof(struct x)); }
               |                                                        ^^^^^^
               |
               = help: a script needs no C types: values come as builtins with names and types
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
