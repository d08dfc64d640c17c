//! Probes: which calls a table is over.

use expect_test::expect;

use super::check;

#[test]
fn an_unknown_function_is_corrected() {
    let text = "//! slow - what is slow

table t from wasi:fd_wirte by runtime {
  calls = count(),
}";
    check(
        text,
        expect![[r#"
        error[E0203]: no WASI function is called `fd_wirte`
         --> slow.ewq:3:14
          |
        3 | table t from wasi:fd_wirte by runtime {
          |              ^^^^^^^^^^^^^ did you mean `wasi:fd_write`?
          |
          = help: `ewapa list 'wasi:fd_*'` shows them; `ewapa explain E0203` says more
    "#]],
    );
}

#[test]
fn each_part_of_a_glob_has_to_match() {
    let text = "table t from wasi:{fd_read,fd_wirte,x*} { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0203]: no WASI function is called `fd_wirte`
         --> slow.ewq:1:14
          |
        1 | table t from wasi:{fd_read,fd_wirte,x*} { a = count() }
          |              ^^^^^^^^^^^^^^^^^^^^^^^^^^ did you mean `wasi:fd_write`?
          |
          = help: `ewapa list 'wasi:fd_*'` shows them; `ewapa explain E0203` says more

        error[E0204]: no WASI function matches `x*`
         --> slow.ewq:1:14
          |
        1 | table t from wasi:{fd_read,fd_wirte,x*} { a = count() }
          |              ^^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: `ewapa list 'wasi:*'` shows all functions; `ewapa explain E0204` says more
    "#]],
    );
}

#[test]
fn an_unknown_kind_of_probe_is_corrected() {
    let text = "table t from wsai:fd_write, uprob:x:y { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0201]: no kind of probe is called `wsai`
         --> slow.ewq:1:14
          |
        1 | table t from wsai:fd_write, uprob:x:y { a = count() }
          |              ^^^^ did you mean `wasi`?

        error[E0201]: no kind of probe is called `uprob`
         --> slow.ewq:1:29
          |
        1 | table t from wsai:fd_write, uprob:x:y { a = count() }
          |                             ^^^^^ did you mean `uprobe`?
    "#]],
    );
}

#[test]
fn an_unknown_runtime_is_corrected() {
    let text = r#"table t from wasi:wasmtme:fd_write where runtime == "node" { a = count() }"#;
    check(
        text,
        expect![[r#"
        error[E0202]: no runtime is called `wasmtme`
         --> slow.ewq:1:19
          |
        1 | table t from wasi:wasmtme:fd_write where runtime == "node" { a = count() }
          |                   ^^^^^^^ did you mean `wasmtime`?
          |
          = help: the runtimes are `wasmtime`, `wasmer`, `wamr`

        error[E0202]: no runtime is called `node`
         --> slow.ewq:1:53
          |
        1 | table t from wasi:wasmtme:fd_write where runtime == "node" { a = count() }
          |                                                     ^^^^^^
          |
          = help: the runtimes are `wasmtime`, `wasmer`, `wamr`
    "#]],
    );
}

#[test]
fn a_runtime_alone_is_no_probe() {
    let text = "table t from wasi:wasmtime { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0203]: no WASI function is called `wasmtime`
         --> slow.ewq:1:14
          |
        1 | table t from wasi:wasmtime { a = count() }
          |              ^^^^^^^^^^^^^
          |
          = help: `ewapa list 'wasi:*'` shows them; `ewapa explain E0203` says more
          = help: for all calls of that runtime write `wasi:wasmtime:*`
    "#]],
    );
}

#[test]
fn a_probe_has_functions_and_at_most_a_runtime_before() {
    let text = "table t from wasi, wasi:wasmtime:fd_write:enter:x { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0205]: this probe names no function
         --> slow.ewq:1:14
          |
        1 | table t from wasi, wasi:wasmtime:fd_write:enter:x { a = count() }
          |              ^^^^
          |
          = help: write `wasi:fd_write`, `wasi:fd_*` or, of one runtime, `wasi:wasmtime:fd_write`

        error[E0205]: this probe has too many parts
         --> slow.ewq:1:20
          |
        1 | table t from wasi, wasi:wasmtime:fd_write:enter:x { a = count() }
          |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: write `wasi:fd_write`, `wasi:fd_*` or, of one runtime, `wasi:wasmtime:fd_write`
    "#]],
    );
}

#[test]
fn an_unknown_system_call_is_corrected() {
    check(
        "table t from syscall:wirte, syscall:foo_*, syscall:read:enter, syscall { a = count() }",
        expect![[r#"
            error[E0210]: no system call is called `wirte`
             --> slow.ewq:1:14
              |
            1 | table t from syscall:wirte, syscall:foo_*, syscall:read:enter, syscall { a = count() }
              |              ^^^^^^^^^^^^^ did you mean `syscall:write`?

            error[E0204]: no system call matches `foo_*`
             --> slow.ewq:1:29
              |
            1 | table t from syscall:wirte, syscall:foo_*, syscall:read:enter, syscall { a = count() }
              |                             ^^^^^^^^^^^^^
              |
              = help: system calls are called as in man 2 syscalls: `syscall:openat`

            error[E0205]: `syscall` has one part
             --> slow.ewq:1:44
              |
            1 | table t from syscall:wirte, syscall:foo_*, syscall:read:enter, syscall { a = count() }
              |                                            ^^^^^^^^^^^^^^^^^^
              |
              = help: write `syscall:write`, `syscall:{read,write}` or `syscall:*`; the event is the call that has completed

            error[E0205]: `syscall` does not say which
             --> slow.ewq:1:64
              |
            1 | table t from syscall:wirte, syscall:foo_*, syscall:read:enter, syscall { a = count() }
              |                                                                ^^^^^^^
              |
              = help: write `syscall:write`, `syscall:{read,write}` or `syscall:*`; the event is the call that has completed
        "#]],
    );
}

#[test]
fn an_unknown_phase_is_corrected() {
    check(
        "phase:strat, phase:x* { @ = count(); }",
        expect![[r#"
        error[E0211]: no phase is called `strat`
         --> slow.ewq:1:1
          |
        1 | phase:strat, phase:x* { @ = count(); }
          | ^^^^^^^^^^^ did you mean `start`?
          |
          = help: the phases are exec, start, first_wasi, exit

        error[E0211]: no phase is called `x*`
         --> slow.ewq:1:14
          |
        1 | phase:strat, phase:x* { @ = count(); }
          |              ^^^^^^^^
          |
          = help: the phases are exec, start, first_wasi, exit
    "#]],
    );
}

#[test]
fn an_unknown_tracepoint_is_corrected() {
    check(
        "tracepoint:sched:sched_swich, t:syscal:sys_enter_open, t:sched:x_*, tracepoint:sched { @ = count(); }",
        expect![[r#"
            error[E0212]: this machine has no tracepoint `sched:sched_swich`
             --> slow.ewq:1:1
              |
            1 | tracepoint:sched:sched_swich, t:syscal:sys_enter_open, t:sched:x_*, tracepoint:sched { @ = count(); }
              | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ did you mean `tracepoint:sched:sched_switch`?

            error[E0212]: this machine has no tracepoint `syscal:sys_enter_open`
             --> slow.ewq:1:31
              |
            1 | tracepoint:sched:sched_swich, t:syscal:sys_enter_open, t:sched:x_*, tracepoint:sched { @ = count(); }
              |                               ^^^^^^^^^^^^^^^^^^^^^^^ did you mean `tracepoint:syscalls:sys_enter_open`?
              |
              = help: there is a category `syscalls`

            error[E0204]: no tracepoint matches `sched:x_*`
             --> slow.ewq:1:56
              |
            1 | tracepoint:sched:sched_swich, t:syscal:sys_enter_open, t:sched:x_*, tracepoint:sched { @ = count(); }
              |                                                        ^^^^^^^^^^^

            error[E0205]: a tracepoint has two parts, its category and its name
             --> slow.ewq:1:69
              |
            1 | tracepoint:sched:sched_swich, t:syscal:sys_enter_open, t:sched:x_*, tracepoint:sched { @ = count(); }
              |                                                                     ^^^^^^^^^^^^^^^^
              |
              = help: write `tracepoint:sched:sched_switch` or `tracepoint:syscalls:sys_enter_*`
        "#]],
    );
}

#[test]
fn the_machine_says_why_it_does_not_know() {
    check(
        "usdt:./app:nothing { @[arg0] = count(); }\nusdt:./app:x:be* { @[arg0] = count(); }",
        expect![[r#"
            error[E0213]: cannot find out where the arguments of `nothing` are: there is no static probe `nothing`
             --> slow.ewq:1:1
              |
            1 | usdt:./app:nothing { @[arg0] = count(); }
              | ^^^^^^^^^^^^^^^^^^

            error[E0205]: each static probe has arguments of its own
             --> slow.ewq:2:1
              |
            2 | usdt:./app:x:be* { @[arg0] = count(); }
              | ^^^^^^^^^^^^^^^^
              |
              = help: write one block for each probe, with its name written out, or do not read arguments
        "#]],
    );
}

#[test]
fn probes_outside_of_wasi_have_the_right_parts() {
    check(
        "uprobe:/bin/sh { @a = count(); }
uprobe:/bin/sh:a:b:c { @a = count(); }
uretprobe:/bin/sh:main+4 { @a = count(); }
usdt:/bin/sh { @a = count(); }
kprobe:mod:f { @a = count(); }
profile:hz:0 { @a = count(); }
profile:hz:10000000 { @a = count(); }
rawtracepoint { @a = count(); }
interval:s:$1 { @a = count(); }",
        expect![[r#"
            error[E0205]: a function of a file has two parts
             --> slow.ewq:1:1
              |
            1 | uprobe:/bin/sh { @a = count(); }
              | ^^^^^^^^^^^^^^
              |
              = help: write `uprobe:/bin/bash:readline` or `uprobe:./app:"app::run"`

            error[E0205]: a function of a file has two parts
             --> slow.ewq:2:1
              |
            2 | uprobe:/bin/sh:a:b:c { @a = count(); }
              | ^^^^^^^^^^^^^^^^^^^^
              |
              = help: write `uprobe:/bin/bash:readline` or `uprobe:./app:"app::run"`

            error[E0205]: a function returns as a whole
             --> slow.ewq:3:1
              |
            3 | uretprobe:/bin/sh:main+4 { @a = count(); }
              | ^^^^^^^^^^^^^^^^^^^^^^^^
              |
              = help: leave away the `+` and what follows it

            error[E0205]: a static probe has two or three parts
             --> slow.ewq:4:1
              |
            4 | usdt:/bin/sh { @a = count(); }
              | ^^^^^^^^^^^^
              |
              = help: write `usdt:FILE:NAME` or `usdt:FILE:PROVIDER:NAME`

            error[E0205]: a function of the kernel is its name alone
             --> slow.ewq:5:1
              |
            5 | kprobe:mod:f { @a = count(); }
              | ^^^^^^^^^^^^
              |
              = help: write `kprobe:vfs_read`

            error[E0205]: a profile is so many ticks a second, or a time
             --> slow.ewq:6:1
              |
            6 | profile:hz:0 { @a = count(); }
              | ^^^^^^^^^^^^
              |
              = help: write `profile:hz:99`, `profile:ms:10` or `profile:10ms`

            error[E0205]: two ticks of a profile are at least 10us apart
             --> slow.ewq:7:1
              |
            7 | profile:hz:10000000 { @a = count(); }
              | ^^^^^^^^^^^^^^^^^^^
              |
              = help: write `profile:hz:99`

            error[E0205]: a raw tracepoint is its name
             --> slow.ewq:8:1
              |
            8 | rawtracepoint { @a = count(); }
              | ^^^^^^^^^^^^^
              |
              = help: write `rawtracepoint:sched_switch`

            error[E0107]: the script is given no `$1`
             --> slow.ewq:9:12
              |
            9 | interval:s:$1 { @a = count(); }
              |            ^^
              |
              = help: arguments follow the script's name: `ewapa script x.ewq ARGUMENT`
        "#]],
    );
}

#[test]
fn a_table_over_several_kinds_of_events_has_the_same_types_at_each() {
    check(
        "table t from wasi:fd_write, syscall:write by errno { calls = count(), p = max(retval), q = count() / wasi_calls }
table u from wasi:* { calls = count() / wasi_calls }",
        expect![[r#"
            error[E0214]: `errno` is an errno at some events of this table, and an errno of a system call at others
             --> slow.ewq:1:46
              |
            1 | table t from wasi:fd_write, syscall:write by errno { calls = count(), p = max(retval), q = count() / wasi_calls }
              |                                              ^^^^^
              |
              = help: write a table for each kind of event

            error[E0322]: `retval` is no value of a completed WASI call
             --> slow.ewq:1:79
              |
            1 | table t from wasi:fd_write, syscall:write by errno { calls = count(), p = max(retval), q = count() / wasi_calls }
              |                                                                               ^^^^^^

            error[E0103]: `wasi_calls` is for tables of system calls
             --> slow.ewq:1:102
              |
            1 | table t from wasi:fd_write, syscall:write by errno { calls = count(), p = max(retval), q = count() / wasi_calls }
              |                                                                                                      ^^^^^^^^^^
              |
              = help: a table of WASI calls counts them with `count()`

            error[E0103]: `wasi_calls` is for tables of system calls
             --> slow.ewq:2:41
              |
            2 | table u from wasi:* { calls = count() / wasi_calls }
              |                                         ^^^^^^^^^^
              |
              = help: a table of WASI calls counts them with `count()`
        "#]],
    );
}

#[test]
fn functions_of_the_kernel_are_checked_by_what_the_kernel_tells_of_them() {
    check(
        "fentry:vfs_write { @ = sum(args.cuont); @r = retval; @a = arg0; @i = reg(\"ip\"); }
fexit:fput { @ = sum(retval); }
fentry:vfs_* { @ = sum(args.count); }
fexit:vfs_wriet { @ = sum(retval); }
fentry:a:b:c { @ = count(); }",
        expect![[r#"
            error[E0321]: `fentry:vfs_write` has no argument `cuont`
             --> slow.ewq:1:33
              |
            1 | fentry:vfs_write { @ = sum(args.cuont); @r = retval; @a = arg0; @i = reg("ip"); }
              |                                 ^^^^^ did you mean `count`?
              |
              = help: it has file, buf, count

            error[E0322]: `retval` is no value of `fentry:vfs_write`
             --> slow.ewq:1:46
              |
            1 | fentry:vfs_write { @ = sum(args.cuont); @r = retval; @a = arg0; @i = reg("ip"); }
              |                                              ^^^^^^
              |
              = help: a function has a `retval` when it returns: `fexit:…`

            error[E0322]: `arg0` is no value of `fentry:vfs_write`
             --> slow.ewq:1:59
              |
            1 | fentry:vfs_write { @ = sum(args.cuont); @r = retval; @a = arg0; @i = reg("ip"); }
              |                                                           ^^^^ argument 0, counted from 0, as the guest or the program passed it
              |
              = help: the arguments of a function have names here: `args.NAME`

            error[E0322]: `reg` is no value of `fentry:vfs_write`
             --> slow.ewq:1:70
              |
            1 | fentry:vfs_write { @ = sum(args.cuont); @r = retval; @a = arg0; @i = reg("ip"); }
              |                                                                      ^^^

            error[E0322]: the function of `fexit:fput` returns nothing
             --> slow.ewq:2:22
              |
            2 | fexit:fput { @ = sum(retval); }
              |                      ^^^^^^

            error[E0205]: each function has arguments and a result of its own
             --> slow.ewq:3:1
              |
            3 | fentry:vfs_* { @ = sum(args.count); }
              | ^^^^^^^^^^^^
              |
              = help: write one block for each function, with its name written out, or do not read them

            error[E0213]: cannot find out the arguments of `vfs_wriet`: there is no such function
             --> slow.ewq:4:1
              |
            4 | fexit:vfs_wriet { @ = sum(retval); }
              | ^^^^^^^^^^^^^^^

            error[E0205]: a function of the kernel is its name
             --> slow.ewq:5:1
              |
            5 | fentry:a:b:c { @ = count(); }
              | ^^^^^^^^^^^^
              |
              = help: write `fentry:vfs_read`
        "#]],
    );
}
