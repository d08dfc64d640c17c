//! What follows the columns: having, sort, limit, pivot, every and title.

use expect_test::expect;

use super::check;

#[test]
fn having_is_about_columns_and_keys() {
    let text = r#"table t from wasi:* by func, errno { calls = count(), p99 = p99(duration) }
having cals > 1 && duration > 1us && count() > 3 && fd == 2"#;
    check(
        text,
        expect![[r#"
        error[E0106]: the table `t` has no column `cals`
         --> slow.ewq:2:8
          |
        2 | having cals > 1 && duration > 1us && count() > 3 && fd == 2
          |        ^^^^ did you mean `calls`?
          |
          = help: it has calls, p99, func, errno

        error[E0401]: `duration` is a time of one call, and `t` has no column or key of this name
         --> slow.ewq:2:20
          |
        2 | having cals > 1 && duration > 1us && count() > 3 && fd == 2
          |                    ^^^^^^^^
          |
          = help: `having` decides about rows by their columns and keys: calls, p99, func, errno

        error[E0405]: `count()` is over calls, and this is a condition over columns
         --> slow.ewq:2:38
          |
        2 | having cals > 1 && duration > 1us && count() > 3 && fd == 2
          |                                      ^^^^^^^
          |
          = help: make it a column, and use its name here

        error[E0401]: `fd` is a number of one call, and `t` has no column or key of this name
         --> slow.ewq:2:53
          |
        2 | having cals > 1 && duration > 1us && count() > 3 && fd == 2
          |                                                     ^^
          |
          = help: `having` decides about rows by their columns and keys: calls, p99, func, errno
    "#]],
    );
}

#[test]
fn having_minds_types() {
    let text = r#"table t from wasi:* by func, errno, runtime, ok { calls = count(), p99 = p99(duration) }
having p99 > 10 && func == "fd_raed" && runtime == "wasmtme 9" && errno == EBADG && calls == "x" && calls && func > "a" && "x" == "y" && !p99 && ok == "maybe""#;
    check(
        text,
        expect![[r#"
        error[E0301]: a time and a number cannot be compared
         --> slow.ewq:2:14
          |
        2 | having p99 > 10 && func == "fd_raed" && runtime == "wasmtme 9" && errno == EBADG && calls == "x" && calls && func > "a" && "x" == "y"...
          |        ---   ^^ this is a number
          |        |
          |        this is a time
          |
          = help: a time has a unit: write `10us` or `10ms`

        error[E0203]: no WASI function is called `fd_raed`
         --> slow.ewq:2:28
          |
        2 | having p99 > 10 && func == "fd_raed" && runtime == "wasmtme 9" && errno == EBADG && calls == "x" && calls && func > "a" && "x" == "y"...
          |                            ^^^^^^^^^ did you mean `fd_read`?
          |
          = help: `ewapa list 'wasi:fd_*'` shows them; `ewapa explain E0203` says more

        error[E0202]: no runtime is called `wasmtme`
         --> slow.ewq:2:52
          |
        2 | having p99 > 10 && func == "fd_raed" && runtime == "wasmtme 9" && errno == EBADG && calls == "x" && calls && func > "a" && "x" == "y"...
          |                                                    ^^^^^^^^^^^ did you mean `wasmtime`?
          |
          = help: the runtimes are `wasmtime`, `wasmer`, `wamr`

        error[E0304]: no WASI error number is called `EBADG`
         --> slow.ewq:2:76
          |
        2 | having p99 > 10 && func == "fd_raed" && runtime == "wasmtme 9" && errno == EBADG && calls == "x" && calls && func > "a" && "x" == "y"...
          |                                                                            ^^^^^ did you mean `EBADF`?

        error[E0301]: a number and a text cannot be compared
         --> slow.ewq:2:94
          |
        2 | having p99 > 10 && func == "fd_raed" && runtime == "wasmtme 9" && errno == EBADG && calls == "x" && calls && func > "a" && "x" == "y"...
          |                                                                                     -----    ^^^ this is a text
          |                                                                                     |
          |                                                                                     this is a number

        error[E0303]: this is a number, not a condition
         --> slow.ewq:2:101
          |
        2 | having p99 > 10 && func == "fd_raed" && runtime == "wasmtme 9" && errno == EBADG && calls == "x" && calls && func > "a" && "x" == "y"...
          |                                                                                                     ^^^^^
          |
          = help: compare it, such as with `> 0`

        error[E0305]: a text can only be compared with a key, by `==` or `!=`
         --> slow.ewq:2:117
          |
        2 | having p99 > 10 && func == "fd_raed" && runtime == "wasmtme 9" && errno == EBADG && calls == "x" && calls && func > "a" && "x" == "y"...
          |                                                                                                                     ^^^
          |
          = help: such as `func == "fd_write"`

        error[E0305]: a text can only be compared with a key, by `==` or `!=`
         --> slow.ewq:2:124
          |
        2 | having p99 > 10 && func == "fd_raed" && runtime == "wasmtme 9" && errno == EBADG && calls == "x" && calls && func > "a" && "x" == "y"...
          |                                                                                                                            ^^^
          |
          = help: such as `func == "fd_write"`

        error[E0305]: a text can only be compared with a key, by `==` or `!=`
         --> slow.ewq:2:131
          |
        2 | ...rrno == EBADG && calls == "x" && calls && func > "a" && "x" == "y" && !p99 && ok == "maybe"
          |                                                                   ^^^
          |
          = help: such as `func == "fd_write"`

        error[E0303]: this is a time, not a condition
         --> slow.ewq:2:139
          |
        2 | ...EBADG && calls == "x" && calls && func > "a" && "x" == "y" && !p99 && ok == "maybe"
          |                                                                   ^^^
          |
          = help: compare it, such as with `> 0`

        error[E0301]: a condition is `yes` or `no`
         --> slow.ewq:2:152
          |
        2 | ...== "x" && calls && func > "a" && "x" == "y" && !p99 && ok == "maybe"
          |                                                                 ^^^^^^^
    "#]],
    );
}

#[test]
fn having_has_no_maps_and_looks_at_its_own_row() {
    let text = r#"table t from wasi:* by func { calls = count() } having @x > 1 && t.calls > 2 && (calls & 1) == 0"#;
    check(
        text,
        expect![[r#"
            error[E0901]: the map `@x` in a `having` is part of the language, but this version does not run it yet
             --> slow.ewq:1:56
              |
            1 | table t from wasi:* by func { calls = count() } having @x > 1 && t.calls > 2 && (calls & 1) == 0
              |                                                        ^^
              |
              = help: a `having` looks at the columns of its own row

            error[E0106]: a `having` looks at the columns of its own row only
             --> slow.ewq:1:66
              |
            1 | table t from wasi:* by func { calls = count() } having @x > 1 && t.calls > 2 && (calls & 1) == 0
              |                                                                  ^^^^^^^
              |
              = help: write `calls`

            error[E0901]: `&` here is part of the language, but this version does not run it yet
             --> slow.ewq:1:81
              |
            1 | table t from wasi:* by func { calls = count() } having @x > 1 && t.calls > 2 && (calls & 1) == 0
              |                                                                                 ^^^^^^^^^^^
        "#]],
    );
}

#[test]
fn pivot_needs_a_key() {
    let text = r#"table a from wasi:* by func, runtime { n = count() } pivot runtim
table b from wasi:* { n = count() } pivot runtime
table c from wasi:* by func { n = count() } pivot "func"
table d from wasi:* by func, runtime { n = count() } pivot runtime vs "wastime"
table e from wasi:* by func, fd { n = count() } pivot fd vs "three"
table f from wasi:* by func, runtime { n = count() } sort runtime pivot runtime"#;
    check(
        text,
        expect![[r#"
        error[E0103]: nothing is called `runtim`
         --> slow.ewq:1:60
          |
        1 | table a from wasi:* by func, runtime { n = count() } pivot runtim
          |                                                            ^^^^^^ did you mean `runtime`?

        error[E0408]: this key is the same for every call
         --> slow.ewq:3:51
          |
        3 | table c from wasi:* by func { n = count() } pivot "func"
          |                                                   ^^^^^^
          |
          = help: group by a value of the call, such as `runtime`, `func` or `pid`

        error[E0202]: no runtime is called `wastime`
         --> slow.ewq:4:71
          |
        4 | table d from wasi:* by func, runtime { n = count() } pivot runtime vs "wastime"
          |                                                                       ^^^^^^^^^ did you mean `wasmtime`?
          |
          = help: the runtimes are `wasmtime`, `wasmer`, `wamr`

        error[E0301]: a number and a text cannot be compared
         --> slow.ewq:5:61
          |
        5 | table e from wasi:* by func, fd { n = count() } pivot fd vs "three"
          |                                                             ^^^^^^^ this is a text

        error[E0106]: the rows have no `runtime`: it is pivoted
         --> slow.ewq:6:59
          |
        6 | table f from wasi:* by func, runtime { n = count() } sort runtime pivot runtime
          |                                                           ^^^^^^^
          |
          = help: they can be sorted by n, func; the groups of columns are in the order of their names
    "#]],
    );
}

#[test]
fn every_needs_a_time() {
    let text = r#"param often = 1ms;
table a from wasi:* { n = count() } every 10
table b from wasi:* { n = count() } every often
table c from wasi:* { n = count() } every 1s + 1s
table d from wasi:* { n = count() } every duration"#;
    check(
        text,
        expect![[r#"
        error[E0107]: `every` needs a time that is known before the script runs: 100ms or longer
         --> slow.ewq:2:43
          |
        2 | table a from wasi:* { n = count() } every 10
          |                                           ^^
          |
          = help: such as `every 10s`, or a `param`

        error[E0107]: `every` needs a time that is known before the script runs: 100ms or longer
         --> slow.ewq:3:43
          |
        3 | table b from wasi:* { n = count() } every often
          |                                           ^^^^^
          |
          = help: such as `every 10s`, or a `param`

        error[E0107]: `every` needs a time that is known before the script runs: 100ms or longer
         --> slow.ewq:4:43
          |
        4 | table c from wasi:* { n = count() } every 1s + 1s
          |                                           ^^^^^^^
          |
          = help: such as `every 10s`, or a `param`

        error[E0107]: `every` needs a time that is known before the script runs: 100ms or longer
         --> slow.ewq:5:43
          |
        5 | table d from wasi:* { n = count() } every duration
          |                                           ^^^^^^^^
          |
          = help: such as `every 10s`, or a `param`
    "#]],
    );
}

#[test]
fn a_clause_is_given_once() {
    let text = r#"table a from wasi:* by func { n = count() } title "x" title "y" having n > 1 having n > 2"#;
    check(
        text,
        expect![[r#"
        error[E0101]: `title` is given twice
         --> slow.ewq:1:55
          |
        1 | table a from wasi:* by func { n = count() } title "x" title "y" having n > 1 having n > 2
          |                                             --------- ^^^^^^^^^
          |                                             |
          |                                             first here

        error[E0101]: `having` is given twice
         --> slow.ewq:1:78
          |
        1 | table a from wasi:* by func { n = count() } title "x" title "y" having n > 1 having n > 2
          |                                                                 ------------ ^^^^^^^^^^^^
          |                                                                 |
          |                                                                 first here
    "#]],
    );
}
