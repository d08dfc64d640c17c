//! Maps: one kind, one type and the same keys everywhere.

use expect_test::expect;

use super::check;

#[test]
fn a_map_holds_one_thing() {
    let text = r#"wasi:fd_read { @x = count(); @y = hist(bytes); @z = lhist(bytes, 0, 10B, 1B); @q = p99(duration); @n = 1; }
wasi:fd_write { @x = sum(bytes); @y = hist(bytes, 5); @z = lhist(bytes, 0, 20B, 1B); @q = quantile(duration, 0.99); @n = count(); }
wasi:fd_close { @x++; @q = p50(duration); }"#;
    check(
        text,
        expect![[r#"
            error[E0603]: `@x` is `sum()` here and `count()` elsewhere
             --> slow.ewq:2:22
              |
            1 | wasi:fd_read { @x = count(); @y = hist(bytes); @z = lhist(bytes, 0, 10B, 1B); @q = p99(duration); @n = 1; }
              |                     ------- `count()` here
            2 | wasi:fd_write { @x = sum(bytes); @y = hist(bytes, 5); @z = lhist(bytes, 0, 20B, 1B); @q = quantile(duration, 0.99); @n = count(); }
              |                      ^^^^^^^^^^ `sum()` here
              |
              = help: a map holds one thing in the whole script; use two maps

            error[E0603]: `hist()` of `@y` has other arguments elsewhere
             --> slow.ewq:2:39
              |
            1 | wasi:fd_read { @x = count(); @y = hist(bytes); @z = lhist(bytes, 0, 10B, 1B); @q = p99(duration); @n = 1; }
              |                                   ----------- `hist()` here
            2 | wasi:fd_write { @x = sum(bytes); @y = hist(bytes, 5); @z = lhist(bytes, 0, 20B, 1B); @q = quantile(duration, 0.99); @n = count(); }
              |                                       ^^^^^^^^^^^^^^ `hist()` here
              |
              = help: a map has the same ranges and the same share everywhere; use two maps

            error[E0603]: `lhist()` of `@z` has other arguments elsewhere
             --> slow.ewq:2:60
              |
            1 | wasi:fd_read { @x = count(); @y = hist(bytes); @z = lhist(bytes, 0, 10B, 1B); @q = p99(duration); @n = 1; }
              |                                                     ------------------------ `lhist()` here
            2 | wasi:fd_write { @x = sum(bytes); @y = hist(bytes, 5); @z = lhist(bytes, 0, 20B, 1B); @q = quantile(duration, 0.99); @n = count(); }
              |                                                            ^^^^^^^^^^^^^^^^^^^^^^^^ `lhist()` here
              |
              = help: a map has the same ranges and the same share everywhere; use two maps

            error[E0603]: `@n` is `count()` here and a single value elsewhere
             --> slow.ewq:2:122
              |
            1 | wasi:fd_read { @x = count(); @y = hist(bytes); @z = lhist(bytes, 0, 10B, 1B); @q = p99(duration); @n = 1; }
              |                                                                                                   ------- a single value here
            2 | wasi:fd_write { @x = sum(bytes); @y = hist(bytes, 5); @z = lhist(bytes, 0, 20B, 1B); @q = quantile(duration, 0.99); @n = count(); }
              |                                                                                                                          ^^^^^^^ `count()` here
              |
              = help: a map holds one thing in the whole script; use two maps

            error[E0603]: `@x` is a single value here and `count()` elsewhere
             --> slow.ewq:3:17
              |
            1 | wasi:fd_read { @x = count(); @y = hist(bytes); @z = lhist(bytes, 0, 10B, 1B); @q = p99(duration); @n = 1; }
              |                     ------- `count()` here
            2 | wasi:fd_write { @x = sum(bytes); @y = hist(bytes, 5); @z = lhist(bytes, 0, 20B, 1B); @q = quantile(duration, 0.99); @n = count(); }
            3 | wasi:fd_close { @x++; @q = p50(duration); }
              |                 ^^^^^ a single value here
              |
              = help: a map holds one thing in the whole script; use two maps

            error[E0603]: `@q` is `p50()` here and `p99()` elsewhere
             --> slow.ewq:3:28
              |
            1 | wasi:fd_read { @x = count(); @y = hist(bytes); @z = lhist(bytes, 0, 10B, 1B); @q = p99(duration); @n = 1; }
              |                                                                                    ------------- `p99()` here
            2 | wasi:fd_write { @x = sum(bytes); @y = hist(bytes, 5); @z = lhist(bytes, 0, 20B, 1B); @q = quantile(duration, 0.99); @n = count(); }
            3 | wasi:fd_close { @x++; @q = p50(duration); }
              |                            ^^^^^^^^^^^^^ `p50()` here
              |
              = help: a map holds one thing in the whole script; use two maps
        "#]],
    );
}

#[test]
fn a_map_holds_values_of_one_type() {
    let text = r#"wasi:* { @t = duration; @t = bytes; @t = 10; @t = 0; @s = sum(bytes); @s = sum(duration); @e = errno; @e = 8; @e = func; @t += 5; @t++; @c++; @c += 1us; @c /= 1us; }"#;
    check(
        text,
        expect![[r#"
        error[E0603]: `@t` is a size here and a time elsewhere
         --> slow.ewq:1:30
          |
        1 | wasi:* { @t = duration; @t = bytes; @t = 10; @t = 0; @s = sum(bytes); @s = sum(duration); @e = errno; @e = 8; @e = func; @t += 5; @t+...
          |               --------       ^^^^^ this is a size
          |               |
          |               this is a time

        error[E0603]: `@t` is a number here and a time elsewhere
         --> slow.ewq:1:42
          |
        1 | wasi:* { @t = duration; @t = bytes; @t = 10; @t = 0; @s = sum(bytes); @s = sum(duration); @e = errno; @e = 8; @e = func; @t += 5; @t+...
          |               -------- this is a time    ^^ this is a number
          |
          = help: a time has a unit: `10us`, `1ms`

        error[E0603]: `@s` is a time here and a size elsewhere
         --> slow.ewq:1:80
          |
        1 | wasi:* { @t = duration; @t = bytes; @t = 10; @t = 0; @s = sum(bytes); @s = sum(duration); @e = errno; @e = 8; @e = func; @t += 5; @t+...
          |                                                               -----            ^^^^^^^^ this is a time
          |                                                               |
          |                                                               this is a size

        error[E0603]: `@e` is a WASI function here and an errno elsewhere
         --> slow.ewq:1:116
          |
        1 | ...s = sum(bytes); @s = sum(duration); @e = errno; @e = 8; @e = func; @t += 5; @t++; @c++; @c += 1us; @c /= 1us; }
          |                                             -----               ^^^^ this is a WASI function
          |                                             |
          |                                             this is an errno

        error[E0301]: a time and a number cannot be added
         --> slow.ewq:1:128
          |
        1 | ...; @s = sum(duration); @e = errno; @e = 8; @e = func; @t += 5; @t++; @c++; @c += 1us; @c /= 1us; }
          |                                                         --    ^ this is a number
          |                                                         |
          |                                                         this is a time
          |
          = help: a time has a unit: write `5us` or `5ms`

        error[E0301]: a time and a number cannot be added
         --> slow.ewq:1:131
          |
        1 | ...um(duration); @e = errno; @e = 8; @e = func; @t += 5; @t++; @c++; @c += 1us; @c /= 1us; }
          |                                                          --^^
          |                                                          |
          |                                                          this is a number
          |                                                          this is a time
          |
          = help: a time has a unit: write `1us` or `1ms`

        error[E0301]: a time and a number cannot be added
         --> slow.ewq:1:137
          |
        1 | ...ation); @e = errno; @e = 8; @e = func; @t += 5; @t++; @c++; @c += 1us; @c /= 1us; }
          |                                                          --^^
          |                                                          |
          |                                                          this is a number
          |                                                          this is a time
          |
          = help: a time has a unit: write `1us` or `1ms`

        error[E0603]: `@c` is a number here and a time elsewhere
         --> slow.ewq:1:154
          |
        1 | ...o; @e = 8; @e = func; @t += 5; @t++; @c++; @c += 1us; @c /= 1us; }
          |                                                     ---  ^^^^^^^^^^ this is a number
          |                                                     |
          |                                                     this is a time
    "#]],
    );
}

#[test]
fn a_map_has_the_same_keys_everywhere() {
    let text = r#"wasi:* { @x[pid] = count(); @x = count(); @x[pid, tid] = count(); @x[duration] = count(); @x["a"] = count(); @f[func] = count(); @f["fd_raed"] = count(); @r[runtime] = count(); @r["wasmtime"] = count(); @t[comm] = count(); @t["much too long for this"] = count(); @t["a\x00b"] = count(); delete(@x); }"#;
    check(
        text,
        expect![[r#"
            error[E0603]: `@x` has no key here and 1 key elsewhere
             --> slow.ewq:1:29
              |
            1 | wasi:* { @x[pid] = count(); @x = count(); @x[pid, tid] = count(); @x[duration] = count(); @x["a"] = count(); @f[func] = count(); @f["...
              |          ------- 1 key here ^^ no key here
              |
              = help: a map has the same keys everywhere; use two maps

            error[E0603]: `@x` has 2 keys here and 1 key elsewhere
             --> slow.ewq:1:43
              |
            1 | wasi:* { @x[pid] = count(); @x = count(); @x[pid, tid] = count(); @x[duration] = count(); @x["a"] = count(); @f[func] = count(); @f["...
              |          ------- 1 key here               ^^^^^^^^^^^^ 2 keys here
              |
              = help: a map has the same keys everywhere; use two maps

            error[E0603]: a key of `@x` is a time here and a number elsewhere
             --> slow.ewq:1:70
              |
            1 | wasi:* { @x[pid] = count(); @x = count(); @x[pid, tid] = count(); @x[duration] = count(); @x["a"] = count(); @f[func] = count(); @f["...
              |             --- this is a number                                     ^^^^^^^^ this is a time

            error[E0603]: a key of `@x` is a text here and a number elsewhere
             --> slow.ewq:1:94
              |
            1 | wasi:* { @x[pid] = count(); @x = count(); @x[pid, tid] = count(); @x[duration] = count(); @x["a"] = count(); @f[func] = count(); @f["...
              |             --- this is a number                                                             ^^^ this is a text

            error[E0203]: no WASI function is called `fd_raed`
             --> slow.ewq:1:133
              |
            1 | ...nt(); @x["a"] = count(); @f[func] = count(); @f["fd_raed"] = count(); @r[runtime] = count(); @r["wasmtime"] = count(); @t[comm] = ...
              |                                                    ^^^^^^^^^ did you mean `fd_read`?
              |
              = help: `ewapa list 'wasi:fd_*'` shows them; `ewapa explain E0203` says more

            error[E0901]: a runtime written as a text here is part of the language, but this version does not run it yet
             --> slow.ewq:1:181
              |
            1 | ...count(); @f["fd_raed"] = count(); @r[runtime] = count(); @r["wasmtime"] = count(); @t[comm] = count(); @t["much too long for this"...
              |                                                                ^^^^^^^^^^

            error[E0603]: `@x` has no key here and 1 key elsewhere
             --> slow.ewq:1:295
              |
            1 | ... { @x[pid] = count(); @x = count(); @x[pid, tid] = count(); @x[duration] = count(); @x["a"] = count(); @f[func] = count(); @f["fd_raed"] = count(); @r[runtime] = count(); @r["wasmtime"] = count(); @t[comm] = count(); @t["much too long for this"] = count(); @t["a\x00b"] = count(); delete(@x); }
              |       ------- 1 key here                                                                                                                                                                                                                                                                           ^^ no key here
              |
              = help: a map has the same keys everywhere; use two maps
        "#]],
    );
}

#[test]
fn a_map_that_is_read_is_filled() {
    let text = r#"wasi:* /@on/ { printf("%d\n", @coutn); @count++; }
end { print(@nothing); clear(@nothing); }"#;
    check(
        text,
        expect![[r#"
        error[E0604]: nothing is ever put into `@on`
         --> slow.ewq:1:9
          |
        1 | wasi:* /@on/ { printf("%d\n", @coutn); @count++; }
          |         ^^^
          |
          = help: put something into it in a probe block: `@on = 1`, `@on++` or `@on = count()`

        error[E0604]: nothing is ever put into `@coutn`
         --> slow.ewq:1:31
          |
        1 | wasi:* /@on/ { printf("%d\n", @coutn); @count++; }
          |                               ^^^^^^ did you mean `@count`?
          |
          = help: put something into it in a probe block: `@coutn = 1`, `@coutn++` or `@coutn = count()`

        error[E0604]: nothing is ever put into `@nothing`
         --> slow.ewq:2:13
          |
        2 | end { print(@nothing); clear(@nothing); }
          |             ^^^^^^^^
          |
          = help: put something into it in a probe block: `@nothing = 1`, `@nothing++` or `@nothing = count()`
    "#]],
    );
}

#[test]
fn aggregates_are_not_read() {
    let text = r#"wasi:* /@x > 3us/ { @x = p50(duration); @y = @x + 1us; @n = count(); @m = @n + 1; @n = 5; }"#;
    check(
        text,
        expect![[r#"
            error[E0605]: `@x` is `p50()`, which cannot be read like a number
             --> slow.ewq:1:9
              |
            1 | wasi:* /@x > 3us/ { @x = p50(duration); @y = @x + 1us; @n = count(); @m = @n + 1; @n = 5; }
              |         ^^               ------------- an aggregate is put in here
              |
              = help: `count()`, `sum()`, `avg()`, `min()` and `max()` can be read, others are only printed; keep what is read in a map of its own: `@x_last = …`

            error[E0605]: `@x` is `p50()`, which cannot be read like a number
             --> slow.ewq:1:46
              |
            1 | wasi:* /@x > 3us/ { @x = p50(duration); @y = @x + 1us; @n = count(); @m = @n + 1; @n = 5; }
              |                          -------------       ^^
              |                          |
              |                          an aggregate is put in here
              |
              = help: `count()`, `sum()`, `avg()`, `min()` and `max()` can be read, others are only printed; keep what is read in a map of its own: `@x_last = …`

            error[E0603]: `@n` is `count()` here and assigned elsewhere
             --> slow.ewq:1:61
              |
            1 | wasi:* /@x > 3us/ { @x = p50(duration); @y = @x + 1us; @n = count(); @m = @n + 1; @n = 5; }
              |                                                             ^^^^^^^
              |
              = help: a map holds one thing in the whole script; use two maps
        "#]],
    );
}

#[test]
fn a_map_of_itself_is_nothing() {
    let text = r#"wasi:* { @x = @x; @y[@z] = 1; @z = @y[0]; @y[@y[1]]++; }"#;
    check(
        text,
        expect![[r#"
        error[E0604]: nothing says what `@x` holds
         --> slow.ewq:1:10
          |
        1 | wasi:* { @x = @x; @y[@z] = 1; @z = @y[0]; @y[@y[1]]++; }
          |          ^^
          |
          = help: it is only ever given values of itself
    "#]],
    );
}

#[test]
fn histograms_have_sound_steps() {
    let text = r#"wasi:* { @a = lhist(bytes, 0, 10); @b = lhist(bytes, 0, 10, 1); @c = lhist(fd, 0, 10, 3); @d = lhist(fd, 10, 0, 1); @e = lhist(fd, 0, 10, 0); @f = lhist(fd, 0, 1e6, 1); @g = lhist(fd, 0, pid, 1); @h = lhist(duration, 0, 100, 10); @i = hist(fd, 6); @j = hist(fd, pid); @k = hist(); @l = hist(ok); @m = hist(func); }"#;
    check(
        text,
        expect![[r#"
            error[E0404]: `lhist()` takes four arguments, not 3
             --> slow.ewq:1:15
              |
            1 | wasi:* { @a = lhist(bytes, 0, 10); @b = lhist(bytes, 0, 10, 1); @c = lhist(fd, 0, 10, 3); @d = lhist(fd, 10, 0, 1); @e = lhist(fd, 0,...
              |               ^^^^^^^^^^^^^^^^^^^
              |
              = help: such as `lhist(duration, 0, 100us, 10us)`: from, to, and the size of a step

            error[E0301]: the steps of `lhist()` are a number and its values are a size
             --> slow.ewq:1:57
              |
            1 | wasi:* { @a = lhist(bytes, 0, 10); @b = lhist(bytes, 0, 10, 1); @c = lhist(fd, 0, 10, 3); @d = lhist(fd, 10, 0, 1); @e = lhist(fd, 0,...
              |                                               -----     ^^ this is a number
              |                                               |
              |                                               this is a size
              |
              = help: a size has a unit: `10B`

            error[E0301]: the steps of `lhist()` are a number and its values are a size
             --> slow.ewq:1:61
              |
            1 | wasi:* { @a = lhist(bytes, 0, 10); @b = lhist(bytes, 0, 10, 1); @c = lhist(fd, 0, 10, 3); @d = lhist(fd, 10, 0, 1); @e = lhist(fd, 0,...
              |                                               -----         ^ this is a number
              |                                               |
              |                                               this is a size
              |
              = help: a size has a unit: `1B`

            error[E0403]: from 0 to 10 there is no whole number of steps of 3
             --> slow.ewq:1:80
              |
            1 | wasi:* { @a = lhist(bytes, 0, 10); @b = lhist(bytes, 0, 10, 1); @c = lhist(fd, 0, 10, 3); @d = lhist(fd, 10, 0, 1); @e = lhist(fd, 0,...
              |                                                                                ^^^^^^^^
              |
              = help: let it end at 12

            error[E0403]: `lhist()` begins at or after its end
             --> slow.ewq:1:106
              |
            1 | wasi:* { @a = lhist(bytes, 0, 10); @b = lhist(bytes, 0, 10, 1); @c = lhist(fd, 0, 10, 3); @d = lhist(fd, 10, 0, 1); @e = lhist(fd, 0,...
              |                                                                                                          ^^^^^^^^
              |
              = help: the smaller one comes first: `lhist(bytes, 0, 4KiB, 512B)`

            error[E0403]: the step of `lhist()` has to be above 0
             --> slow.ewq:1:132
              |
            1 | ...hist(fd, 0, 10, 3); @d = lhist(fd, 10, 0, 1); @e = lhist(fd, 0, 10, 0); @f = lhist(fd, 0, 1e6, 1); @g = lhist(fd, 0, pid, 1); @h =...
              |                                                                 ^^^^^^^^

            error[E0403]: `lhist()` has 1000000 steps; at most 1000 are kept
             --> slow.ewq:1:158
              |
            1 | ...ist(fd, 10, 0, 1); @e = lhist(fd, 0, 10, 0); @f = lhist(fd, 0, 1e6, 1); @g = lhist(fd, 0, pid, 1); @h = lhist(duration, 0, 100, 10...
              |                                                                ^^^^^^^^^
              |
              = help: use larger steps, or `hist()`

            error[E0107]: the steps of `lhist()` have to be numbers that are known before the script runs
             --> slow.ewq:1:188
              |
            1 | ...st(fd, 0, 10, 0); @f = lhist(fd, 0, 1e6, 1); @g = lhist(fd, 0, pid, 1); @h = lhist(duration, 0, 100, 10); @i = hist(fd, 6); @j = h...
              |                                                                   ^^^
              |
              = help: write them out, or use a `param`

            error[E0301]: the steps of `lhist()` are a number and its values are a time
             --> slow.ewq:1:221
              |
            1 | ... 1e6, 1); @g = lhist(fd, 0, pid, 1); @h = lhist(duration, 0, 100, 10); @i = hist(fd, 6); @j = hist(fd, pid); @k = hist(); @l = his...
              |                                                    --------     ^^^ this is a number
              |                                                    |
              |                                                    this is a time
              |
              = help: a time has a unit: `100us`

            error[E0301]: the steps of `lhist()` are a number and its values are a time
             --> slow.ewq:1:226
              |
            1 | ...e6, 1); @g = lhist(fd, 0, pid, 1); @h = lhist(duration, 0, 100, 10); @i = hist(fd, 6); @j = hist(fd, pid); @k = hist(); @l = hist(...
              |                                                  --------          ^^ this is a number
              |                                                  |
              |                                                  this is a time
              |
              = help: a time has a unit: `10us`

            error[E0403]: the second argument of `hist()` is from 0 to 5, not 6
             --> slow.ewq:1:245
              |
            1 | ...fd, 0, pid, 1); @h = lhist(duration, 0, 100, 10); @i = hist(fd, 6); @j = hist(fd, pid); @k = hist(); @l = hist(ok); @m = hist(func...
              |                                                                    ^
              |
              = help: each power of two has 2 to this power of steps: 1, 2, 4, 8, 16 or 32

            error[E0107]: the second argument of `hist()` has to be a number
             --> slow.ewq:1:263
              |
            1 | ...= lhist(duration, 0, 100, 10); @i = hist(fd, 6); @j = hist(fd, pid); @k = hist(); @l = hist(ok); @m = hist(func); }
              |                                                                   ^^^
              |
              = help: `hist(duration, 2)` has 4 steps for each power of two, `hist(duration)` has one

            error[E0404]: `hist()` takes one or two arguments, not 0
             --> slow.ewq:1:274
              |
            1 | ...tion, 0, 100, 10); @i = hist(fd, 6); @j = hist(fd, pid); @k = hist(); @l = hist(ok); @m = hist(func); }
              |                                                                  ^^^^^^
              |
              = help: such as `hist(duration)`, or `hist(duration, 2)` with 4 steps for each power of two

            error[E0403]: `hist()` needs a number, a time or a size
             --> slow.ewq:1:292
              |
            1 | ...st(fd, 6); @j = hist(fd, pid); @k = hist(); @l = hist(ok); @m = hist(func); }
              |                                                          ^^ this is a condition
              |
              = help: to count calls for which it holds write `if (…) { @x = count(); }`

            error[E0403]: `hist()` needs a number, a time or a size
             --> slow.ewq:1:307
              |
            1 | ...st(fd, pid); @k = hist(); @l = hist(ok); @m = hist(func); }
              |                                                       ^^^^ this is a WASI function
              |
              = help: to have one row for each of its values make it a key: `@x[func] = count()`
        "#]],
    );
}
