//! Probe blocks: their probes, their statements and the functions that do something.

use expect_test::expect;

use super::check;

#[test]
fn a_call_has_no_values_where_there_is_none() {
    let text = r#"BEGIN { printf("%d\n", pid); }
interval:1s /errno == 0/ { @ = count(); @x = sum(bytes); }"#;
    check(
        text,
        expect![[r#"
            error[E0601]: there is no call at `interval:1s`
             --> slow.ewq:2:14
              |
            2 | interval:1s /errno == 0/ { @ = count(); @x = sum(bytes); }
              |              ^^^^^ `errno` is a value of a call
              |
              = help: keep it in a map in a `wasi:` block, such as `@errno = errno`

            error[E0601]: there is no call at `interval:1s`
             --> slow.ewq:2:50
              |
            2 | interval:1s /errno == 0/ { @ = count(); @x = sum(bytes); }
              |                                                  ^^^^^ `bytes` is a value of a call
              |
              = help: keep it in a map in a `wasi:` block, such as `@bytes = bytes`
        "#]],
    );
}

#[test]
fn probes_without_a_call_have_few_parts() {
    let text = r#"begin:x { } END:y { } interval { } interval:x { } interval:10 { } interval:s:0 { } interval:ns:10 { } interval:min:1 { } interval:s:1:2 { } interval:ms:99999999999999 { }"#;
    check(
        text,
        expect![[r#"
            error[E0205]: `begin` has no parts
             --> slow.ewq:1:7
              |
            1 | begin:x { } END:y { } interval { } interval:x { } interval:10 { } interval:s:0 { } interval:ns:10 { } interval:min:1 { } interval:s:1...
              |       ^
              |
              = help: write `begin { … }`

            error[E0205]: `END` has no parts
             --> slow.ewq:1:17
              |
            1 | begin:x { } END:y { } interval { } interval:x { } interval:10 { } interval:s:0 { } interval:ns:10 { } interval:min:1 { } interval:s:1...
              |                 ^
              |
              = help: write `END { … }`

            error[E0205]: an interval is a time that is known before the script runs
             --> slow.ewq:1:23
              |
            1 | begin:x { } END:y { } interval { } interval:x { } interval:10 { } interval:s:0 { } interval:ns:10 { } interval:min:1 { } interval:s:1...
              |                       ^^^^^^^^
              |
              = help: write `interval:1s`, `interval:100ms` or, as in bpftrace, `interval:s:1`

            error[E0205]: an interval is a time that is known before the script runs
             --> slow.ewq:1:36
              |
            1 | begin:x { } END:y { } interval { } interval:x { } interval:10 { } interval:s:0 { } interval:ns:10 { } interval:min:1 { } interval:s:1...
              |                                    ^^^^^^^^^^
              |
              = help: write `interval:1s`, `interval:100ms` or, as in bpftrace, `interval:s:1`

            error[E0205]: an interval is a time that is known before the script runs
             --> slow.ewq:1:51
              |
            1 | begin:x { } END:y { } interval { } interval:x { } interval:10 { } interval:s:0 { } interval:ns:10 { } interval:min:1 { } interval:s:1...
              |                                                   ^^^^^^^^^^^
              |
              = help: write `interval:1s`, `interval:100ms` or, as in bpftrace, `interval:s:1`

            error[E0205]: an interval is a time that is known before the script runs
             --> slow.ewq:1:67
              |
            1 | begin:x { } END:y { } interval { } interval:x { } interval:10 { } interval:s:0 { } interval:ns:10 { } interval:min:1 { } interval:s:1...
              |                                                                   ^^^^^^^^^^^^
              |
              = help: write `interval:1s`, `interval:100ms` or, as in bpftrace, `interval:s:1`

            error[E0205]: an interval is at least a microsecond
             --> slow.ewq:1:84
              |
            1 | begin:x { } END:y { } interval { } interval:x { } interval:10 { } interval:s:0 { } interval:ns:10 { } interval:min:1 { } interval:s:1...
              |                                                                                    ^^^^^^^^^^^^^^
              |
              = help: what happens more often is counted in a `wasi:` block

            error[E0205]: an interval is a time that is known before the script runs
             --> slow.ewq:1:103
              |
            1 | begin:x { } END:y { } interval { } interval:x { } interval:10 { } interval:s:0 { } interval:ns:10 { } interval:min:1 { } interval:s:1...
              |                                                                                                       ^^^^^^^^^^^^^^
              |
              = help: write `interval:1s`, `interval:100ms` or, as in bpftrace, `interval:s:1`

            error[E0205]: an interval is a time that is known before the script runs
             --> slow.ewq:1:122
              |
            1 | ... } interval:s:0 { } interval:ns:10 { } interval:min:1 { } interval:s:1:2 { } interval:ms:99999999999999 { }
              |                                                              ^^^^^^^^^^^^^^
              |
              = help: write `interval:1s`, `interval:100ms` or, as in bpftrace, `interval:s:1`

            error[E0205]: an interval is a time that is known before the script runs
             --> slow.ewq:1:141
              |
            1 | ...val:ns:10 { } interval:min:1 { } interval:s:1:2 { } interval:ms:99999999999999 { }
              |                                                        ^^^^^^^^^^^^^^^^^^^^^^^^^^
              |
              = help: write `interval:1s`, `interval:100ms` or, as in bpftrace, `interval:s:1`
        "#]],
    );
}

#[test]
fn a_table_is_over_calls() {
    let text = r#"table t from begin, interval:1s { a = count() }"#;
    check(
        text,
        expect![[r#"
        error[E0205]: a table is over calls, and there is none at `begin`
         --> slow.ewq:1:14
          |
        1 | table t from begin, interval:1s { a = count() }
          |              ^^^^^
          |
          = help: write `from wasi:*`; what happens at `begin` is a probe block: `begin { … }`

        error[E0205]: a table is over calls, and there is none at `interval`
         --> slow.ewq:1:21
          |
        1 | table t from begin, interval:1s { a = count() }
          |                     ^^^^^^^^^^^
          |
          = help: write `from wasi:*`; what happens at `interval` is a probe block: `interval { … }`
    "#]],
    );
}

#[test]
fn a_statement_does_something() {
    let text = r#"wasi:* { duration; 1 + 1; @x; $y; count(); sum(bytes); @x = 1; }"#;
    check(
        text,
        expect![[r#"
        error[E0608]: this does nothing
         --> slow.ewq:1:10
          |
        1 | wasi:* { duration; 1 + 1; @x; $y; count(); sum(bytes); @x = 1; }
          |          ^^^^^^^^
          |
          = help: keep the value, `@x = …` or `$x = …`, or print it: `printf("%d\n", …)`

        error[E0608]: this does nothing
         --> slow.ewq:1:20
          |
        1 | wasi:* { duration; 1 + 1; @x; $y; count(); sum(bytes); @x = 1; }
          |                    ^^^^^
          |
          = help: keep the value, `@x = …` or `$x = …`, or print it: `printf("%d\n", …)`

        error[E0608]: this does nothing
         --> slow.ewq:1:27
          |
        1 | wasi:* { duration; 1 + 1; @x; $y; count(); sum(bytes); @x = 1; }
          |                           ^^
          |
          = help: keep the value, `@x = …` or `$x = …`, or print it: `printf("%d\n", …)`

        error[E0602]: `$y` has no value yet
         --> slow.ewq:1:31
          |
        1 | wasi:* { duration; 1 + 1; @x; $y; count(); sum(bytes); @x = 1; }
          |                               ^^
          |
          = help: give it one above, in the same block: `$y = 0`; what lasts longer than one event is kept in a map: `@y`

        error[E0405]: `count()` has nowhere to go
         --> slow.ewq:1:35
          |
        1 | wasi:* { duration; 1 + 1; @x; $y; count(); sum(bytes); @x = 1; }
          |                                   ^^^^^^^
          |
          = help: put it into a map: `@x[func] = count()`

        error[E0405]: `sum()` has nowhere to go
         --> slow.ewq:1:44
          |
        1 | wasi:* { duration; 1 + 1; @x; $y; count(); sum(bytes); @x = 1; }
          |                                            ^^^^^^^^^^
          |
          = help: put it into a map: `@x[func] = sum(…)`
    "#]],
    );
}

#[test]
fn what_does_something_has_no_value() {
    let text = r#"wasi:* { $x = printf("a"); @x = exit(); @y[print(@x)] = count(); if (clear(@x)) { } }
table t from wasi:* { a = printf("x") }"#;
    check(
        text,
        expect![[r#"
        error[E0609]: `printf()` does something and has no value
         --> slow.ewq:1:15
          |
        1 | wasi:* { $x = printf("a"); @x = exit(); @y[print(@x)] = count(); if (clear(@x)) { } }
          |               ^^^^^^
          |
          = help: make it a statement of its own, in a probe block

        error[E0609]: `exit()` does something and has no value
         --> slow.ewq:1:33
          |
        1 | wasi:* { $x = printf("a"); @x = exit(); @y[print(@x)] = count(); if (clear(@x)) { } }
          |                                 ^^^^
          |
          = help: make it a statement of its own, in a probe block

        error[E0609]: `print()` does something and has no value
         --> slow.ewq:1:44
          |
        1 | wasi:* { $x = printf("a"); @x = exit(); @y[print(@x)] = count(); if (clear(@x)) { } }
          |                                            ^^^^^
          |
          = help: make it a statement of its own, in a probe block

        error[E0609]: `clear()` does something and has no value
         --> slow.ewq:1:70
          |
        1 | wasi:* { $x = printf("a"); @x = exit(); @y[print(@x)] = count(); if (clear(@x)) { } }
          |                                                                      ^^^^^
          |
          = help: make it a statement of its own, in a probe block

        error[E0609]: `printf()` does something and has no value
         --> slow.ewq:2:27
          |
        2 | table t from wasi:* { a = printf("x") }
          |                           ^^^^^^
          |
          = help: make it a statement of its own, in a probe block
    "#]],
    );
}

#[test]
fn aggregates_go_into_maps() {
    let text = r#"wasi:* { $x = count(); @x += sum(bytes); if (count() > 3) { } @y[avg(bytes)] = 1; @z = avg(sum(bytes)); }"#;
    check(
        text,
        expect![[r#"
        error[E0405]: `count()` is over many calls, and this is a value of one event
         --> slow.ewq:1:15
          |
        1 | wasi:* { $x = count(); @x += sum(bytes); if (count() > 3) { } @y[avg(bytes)] = 1; @z = avg(sum(bytes)); }
          |               ^^^^^^^
          |
          = help: put it into a map: `@x[func] = count()`

        error[E0405]: `sum()` is over many calls, and this is a value of one event
         --> slow.ewq:1:30
          |
        1 | wasi:* { $x = count(); @x += sum(bytes); if (count() > 3) { } @y[avg(bytes)] = 1; @z = avg(sum(bytes)); }
          |                              ^^^^^^^^^^
          |
          = help: put it into a map: `@x[func] = sum(…)`

        error[E0405]: `count()` is over many calls, and an `if` decides about one call
         --> slow.ewq:1:46
          |
        1 | wasi:* { $x = count(); @x += sum(bytes); if (count() > 3) { } @y[avg(bytes)] = 1; @z = avg(sum(bytes)); }
          |                                              ^^^^^^^
          |
          = help: put it into a map: `@x[func] = count()`

        error[E0405]: `avg()` is over many calls, and this is a value of one event
         --> slow.ewq:1:66
          |
        1 | wasi:* { $x = count(); @x += sum(bytes); if (count() > 3) { } @y[avg(bytes)] = 1; @z = avg(sum(bytes)); }
          |                                                                  ^^^^^^^^^^
          |
          = help: put it into a map: `@x[func] = avg(…)`

        error[E0402]: `sum()` inside of an aggregate
         --> slow.ewq:1:92
          |
        1 | wasi:* { $x = count(); @x += sum(bytes); if (count() > 3) { } @y[avg(bytes)] = 1; @z = avg(sum(bytes)); }
          |                                                                                            ^^^^^^^^^^ an aggregate is over values of calls
    "#]],
    );
}

#[test]
fn only_variables_and_maps_are_changed() {
    let text = r#"wasi:* { pid++; --5; }"#;
    check(
        text,
        expect![[r#"
        error[E0403]: only a variable or a map can be changed
         --> slow.ewq:1:10
          |
        1 | wasi:* { pid++; --5; }
          |          ^^^
          |
          = help: a variable is `$x`, a map `@x` or `@x[key]`

        error[E0403]: only a variable or a map can be changed
         --> slow.ewq:1:19
          |
        1 | wasi:* { pid++; --5; }
          |                   ^
          |
          = help: a variable is `$x`, a map `@x` or `@x[key]`
    "#]],
    );
}

#[test]
fn jumps_stand_in_loops() {
    let text = r#"wasi:* { for $i : 0..10 { $a = 1; @x = count(); } while (1) { break; } unroll(3) { } break; continue; printf("%d\n", $a); print(@x); }"#;
    check(
        text,
        expect![[r#"
            error[E0610]: there is no loop around this `break`
             --> slow.ewq:1:86
              |
            1 | wasi:* { for $i : 0..10 { $a = 1; @x = count(); } while (1) { break; } unroll(3) { } break; continue; printf("%d\n", $a); print(@x); }
              |                                                                                      ^^^^^^
              |
              = help: to leave the block write `return`

            error[E0610]: there is no loop around this `continue`
             --> slow.ewq:1:93
              |
            1 | wasi:* { for $i : 0..10 { $a = 1; @x = count(); } while (1) { break; } unroll(3) { } break; continue; printf("%d\n", $a); print(@x); }
              |                                                                                             ^^^^^^^^^
              |
              = help: to leave the block write `return`
        "#]],
    );
}

#[test]
fn other_statements_are_still_to_come() {
    let text = r#"wasi:* { let @x; let $y: uint64 = 1; return 1; $z = 1; $z <<= 1; $z |= 1; ok ? print(@x) : exit(); $b = @x++; $c = comm; $s = "text"; @s = comm; @q = ok ? "a" : "b"; @x++; }"#;
    check(
        text,
        expect![[r#"
            error[E0901]: declaring a map with `let` is part of the language, but this version does not run it yet
             --> slow.ewq:1:14
              |
            1 | wasi:* { let @x; let $y: uint64 = 1; return 1; $z = 1; $z <<= 1; $z |= 1; ok ? print(@x) : exit(); $b = @x++; $c = comm; $s = "text";...
              |              ^^

            error[E0901]: a `return` with a value is part of the language, but this version does not run it yet
             --> slow.ewq:1:45
              |
            1 | wasi:* { let @x; let $y: uint64 = 1; return 1; $z = 1; $z <<= 1; $z |= 1; ok ? print(@x) : exit(); $b = @x++; $c = comm; $s = "text";...
              |                                             ^
        "#]],
    );
}

#[test]
fn functions_take_what_they_need() {
    let text = r#"wasi:* { @x[pid] = count(); print(); print(@x, 0); print(@x, pid); print(@x, 1, 2); print(@x[pid]); print(5); clear(); clear(@x[pid]); clear(pid); zero(@x, 1); delete(); delete(pid); delete(@x); delete(@x[pid], @x[tid]); exit(1); time(1); time("%H", 2); print(@x, top=5); }"#;
    check(
        text,
        expect![[r#"
            error[E0404]: `print()` takes a map or a value
             --> slow.ewq:1:29
              |
            1 | wasi:* { @x[pid] = count(); print(); print(@x, 0); print(@x, pid); print(@x, 1, 2); print(@x[pid]); print(5); clear(); clear(@x[pid])...
              |                             ^^^^^^^
              |
              = help: write `print(@x)`, `print(@x, 10)` or `print(func)`

            error[E0107]: how many keys `print()` shows is a number that is known before the script runs: 0 or more
             --> slow.ewq:1:62
              |
            1 | wasi:* { @x[pid] = count(); print(); print(@x, 0); print(@x, pid); print(@x, 1, 2); print(@x[pid]); print(5); clear(); clear(@x[pid])...
              |                                                              ^^^
              |
              = help: such as `print(@x, 10)`, or a `param`

            error[E0404]: `clear()` takes one map
             --> slow.ewq:1:111
              |
            1 | wasi:* { @x[pid] = count(); print(); print(@x, 0); print(@x, pid); print(@x, 1, 2); print(@x[pid]); print(5); clear(); clear(@x[pid])...
              |                                                                                                               ^^^^^^^
              |
              = help: write `clear(@x)`

            error[E0403]: `clear()` takes a whole map
             --> slow.ewq:1:126
              |
            1 | ...); print(@x, 1, 2); print(@x[pid]); print(5); clear(); clear(@x[pid]); clear(pid); zero(@x, 1); delete(); delete(pid); delete(@x);...
              |                                                                 ^^^^^^^
              |
              = help: write `clear(@x)`, or forget one key with `delete(@x[…])`

            error[E0403]: `clear()` takes a whole map
             --> slow.ewq:1:142
              |
            1 | ..., 2); print(@x[pid]); print(5); clear(); clear(@x[pid]); clear(pid); zero(@x, 1); delete(); delete(pid); delete(@x); delete(@x[pid...
              |                                                                   ^^^
              |
              = help: such as `clear(@x)`

            error[E0404]: `zero()` takes one map
             --> slow.ewq:1:148
              |
            1 | ...t(@x[pid]); print(5); clear(); clear(@x[pid]); clear(pid); zero(@x, 1); delete(); delete(pid); delete(@x); delete(@x[pid], @x[tid]...
              |                                                               ^^^^^^^^^^^
              |
              = help: write `zero(@x)`

            error[E0404]: `delete()` takes one key of a map
             --> slow.ewq:1:161
              |
            1 | ... print(5); clear(); clear(@x[pid]); clear(pid); zero(@x, 1); delete(); delete(pid); delete(@x); delete(@x[pid], @x[tid]); exit(1);...
              |                                                                 ^^^^^^^^
              |
              = help: write `delete(@x[pid])` or `delete(@x, pid)`

            error[E0403]: `delete()` takes a key of a map
             --> slow.ewq:1:178
              |
            1 | ...r(); clear(@x[pid]); clear(pid); zero(@x, 1); delete(); delete(pid); delete(@x); delete(@x[pid], @x[tid]); exit(1); time(1); time(...
              |                                                                   ^^^
              |
              = help: such as `delete(@x[pid])`

            error[E0603]: `@x` has no key here and 1 key elsewhere
             --> slow.ewq:1:191
              |
            1 | ... { @x[pid] = count(); print(); print(@x, 0); print(@x, pid); print(@x, 1, 2); print(@x[pid]); print(5); clear(); clear(@x[pid]); clear(pid); zero(@x, 1); delete(); delete(pid); delete(@x); ...
              |       ------- 1 key here                                                                                                                                                                   ^^ no key here
              |
              = help: a map has the same keys everywhere; use two maps

            error[E0404]: `delete()` takes one key of a map
             --> slow.ewq:1:196
              |
            1 | ...id); zero(@x, 1); delete(); delete(pid); delete(@x); delete(@x[pid], @x[tid]); exit(1); time(1); time("%H", 2); print(@x, top=5); }
              |                                                         ^^^^^^^^^^^^^^^^^^^^^^^^
              |
              = help: write `delete(@x[pid])` or `delete(@x, pid)`

            error[E0107]: the format of `time()` has to be a text that is known before the script runs
             --> slow.ewq:1:236
              |
            1 | ...elete(pid); delete(@x); delete(@x[pid], @x[tid]); exit(1); time(1); time("%H", 2); print(@x, top=5); }
              |                                                                    ^
              |
              = help: write it in quotes: `time("%H:%M:%S\n")`

            error[E0404]: `time()` takes at most one format
             --> slow.ewq:1:240
              |
            1 | ...; delete(@x); delete(@x[pid], @x[tid]); exit(1); time(1); time("%H", 2); print(@x, top=5); }
              |                                                              ^^^^^^^^^^^^^
              |
              = help: write `time("%H:%M:%S ")`

            error[E0403]: `print()` has no argument called `top`
             --> slow.ewq:1:265
              |
            1 | ...(@x[pid], @x[tid]); exit(1); time(1); time("%H", 2); print(@x, top=5); }
              |                                                                   ^^^
        "#]],
    );
}

#[test]
fn choices_have_one_type() {
    let text = r#"wasi:* { @a = ok ? duration : bytes; @b = ok ? duration : 0; @c = ok ? errno : 8; @d = func ? 1 : 2; @e = ok ? comm : comm; }"#;
    check(
        text,
        expect![[r#"
            error[E0301]: `? :` gives a time or a size
             --> slow.ewq:1:31
              |
            1 | wasi:* { @a = ok ? duration : bytes; @b = ok ? duration : 0; @c = ok ? errno : 8; @d = func ? 1 : 2; @e = ok ? comm : comm; }
              |                    --------   ^^^^^ this is a size
              |                    |
              |                    this is a time
              |
              = help: both sides have the same type

            error[E0303]: this is a WASI function, not a condition
             --> slow.ewq:1:88
              |
            1 | wasi:* { @a = ok ? duration : bytes; @b = ok ? duration : 0; @c = ok ? errno : 8; @d = func ? 1 : 2; @e = ok ? comm : comm; }
              |                                                                                        ^^^^
              |
              = help: compare it, such as with `== "fd_write"`
        "#]],
    );
}

#[test]
fn a_slip_in_a_probe_does_not_hide_the_block() {
    let text = r#"wasi:fd_wirte /durtion > 1ms/ { @x[fucn] = count(); }"#;
    check(
        text,
        expect![[r#"
        error[E0203]: no WASI function is called `fd_wirte`
         --> slow.ewq:1:1
          |
        1 | wasi:fd_wirte /durtion > 1ms/ { @x[fucn] = count(); }
          | ^^^^^^^^^^^^^ did you mean `wasi:fd_write`?
          |
          = help: `ewapa list 'wasi:fd_*'` shows them; `ewapa explain E0203` says more

        error[E0103]: nothing is called `durtion`
         --> slow.ewq:1:16
          |
        1 | wasi:fd_wirte /durtion > 1ms/ { @x[fucn] = count(); }
          |                ^^^^^^^ did you mean `duration`?

        error[E0103]: nothing is called `fucn`
         --> slow.ewq:1:36
          |
        1 | wasi:fd_wirte /durtion > 1ms/ { @x[fucn] = count(); }
          |                                    ^^^^ did you mean `func`?
    "#]],
    );
}

#[test]
fn blocks_of_other_probes_are_left_alone() {
    let text = r#"syscall:* { @x[ret] = whatever; }
alias wasi:io = wasi:fd_read { $w = 1; }
wasi:io { @y[$w] = count(); }
wasi:*:enter { @z = nothing; }
end { print(@x); print(@y); clear(@z); }"#;
    check(
        text,
        expect![[r#"
            error[E0103]: nothing is called `whatever`
             --> slow.ewq:1:23
              |
            1 | syscall:* { @x[ret] = whatever; }
              |                       ^^^^^^^^

            error[E0103]: nothing is called `nothing`
             --> slow.ewq:4:21
              |
            4 | wasi:*:enter { @z = nothing; }
              |                     ^^^^^^^
        "#]],
    );
}

#[test]
fn every_event_of_a_block_is_checked_and_each_error_shown_once() {
    let text = r#"begin, wasi:fd_read, end { @x = duration; @y = nothing; }"#;
    check(
        text,
        expect![[r#"
        error[E0601]: there is no call at `begin`
         --> slow.ewq:1:33
          |
        1 | begin, wasi:fd_read, end { @x = duration; @y = nothing; }
          |                                 ^^^^^^^^ `duration` is a value of a call
          |
          = help: keep it in a map in a `wasi:` block, such as `@duration = duration`

        error[E0103]: nothing is called `nothing`
         --> slow.ewq:1:48
          |
        1 | begin, wasi:fd_read, end { @x = duration; @y = nothing; }
          |                                                ^^^^^^^
    "#]],
    );
}
