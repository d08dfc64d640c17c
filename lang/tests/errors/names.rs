//! Names: what is unknown, taken or given twice.

use expect_test::expect;

use super::check;

#[test]
fn names_are_given_once() {
    let text = "param a = 1;
param a = 2;
table a from wasi:* by func, func { b = count(), b = count(), func = count() } limit 1 limit 2";
    check(
        text,
        expect![[r#"
        error[E0101]: the parameter `a` is declared twice
         --> slow.ewq:2:7
          |
        1 | param a = 1;
          |       - first here
        2 | param a = 2;
          |       ^

        error[E0101]: `a` is defined twice
         --> slow.ewq:3:7
          |
        1 | param a = 1;
          |       - first here
        2 | param a = 2;
        3 | table a from wasi:* by func, func { b = count(), b = count(), func = count() } limit 1 limit 2
          |       ^

        error[E0101]: the table `a` has two columns called `func`
         --> slow.ewq:3:30
          |
        3 | table a from wasi:* by func, func { b = count(), b = count(), func = count() } limit 1 limit 2
          |                        ----  ^^^^
          |                        |
          |                        first here

        error[E0101]: the table `a` has two columns called `b`
         --> slow.ewq:3:50
          |
        3 | table a from wasi:* by func, func { b = count(), b = count(), func = count() } limit 1 limit 2
          |                                     - first here ^

        error[E0101]: the table `a` has two columns called `func`
         --> slow.ewq:3:63
          |
        3 | table a from wasi:* by func, func { b = count(), b = count(), func = count() } limit 1 limit 2
          |                        ---- first here                        ^^^^

        error[E0101]: `limit` is given twice
         --> slow.ewq:3:88
          |
        3 | table a from wasi:* by func, func { b = count(), b = count(), func = count() } limit 1 limit 2
          |                                                                                ------- ^^^^^^^
          |                                                                                |
          |                                                                                first here
    "#]],
    );
}

#[test]
fn a_parameter_cannot_take_a_name_that_means_something() {
    let text = "param duration = 1;
param fd_write = 1;
param EBADF = 1;
param where = 1;
param path = 1;
param help = 1;";
    check(
        text,
        expect![[r#"
        error[E0102]: a parameter cannot be called `duration`
         --> slow.ewq:1:7
          |
        1 | param duration = 1;
          |       ^^^^^^^^ this is a builtin

        error[E0102]: a parameter cannot be called `fd_write`
         --> slow.ewq:2:7
          |
        2 | param fd_write = 1;
          |       ^^^^^^^^ this is a WASI function

        error[E0102]: a parameter cannot be called `EBADF`
         --> slow.ewq:3:7
          |
        3 | param EBADF = 1;
          |       ^^^^^ this is a WASI error number

        error[E0102]: a parameter cannot be called `where`
         --> slow.ewq:4:7
          |
        4 | param where = 1;
          |       ^^^^^ this is a word of the language

        error[E0102]: a parameter cannot be called `path`
         --> slow.ewq:5:7
          |
        5 | param path = 1;
          |       ^^^^ this is a builtin

        error[E0102]: a parameter cannot be called `help`
         --> slow.ewq:6:7
          |
        6 | param help = 1;
          |       ^^^^ `--help` shows the parameters
    "#]],
    );
}

#[test]
fn unknown_names_are_corrected() {
    let text = "table t from wasi:* where duratoin > 0 by runtim { a = sum(byts), b = count }";
    check(
        text,
        expect![[r#"
        error[E0103]: nothing is called `duratoin`
         --> slow.ewq:1:27
          |
        1 | table t from wasi:* where duratoin > 0 by runtim { a = sum(byts), b = count }
          |                           ^^^^^^^^ did you mean `duration`?

        error[E0103]: nothing is called `runtim`
         --> slow.ewq:1:43
          |
        1 | table t from wasi:* where duratoin > 0 by runtim { a = sum(byts), b = count }
          |                                           ^^^^^^ did you mean `runtime`?

        error[E0103]: nothing is called `byts`
         --> slow.ewq:1:60
          |
        1 | table t from wasi:* where duratoin > 0 by runtim { a = sum(byts), b = count }
          |                                                            ^^^^ did you mean `bytes`?

        error[E0103]: `count` is a function
         --> slow.ewq:1:71
          |
        1 | table t from wasi:* where duratoin > 0 by runtim { a = sum(byts), b = count }
          |                                                                       ^^^^^
          |
          = help: write `count(…)`
    "#]],
    );
}

#[test]
fn unknown_functions_are_corrected() {
    let text = "table t from wasi:* { a = p98(duration), b = duration(), c = cuont() }";
    check(
        text,
        expect![[r#"
        error[E0104]: no function is called `p98`
         --> slow.ewq:1:27
          |
        1 | table t from wasi:* { a = p98(duration), b = duration(), c = cuont() }
          |                           ^^^ did you mean `p90`?

        error[E0104]: `duration` is a value, not a function
         --> slow.ewq:1:46
          |
        1 | table t from wasi:* { a = p98(duration), b = duration(), c = cuont() }
          |                                              ^^^^^^^^
          |
          = help: write `duration`

        error[E0104]: no function is called `cuont`
         --> slow.ewq:1:62
          |
        1 | table t from wasi:* { a = p98(duration), b = duration(), c = cuont() }
          |                                                              ^^^^^ did you mean `count`?
    "#]],
    );
}

#[test]
fn a_table_needs_a_column() {
    let text = "table t from wasi:* { }";
    check(
        text,
        expect![[r#"
        error[E0105]: the table `t` has no columns
         --> slow.ewq:1:7
          |
        1 | table t from wasi:* { }
          |       ^
          |
          = help: a column is a name and an aggregate: `calls = count()`
    "#]],
    );
}

#[test]
fn sorting_needs_a_column() {
    let text = "table t from wasi:* by runtime { calls = count() } sort cals desc";
    check(
        text,
        expect![[r#"
            error[E0106]: the table `t` has no column `cals`
             --> slow.ewq:1:57
              |
            1 | table t from wasi:* by runtime { calls = count() } sort cals desc
              |                                                         ^^^^ did you mean `calls`?
              |
              = help: it has calls, runtime
        "#]],
    );
}

#[test]
fn values_that_must_be_known_before_are() {
    let text = "param a = 1 + 1;
table t from wasi:* { a = quantile(duration, fd) } limit 0";
    check(
        text,
        expect![[r#"
        error[E0107]: the default of a parameter has to be a number, a time, a size or a text
         --> slow.ewq:1:11
          |
        1 | param a = 1 + 1;
          |           ^^^^^ this is something else
          |
          = help: such as `10`, `-1`, `10us`, `4KiB` or `"text"`

        error[E0107]: the share of a quantile has to be a number
         --> slow.ewq:2:46
          |
        2 | table t from wasi:* { a = quantile(duration, fd) } limit 0
          |                                              ^^
          |
          = help: write it out, such as `0.75`, or use a `param`

        error[E0107]: `limit` needs a number of rows that is known before the script runs: 1 or more
         --> slow.ewq:2:58
          |
        2 | table t from wasi:* { a = quantile(duration, fd) } limit 0
          |                                                          ^
          |
          = help: such as `limit 20`, or a `param`
    "#]],
    );
}

#[test]
fn a_column_does_not_use_another_one() {
    let text = "table t from wasi:* { total = sum(duration), mean = total / count() }";
    check(
        text,
        expect![[r#"
        error[E0103]: a column cannot use the column `total`
         --> slow.ewq:1:53
          |
        1 | table t from wasi:* { total = sum(duration), mean = total / count() }
          |                                                     ^^^^^
          |
          = help: repeat its expression; what is the same is computed once
    "#]],
    );
}
