//! Values that an event does not have, arguments by name, tuples, and what is only done on request.

use expect_test::expect;

use super::check;

#[test]
fn a_tuple_is_no_single_value() {
    check(
        "wasi:* { $t = (1, \"a\"); @x = $t + 1; @y = $t.2; @z = $t.0.0; $t = 5; $u = (1, 2) == (1, 2); $t = (1, 2, 3); if ($t) { @w = $x.0; } }",
        expect![[r#"
            error[E0320]: a single value is needed, and this is a tuple
             --> slow.ewq:1:30
              |
            1 | wasi:* { $t = (1, "a"); @x = $t + 1; @y = $t.2; @z = $t.0.0; $t = 5; $u = (1, 2) == (1, 2); $t = (1, 2, 3); if ($t) { @w = $x.0; } }
              |                              ^^
              |
              = help: its parts are `.0`, `.1` and so on; `print()` shows all of it

            error[E0320]: this tuple has 2 parts, and there is no `.2`
             --> slow.ewq:1:43
              |
            1 | wasi:* { $t = (1, "a"); @x = $t + 1; @y = $t.2; @z = $t.0.0; $t = 5; $u = (1, 2) == (1, 2); $t = (1, 2, 3); if ($t) { @w = $x.0; } }
              |                                           ^^^^ the parts are .0 to .1

            error[E0320]: `.0` is a part of a tuple, and this is a single value
             --> slow.ewq:1:54
              |
            1 | wasi:* { $t = (1, "a"); @x = $t + 1; @y = $t.2; @z = $t.0.0; $t = 5; $u = (1, 2) == (1, 2); $t = (1, 2, 3); if ($t) { @w = $x.0; } }
              |                                                      ^^^^^^ this is a number

            error[E0603]: `$t` is a single value here and a tuple elsewhere
             --> slow.ewq:1:62
              |
            1 | wasi:* { $t = (1, "a"); @x = $t + 1; @y = $t.2; @z = $t.0.0; $t = 5; $u = (1, 2) == (1, 2); $t = (1, 2, 3); if ($t) { @w = $x.0; } }
              |                                                              ^^
              |
              = help: use two variables

            error[E0603]: `$t` has other parts here than elsewhere
             --> slow.ewq:1:93
              |
            1 | wasi:* { $t = (1, "a"); @x = $t + 1; @y = $t.2; @z = $t.0.0; $t = 5; $u = (1, 2) == (1, 2); $t = (1, 2, 3); if ($t) { @w = $x.0; } }
              |                                                                                             ^^
              |
              = help: use two variables

            error[E0320]: a single value is needed, and this is a tuple
             --> slow.ewq:1:112
              |
            1 | wasi:* { $t = (1, "a"); @x = $t + 1; @y = $t.2; @z = $t.0.0; $t = 5; $u = (1, 2) == (1, 2); $t = (1, 2, 3); if ($t) { @w = $x.0; } }
              |                                                                                                                ^^^^
              |
              = help: its parts are `.0`, `.1` and so on; `print()` shows all of it

            error[E0602]: `$x` has no value yet
             --> slow.ewq:1:124
              |
            1 | wasi:* { $t = (1, "a"); @x = $t + 1; @y = $t.2; @z = $t.0.0; $t = 5; $u = (1, 2) == (1, 2); $t = (1, 2, 3); if ($t) { @w = $x.0; } }
              |                                                                                                                            ^^ did you mean `$u`?
              |
              = help: give it one above, in the same block: `$x = 0`; what lasts longer than one event is kept in a map: `@x`
        "#]],
    );
}

#[test]
fn an_argument_has_the_name_of_the_specification() {
    check(
        "wasi:fd_write { @a = args.iovs_length; @b = args.whence; } wasi:sched_yield { @c = args.fd; } wasi:{fd_read,fd_write} { @d = args.offset; } end { @e = args.fd; }",
        expect![[r#"
            error[E0321]: `fd_write` has no argument `iovs_length`
             --> slow.ewq:1:27
              |
            1 | wasi:fd_write { @a = args.iovs_length; @b = args.whence; } wasi:sched_yield { @c = args.fd; } wasi:{fd_read,fd_write} { @d = args.off...
              |                           ^^^^^^^^^^^ did you mean `iovs_len`?
              |
              = help: it has fd, iovs, iovs_len, nwritten

            error[E0321]: `fd_write` has no argument `whence`
             --> slow.ewq:1:50
              |
            1 | wasi:fd_write { @a = args.iovs_length; @b = args.whence; } wasi:sched_yield { @c = args.fd; } wasi:{fd_read,fd_write} { @d = args.off...
              |                                                  ^^^^^^
              |
              = help: it has fd, iovs, iovs_len, nwritten

            error[E0321]: `sched_yield` has no argument `fd`
             --> slow.ewq:1:89
              |
            1 | wasi:fd_write { @a = args.iovs_length; @b = args.whence; } wasi:sched_yield { @c = args.fd; } wasi:{fd_read,fd_write} { @d = args.off...
              |                                                                                         ^^
              |
              = help: `sched_yield` has none

            error[E0321]: none of these WASI functions has an argument `offset`
             --> slow.ewq:1:131
              |
            1 | ...d_yield { @c = args.fd; } wasi:{fd_read,fd_write} { @d = args.offset; } end { @e = args.fd; }
              |                                                                  ^^^^^^

            error[E0601]: there is no call at `end`
             --> slow.ewq:1:152
              |
            1 | ...ead,fd_write} { @d = args.offset; } end { @e = args.fd; }
              |                                                   ^^^^^^^ `args` is a value of a call
        "#]],
    );
}

#[test]
fn a_value_belongs_to_an_event() {
    check(
        "begin { @a = retval; @b = lost; @c = in_wasi; @d = func; } wasi:fd_read { @e = retval; @f = probe; @g = ret; @h = reg(\"ip\"); @i = username; } wasi:*:enter { @j = duration; }",
        expect![[r#"
            error[E0601]: there is no call at `begin`
             --> slow.ewq:1:14
              |
            1 | begin { @a = retval; @b = lost; @c = in_wasi; @d = func; } wasi:fd_read { @e = retval; @f = probe; @g = ret; @h = reg("ip"); @i = use...
              |              ^^^^^^ `retval` is a value of a call

            error[E0322]: `lost` is known when the script has run
             --> slow.ewq:1:27
              |
            1 | begin { @a = retval; @b = lost; @c = in_wasi; @d = func; } wasi:fd_read { @e = retval; @f = probe; @g = ret; @h = reg("ip"); @i = use...
              |                           ^^^^
              |
              = help: look at it in a `check`: `check "…" lost == 0;`

            error[E0601]: there is no call at `begin`
             --> slow.ewq:1:38
              |
            1 | begin { @a = retval; @b = lost; @c = in_wasi; @d = func; } wasi:fd_read { @e = retval; @f = probe; @g = ret; @h = reg("ip"); @i = use...
              |                                      ^^^^^^^ `in_wasi` is a value of a call

            error[E0601]: there is no call at `begin`
             --> slow.ewq:1:52
              |
            1 | begin { @a = retval; @b = lost; @c = in_wasi; @d = func; } wasi:fd_read { @e = retval; @f = probe; @g = ret; @h = reg("ip"); @i = use...
              |                                                    ^^^^ `func` is a value of a call
              |
              = help: keep it in a map in a `wasi:` block, such as `@func = func`

            error[E0322]: `retval` is no value of a completed WASI call
             --> slow.ewq:1:80
              |
            1 | begin { @a = retval; @b = lost; @c = in_wasi; @d = func; } wasi:fd_read { @e = retval; @f = probe; @g = ret; @h = reg("ip"); @i = use...
              |                                                                                ^^^^^^

            error[E0322]: `probe` has no value here
             --> slow.ewq:1:93
              |
            1 | begin { @a = retval; @b = lost; @c = in_wasi; @d = func; } wasi:fd_read { @e = retval; @f = probe; @g = ret; @h = reg("ip"); @i = use...
              |                                                                                             ^^^^^
              |
              = help: `func` is the WASI function, `runtime` the runtime, `syscall` the system call

            error[E0322]: `ret` is no value of a completed WASI call
             --> slow.ewq:1:105
              |
            1 | ... } wasi:fd_read { @e = retval; @f = probe; @g = ret; @h = reg("ip"); @i = username; } wasi:*:enter { @j = duration; }
              |                                                    ^^^ what the system call returned

            error[E0322]: `reg` is no value of a completed WASI call
             --> slow.ewq:1:115
              |
            1 | begin { @a = retval; @b = lost; @c = in_wasi; @d = func; } wasi:fd_read { @e = retval; @f = probe; @g = ret; @h = reg("ip"); @i = use...
              |                                                                                                                   ^^^

            error[E0902]: `username` is bpftrace's, and this language leaves it out
             --> slow.ewq:1:131
              |
            1 | ...ad { @e = retval; @f = probe; @g = ret; @h = reg("ip"); @i = username; } wasi:*:enter { @j = duration; }
              |                                                                 ^^^^^^^^
              |
              = help: `uid` is the number of the user

            error[E0322]: `duration` is no value of the begin of a WASI call
             --> slow.ewq:1:163
              |
            1 | ... @i = username; } wasi:*:enter { @j = duration; }
              |                                          ^^^^^^^^ from entry to return, on the monotonic clock
              |
              = help: it is known when the call has completed: leave `:enter` away
        "#]],
    );
}

#[test]
fn commands_run_only_if_that_is_allowed() {
    check(
        "end { system(\"ls\"); cat(\"/proc/loadavg\"); cat(); }",
        expect![[r#"
        error[E0611]: `system()` runs commands, which a script may only do with `--unsafe`
         --> slow.ewq:1:7
          |
        1 | end { system("ls"); cat("/proc/loadavg"); cat(); }
          |       ^^^^^^
          |
          = help: run it with `ewapa script --unsafe …` if you trust the script

        error[E0404]: `cat()` takes a format and its values
         --> slow.ewq:1:43
          |
        1 | end { system("ls"); cat("/proc/loadavg"); cat(); }
          |                                           ^^^^^
          |
          = help: write `cat("/proc/%d/maps", pid)`
    "#]],
    );
}

#[test]
fn functions_with_a_value_take_what_they_need() {
    check(
        "wasi:* { @a = str(comm); @b = str(func); @c = len(pid); @d = strncmp(comm, \"a\"); @e = strncmp(comm, \"a\", pid); @f = strcontains(comm, path);
         @g = comm[:4]; @h = comm[2:4] == \"ab\"; @i = comm[:2] == \"abc\"; @j[ustack(200)] = 1; @k[ustack(pearl)] = 1; @l = nsecs(wall); @m = strerror(errno);
         @n = syscalls(\"futxe\"); @o = has_key(@a); @p = len(@a); @q = usym(arg0); str(arg0); @r = sizeof(comm); @s = kaddr(\"x\"); @t = buf(arg0, 9999); }",
        expect![[r#"
            error[E0403]: an address is a plain number, and this is a WASI function
             --> slow.ewq:1:35
              |
            1 | wasi:* { @a = str(comm); @b = str(func); @c = len(pid); @d = strncmp(comm, "a"); @e = strncmp(comm, "a", pid); @f = strcontains(comm,...
              |                                   ^^^^ this is a WASI function

            error[E0403]: `len()` needs a text, and this is a number
             --> slow.ewq:1:51
              |
            1 | wasi:* { @a = str(comm); @b = str(func); @c = len(pid); @d = strncmp(comm, "a"); @e = strncmp(comm, "a", pid); @f = strcontains(comm,...
              |                                                   ^^^ this is a number
              |
              = help: a text in memory is `str(address)`

            error[E0404]: `strncmp()` takes two texts and a number of bytes, not 2
             --> slow.ewq:1:62
              |
            1 | wasi:* { @a = str(comm); @b = str(func); @c = len(pid); @d = strncmp(comm, "a"); @e = strncmp(comm, "a", pid); @f = strcontains(comm,...
              |                                                              ^^^^^^^^^^^^^^^^^^
              |
              = help: such as `strncmp(comm, "wasm", 4) == 0`

            error[E0107]: the number of bytes of `strncmp()` is a number from 1 to 1024 that is known before the script runs
             --> slow.ewq:1:106
              |
            1 | wasi:* { @a = str(comm); @b = str(func); @c = len(pid); @d = strncmp(comm, "a"); @e = strncmp(comm, "a", pid); @f = strcontains(comm,...
              |                                                                                                          ^^^

            error[E0107]: what `strcontains()` looks for has to be known before the script runs
             --> slow.ewq:1:135
              |
            1 | ...mm, "a"); @e = strncmp(comm, "a", pid); @f = strcontains(comm, path);
              |                                                                   ^^^^
              |
              = help: write it in quotes: `strcontains(comm, "wasm")`

            error[E0901]: a part of a text that is not compared is part of the language, but this version does not run it yet
             --> slow.ewq:2:15
              |
            2 | ...   @g = comm[:4]; @h = comm[2:4] == "ab"; @i = comm[:2] == "abc"; @j[ustack(200)] = 1; @k[ustack(pearl)] = 1; @l = nsecs(wall); @m...
              |            ^^^^^^^^
              |
              = help: it can be compared, `comm[:4] == "wasm"`, and be printed, `printf("%.4s", comm)`

            error[E0901]: a part of a text that is not its start is part of the language, but this version does not run it yet
             --> slow.ewq:2:30
              |
            2 | ...   @g = comm[:4]; @h = comm[2:4] == "ab"; @i = comm[:2] == "abc"; @j[ustack(200)] = 1; @k[ustack(pearl)] = 1; @l = nsecs(wall); @m...
              |                           ^^^^^^^^^

            error[E0305]: this text has 3 bytes, and it is compared with the first 2 of the other
             --> slow.ewq:2:66
              |
            2 | ...   @g = comm[:4]; @h = comm[2:4] == "ab"; @i = comm[:2] == "abc"; @j[ustack(200)] = 1; @k[ustack(pearl)] = 1; @l = nsecs(wall); @m...
              |                                                               ^^^^^

            error[E0403]: the depth of `ustack()` is a number from 1 to 127 that is known before the script runs
             --> slow.ewq:2:83
              |
            2 | ...   @g = comm[:4]; @h = comm[2:4] == "ab"; @i = comm[:2] == "abc"; @j[ustack(200)] = 1; @k[ustack(pearl)] = 1; @l = nsecs(wall); @m...
              |                                                                                ^^^

            error[E0103]: nothing is called `pearl`
             --> slow.ewq:2:104
              |
            2 | ...   @g = comm[:4]; @h = comm[2:4] == "ab"; @i = comm[:2] == "abc"; @j[ustack(200)] = 1; @k[ustack(pearl)] = 1; @l = nsecs(wall); @m...
              |                                                                                                     ^^^^^

            error[E0403]: a clock is `monotonic`, `boot` or `tai`
             --> slow.ewq:2:128
              |
            2 | ...   @g = comm[:4]; @h = comm[2:4] == "ab"; @i = comm[:2] == "abc"; @j[ustack(200)] = 1; @k[ustack(pearl)] = 1; @l = nsecs(wall); @m...
              |                                                                                                                             ^^^^
              |
              = help: such as `nsecs(boot)`

            error[E0403]: `strerror()` knows the error numbers of Linux, and this is one of WASI
             --> slow.ewq:2:149
              |
            2 | ...] = 1; @k[ustack(pearl)] = 1; @l = nsecs(wall); @m = strerror(errno);
              |                                                                  ^^^^^
              |
              = help: `printf("%s", errno)` prints its name

            error[E0403]: no system call is called `futxe`
             --> slow.ewq:3:24
              |
            3 | ...   @n = syscalls("futxe"); @o = has_key(@a); @p = len(@a); @q = usym(arg0); str(arg0); @r = sizeof(comm); @s = kaddr("x"); @t = bu...
              |                     ^^^^^^^ did you mean `futex`?

            error[E0404]: `has_key()` takes a map and a key, not 1
             --> slow.ewq:3:39
              |
            3 | ...   @n = syscalls("futxe"); @o = has_key(@a); @p = len(@a); @q = usym(arg0); str(arg0); @r = sizeof(comm); @s = kaddr("x"); @t = bu...
              |                                    ^^^^^^^^^^^
              |
              = help: such as `has_key(@x, pid)`

            error[E0608]: `str()` has a value, and nothing is done with it
             --> slow.ewq:3:83
              |
            3 | ...   @n = syscalls("futxe"); @o = has_key(@a); @p = len(@a); @q = usym(arg0); str(arg0); @r = sizeof(comm); @s = kaddr("x"); @t = bu...
              |                                                                                ^^^^^^^^^
              |
              = help: keep it, `$x = …`, or print it: `print(…)`

            error[E0902]: `kaddr()` is bpftrace's, and this language leaves it out
             --> slow.ewq:3:118
              |
            3 | ...   @n = syscalls("futxe"); @o = has_key(@a); @p = len(@a); @q = usym(arg0); str(arg0); @r = sizeof(comm); @s = kaddr("x"); @t = bu...
              |                                                                                                                   ^^^^^
              |
              = help: a script does not look up addresses by name

            error[E0403]: a buffer has from 1 to 1024 bytes
             --> slow.ewq:3:145
              |
            3 | ... str(arg0); @r = sizeof(comm); @s = kaddr("x"); @t = buf(arg0, 9999); }
              |                                                                   ^^^^
        "#]],
    );
}

#[test]
fn loops_need_ends_and_keys() {
    check(
        "wasi:* { unroll (101) { } unroll (pid) { } for $i : 0..comm { } for ($kv : 5) { } @avg[pid] = hist(bytes); for ($kv : @avg) { } @one = 1; for ($kv : @one) { } for ($kv : @none) { } break; }",
        expect![[r#"
            error[E0107]: `unroll` repeats a number of times that is known before the script runs, at most 100
             --> slow.ewq:1:17
              |
            1 | wasi:* { unroll (101) { } unroll (pid) { } for $i : 0..comm { } for ($kv : 5) { } @avg[pid] = hist(bytes); for ($kv : @avg) { } @one ...
              |                 ^^^^^
              |
              = help: what is not known before is counted by `for $i : 0..n { … }`

            error[E0107]: `unroll` repeats a number of times that is known before the script runs, at most 100
             --> slow.ewq:1:34
              |
            1 | wasi:* { unroll (101) { } unroll (pid) { } for $i : 0..comm { } for ($kv : 5) { } @avg[pid] = hist(bytes); for ($kv : @avg) { } @one ...
              |                                  ^^^^^
              |
              = help: what is not known before is counted by `for $i : 0..n { … }`

            error[E0403]: a range is from a number to a number, and this is a text
             --> slow.ewq:1:56
              |
            1 | wasi:* { unroll (101) { } unroll (pid) { } for $i : 0..comm { } for ($kv : 5) { } @avg[pid] = hist(bytes); for ($kv : @avg) { } @one ...
              |                                                        ^^^^ this is a text
              |
              = help: such as `for $i : 0..10 { … }`

            error[E0403]: `for` goes over a range of numbers or a map
             --> slow.ewq:1:76
              |
            1 | wasi:* { unroll (101) { } unroll (pid) { } for $i : 0..comm { } for ($kv : 5) { } @avg[pid] = hist(bytes); for ($kv : @avg) { } @one ...
              |                                                                            ^
              |
              = help: such as `for $i : 0..10 { … }` or `for ($kv : @x) { … }`

            error[E0605]: `@avg` is `hist()`, which cannot be read like a number
             --> slow.ewq:1:119
              |
            1 | ... : 0..comm { } for ($kv : 5) { } @avg[pid] = hist(bytes); for ($kv : @avg) { } @one = 1; for ($kv : @one) { } for ($kv : @none) { ...
              |                                                 -----------             ^^^^
              |                                                 |
              |                                                 an aggregate is put in here
              |
              = help: `count()`, `sum()`, `avg()`, `min()` and `max()` can be read, others are only printed; keep what is read in a map of its own: `@avg_last = …`

            error[E0403]: `@one` has no keys to go over
             --> slow.ewq:1:150
              |
            1 | ...[pid] = hist(bytes); for ($kv : @avg) { } @one = 1; for ($kv : @one) { } for ($kv : @none) { } break; }
              |                                                                   ^^^^

            error[E0604]: nothing is ever put into `@none`
             --> slow.ewq:1:171
              |
            1 | ...@avg) { } @one = 1; for ($kv : @one) { } for ($kv : @none) { } break; }
              |                                                        ^^^^^ did you mean `@one`?
              |
              = help: put something into it in a probe block: `@none = 1`, `@none++` or `@none = count()`

            error[E0610]: there is no loop around this `break`
             --> slow.ewq:1:182
              |
            1 | ...avg) { } @one = 1; for ($kv : @one) { } for ($kv : @none) { } break; }
              |                                                                  ^^^^^^
              |
              = help: to leave the block write `return`
        "#]],
    );
}

#[test]
fn tables_of_maps_have_the_same_keys() {
    check(
        "wasi:* { @a[pid] = count(); @b[comm] = count(); tabulate(\"t\", @a, @b); tabulate(@a); tabulate(\"t\", @a, sort=\"@b\"); tabulate(\"t\", @a, limit=0, by=1); }",
        expect![[r#"
            error[E0603]: maps that stand side by side have the same keys, and this one has others
             --> slow.ewq:1:67
              |
            1 | wasi:* { @a[pid] = count(); @b[comm] = count(); tabulate("t", @a, @b); tabulate(@a); tabulate("t", @a, sort="@b"); tabulate("t", @a, ...
              |                                                                   ^^

            error[E0404]: `tabulate()` takes a title and 1 to 16 maps
             --> slow.ewq:1:72
              |
            1 | wasi:* { @a[pid] = count(); @b[comm] = count(); tabulate("t", @a, @b); tabulate(@a); tabulate("t", @a, sort="@b"); tabulate("t", @a, ...
              |                                                                        ^^^^^^^^^^^^
              |
              = help: write `tabulate("files", @opens, @bytes, sort="@bytes", limit=20)`

            error[E0403]: `tabulate()` sorts by one of its maps
             --> slow.ewq:1:109
              |
            1 | wasi:* { @a[pid] = count(); @b[comm] = count(); tabulate("t", @a, @b); tabulate(@a); tabulate("t", @a, sort="@b"); tabulate("t", @a, ...
              |                                                                                                             ^^^^
              |
              = help: they are @a

            error[E0107]: how many rows `tabulate()` shows is a number that is known before the script runs: 1 or more
             --> slow.ewq:1:140
              |
            1 | ...late(@a); tabulate("t", @a, sort="@b"); tabulate("t", @a, limit=0, by=1); }
              |                                                                    ^
              |
              = help: such as `tabulate(@x, 10)`, or a `param`
        "#]],
    );
}

#[test]
fn series_have_steps_of_a_known_length() {
    check(
        "wasi:* { @a = tseries(duration, 1, 60); @b = tseries(duration, 1s, 0); @c = tseries(duration, 1s, 60, \"mean\"); @d = tseries(duration); }",
        expect![[r#"
            error[E0107]: a step of `tseries()` is a time that is known before the script runs: `1us` or more
             --> slow.ewq:1:33
              |
            1 | wasi:* { @a = tseries(duration, 1, 60); @b = tseries(duration, 1s, 0); @c = tseries(duration, 1s, 60, "mean"); @d = tseries(duration); }
              |                                 ^
              |
              = help: such as `tseries(duration, 1s, 60)`

            error[E0107]: how many steps `tseries()` keeps is a number from 1 to 4096 that is known before the script runs
             --> slow.ewq:1:68
              |
            1 | wasi:* { @a = tseries(duration, 1, 60); @b = tseries(duration, 1s, 0); @c = tseries(duration, 1s, 60, "mean"); @d = tseries(duration); }
              |                                                                    ^
              |
              = help: such as `tseries(duration, 1s, 60)`

            error[E0403]: what the values of a step come to is "sum", "avg", "min", "max" or "last"
             --> slow.ewq:1:103
              |
            1 | wasi:* { @a = tseries(duration, 1, 60); @b = tseries(duration, 1s, 0); @c = tseries(duration, 1s, 60, "mean"); @d = tseries(duration); }
              |                                                                                                       ^^^^^^

            error[E0404]: `tseries()` takes three or four arguments, not 1
             --> slow.ewq:1:117
              |
            1 | wasi:* { @a = tseries(duration, 1, 60); @b = tseries(duration, 1s, 0); @c = tseries(duration, 1s, 60, "mean"); @d = tseries(duration); }
              |                                                                                                                     ^^^^^^^^^^^^^^^^^
              |
              = help: such as `tseries(duration, 1s, 60, "avg")`: how long a step is, how many there are, and what its values come to
        "#]],
    );
}
